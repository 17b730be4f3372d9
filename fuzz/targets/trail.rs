//! The files of an audit trail, as whoever can write to the folder leaves them. Nothing in them stops the one that verifies them,
//! and what it finds no fault in is a whole chain for a reader that knows nothing of ours.
//!
//! Input: a byte, and text. If the byte is even, the text is the file. Else each line of it is the members of a line, which is
//! numbered and linked here.

#![no_main]

use std::fs;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use daypass_store::{Keys, verify};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

thread_local! {
    static FOLDER: TempDir = tempfile::tempdir().unwrap();
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, text)) = input.split_first() else { return };
    let file = if kind % 2 == 0 { text.to_vec() } else { linked(text) };
    let found = FOLDER.with(|folder| {
        fs::write(folder.path().join("000000000001.jsonl"), &file).unwrap();
        verify(folder.path(), &Keys::default(), None, &mut |_, _| {}).unwrap()
    });
    if found.faults.is_empty() && found.last > 0 {
        assert_eq!(last_of_chain(&file), Some(found.last));
    }
});

fn link(before: &[u8], body: &[u8]) -> Vec<u8> {
    digest(&SHA256, &[before, body].concat()).as_ref().to_vec()
}

fn linked(text: &[u8]) -> Vec<u8> {
    let (mut file, mut before) = (Vec::new(), vec![0; 32]);
    for (number, members) in text.split(|byte| *byte == b'\n').enumerate() {
        let body = [format!("{{\"n\":{},", number + 1).as_bytes(), members].concat();
        before = link(&before, &body);
        let chain = BASE64_URL_SAFE_NO_PAD.encode(&before);
        file.extend([&body[..], format!(",\"chain\":\"{chain}\"}}\n").as_bytes()].concat());
    }
    file
}

/// The number of the last line, if all of them are one chain from the first. What has no end is no line yet.
fn last_of_chain(file: &[u8]) -> Option<u64> {
    let (mut before, mut number) = (vec![0; 32], 0);
    let whole = &file[..=file.iter().rposition(|byte| *byte == b'\n')?];
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n")?;
        number += 1;
        let beginning = format!("{{\"n\":{number},");
        // Whoever verifies counts events, and reads what is said of the trail, which is text.
        let is_event = line.starts_with(format!("{beginning}\"time\":").as_bytes());
        if !is_event {
            str::from_utf8(line).ok()?;
        }
        let body = line.strip_suffix(b"\"}")?;
        let (body, chain) = body.split_at_checked(body.len().checked_sub(43)?)?;
        let body = body.strip_suffix(b",\"chain\":\"")?;
        before = link(&before, body);
        let is_next = body.starts_with(beginning.as_bytes());
        if !is_next || chain != BASE64_URL_SAFE_NO_PAD.encode(&before).as_bytes() {
            return None;
        }
    }
    Some(number)
}
