//! Keys that take turns, as nodes and verifiers see them, each of which keeps what it knows for a while.

mod clocks;
mod troubles;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;

use super::*;
use crate::ground::clock::ManualClock;
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId};
use crate::ground::random::SeededRandom;
use crate::ground::secret::Secret;
use crate::store::memory::MemoryStore;
use crate::store::{AccessKeyOutcome, StoredAccessKey};
use crate::token::key_set::{BELIEVED_FOR, CACHEABLE_FOR};
use crate::token::local_keys::LocalKeys;
use crate::token::openid_token::{AUTHENTICATED, Claims, TokenAlgorithms, TokenError, TokenIssuer};
use crate::token::public_key::PublicKey;
use crate::token::signer::{Held, KeptKey, NotReady, Signer};

const ISSUER: &str = "https://login.example.com";
/// The key of the first start, at the second of its ID.
const FIRST: &str = "us-east-11790000000";
/// The next one, if it is made in the same second.
const SECOND: &str = "us-east-11790000001";
/// EC keys are made at once.
const ES256: TokenAlgorithms =
    TokenAlgorithms { default: Algorithm::Es256, pools: std::collections::BTreeMap::new() };

/// An installation of several nodes.
struct World {
    store: Arc<Flaky>,
    holder: Arc<Holder>,
    clock: Arc<ManualClock>,
}

/// A store that may be away, or full.
#[derive(Default)]
struct Flaky {
    store: MemoryStore,
    away: AtomicBool,
    full: AtomicBool,
}

/// Makes keys, unless it does not, and counts how often it was asked.
#[derive(Default)]
struct Holder {
    fails: AtomicBool,
    asked: AtomicUsize,
    lies: Arc<AtomicBool>,
}

/// Signs something else.
struct Liar {
    signer: Arc<dyn Signer>,
    lies: Arc<AtomicBool>,
}

#[async_trait]
impl Signer for Liar {
    fn public_key(&self) -> &PublicKey {
        self.signer.public_key()
    }

    fn held(&self) -> Held {
        self.signer.held()
    }

    async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        let lies = self.lies.load(Ordering::Relaxed);
        self.signer.sign(if lies { b"something else" } else { message }).await
    }
}

#[async_trait]
impl KeyHolder for Holder {
    async fn make(&self, key_id: &str, algorithm: Algorithm) -> Result<KeptKey, SignerError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails.load(Ordering::Relaxed) {
            return Err(SignerError("no more keys fit into it".into()));
        }
        LocalKeys.make(key_id, algorithm).await
    }

    async fn ready(&self) -> Result<(), NotReady> {
        Ok(())
    }

    fn signer(&self, algorithm: Algorithm, kept: &[u8]) -> Result<Arc<dyn Signer>, SignerError> {
        let signer = LocalKeys.signer(algorithm, kept)?;
        Ok(Arc::new(Liar { signer, lies: self.lies.clone() }))
    }
}

impl Flaky {
    fn there(&self) -> Result<&MemoryStore, StoreError> {
        if self.away.load(Ordering::Relaxed) {
            Err(StoreError::Unavailable("away".into()))
        } else {
            Ok(&self.store)
        }
    }

    fn with_room(&self) -> Result<&MemoryStore, StoreError> {
        let full = StoreError::Unavailable("full".into());
        if self.full.load(Ordering::Relaxed) { Err(full) } else { self.there() }
    }
}

fn kept(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap()
}

#[async_trait]
impl Keys for Flaky {
    /// Whoever else is about to write is first. Instants are kept in milliseconds, as databases do.
    async fn add_signing_key(
        &self,
        key: &StoredSigningKey,
        seen: &[String],
    ) -> Result<Vec<StoredSigningKey>, StoreError> {
        tokio::task::yield_now().await;
        let (created_at, signs_from) = (kept(key.created_at), kept(key.signs_from));
        let key = &StoredSigningKey { created_at, signs_from, ..key.clone() };
        self.with_room()?.add_signing_key(key, seen).await
    }

    async fn rehearse_signing_key(&self) -> Result<(), StoreError> {
        self.with_room()?.rehearse_signing_key().await
    }

    async fn list_signing_keys(&self) -> Result<Vec<StoredSigningKey>, StoreError> {
        self.there()?.list_signing_keys().await
    }

    async fn delete_signing_keys(&self, key_ids: &[String]) -> Result<(), StoreError> {
        self.there()?.delete_signing_keys(key_ids).await
    }

    async fn find_or_add_access_key(&self, key: &StoredAccessKey) -> Result<StoredAccessKey, StoreError> {
        self.there()?.find_or_add_access_key(key).await
    }

    async fn lookup_access_key(&self, id: &AccessKeyId) -> Result<Option<StoredAccessKey>, StoreError> {
        self.there()?.lookup_access_key(id).await
    }

