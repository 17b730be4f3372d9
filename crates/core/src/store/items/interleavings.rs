//! Questions that meet: every interleaving of two of them, and some of three, call by call of the engine. Whatever comes of it has
//! to come of some order of them in the plainest store.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::between::{Asked, Between, Coming};
use super::engine::{Change, Engine, EngineError, Stamp};
use super::memory::MemoryEngine;
use super::{ItemStore, Pace};
use crate::ground::clock::{ManualClock, Timestamp};
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, SignInSessionId, UserName};
use crate::ground::random::{Random, SeededRandom};
use crate::ground::seal::Sealed;
use crate::records::identity::{IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::records::scope::Scope;
use crate::records::sign_in_session::{EndReason, SessionEnd, SignInSession, Upstream};
use crate::records::signing_algorithm::Algorithm;
use crate::store::memory::MemoryStore;
use crate::store::{
    Page, RevocationTarget, SharedStore, StoreError, StoredAccessKey, StoredLoginGrant, StoredSigningKey,
};

/// Lets others come first, once.
struct Turn(AtomicBool);

impl Future for Turn {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.0.swap(true, Ordering::Relaxed) { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn turn() -> Turn {
    Turn(AtomicBool::new(false))
}

/// Everybody waits before each question. What is committed may be lost on the way there, on the way back, or come late.
struct Turns {
    troubles: Box<dyn Random>,
    is_in_trouble: AtomicBool,
    late: Mutex<Vec<(Stamp, Vec<Change>)>>,
}

type TurnEngine = Between<Turns>;

impl Turns {
    fn draw(&self) -> u8 {
        if self.is_in_trouble.load(Ordering::Relaxed) { self.troubles.bytes::<1>()[0] } else { 255 }
    }

    async fn make_late(&self, engine: &MemoryEngine) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        for (stamp, changes) in late {
            drop(engine.commit(stamp, &changes).await);
        }
    }
}

#[async_trait]
impl Coming for Turns {
    async fn come(&self, engine: &Arc<MemoryEngine>, asked: Asked<'_>) -> Result<(), EngineError> {
        turn().await;
        if self.draw() < 64 {
            self.make_late(engine).await;
        }
        let Asked::Commit(stamp, changes) = asked else { return Ok(()) };
        match self.draw() {
            0..32 => {
                self.late.lock().unwrap().push((stamp, changes.to_vec()));
                Err(EngineError::Lost("late".into()))
            }
            32..48 => Err(EngineError::Lost("never".into())),
            48..80 => {
                engine.commit(stamp, changes).await?;
                Err(EngineError::Lost("made".into()))
            }
            _ => Ok(()),
        }
    }
}

struct NoPause;

#[async_trait]
impl Pace for NoPause {
    async fn pause(&self, _: Duration) {
        turn().await;
    }
}

type Question = (String, Arc<dyn Fn(SharedStore) -> BoxFuture<'static, String> + Send + Sync>);

fn question<F, Q, T>(name: &str, ask: F) -> Question
where
    F: Fn(SharedStore) -> Q + Send + Sync + 'static,
    Q: Future<Output = Result<T, StoreError>> + Send + 'static,
    T: Debug,
{
    let ask = Arc::new(move |store: SharedStore| -> BoxFuture<'static, String> {
        let asked = ask(store);
        Box::pin(async move {
            match asked.await {
                Ok(answer) => format!("{answer:?}"),
                Err(error) => format!("refused: {}", matches!(error, StoreError::Corrupt(_))),
            }
        })
    });
    (name.to_owned(), ask)
}

fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..100_000 {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut context) {
            return answer;
        }
    }
    panic!("a question has no end")
}

/// A store of its own for each question, if they are of several processes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Processes {
    One,
    Several,
}

/// A scene, and so many stores in it.
fn stores(
    scene: &Scene,
    seed: u64,
    processes: Processes,
    count: usize,
) -> (Arc<TurnEngine>, Vec<SharedStore>) {
    let troubles = Box::new(SeededRandom::new(seed));
    let coming = Turns { troubles, is_in_trouble: AtomicBool::new(false), late: Mutex::default() };
    let engine = Arc::new(Between { engine: Arc::new(scene.engine.copy()), coming });
    let store = |number: u64| -> SharedStore { Arc::new(item_store(engine.clone(), 1_000 * seed + number)) };
    let stores = match processes {
        Processes::One => vec![store(1); count],
        Processes::Several => (1..=count as u64).map(store).collect(),
    };
    (engine, stores)
}

