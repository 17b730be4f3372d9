//! How much memory the server holds: when it is ready, and after many exchanges. The store, the sandbox and the
//! S3 endpoint of `up` are in the same process and counted with it.

use std::thread;

use crate::requests::App;
use crate::server::Server;
use crate::size::Size;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, resident};

const READY_MIB: f64 = 16.0;
const BUSY_MIB: f64 = 26.0;
const PEOPLE: [&str; 4] = ["ada", "grace", "alan", "zoe"];

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let directory = tempfile::tempdir()?;
    // The very first start makes keys, which takes memory that no later start needs.
    Server::start(directory.path())?.stop()?;
    let idle = (0..size.rounds).map(|_| when_ready(directory.path())).collect::<Outcome<Vec<_>>>()?;
    let server = Server::start(directory.path())?;
    exchange(&server, size.exchanges)?;
    let busy = resident::now(server.process_id())?;
    server.stop()?;
    let mut table = Table::new("memory", "Resident memory of `up`", [Column::less("resident", "MiB", 1)])
        .note("An exchange asks the sandbox, in the same process, by HTTP.");
    table.row("when ready", [Some(Cell::of(idle).at_most(READY_MIB))]);
    let after = format!("after {} exchanges", size.exchanges);
    table.row(after, [Some(Cell::of([busy]).at_most(BUSY_MIB))]);
    Ok(vec![table])
}

fn when_ready(directory: &std::path::Path) -> Outcome<f64> {
    let server = Server::start(directory)?;
    let held = resident::now(server.process_id())?;
    server.stop()?;
    Ok(held)
}

/// Every person's app exchanges its share of `count`.
fn exchange(server: &Server, count: u32) -> Outcome<()> {
    let share = count / u32::try_from(PEOPLE.len())?;
    let client = |person: &str| -> Outcome<()> {
        let app = App::logged_in(server, person)?;
        let mut connection = app.connect()?;
        (0..share).try_for_each(|_| app.exchange(&mut connection).map(drop))
    };
    thread::scope(|scope| {
        let clients: Vec<_> = PEOPLE.iter().map(|person| scope.spawn(move || client(person))).collect();
        clients.into_iter().try_for_each(|client| client.join().map_err(|_| "a client panicked")?)
    })
}
