//! The disk against a simple model, and what is left of what was broken off.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use bytes::Bytes;
use daypass_core::ground::clock::{ManualClock, SignedDuration};
use daypass_core::ground::random::{Random, SeededRandom};
use futures::stream;
use tempfile::TempDir;

use super::blobs::SMALL;
use super::*;
use crate::s3::digests::{Checksums, Digests, Kind};

struct Home {
    root: TempDir,
    clock: Arc<ManualClock>,
}

impl Home {
    fn new() -> Self {
        Self { root: TempDir::new().unwrap(), clock: Arc::new(ManualClock::at_second(1_700_000_000)) }
    }

    /// Whoever still reads keeps it open.
    fn open(&self) -> Disk {
        loop {
            match Disk::open(self.root.path(), self.clock.clone(), Arc::new(SeededRandom::new(7))) {
                Err(error) if error.to_string().contains("another process") => std::thread::yield_now(),
                disk => return disk.unwrap(),
            }
        }
    }

    /// How many files there are, beside the index.
    fn files(&self) -> usize {
        fn count(folder: &Path) -> usize {
            let Ok(entries) = fs::read_dir(folder) else { return 0 };
            entries
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(&self.root.path().join(FOLDER).join("blobs"))
    }
}

async fn taken(disk: &Disk, bytes: &[u8]) -> Taken {
    let chunks: Vec<_> = bytes.chunks(700_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    match disk.intake(Digests::new(&[Kind::Crc64Nvme])).take(stream::iter(chunks)).await {
        Ok(taken) => taken,
        Err(Untaken::Body(error)) => panic!("{error}"),
        Err(Untaken::Disk(error)) => panic!("{error}"),
    }
}

async fn put(disk: &Disk, key: &str, bytes: &[u8]) -> Object {
    let taken = taken(disk, bytes).await;
    disk.put("bkt".into(), key.into(), taken, Described::default(), OnlyIf::default()).await.unwrap()
}

async fn read(disk: &Disk, key: &str) -> Vec<u8> {
    let object = disk.object("bkt", key).unwrap();
    all(disk.content(&object, 0..object.size).await.unwrap()).await
}

async fn all(content: Content) -> Vec<u8> {
    match content {
        Content::Bytes(bytes) => bytes.to_vec(),
        Content::Chunks(mut chunks) => {
            let mut bytes = Vec::new();
            while let Some(chunk) = chunks.recv().await {
                bytes.extend_from_slice(&chunk.unwrap());
            }
            bytes
        }
    }
}

/// Numbers from a seed.
struct Dice(SeededRandom);

impl Dice {
    fn below(&self, limit: usize) -> usize {
        let random: &dyn Random = &self.0;
        usize::from_le_bytes(random.bytes()) % limit
    }
}

/// Bytes that are too many for the index.
fn in_a_file(text: &str) -> Vec<u8> {
    text.as_bytes().iter().copied().cycle().take(SMALL + 1).collect()
}

const KEYS: [&str; 12] =
    ["a", "a/", "a/b", "a//b", "a/b/c", "ab", "/", ".", "..", "a/../b", "ä", "\u{1f600}"];

/// What a listing of a model gives, by S3's rules said in another way.
fn listed(model: &BTreeMap<&str, Vec<u8>>, paging: &Paging) -> (Vec<String>, bool) {
    let mut names: Vec<String> = Vec::new();
    for key in model.keys().filter(|key| key.starts_with(&paging.prefix) && **key > paging.after.as_str()) {
        let rest = &key[paging.prefix.len()..];
        let end = rest.find(&paging.delimiter).filter(|_| !paging.delimiter.is_empty());
        let name = end.map_or(*key, |at| &key[..paging.prefix.len() + at + paging.delimiter.len()]);
        let was_told = end.is_some() && paging.is_entry && name == paging.after;
        if !was_told && names.last().is_none_or(|last| last != name) {
            names.push(name.to_owned());
        }
    }
    let is_truncated = names.len() > paging.limit && paging.limit > 0;
    names.truncate(paging.limit);
    (names, is_truncated)
}

#[tokio::test]
async fn it_is_what_a_simple_model_is() {
    let home = Home::new();
    let (mut disk, dice) = (home.open(), Dice(SeededRandom::new(11)));
    disk.create_bucket("bkt").unwrap();
    let mut model: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
    for round in 0..600 {
        let key = KEYS[dice.below(KEYS.len())];
        match dice.below(10) {
            0..4 => {
                let bytes = vec![
                    u8::try_from(round % 251).unwrap();
                    [0, 1, 1_000, SMALL, SMALL + 1, 2_500_000][dice.below(6)]
                ];
                put(&disk, key, &bytes).await;
                model.insert(key, bytes);
            }
            4..6 => {
                disk.delete("bkt".into(), key.into(), OnlyIf::default()).await.unwrap();
                model.remove(key);
            }
            6..8 => match model.get(key) {
                Some(bytes) => assert_eq!(&read(&disk, key).await, bytes),
                None => assert!(matches!(disk.object("bkt", key), Err(DiskError::NoSuchKey))),
            },
            8 => {
                let some = ["", "/", "a", "a/", "ä", "b"];
                let paging = Paging {
                    prefix: some[dice.below(some.len())].into(),
                    delimiter: some[dice.below(some.len())].into(),
                    after: if dice.below(2) == 0 { String::new() } else { key.into() },
                    is_entry: dice.below(2) == 0,
                    limit: dice.below(5),
                };
                let page = disk.list("bkt".into(), paging.clone()).await.unwrap();
                let names: Vec<String> = page.entries.iter().map(|entry| entry.name().to_owned()).collect();
                assert_eq!(
                    (names, page.is_truncated),
                    listed(&model, &paging),
                    "{paging:?} of {:?}",
                    model.keys()
                );
            }
            _ => {
                drop(disk);
                disk = home.open();
            }
        }
    }
    assert_eq!(home.files(), model.values().filter(|bytes| bytes.len() > SMALL).count());
}

#[tokio::test]
async fn a_reader_reads_to_the_end_what_is_replaced() {
    let home = Home::new();
    let disk = home.open();
    disk.create_bucket("bkt").unwrap();
    let first = vec![1; 5_000_000];
    put(&disk, "k", &first).await;
    let object = disk.object("bkt", "k").unwrap();
    let reading = disk.content(&object, 0..object.size).await.unwrap();
    put(&disk, "k", b"another").await;
    assert_eq!(all(reading).await, first);
    assert_eq!(read(&disk, "k").await, b"another");
    // The reader's task removes what it read when it ends.
    while home.files() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_broken_off_leaves_nothing() {
    let home = Home::new();
    let disk = home.open();
    disk.create_bucket("bkt").unwrap();
    let broken: Vec<Result<Bytes, s3s::StdError>> =
        vec![Ok(vec![0; 3_000_000].into()), Err("it ended".into())];
    assert!(disk.intake(Digests::new(&[])).take(stream::iter(broken)).await.is_err());
    drop(taken(&disk, &in_a_file("of nobody")).await);
    let taken_in_vain = taken(&disk, &in_a_file("too late")).await;
    put(&disk, "k", &in_a_file("first")).await;
    let is_free = OnlyIf { is_free: true, ..OnlyIf::default() };
    let refused = disk.put("bkt".into(), "k".into(), taken_in_vain, Described::default(), is_free).await;
    assert!(matches!(refused, Err(DiskError::ConditionFailed("If-None-Match"))));
    assert_eq!(read(&disk, "k").await, in_a_file("first"));
    while home.files() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_swept_away() {
    let home = Home::new();
    let disk = home.open();
    disk.create_bucket("bkt").unwrap();
    put(&disk, "k", &in_a_file("kept")).await;
    put(&disk, "small", b"kept").await;
    // As if it had been killed before the index held the second file.
    std::mem::forget(taken(&disk, &in_a_file("left behind")).await);
    disk.begin_upload("bkt".into(), "u".into(), Described::default()).await.unwrap();
    assert_eq!(home.files(), 2);
    drop(disk);
    home.clock.advance(SignedDuration::from_hours(8 * 24));
    let disk = home.open();
    while home.files() > 1 {
        std::thread::yield_now();
    }
    assert_eq!(read(&disk, "k").await, in_a_file("kept"));
    assert_eq!(read(&disk, "small").await, b"kept");
    let page =
        disk.uploads("bkt".into(), Paging { limit: 10, ..Paging::default() }, String::new()).await.unwrap();
    assert_eq!(page.entries, []);
}

#[tokio::test]
async fn an_upload_in_parts_becomes_what_its_parts_are() {
    let home = Home::new();
    let disk = home.open();
    disk.create_bucket("bkt").unwrap();
    let id = disk.begin_upload("bkt".into(), "k".into(), Described::default()).await.unwrap();
    let place = || ("bkt".to_owned(), "k".to_owned(), id.clone());
    let large = vec![3; 5 << 20];
    let mut parts = Vec::new();
    let unused = in_a_file("unused");
    for (number, bytes) in [(2, &large[..]), (5, &unused), (7, b"the end"), (2, &large[..])] {
        let taken = taken(&disk, bytes).await;
        let part = disk.put_part(place(), number, taken, Checksums::new()).await.unwrap();
        parts.push(CompletedPart { number, etag: part.etag, checksums: Checksums::new() });
    }
    assert_eq!(home.files(), 2, "a part replaces one of its number");
    let complete = |parts: Vec<CompletedPart>| {
        disk.complete("bkt".into(), "k".into(), id.clone(), Completion { parts, ..Completion::default() })
    };
    let unordered = complete(vec![parts[2].clone(), parts[3].clone()]).await;
    assert!(matches!(unordered, Err(DiskError::InvalidPartOrder)));
    let small = complete(vec![parts[1].clone(), parts[2].clone()]).await;
    assert!(matches!(small, Err(DiskError::PartTooSmall(5))));
    let another = CompletedPart { etag: "0".into(), ..parts[2].clone() };
    assert!(matches!(complete(vec![parts[3].clone(), another]).await, Err(DiskError::InvalidPart(7))));
    let object = complete(vec![parts[3].clone(), parts[2].clone()]).await.unwrap();
    assert_eq!(object.parts(), Some(vec![5 << 20, 7]));
    assert!(object.etag.ends_with("-2"));
    assert_eq!(read(&disk, "k").await, [&large[..], b"the end"].concat());
    let middle = disk.content(&object, (5 << 20) - 2..(5 << 20) + 3).await.unwrap();
    assert_eq!(all(middle).await, b"\x03\x03the");
    assert_eq!(home.files(), 1);
    // What lies in the index is there to the end as well.
    let reading = disk.content(&object, 0..object.size).await.unwrap();
    put(&disk, "k", b"").await;
    assert_eq!(all(reading).await, [&large[..], b"the end"].concat());
    while home.files() > 0 {
        tokio::task::yield_now().await;
    }
    let held = disk
        .0
        .index
        .read(|index| Ok(index.query_row("SELECT count(*) FROM blob", [], |row| row.get::<_, u32>(0))?));
    assert_eq!(held.unwrap(), 0);
    assert!(matches!(complete(parts).await, Err(DiskError::NoSuchUpload)));
}

#[tokio::test]
async fn folders_of_files_become_buckets() {
    let home = Home::new();
    let bucket = home.root.path().join("bkt");
    fs::create_dir_all(bucket.join("a/b")).unwrap();
    fs::write(bucket.join("a/b/c.txt"), "kept as a file").unwrap();
    fs::write(bucket.join("empty"), "").unwrap();
    // Of the bucket `bkt` and the key `empty`.
    let note = r#"{"user_metadata":{"mood":"good"},"content_type":"text/plain"}"#;
    fs::write(home.root.path().join(".bucket-Ymt0.object-ZW1wdHk.metadata.json"), note).unwrap();
    fs::write(home.root.path().join(".upload_id-1.part-1"), "of an upload").unwrap();
    let disk = home.open();
    assert_eq!(read(&disk, "a/b/c.txt").await, b"kept as a file");
    let properties = disk.object("bkt", "empty").unwrap().properties;
    assert_eq!(properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(properties.metadata["mood"], "good");
    drop(disk);
    let left: Vec<_> =
        fs::read_dir(home.root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, [FOLDER]);
    assert_eq!(read(&home.open(), "a/b/c.txt").await, b"kept as a file");
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_left_alone() {
    let (home, other) = (Home::new(), TempDir::new().unwrap());
    fs::write(other.path().join("thesis"), "years of work").unwrap();
    std::os::unix::fs::symlink(other.path(), home.root.path().join("bkt")).unwrap();
    let refused = Disk::open(home.root.path(), home.clock.clone(), Arc::new(SeededRandom::new(7)));
    assert!(format!("{:#}", refused.err().unwrap()).contains("is a link"));
    assert_eq!(fs::read(other.path().join("thesis")).unwrap(), b"years of work");
}

#[test]
fn what_can_be_no_object_is_told_and_left_alone() {
    let home = Home::new();
    let mut long = home.root.path().join("bkt");
    (0..5).for_each(|_| long.push("n".repeat(250)));
    fs::create_dir_all(&long).unwrap();
    fs::write(long.join("file"), "kept").unwrap();
    let opened = Disk::open(home.root.path(), home.clock.clone(), Arc::new(SeededRandom::new(7)));
    let told = format!("{:#}", opened.err().unwrap());
    assert!(told.contains("1,024 bytes"), "{told}");
    assert_eq!(fs::read(long.join("file")).unwrap(), b"kept");
}

#[test]
fn a_folder_is_for_one_process() {
    let home = Home::new();
    let _disk = home.open();
    let second = Disk::open(home.root.path(), home.clock.clone(), Arc::new(SeededRandom::new(7)));
    assert!(second.err().unwrap().to_string().contains("another process"));
}
