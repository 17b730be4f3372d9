//! Pages of a list: from the middle of it, and all of them to its end.

use std::time::Instant;

use super::client::{Answer, Body, Client, Request, send_all, together};
use super::stores::Store;
use super::stuff::Stuff;
use super::{Amounts, CONNECTIONS, memory, memory_column};
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, progress};

const BUCKET: &str = "many";
const PAGE: u64 = 1_000;
/// How many clients fill a bucket, and how many requests each of them signs at a time.
const FILLERS: usize = 16;
const SIGNED: usize = 500;

pub(super) fn table(stores: &[Store; 3], stuff: &Stuff, amounts: &Amounts) -> Outcome<Table> {
    let counts = [amounts.many, amounts.fewer, amounts.fewer];
    for (store, count) in stores.iter().zip(counts) {
        progress::say(&format!("S3: {count} objects for {}", store.name));
        fill(store, stuff, count)?;
    }
    let (mut per_second, mut mebibytes) = ([const { Vec::new() }; 3], [0.0_f64; 3]);
    for round in 0..amounts.rounds {
        for (number, (store, count)) in stores.iter().zip(counts).enumerate() {
            let (figure, more) = pages(store, stuff, count, amounts.pages)?;
            per_second[number].extend(Some(figure).filter(|_| round > 0));
            mebibytes[number] = mebibytes[number].max(more);
        }
    }
    let columns = [
        Column::less("among", "objects", 0),
        Column::more("pages", "/s", 1),
        memory_column(),
        Column::more("Daypass ÷ it", "", 2),
    ];
    let mut table = Table::new("s3-pages", &format!("S3: pages of {PAGE}"), columns)
        .note("The objects are empty, as nothing reads them.");
    for (number, (store, count)) in stores.iter().zip(counts).enumerate() {
        let ratio = per_second[0].iter().zip(&per_second[number]).map(|(ours, its)| ours / its);
        let held = mebibytes[number];
        let cells = [
            Some(Cell::of([as_float(usize::try_from(count)?)])),
            Some(Cell::of(per_second[number].iter().copied())),
            Some(if number == 0 { memory(held) } else { Cell::of([held]) }),
            (number > 0).then(|| Cell::of(ratio)),
        ];
        table.row(store.name, cells);
    }
    let (seconds, held) = walk(&stores[0], stuff, amounts.many)?;
    let all = as_float(usize::try_from(amounts.many)?);
    let pages = all / as_float(usize::try_from(PAGE)?) / seconds;
    let cells = [Some(Cell::of([all])), Some(Cell::of([pages])), Some(memory(held)), None];
    table.row(format!("{}, all of them by one client", stores[0].name), cells);
    Ok(table)
}

fn key(number: u64) -> String {
    format!("key-{number:07}")
}

/// Makes a bucket, and puts so many objects into it.
fn fill(store: &Store, stuff: &Stuff, count: u64) -> Outcome<()> {
    let endpoint = &store.endpoint;
    let make = endpoint.request("PUT", &format!("/{BUCKET}"), Body::Nothing)?;
    Client::of(endpoint, stuff).send(&make)?;
    together(FILLERS, |first| {
        let mut client = Client::of(endpoint, stuff);
        let mine: Vec<u64> = (0..count).skip(first).step_by(FILLERS).collect();
        mine.chunks(SIGNED).try_for_each(|numbers| {
            let request =
                |number: &u64| endpoint.request("PUT", &format!("/{BUCKET}/{}", key(*number)), Body::Nothing);
            let requests = numbers.iter().map(request).collect::<Outcome<Vec<_>>>()?;
            requests.iter().try_for_each(|request| client.send(request).map(drop))
        })
    })
    .map(drop)
}

/// Pages a second, from places all over the list, and what memory they took.
fn pages(store: &Store, stuff: &Stuff, among: u64, count: u64) -> Outcome<(f64, f64)> {
    let page = |number: u64| -> Outcome<Request> {
        let after = number * 7_919 * PAGE % (among - PAGE);
        let query = format!("list-type=2&max-keys={PAGE}&start-after={}", key(after));
        store.endpoint.request("GET", &format!("/{BUCKET}?{query}"), Body::Nothing)
    };
    let requests = (0..count).map(page).collect::<Outcome<Vec<_>>>()?;
    let mut seconds = 0.0;
    let mebibytes = store.memory_of(|| {
        let started = Instant::now();
        send_all(&store.endpoint, stuff, &requests, CONNECTIONS, is_full)?;
        seconds = started.elapsed().as_secs_f64();
        Ok(())
    })?;
    Ok((f64::from(u32::try_from(count)?) / seconds, mebibytes))
}

fn is_full(answer: &Answer) -> Outcome<()> {
    let listed = keys(std::str::from_utf8(&answer.body)?).count() as u64;
    if listed == PAGE { Ok(()) } else { Err(format!("a page has {listed} keys").into()) }
}

/// What stands in each element of this name, in a document that has no others of it.
fn elements<'a>(document: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (begin, end) = (format!("<{name}>"), format!("</{name}>"));
    let elements = document.split(&begin).skip(1).collect::<Vec<_>>();
    elements.into_iter().filter_map(move |rest| rest.split(&end).next())
}

fn keys(document: &str) -> impl Iterator<Item = &str> {
    elements(document, "Key")
}

/// Lists page by page to the end, where every key has to have come once, in order. Answers the seconds, and what memory it took.
fn walk(store: &Store, stuff: &Stuff, count: u64) -> Outcome<(f64, f64)> {
    let started = Instant::now();
    let mebibytes = store.memory_of(|| {
        let mut client = Client::of(&store.endpoint, stuff);
        let (mut next, mut token) = (0, Some(String::new()));
        while let Some(after) = token {
            let answer = client.send(&continued(store, &after)?)?;
            let document = std::str::from_utf8(&answer.body)?;
            for listed in keys(document) {
                if listed != key(next) {
                    return Err(format!("{listed} is listed where {} should be", key(next)).into());
                }
                next += 1;
            }
            token = elements(document, "NextContinuationToken").next().map(str::to_owned);
        }
        if next == count { Ok(()) } else { Err(format!("{next} keys are listed, and not {count}").into()) }
    })?;
    Ok((started.elapsed().as_secs_f64(), mebibytes))
}

fn continued(store: &Store, token: &str) -> Outcome<Request> {
    let mut query = form_urlencoded::Serializer::new("list-type=2".to_owned());
    if !token.is_empty() {
        query.append_pair("continuation-token", token);
    }
    store.endpoint.request("GET", &format!("/{BUCKET}?{}", query.finish()), Body::Nothing)
}

#[cfg(test)]
mod tests {
    use super::elements;

    #[test]
    fn elements_are_found_by_name() {
        let document = "<L><KeyCount>2</KeyCount><Key>a</Key><Key></Key></L>";
        assert_eq!(elements(document, "Key").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(elements(document, "NextContinuationToken").next(), None);
    }
}
