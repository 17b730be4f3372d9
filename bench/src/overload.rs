//! Three times as many requests as the server can sign tokens for: what is served is served soon, the rest hears at once
//! that it is not, and whoever asks whether the server lives gets an answer.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::cores::Halves;
use crate::http::Connection;
use crate::open_loop::wait_until;
use crate::requests::{Developer, Request, send_all};
use crate::server::Server;
use crate::size::Size;
use crate::statistics::{Sample, as_float};
use crate::table::{Cell, Column, Table};
use crate::{Outcome, crowd};

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

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    crate::logins::allow_sockets()?;
    let halves = Halves::of_this_machine()?;
    let directory = tempfile::tempdir()?;
    let server = halves.for_the_server(|| Server::start(directory.path()))?;
    let developer = Developer::of(&server)?;
    let people = crowd::add(&directory.path().join("daypass.db"), &developer.pool_id, USERS)?;
    let make = |count: usize| -> Outcome<Vec<Request>> {
        (0..count).map(|number| developer.token_request(&people[number * 7919 % USERS].user)).collect()
    };
    let first = make(size.overload_requests / 3)?;
    let capacity = halves.for_clients(|| capacity(&developer, &first))?;
    let requests = make(size.overload_requests)?;
    // A thousand clients on the server's cores would take its turns from it: it would not have too much to do, but nothing to do it with.
    let (answers, alive) = halves.for_clients(|| overload(&developer, &requests, capacity * TIMES))?;
    server.stop()?;
    Ok(vec![table(&answers, alive, capacity, halves.each)])
}

/// Requests a second when nobody waits but for an answer.
fn capacity(developer: &Developer, requests: &[Request]) -> Outcome<f64> {
    let started = Instant::now();
    send_all(&developer.url, requests, 32)?;
    Ok(f64::from(u32::try_from(requests.len())?) / started.elapsed().as_secs_f64())
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

fn table(answers: &[Answered], alive: u32, capacity: f64, cores: usize) -> Table {
    let columns = [Column::more("requests", "", 0), Column::less("median", "s", 3)];
    let title = format!("{TIMES} times what the server signs tokens for, {CLIENTS} connections");
    let mut table = Table::new("overload", &title, columns)
        .note(format!(
            "It signs {capacity:.0} a second for clients that wait for their answers. The server has {cores} of the cores, and the \
             clients as many others."
        ));
    for (name, served) in [("served", true), ("refused at once", false)] {
        let of_these = answers.iter().filter(|answer| answer.served == served);
        let seconds: Vec<f64> = of_these.map(|answer| answer.seconds).collect();
        let waited = (!seconds.is_empty()).then(|| Cell::of([Sample::of(seconds.iter().copied()).median()]));
        let waited = if served { waited.map(|cell| cell.at_most(TARGET_SERVED_SECONDS)) } else { waited };
        table.row(name, [Some(Cell::of([as_float(seconds.len())])), waited]);
    }
    let probes = Cell::of([f64::from(alive)]).at_least(f64::from(PROBES));
    table.row("`/healthz`, answered within a second", [Some(probes), None]);
    table
}
