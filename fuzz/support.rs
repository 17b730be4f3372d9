//! What the targets share: a provider whose client is ours, and a network that says what the input says; and in
//! [`world`] a whole installation.

pub mod world;

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use daypass_core::ground::clock::ManualClock;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::Definition;
use daypass_core::login::provider::{
    AppleKey, Engine, Identifier, ProofError, Provider, UnverifiedProof, VerifiedLogin,
};
use http::{Request, Response};
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().unwrap());

pub const NOW: i64 = 1_800_000_000;
pub const CLIENT_ID: &str = "our-client";
pub const CLIENT_SECRET: &str = "the-secret-of-our-client";

/// Whether an input holds our secret itself, which the fuzzer learns from comparisons: of such an input nothing
/// follows from finding the secret in an error.
pub fn holds_the_secret(input: &[u8]) -> bool {
    input.windows(CLIENT_SECRET.len()).any(|window| window == CLIENT_SECRET.as_bytes())
}

/// A provider of this definition.
pub fn provider(definition: Definition) -> Arc<Provider> {
    Arc::new(Provider {
        id: "fuzzed".into(),
        definition: definition.into(),
        client_id: CLIENT_ID.into(),
        other_client_ids: Vec::new(),
        app_id: Some("1234".into()),
        client_secret: Some(Secret::new(CLIENT_SECRET)),
        apple: Some(AppleKey { team_id: "TEAM123456".into(), key_id: "KEY1234567".into() }),
        catalogue: None,
        only_actors: false,
        accept_unbound_access_tokens: false,
        identifier: Identifier::Prefixed,
        cache_verified: None,
        recheck: daypass_core::login::provider::RECHECK,
    })
}

/// Answers in turn, whatever is asked.
pub struct Replies(Mutex<VecDeque<Response<Bytes>>>);

impl Replies {
    pub fn new(replies: impl IntoIterator<Item = Response<Bytes>>) -> Self {
        Self(Mutex::new(replies.into_iter().collect()))
    }
}

#[async_trait]
impl ProviderHttp for Replies {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        self.0.lock().unwrap().pop_front().ok_or(ProviderHttpError::TimedOut)
    }
}

/// Has the engine verify a proof, and holds its answer to what it promises for all inputs.
pub fn verify(
    provider: &Arc<Provider>,
    proof: UnverifiedProof,
    replies: Replies,
) -> Result<VerifiedLogin, ProofError> {
    let engine = Engine::new(Arc::new(replies), Arc::new(ManualClock::at_second(NOW)));
    let verdict = RUNTIME.block_on(engine.verify(provider, proof));
    match &verdict {
        Ok(login) => {
            let person = login.developer_user_identifier();
            let external_id = person.strip_prefix("fuzzed:").expect("it begins with the provider");
            assert!((1..=512).contains(&external_id.chars().count()), "{person:?}");
            assert!(!person.chars().any(char::is_control), "{person:?}");
        }
        Err(error) => {
            let said = format!("{error} {error:?}");
            assert!(!said.contains(CLIENT_SECRET), "{said}");
        }
    }
    verdict
}
