//! Clients that meet at a few people, and remember what they asked and were told.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use daypass_core::ground::clock::{Clock, SystemClock, Timestamp};
use daypass_core::ground::random::SeededRandom;

use super::addresses::Addresses;
use super::history::{Entry, For, Ground, Id, Login, Question, Session, Span, Told};
use super::requests::{Requests, credentials, part, refusal};
use super::scene::{Held, HeldSession, Scene, Shown, Task, one_of};
use crate::asking::{self, Answer, Unanswered};
use crate::nodes::pause;
use crate::server::Installation;

/// Those of one scene meet, and nobody else meets them. With each more, and with each answer that is lost, the search takes a
/// multiple: a machine on which many are lost needs room there.
const CLIENTS: usize = 6;
const QUESTIONS_OF_EACH: usize = 8;

/// Nobody asks one question after the other of those who cannot answer.
pub const AFTER_A_FAILURE: Duration = Duration::from_millis(400);

/// Longer than any trouble, and than a few questions that get no answer.
pub const PATIENCE: Duration = asking::PATIENCE.saturating_mul(4);

pub struct Clients<'a> {
    pub requests: Requests<'a>,
    pub installation: &'a Installation,
    pub addresses: &'a Addresses,
    pub seed: u64,
    pub begun: Instant,
    pub scenes: AtomicU32,
    /// Requests that were answered with what has to be in the trail.
    pub acknowledged: Mutex<BTreeSet<String>>,
    /// Every token, and when it was handed out.
    pub tokens: Mutex<Vec<(Duration, String)>>,
}

