//! What differs between providers, as data: a TOML block in the vocabulary of [`Definition`]. A block
//! that uses a word this engine does not know is refused when it is loaded, never half understood
//! (`load.rs`), and `validate.rs` refuses what contradicts itself.

mod call;
mod exchange;
mod id_token;
mod signed;
mod token;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::call::{Call, CallAuthentication, CallMethod, Comparison, Condition, Decode};
pub use self::exchange::{ClientAuthentication, ClientErrors, Exchange, ParametersIn};
pub use self::id_token::{IdToken, IdTokenKeys, NonceMode, seconds};
pub use self::signed::{OpenId2, SignedFields, SignedFieldsKey};
pub use self::token::{Binding, BindingCall, ClientName, NamedClient, Profile};
use super::template::Template;

/// How to talk to one provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Where a client is registered, and what has to be entered there: for the documentation.
    pub register: String,
    /// When its facts were last held against others', and against whose: `2026-08: [BA], [SP]`, the tags being those of
    /// docs/reference/providers.md, 0. Every block of the catalogue says so.
    pub checked: Option<String>,
    /// Facts in this block that nobody has confirmed.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// For whom the external ID of a person is the same.
    pub id_scope: IdScope,
    /// The kinds of proof that it can confirm.
    pub accept: Vec<ProofKind>,
    /// Parts of URLs that differ between installations of the provider, such as its host. They come from here
    /// and from the operator, never from a request.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What a login asks for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between scopes.
    #[serde(default)]
    pub scope_separator: ScopeSeparator,
    /// Whether the flow uses PKCE.
    #[serde(default)]
    pub pkce: Pkce,
    /// Where a login starts.
    pub authorize: Option<Authorize>,
    /// Where a code is redeemed.
    pub exchange: Option<Exchange>,
    /// Who an access token belongs to.
    pub profile: Option<Profile>,
    /// How its ID tokens are believed.
    pub id_token: Option<IdToken>,
    /// How fields that it signed with a secret of ours are believed.
    pub signed_fields: Option<SignedFields>,
    /// How its OpenID 2.0 assertions are believed.
    pub openid2: Option<OpenId2>,
    /// How we know that an access token was issued to our client. There is no default: a definition has to
    /// say it (docs/reference/providers.md, 1-3).
    pub binding: Binding,
}

/// A kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// An authorization code.
    Code,
    /// An access token.
    AccessToken,
    /// An ID token.
    IdToken,
    /// Fields that came back to our page, signed.
    SignedFields,
}

impl ProofKind {
    /// Whether a proof could be shown again at its provider, so that whoever takes it has to count.
    #[must_use]
    pub fn counts_once(self) -> bool {
        match self {
            Self::SignedFields => true,
            Self::Code | Self::AccessToken | Self::IdToken => false,
        }
    }
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "authorization code",
            Self::AccessToken => "access token",
            Self::IdToken => "ID token",
            Self::SignedFields => "signed fields",
        })
    }
}

/// For whom a person has the same external ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdScope {
    /// For one client only: another app's token yields another ID.
    App,
    /// For all clients of one developer.
    Developer,
    /// For one tenant, workspace, host or shop.
    Tenant,
    /// For everybody: another app's token opens the account.
    Global,
    /// Nobody has confirmed it.
    Unknown,
}

/// A part of URLs that the operator may replace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is, for the documentation.
    pub about: String,
    /// Its value; without one the operator has to give it.
    pub value: Option<String>,
}

/// What stands between scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSeparator {
    /// A space (RFC 6749 section 3.3).
    #[default]
    Space,
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
}

impl ScopeSeparator {
    /// The character.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Comma => ",",
            Self::Semicolon => ";",
        }
    }
}

/// Whether a flow uses PKCE (RFC 7636), always with S256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Always: the provider refuses a flow without, or honours it reliably.
    #[default]
    Required,
    /// Never: the provider does not know it. Nothing but the login flow's own cookie ties such a code to the
    /// browser.
    Never,
}

/// The authorization endpoint (RFC 6749 section 3.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Its URL, perhaps with a fragment.
    pub url: Template,
    /// Parameters that are always the same.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Standard parameter → what this provider calls it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Whether the answer comes as a form post instead of a query.
    #[serde(default)]
    pub form_post: bool,
    /// How the SHA-256 of a verifier is written.
    #[serde(default)]
    pub code_challenge: ChallengeForm,
}

/// How a code challenge is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeForm {
    /// In base64url, as RFC 7636 section 4.2 has it.
    #[default]
    Base64url,
    /// In hexadecimal digits.
    Hex,
}
