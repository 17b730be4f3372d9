//! People whom nobody has met before, and what is asked about them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use daypass_core::ground::random::{Random, SeededRandom};

use super::history::{For, Ground, Id, Login, Question, Session, Told, User};
use crate::signer::Credentials;

/// As many are at the developer's.
const USERS: u16 = 5;
/// And the first of them at a public provider, too.
const PUBLIC_USERS: u16 = 3;

pub struct Scene {
    first: User,
    known: Mutex<Known>,
}

/// What somebody was told.
#[derive(Default, Clone)]
struct Known {
    identities: Vec<Id>,
    owners: BTreeMap<Login, Id>,
    held: Vec<Held>,
    sessions: Vec<Arc<HeldSession>>,
}

/// What counts for as long as its ground does.
#[derive(Clone)]
pub struct Held {
    pub ground: Ground,
    pub shown: Shown,
}

#[derive(Clone)]
pub enum Shown {
    Token(String),
    Credentials(Credentials),
}

pub struct HeldSession {
    pub session: Session,
    /// It counts once. Who was not answered shows the same again.
    pub refresh_token: Mutex<String>,
    /// Whoever shows it waits for the next.
    pub turn: Mutex<()>,
}

/// A question, and what it takes to ask it.
pub enum Task {
    Ask(Question),
    Show(Held),
    Refresh(Arc<HeldSession>),
    Revoke(Id),
}

impl Scene {
    pub fn new(number: u32) -> Self {
        Self { first: number * User::from(USERS), known: Mutex::default() }
    }

    pub fn users(&self) -> impl Iterator<Item = User> {
        self.first..self.first + User::from(USERS)
    }

    pub fn public_users(&self) -> impl Iterator<Item = User> {
        self.first..self.first + User::from(PUBLIC_USERS)
    }

    pub fn learn(&self, question: &Question, told: &Told) {
        let (Told::Identity(id), mut known) = (told, self.known.lock().unwrap()) else { return };
        if !known.identities.contains(id) {
            known.identities.push(id.clone());
        }
        match question {
            Question::LogIn { logins, .. } => {
                known.owners.extend(logins.iter().map(|login| (*login, id.clone())));
            }
            Question::LookUp(user) => _ = known.owners.insert(Login::Developer(*user), id.clone()),
            _ => {}
        }
    }

    pub fn hold(&self, held: Held) {
        self.known.lock().unwrap().held.push(held);
    }

    pub fn hold_session(&self, session: HeldSession) {
        self.known.lock().unwrap().sessions.push(Arc::new(session));
    }

    pub fn task(&self, random: &SeededRandom) -> Task {
        let user = || self.first + User::from(below(random, USERS));
        let public = || self.first + User::from(below(random, PUBLIC_USERS));
        let known = self.known.lock().unwrap().clone();
        let identity = || (!known.identities.is_empty()).then(|| one_of(random, &known.identities).clone());
        let developer = || Question::log_in(For::Token, Login::Developer(user()));
        Task::Ask(match below(random, 100) {
            0..15 => developer(),
            15..20 => Question::LogIn {
                want: For::Token,
                logins: vec![Login::Developer(user())],
                identity: identity(),
            },
            20..28 => Question::LogIn {
                want: For::Token,
                logins: vec![Login::Developer(user()), Login::Public(public())],
                identity: identity().filter(|_| below(random, 2) > 0),
            },
            28..34 => Question::log_in(For::Id, Login::Public(public())),
            34..42 => {
                let login = Login::Public(public());
                let owner = known.owners.get(&login).filter(|_| below(random, 4) > 0).cloned();
                match owner.or_else(identity) {
                    None => Question::log_in(For::Id, login),
                    identity => Question::LogIn { want: For::Credentials, logins: vec![login], identity },
                }
            }
            42..47 => Question::log_in(For::Session, Login::Developer(user())),
            47..52 => Question::Guest,
            52..59 => Question::Merge { source: user(), destination: user() },
            59..71 => {
                let login =
                    if below(random, 3) > 0 { Login::Developer(user()) } else { Login::Public(public()) };
                let owner = known.owners.get(&login).filter(|_| below(random, 4) > 0).cloned();
                let owner = owner.or_else(identity);
                owner.map_or_else(developer, |identity| Question::Unlink { identity, login })
            }
            71..74 if !known.identities.is_empty() => {
                let two: BTreeSet<Id> = [identity(), identity()].into_iter().flatten().collect();
                Question::Delete(two.into_iter().collect())
            }
            74..89 if !known.held.is_empty() => {
                return Task::Show(one_of(random, &known.held).clone());
            }
            89..94 if !known.sessions.is_empty() => {
                return Task::Refresh(one_of(random, &known.sessions).clone());
            }
            94..97 if !known.identities.is_empty() => {
                // Of somebody who is signed in, if anybody is.
                let sessions: Vec<Id> = known.sessions.iter().map(|it| it.session.identity.clone()).collect();
                let all = if sessions.is_empty() { &known.identities } else { &sessions };
                return Task::Revoke(one_of(random, all).clone());
            }
            _ => Question::LookUp(user()),
        })
    }

    /// Everything that may count at the end.
    pub fn left(&self) -> Vec<Task> {
        let Known { held, sessions, .. } = self.known.lock().unwrap().clone();
        held.into_iter().map(Task::Show).chain(sessions.into_iter().map(Task::Refresh)).collect()
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
