//! Clients that meet at a few users, and remember what they asked and were told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daypass_core::ground::random::{Random, SeededRandom};
use serde_json::{Value, json};

use super::history::{Entry, Id, Question, Refusal, Told, User};
use crate::asking::{Answer, Backend, Unanswered};
use crate::nodes::pause;

/// Those of one scene meet, and nobody else meets them.
const CLIENTS: usize = 8;
const USERS: u16 = 5;
const QUESTIONS_OF_EACH: usize = 8;

/// Nobody asks one question after the other of those who cannot answer.
const AFTER_A_FAILURE: Duration = Duration::from_millis(400);

/// Longer than any trouble.
const PATIENCE: Duration = Duration::from_secs(30);

const PROVIDER: &str = "login.example.com";

pub fn user_name(user: User) -> String {
    format!("user-{user}")
}

pub struct Clients<'a> {
    backend: &'a Backend,
    addresses: &'a Mutex<[SocketAddr; 3]>,
    pool: &'a str,
    seed: u64,
    begun: Instant,
    users: AtomicU32,
    /// Requests that were answered with what has to be in the trail.
    pub acknowledged: Mutex<BTreeSet<String>>,
}

/// Users that nobody has met before.
struct Scene {
    first: User,
    known: Mutex<Known>,
}

/// What somebody was told.
#[derive(Default, Clone)]
struct Known {
    identities: Vec<Id>,
    owners: BTreeMap<User, Id>,
}

impl Known {
    fn learn(&mut self, question: &Question, id: &Id) {
        if !self.identities.contains(id) {
            self.identities.push(id.clone());
        }
        if let Question::Token { user, .. } | Question::LookUp(user) = question {
            self.owners.insert(*user, id.clone());
        }
    }
}

impl<'a> Clients<'a> {
    pub fn new(
        backend: &'a Backend,
        addresses: &'a Mutex<[SocketAddr; 3]>,
        pool: &'a str,
        seed: u64,
    ) -> Self {
        let (begun, users, acknowledged) = (Instant::now(), AtomicU32::new(0), Mutex::default());
        Self { backend, addresses, pool, seed, begun, users, acknowledged }
    }

    /// One scene after the other. At the end of each, everybody is looked up.
    pub fn play(&self, number: u64, end: Instant) -> Vec<Entry> {
        let mut history = Vec::new();
        for round in 0.. {
            if Instant::now() >= end {
                break;
            }
            let first = self.users.fetch_add(USERS.into(), Ordering::Relaxed);
            let scene = Scene { first, known: Mutex::default() };
            let client = |client: u64| {
                let random = SeededRandom::new(self.seed ^ (number << 48) ^ (round << 16) ^ client);
                let questions =
                    (0..QUESTIONS_OF_EACH).map(|_| self.ask(scene.question(&random), &random, &scene));
                questions.collect::<Vec<Entry>>()
            };
            thread::scope(|scope| {
                let client = &client;
                let clients: Vec<_> = (0..CLIENTS as u64).map(|it| scope.spawn(move || client(it))).collect();
                history.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
            });
            let random = SeededRandom::new(self.seed);
            let random = &random;
            let looking =
                (first..first + User::from(USERS)).flat_map(|user| self.look_up(user, random, &scene));
            history.extend(looking);
        }
        history
    }

    /// Until there is an answer.
    fn look_up(&self, user: User, random: &SeededRandom, scene: &Scene) -> Vec<Entry> {
        let (begun, mut history) = (Instant::now(), Vec::<Entry>::new());
        while history.last().is_none_or(|entry| entry.told.is_none()) {
            assert!(begun.elapsed() < PATIENCE, "{} cannot be looked up any more", user_name(user));
            history.push(self.ask(Question::LookUp(user), random, scene));
        }
        history
    }

    /// A node that is not there was asked nothing, and another one is.
    fn ask(&self, question: Question, random: &SeededRandom, scene: &Scene) -> Entry {
        let (operation, body) = self.request(&question);
        loop {
            let node = *one_of(random, &*self.addresses.lock().unwrap());
            let asked = self.begun.elapsed();
            let answer = match self.backend.ask(node, operation, &body) {
                Err(Unanswered::Unasked) => {
                    pause(Duration::from_millis(5));
                    continue;
                }
                answer => answer.ok().filter(|answer| answer.status < 500),
            };
            if answer.is_none() {
                pause(AFTER_A_FAILURE);
            }
            let told = answer.map(|answer| (self.begun.elapsed(), self.told(&question, answer)));
            if let Some((_, Told::Identity(id))) = &told {
                scene.known.lock().unwrap().learn(&question, id);
            }
            return Entry { asked, question, told };
        }
    }

