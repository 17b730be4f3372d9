//! Has proofs confirmed, each only as often as it takes.

use std::sync::Arc;

use futures::FutureExt;

use super::client::Provider;
use super::confirm::Confirmer;
use super::definition::ProofKind;
use super::error::ProofError;
use super::proof::UnverifiedProof;
use super::proof_hash::ProofHash;
use super::verdicts::Verdicts;
use super::verified::VerifiedLogin;
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::outbound::ProviderHttp;
use crate::ground::single_flight::SingleFlight;
use crate::login::id_token::Verifier;
use crate::login::jwks::JwksCache;

/// How long a provider's clear no is repeated without asking again.
pub(super) const REFUSAL_LASTS: SignedDuration = SignedDuration::from_secs(5);

/// Has providers confirm proofs, each only as often as it takes.
pub struct Engine {
    confirmer: Arc<Confirmer>,
    flights: SingleFlight<ProofHash, Result<VerifiedLogin, ProofError>>,
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

    /// Has the provider confirm a proof. Who shows the same proof at the same moment gets the same answer.
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
        let key = ProofHash::of(provider, &proof);
        if let Some(known) = self.recall(key) {
            return known;
        }
        let (confirmer, at) = (self.confirmer.clone(), provider.clone());
        let start = || async move { confirmer.confirm(&at, proof).await }.boxed();
        let answer = self.flights.join(key, start).await;
        self.remember(provider, kind, key, &answer);
        answer
    }

    fn recall(&self, key: ProofHash) -> Option<Result<VerifiedLogin, ProofError>> {
        let now = self.confirmer.clock.now();
        let refusal = self.refusals.recall(key, now).map(Err);
        refusal.or_else(|| self.logins.recall(key, now).map(Ok))
    }

    /// Remembers a clear no for a moment, and a yes where the operator wants it. An ID token is checked without
    /// its provider, so there is nothing to save, and its end would have to be remembered too; everything else
    /// counts once.
    fn remember(
        &self,
        provider: &Provider,
        kind: ProofKind,
        key: ProofHash,
        answer: &Result<VerifiedLogin, ProofError>,
    ) {
        let now = self.confirmer.clock.now();
        match (answer, provider.cache_verified) {
            (Err(error), _) if error.is_final() => {
                self.refusals.remember(key, error.clone(), now, REFUSAL_LASTS);
            }
            (Ok(login), Some(lasts)) if kind == ProofKind::AccessToken => {
                self.logins.remember(key, login.clone(), now, lasts);
            }
            _ => {}
        }
    }
}