impl Clients<'_> {
    /// One scene after the other. At the end of each, everybody is looked up, and everything is shown once more.
    pub fn play(&self, number: u64, end: Instant) -> Vec<Entry> {
        let mut history = Vec::new();
        for round in 0.. {
            if Instant::now() >= end {
                break;
            }
            let scene = Scene::new(self.scenes.fetch_add(1, Ordering::Relaxed));
            let client = |client: u64| {
                let random = SeededRandom::new(self.seed ^ (number << 48) ^ (round << 16) ^ client);
                let questions =
                    (0..QUESTIONS_OF_EACH).map(|_| self.ask(&scene.task(&random), &random, &scene));
                questions.collect::<Vec<Entry>>()
            };
            thread::scope(|scope| {
                let client = &client;
                let clients: Vec<_> = (0..CLIENTS as u64).map(|it| scope.spawn(move || client(it))).collect();
                history.extend(clients.into_iter().flat_map(|client| client.join().unwrap()));
            });
            let random = &SeededRandom::new(self.seed ^ round);
            history.extend(scene.left().iter().map(|task| self.ask(task, random, &scene)));
            let public = scene.public_users().map(|it| Question::log_in(For::Id, Login::Public(it)));
            for question in public.chain(scene.users().map(Question::LookUp)) {
                history.extend(self.ask_until_answered(question, random, &scene));
            }
        }
        history
    }

    fn ask_until_answered(&self, question: Question, random: &SeededRandom, scene: &Scene) -> Vec<Entry> {
        let (begun, mut history) = (Instant::now(), Vec::<Entry>::new());
        let task = Task::Ask(question);
        while history.last().is_none_or(|entry| entry.told.is_none()) {
            assert!(begun.elapsed() < PATIENCE, "nobody answers any more: {:?}", history[0].question);
            history.push(self.ask(&task, random, scene));
        }
        history
    }

    fn ask(&self, task: &Task, random: &SeededRandom, scene: &Scene) -> Entry {
        let entry = match task {
            Task::Ask(question) => self.ask_a_node(question.clone(), task, random, scene),
            Task::Show(held) => self.ask_a_node(Question::Use(held.ground.clone()), task, random, scene),
            Task::Refresh(held) => {
                let _turn = held.turn.lock().unwrap();
                self.ask_a_node(Question::Refresh(held.session.clone()), task, random, scene)
            }
            Task::Revoke(id) => self.revoke(id),
        };
        if let Some((_, told)) = &entry.told {
            scene.learn(&entry.question, told);
        } else {
            pause(AFTER_A_FAILURE);
        }
        entry
    }

    /// A node that is not there was asked nothing, and another one is.
    fn ask_a_node(&self, question: Question, task: &Task, random: &SeededRandom, scene: &Scene) -> Entry {
        loop {
            let node = *one_of(random, &self.addresses.all());
            let (asked, from) = (self.begun.elapsed(), now());
            let answer = match self.requests.put(node, task) {
                Err(Unanswered::Unasked) => {
                    pause(Duration::from_millis(5));
                    continue;
                }
                answer => answer.ok().filter(|answer| answer.status < 500 && self.addresses.has(node)),
            };
            let (at, span) = (self.begun.elapsed(), Span { from, until: now() });
            let told = answer.and_then(|answer| self.told(&question, task, &answer, (at, span), scene));
            return Entry { asked, question, told: told.map(|told| (at, told)) };
        }
    }

    /// By the command, which tells until when, to the second.
    fn revoke(&self, id: &Id) -> Entry {
        let (asked, from) = (self.begun.elapsed(), now());
        let done = self.installation.run(&["revoke", id]);
        let mut until = Span { from, until: now() };
        if done.success {
            let told = done.stdout.split("began until ").nth(1).unwrap().split(' ').next().unwrap();
            let second = told.parse::<Timestamp>().unwrap().as_millisecond();
            assert!(until.from < second + 1000 && second <= until.until, "{told} is not now");
            until = Span { from: until.from.max(second), until: until.until.min(second + 1000) };
        }
        let told = done.success.then(|| (self.begun.elapsed(), Told::Done));
        Entry { asked, question: Question::Revoke { identity: id.clone(), until }, told }
    }

    fn told(
        &self,
        question: &Question,
        task: &Task,
        answer: &Answer,
        (at, span): (Duration, Span),
        scene: &Scene,
    ) -> Option<Told> {
        if answer.status != 200 {
            return refusal(task, answer).map(Told::Refused);
        }
        let is_of_sts = answer.body.is_string();
        if !matches!(question, Question::Guest | Question::LookUp(_)) && !is_of_sts {
            self.acknowledged.lock().unwrap().insert(answer.request_id.clone());
        }
        let text = |name: &str| answer.body[name].as_str().unwrap();
        Some(match question {
            Question::Unlink { .. } | Question::Delete(_) | Question::Revoke { .. } => Told::Done,
            Question::LogIn { want: For::Token, logins, .. } => {
                let id: Id = text("IdentityId").into();
                self.hold_token(scene, text("Token"), (at, span), (&id, logins.clone(), None));
                Told::Identity(id)
            }
            Question::LogIn { want: For::Credentials, logins, .. } => {
                let identity: Id = text("IdentityId").into();
                let ground = Ground {
                    identity: identity.clone(),
                    logins: logins.clone(),
                    issued: span,
                    session: None,
                };
                scene.hold(Held { ground, shown: Shown::Credentials(credentials(answer)) });
                Told::Identity(identity)
            }
            Question::LogIn { want: For::Session, logins, .. } => {
                let [Login::Developer(user)] = logins[..] else { unreachable!("a session is of a user") };
                let identity: Id = text("identity_id").into();
                let id = text("session_id").into();
                let session = Session { id, user, identity: identity.clone(), begun: span };
                let about = (&identity, logins.clone(), Some(session.clone()));
                self.hold_token(scene, text("access_token"), (at, span), about);
                let refresh_token = Mutex::new(text("refresh_token").to_owned());
                scene.hold_session(HeldSession { session, refresh_token, turn: Mutex::default() });
                Told::Identity(identity)
            }
            Question::LogIn { .. } | Question::Guest | Question::Merge { .. } | Question::LookUp(_) => {
                Told::Identity(text("IdentityId").into())
            }
            Question::Use(ground) => {
                if !is_of_sts {
                    scene.hold(Held {
                        ground: ground.clone(),
                        shown: Shown::Credentials(credentials(answer)),
                    });
                }
                Told::Done
            }
            Question::Refresh(session) => {
                let Task::Refresh(held) = task else { unreachable!("the task of the question") };
                text("refresh_token").clone_into(&mut held.refresh_token.lock().unwrap());
                let identity: Id = text("identity_id").into();
                let about = (&identity, vec![Login::Developer(session.user)], Some(session.clone()));
                self.hold_token(scene, text("access_token"), (at, span), about);
                Told::Identity(identity)
            }
        })
    }

    /// A token says when it was issued, which has to be while it was asked for.
    fn hold_token(
        &self,
        scene: &Scene,
        token: &str,
        (at, span): (Duration, Span),
        (identity, logins, session): (&Id, Vec<Login>, Option<Session>),
    ) {
        let issued = part(token, 1)["iat_ms"].as_i64().unwrap();
        assert!((span.from..=span.until).contains(&issued), "{issued} is not in {span:?}");
        let issued = Span { from: issued, until: issued };
        let ground = Ground { identity: identity.clone(), logins, issued, session };
        scene.hold(Held { ground, shown: Shown::Token(token.to_owned()) });
        self.tokens.lock().unwrap().push((at, token.to_owned()));
    }
}

fn now() -> i64 {
    SystemClock.now().as_millisecond()
}
