//! Where each microsecond of a developer token goes. Nothing is measured inside the server, which would have to be built for it:
//! requests that need more and more of what a token needs are asked for by turns, and the differences are what is added. The
//! kernel tells besides which of the server's threads worked, and how much of it was the kernel itself.

use std::collections::BTreeMap;

use serde_json::json;

use crate::cpu::{self, Used};
use crate::requests::{Request, repeat};
use crate::scene::{CONNECTIONS, Scene};
use crate::signature::Yardstick;
use crate::size::Size;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

/// Distinct requests of a kind, which are sent over and over.
const DISTINCT: usize = 256;

/// What the server does for a request, and a little more than for the one before.
struct Rung {
    adds: &'static str,
    request: fn(&Scene, usize) -> Outcome<Request>,
}

/// The last is the token, which adds the signature and whatever is left.
const RUNGS: [Rung; 4] = [
    Rung { adds: "HTTP, in and out: `/healthz`", request: |_, _| Ok(Request::get("/healthz")) },
    Rung { adds: "+ who calls: SigV4, the key (GetCallerIdentity)", request: caller },
    Rung { adds: "+ policy, operation, one read (LookupDeveloperIdentity)", request: lookup },
    Rung { adds: LEFT, request: token },
];
const SIGNATURE: &str = "+ the bare RSA-2048 signature";
const LEFT: &str = "+ what is left: claims, the trail, the log";
const ALL: &str = "= a developer token";
/// Threads that take less of a token are not listed.
const LEAST_SHARE: f64 = 0.005;

fn caller(scene: &Scene, _: usize) -> Outcome<Request> {
    scene.developer.signed("sts", Request::query("GetCallerIdentity", &json!({})))
}

fn lookup(scene: &Scene, number: usize) -> Outcome<Request> {
    let person = &scene.people[number % scene.people.len()];
    let input = json!({"IdentityPoolId": scene.developer.pool_id, "DeveloperUserIdentifier": person.user});
    scene.developer.signed("cognito-identity", Request::json("LookupDeveloperIdentity", &input))
}

fn token(scene: &Scene, number: usize) -> Outcome<Request> {
    scene.developer.token_request(&scene.people[number % scene.people.len()].user)
}

/// What one round measured, for each request, in microseconds.
struct Round {
    signature: f64,
    rungs: Vec<Used>,
    /// What each thread did for a token.
    threads: BTreeMap<String, Used>,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let (scene, yardstick) = (Scene::set(0)?, Yardstick::new()?);
    // Whatever is done once, such as planning statements, is done before.
    Round::measure(&scene, &yardstick, size)?;
    let rounds = (0..size.rounds).map(|round| {
        progress::say(&format!("stages, round {} of {}", round + 1, size.rounds));
        Round::measure(&scene, &yardstick, size)
    });
    let rounds = rounds.collect::<Outcome<Vec<_>>>()?;
    scene.server.stop()?;
    Ok(vec![stages(&rounds), threads(&rounds)])
}

impl Round {
    fn measure(scene: &Scene, yardstick: &Yardstick, size: &Size) -> Outcome<Self> {
        let signature = yardstick.measure(size.signatures_per_round / 2)? * 1e6;
        let (mut rungs, mut threads) = (Vec::new(), BTreeMap::new());
        let process = scene.server.process_id();
        for rung in &RUNGS {
            let requests = (0..DISTINCT).map(|number| (rung.request)(scene, number));
            let requests = requests.collect::<Outcome<Vec<_>>>()?;
            let (before, threads_before) = (cpu::of(process)?, cpu::of_threads(process)?);
            repeat(&scene.developer.url, &requests, size.requests_per_round as usize, CONNECTIONS)?;
            rungs.push(each(cpu::of(process)? - before, size.requests_per_round));
            threads = cpu::of_threads(process)?;
            for (name, used) in &mut threads {
                let before = threads_before.get(name).copied().unwrap_or_default();
                *used = each(*used - before, size.requests_per_round);
            }
        }
        Ok(Self { signature, rungs, threads })
    }

    /// What a rung adds to the one before.
    fn added(&self, rung: usize) -> Used {
        let before = if rung == 0 { Used::default() } else { self.rungs[rung - 1] };
        self.rungs[rung] - before
    }

    fn token(&self) -> Used {
        self.rungs[RUNGS.len() - 1]
    }
}

/// Microseconds of one of so many requests.
fn each(used: Used, requests: u32) -> Used {
    let scale = 1e6 / f64::from(requests);
    Used { user: used.user * scale, kernel: used.kernel * scale }
}

fn stages(rounds: &[Round]) -> Table {
    let columns = [
        Column::less("CPU", "µs", 1),
        Column::less("in the kernel", "µs", 1),
        Column::less("÷ signature", "", 2),
    ];
    let mut table = Table::new("stages", "Where a developer token's time goes", columns).note(format!(
        "{CONNECTIONS} connections. Each line is what a request needs beyond the line before."
    ));
    let last = RUNGS.len() - 1;
    for (number, rung) in RUNGS.iter().enumerate().take(last) {
        table.row(rung.adds, cells(rounds, |round| round.added(number)));
    }
    let signature = |round: &Round| Used { user: round.signature, kernel: 0.0 };
    table.row(SIGNATURE, cells(rounds, signature));
    table.row(LEFT, cells(rounds, |round| round.added(last) - signature(round)));
    table.row(ALL, cells(rounds, Round::token));
    table
}

fn cells(rounds: &[Round], of: impl Fn(&Round) -> Used) -> [Option<Cell>; 3] {
    let cell = |figure: &dyn Fn(&Round) -> f64| Some(Cell::of(rounds.iter().map(figure)));
    [
        cell(&|round| of(round).total()),
        cell(&|round| of(round).kernel),
        cell(&|round| of(round).total() / round.signature),
    ]
}

fn threads(rounds: &[Round]) -> Table {
    let columns = [Column::less("CPU", "µs", 1), Column::less("in the kernel", "µs", 1)];
    let mut table = Table::new("threads", "The same by the server's threads", columns)
        .note("By the names that the kernel has for them, which are cut at 15 characters.");
    let used = |round: &Round, name: &str| round.threads.get(name).copied().unwrap_or_default();
    for name in
        rounds.iter().flat_map(|round| round.threads.keys()).collect::<std::collections::BTreeSet<_>>()
    {
        let cpu = Cell::of(rounds.iter().map(|round| used(round, name).total()));
        let all = Cell::of(rounds.iter().map(|round| round.token().total()));
        if cpu.rounds.median() >= all.rounds.median() * LEAST_SHARE {
            let kernel = Cell::of(rounds.iter().map(|round| used(round, name).kernel));
            table.row(name.clone(), [Some(cpu), Some(kernel)]);
        }
    }
    table
}