fn item_store(engine: Arc<dyn Engine>, seed: u64) -> ItemStore {
    let (clock, random) = (Arc::new(ManualClock::at(instant(0))), Arc::new(SeededRandom::new(seed)));
    ItemStore::new(engine, clock, random, Arc::new(NoPause))
}

/// What is there when questions meet.
struct Scene {
    questions: Vec<Question>,
    engine: MemoryEngine,
}

impl Scene {
    fn of(questions: Vec<Question>) -> Self {
        let engine = Arc::new(MemoryEngine::default());
        let store: SharedStore = Arc::new(item_store(engine.clone(), 0));
        for (_, ask) in &questions {
            finish(ask(store.clone()));
        }
        Self { questions, engine: engine.copy() }
    }
}

/// What came of it: the answers, and what is found then.
type Outcome = (Vec<String>, String);

/// Every outcome of an order.
fn expected(scene: &Scene, questions: &[Question]) -> BTreeSet<Outcome> {
    let orders: Vec<Vec<usize>> = match questions.len() {
        2 => vec![vec![0, 1], vec![1, 0]],
        _ => vec![vec![0, 1, 2], vec![0, 2, 1], vec![1, 0, 2], vec![1, 2, 0], vec![2, 0, 1], vec![2, 1, 0]],
    };
    let mut outcomes = BTreeSet::new();
    for order in orders {
        let store: SharedStore = Arc::new(MemoryStore::new());
        for (_, ask) in &scene.questions {
            finish(ask(store.clone()));
        }
        let mut answers = vec![String::new(); questions.len()];
        for place in order {
            answers[place] = finish(questions[place].1(store.clone()));
        }
        outcomes.insert((answers, look(&store)));
    }
    outcomes
}

/// One interleaving: `choices` says who has the next turn. Answers what came of it.
fn interleave(
    scene: &Scene,
    questions: &[Question],
    processes: Processes,
    trouble: Option<u64>,
    choices: &mut dyn FnMut(usize, &[usize]) -> usize,
) -> Outcome {
    let (engine, stores) = stores(scene, trouble.unwrap_or(1), processes, questions.len());
    engine.coming.is_in_trouble.store(trouble.is_some(), Ordering::Relaxed);
    let answers = run(&stores, questions, choices);
    engine.coming.is_in_trouble.store(false, Ordering::Relaxed);
    finish(engine.coming.make_late(&engine.engine));
    (answers, look(&stores[0]))
}

fn run(
    stores: &[SharedStore],
    questions: &[Question],
    choices: &mut dyn FnMut(usize, &[usize]) -> usize,
) -> Vec<String> {
    let mut running: Vec<Option<BoxFuture<'static, String>>> =
        questions.iter().zip(stores).map(|((_, ask), store)| Some(ask(store.clone()))).collect();
    let mut answers = vec![String::new(); questions.len()];
    let mut context = Context::from_waker(Waker::noop());
    for step in 0..100_000 {
        let able: Vec<usize> = (0..running.len()).filter(|place| running[*place].is_some()).collect();
        if able.is_empty() {
            return answers;
        }
        let chosen = choices(step, &able);
        if let Poll::Ready(answer) = running[chosen].as_mut().unwrap().as_mut().poll(&mut context) {
            answers[chosen] = answer;
            running[chosen] = None;
        }
    }
    panic!("the questions have no end")
}

fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_795_426_496_000 + milliseconds).unwrap()
}

fn identity(name: &str) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{name}")).unwrap()
}

fn pool_id() -> IdentityPoolId {
    IdentityPoolId::parse("us-east-1:aa").unwrap()
}

fn pool() -> IdentityPool {
    IdentityPool::new(
        pool_id(),
        PoolSettings { name: "pool".into(), ..PoolSettings::default() },
        PoolRoles::default(),
    )
}

fn public(provider: &str, user: &str) -> Login {
    Login { provider: LoginProvider::Public(provider.into()), user: user.into() }
}

