//! The token endpoint, where a code is redeemed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::call::{Condition, Decode};
use crate::login::provider::pointer::{Pointer, Value};
use crate::login::provider::template::Template;

/// The token endpoint (RFC 6749 section 3.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its URL.
    pub url: Template,
    /// How our client shows who it is.
    pub client_auth: ClientAuthentication,
    /// Where the parameters stand.
    #[serde(default)]
    pub parameters_in: ParametersIn,
    /// Parameters that are always the same.
    #[serde(default)]
    pub parameters: BTreeMap<String, Template>,
    /// Standard parameter → what this provider calls it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Parameters of the callback that go along, by their own names.
    #[serde(default)]
    pub callback: Vec<String>,
    /// How the answer is written.
    #[serde(default)]
    pub decode: Decode,
    /// What must hold for the answer to be a success.
    #[serde(default)]
    pub success: Vec<Condition>,
    /// How the answer says that it is our client that is wrong, where it does not say so in the words of the
    /// standard (RFC 6749 section 5.2).
    pub client_errors: Option<ClientErrors>,
    /// Where the access token stands.
    #[serde(default = "Pointer::of_access_token")]
    pub access_token: Pointer,
    /// Values for later calls, by name.
    #[serde(default)]
    pub take: BTreeMap<String, Value>,
    /// Whether the person is read from the ID token that comes along, rather than from the profile.
    #[serde(default)]
    pub reads_id_token: bool,
    /// Where that ID token stands.
    #[serde(default = "Pointer::of_id_token")]
    pub id_token: Pointer,
}

/// A provider's own words for a client that it does not accept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientErrors {
    /// Where an answer has its error.
    pub at: Pointer,
    /// The words.
    pub are: Vec<String>,
}

/// How a client shows who it is (RFC 6749 section 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic.
    Basic,
    /// HTTP Basic, and the client ID among the parameters.
    BasicAndId,
    /// ID and secret among the parameters.
    Parameters,
    /// The ID among the parameters, the secret in a header of this name.
    Header(String),
    /// ID and a secret that is a JWT, made anew and signed with the ES256 key that the operator was given
    /// (Sign in with Apple, "Creating a client secret").
    AppleJwt,
    /// The ID among the parameters and no secret: the client is public, and PKCE ties a code to whoever started the login
    /// (RFC 7636).
    None,
}

/// Where the parameters of a token request stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParametersIn {
    /// In a form.
    #[default]
    Form,
    /// In a JSON object.
    Json,
    /// In the query of a GET.
    Query,
}
