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
use crate::{Outcome, crowd, open_loop};

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
/// A load that a server is made for, and how much longer than the median there the slowest may wait that are served now.
const USUAL: f64 = 0.8;
const TARGET_TIMES_THE_MEDIAN: f64 = 5.0;
const TARGET_GOODPUT: f64 = 0.9;
const TARGET_RECOVERY_SECONDS: f64 = 5.0;
/// Under three times the load, one in three is served, too: only so many in a row show that the load is over.
const IN_A_ROW: usize = 50;
/// How often it is tried again afterwards, and for how long.
const TRYING: Duration = Duration::from_millis(20);
const P99_BY_USUAL: &str = "p99 ÷ median at 80 %";
const NEVER: Duration = Duration::from_mins(1);

/// What became of a request.
struct Answered {
    served: bool,
    seconds: f64,
}

/// So many requests a second, and for how long.
#[derive(Clone, Copy)]
struct Load {
    rate: f64,
    lasts: Duration,
}

/// What became of all of them.
struct Storm {
    answers: Vec<Answered>,
    /// How often the server said in time that it lives.
    alive: u32,
    /// From the first request to the last answer.
    seconds: f64,
    /// From when the last request was due until one client was served as often in a row, and soon.
    recovered: f64,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    crate::logins::allow_sockets()?;
    let halves = Halves::of_this_machine()?;
    let directory = tempfile::tempdir()?;
    let server = halves.for_the_server(|| Server::start(directory.path()))?;
    let developer = Developer::of(&server)?;
    let people = crowd::add(&directory.path().join("daypass.db"), &developer.pool_id, USERS)?;
    let requests: Vec<Request> = (0..size.overload_requests)
        .map(|number| developer.token_request(&people[number * 7919 % USERS].user))
        .collect::<Outcome<_>>()?;
    let capacity = halves.for_clients(|| capacity(&developer, &requests))?;
    let usual = halves.for_clients(|| open_loop::send(&developer.url, &requests, capacity * USUAL))?;
    let usual = Sample::of(usual.waited).median();
    let soon = Duration::from_secs_f64(usual * TARGET_TIMES_THE_MEDIAN);
    let load = Load { rate: capacity * TIMES, lasts: size.overload_lasts };
    // A thousand clients on the server's cores would take its turns from it: it would not have too much to do, but nothing to do it with.
    let storm = halves.for_clients(|| overload(&developer, &requests, load, soon))?;
    server.stop()?;
    Ok(vec![table(&storm, usual, capacity, halves.each)])
}

/// Requests a second when nobody waits but for an answer.
fn capacity(developer: &Developer, requests: &[Request]) -> Outcome<f64> {
    let started = Instant::now();
    send_all(&developer.url, requests, 32)?;
    Ok(f64::from(u32::try_from(requests.len())?) / started.elapsed().as_secs_f64())
}

