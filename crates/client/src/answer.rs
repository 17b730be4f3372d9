//! What the broker answers, as far as it is read.

use serde::Deserialize;

use crate::secret::Secret;
use crate::session::{Kept, Session};

/// An answer of the token endpoint.
#[derive(Deserialize)]
pub(crate) struct Answer {
    refresh_token: Secret,
    refresh_expires_in: u64,
    identity_id: String,
    identity_pool_id: String,
    region: String,
    provider: String,
    #[serde(default)]
    user: Option<User>,
    session_id: String,
    credentials: Given,
}

#[derive(Deserialize)]
pub(crate) struct User {
    #[serde(default)]
    name: Option<String>,
}

/// Its credentials. When they expire by the broker's clock does not matter: this machine's may be another.
#[derive(Deserialize)]
pub(crate) struct Given {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Secret,
    expires_in: u64,
}

#[derive(Deserialize, Default)]
pub(crate) struct Refusal {
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub error_description: String,
    #[serde(default)]
    pub reason: Option<String>,
    /// Of problem details, at the routes that are no OAuth, as is what stands below.
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub code: String,
}

/// What a broker says of itself.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub issuer: String,
}

/// A session in the list of one's own.
#[derive(Debug, Clone, Deserialize)]
pub struct Listed {
    /// Its ID.
    pub id: String,
    /// Whether it is the one that asked.
    #[serde(default)]
    pub current: bool,
    /// The app that it is for.
    pub app: String,
    /// The provider that it began at.
    #[serde(default)]
    pub provider: Option<String>,
    /// What the device is called.
    #[serde(default)]
    pub device: Option<String>,
    /// When it was used last, as the broker writes times.
    pub last_used_at: String,
    /// When it ends.
    pub expires_at: String,
}

#[derive(Deserialize)]
pub(crate) struct Listing {
    pub sessions: Vec<Listed>,
}

impl Answer {
    /// The session, whose times are of the clock that said `now`.
    pub fn session(self, now: u64) -> Session {
        Session {
            refresh_token: self.refresh_token,
            refresh_until: now.saturating_add(self.refresh_expires_in),
            id: self.session_id,
            identity_id: self.identity_id,
            identity_pool_id: self.identity_pool_id,
            region: self.region,
            provider: self.provider,
            name: self.user.and_then(|user| user.name),
            credentials: Kept {
                access_key_id: self.credentials.access_key_id,
                secret_access_key: self.credentials.secret_access_key,
                session_token: self.credentials.session_token,
                asked_at: now,
                expires_at: now.saturating_add(self.credentials.expires_in),
            },
            failure: None,
            sealed_by: None,
        }
    }
}
