//! Logins that a provider signs itself: fields under a secret of ours, and assertions of OpenID 2.0.

use serde::Deserialize;

use crate::login::provider::picture::Picture;
use crate::login::provider::pointer::{Pointer, Subject};
use crate::login::provider::template::Template;

/// Fields signed with a key that follows from our client's secret (Telegram's login widget, Shopify's
/// callback). The signature is the hex HMAC-SHA-256 of `name=value` of all other fields, sorted and joined.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFields {
    /// The field that holds the signature.
    pub signature: String,
    /// What stands between fields.
    pub joiner: String,
    /// How the key follows from the secret.
    pub key: SignedFieldsKey,
    /// The field that says when it was signed, in seconds since 1970.
    pub signed_at: String,
    /// The oldest that it may be, in seconds.
    pub max_age_seconds: i64,
    /// Where among the fields the external ID is: a pointer of one step.
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    #[serde(default)]
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

/// How the key of signed fields follows from the client's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedFieldsKey {
    /// It is the secret.
    Secret,
    /// It is the SHA-256 of the secret.
    Sha256OfSecret,
}

/// OpenID Authentication 2.0, as far as Steam speaks it: the assertion is echoed to the provider, which says
/// whether it made it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenId2 {
    /// The provider's endpoint, where logins start and assertions are checked.
    pub endpoint: Template,
    /// What every identifier begins with; the rest is the external ID, digits only.
    pub identifier_prefix: String,
}
