//! Has proofs confirmed, each only as often as it takes.

use std::sync::Arc;

use futures::FutureExt;

use super::client::Provider;
use super::confirm::Confirmer;
use super::definition::ProofKind;
use super::error::ProofError;
use super::proof::UnverifiedProof;
use super::proof_hash::{Asker, ProofHash};
use super::verdicts::Verdicts;
use super::verified::{Confirmed, Recheck, VerifiedLogin};
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::outbound::ProviderHttp;
use crate::ground::secret::Secret;
use crate::ground::single_flight::SingleFlight;
use crate::login::id_token::Verifier;
use crate::login::jwks::JwksCache;

/// How long a provider's clear no is repeated without asking again.
pub(super) const REFUSAL_LASTS: SignedDuration = SignedDuration::from_secs(5);

/// Has providers confirm proofs, each only as often as it takes: for the broker and for the pools of an installation, which
/// share the keys of issuers and what is under way or was refused.
pub struct Engine {
    confirmer: Arc<Confirmer>,
    flights: SingleFlight<ProofHash, Result<Confirmed, ProofError>>,
    refusals: Verdicts<ProofError>,
    logins: Verdicts<VerifiedLogin>,
}

impl Engine {
    /// An engine that reaches providers through `http`.
    #[must_use]
    pub fn new(http: Arc<dyn ProviderHttp>, clock: Arc<dyn Clock>) -> Self {
        let keys = JwksCache::new(http.clone(), clock.clone());
        let confirmer = Confirmer { id_tokens: Verifier::new(keys, clock.clone()), http, clock };
        Self {
            confirmer: Arc::new(confirmer),
            flights: SingleFlight::default(),
            refusals: Verdicts::default(),
            logins: Verdicts::default(),
        }
    }

    /// Has the provider confirm a proof for the broker. Who shows the same proof at the same moment gets the same answer.
    ///
    /// # Errors
    /// [`ProofError`]; each variant is a different answer to the client.
    pub async fn verify(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
    ) -> Result<VerifiedLogin, ProofError> {
        let kind = proof.kind();
        provider.admits(kind)?;
        let key = ProofHash::of(Asker::Broker, provider, &proof);
        if let Some(login) = self.logins.recall(key, self.confirmer.clock.now()) {
            return Ok(login);
        }
        let login = VerifiedLogin::new(provider, self.confirm_once(provider, proof, key).await?)?;
        self.remember(provider, kind, key, &login);
        Ok(login)
    }

    /// Asks a provider whether a login that it confirmed still stands, with the refresh token that it gave. An error says
    /// nothing about that.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn recheck(
        &self,
        provider: &Arc<Provider>,
        refresh_token: &Secret,
    ) -> Result<Recheck, ProofError> {
        self.confirmer.recheck(provider, refresh_token).await
    }

    /// Has the provider confirm a proof for a pool, which knows it by an app's ID and has no secret of it.
    pub(in crate::login) async fn confirm_for_pool(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
    ) -> Result<Confirmed, ProofError> {
        provider.admits(proof.kind())?;
        let key = ProofHash::of(Asker::Pool, provider, &proof);
        self.confirm_once(provider, proof, key).await
    }

    /// Asks, unless the same question is under way or was answered by a clear no a moment ago.
    async fn confirm_once(
        &self,
        provider: &Arc<Provider>,
        proof: UnverifiedProof,
        key: ProofHash,
    ) -> Result<Confirmed, ProofError> {
        if let Some(refusal) = self.refusals.recall(key, self.confirmer.clock.now()) {
            return Err(refusal);
        }
        let (confirmer, at) = (self.confirmer.clone(), provider.clone());
        let start = || async move { confirmer.confirm(&at, proof).await }.boxed();
        let answer = self.flights.join(key, start).await;
        if let Err(error) = &answer
            && error.is_final()
        {
            self.refusals.remember(key, error.clone(), self.confirmer.clock.now(), REFUSAL_LASTS);
        }
        answer
    }

    /// Remembers a yes for as long as the operator wants it. An ID token is checked without its provider, so there is
    /// nothing to save, and its end would have to be remembered too; everything else counts once.
    fn remember(&self, provider: &Provider, kind: ProofKind, key: ProofHash, login: &VerifiedLogin) {
        if let (Some(lasts), ProofKind::AccessToken) = (provider.cache_verified, kind) {
            self.logins.remember(key, login.clone(), self.confirmer.clock.now(), lasts);
        }
    }
}
