//! As much of GraphQL as profile queries use: nested names, with commas or spaces between. A query is
//! read, checked against the shape of the schema, and then picks its fields out of a JSON value; a field
//! that the value lacks is left out, which is how the real service answers for a scope that was not
//! granted.

use serde_json::{Map, Value};

/// Profile queries are a line of text; nothing longer is worth reading.
const MAX_LENGTH: usize = 2_000;
/// Bounds the recursion of the reader.
const MAX_DEPTH: usize = 8;

/// What a field holds.
pub(super) enum Type {
    Scalar,
    Object(&'static str, &'static [(&'static str, Type)]),
}

/// Why a query is not answered. The texts go out to the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum QueryError {
    Missing,
    TooLarge,
    Syntax,
    UnknownField {
        field: String,
        owner: &'static str,
    },
    /// A scalar with a selection, or an object without one.
    WrongSelection {
        field: String,
    },
}

impl QueryError {
    pub(super) fn message(&self) -> String {
        match self {
            Self::Missing => "Must provide query string.".to_owned(),
            Self::TooLarge => "The query is too long or too deep.".to_owned(),
            Self::Syntax => "Syntax error: expected names in braces, as in {me{displayName}}.".to_owned(),
            Self::UnknownField { field, owner } => {
                format!(r#"Cannot query field "{field}" on type "{owner}"."#)
            }
            Self::WrongSelection { field } => {
                format!(r#"Field "{field}" needs a selection if, and only if, it is an object."#)
            }
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Missing | Self::TooLarge => "BAD_REQUEST",
            Self::Syntax => "GRAPHQL_PARSE_FAILED",
            Self::UnknownField { .. } | Self::WrongSelection { .. } => "GRAPHQL_VALIDATION_FAILED",
        }
    }
}

/// One field of a query with the fields asked of it.
struct Field<'a> {
    name: &'a str,
    selection: Option<Vec<Field<'a>>>,
}

/// A query that fits the schema.
pub(super) struct Query<'a>(Vec<Field<'a>>);

impl<'a> Query<'a> {
    pub(super) fn parse(text: &'a str, schema: &Type) -> Result<Self, QueryError> {
        if text.len() > MAX_LENGTH {
            return Err(QueryError::TooLarge);
        }
        if text.trim().is_empty() {
            return Err(QueryError::Missing);
        }
        let fields = Reader { rest: text }.document()?;
        check(&fields, schema)?;
        Ok(Self(fields))
    }

    /// The fields of `value` that the query asks for.
    pub(super) fn pick(&self, value: &Value) -> Value {
        pick(&self.0, value)
    }
}

fn check(fields: &[Field<'_>], owner: &Type) -> Result<(), QueryError> {
    let Type::Object(owner, known) = owner else { return Ok(()) };
    for field in fields {
        let unknown = || QueryError::UnknownField { field: field.name.to_owned(), owner };
        let (_, kind) = known.iter().find(|(name, _)| *name == field.name).ok_or_else(unknown)?;
        match (kind, &field.selection) {
            (Type::Scalar, None) => {}
            (Type::Object(..), Some(selection)) => check(selection, kind)?,
            _ => return Err(QueryError::WrongSelection { field: field.name.to_owned() }),
        }
    }
    Ok(())
}

fn pick(fields: &[Field<'_>], value: &Value) -> Value {
    let picked = fields.iter().filter_map(|field| {
        let found = value.get(field.name)?;
        let picked = field.selection.as_ref().map_or_else(|| found.clone(), |inner| pick(inner, found));
        Some((field.name.to_owned(), picked))
    });
    Value::Object(picked.collect::<Map<_, _>>())
}

/// Reads a document from left to right.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// `{…}`, or with an operation `query {…}` or `query Name {…}`.
    fn document(mut self) -> Result<Vec<Field<'a>>, QueryError> {
        match self.name() {
            None => {}
            Some("query") => _ = self.name(),
            Some(_) => return Err(QueryError::Syntax),
        }
        if !self.take('{') {
            return Err(QueryError::Syntax);
        }
        let fields = self.fields(MAX_DEPTH)?;
        self.skip_ignored();
        if self.rest.is_empty() { Ok(fields) } else { Err(QueryError::Syntax) }
    }

    /// The fields up to the closing brace. None at all is fine: one of Snapchat's own libraries asks
    /// `{me{}}` unless told otherwise.
    fn fields(&mut self, depth: usize) -> Result<Vec<Field<'a>>, QueryError> {
        let depth = depth.checked_sub(1).ok_or(QueryError::TooLarge)?;
        let mut fields = Vec::new();
        while !self.take('}') {
            let name = self.name().ok_or(QueryError::Syntax)?;
            let selection = if self.take('{') { Some(self.fields(depth)?) } else { None };
            fields.push(Field { name, selection });
        }
        Ok(fields)
    }

    fn name(&mut self) -> Option<&'a str> {
        self.skip_ignored();
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then_some(name)
    }