fn session_id(number: u8) -> SignInSessionId {
    SignInSessionId::of_bytes([number; 16])
}

fn session(number: u8, of: &str) -> SignInSession {
    SignInSession {
        id: session_id(number),
        app: "web".into(),
        pool_id: pool_id(),
        identity_id: identity(of),
        provider: "snapchat".into(),
        upstream: Upstream { issuer: None, subject: "42".into(), session: None },
        login: Sealed(vec![number]),
        scope: Scope::default(),
        signed_in_at: None,
        checked_at: instant(0),
        key_thumbprint: None,
        device: None,
        generation: 0,
        created_at: instant(0),
        rotated_at: instant(0),
        late_at: None,
        idle_until: instant(3_600_000),
        ends_at: instant(7_200_000),
        ended: None,
    }
}

fn access_key_id(number: u64) -> AccessKeyId {
    AccessKeyId::generate_developer(&SeededRandom::new(number))
}

fn access_key(number: u64) -> StoredAccessKey {
    StoredAccessKey {
        id: access_key_id(number),
        name: UserName::parse("up").unwrap(),
        policy: format!("policy {number}"),
        sealed_secret: Sealed(vec![7]),
        created_at: instant(i64::try_from(number).unwrap()),
        enabled: true,
    }
}

fn signing_key(number: i64) -> StoredSigningKey {
    StoredSigningKey {
        key_id: format!("key-{number}"),
        algorithm: Algorithm::Rs512,
        sealed_private_key: Sealed(vec![8]),
        created_at: instant(number),
        signs_from: instant(number + 1_000),
    }
}

const IDENTITIES: [&str; 15] =
    ["01", "02", "03", "04", "05", "06", "10", "11", "12", "13", "14", "15", "16", "17", "18"];

fn all_logins() -> Vec<Login> {
    let developers = ["ada", "bob", "cyd", "dan", "eve"].map(Login::developer);
    developers.into_iter().chain([public("snap", "1"), public("goog", "2"), public("goog", "3")]).collect()
}

/// All that can be seen.
fn look(store: &SharedStore) -> String {
    finish(async {
        let mut seen = Vec::new();
        for id in IDENTITIES.map(identity) {
            let found = store.lookup_identity(&id).await.unwrap();
            let logins = store.lookup_identity_with_logins(&id).await.unwrap().map(|it| it.logins);
            let mut sessions = Vec::new();
            for session in store.list_sign_in_sessions(&id, instant(1)).await.unwrap() {
                sessions.push(session.id);
            }
            let standing = store.standing(&id, None, None).await.unwrap().revoked_until;
            seen.push(format!(
                "{id}: {:?} {logins:?} sessions {sessions:?} revoked {standing:?}",
                found.map(|it| (it.authenticated, it.disabled, it.created_at, it.modified_at))
            ));
        }
        for login in all_logins() {
            let owner =
                store.find_identity_by_login(&pool_id(), &login).await.unwrap().map(|it| it.identity.id);
            seen.push(format!("{login:?} -> {owner:?}"));
        }
        for number in 1..=6 {
            let found = store.find_sign_in_session(&session_id(number)).await.unwrap();
            seen.push(format!(
                "session {number}: {:?}",
                found.map(|it| (it.identity_id, it.generation, it.ended.map(|end| end.reason)))
            ));
        }
        let listed = store.list_identities(&pool_id(), false, Page { after: None, limit: 50 }).await.unwrap();
        seen.push(format!(
            "listed {:?}",
            listed.iter().map(|it| it.identity.id.to_string()).collect::<Vec<_>>()
        ));
        let keys = store.list_access_keys().await.unwrap();
        seen.push(format!(
            "keys {:?}",
            keys.iter().map(|it| (it.id.to_string(), it.enabled)).collect::<Vec<_>>()
        ));
        for number in 1..=4 {
            let key = store.lookup_access_key(&access_key_id(number)).await.unwrap();
            seen.push(format!("key {number}: {:?}", key.map(|it| (it.enabled, it.policy))));
        }
        let keys = store.list_signing_keys().await.unwrap();
        seen.push(format!("signing {:?}", keys.into_iter().map(|it| it.key_id).collect::<Vec<_>>()));
        seen.push(format!(
            "pool {:?}",
            store.lookup_pool(&pool_id()).await.unwrap().map(|it| (it.version, it.settings.name))
        ));
        seen.push(format!("names {:?}", store.configured_pools().await.unwrap().keys().collect::<Vec<_>>()));
        seen.join("\n")
    })
}