    async fn add_first_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.there()?.add_first_access_key(key).await
    }

    async fn add_further_access_key(&self, key: &StoredAccessKey) -> Result<AccessKeyOutcome, StoreError> {
        self.there()?.add_further_access_key(key).await
    }

    async fn list_access_keys(&self) -> Result<Vec<StoredAccessKey>, StoreError> {
        self.there()?.list_access_keys().await
    }

    async fn set_access_key_enabled(
        &self,
        id: &AccessKeyId,
        enabled: bool,
    ) -> Result<AccessKeyOutcome, StoreError> {
        self.there()?.set_access_key_enabled(id, enabled).await
    }

    async fn delete_access_key(&self, id: &AccessKeyId) -> Result<AccessKeyOutcome, StoreError> {
        self.there()?.delete_access_key(id).await
    }
}

struct Node {
    ring: Arc<KeyRing>,
    tokens: TokenIssuer,
    clock: Arc<ManualClock>,
}

impl World {
    fn new() -> Self {
        let now = Timestamp::from_nanosecond(1_790_000_000_000_000_001).unwrap();
        Self { store: Arc::default(), holder: Arc::default(), clock: Arc::new(ManualClock::at(now)) }
    }

    /// The time, as the store keeps it.
    fn now(&self) -> Timestamp {
        kept(self.clock.now())
    }

    async fn ring(&self, algorithms: &[Algorithm], rotation: Rotation) -> KeyRing {
        let materials = Materials {
            store: self.store.clone(),
            master_keys: Arc::new(MasterKeys::generate(&SeededRandom::new(1))),
            holder: self.holder.clone(),
            region: Region::parse("us-east-1").unwrap(),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(2)),
        };
        KeyRing::load(materials, algorithms, rotation).await.unwrap()
    }

    async fn node(&self, rotation: Rotation) -> Node {
        let ring = Arc::new(self.ring(&[Algorithm::Es256], rotation).await);
        let tokens = TokenIssuer::new(ISSUER.into(), ring.clone(), ES256);
        Node { ring, tokens, clock: self.clock.clone() }
    }
}

impl Node {
    /// A token that lives for a day, the longest that there is. Its server has keys take turns, and tells of what goes wrong.
    async fn sign(&self) -> Secret {
        let _ = self.ring.take_turns().await;
        self.tokens.keep_up().await.unwrap();
        let now = self.clock.now();
        let claims = Claims {
            identity_id: IdentityId::parse("us-east-1:aa").unwrap(),
            pool_id: IdentityPoolId::parse("us-east-1:bb").unwrap(),
            amr: vec![AUTHENTICATED.into()],
            tags: None,
            issuer: ISSUER.into(),
            pool_arn: String::new(),
            expires_at: now.as_second() + 24 * 3_600,
            issued_at: now.as_second(),
            issued_at_ms: None,
            session: None,
            act: None,
        };
        self.tokens.sign(&claims).await.unwrap()
    }

    async fn verify(&self, token: &Secret) -> Result<(), TokenError> {
        self.tokens.keep_up().await.unwrap();
        self.tokens.verify(token, self.clock.now()).map(drop)
    }

    fn kids(&self) -> Vec<String> {
        let set = serde_json::to_value(self.ring.jwk_set(Algorithm::Es256)).unwrap();
        let kid = |key: &Value| key["kid"].as_str().unwrap().to_owned();
        set["keys"].as_array().unwrap().iter().map(kid).collect()
    }
}

async fn unrecorded(_: &str) -> Result<(), StoreError> {
    Ok(())
}

