//! The members of a request in the Query protocol (docs/reference/cognito-identity.md, 1.4).

use std::collections::BTreeMap;

use axum::http::header;
use axum::http::request::Parts;

use serde_json::{Map, Value};

use super::validation::{Member, Shape};
use crate::error::ApiError;
use crate::sigv4::is_signing_parameter;

/// The members, by name. Each stands there once: of two, the one that a signer or a log saw need not be the
/// one that counts.
pub struct Form(BTreeMap<String, String>);

impl Form {
    /// Reads the query or the body, whichever has members.
    pub fn read(parts: &Parts, body: &[u8]) -> Result<Self, ApiError> {
        let query = form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        let in_query = query.into_owned().filter(|(name, _)| !is_signing_parameter(name)).collect();
        let in_body = form_urlencoded::parse(if is_form(parts) { body } else { b"" });
        Self::collect(in_query, in_body.into_owned().collect())
    }

    fn collect(in_query: Vec<(String, String)>, in_body: Vec<(String, String)>) -> Result<Self, ApiError> {
        if !in_query.is_empty() && !in_body.is_empty() {
            return Err(ApiError::parameters_in_two_places());
        }
        let mut members = BTreeMap::new();
        for (name, value) in in_query.into_iter().chain(in_body) {
            if members.insert(name, value).is_some() {
                return Err(ApiError::parameter_twice());
            }
        }
        Ok(Self(members))
    }

    /// A member, which is then no longer there.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// What is left, as an operation of these members reads it. A number that is none stays a text.
    pub fn into_members(self, known: &[Member]) -> Map<String, Value> {
        let is_number = |name: &str| {
            known.iter().any(|member| member.name == name && matches!(member.shape, Shape::Integer { .. }))
        };
        let value = |(name, text): (String, String)| match text.parse::<i64>() {
            Ok(number) if is_number(&name) => (name, number.into()),
            _ => (name, text.into()),
        };
        self.0.into_iter().map(value).collect()
    }
}

fn is_form(parts: &Parts) -> bool {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type
        .is_some_and(|text| text.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded"))
}