    fn request(&self, question: &Question) -> (&'static str, Value) {
        let pool = self.pool;
        match question {
            Question::Token { user, identity } => {
                let mut body = json!({"IdentityPoolId": pool, "Logins": {PROVIDER: user_name(*user)}});
                if let Some(id) = identity {
                    body["IdentityId"] = (**id).into();
                }
                ("GetOpenIdTokenForDeveloperIdentity", body)
            }
            Question::Guest => ("GetId", json!({"IdentityPoolId": pool})),
            Question::Merge { source, destination } => (
                "MergeDeveloperIdentities",
                json!({"IdentityPoolId": pool, "DeveloperProviderName": PROVIDER, "SourceUserIdentifier": user_name(*source),
                       "DestinationUserIdentifier": user_name(*destination)}),
            ),
            Question::Unlink { identity, user } => (
                "UnlinkDeveloperIdentity",
                json!({"IdentityPoolId": pool, "DeveloperProviderName": PROVIDER, "IdentityId": **identity,
                       "DeveloperUserIdentifier": user_name(*user)}),
            ),
            Question::Delete(ids) => {
                let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
                ("DeleteIdentities", json!({"IdentityIdsToDelete": ids}))
            }
            Question::LookUp(user) => (
                "LookupDeveloperIdentity",
                json!({"IdentityPoolId": pool, "DeveloperUserIdentifier": user_name(*user), "MaxResults": 1}),
            ),
        }
    }

    fn told(&self, question: &Question, answer: Answer) -> Told {
        if answer.status != 200 {
            return Told::Refused(refusal(&answer));
        }
        if !matches!(question, Question::Guest | Question::LookUp(_)) {
            self.acknowledged.lock().unwrap().insert(answer.request_id);
        }
        match question {
            Question::Unlink { .. } | Question::Delete(_) => Told::Done,
            _ => Told::Identity(answer.body["IdentityId"].as_str().unwrap().into()),
        }
    }
}

fn refusal(answer: &Answer) -> Refusal {
    let message = answer.body["message"].as_str().unwrap_or_default();
    match answer.exception() {
        Some("ResourceNotFoundException") if message.starts_with("Identity ") => Refusal::NoSuchIdentity,
        Some("ResourceNotFoundException") if message.starts_with("Developer user") => Refusal::NoSuchUser,
        Some("NotAuthorizedException") if message.starts_with("Access to Identity") => Refusal::Disabled,
        Some("NotAuthorizedException") if message.starts_with("Logins don't match") => {
            Refusal::NotAmongItsLogins
        }
        Some("DeveloperUserAlreadyRegisteredException" | "ResourceConflictException") => {
            Refusal::OfAnotherIdentity
        }
        _ => panic!("{answer:?}"),
    }
}

impl Scene {
    fn question(&self, random: &SeededRandom) -> Question {
        let user = || self.first + User::from(below(random, USERS));
        let Known { identities, owners } = self.known.lock().unwrap().clone();
        let identity = || (!identities.is_empty()).then(|| one_of(random, &identities).clone());
        let token = || Question::Token { user: user(), identity: None };
        match below(random, 100) {
            0..30 => token(),
            30..42 => Question::Token { user: user(), identity: identity() },
            42..50 => Question::Guest,
            50..62 => Question::Merge { source: user(), destination: user() },
            62..84 => {
                let user = user();
                let owner = owners.get(&user).filter(|_| below(random, 4) > 0).cloned();
                owner.or_else(identity).map_or_else(token, |identity| Question::Unlink { identity, user })
            }
            84..89 if !identities.is_empty() => {
                let two: BTreeSet<Id> = [identity(), identity()].into_iter().flatten().collect();
                Question::Delete(two.into_iter().collect())
            }
            _ => Question::LookUp(user()),
        }
    }
}

/// Any below a limit.
pub fn below(random: &SeededRandom, limit: u16) -> u16 {
    let random: &dyn Random = random;
    u16::from_le_bytes(random.bytes()) % limit
}

/// Any of several.
pub fn one_of<'a, T>(random: &SeededRandom, things: &'a [T]) -> &'a T {
    &things[usize::from(below(random, u16::MAX)) % things.len()]
}