/// Sends requests at a rate, the first ones again after the last, asks a few times meanwhile whether the server lives, and
/// afterwards until it serves somebody as soon as usual.
fn overload(developer: &Developer, requests: &[Request], load: Load, soon: Duration) -> Outcome<Storm> {
    let start = Barrier::new(CLIENTS + 3);
    let Load { rate, lasts } = load;
    thread::scope(|scope| {
        let mut clients = Vec::new();
        for first in 0..CLIENTS {
            let start = &start;
            let client = move || -> Outcome<Vec<Answered>> {
                let connection = Connection::open(&developer.url);
                start.wait();
                let (mut connection, began) = (connection?, Instant::now());
                let mine = (0_u32..).zip(requests.iter().cycle()).skip(first).step_by(CLIENTS);
                mine.map(|(number, request)| (Duration::from_secs_f64(f64::from(number) / rate), request))
                    .take_while(|(due, _)| *due < lasts)
                    .map(|(due, request)| {
                        let due = began + due;
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
        let latecomer = scope.spawn(|| {
            start.wait();
            let over = Instant::now() + lasts;
            wait_until(over);
            let mut connection = None;
            let mut mine = requests.iter().cycle();
            until_in_a_row(over, || {
                let asked = Instant::now();
                let request = mine.next();
                request.is_some_and(|it| is_served(&mut connection, &developer.url, it))
                    && asked.elapsed() <= soon
            })
        });
        start.wait();
        let began = Instant::now();
        let mut answers = Vec::new();
        for client in clients {
            answers.extend(client.join().map_err(|_| "a client panicked")??);
        }
        let seconds = began.elapsed().as_secs_f64();
        let alive = u32::try_from(prober.join().map_err(|_| "the prober panicked")?)?;
        let recovered = latecomer.join().map_err(|_| "the latecomer panicked")?;
        Ok(Storm { answers, alive, seconds, recovered })
    })
}

/// Seconds until so many in a row are served soon, or until nobody waits for that any more.
fn until_in_a_row(over: Instant, mut is_served_soon: impl FnMut() -> bool) -> f64 {
    let mut in_a_row = 0;
    while in_a_row < IN_A_ROW && over.elapsed() < NEVER {
        if is_served_soon() {
            in_a_row += 1;
        } else {
            in_a_row = 0;
            wait_until(Instant::now() + TRYING);
        }
    }
    over.elapsed().as_secs_f64()
}

/// Whether a client is served, whose connection is opened anew if there is none, or no answer came by it.
fn is_served(connection: &mut Option<Connection>, url: &str, request: &Request) -> bool {
    let open = connection.take().map_or_else(|| Connection::impatient(url, PATIENCE), Ok);
    let Ok(mut open) = open else { return false };
    let served = request.is_served(&mut open);
    // A late answer would be taken for that to the next request.
    *connection = served.is_ok().then_some(open);
    served.unwrap_or(false)
}

/// Whether `/healthz` answers on a new connection before a balancer's patience ends, asked after a pause.
fn lives(url: &str, pause: Duration) -> bool {
    wait_until(Instant::now() + pause);
    let asked = Instant::now();
    let answer = Connection::open(url).and_then(|mut connection| connection.get("/healthz"));
    answer.is_ok_and(|answer| answer.status == 200) && asked.elapsed() < PATIENCE
}

fn table(storm: &Storm, usual: f64, capacity: f64, cores: usize) -> Table {
    let columns = [
        Column::more("requests", "", 0),
        Column::less("median", "s", 3),
        Column::less("p99", "s", 3),
        Column::less(P99_BY_USUAL, "", 1),
        Column::more("÷ capacity", "", 2),
    ];
    let title = format!("{TIMES} times what the server signs tokens for, {CLIENTS} connections");
    let mut table = Table::new("overload", &title, columns).note(format!(
        "It signs {capacity:.0} a second for clients that wait for their answers; at {USUAL} of that, by a schedule, the median is \
         {:.1} ms. The server has {cores} of the cores, and the clients as many others.",
        usual * 1e3
    ));
    for (name, served) in [("served", true), ("refused at once", false)] {
        let of_these = storm.answers.iter().filter(|answer| answer.served == served);
        let seconds: Vec<f64> = of_these.map(|answer| answer.seconds).collect();
        let goodput = as_float(seconds.len()) / storm.seconds / capacity;
        let waited = (!seconds.is_empty()).then(|| Sample::of(seconds.iter().copied()));
        let median = waited.as_ref().map(|waited| Cell::of([waited.median()]));
        let p99 = waited.as_ref().and_then(|waited| waited.permille(990));
        let cells = [
            Some(Cell::of([as_float(seconds.len())])),
            if served { median.map(|cell| cell.at_most(TARGET_SERVED_SECONDS)) } else { median },
            p99.map(|p99| Cell::of([p99])),
            p99.filter(|_| served).map(|p99| Cell::of([p99 / usual]).at_most(TARGET_TIMES_THE_MEDIAN)),
            served.then(|| Cell::of([goodput]).at_least(TARGET_GOODPUT)),
        ];
        table.row(name, cells);
    }
    let probes = Cell::of([f64::from(storm.alive)]).at_least(f64::from(PROBES));
    table.row("`/healthz`, answered within a second", [Some(probes), None, None, None, None]);
    let recovered = Cell::of([storm.recovered]).at_most(TARGET_RECOVERY_SECONDS);
    let name = format!(
        "afterwards, until one client is served {IN_A_ROW} times in a row, each within {TARGET_TIMES_THE_MEDIAN} of the medians at 80 %"
    );
    table.row(name, [None, Some(recovered), None, None, None]);
    table
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{IN_A_ROW, until_in_a_row};

    #[test]
    fn one_in_three_is_no_recovery() {
        let (mut asked, begun) = (0, Instant::now());
        let seconds = until_in_a_row(begun, || {
            asked += 1;
            asked > 9 || asked % 3 == 0
        });
        assert_eq!(asked, 8 + IN_A_ROW);
        assert!(seconds <= begun.elapsed().as_secs_f64());
    }
}
