//! One question to a provider, and what its answer has to look like.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::login::provider::pointer::{Pointer, Value};
use crate::login::provider::template::Template;

/// One question to a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// GET unless it says POST.
    #[serde(default)]
    pub method: CallMethod,
    /// Where to ask.
    pub url: Template,
    /// What shows that we may ask.
    #[serde(default)]
    pub auth: CallAuthentication,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The fields of a form body.
    pub form: Option<BTreeMap<String, Template>>,
    /// A JSON body. A text that is nothing but `{name}` stands for that value; any other stands for itself.
    pub json: Option<serde_json::Map<String, serde_json::Value>>,
    /// How the answer is written.
    #[serde(default)]
    pub decode: Decode,
    /// What must hold for the answer to be a success, beside status 200.
    #[serde(default)]
    pub success: Vec<Condition>,
    /// What says no to the proof, with status 200: one of these is enough. An introspection says
    /// `active: false` so (RFC 7662 section 2.2).
    #[serde(default)]
    pub refused: Vec<Condition>,
    /// Whether status 404 says no to the token, rather than that the address is gone.
    #[serde(default)]
    pub refuses_by_404: bool,
    /// Values for later calls, by name.
    #[serde(default)]
    pub take: BTreeMap<String, Value>,
}

/// The methods of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum CallMethod {
    /// Without a body.
    #[default]
    #[serde(rename = "GET")]
    Get,
    /// With a form, a JSON body, or an empty one.
    #[serde(rename = "POST")]
    Post,
}

/// What shows that we may ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallAuthentication {
    /// `Authorization: Bearer` with the access token (RFC 6750 section 2.1).
    #[default]
    Bearer,
    /// `Authorization: OAuth` with the access token.
    Oauth,
    /// A header of this name with the bare access token.
    Header(String),
    /// Our client's ID and secret, by HTTP Basic.
    ClientBasic,
    /// Nothing but what stands in URL, headers or body.
    None,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    /// JSON, perhaps signed: of a JWT, the claims.
    #[default]
    Json,
    /// JSON, perhaps within a call of JavaScript: `callback( {…} );`.
    Jsonp,
    /// `name=value&…`.
    Form,
}

/// One thing that must hold for an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look.
    pub at: Pointer,
    /// What must be there.
    pub is: Comparison,
}

/// What must stand at a pointer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Nothing, null, or an empty array.
    AbsentOrEmpty,
    /// Anything but null.
    Present,
    /// This value.
    Equal(serde_json::Value),
    /// Nothing, or this value.
    AbsentOr(serde_json::Value),
    /// A number greater than this.
    Greater(i64),
}
