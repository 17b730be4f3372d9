//! The first keys of an installation, begun while its store is being made: an RSA key takes longer than all the rest of a first start.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use async_trait::async_trait;

use super::local_keys::LocalKeys;
use super::signer::{KeptKey, KeyHolder, NotReady, Signer, SignerError};
use crate::records::signing_algorithm::Algorithm;

/// [`LocalKeys`], which has a key of some algorithms sooner than somebody asks for it.
pub struct FirstKeys {
    begun: Mutex<Vec<(Algorithm, JoinHandle<KeptKey>)>>,
}

impl FirstKeys {
    /// Begins to make a key of each of these algorithms, in threads of their own.
    #[must_use]
    pub fn begin(algorithms: &[Algorithm]) -> Self {
        let begin = |algorithm: &Algorithm| {
            let algorithm = *algorithm;
            (algorithm, thread::spawn(move || LocalKeys::generate(algorithm)))
        };
        Self { begun: Mutex::new(algorithms.iter().map(begin).collect()) }
    }

    fn take(&self, algorithm: Algorithm) -> Option<JoinHandle<KeptKey>> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let place = begun.iter().position(|(of, _)| *of == algorithm)?;
        Some(begun.swap_remove(place).1)
    }
}

#[async_trait]
impl KeyHolder for FirstKeys {
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        match self.take(algorithm).map(JoinHandle::join) {
            Some(Ok(key)) => Ok(key),
            // Each begun key is one key, and the next is made when it is asked for.
            Some(Err(_)) | None => LocalKeys.make(key_id, algorithm).await,
        }
    }

    async fn ready(&self) -> Result<(), NotReady> {
        LocalKeys.ready().await
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        LocalKeys.signer(algorithm, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn no_key_is_given_twice_and_each_is_of_its_algorithm() {
        let keys = FirstKeys::begin(&[Algorithm::Es256, Algorithm::Rs512]);
        let mut made = Vec::new();
        for algorithm in [Algorithm::Rs512, Algorithm::Es256, Algorithm::Es256, Algorithm::Es256] {
            let kept = keys.make("key", algorithm).await.unwrap();
            made.push(keys.signer(algorithm, &kept).unwrap().public_key().clone());
        }
        assert!(keys.begun.lock().unwrap().is_empty());
        for (place, key) in made.iter().enumerate() {
            assert!(!made[..place].contains(key), "{place}");
        }
    }
}