fn link(name: &str, logins: &[Login], to: Option<&str>, new: &str, at: i64) -> Question {
    let request = LinkRequest {
        pool_id: pool_id(),
        logins: logins.to_vec(),
        identity_id: to.map(identity),
        new_identity_id: identity(new),
        now: instant(at),
    };
    question(name, move |store| {
        let request = request.clone();
        async move { store.link_logins(&request).await }
    })
}

fn merge(source: &'static str, destination: &'static str, at: i64) -> Question {
    question(&format!("merge {source} into {destination}"), move |store| async move {
        let request = MergeRequest {
            pool_id: pool_id(),
            source: source.into(),
            destination: destination.into(),
            now: instant(at),
        };
        store.merge_developer_users(&request).await
    })
}

fn unlink(name: &str, of: &'static str, logins: Unlinked, at: i64) -> Question {
    question(&format!("unlink {name} of {of}"), move |store| {
        let request = UnlinkRequest { identity_id: identity(of), logins: logins.clone(), now: instant(at) };
        async move { store.unlink(&request).await }
    })
}

fn developer(user: &str) -> Unlinked {
    Unlinked::DeveloperUser { pool_id: pool_id(), user: user.into() }
}

fn delete(ids: &'static [&'static str]) -> Question {
    question(&format!("delete {ids:?}"), move |store| async move {
        let ids: Vec<IdentityId> = ids.iter().map(|id| identity(id)).collect();
        store.delete_identities(&ids).await
    })
}

fn add_session(number: u8, of: &'static str) -> Question {
    question(&format!("add session {number} of {of}"), move |store| async move {
        store.add_sign_in_session(&session(number, of), instant(1)).await
    })
}

fn add_pool() -> Question {
    question("add the pool", |store| async move {
        store.find_or_add_configured_pool("main", &pool()).await.map(drop)
    })
}

fn revoke(of: &'static str, at: i64) -> Question {
    question(&format!("revoke {of}"), move |store| async move {
        let target = RevocationTarget::Identity(identity(of));
        store.revoke_sessions(&target, Arc::new(ManualClock::at(instant(at)))).await
    })
}

/// 01 is ada with snap:1, 02 bob, 03 a guest, 05 eve into whom 04 was merged; each has a session.
fn people() -> Vec<Question> {
    vec![
        add_pool(),
        link("ada", &[Login::developer("ada"), public("snap", "1")], None, "01", 10),
        link("bob", &[Login::developer("bob")], None, "02", 20),
        question(
            "guest",
            |store| async move { store.add_guest(&pool_id(), &identity("03"), instant(30)).await },
        ),
        link("cyd", &[Login::developer("cyd")], None, "04", 40),
        link("eve", &[Login::developer("eve")], None, "05", 50),
        add_session(1, "01"),
        add_session(2, "02"),
        add_session(3, "04"),
        add_session(4, "05"),
        merge("cyd", "eve", 60),
        question("key 1", |store| async move { store.add_first_access_key(&access_key(1)).await }),
        question("key 2", |store| async move { store.add_further_access_key(&access_key(2)).await }),
        question(
            "disable 1",
            |store| async move { store.set_access_key_enabled(&access_key_id(1), false).await },
        ),
        question("signing key", |store| async move { store.add_signing_key(&signing_key(1), &[]).await }),
        question("grant", |store| async move { store.add_login_grant(&grant(), instant(0)).await }),
    ]
}

fn grant() -> StoredLoginGrant {
    StoredLoginGrant { code_hash: "code".into(), sealed: Sealed(vec![1]), expires_at: instant(60_000) }
}

