//! Takes over folders of files: each folder with the name of a bucket becomes one, and each file below it an object, by its
//! path. So objects that an earlier release kept as files are there, and a test can lay out buckets beforehand. Every
//! file is linked, recorded and then removed, so that a process that ends in the middle goes on at its next start.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;

use super::{Described, Disk, DiskError, OnlyIf, Properties, Taken};
use crate::s3::digests::{Digests, Kind};
use crate::s3::key::check_key;

pub(super) fn take_over(disk: &Disk, root: &Path) -> anyhow::Result<()> {
    for path in entries(root)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && s3s::path::check_bucket_name(name) {
            refuse_link(&path)?;
            let taken = bucket(disk, root, name);
            taken.with_context(|| format!("cannot take over the files in {}", path.display()))?;
        }
    }
    remove_notes(root)
}

fn bucket(disk: &Disk, root: &Path, name: &str) -> anyhow::Result<()> {
    match disk.create_bucket(name) {
        Ok(()) | Err(DiskError::BucketExists) => (),
        Err(error) => return Err(error.into()),
    }
    let folder = root.join(name);
    let mut folders = vec![folder.clone()];
    while let Some(below) = folders.pop() {
        for path in entries(&below)? {
            refuse_link(&path)?;
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let key = path.strip_prefix(&folder)?.to_str().context("a name is not UTF-8")?.to_owned();
            if !path.is_file() || check_key(&key).is_err() {
                anyhow::bail!(
                    "{} cannot be an object: it is no file, or its path is longer than 1,024 bytes; take it away",
                    path.display()
                );
            }
            object(disk, root, name, &key, &path)?;
        }
    }
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// What is taken over is removed, and what a link leads to is somebody else's.
fn refuse_link(path: &Path) -> anyhow::Result<()> {
    if path.is_symlink() {
        anyhow::bail!(
            "{} is a link, which is not followed; put what it leads to in its place",
            path.display()
        );
    }
    Ok(())
}

fn object(disk: &Disk, root: &Path, bucket: &str, key: &str, path: &Path) -> anyhow::Result<()> {
    let mut digests = Digests::new(&[Kind::Crc64Nvme]);
    let mut file = fs::File::open(path)?;
    let (mut buffer, mut size) = (vec![0; 1 << 20], 0);
    loop {
        let length = file.read(&mut buffer)?;
        if length == 0 {
            break;
        }
        digests.update(buffer.get(..length).unwrap_or_default());
        size += length as u64;
    }
    let sums = digests.finish();
    let described = Described {
        properties: properties(root, bucket, key),
        checksum: crate::s3::digests::Checksum { values: sums.first(), is_composite: false },
        ..Described::default()
    };
    let reserved = disk.0.blobs.reserve()?;
    fs::hard_link(path, reserved.path()).or_else(|_| fs::copy(path, reserved.path()).map(drop))?;
    disk.put_now(bucket, key, Taken::of_file(reserved, size, sums), described, &OnlyIf::default())?;
    fs::remove_file(path)?;
    Ok(())
}

/// What earlier releases noted of an object, in a file beside the buckets.
#[derive(Deserialize)]
struct Note {
    user_metadata: Option<BTreeMap<String, String>>,
    #[serde(flatten)]
    properties: Properties,
}

fn properties(root: &Path, bucket: &str, key: &str) -> Properties {
    let [bucket, key] = [bucket, key].map(|name| BASE64_URL_SAFE_NO_PAD.encode(name));
    let note = fs::read(root.join(format!(".bucket-{bucket}.object-{key}.metadata.json"))).ok();
    let note: Option<Note> = note.and_then(|text| serde_json::from_slice(&text).ok());
    note.map_or_else(Properties::default, |note| Properties {
        metadata: note.user_metadata.unwrap_or_default(),
        // It was kept in another form.
        expires: None,
        ..note.properties
    })
}

/// Removes what earlier releases noted, and what is left of uploads that were under way.
fn remove_notes(root: &Path) -> anyhow::Result<()> {
    const NOTES: [&str; 4] = [".bucket-", ".upload-", ".upload_id-", ".tmp."];
    for path in entries(root)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_file() && NOTES.iter().any(|beginning| name.starts_with(beginning)) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    Ok(fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}
