//! What becomes of a proof that its provider confirmed.

use serde_json::Value;

use super::answer;
use super::client::Provider;
use super::error::ProofError;
use super::picture::Picture;
use super::pointer::Pointer;
use super::signed::UseOnce;
use crate::ground::secret::Secret;
use crate::records::sign_in_session::Upstream;

/// A login that its provider confirmed. Only [`Engine::verify`](super::Engine::verify) makes one, and only [`LoginSealer::open`](super::LoginSealer::open) gives one
/// back that it sealed.
#[derive(Debug, Clone)]
pub struct VerifiedLogin {
    pub(super) provider: String,
    pub(super) developer_user_identifier: String,
    pub(super) user: DisplayUser,
    pub(super) upstream: Upstream,
    pub(super) refresh_token: Option<Secret>,
    pub(super) use_once: Option<UseOnce>,
}

/// What a provider confirmed, before a pool has a name for the person.
#[derive(Debug, Clone)]
pub(in crate::login) struct Confirmed {
    /// Who it is at the provider.
    pub(in crate::login) external_id: String,
    /// The client of ours that the proof was issued to, where something in it says so.
    pub(in crate::login) client: Option<String>,
    /// How the person wants to be seen.
    pub(super) user: DisplayUser,
    /// What the provider said of the person: the claims of an ID token, or the profile.
    pub(in crate::login) answer: Value,
    /// The `iss` of the ID token, if there was one.
    pub(super) issuer: Option<String>,
    /// Its `sid`: the session at the provider.
    pub(super) session: Option<String>,
    /// The provider's refresh token, if a code brought one.
    pub(super) refresh_token: Option<Secret>,
    /// What must not be shown a second time.
    pub(super) use_once: Option<UseOnce>,
}

impl VerifiedLogin {
    pub(super) fn new(provider: &Provider, confirmed: Confirmed) -> Result<Self, ProofError> {
        let Confirmed { external_id, user, use_once, issuer, session, refresh_token, .. } = confirmed;
        let developer_user_identifier = provider.identifier.write(&provider.id, &external_id)?;
        let upstream = Upstream { issuer, subject: external_id, session };
        Ok(Self {
            provider: provider.id.clone(),
            developer_user_identifier,
            user,
            upstream,
            refresh_token,
            use_once,
        })
    }

    /// The provider's ID in the configuration.
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The developer user identifier of this person, written as the provider's [`Identifier`](super::Identifier) says.
    #[must_use]
    pub fn developer_user_identifier(&self) -> &str {
        &self.developer_user_identifier
    }

    /// The external ID, as the provider knows the person. A bare identifier is nothing else, and holds no colon.
    #[must_use]
    pub fn subject(&self) -> &str {
        let rest = self.developer_user_identifier.strip_prefix(&*self.provider);
        rest.and_then(|rest| rest.strip_prefix(':')).unwrap_or(&self.developer_user_identifier)
    }

    /// Who it is at the provider, as messages about a logout there name them.
    #[must_use]
    pub fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    /// What the provider can be asked with later whether the person still lets us act for them.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&Secret> {
        self.refresh_token.as_ref()
    }

    /// The same login, with the refresh token that took the place of the last one.
    #[must_use]
    pub fn with_refresh_token(self, refresh_token: Secret) -> Self {
        Self { refresh_token: Some(refresh_token), ..self }
    }

    /// What must not be shown a second time, where the proof itself could be.
    #[must_use]
    pub fn use_once(&self) -> Option<&UseOnce> {
        self.use_once.as_ref()
    }

    /// What to call the person on a screen.
    #[must_use]
    pub fn user(&self) -> &DisplayUser {
        &self.user
    }
}

/// What a provider says of a login that it confirmed before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recheck {
    /// It stands. The next question may have to be asked with another refresh token.
    Stands(Option<Secret>),
    /// The person, or the provider, took it back.
    Ended,
}

/// How a person wants to be seen. For screens only: it identifies nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DisplayUser {
    /// A name, not unique.
    pub name: Option<String>,
    /// The URL of a picture.
    pub avatar: Option<String>,
}

impl DisplayUser {
    pub(super) fn read(name: &[Pointer], avatar: Option<&Picture>, answer: &Value) -> Self {
        Self {
            name: answer::display_text(name, answer),
            avatar: avatar.and_then(|avatar| avatar.url(answer)),
        }
    }
}
