//! Whose an access token is, and to which client it was issued.

use serde::Deserialize;

use super::call::Call;
use crate::login::provider::picture::Picture;
use crate::login::provider::pointer::{Pointer, Subject, Value};

/// The call that says whose an access token is, and where its answer says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Profile {
    /// The call.
    pub call: Call,
    /// The external ID.
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

/// How we know that an access token was issued to our client (docs/reference/providers.md, 2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Table")]
pub enum Binding {
    /// We cannot know. Bare access tokens are refused.
    None,
    /// By its ID token alone, whose audience is our client. Bare access tokens are refused.
    IdToken,
    /// By the provider's signature, made with a secret of ours. There are no access tokens.
    Signature,
    /// By the profile, which names the client.
    Profile(NamedClient),
    /// By a call that the token itself opens, and that names the client.
    Endpoint(BindingCall),
    /// By a call that needs our client's credentials, and that says no to other clients' tokens.
    ClientAuthEndpoint(BindingCall),
}

/// A call that says to whom a token was issued.
#[derive(Debug, Clone)]
pub struct BindingCall {
    /// The call.
    pub call: Call,
    /// Where it names the client. Without it the call itself is the answer.
    pub client: Option<NamedClient>,
    /// Where it names the person, who has to be the profile's.
    pub user: Option<Value>,
}

/// Where an answer names the client, and what has to stand there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedClient {
    /// Where.
    pub at: Pointer,
    /// Which of the operator's names for the client.
    #[serde(default)]
    pub is: ClientName,
}

/// A name of our client at a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientName {
    /// The client ID, or another one of the same app that the operator named.
    #[default]
    ClientId,
    /// The number of the app, which some providers know beside the client ID.
    AppId,
    /// The app that a pool names, which is a text even where it is made of digits. No file says it.
    #[serde(skip)]
    PoolApp,
}
