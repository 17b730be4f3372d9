//! What makes questions quick: beside each file that has ended, where in it the events about somebody or something are.
//! An index says where to look and never what is there: whoever finds a line reads it. One that is missing, or is not of this
//! file, costs time alone. One that somebody changed can hide lines: whoever verifies the trail makes it once more, and compares.
//!
//! Form: 8 bytes of magic; the last link of the file, 32 bytes; when its oldest and its newest event happened, 8 bytes each, in
//! microseconds since 1970, the greater first if there is none; 4,097 numbers of 4 bytes, where the entries of each of 4,096 parts
//! begin and the last end; the entries, 12 bytes each, by their first 8, which are of a hash; then 4, where the line begins.
//! All numbers have their lowest byte last, but those of lines.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Context, SHA256};
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{AccessKeyId, IdentityId};
use daypass_core::records::audit_event::{AuditEvent, AuditSubject};
use daypass_core::records::audit_question::AuditQuestion;

use super::folder::{Folder, TrailFile, open_to_read};
use super::reading::{Backwards, Forwards};
use super::times::Span;
use daypass_core::records::trail_line::{Chain, Line};

const MAGIC: &[u8; 8] = b"dpindex2";
const LINK: usize = 32;
const PARTS: usize = 4096;
const ENTRY: usize = 12;
const TIMES: usize = MAGIC.len() + LINK;
const TABLE: usize = TIMES + 2 * 8;
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

/// Makes every index that is missing of a file that has ended, or is of another file.
pub(super) fn make_missing(folder: &Folder) -> std::io::Result<()> {
    let files = folder.files()?;
    let ended = &files[..files.len().saturating_sub(1)];
    ended.iter().try_for_each(|file| {
        let open = file.read()?;
        if Index::open(file, &open)?.is_some() { Ok(()) } else { make(folder, file, &open) }
    })
}

/// Whether a file is one that can have an index. No writer makes one that cannot.
pub(super) fn fits(open: &File) -> std::io::Result<bool> {
    Ok(open.metadata()?.len() <= u32::MAX.into())
}

/// Tells drafts of one process apart.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

/// Makes that of a file that has ended. Several processes may do so at once, and several threads of one.
fn make(folder: &Folder, file: &TrailFile, open: &File) -> std::io::Result<()> {
    if !fits(open)? {
        return Ok(());
    }
    let mut entries = Entries::default();
    let mut lines = Forwards::from(open, 0);
    while let Some((start, text)) = lines.next()? {
        if let Some(line) = Line::parse(text) {
            entries.add(&line, line.event().as_ref(), start);
        }
    }
    let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
    let draft = file.index().with_extension(format!("index.new-{}-{number}", process::id()));
    let mut made = folder.open(&draft, OpenOptions::new().create(true).truncate(true))?;
    let put = made.write_all(&entries.written()).and_then(|()| made.sync_all());
    let put = put.and_then(|()| fs::rename(&draft, file.index()));
    put.inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// What an index says, in the making.
#[derive(Debug, Default)]
pub(super) struct Entries {
    places: Vec<(u64, u32)>,
    span: Option<Span>,
    link: Option<Chain>,
}

impl Entries {
    /// Takes a line, which begins there. `event` is what it says, if it is one.
    pub(super) fn add(&mut self, line: &Line<'_>, event: Option<&AuditEvent>, start: u64) {
        self.link = Some(line.chain);
        let Some(event) = event else { return };
        let start = u32::try_from(start).expect("a file is shorter than 4 GiB");
        self.places.extend(hashes(event).map(|hash| (hash, start)));
        self.span = Some(Span::with(self.span, event.time));
    }

    /// The index.
    pub(super) fn written(mut self) -> Vec<u8> {
        self.places.sort_unstable();
        let mut made = Vec::with_capacity(ENTRIES + self.places.len() * ENTRY);
        made.extend_from_slice(MAGIC);
        made.extend_from_slice(&self.link.unwrap_or(Chain::START).bytes());
        // Nothing that is within may seem to be outside.
        let (oldest, newest) = self.span.map_or((i64::MAX, i64::MIN), |span| {
            let after = (span.newest.as_microsecond() + 1).min(Timestamp::MAX.as_microsecond());
            (span.oldest.as_microsecond(), after)
        });
        made.extend_from_slice(&oldest.to_be_bytes());
        made.extend_from_slice(&newest.to_be_bytes());
        for part in 0..=PARTS {
            let begins = self.places.partition_point(|(hash, _)| part_of(*hash) < part);
            made.extend_from_slice(&u32::try_from(begins).expect("a file has fewer events").to_be_bytes());
        }
        for (hash, start) in self.places {
            made.extend_from_slice(&hash.to_be_bytes());
            made.extend_from_slice(&start.to_be_bytes());
        }
        made
    }
}

/// The index of a file that has ended.
pub(super) struct Index {
    file: File,
    /// From when to when its events happened, if it has any.
    pub(super) span: Option<Span>,
}

impl Index {
    /// That of a file, if there is one that can be used.
    pub(super) fn open(file: &TrailFile, open: &File) -> std::io::Result<Option<Self>> {
        let Ok(index) = open_to_read(&file.index()) else { return Ok(None) };
        if !fits(open)? {
            return Ok(None);
        }
        let mut lines = Backwards::from_end(open)?;
        let Some(last) = lines.next()?.and_then(Line::parse) else { return Ok(None) };
        let mut head = [0; TABLE];
        let is_read = index.read_exact_at(&mut head, 0).is_ok();
        let is_of_file =
            is_read && head[..MAGIC.len()] == *MAGIC && head[MAGIC.len()..TIMES] == last.chain.bytes();
        let time = |at: usize| {
            let micros = i64::from_be_bytes(head[at..at + 8].try_into().expect("eight bytes"));
            Timestamp::from_microsecond(micros).ok()
        };
        let span = || Some(Span { oldest: time(TIMES)?, newest: time(TIMES + 8)? });
        Ok(is_of_file.then(|| Self { span: span(), file: index }))
    }

    /// Where the lines begin that may have this hash, the last first. `None` if the index is cut off.
    pub(super) fn find(&self, hash: u64) -> Option<Vec<u64>> {
        let mut bounds = [0; 8];
        self.file.read_exact_at(&mut bounds, (TABLE + 4 * part_of(hash)) as u64).ok()?;
        let bound = |bytes: &[u8]| u32::from_be_bytes(bytes.try_into().expect("four bytes")) as usize;
        let (begins, ends) = (bound(&bounds[..4]), bound(&bounds[4..]));
        let length = ends.checked_sub(begins)?.checked_mul(ENTRY)?;
        if self.file.metadata().ok()?.len() < (ENTRIES + ends * ENTRY) as u64 {
            return None;
        }
        let mut part = vec![0; length];
        self.file.read_exact_at(&mut part, (ENTRIES + begins * ENTRY) as u64).ok()?;
        let (entries, _) = part.as_chunks::<ENTRY>();
        let found = entries.iter().filter(|entry| entry[..8] == hash.to_be_bytes());
        let mut starts: Vec<u64> = found.map(|entry| bound(&entry[8..]) as u64).collect();
        starts.reverse();
        Some(starts)
    }
}

fn part_of(hash: u64) -> usize {
    usize::try_from(hash >> 52).expect("twelve bits")
}
