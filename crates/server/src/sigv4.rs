//! The gate before the AWS API: who signed this request? The signature is verified by making it again with
//! AWS's own signer (`aws-sigv4`) over exactly the headers that the client says it signed.
//!
//! Source: IAM User Guide, "AWS Signature Version 4 for API requests".

mod claim;
mod error;
#[cfg(test)]
mod suite;
mod verify;

use std::sync::Arc;

use axum::http::request::Parts;
use bytes::Bytes;
use daypass_core::credentials::access::{Access, AccessError};
use daypass_core::credentials::access_key;
use daypass_core::credentials::session_token::{OpenedSession, SessionError};
use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, Region};
use daypass_core::ground::seal::Sealer;
use daypass_core::ground::secret::Secret;
use daypass_core::store::{Keys, StoreError, StoredAccessKey};

use self::claim::Claim;
pub use self::claim::is_signing_parameter;
pub use self::error::SignatureError;

/// Who signed a request.
#[derive(Debug)]
pub enum Caller {
    /// The holder of a developer access key. Its policy decides.
    Developer(StoredAccessKey),
    /// The holder of temporary credentials. The role's policy decides.
    Session(OpenedSession),
}

impl Caller {
    /// The ID of the credentials that the request was signed with.
    #[must_use]
    pub fn access_key_id(&self) -> &AccessKeyId {
        match self {
            Self::Developer(key) => &key.id,
            Self::Session(opened) => &opened.access_key_id,
        }
    }

    /// The identity behind temporary credentials.
    #[must_use]
    pub fn identity_id(&self) -> Option<&IdentityId> {
        match self {
            Self::Developer(_) => None,
            Self::Session(opened) => Some(&opened.session.identity_id),
        }
    }
}

/// Finds out who signed requests.
pub struct Callers {
    /// Keeps developer access keys.
    pub store: Arc<dyn Keys>,
    /// Opens their secrets.
    pub key_sealer: Sealer,
    /// Opens session tokens.
    pub access: Arc<Access>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The Region that requests have to be signed for.
    pub region: Region,
}

impl Callers {
    /// The caller of a request to `service`, its signature verified over all that it means.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub async fn authenticate(
        &self,
        parts: &Parts,
        body: &Bytes,
        service: &str,
    ) -> Result<Caller, SignatureError> {
        let claim = Claim::read(parts)?;
        claim.check_scope(&self.region, service)?;
        claim.check_time(self.clock.now())?;
        let id = AccessKeyId::parse(claim.access_key_id.as_str()).map_err(|_| SignatureError::UnknownKey)?;
        let token = claim.session_token.as_ref().map(Secret::expose);
        let (caller, secret) = self.find(&id, token).await?;
        verify::verify(&claim, parts, body, &secret)?;
        Ok(caller)
    }

    /// The caller of a request to `service` that means nothing by its body, its signature verified over all else, at an
    /// instant.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub async fn authenticate_reading(
        &self,
        parts: &Parts,
        service: &str,
        now: Timestamp,
    ) -> Result<Caller, SignatureError> {
        let claim = Claim::read(parts)?;
        claim.check_scope(&self.region, service)?;
        claim.check_time(now)?;
        let id = AccessKeyId::parse(claim.access_key_id.as_str()).map_err(|_| SignatureError::UnknownKey)?;
        let token = claim.session_token.as_ref().map(Secret::expose);
        let (caller, secret) = self.find(&id, token).await?;
        verify::verify_without_body(&claim, parts, &secret)?;
        Ok(caller)
    }

    /// Whom a request to `service` claims to be from: the ID of their access key, and their session token. What is
    /// signed is all that the request means, for this Region; whether it was signed, somebody else verifies.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub fn claimed(
        &self,
        parts: &Parts,
        service: &str,
    ) -> Result<(AccessKeyId, Option<Secret>), SignatureError> {
        let claim = Claim::read(parts)?;
        claim.check_scope(&self.region, service)?;
        let id = AccessKeyId::parse(claim.access_key_id.as_str()).map_err(|_| SignatureError::UnknownKey)?;
        Ok((id, claim.session_token))
    }

    /// The holder of an access key, and the secret that their signature is made with. The caller still has to
    /// verify one.
    ///
    /// # Errors
    /// [`SignatureError`].
    pub async fn find(
        &self,
        id: &AccessKeyId,
        token: Option<&str>,
    ) -> Result<(Caller, Secret), SignatureError> {
        if let Some(token) = token {
            let opened = self.access.open(id, token).await.map_err(session_error)?;
            let secret = opened.secret_access_key.clone();
            return Ok((Caller::Session(opened), secret));
        }
        let key = self.store.lookup_access_key(id).await?.filter(|key| key.enabled);
        let key = key.ok_or(SignatureError::UnknownKey)?;
        let secret = access_key::open(&self.key_sealer, &key);
        // Whoever has the key is not told that it is none because a master key is missing.
        let secret = secret.map_err(|wrong| StoreError::Unavailable(wrong.into()))?;
        Ok((Caller::Developer(key), secret))
    }
}

fn session_error(error: AccessError) -> SignatureError {
    match error {
        AccessError::Session(SessionError::Invalid) | AccessError::Denied(_) => SignatureError::UnknownKey,
        AccessError::Session(SessionError::Expired) | AccessError::Lapsed(_) => {
            SignatureError::ExpiredSession
        }
        AccessError::Store(error) => SignatureError::Store(error),
    }
}
