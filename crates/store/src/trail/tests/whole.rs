//! A trail that is brought elsewhere.

use super::*;
use crate::trail::whole::{BroughtTrail, first_line, lines_after};

/// Reads a whole trail, so many calls it takes, and writes it elsewhere.
fn bring(from: &Path, to: &Path, database: &Path) -> (u32, Option<TrailHead>) {
    let mut brought = BroughtTrail::at(to);
    let (mut last, mut calls) = (first_line(from).unwrap().unwrap() - 1, 0);
    loop {
        let lines = lines_after(from, last).unwrap();
        if lines.is_empty() {
            return (calls, brought.finish().unwrap());
        }
        calls += 1;
        let mut numbers = lines.split(|byte| *byte == b'\n').filter_map(Line::parse).map(|line| line.number);
        last = numbers.next_back().unwrap();
        brought.append(database, &lines).unwrap();
    }
}

fn texts(folder: &Path) -> Vec<(String, String)> {
    let files = Folder::at(folder).files().unwrap();
    files.iter().map(|file| (file.name(), fs::read_to_string(&file.path).unwrap())).collect()
}

#[tokio::test]
async fn files_are_brought_as_they_are_with_the_newest_head() {
    let place = Place::new();
    place.signed(60).await;
    let to = place.directory.path().join("elsewhere");
    let (calls, head) = bring(&place.path(), &to, place.directory.path());
    let files = texts(&place.path());
    assert!(files.len() > 3 && calls > 3, "{} files, {calls} calls", files.len());
    assert_eq!(texts(&to), files);
    assert_eq!(head.as_ref(), place.heads.lock().unwrap().last());
    let found = verify(&to, &by(key()), head.as_ref(), &mut |_, _| {}).unwrap();
    assert_eq!(found.faults, []);
}

#[tokio::test]
async fn a_trail_whose_beginning_was_dropped_is_brought_from_where_it_begins() {
    let place = Place::new();
    place.signed(60).await;
    let keep = Retention { bytes: Some(6_000), ..Retention::default() };
    place.attended(keep, 0).add(&[place.event(60)]).await.unwrap();
    assert!(first_line(&place.path()).unwrap() > Some(1), "nothing was dropped");
    let to = place.directory.path().join("elsewhere");
    let (_, head) = bring(&place.path(), &to, place.directory.path());
    assert_eq!(texts(&to), texts(&place.path()));
    assert_eq!(verify(&to, &by(key()), head.as_ref(), &mut |_, _| {}).unwrap().faults, []);
}

#[test]
fn where_there_is_no_trail_there_is_no_line() {
    let place = Place::new();
    assert_eq!(first_line(&place.path()).unwrap(), None);
}

#[tokio::test]
async fn a_head_that_says_something_else_is_not_the_newest() {
    let place = Place::new();
    place.signed(3).await;
    let to = place.directory.path().join("elsewhere");
    let mut brought = BroughtTrail::at(&to);
    let lines = lines_after(&place.path(), 0).unwrap();
    let head = lines
        .split_inclusive(|byte| *byte == b'\n')
        .find(|line| Line::parse(line.trim_ascii_end()).is_some_and(|line| line.head().is_some()));
    // Behind another line than the one that it is of.
    let first = lines.split_inclusive(|byte| *byte == b'\n').next().unwrap();
    brought.append(place.directory.path(), &[first, head.unwrap()].concat()).unwrap();
    assert_eq!(brought.finish().unwrap(), None);
}
