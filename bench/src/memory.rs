//! How much memory the server holds: when it is ready, and after many exchanges. The store, the sandbox and the
//! S3 endpoint of `up` are in the same process and counted with it.

use std::thread;

use crate::requests::App;
use crate::server::Server;
use crate::token::verdict;
use crate::{Outcome, Size, resident};

const TARGET_MIB: f64 = 40.0;
const PEOPLE: [&str; 4] = ["ada", "grace", "alan", "zoe"];

pub(crate) fn row(size: &Size) -> Outcome<()> {
    let directory = tempfile::tempdir()?;
    // The very first start makes keys, which takes memory that no later start needs.
    Server::start(directory.path())?.stop()?;
    let server = Server::start(directory.path())?;
    let idle = resident::now(server.process_id())?;
    exchange(&server, size.exchanges)?;
    let busy = resident::now(server.process_id())?;
    println!("\nresident memory of `daypass up`");
    println!("  when ready             {idle:.1} MiB");
    println!(
        "  after {} exchanges {busy:.1} MiB   target ≤ {TARGET_MIB} MiB after 100000: {}",
        size.exchanges,
        verdict(busy <= TARGET_MIB)
    );
    server.stop()
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