fn about_people() -> Vec<Question> {
    vec![
        link("ada and bob are one", &[public("snap", "1"), Login::developer("bob")], None, "10", 100),
        merge("ada", "bob", 110),
        merge("bob", "ada", 120),
        merge("eve", "ada", 130),
        merge("bob", "eve", 135),
        link("the guest is goog:2", &[public("goog", "2")], Some("03"), "11", 140),
        link("the guest is bob", &[public("goog", "3"), Login::developer("bob")], Some("02"), "12", 145),
        link("the guest is snap:1", &[public("snap", "1")], Some("03"), "13", 146),
        link("dan", &[Login::developer("dan")], None, "14", 150),
        link("dan again", &[Login::developer("dan")], None, "15", 155),
        link("goog:2 and snap:1", &[public("goog", "2"), public("snap", "1")], None, "16", 160),
        link("dan and goog:2", &[public("goog", "2"), Login::developer("dan")], None, "17", 165),
        unlink("ada", "01", developer("ada"), 170),
        unlink("bob", "02", developer("bob"), 175),
        unlink("ada", "02", developer("ada"), 176),
        unlink(
            "snap",
            "01",
            Unlinked::Public { providers: vec!["snap".into()], proof: vec![public("snap", "1")] },
            180,
        ),
        link("ada", &[Login::developer("ada")], None, "18", 185),
        delete(&["01"]),
        delete(&["02"]),
        delete(&["01", "02"]),
        delete(&["03"]),
        delete(&["04"]),
        delete(&["05"]),
        question("find ada", |store| async move {
            store.find_identity_by_login(&pool_id(), &Login::developer("ada")).await
        }),
        question("find bob", |store| async move {
            store.find_identity_by_login(&pool_id(), &Login::developer("bob")).await
        }),
        question("add guest", |store| async move {
            store.add_guest(&pool_id(), &identity("06"), instant(190)).await
        }),
    ]
}

fn about_sessions() -> Vec<Question> {
    let replace = |number: u8, of: &'static str| {
        question(&format!("refresh {number}"), move |store| async move {
            let from = session(number, of);
            store.replace_sign_in_session(&from, &SignInSession { generation: 1, ..from.clone() }).await
        })
    };
    let end = |number: u8| {
        question(&format!("end {number}"), move |store| async move {
            let end = SessionEnd { at: instant(5), reason: EndReason::SignedOut };
            store.end_sign_in_session(&session_id(number), end).await
        })
    };
    let standing = |of: &'static str, number: u8| {
        question(&format!("standing of {of} in {number}"), move |store| async move {
            let standing = store.standing(&identity(of), None, Some(&session_id(number))).await?;
            // It is read in parts: what counts is whether somebody goes on.
            let lives = standing.identity.is_some_and(|it| !it.disabled);
            Ok(lives && standing.revoked_until.is_none() && standing.session.is_some())
        })
    };
    vec![
        replace(1, "01"),
        replace(3, "05"),
        end(1),
        end(3),
        add_session(5, "01"),
        add_session(6, "02"),
        revoke("01", 1_000),
        revoke("05", 1_000),
        standing("01", 1),
        standing("05", 3),
        question("find session 1", |store| async move {
            Ok(store
                .find_sign_in_session(&session_id(1))
                .await?
                .map(|it| (it.identity_id, it.generation, it.ended.map(|end| end.reason))))
        }),
        question("list sessions of 02", |store| async move {
            Ok(store
                .list_sign_in_sessions(&identity("02"), instant(1))
                .await?
                .into_iter()
                .map(|it| it.id)
                .collect::<Vec<_>>())
        }),
    ]
}

