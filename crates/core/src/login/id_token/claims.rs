//! What a token says, each claim read as what it has to be.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::error::IdTokenError;
use crate::login::jwks::Rules;

/// The claims of a token, each name once: readers differ in which of two they believe.
pub(super) struct Claims(pub(super) Map<String, Value>);

impl Claims {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(super) fn require(&self, name: &'static str) -> Result<&Value, IdTokenError> {
        self.get(name).ok_or(IdTokenError::MissingClaim(name))
    }

    pub(super) fn text(&self, name: &'static str) -> Result<&String, IdTokenError> {
        match self.require(name)? {
            Value::String(text) => Ok(text),
            _ => Err(IdTokenError::ClaimType(name)),
        }
    }

    /// Seconds since the epoch, also written as text. A NumericDate may have a fraction (RFC 7519 section 2), of which AWS
    /// takes none.
    pub(super) fn time(&self, name: &'static str, rules: Rules) -> Result<i64, IdTokenError> {
        let seconds = match self.require(name)? {
            Value::Number(number) => number.as_i64().or_else(|| whole_seconds(number.as_f64()?, rules)),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        seconds.ok_or(IdTokenError::ClaimType(name))
    }

    pub(super) fn audience(&self) -> Result<Vec<&str>, IdTokenError> {
        let members = match self.require("aud")? {
            Value::String(one) => vec![Some(one.as_str())],
            Value::Array(members) => members.iter().map(Value::as_str).collect(),
            _ => return Err(IdTokenError::ClaimType("aud")),
        };
        match members.into_iter().collect::<Option<Vec<_>>>() {
            Some(members) if members.is_empty() => Err(IdTokenError::MissingClaim("aud")),
            Some(members) => Ok(members),
            None => Err(IdTokenError::ClaimType("aud")),
        }
    }

    /// A text of the definition with the token's own claims in it: `https://…/{claim:tid}/v2.0`. A claim that
    /// could be more than one step of a path fills in nothing.
    pub(super) fn fill_in<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let Some((before, rest)) = text.split_once("{claim:") else { return Some(text.into()) };
        let (name, after) = rest.split_once('}')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let value = self.get(name)?.as_str().filter(|value| !value.is_empty() && value.chars().all(plain))?;
        Some(format!("{before}{value}{after}").into())
    }

    pub(super) fn authorized_party(&self) -> Result<Option<&str>, IdTokenError> {
        self.get("azp").map(|_| self.text("azp").map(String::as_str)).transpose()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;

        impl<'de> Visitor<'de> for EachOnce {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands there twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(EachOnce)
    }
}

/// A time with a fraction, rounded down. Beyond these bounds a number of this kind is no instant that anybody means.
fn whole_seconds(seconds: f64, rules: Rules) -> Option<i64> {
    let plausible = rules == Rules::Specifications && (0.0..=1e12).contains(&seconds);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "within these bounds nothing is lost but the fraction"
    )]
    plausible.then_some(seconds.floor() as i64)
}
