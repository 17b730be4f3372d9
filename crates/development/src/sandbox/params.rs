//! The parameters of an OAuth request, from the query of a GET or the form of a POST.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};

use super::oauth_error::OAuthError;

/// Names and values in the order they came. RFC 6749 3.1: a parameter without a value is as good as
/// absent, and none may come twice; a choice between two values would be the attacker's to steer.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// The one value of `name`, if it has any.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
            _ => Err(OAuthError::invalid_request("A parameter is given more than once.")),
        }
    }

    /// The one value of `name`; `missing` says what to tell the client when there is none.
    pub(super) fn required(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.optional(name)?.ok_or(OAuthError::invalid_request(missing))
    }

    /// Every value of `name`.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = FormRejection;

    async fn from_request(request: Request, state: &S) -> Result<Self, FormRejection> {
        Form::from_request(request, state).await.map(|Form(params)| Self(params))
    }
}
