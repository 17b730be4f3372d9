//! Buckets, with their tags and with the origins that they let in.

use daypass_core::ground::clock::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::index::bucket_id;
use super::object::{Tags, instant, parse};
use super::{Disk, DiskError};

/// A bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub created: Timestamp,
    pub tags: Tags,
    pub cors: Vec<CorsRule>,
}

/// What pages of other origins may do (S3 User Guide, "Elements of a CORS configuration").
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorsRule {
    pub id: Option<String>,
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    pub exposed: Vec<String>,
    /// How many seconds a browser may remember it.
    pub max_age: Option<i32>,
}

impl Disk {
    /// A bucket.
    ///
    /// # Errors
    /// If there is none by this name.
    pub fn bucket(&self, name: &str) -> Result<Bucket, DiskError> {
        self.0.index.read(|index| {
            let mut ask = index.prepare_cached("SELECT created, tags, cors FROM bucket WHERE name = ?1")?;
            let mut rows = ask.query([name])?;
            let row = rows.next()?.ok_or(DiskError::NoSuchBucket)?;
            let (created, tags, cors) = (instant(row.get(0)?), parse(row, 1)?, parse(row, 2)?);
            Ok(Bucket { name: name.to_owned(), created, tags, cors })
        })
    }

    /// The names of the buckets there are, in order, and when they were made.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn buckets(&self) -> Result<Vec<(String, Timestamp)>, DiskError> {
        self.0.index.read(|index| {
            let mut ask = index.prepare_cached("SELECT name, created FROM bucket ORDER BY name")?;
            let rows = ask.query_map([], |row| Ok((row.get(0)?, instant(row.get(1)?))))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// If it is there already.
    pub fn create_bucket(&self, name: &str) -> Result<(), DiskError> {
        let created = self.now().as_millisecond();
        self.0.index.write(|index| {
            let made = index.execute(
                "INSERT OR IGNORE INTO bucket (name, created) VALUES (?1, ?2)",
                params![name, created],
            )?;
            if made == 0 { Err(DiskError::BucketExists) } else { Ok(()) }
        })
    }

    /// Removes a bucket that is empty.
    ///
    /// # Errors
    /// If it is not, or is not there.
    pub fn delete_bucket(&self, name: &str) -> Result<(), DiskError> {
        self.0.index.write(|index| {
            let bucket = bucket_id(index, name)?;
            for used in [
                "SELECT 1 FROM object WHERE bucket = ?1 LIMIT 1",
                "SELECT 1 FROM upload WHERE bucket = ?1 LIMIT 1",
            ] {
                if index.query_row(used, [bucket], |_| Ok(())).optional()?.is_some() {
                    return Err(DiskError::BucketNotEmpty);
                }
            }
            index.execute("DELETE FROM bucket WHERE id = ?1", [bucket])?;
            Ok(())
        })
    }

    /// Gives a bucket other tags.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub fn tag_bucket(&self, name: &str, tags: &Tags) -> Result<(), DiskError> {
        self.set("UPDATE bucket SET tags = ?2 WHERE name = ?1", name, &serde_json::to_string(tags)?)
    }

    /// Gives a bucket other rules for origins.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub fn set_cors(&self, name: &str, rules: &[CorsRule]) -> Result<(), DiskError> {
        self.set("UPDATE bucket SET cors = ?2 WHERE name = ?1", name, &serde_json::to_string(rules)?)
    }

    fn set(&self, change: &str, name: &str, value: &str) -> Result<(), DiskError> {
        let changed = self.0.index.write(|index| Ok(index.execute(change, [name, value])?))?;
        if changed == 0 { Err(DiskError::NoSuchBucket) } else { Ok(()) }
    }
}
