//! What differs between providers, as data: a TOML block in the vocabulary of [`Definition`]. A block
//! that uses a word this engine does not know is refused when it is loaded, never half understood.

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

/// The providers that Daypass brings along, by name.
const CATALOGUE: &[(&str, &str)] = &[("snapchat", include_str!("catalogue/snapchat.toml"))];

/// How to talk to one provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// The kinds of proof that it can confirm.
    pub accept: Vec<ProofKind>,
    /// What a login asks for.
    pub scopes: Vec<String>,
    /// Whether the flow uses PKCE.
    pub pkce: Pkce,
    /// Where a login starts.
    pub authorize: Authorize,
    /// Where a code is redeemed.
    pub exchange: Exchange,
    /// Who a token belongs to.
    pub profile: Profile,
    /// How we know that a token was issued to our client.
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
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "authorization code",
            Self::AccessToken => "access token",
        })
    }
}

/// Whether a flow uses PKCE (RFC 7636).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Always, with S256.
    Required,
}

/// The authorization endpoint (RFC 6749 section 3.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Its URL.
    pub url: String,
}

/// The token endpoint (RFC 6749 section 3.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its URL.
    pub url: String,
    /// How our client shows who it is.
    pub client_auth: ClientAuthentication,
}

/// How a client shows who it is (RFC 6749 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic.
    Basic,
}

/// The call that says who an access token belongs to. The token goes along as `Authorization: Bearer`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// GET or POST.
    pub method: ProfileMethod,
    /// Where to ask.
    pub url: String,
    /// The JSON body.
    pub json: serde_json::Map<String, serde_json::Value>,
    /// What must hold for the answer to be a success, beside status 200.
    pub success: Vec<Condition>,
    /// The external ID.
    pub subject: Subject,
    /// A name for screens.
    pub name: Option<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Pointer>,
}

/// The methods of a profile call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum ProfileMethod {
    /// POST with the JSON body.
    #[serde(rename = "POST")]
    Post,
}

impl From<ProfileMethod> for Method {
    fn from(method: ProfileMethod) -> Self {
        match method {
            ProfileMethod::Post => Method::POST,
        }
    }
}

/// One thing that must hold for an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look.
    pub at: Pointer,
    /// What must be there.
    pub is: Expectation,
}

/// What must stand at a pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Nothing, null, or an empty array.
    AbsentOrEmpty,
}

/// Where the external ID stands, and what it looks like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Where.
    pub at: Pointer,
    /// Its JSON type.
    pub r#type: SubjectType,
}

/// The JSON type of an external ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// A string, kept byte for byte.
    String,
}

/// How we know that a token was issued to our client (providers.md 2C). There is no default: a
/// definition has to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Binding {
    /// We cannot know. Bare access tokens are refused.
    None,
}

/// A JSON pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Pointer(String);

impl Pointer {
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

/// Why a provider block cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The catalogue has no such block.
    #[error("the catalogue has no provider {0:?}; it has: {known}", known = catalogue_names())]
    Unknown(String),
    /// The block, with the operator's changes, is not valid.
    #[error("{0}")]
    Invalid(String),
}

impl Definition {
    /// A block of the catalogue with the operator's `overrides` laid over it, key by key.
    ///
    /// # Errors
    /// [`DefinitionError`], in words for the operator.
    pub fn from_catalogue(name: &str, overrides: toml::Table) -> Result<Self, DefinitionError> {
        let (_, block) = CATALOGUE
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| DefinitionError::Unknown(name.to_owned()))?;
        let mut block: toml::Table = block.parse().map_err(invalid)?;
        lay_over(&mut block, overrides);
        block.try_into().map_err(invalid)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn invalid(error: toml::de::Error) -> DefinitionError {
    DefinitionError::Invalid(error.message().to_owned())
}

fn lay_over(base: &mut toml::Table, overrides: toml::Table) {
    for (key, value) in overrides {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => lay_over(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

fn catalogue_names() -> String {
    CATALOGUE.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_of_the_catalogue_loads() {
        for (name, _) in CATALOGUE {
            Definition::from_catalogue(name, toml::Table::new()).unwrap();
        }
    }

    #[test]
    fn an_override_changes_its_own_key_and_no_other() {
        let overrides = "[exchange]\nurl = \"http://127.0.0.1/token\"".parse().unwrap();
        let definition = Definition::from_catalogue("snapchat", overrides).unwrap();
        assert_eq!(definition.exchange.url, "http://127.0.0.1/token");
        assert_eq!(definition.exchange.client_auth, ClientAuthentication::Basic);
        assert_eq!(definition.authorize.url, "https://accounts.snapchat.com/accounts/oauth2/auth");
    }

    #[test]
    fn words_the_engine_does_not_know_are_refused() {
        for overrides in [
            "colour = \"yellow\"",
            "[profile]\nredirect = true",
            "[binding]\nkind = \"hope\"",
            "[profile.subject]\nat = \"data\"\ntype = \"string\"",
            "accept = [\"me_object\"]",
        ] {
            let refused = Definition::from_catalogue("snapchat", overrides.parse().unwrap());
            assert!(matches!(refused, Err(DefinitionError::Invalid(_))), "{overrides}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = Definition::from_catalogue("snapcat", toml::Table::new()).unwrap_err();
        assert_eq!(error.to_string(), "the catalogue has no provider \"snapcat\"; it has: snapchat");
    }
}