fn kid(token: &Secret) -> String {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.expose().split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

/// Somebody else who verifies, and keeps the keys for so long.
struct Verifier {
    keeps: SignedDuration,
    /// Whether it asks again for a key that it does not know, at most every thirty seconds.
    asks_again: bool,
    /// Whether it looks at the first key alone.
    first_only: bool,
    kept: Option<(Timestamp, Vec<String>)>,
}

impl Verifier {
    fn knows(&mut self, node: &Node, key_id: &str) -> bool {
        let now = node.clock.now();
        let age = |at: Timestamp| now.duration_since(at);
        let is_old = self.kept.as_ref().is_none_or(|(at, _)| age(*at) >= self.keeps);
        let is_unknown = self.kept.as_ref().is_some_and(|(at, kids)| {
            !kids.iter().any(|kid| kid == key_id) && age(*at) >= SignedDuration::from_secs(30)
        });
        if is_old || (self.asks_again && is_unknown) {
            self.kept = Some((now, node.kids()));
        }
        let kids = &self.kept.as_ref().unwrap().1;
        if self.first_only { kids[0] == key_id } else { kids.iter().any(|kid| kid == key_id) }
    }
}

fn verifiers() -> Vec<(&'static str, Verifier)> {
    let verifier = |minutes, asks_again, first_only| Verifier {
        keeps: SignedDuration::from_mins(minutes),
        asks_again,
        first_only,
        kept: None,
    };
    vec![
        ("API Gateway", verifier(120, false, false)),
        ("Istio", verifier(20, false, false)),
        ("jose", verifier(10, true, false)),
        ("the gateway of Ceph", verifier(0, false, true)),
    ]
}

const EVERY_WEEK: Rotation =
    Rotation { every: Some(SignedDuration::from_hours(7 * 24)), publish: SignedDuration::from_hours(24) };

/// Three weeks, hour by hour, at two nodes that each serve somebody: each token is good everywhere for its day.
#[tokio::test]
async fn every_token_is_good_everywhere_for_as_long_as_it_lives() {
    let world = World::new();
    let nodes = [world.node(EVERY_WEEK).await, world.node(EVERY_WEEK).await];
    let mut verifiers = verifiers();
    let mut living: Vec<(Timestamp, Secret)> = Vec::new();
    let mut signed_by = Vec::new();
    for hour in 0..21 * 24 {
        let now = world.clock.now();
        living.retain(|(ends_at, _)| *ends_at > now);
        let node = &nodes[hour % 2];
        let token = node.sign().await;
        let key_id = kid(&token);
        for (name, verifier) in &mut verifiers {
            assert!(verifier.knows(&nodes[(hour + 1) % 2], &key_id), "{name}, hour {hour}: {key_id}");
        }
        assert_eq!(node.kids()[0], key_id, "the one that signs is the first");
        if signed_by.last() != Some(&key_id) {
            signed_by.push(key_id);
        }
        living.push((now + SignedDuration::from_hours(24), token));
        for (_, token) in &living {
            assert_eq!(nodes[(hour + 1) % 2].verify(token).await, Ok(()), "hour {hour}");
        }
        world.clock.advance(SignedDuration::from_hours(1));
    }
    let day = 24 * 3_600;
    let made = [0, 6 * day, 13 * day].map(|later| format!("us-east-1{}", 1_790_000_000 + later));
    assert_eq!(signed_by, made);
}

#[tokio::test]
async fn a_key_is_published_then_signs_then_is_believed_and_then_is_gone() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    let before = node.sign().await;
    let publish = SignedDuration::from_hours(24);
    let rotated = node.ring.rotate(Algorithm::Es256, publish, unrecorded).await.unwrap();
    assert_eq!((rotated.signs_from, rotated.by_us), (world.now() + publish, true));
    assert_eq!(node.kids(), [FIRST, SECOND]);
    world.clock.advance(publish - SignedDuration::from_secs(1));
    let last = node.sign().await;
    assert_eq!(kid(&last), FIRST);
    world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(kid(&node.sign().await), SECOND);
    assert_eq!(node.kids(), [SECOND, FIRST]);
    world.clock.advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(2));
    assert_eq!(node.verify(&last).await, Ok(()), "a second before its end");
    assert!(matches!(node.verify(&before).await, Err(TokenError::Expired { .. })));
    world.clock.advance(BELIEVED_FOR - SignedDuration::from_hours(24) + SignedDuration::from_secs(2));
    assert_eq!(node.verify(&last).await, Err(TokenError::BadSignature), "its key is believed no more");
    assert_eq!(node.kids(), [SECOND]);
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 2);
    world.clock.advance(FORGOTTEN_AFTER);
    for _ in 0..FOUND_OVER {
        assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 2);
        world.clock.advance(FRESH);
        node.ring.take_turns().await.unwrap();
    }
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 1, "and is forgotten");
}

