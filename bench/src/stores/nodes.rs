//! What a second server on the same database changes.

use std::thread;

use super::beside_sqlite::Spent;
use super::cluster::Cluster;
use super::site::{Site, settle, url_of};
use crate::requests::{Developer, Request, send_all};
use crate::scene::CONNECTIONS;
use crate::server::Server;
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, cpu, progress};

/// How many times as much two have to get done as one, as far as their CPU is concerned.
const TARGET: f64 = 1.8;
/// More than beside SQLite, as there is but one operation.
const TIMES: usize = 2;

pub(super) fn empty() -> Table {
    let columns = [
        Column::less("servers", "µs", 0),
        Column::less("database", "µs", 0),
        Column::less("servers ÷ one", "", 2),
        Column::less("database ÷ one", "", 2),
        Column::more("two ÷ one, by CPU", "", 2),
    ];
    Table::new("stores-nodes", "Two servers on one PostgreSQL, CPU of a token", columns)
        .note(
            "A known login, as above, all at one server or half at each, by turns. `Two ÷ one` is what two servers get done beside one if each has as much \
             CPU as that one had, and the database enough: twice the one's CPU for a token ÷ theirs.",
        )
        .note("The trail is waited for, as above, and what the waiting itself takes is in the figures: of one server and of the database.")
        .note(
            "It is no rate: two servers, clients and a database that wants as much as the servers need six cores to be out of each other's way. Where the \
             database has not enough, it is the limit, however many servers there are.",
        )
}

pub(super) fn fill(table: &mut Table, cluster: &Cluster, size: &Size) -> Outcome<()> {
    let site = Site::open(&cluster.url())?;
    // Whatever is done once is done before.
    ask(&site, &[&site.server], size.requests_per_store)?;
    settle(&site.server)?;
    let rounds =
        (0..size.store_rounds).map(|_| by_turns(&site, cluster, size)).collect::<Outcome<Vec<_>>>()?;
    site.server.stop()?;
    let cell = |figure: &dyn Fn(&(Spent, Spent)) -> f64| Cell::of(rounds.iter().map(figure));
    let one = [cell(&|(one, _)| one.servers * 1e6), cell(&|(one, _)| one.database * 1e6)];
    table.row("all at one", one.map(Some).into_iter().chain([None, None, None]));
    let two = [
        cell(&|(_, two)| two.servers * 1e6),
        cell(&|(_, two)| two.database * 1e6),
        cell(&|(one, two)| two.servers / one.servers),
        cell(&|(one, two)| two.database / one.database),
        cell(&|(one, two)| 2.0 * one.servers / two.servers).at_least(TARGET),
    ];
    table.row("half at each of two", two.map(Some));
    Ok(())
}

/// What a token takes of one server, and of it and another one.
fn by_turns(site: &Site, cluster: &Cluster, size: &Size) -> Outcome<(Spent, Spent)> {
    progress::say("stores, one server and two");
    let one = measure(site, &[&site.server], cluster, size)?;
    let other = site.another_server()?;
    let both = [&site.server, &other];
    // It opens connections.
    ask(site, &both, CONNECTIONS)?;
    let two = measure(site, &both, cluster, size)?;
    other.stop()?;
    Ok((one, two))
}

/// What a token takes of some servers, each of which gives as many.
fn measure(site: &Site, servers: &[&Server], cluster: &Cluster, size: &Size) -> Outcome<Spent> {
    let of_servers =
        || servers.iter().map(|server| cpu::seconds_of(server.process_id())).sum::<Outcome<f64>>();
    let before = (of_servers()?, cluster.cpu_seconds()?);
    let tokens = ask(site, servers, TIMES * size.requests_per_store)?;
    settle(&site.server)?;
    let tokens = as_float(tokens);
    Ok(Spent {
        servers: (of_servers()? - before.0) / tokens,
        database: (cluster.cpu_seconds()? - before.1) / tokens,
    })
}

/// Asks all of them at once for their share of so many tokens, and tells how many that were.
fn ask(site: &Site, servers: &[&Server], tokens: usize) -> Outcome<usize> {
    let (share, connections) = (tokens / servers.len(), CONNECTIONS / servers.len());
    let requests = servers.iter().map(|server| requests(site, server, share)).collect::<Outcome<Vec<_>>>()?;
    thread::scope(|scope| {
        let asking: Vec<_> = requests
            .iter()
            .map(|(url, requests)| scope.spawn(move || send_all(url, requests, connections).map(drop)))
            .collect();
        asking.into_iter().try_for_each(|asking| asking.join().map_err(|_| "a client panicked")?)
    })?;
    Ok(share * servers.len())
}

/// For one of the servers, whose address is signed.
fn requests(site: &Site, server: &Server, count: usize) -> Outcome<(String, Vec<Request>)> {
    let developer = Developer { url: url_of(server)?, ..site.developer.clone() };
    let requests = (0..count).map(|number| developer.token_request(&site.users[number % site.users.len()]));
    Ok((developer.url.clone(), requests.collect::<Outcome<_>>()?))
}
