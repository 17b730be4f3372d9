//! Questions that meet: every interleaving of two of them, and some of three, call by call of the engine. Whatever comes of it has
//! to come of some order of them in the plainest store.

mod questions;
mod world;

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use self::questions::{Question, about_keys, about_people, about_pools, about_sessions, people};
use self::world::{finish, instant, look};
use super::between::{Asked, Between, Coming};
use super::engine::{Change, Engine, EngineError, Stamp};
use super::memory::MemoryEngine;
use super::{ItemStore, Pace};
use crate::ground::clock::ManualClock;
use crate::ground::random::{Random, SeededRandom};
use crate::store::SharedStore;
use crate::store::memory::MemoryStore;

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
    const TEARS: bool = true;

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