fn about_keys() -> Vec<Question> {
    let set = |number: u64, enabled: bool| {
        question(&format!("set {number} {enabled}"), move |store| async move {
            store.set_access_key_enabled(&access_key_id(number), enabled).await
        })
    };
    vec![
        set(1, true),
        set(2, false),
        set(2, true),
        question("add key 3", |store| async move { store.add_further_access_key(&access_key(3)).await }),
        question("add key 4", |store| async move { store.add_further_access_key(&access_key(4)).await }),
        question("add first key 4", |store| async move { store.add_first_access_key(&access_key(4)).await }),
        question(
            "find or add key 3",
            |store| async move { store.find_or_add_access_key(&access_key(3)).await },
        ),
        question("delete key 1", |store| async move { store.delete_access_key(&access_key_id(1)).await }),
        question("delete key 2", |store| async move { store.delete_access_key(&access_key_id(2)).await }),
        question("look up key 1", |store| async move { store.lookup_access_key(&access_key_id(1)).await }),
        question("look up key 2", |store| async move { store.lookup_access_key(&access_key_id(2)).await }),
        question("add signing key 2", |store| async move {
            store.add_signing_key(&signing_key(2), &["key-1".into()]).await
        }),
        question("add signing key 3", |store| async move {
            store.add_signing_key(&signing_key(3), &["key-1".into()]).await
        }),
        question("delete signing key 1", |store| async move {
            store.delete_signing_keys(&["key-1".into()]).await
        }),
        question(
            "use once",
            |store| async move { store.use_once("name", instant(60_000), instant(1)).await },
        ),
        question("redeem", |store| async move { store.redeem_login_grant("code", instant(1)).await }),
    ]
}

fn about_pools() -> Vec<Question> {
    vec![
        question("delete the pool", |store| async move { store.delete_pool(&pool_id()).await }),
        question("add the pool again", |store| async move { store.add_pool(&pool()).await }),
        question("find or add the pool", |store| async move {
            Ok(store.find_or_add_configured_pool("main", &pool()).await?.version)
        }),
        question("replace the pool", |store| async move {
            let settings = PoolSettings { name: "other".into(), ..PoolSettings::default() };
            store.replace_pool(&IdentityPool { settings, ..pool() }).await
        }),
        question("list identities", |store| async move {
            store.list_identities(&pool_id(), false, Page { after: None, limit: 50 }).await
        }),
    ]
}

/// As many times somebody else has a turn in the middle of a question, at most.
const SWITCHES: usize = 1;

/// Goes through all interleavings with so many switches, depth first.
fn explore(scene: &Scene, questions: &[Question], processes: Processes) -> Result<(), String> {
    let expected = expected(scene, questions);
    // The step at which somebody else gets the turn, and who.
    let mut pending: Vec<Vec<(usize, usize)>> = (0..questions.len()).map(|first| vec![(0, first)]).collect();
    while let Some(switches) = pending.pop() {
        let mut current = switches[0].1;
        let mut trace: Vec<(usize, usize, Vec<usize>)> = Vec::new();
        let outcome = interleave(scene, questions, processes, None, &mut |step, able| {
            if let Some((_, next)) = switches.iter().find(|(at, _)| *at == step) {
                current = *next;
            }
            if !able.contains(&current) {
                current = able[0];
            }
            trace.push((step, current, able.to_vec()));
            current
        });
        if !expected.contains(&outcome) {
            let names: Vec<_> = questions.iter().map(|(name, _)| name.as_str()).collect();
            let order: Vec<_> = trace.iter().map(|(_, who, _)| *who).collect();
            return Err(told(&names, &format!("{order:?} {processes:?}"), &outcome, &expected));
        }
        if switches.len() <= SWITCHES {
            let last = switches.last().unwrap().0;
            for (step, who, able) in trace {
                if step > last {
                    for next in able.into_iter().filter(|next| *next != who) {
                        let mut more = switches.clone();
                        more.push((step, next));
                        pending.push(more);
                    }
                }
            }
        }
    }
    Ok(())
}

fn told(names: &[&str], how: &str, outcome: &Outcome, expected: &BTreeSet<Outcome>) -> String {
    let closest = expected
        .iter()
        .map(|it| {
            let lines: Vec<String> = outcome
                .1
                .lines()
                .zip(it.1.lines())
                .filter(|(one, other)| one != other)
                .map(|(one, other)| format!("    is     {one}\n    not    {other}"))
                .chain(
                    outcome
                        .0
                        .iter()
                        .zip(&it.0)
                        .filter(|(one, other)| one != other)
                        .map(|(one, other)| format!("    answer {one}\n    not    {other}")),
                )
                .collect();
            lines
        })
        .min_by_key(Vec::len)
        .unwrap();
    format!("{names:?} as {how}:\n{}", closest.join("\n"))
}