    fn take(&mut self, symbol: char) -> bool {
        self.skip_ignored();
        self.rest.strip_prefix(symbol).inspect(|rest| self.rest = rest).is_some()
    }

    fn skip_ignored(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n', ',']);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: Type = Type::Object(
        "Query",
        &[(
            "me",
            Type::Object("Me", &[("id", Type::Scalar), ("b", Type::Object("B", &[("x", Type::Scalar)]))]),
        )],
    );

    fn run(query: &str) -> Result<Value, QueryError> {
        let value = json!({ "me": { "id": "1", "b": { "x": 2, "y": 3 } } });
        Query::parse(query, &SCHEMA).map(|query| query.pick(&value))
    }

    #[test]
    fn commas_spaces_lines_and_operation_names_are_all_read() {
        let expected = json!({ "me": { "id": "1", "b": { "x": 2 } } });
        for query in [
            "{me{id b{x}}}",
            "{me{id,b{x}}}",
            " {\n\tme {\r\n id, , b { x, } }\n}\n ",
            "query{me{id b{x}}}",
            "query Profile {me{id b{x}}}",
        ] {
            assert_eq!(run(query).as_ref(), Ok(&expected), "{query:?}");
        }
    }

    #[test]
    fn an_empty_selection_picks_nothing() {
        assert_eq!(run("{me{}}"), Ok(json!({ "me": {} })));
    }

    #[test]
    fn what_is_not_a_query_is_a_syntax_error() {
        for query in [
            "me",
            "{",
            "}",
            "{me{id}",
            "{me{id}}}",
            "{me{id}} {me{id}}",
            "{{id}}",
            "{me(x:1){id}}",
            "{me{…}}",
            "{me{id:b}}",
            "mutation{me{id}}",
            "{me{\"id\"}}",
            "Query {me{id}}",
        ] {
            assert_eq!(run(query), Err(QueryError::Syntax), "{query:?}");
        }
    }

    #[test]
    fn fields_must_exist_and_only_objects_have_selections() {
        assert_eq!(run("{me{y}}").unwrap_err().message(), r#"Cannot query field "y" on type "Me"."#);
        assert_eq!(run("{you{id}}").unwrap_err().message(), r#"Cannot query field "you" on type "Query"."#);
        for query in ["{me}", "{me{b}}", "{me{id{x}}}"] {
            assert!(matches!(run(query), Err(QueryError::WrongSelection { .. })), "{query:?}");
        }
    }

    #[test]
    fn length_and_depth_are_bounded() {
        assert_eq!(run(&"{me".repeat(MAX_DEPTH + 1)), Err(QueryError::TooLarge));
        assert_eq!(run(&" ".repeat(MAX_LENGTH + 1)), Err(QueryError::TooLarge));
        assert_eq!(run(&" ".repeat(MAX_LENGTH)), Err(QueryError::Missing));
    }
}
