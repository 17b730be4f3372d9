//! How a provider's ID tokens are believed.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::ground::clock::SignedDuration;
use crate::login::id_token::AudienceRule;
use crate::login::jwks::{KeySource, Rules};
use crate::login::provider::picture::Picture;
use crate::login::provider::pointer::{Pointer, Subject};
use crate::login::provider::template::Template;

/// How ID tokens are believed (OpenID Connect Core 1.0 section 3.1.3.7).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// Each a spelling of its issuer. `{claim:tid}` stands for that claim of the token.
    pub issuers: Vec<String>,
    /// Whose keys sign them.
    pub keys: IdTokenKeys,
    /// The oldest that one may be, from its `iat`.
    #[serde(default, with = "seconds")]
    pub max_age: Option<i64>,
    /// How the nonce of the login stands in it.
    #[serde(default)]
    pub nonce: NonceMode,
    /// Claims that must have one of these values.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<serde_json::Value>>,
    /// How a token says which client it is for. No file says it: it is the rule of those who accept logins.
    #[serde(skip)]
    pub audience: AudienceRule,
    /// Whose rules decide about keys, algorithms and numbers. No file says it either.
    #[serde(skip)]
    pub rules: Rules,
    /// How long after its `exp` a token is still good. Nor this.
    #[serde(skip)]
    pub expiry_grace: SignedDuration,
    /// The external ID.
    #[serde(deserialize_with = "of_id_token")]
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    #[serde(default)]
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

fn of_id_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Subject, D::Error> {
    Subject::deserialize(deserializer).map(Subject::of_id_token)
}

/// Where the keys of ID tokens are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenKeys {
    /// Where this issuer's metadata say.
    Discovery(Template),
    /// At this URL.
    Jwks(Template),
    /// There are none: our client's secret is the key of an HMAC (HS256).
    ClientSecret,
    /// At this URL, and some tokens are signed with our client's secret instead (HS256), as LINE does on the web.
    JwksOrClientSecret(Template),
}

impl IdTokenKeys {
    /// The address that is written in it, after the key of the definition that it stands at.
    #[must_use]
    pub fn address(&self) -> Option<(&'static str, &Template)> {
        match self {
            Self::Discovery(issuer) => Some(("id_token.keys.discovery", issuer)),
            Self::Jwks(url) => Some(("id_token.keys.jwks", url)),
            Self::JwksOrClientSecret(url) => Some(("id_token.keys.jwks_or_client_secret", url)),
            Self::ClientSecret => None,
        }
    }

    /// Whether our client's secret signs tokens.
    #[must_use]
    pub fn are_shared(&self) -> bool {
        match self {
            Self::ClientSecret | Self::JwksOrClientSecret(_) => true,
            Self::Discovery(_) | Self::Jwks(_) => false,
        }
    }
}

impl From<KeySource> for IdTokenKeys {
    fn from(source: KeySource) -> Self {
        match source {
            KeySource::Discovery { issuer } => Self::Discovery(Template::literal(&issuer)),
            KeySource::JwkSet(url) => Self::Jwks(Template::literal(&url)),
        }
    }
}

/// How the nonce of a login stands in its ID token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonceMode {
    /// As it was sent.
    #[default]
    Exact,
    /// As the hex SHA-256 of what the app holds, or as that itself.
    Sha256,
    /// Not at all, or as something that the app cannot name: it is not looked at.
    None,
}

/// Durations in TOML.
pub mod seconds {
    use serde::{Deserialize, Deserializer};

    /// Reads `90s`, `15m`, `1h` or `7d`, in seconds.
    ///
    /// # Errors
    /// For any other spelling.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let cure = "write `90s`, `15m`, `1h` or `7d`";
        let no_duration = || serde::de::Error::custom(format!("{text:?} is no duration: {cure}"));
        parse(&text).map(Some).ok_or_else(no_duration)
    }

    /// The same of a text. None for any other spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<i64> {
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1))?;
        let scale = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return None,
        };
        let number = number.parse::<i64>().ok().filter(|number| *number > 0)?;
        Some(number.saturating_mul(scale))
    }
}
