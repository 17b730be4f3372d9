//! Three times as many requests as the server can sign tokens for: what is served is served soon, the rest hears at once
//! that it is not, and whoever asks whether the server lives gets an answer.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::requests::{Developer, Request, send_all};
use crate::server::Server;
use crate::statistics::Sample;
use crate::token::verdict;
use crate::{Outcome, Size, crowd};

/// Clients, each with one connection. A client sends when its time has come or, if it still waits then, right after:
/// what it waited for counts from when it should have sent.
const CLIENTS: usize = 1_200;
const TIMES: f64 = 3.0;
const USERS: usize = 1_000;
/// A client's thread holds little.
const STACK: usize = 128 * 1024;
const PROBES: u32 = 6;
/// A balancer gives a server as long.
const PATIENCE: Duration = Duration::from_secs(1);
const TARGET_SERVED_SECONDS: f64 = 1.0;

/// What became of a request.
struct Answered {
    served: bool,
    seconds: f64,
}

pub(crate) fn row(size: &Size) -> Outcome<()> {
    crate::logins::allow_sockets()?;
    let directory = tempfile::tempdir()?;
    let server = Server::start(directory.path())?;
    let developer = Developer::of(&server)?;
    let people = crowd::add(&directory.path().join("daypass.db"), &developer.pool_id, USERS)?;
    let make = |count: usize| -> Outcome<Vec<Request>> {
        (0..count).map(|number| developer.token_request(&people[number * 7919 % USERS].user)).collect()
    };
    let capacity = capacity(&developer, &make(size.overload_requests / 3)?)?;
    let requests = make(size.overload_requests)?;
    let (answers, alive) = overload(&developer, &requests, capacity * TIMES)?;
    print(&answers, alive, capacity);
    server.stop()
}

/// Requests a second when nobody waits but for an answer.
fn capacity(developer: &Developer, requests: &[Request]) -> Outcome<f64> {
    let started = Instant::now();
    send_all(&developer.url, requests, 32)?;
    Ok(f64::from(u32::try_from(requests.len())?) / started.elapsed().as_secs_f64())
}

/// Waits until it is time.
#[expect(clippy::disallowed_methods, reason = "the clients of a benchmark keep the real time")]
fn wait_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

/// Sends all requests at a rate, and asks a few times meanwhile whether the server lives.
fn overload(developer: &Developer, requests: &[Request], rate: f64) -> Outcome<(Vec<Answered>, u32)> {
    let start = Barrier::new(CLIENTS + 2);
    let lasts = Duration::from_secs_f64(f64::from(u32::try_from(requests.len())?) / rate);
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for first in 0..CLIENTS {
            let start = &start;
            let client = move || -> Outcome<Vec<Answered>> {
                let connection = Connection::open(&developer.url);
                start.wait();
                let (mut connection, began) = (connection?, Instant::now());
                let mine = requests.iter().enumerate().skip(first).step_by(CLIENTS);
                mine.map(|(number, request)| {
                    let due = began + Duration::from_secs_f64(f64::from(u32::try_from(number)?) / rate);
                    wait_until(due);
                    let served = request.is_served(&mut connection)?;
                    Ok(Answered { served, seconds: due.elapsed().as_secs_f64() })
                })
                .collect()
            };
            clients.push(thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client)?);
        }
        let prober = scope.spawn(|| {
            start.wait();
            (0..PROBES).filter(|_| lives(&developer.url, lasts / PROBES)).count()
        });
        start.wait();
        let mut answers = Vec::new();
        for client in clients {
            answers.extend(client.join().map_err(|_| "a client panicked")??);
        }
        let alive = prober.join().map_err(|_| "the prober panicked")?;
        Ok((answers, u32::try_from(alive)?))
    })
}

/// Whether `/healthz` answers on a new connection before a balancer's patience ends, asked after a pause.
fn lives(url: &str, pause: Duration) -> bool {
    wait_until(Instant::now() + pause);
    let asked = Instant::now();
    let answer = Connection::open(url).and_then(|mut connection| connection.get("/healthz"));
    answer.is_ok_and(|answer| answer.status == 200) && asked.elapsed() < PATIENCE
}

fn print(answers: &[Answered], alive: u32, capacity: f64) {
    let of = |served: bool| {
        answers.iter().filter(move |answer| answer.served == served).map(|answer| answer.seconds)
    };
    let (served, refused) = (of(true).count(), of(false).count());
    println!("\n{TIMES} times the capacity of {capacity:.0} tokens a second, {CLIENTS} connections");
    let median = Sample::of(of(true)).median();
    println!(
        "  served {served}, median {median:.2} s   target ≤ {TARGET_SERVED_SECONDS} s: {}",
        verdict(median <= TARGET_SERVED_SECONDS)
    );
    if refused > 0 {
        println!("  refused {refused}, median {:.3} s", Sample::of(of(false)).median());
    }
    println!("  /healthz answered {alive} of {PROBES}: {}", verdict(alive == PROBES));
}
