//! Signing keys in a hardware security module, by PKCS #11 (OASIS, version 2.40): made there, never to leave it, and signed
//! with there. What the store keeps of such a key, sealed like any other, is its public half and what it is called in the
//! module. Keys that this process made before go on in this process, until their time is over.

mod kept;
mod module;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use daypass_core::ground::random::Random;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::local_keys::LocalKeys;
use daypass_core::token::public_key::PublicKey;
use daypass_core::token::signer::{Held, KeptKey, KeyHolder, NotReady, Signer, SignerError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use self::kept::Kept;
use self::module::Module;
pub use self::module::Place;
use crate::listen::TIME_OF_A_REQUEST;

/// As many are asked of the module at once. Each is a thread that waits.
const AT_ONCE: usize = 16;

/// So long a signature may take: whoever asks for a token waits for it, and hears of an HSM that hangs before the request is given
/// up.
const SIGNED_WITHIN: Duration = Duration::from_secs(20);
const _: () = assert!(SIGNED_WITHIN.as_secs() < TIME_OF_A_REQUEST.as_secs());
/// And so long a key pair, for which no request waits: there are tokens that search for primes for minutes.
const MADE_WITHIN: Duration = Duration::from_mins(10);

/// The keys of a token of a module.
pub struct HsmKeys {
    token: Token,
    random: Arc<dyn Random>,
}

/// The token, and how many may ask it.
#[derive(Clone)]
struct Token {
    module: Arc<Module>,
    places: Arc<Semaphore>,
}

struct HsmSigner {
    token: Token,
    id: Arc<Vec<u8>>,
    public_key: PublicKey,
}

impl HsmKeys {
    /// Those of this token. Nobody is asked yet.
    #[must_use]
    pub fn new(place: Place, random: Arc<dyn Random>) -> Self {
        let (module, places) = (Arc::new(Module::new(place)), Arc::new(Semaphore::new(AT_ONCE)));
        Self { token: Token { module, places }, random }
    }
}

impl Token {
    /// The module keeps a thread waiting, which must be none of the runtime's. Where it does not answer in time, the thread and its
    /// place are kept until it does.
    async fn ask<T: Send + 'static>(
        &self,
        within: Duration,
        question: impl FnOnce(&Module) -> Result<T, SignerError> + Send + 'static,
    ) -> Result<T, SignerError> {
        timeout(within, self.wait_for(question)).await.unwrap_or_else(|_| {
            Err(SignerError(format!(
                "the HSM has not answered for {} seconds; look whether it can be reached, and into its log",
                within.as_secs()
            )))
        })
    }

    async fn wait_for<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Module) -> Result<T, SignerError> + Send + 'static,
    ) -> Result<T, SignerError> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|_| SignerError("the HSM takes no more questions".into()))?;
        let module = self.module.clone();
        let answer = spawn_blocking(move || {
            let _place = place;
            question(&module)
        });
        answer.await.map_err(|error| SignerError(format!("the module of the HSM failed: {error}")))?
    }
}

#[async_trait]
impl KeyHolder for HsmKeys {
    /// What the module calls the key is drawn: two nodes may make one of the same name at the same moment.
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        let (id, label) = (self.random.bytes::<16>().to_vec(), format!("daypass {key_id}"));
        let public = self.token.ask(MADE_WITHIN, {
            let id = id.clone();
            move |module| module.make(&id, &label, algorithm)
        });
        Ok(Kept { id, public: public.await? }.write())
    }

    async fn ready(&self) -> Result<(), NotReady> {
        self.token.ask(SIGNED_WITHIN, |module| Ok(module.ready())).await?
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        let Some(Kept { id, public }) = Kept::read(kept) else {
            return LocalKeys.signer(algorithm, kept);
        };
        if public.algorithm() != algorithm {
            return Err(SignerError(format!("the key in the HSM is none for {algorithm}")));
        }
        Ok(Arc::new(HsmSigner { token: self.token.clone(), id: Arc::new(id), public_key: public }))
    }
}

#[async_trait]
impl Signer for HsmSigner {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn held(&self) -> Held {
        Held::Hsm
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let (id, public, message) = (self.id.clone(), self.public_key.clone(), message.to_vec());
        self.token.ask(SIGNED_WITHIN, move |module| module.sign(&id, &public, &message)).await
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::mpsc;

    use daypass_core::ground::secret::Secret;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_hsm_that_hangs_is_told_of_in_time_also_when_all_places_are_taken() {
        let place = Place { module: PathBuf::new(), token: "daypass".into(), pin: Secret::new("0") };
        let module = Arc::new(Module::new(place));
        let token = Token { module, places: Arc::new(Semaphore::new(1)) };
        let (answer, hangs) = mpsc::channel::<()>();
        let asking = tokio::spawn({
            let token = token.clone();
            async move { token.ask(SIGNED_WITHIN, move |_| Ok(hangs.recv().is_ok())).await }
        });
        while token.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn(async move { token.ask(SIGNED_WITHIN, |_| Ok(true)).await });
        tokio::task::yield_now().await;
        tokio::time::advance(SIGNED_WITHIN).await;
        for asked in [asking, waiting] {
            let told = asked.await.unwrap().unwrap_err().to_string();
            assert!(told.contains("has not answered for 20 seconds"), "{told}");
        }
        answer.send(()).unwrap();
    }
}
