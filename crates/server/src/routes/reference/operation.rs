//! What there is to say of an operation.

use axum::http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::refusals::{Refusals, Speech};

/// A method at a path.
pub(super) struct Operation {
    /// Its name, by which programs call it. It is stable.
    pub name: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    /// In a few words.
    pub summary: &'static str,
    /// In Markdown, with links as they are in `docs/`.
    pub about: &'static str,
    pub caller: Caller,
    pub speech: Speech,
    pub parameters: &'static [&'static [Parameter]],
    pub body: Body,
    pub answers: &'static [Answer],
    pub refusals: &'static [&'static Refusals],
    /// Commands that try it, one after the other.
    pub example: &'static str,
}

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Caller {
    Anybody,
    /// Programs, and the pages of registered apps.
    App,
    /// The same, with a session.
    Session,
    /// Somebody's browser.
    Person,
    /// Whoever has the token of `[metrics]`.
    Monitor,
}

/// A parameter that is no member of a JSON body.
pub(super) struct Parameter {
    pub place: Place,
    pub name: &'static str,
    pub needed: bool,
    pub values: Values,
    pub about: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Form,
}

/// What a parameter may be.
pub(super) enum Values {
    Text,
    Words(&'static [&'static str]),
}

/// What comes along with a request.
pub(super) enum Body {
    Nothing,
    Json(SchemaOf),
    /// One of these.
    Forms(&'static [Form]),
}

/// A form, and what it is called.
pub(super) struct Form {
    pub name: &'static str,
    pub about: &'static str,
    pub fields: &'static [&'static [Parameter]],
}

/// What a type looks like as JSON.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// An answer to what was granted.
pub(super) struct Answer {
    pub status: StatusCode,
    pub about: &'static str,
    pub content: Content,
}

pub(super) enum Content {
    Nothing,
    /// With an example.
    Json(SchemaOf, &'static str),
    Text(&'static str),
}

pub(super) fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

impl Operation {
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().copied().flatten()
    }
}

impl Form {
    pub(super) fn fields(&self) -> impl Iterator<Item = &'static Parameter> {
        self.fields.iter().copied().flatten()
    }
}

impl Parameter {
    const fn new(place: Place, name: &'static str, about: &'static str) -> Self {
        Self { place, name, needed: false, values: Values::Text, about }
    }

    pub(super) const fn path(name: &'static str, about: &'static str) -> Self {
        Self::new(Place::Path, name, about).needed()
    }

    pub(super) const fn query(name: &'static str, about: &'static str) -> Self {
        Self::new(Place::Query, name, about)
    }

    pub(super) const fn header(name: &'static str, about: &'static str) -> Self {
        Self::new(Place::Header, name, about)
    }

    pub(super) const fn field(name: &'static str, about: &'static str) -> Self {
        Self::new(Place::Form, name, about)
    }

    pub(super) const fn needed(self) -> Self {
        Self { needed: true, ..self }
    }

    pub(super) const fn of(self, words: &'static [&'static str]) -> Self {
        Self { values: Values::Words(words), ..self }
    }
}

impl Answer {
    pub(super) const fn json(about: &'static str, schema: SchemaOf, example: &'static str) -> Self {
        Self { status: StatusCode::OK, about, content: Content::Json(schema, example) }
    }

    pub(super) const fn text(about: &'static str, media_type: &'static str) -> Self {
        Self { status: StatusCode::OK, about, content: Content::Text(media_type) }
    }

    pub(super) const fn page(about: &'static str) -> Self {
        Self::text(about, "text/html")
    }

    pub(super) const fn redirect(about: &'static str) -> Self {
        Self { status: StatusCode::SEE_OTHER, about, content: Content::Nothing }
    }

    pub(super) const fn nothing(status: StatusCode, about: &'static str) -> Self {
        Self { status, about, content: Content::Nothing }
    }
}
