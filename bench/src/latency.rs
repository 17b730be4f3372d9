//! How long people wait while others come: the requests that each login needs, at shares of what the server gets done.

use std::time::Instant;

use serde_json::json;

use crate::cores::Halves;
use crate::logins::allow_sockets;
use crate::open_loop::{self, Answered};
use crate::requests::{Request, send_all};
use crate::scene::{CONNECTIONS, Scene, exchange};
use crate::size::Size;
use crate::statistics::{Sample, as_float};
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

/// In percent of the capacity.
const LOADS: [u32; 4] = [20, 50, 80, 95];
/// How many rounds find the capacity.
const ROUNDS: u32 = 3;

/// What is asked for, as the table and its file call it.
struct Flow {
    id: &'static str,
    title: &'static str,
    request: fn(&Scene, usize) -> Outcome<Request>,
}

const FLOWS: [Flow; 4] = [
    Flow {
        id: "exchange",
        title: "An exchange (ID token, key known)",
        request: |scene, number| Ok(Request::exchange(&exchange(&of(&scene.logged_in, number).token))),
    },
    Flow {
        id: "token",
        title: "GetOpenIdTokenForDeveloperIdentity",
        request: |scene, number| scene.developer.token_request(&of(&scene.people, number).user),
    },
    Flow {
        id: "credentials",
        title: "GetCredentialsForIdentity (developer token)",
        request: |scene, number| {
            let bearer = of(&scene.developer_tokens, number);
            let logins = json!({"cognito-identity.amazonaws.com": bearer.token});
            let input = json!({"IdentityId": bearer.identity_id, "Logins": logins});
            Ok(Request::json("GetCredentialsForIdentity", &input))
        },
    },
    Flow {
        id: "id",
        title: "GetId (known OIDC login)",
        request: |scene, number| {
            let logins = json!({scene.issuer.name.clone(): of(&scene.logged_in, number).token});
            let input = json!({"IdentityPoolId": scene.developer.pool_id, "Logins": logins});
            Ok(Request::json("GetId", &input))
        },
    },
];

fn of<T>(items: &[T], number: usize) -> &T {
    &items[number % items.len()]
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    allow_sockets()?;
    let halves = Halves::of_this_machine()?;
    let scene = halves.for_the_server(|| Scene::set(0))?;
    let mut capacities = Table::new("capacity", "What one server gets done", [Column::more("answers", "/s", 0)])
        .note(format!(
            "{CONNECTIONS} clients that wait for their answers. The server has {} of the cores, and the clients as many others.",
            halves.each
        ));
    let mut tables = Vec::new();
    for flow in FLOWS {
        let capacity = halves.for_clients(|| flow.capacity(&scene, size))?;
        let median = capacity.rounds.median();
        capacities.row(flow.title, [Some(capacity)]);
        tables.push(halves.for_clients(|| flow.table(&scene, median, size))?);
    }
    scene.server.stop()?;
    tables.insert(0, capacities);
    Ok(tables)
}

impl Flow {
    /// As many as come in some seconds at a rate.
    fn requests(&self, scene: &Scene, rate: f64, seconds: f64) -> Outcome<Vec<Request>> {
        let count = whole(rate * seconds);
        (0..count).map(|number| (self.request)(scene, number)).collect()
    }

    /// Answers a second. The first round only shows what there is to expect.
    fn capacity(&self, scene: &Scene, size: &Size) -> Outcome<Cell> {
        progress::say(&format!("{}: capacity", self.title));
        let mut expected = 200.0;
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let requests = self.requests(scene, expected, size.schedule_seconds)?;
            let started = Instant::now();
            send_all(&scene.developer.url, &requests, CONNECTIONS)?;
            expected = as_float(requests.len()) / started.elapsed().as_secs_f64();
            rounds.extend(Some(expected).filter(|_| round > 0));
        }
        Ok(Cell::of(rounds))
    }

    fn table(&self, scene: &Scene, capacity: f64, size: &Size) -> Outcome<Table> {
        let columns = [
            Column::more("offered", "/s", 0),
            Column::more("served", "/s", 0),
            Column::less("p50", "ms", 2),
            Column::less("p99", "ms", 2),
            Column::less("p99.9", "ms", 2),
            Column::less("sent away", "%", 1),
        ];
        let mut table = Table::new(&format!("latency-{}", self.id), self.title, columns);
        for load in LOADS {
            let rate = capacity * f64::from(load) / 100.0;
            let rounds = (0..size.schedules).map(|round| {
                progress::say(&format!(
                    "{} at {load} %, round {} of {}",
                    self.title,
                    round + 1,
                    size.schedules
                ));
                open_loop::send(
                    &scene.developer.url,
                    &self.requests(scene, rate, size.schedule_seconds)?,
                    rate,
                )
            });
            table.row(format!("{load} %"), cells(rate, &rounds.collect::<Outcome<Vec<_>>>()?));
        }
        Ok(table)
    }
}

fn cells(rate: f64, rounds: &[Answered]) -> [Option<Cell>; 6] {
    let waited: Vec<Sample> = rounds
        .iter()
        .filter(|it| !it.waited.is_empty())
        .map(|it| Sample::of(it.waited.iter().copied()))
        .collect();
    let rank = |rank| {
        let found: Vec<f64> = waited.iter().filter_map(|it| it.permille(rank)).map(|it| it * 1e3).collect();
        (!found.is_empty()).then(|| Cell::of(found))
    };
    let sent_away = rounds.iter().map(|it| {
        let refused = as_float(it.refused);
        100.0 * refused / (refused + as_float(it.waited.len()))
    });
    let served = rounds.iter().map(|it| as_float(it.waited.len()) / it.seconds);
    [
        Some(Cell::of([rate])),
        Some(Cell::of(served)),
        rank(500),
        rank(990),
        rank(999),
        Some(Cell::of(sent_away)),
    ]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is no large number")]
fn whole(count: f64) -> usize {
    count.ceil() as usize
}
