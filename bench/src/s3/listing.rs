//! Pages of a list: from the middle of it, and all of them to its end.

use std::time::Instant;

use super::client::{Answer, Body, Client, Request, send_all, together};
use super::stores::Store;
use super::stuff::Stuff;
use super::{Amounts, CONNECTIONS, memory};
use crate::Outcome;
use crate::statistics::Sample;

const BUCKET: &str = "many";
const PAGE: u64 = 1_000;
/// How many clients fill a bucket, and how many requests each of them signs at a time.
const FILLERS: usize = 16;
const SIGNED: usize = 500;

pub(super) fn table(stores: &[Store; 3], stuff: &Stuff, amounts: &Amounts) -> Outcome<()> {
    println!(
        "\nS3: pages of {PAGE}, {} in a round; the objects are empty, as nothing reads them",
        amounts.pages
    );
    let [daypass, others @ ..] = stores;
    let counts = [amounts.many, amounts.fewer, amounts.fewer];
    for (store, count) in stores.iter().zip(counts) {
        let started = Instant::now();
        fill(store, stuff, count)?;
        let took = started.elapsed().as_secs_f64();
        println!("  {:<9} lists among {count} objects, which were put in {took:.0} s", store.name);
    }
    let mut per_second = [const { Vec::new() }; 3];
    let mut mebibytes = 0.0_f64;
    for round in 0..amounts.rounds {
        for ((store, count), figures) in stores.iter().zip(counts).zip(&mut per_second) {
            let (figure, more) = pages(store, stuff, count, amounts.pages)?;
            figures.extend(Some(figure).filter(|_| round > 0));
            mebibytes = if store.process == daypass.process { mebibytes.max(more) } else { mebibytes };
        }
    }
    let [ours, of_others @ ..] = per_second;
    println!("  LIST {:<9} {:.1} /s", daypass.name, Sample::of(ours.iter().copied()));
    for (store, figures) in others.iter().zip(of_others) {
        let ratio = Sample::of(ours.iter().zip(&figures).map(|(ours, other)| ours / other));
        println!("  LIST {:<9} {:.1} /s   Daypass ÷ it: {ratio:.2}", store.name, Sample::of(figures));
    }
    println!("  memory of Daypass {}", memory(mebibytes));
    walk(daypass, stuff, amounts.many)
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

/// Lists page by page to the end, where every key has to have come once, in order.
fn walk(store: &Store, stuff: &Stuff, count: u64) -> Outcome<()> {
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
    let took = started.elapsed().as_secs_f64();
    println!("  all {count}, page by page: {took:.1} s, {}", memory(mebibytes));
    Ok(())
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