fn explore_pairs(one: &[Question], other: &[Question], processes: Processes) {
    let scene = Scene::of(people());
    let mut failures = Vec::new();
    for (place, first) in one.iter().enumerate() {
        // The same question twice draws the same ID: not a race that can be.
        let others = if std::ptr::eq(one, other) { &other[place + 1..] } else { other };
        let explored = others.iter().map(|it| explore(&scene, &[first.clone(), it.clone()], processes));
        failures.extend(explored.filter_map(Result::err));
    }
    assert!(failures.is_empty(), "{} pairs:\n{}", failures.len(), failures.join("\n\n"));
}

/// Those of each kind, so that all their pairs are gone through in seconds.
fn some_about_people() -> Vec<Question> {
    let mut people = about_people();
    let some = [
        "ada and bob are one",
        "merge bob into ada",
        "merge eve into ada",
        "the guest is snap:1",
        "dan",
        "dan again",
        "unlink ada of 01",
        "delete [\"01\"]",
        "delete [\"04\"]",
        "delete [\"05\"]",
    ];
    people.retain(|(name, _)| some.contains(&name.as_str()));
    assert_eq!(people.len(), some.len());
    people
}

#[test]
fn people_meet_people() {
    let people = some_about_people();
    explore_pairs(&people, &people, Processes::Several);
}

#[test]
fn people_meet_sessions() {
    explore_pairs(&some_about_people(), &about_sessions(), Processes::Several);
}

#[test]
fn sessions_meet_sessions() {
    let sessions = about_sessions();
    explore_pairs(&sessions, &sessions, Processes::Several);
}

/// In one process: another one may take a key for what it was for two seconds.
#[test]
fn keys_meet_keys() {
    let keys = about_keys();
    explore_pairs(&keys, &keys, Processes::One);
}

#[test]
fn pools_meet_pools_and_sessions() {
    let pools = about_pools();
    explore_pairs(&pools, &pools, Processes::One);
    explore_pairs(&pools, &about_sessions(), Processes::One);
}

/// Draws questions and whose turn it is.
fn draw_many(
    all: &[Question],
    of: &[Processes],
    count: usize,
    seeds: std::ops::Range<u64>,
    in_trouble: bool,
) {
    let scene = Scene::of(people());
    let mut failures = Vec::new();
    for seed in seeds {
        let random: Box<dyn Random> = Box::new(SeededRandom::new(seed));
        let below = |end: usize| usize::from(u16::from_be_bytes(random.bytes())) % end;
        let mut questions: Vec<Question> = Vec::new();
        while questions.len() < count {
            let drawn = &all[below(all.len())];
            // The same question twice draws the same ID: not a race that can be.
            if questions.iter().all(|(name, _)| *name != drawn.0) {
                questions.push(drawn.clone());
            }
        }
        let processes = of[below(of.len())];
        let mut order = Vec::new();
        let outcome =
            interleave(&scene, &questions, processes, in_trouble.then_some(seed), &mut |_, able| {
                let last = order.last().copied().filter(|last| able.contains(last) && below(3) > 0);
                let next = last.unwrap_or_else(|| able[below(able.len())]);
                order.push(next);
                next
            });
        let expected = expected(&scene, &questions);
        // Whoever is in trouble may be told so.
        let is_refused = in_trouble && outcome.0.iter().any(|answer| answer.starts_with("refused"));
        if !is_refused && !expected.contains(&outcome) {
            let names: Vec<_> = questions.iter().map(|(name, _)| name.as_str()).collect();
            failures.push(told(&names, &format!("seed {seed} {order:?} {processes:?}"), &outcome, &expected));
        }
    }
    assert!(failures.is_empty(), "{} seeds:\n{}", failures.len(), failures.join("\n\n"));
}

const SEEDS: u64 = 300;

#[test]
fn three_meet() {
    let all: Vec<_> = about_people().into_iter().chain(about_sessions()).collect();
    draw_many(&all, &[Processes::One, Processes::Several], 3, 0..SEEDS, false);
    draw_many(&about_keys(), &[Processes::One], 3, 0..SEEDS, false);
}

#[test]
fn two_meet_in_trouble() {
    let all: Vec<_> = about_people().into_iter().chain(about_sessions()).collect();
    draw_many(&all, &[Processes::One, Processes::Several], 2, 0..SEEDS, true);
    draw_many(&about_keys(), &[Processes::One], 2, 0..SEEDS, true);
}
