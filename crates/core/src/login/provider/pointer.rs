//! Where values stand in an answer, and what they look like.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The external ID: one value, or several that make one only together.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "OneOrMore<Value>")]
pub struct Subject(pub Vec<Value>);

impl From<OneOrMore<Value>> for Subject {
    fn from(values: OneOrMore<Value>) -> Self {
        Self(values.into())
    }
}

impl Subject {
    /// The same in an ID token, where `sub` may be a number, whoever takes the token
    /// (docs/decisions/0007-id-tokens-verified-with-aws-lc.md).
    #[must_use]
    pub(in crate::login) fn of_id_token(self) -> Self {
        let r#type = |value: &Value| {
            let plain_sub = value.at == Pointer::of_subject_claim() && value.strip_prefix.is_none();
            if plain_sub && value.r#type == ValueType::String {
                ValueType::TextOrInteger
            } else {
                value.r#type
            }
        };
        Self(self.0.into_iter().map(|value| Value { r#type: r#type(&value), ..value }).collect())
    }
}

/// A value of an answer, and what it looks like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// Where it stands.
    pub at: Pointer,
    /// Its JSON type.
    #[serde(default)]
    pub r#type: ValueType,
    /// What it begins with, which is not part of it.
    pub strip_prefix: Option<String>,
}

/// The JSON type of a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// A string, kept byte for byte.
    #[default]
    String,
    /// A whole number without sign, kept as its decimal digits.
    Integer,
    /// A string of decimal digits.
    Digits,
    /// A string, or a whole number without sign, kept as its decimal digits: `sub` of an ID token, of which nothing else
    /// is said. No file says it.
    #[serde(skip)]
    TextOrInteger,
}

/// A JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl Pointer {
    /// Where an answer of a token endpoint has its access token (RFC 6749 section 5.1).
    pub(in crate::login::provider) fn of_access_token() -> Self {
        Self("/access_token".into())
    }

    /// Where it has the ID token (OpenID Connect Core 1.0 section 3.1.3.3).
    pub(in crate::login::provider) fn of_id_token() -> Self {
        Self("/id_token".into())
    }

    /// Where an ID token has its person (OpenID Connect Core 1.0 section 2).
    pub(in crate::login) fn of_subject_claim() -> Self {
        Self("/sub".into())
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            Ok(Self(text))
        } else {
            Err(format!("{text:?} is no JSON pointer: it must start with `/`"))
        }
    }
}

/// `x`, or `[x, y]`.
#[derive(Debug, Clone)]
pub enum OneOrMore<T> {
    /// One.
    One(T),
    /// Several, in brackets.
    More(Vec<T>),
}

/// What is wrong with one is told as that, and not that it is neither one nor several.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMoreVisitor(PhantomData))
    }
}

struct OneOrMoreVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMoreVisitor<T> {
    type Value = OneOrMore<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one, or several in brackets")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(text.into_deserializer()).map(OneOrMore::One)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OneOrMore::One)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(OneOrMore::More)
    }
}

impl<T> From<OneOrMore<T>> for Vec<T> {
    fn from(values: OneOrMore<T>) -> Self {
        match values {
            OneOrMore::One(value) => vec![value],
            OneOrMore::More(values) => values,
        }
    }
}
