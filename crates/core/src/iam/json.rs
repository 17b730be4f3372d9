//! JSON as a policy needs it: an object with the same member twice is refused, because readers differ
//! in which of the two they believe, and whoever reviewed the policy may have read the other one.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::error::PolicyError;

/// A value of a policy document. Booleans and integers are read as text: IAM takes `true` for
/// `"true"` and `5` for `"5"`.
#[derive(Debug, Clone)]
pub(super) enum Json {
    Text(String),
    List(Vec<Json>),
    Object(Object),
}

/// The members of an object, each name once, in the order in which they were written.
#[derive(Debug, Clone)]
pub(super) struct Object(Vec<(String, Json)>);

impl Json {
    pub(super) fn parse(text: &str) -> Result<Self, PolicyError> {
        serde_json::from_str(text).map_err(|error| PolicyError::new(format!("cannot be read: {error}")))
    }

    pub(super) fn into_object(self) -> Result<Object, PolicyError> {
        match self {
            Self::Object(object) => Ok(object),
            _ => Err(PolicyError::new("must be a JSON object, `{ … }`")),
        }
    }

    pub(super) fn into_text(self) -> Result<String, PolicyError> {
        match self {
            Self::Text(text) => Ok(text),
            _ => Err(PolicyError::new("must be a JSON string")),
        }
    }

    /// One value or a list of them, as IAM lets people write; an empty list is a slip of the pen.
    pub(super) fn into_list(self) -> Result<Vec<Self>, PolicyError> {
        match self {
            Self::List(list) if list.is_empty() => {
                Err(PolicyError::new("the list is empty; name at least one value"))
            }
            Self::List(list) => Ok(list),
            one => Ok(vec![one]),
        }
    }

    pub(super) fn into_texts(self) -> Result<Vec<String>, PolicyError> {
        self.into_list()?
            .into_iter()
            .map(|json| {
                json.into_text().map_err(|_| PolicyError::new("must be a string or a list of strings"))
            })
            .collect()
    }
}

impl Object {
    /// Takes a member out, so that what is left at the end is what nobody asked for.
    pub(super) fn take(&mut self, name: &str) -> Option<Json> {
        let index = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.remove(index).1)
    }

    pub(super) fn require(&mut self, name: &str) -> Result<Json, PolicyError> {
        self.take(name).ok_or_else(|| PolicyError::new(format!("has no {name}; add it")))
    }

    /// The members of an object that has to have some.
    pub(super) fn into_members(self) -> Result<Vec<(String, Json)>, PolicyError> {
        if self.0.is_empty() {
            return Err(PolicyError::new("is empty and would check nothing; remove it or fill it"));
        }
        Ok(self.0)
    }

    /// Refuses what was not taken.
    pub(super) fn finish(self, known: &str) -> Result<(), PolicyError> {
        match self.0.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => {
                Err(PolicyError::new(format!("unknown member {name:?}; known here are {known}")))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Strict)
    }
}

struct Strict;

impl<'de> Visitor<'de> for Strict {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a string, a list or an object (a fraction is written as a string, and null says nothing)",
        )
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Text(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(element) = elements.next_element()? {
            list.push(element);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object: Vec<(String, Json)> = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.iter().any(|(earlier, _)| *earlier == name) {
                return Err(A::Error::custom(format_args!("{name:?} stands twice in one object; keep one")));
            }
            object.push((name, members.next_value()?));
        }
        Ok(Json::Object(Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Json::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_every_depth() {
        assert_eq!(
            refusal("{\"a\": 1,\n \"a\": 2}"),
            "document: cannot be read: \"a\" stands twice in one object; keep one at line 2 column 4"
        );
        assert!(refusal(r#"{"a": [{"b": {"c": 1, "\u0063": 2}}]}"#).contains("\"c\" stands twice"));
    }

    #[test]
    fn fractions_huge_integers_and_null_are_refused() {
        for text in ["1.5", "1e3", "18446744073709551616", "null", "[null]"] {
            assert!(refusal(text).contains("a fraction is written as a string"), "{text}");
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_not_a_crash() {
        assert!(refusal(&"[".repeat(10_000)).contains("recursion limit"));
        assert!(refusal(&r#"{"a":"#.repeat(10_000)).contains("recursion limit"));
    }

    #[test]
    fn what_follows_the_document_is_refused() {
        assert!(refusal("{} {}").contains("trailing characters"));
    }

    #[test]
    fn booleans_and_integers_are_read_as_text() {
        assert_eq!(Json::parse("[true, -5, 7]").unwrap().into_texts().unwrap(), ["true", "-5", "7"]);
    }
}
