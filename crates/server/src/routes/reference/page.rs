//! The document as a page for people. What a code means, and what there is to do, it says in the words of `docs/errors.md`.

mod refused;

use std::fmt::Write;

use serde_json::Value;

use super::document::generator;
use super::markdown::{anchor, block, from_here, paragraph, table};
use super::operation::{Answer, Body, Caller, Content, Operation, Parameter, Place, SchemaOf, Values};
use super::operations::{SECTIONS, Section, operations};
use super::words::Words;

const HEAD: &str = "\
# The HTTP API

Made from the routes by `cargo xtask gen http`: a test fails when it is stale,
and another holds each request and answer of the tests against it. Programs read
the same as OpenAPI 3.1: [openapi.json](openapi.json). The AWS operations at `/`
are Amazon's own, and [compatibility](../compatibility.md) is about them.

**Where to begin.** An app that signs people in and keeps them signed in needs
three: send the browser to [authorize](#get-oauth2authorize), trade the code and
each refresh token at [token](#post-oauth2token), and sign out by
[revoke](#post-oauth2revoke). SDKs that do it for you are for
[browsers](../browser.md), [terminals](../terminal.md) and [Rust](../rust.md).

**What holds everywhere.**

- Paths are below the `public_url`: here `http://127.0.0.1:9400`, where
  `daypass up` answers. `[[app]]` and `[[provider]]` are tables of
  [its configuration](configuration.md).
- Answers are JSON in snake_case. Later versions may have more members: pass over
  those you do not know. What is optional and has no value is not there.
- Times are RFC 3339, in UTC. Lives are seconds from the answer on: count by
  them, since clocks of devices differ.
- Pages may call from the `origins` of an `[[app]]`, other programs from anywhere.
- Keep no answer in a cache, but for [documents](#documents), which say how long.
- `x-amzn-requestid` names each request, and the operator finds it by that.
- What is refused has [a `code`](#how-it-is-refused).

The examples are for a shell, from the top to the bottom, and `daypass up`. What
stands there as `…` is in an answer before, or in the address that the browser
came back to: nobody listens there, so take it from the address bar. Where a
session has ended, begin anew. A test runs them as they stand.
";

/// The page.
pub(super) fn page(document: &Value) -> String {
    let page = Page { schemas: &document["components"]["schemas"], words: Words::read() };
    let mut text = HEAD.to_owned() + &contents();
    for section in SECTIONS {
        text += &page.section(section);
    }
    text + &page.all_refusals()
}

fn contents() -> String {
    let mut text = "\n| Operation | What it is for |\n|---|---|\n".to_owned();
    for (_, operation) in operations() {
        let title = title(operation);
        let _ = writeln!(text, "| [`{title}`]({}) | {} |", anchor(&title), operation.summary);
    }
    text
}

fn title(operation: &Operation) -> String {
    format!("{} {}", operation.method, operation.path)
}

const MEMBERS: [&str; 3] = ["Member", "Type", "What it says"];

struct Page<'a> {
    schemas: &'a Value,
    words: Words,
}

impl Page<'_> {
    fn section(&self, section: &Section) -> String {
        let mut text = format!("\n## {}\n{}", section.name, paragraph(section.about));
        for operation in section.operations {
            let _ = write!(text, "\n### `{}`\n", title(operation));
            text += &paragraph(&format!("**{}.** {}", operation.summary, operation.about));
            text += &paragraph(caller(operation.caller));
            text += &self.request(operation);
            for answer in operation.answers {
                text += &self.answer(answer);
            }
            text += &self.refusals(operation);
            text += &block("console", operation.example);
        }
        text
    }

    fn request(&self, operation: &Operation) -> String {
        let parameters: Vec<[String; 3]> = operation.parameters().map(row).collect();
        let mut text = String::new();
        if !parameters.is_empty() {
            text += &table(["Parameter", "", "What it says"], &parameters);
        }
        match &operation.body {
            Body::Nothing => {}
            Body::Json(schema) => {
                text += &paragraph("The body, as JSON:");
                text += &table(MEMBERS, &self.members(self.schema(*schema)));
            }
            Body::Forms(forms) => {
                for form in *forms {
                    let fields: Vec<[String; 3]> = form.fields().map(row).collect();
                    text += &paragraph(&format!("{}, as a form:", form.about));
                    text += &table(["Field", "", "What it says"], &fields);
                }
            }
        }
        text
    }

    fn answer(&self, answer: &Answer) -> String {
        let told = format!("Answer **{}**: {}", answer.status.as_u16(), answer.about);
        match answer.content {
            Content::Nothing => paragraph(&told),
            Content::Text(media_type) => paragraph(&format!("{told} It is `{media_type}`.")),
            Content::Json(schema, example) => {
                paragraph(&told) + &self.members_of(self.schema(schema)) + &block("json", example)
            }
        }
    }

    /// The members of an answer, and below each those of what is in it.
    fn members_of(&self, schema: &Value) -> String {
        table(MEMBERS, &self.deep_members("", schema))
    }

    fn deep_members(&self, within: &str, schema: &Value) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        for (row, (name, member)) in self.members(schema).into_iter().zip(properties(schema)) {
            let [_, kind, about] = row;
            rows.push([format!("`{within}{name}`"), kind, about]);
            let inner = self.resolve(member);
            match inner["type"].as_str() {
                Some("array") => {
                    rows.extend(
                        self.deep_members(&format!("{within}{name}[]."), self.resolve(&inner["items"])),
                    );
                }
                _ => rows.extend(self.deep_members(&format!("{within}{name}."), inner)),
            }
        }
        rows
    }

    fn members(&self, schema: &Value) -> Vec<[String; 3]> {
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let rows = properties(schema).map(|(name, member)| {
            let inner = self.resolve(member);
            let optional = if required.contains(&name.as_str().into()) { "" } else { ", optional" };
            let about = member["description"].as_str().or(inner["description"].as_str()).unwrap_or_default();
            [format!("`{name}`"), kind(inner) + optional, from_here(about)]
        });
        rows.collect()
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match name_of(schema) {
            "" => schema,
            name => &self.schemas[name],
        }
    }

    fn schema(&self, schema: SchemaOf) -> &Value {
        &self.schemas[name_of(&schema(&mut generator()).into())]
    }
}

/// The name of the schema that is referred to, if one is.
fn name_of(reference: &Value) -> &str {
    reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema["properties"].as_object().into_iter().flatten()
}

fn row(parameter: &Parameter) -> [String; 3] {
    let place = match parameter.place {
        Place::Path => "in the path",
        Place::Header => "header",
        Place::Query | Place::Form if parameter.needed => "required",
        Place::Query | Place::Form => "optional",
    };
    let is_said = |words: &[&str]| words.iter().any(|word| parameter.about.contains(word));
    let words = match parameter.values {
        Values::Words(words) if !is_said(words) => code(words.iter().copied()),
        Values::Words(_) | Values::Text => String::new(),
    };
    let about = format!("{} {words}", from_here(parameter.about));
    [format!("`{}`", parameter.name), place.to_owned(), about.trim().to_owned()]
}

fn kind(schema: &Value) -> String {
    if let Some(words) = schema["enum"].as_array() {
        return code(words.iter().filter_map(Value::as_str));
    }
    let kind = match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("date-time")) => "time",
        (Some("string"), _) => "text",
        (Some("integer"), _) => "whole number",
        (Some("boolean"), _) => "`true` or `false`",
        (Some("array"), _) if schema["items"]["enum"].is_array() => {
            return format!("list of {}", kind(&schema["items"]));
        }
        (Some("array"), _) if schema["items"]["type"] == "string" => "list of texts",
        (Some("array"), _) => "list",
        (kind, _) => kind.unwrap_or_default(),
    };
    kind.to_owned()
}

fn code<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn caller(caller: Caller) -> &'static str {
    match caller {
        Caller::Anybody => "Anybody may ask.",
        Caller::App => "Programs may ask, and pages of registered apps.",
        Caller::Session => {
            "Whoever has a session may ask, and shows its refresh token as `Authorization: Bearer`, or \
             sends the cookie along that it is in."
        }
        Caller::Person => "It is for people's browsers, which go there: no page may fetch it.",
        Caller::Monitor => {
            "Whoever has the token of `[metrics]` may ask, and shows it as `Authorization: Bearer`."
        }
    }
}
