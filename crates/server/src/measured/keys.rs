//! Keys whose signatures are measured, wherever they are held.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::public_key::PublicKey;
use daypass_core::token::signer::{Held, KeptKey, KeyHolder, NotReady, Signer, SignerError};

use crate::metrics::{Metrics, SignatureMetrics};
use crate::traces::{Part, part};

pub(crate) struct MeasuredKeys {
    pub(crate) holder: Arc<dyn KeyHolder>,
    pub(crate) metrics: Arc<Metrics>,
}

struct MeasuredKey {
    signer: Arc<dyn Signer>,
    algorithm: Algorithm,
    metrics: SignatureMetrics,
}

#[async_trait]
impl KeyHolder for MeasuredKeys {
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        self.holder.make(key_id, algorithm).await
    }

    async fn ready(&self) -> Result<(), NotReady> {
        self.holder.ready().await
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        let signer = self.holder.signer(algorithm, kept)?;
        Ok(Arc::new(MeasuredKey { signer, algorithm, metrics: self.metrics.of_signatures(algorithm) }))
    }
}

#[async_trait]
impl Signer for MeasuredKey {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn held(&self) -> Held {
        self.signer.held()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let began = Instant::now();
        let signature = self.signer.sign(message).await;
        let took = began.elapsed();
        self.metrics.signed(signature.is_ok(), took);
        let labels = [("daypass.algorithm", self.algorithm.name())];
        part(&Part { name: "sign", is_asked: false, labels: &labels, has_failed: signature.is_err() }, took);
        signature
    }
}