/// Nobody who gets hold of an old key makes a token with it that counts.
#[tokio::test]
async fn a_key_signs_nothing_that_counts_after_its_time() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    let stolen = node.ring.keys();
    node.ring.rotate(Algorithm::Es256, MIN_PUBLISHED_FOR, unrecorded).await.unwrap();
    world.clock.advance(MIN_PUBLISHED_FOR + BELIEVED_FOR);
    let token = node.sign().await;
    let forged = {
        let (message, _) = token.expose().rsplit_once('.').unwrap();
        let header =
            BASE64_URL_SAFE_NO_PAD.encode(r#"{"kid":"us-east-11790000000","typ":"JWS","alg":"ES256"}"#);
        let message = format!("{header}.{}", message.split_once('.').unwrap().1);
        let signature = stolen.of(Algorithm::Es256).last().unwrap().sign(message.as_bytes()).await.unwrap();
        Secret::new(format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    };
    assert_eq!(node.verify(&token).await, Ok(()));
    assert_eq!(node.verify(&forged).await, Err(TokenError::BadSignature));
}

#[tokio::test]
async fn rotations_that_race_make_one_key() {
    let world = World::new();
    let nodes = [world.node(Rotation::default()).await, world.node(Rotation::default()).await];
    let rotations =
        nodes.each_ref().map(|node| node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded));
    let rotated: Vec<_> =
        futures::future::join_all(rotations).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(rotated[0].key_id, rotated[1].key_id);
    assert_eq!(rotated.iter().filter(|rotated| rotated.by_us).count(), 1);
    let again = nodes[1].ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    assert_eq!((again.key_id, again.by_us), (rotated[0].key_id.clone(), false), "while one is published");
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_waits_for_less_than_verifiers_need() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    let rotated = node.ring.rotate(Algorithm::Es256, SignedDuration::ZERO, unrecorded).await.unwrap();
    assert_eq!(rotated.signs_from, world.now() + MIN_PUBLISHED_FOR);
    let cacheable = SignedDuration::try_from(CACHEABLE_FOR).unwrap();
    assert!(cacheable < MIN_PUBLISHED_FOR && STALE < MIN_PUBLISHED_FOR);
}

/// Keys and their IDs outlive what other algorithms do.
#[tokio::test]
async fn an_algorithm_that_is_new_has_a_key_of_its_own() {
    let world = World::new();
    world.node(Rotation::default()).await;
    let ring = world.ring(&[Algorithm::Rs512, Algorithm::Es256], Rotation::default()).await;
    let id = |algorithm| ring.keys().of(algorithm).last().unwrap().key_id().to_owned();
    assert_eq!((id(Algorithm::Es256), id(Algorithm::Rs512)), (FIRST.into(), SECOND.into()));
}

/// The serial number of a key is over all algorithms.
#[tokio::test]
async fn two_algorithms_that_rotate_at_once_have_a_key_each() {
    let world = World::new();
    let both = [Algorithm::Rs512, Algorithm::Es256];
    let ring = || world.ring(&both, Rotation::default());
    let (one, other) = futures::join!(ring(), ring());
    let (rs512, es256) = futures::join!(
        one.rotate(Algorithm::Rs512, PUBLISHED_FOR, unrecorded),
        other.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded)
    );
    let (rs512, es256) = (rs512.unwrap(), es256.unwrap());
    assert!(rs512.by_us && es256.by_us && rs512.key_id != es256.key_id, "{rs512:?} {es256:?}");
    assert_eq!(world.store.list_signing_keys().await.unwrap().len(), 4);
}

/// Verifiers may keep what was lost.
#[tokio::test]
async fn no_id_comes_again_after_a_restore() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    world.clock.advance(SignedDuration::from_hours(1));
    let lost = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    world.store.delete_signing_keys(std::slice::from_ref(&lost.key_id)).await.unwrap();
    world.clock.advance(SignedDuration::from_secs(1));
    let again = node.ring.rotate(Algorithm::Es256, PUBLISHED_FOR, unrecorded).await.unwrap();
    assert!(again.by_us && again.key_id != lost.key_id, "{again:?} {lost:?}");
}

#[tokio::test]
async fn a_command_makes_the_key_that_was_due() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    world.clock.advance(SignedDuration::from_hours(8 * 24));
    let rotated = node.ring.rotate(Algorithm::Es256, MIN_PUBLISHED_FOR, unrecorded).await.unwrap();
    assert_eq!((rotated.by_us, rotated.signs_from), (true, world.now() + MIN_PUBLISHED_FOR));
}

#[tokio::test]
async fn no_successor_is_years_away() {
    let world = World::new();
    let node = world.node(Rotation::default()).await;
    let rotated = node.ring.rotate(Algorithm::Es256, SignedDuration::MAX, unrecorded).await.unwrap();
    assert_eq!(rotated.signs_from, world.now() + MAX_PUBLISHED_FOR);
}

#[tokio::test]
async fn a_key_in_use_has_an_age_and_from_some_moment_on_a_successor() {
    let world = World::new();
    let node = world.node(EVERY_WEEK).await;
    let turn = async || {
        node.sign().await;
        let turns = node.ring.turns();
        let [turn] = turns[..] else { panic!("{turns:?}") };
        assert_eq!((turn.algorithm, turn.rotation), (Algorithm::Es256, EVERY_WEEK.every));
        // A store may keep instants less exactly.
        let hours = |duration: SignedDuration| (duration + SignedDuration::from_mins(1)).as_hours();
        (hours(turn.age), turn.next_in.map(hours))
    };
    assert_eq!(turn().await, (0, None));
    world.clock.advance(SignedDuration::from_hours(6 * 24));
    assert_eq!(turn().await, (144, Some(24)));
    world.clock.advance(SignedDuration::from_hours(25));
    assert_eq!(turn().await, (1, None));
}
