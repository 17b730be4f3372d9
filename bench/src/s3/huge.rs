//! An object that is larger than a memory, uploaded whole and in parts, and read: the store holds no more for it than for
//! any other.

use std::fmt::Write;
use std::time::Instant;

use super::client::{Body, Client, together};
use super::stores::{self, Store};
use super::stuff::{Span, Stuff, length, part, span};
use super::{Amounts, CONNECTIONS, memory, memory_column};
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

const PATH: &str = "/huge/object";
const PART: u64 = 64 << 20;

pub(super) fn table(stuff: &Stuff, amounts: &Amounts) -> Outcome<Table> {
    let (store, content) = (stores::daypass()?, span(1, amounts.huge));
    progress::say("S3: an object that is larger than a memory");
    let title = format!("S3: an object of {} MB", amounts.huge / 1_000_000);
    let columns = [Column::more("throughput", "MB/s", 1), memory_column()];
    let mut table = Table::new("s3-huge", &title, columns).note("Daypass alone, started anew.");
    let mut client = Client::of(&store.endpoint, stuff);
    client.send(&store.endpoint.request("PUT", "/huge", Body::Nothing)?)?;
    let put = store.endpoint.put(PATH, content.clone())?;
    table.row("PUT, whole", measure(&store, &content, || client.send(&put).map(drop))?);
    let mut get = || client.send(&store.endpoint.get(PATH, content.clone())?).map(drop);
    table.row("GET", measure(&store, &content, &mut get)?);
    table.row("PUT, in parts", measure(&store, &content, || in_parts(&store, stuff, &content))?);
    table.row("GET of the parts", measure(&store, &content, &mut get)?);
    Ok(table)
}

#[expect(clippy::cast_precision_loss, reason = "no size has as many digits")]
fn measure(store: &Store, content: &Span, work: impl FnOnce() -> Outcome<()>) -> Outcome<[Option<Cell>; 2]> {
    let started = Instant::now();
    let mebibytes = store.memory_of(work)?;
    let per_second = length(content) as f64 / 1e6 / started.elapsed().as_secs_f64();
    Ok([Some(Cell::of([per_second])), Some(memory(mebibytes))])
}

/// Uploads a content in parts, over some connections at a time.
fn in_parts(store: &Store, stuff: &Stuff, content: &Span) -> Outcome<()> {
    let (endpoint, mut client) = (&store.endpoint, Client::of(&store.endpoint, stuff));
    let begun = client.send(&endpoint.request("POST", &format!("{PATH}?uploads="), Body::Nothing)?)?;
    let begun = String::from_utf8(begun.body)?;
    let id = begun.split_once("<UploadId>").and_then(|(_, rest)| rest.split_once("</UploadId>"));
    let id = id.ok_or("the answer names no upload")?.0;
    let parts = together(CONNECTIONS, |first| upload(store, stuff, content, id, first))?;
    let mut parts: Vec<(u64, String)> = parts.into_iter().flatten().collect();
    parts.sort_unstable();
    let path = format!("{PATH}?uploadId={id}");
    client.send(&endpoint.request("POST", &path, Body::Document(list(&parts)?))?).map(drop)
}

/// Uploads each [`CONNECTIONS`]th part, and answers their numbers and entity tags.
fn upload(
    store: &Store,
    stuff: &Stuff,
    content: &Span,
    id: &str,
    first: usize,
) -> Outcome<Vec<(u64, String)>> {
    let mut client = Client::of(&store.endpoint, stuff);
    let mine = (0..length(content).div_ceil(PART)).skip(first).step_by(CONNECTIONS);
    mine.map(|index| {
        let path = format!("{PATH}?partNumber={}&uploadId={id}", index + 1);
        let answer =
            client.send(&store.endpoint.put(&path, part(content, index * PART..(index + 1) * PART))?)?;
        Ok((index + 1, answer.header("etag").ok_or("a part has no entity tag")?.to_owned()))
    })
    .collect()
}

fn list(parts: &[(u64, String)]) -> Outcome<String> {
    let mut document = "<CompleteMultipartUpload>".to_owned();
    for (number, etag) in parts {
        write!(document, "<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>")?;
    }
    Ok(document + "</CompleteMultipartUpload>")
}
