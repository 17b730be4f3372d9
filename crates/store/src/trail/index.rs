//! What makes questions quick: beside each file that has ended, where in it the events about somebody or something are.
//! An index says where to look and never what is there: whoever finds a line reads it. One that is missing, or is not of this
//! file, costs time alone.
//!
//! Form: 8 bytes of magic; the last link of the file, 32 bytes; 4,097 numbers of 4 bytes, where the entries of each of 4,096 parts
//! begin and the last end; the entries, 12 bytes each, by their first 8, which are of a hash; then 4, where the line begins.
//! All numbers have their lowest byte last, but those of lines.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use aws_lc_rs::digest::{Context, SHA256};
use daypass_core::ground::ids::{AccessKeyId, IdentityId};
use daypass_core::records::audit_event::{AuditEvent, AuditSubject};
use daypass_core::records::audit_question::AuditQuestion;

use super::folder::{Folder, TrailFile};
use super::line::Line;

const MAGIC: &[u8; 8] = b"dpindex1";
const LINK: usize = 32;
const PARTS: usize = 4096;
const ENTRY: usize = 12;
const TABLE: usize = MAGIC.len() + LINK;
const ENTRIES: usize = TABLE + 4 * (PARTS + 1);

/// What an event can be found by.
#[derive(Debug, Clone, Copy)]
enum By<'a> {
    Identity(&'a str),
    AccessKey(&'a str),
    DeveloperUser(&'a str),
    Request(&'a str),
    Address(&'a str),
}

impl By<'_> {
    fn hash(self) -> u64 {
        let (kind, text) = match self {
            Self::Identity(text) => (b'i', text),
            Self::AccessKey(text) => (b'k', text),
            Self::DeveloperUser(text) => (b'u', text),
            Self::Request(text) => (b'r', text),
            Self::Address(text) => (b'a', text),
        };
        let mut hash = Context::new(&SHA256);
        hash.update(&[kind]);
        hash.update(text.as_bytes());
        let hash = hash.finish();
        u64::from_be_bytes(hash.as_ref()[..8].try_into().expect("SHA-256 has 32 bytes"))
    }
}

/// The hash by which the answers to a question are found, if it names somebody or something.
pub(super) fn hash_of(question: &AuditQuestion) -> Option<u64> {
    let about = question.about.as_ref().map(|about| {
        match about {
            AuditSubject::Identity(id) => By::Identity(id.as_str()),
            AuditSubject::AccessKey(id) => By::AccessKey(id.as_str()),
            AuditSubject::DeveloperUser(user) => By::DeveloperUser(user),
            AuditSubject::Request(id) => By::Request(id.as_str()),
        }
        .hash()
    });
    about.or_else(|| question.address.map(|address| By::Address(&address.to_canonical().to_string()).hash()))
}

fn hashes(event: &AuditEvent) -> impl Iterator<Item = u64> {
    let address = event.source_ip.map(|address| address.to_string());
    let by = [
        event.identity_id.as_ref().map(|id| By::Identity(IdentityId::as_str(id)).hash()),
        event.access_key_id.as_ref().map(|id| By::AccessKey(AccessKeyId::as_str(id)).hash()),
        event.developer_user_identifier.as_deref().map(|user| By::DeveloperUser(user).hash()),
        Some(By::Request(event.request_id.as_str()).hash()),
        address.as_deref().map(|address| By::Address(address).hash()),
    ];
    by.into_iter().flatten()
}

/// Makes every index that is missing of a file that has ended.
pub(super) fn make_missing(folder: &Folder) -> std::io::Result<()> {
    let files = folder.files()?;
    let ended = files.iter().take(files.len().saturating_sub(1));
    ended.filter(|file| !file.index().exists()).try_for_each(make)
}

/// Makes that of a file that has ended.
pub(super) fn make(file: &TrailFile) -> std::io::Result<()> {
    let text = fs::read(&file.path)?;
    let draft = file.index().with_extension("index.new");
    let mut made = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    made.write_all(&of(&text))?;
    fs::rename(&draft, file.index())
}

fn of(text: &[u8]) -> Vec<u8> {
    let (mut entries, mut at, mut link) = (Vec::new(), 0, String::new());
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let start = u32::try_from(at).expect("a file is shorter than 4 GiB");
        at += line.len();
        let Some(line) = Line::parse(line.strip_suffix(b"\n").unwrap_or(line)) else { continue };
        link = line.chain.text();
        if let Some(event) = line.event() {
            entries.extend(hashes(&event).map(|hash| (hash, start)));
        }
    }
    entries.sort_unstable();
    let mut made = Vec::with_capacity(ENTRIES + entries.len() * ENTRY);
    made.extend_from_slice(MAGIC);
    made.extend_from_slice(&short(&link));
    for part in 0..=PARTS {
        let begins = entries.partition_point(|(hash, _)| part_of(*hash) < part);
        made.extend_from_slice(&u32::try_from(begins).expect("a file has fewer events").to_be_bytes());
    }
    for (hash, start) in entries {
        made.extend_from_slice(&hash.to_be_bytes());
        made.extend_from_slice(&start.to_be_bytes());
    }
    made
}

/// Where in a file with this last link the lines begin that may be about it, the last first. `None` if there is no index
/// that can be used.
pub(super) fn find(file: &TrailFile, last: &str, hash: u64) -> Option<Vec<u64>> {
    let index = File::open(file.index()).ok()?;
    let mut head = [0; TABLE];
    index.read_exact_at(&mut head, 0).ok()?;
    if head[..MAGIC.len()] != *MAGIC || head[MAGIC.len()..] != short(last) {
        return None;
    }
    let mut bounds = [0; 8];
    index.read_exact_at(&mut bounds, (TABLE + 4 * part_of(hash)) as u64).ok()?;
    let bound = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
    let (begins, ends) = (bound(&bounds[..4]), bound(&bounds[4..]));
    let mut part = vec![0; ends.checked_sub(begins)?.checked_mul(ENTRY)?];
    index.read_exact_at(&mut part, (ENTRIES + begins * ENTRY) as u64).ok()?;
    let (entries, _) = part.as_chunks::<ENTRY>();
    let found = entries.iter().filter(|entry| entry[..8] == hash.to_be_bytes());
    let mut starts: Vec<u64> = found.map(|entry| bound(&entry[8..]) as u64).collect();
    starts.reverse();
    Some(starts)
}

fn part_of(hash: u64) -> usize {
    usize::try_from(hash >> 52).expect("twelve bits")
}

/// A link as an index has it.
fn short(link: &str) -> [u8; LINK] {
    let mut short = [0; LINK];
    let length = link.len().min(LINK);
    short[..length].copy_from_slice(&link.as_bytes()[..length]);
    short
}
