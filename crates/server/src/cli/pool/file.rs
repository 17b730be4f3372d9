//! The file in which an embedded pool moves: JSON Lines. The first line has the pool, every other an identity
//! in the order of their IDs, and the last one counts them and has the SHA-256 of all lines before it.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Seek, SeekFrom, Write};

use aws_lc_rs::digest::{Context, SHA256};
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::counting::counted;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{
    Identity, IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings, PrincipalTagMap,
};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::transfer::SourceError;
use serde::{Deserialize, Serialize};

/// The form described above. Another number is another form.
const FORMAT: u32 = 1;

/// Longer than any line that is written: a pool with all the rules it may have, in characters that JSON
/// spells out.
const MAX_LINE: u64 = 64 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    daypass_pool: u32,
    pool: Pool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configured_as: Option<String>,
}

/// A pool as the file and `daypass pool show` have it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    id: IdentityPoolId,
    settings: PoolSettings,
    roles: PoolRoles,
    tag_maps: BTreeMap<String, PrincipalTagMap>,
}

impl From<IdentityPool> for Pool {
    fn from(pool: IdentityPool) -> Self {
        let IdentityPool { id, version: _, settings, roles, tag_maps } = pool;
        Self { id, settings, roles, tag_maps }
    }
}

impl From<Pool> for IdentityPool {
    fn from(pool: Pool) -> Self {
        Self { tag_maps: pool.tag_maps, ..Self::new(pool.id, pool.settings, pool.roles) }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    id: IdentityId,
    authenticated: bool,
    enabled: bool,
    created_at: Timestamp,
    modified_at: Timestamp,
    logins: Vec<LineLogin>,
}

/// A login. Without a provider it is a developer user.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LineLogin {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    user: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    identities: u64,
    sha256: String,
}

impl From<IdentityRecord> for Line {
    fn from(record: IdentityRecord) -> Self {
        let IdentityRecord { identity, logins } = record;
        Self {
            id: identity.id,
            authenticated: identity.authenticated,
            enabled: !identity.disabled,
            created_at: identity.created_at,
            modified_at: identity.modified_at,
            logins: logins.into_iter().map(Into::into).collect(),
        }
    }
}

impl Line {
    fn record(self, pool_id: &IdentityPoolId) -> IdentityRecord {
        let identity = Identity {
            id: self.id,
            pool_id: pool_id.clone(),
            authenticated: self.authenticated,
            disabled: !self.enabled,
            created_at: self.created_at,
            modified_at: self.modified_at,
        };
        IdentityRecord { identity, logins: self.logins.into_iter().map(Into::into).collect() }
    }
}

impl From<Login> for LineLogin {
    fn from(Login { provider, user }: Login) -> Self {
        match provider {
            LoginProvider::Developer => Self { provider: None, user },
            LoginProvider::Public(name) => Self { provider: Some(name), user },
        }
    }
}

impl From<LineLogin> for Login {
    fn from(LineLogin { provider, user }: LineLogin) -> Self {
        Self { provider: provider.map_or(LoginProvider::Developer, LoginProvider::Public), user }
    }
}

/// Writes a pool and its identities.
pub struct Writer<W> {
    output: W,
    sum: Context,
    identities: u64,
    line: Vec<u8>,
}

impl<W: Write> Writer<W> {
    /// Begins with the pool.
    pub fn new(output: W, pool: IdentityPool, configured_as: Option<String>) -> anyhow::Result<Self> {
        let mut writer = Self { output, sum: Context::new(&SHA256), identities: 0, line: Vec::new() };
        writer.write(&Header { daypass_pool: FORMAT, pool: pool.into(), configured_as })?;
        Ok(writer)
    }

    /// Goes on with the next identity.
    pub fn add(&mut self, record: IdentityRecord) -> anyhow::Result<()> {
        self.write(&Line::from(record))?;
        self.identities += 1;
        Ok(())
    }

    /// Ends, without which the file counts for nothing.
    pub fn finish(mut self) -> anyhow::Result<W> {
        let trailer = Trailer { identities: self.identities, sha256: hex(self.sum.clone()) };
        self.write(&trailer)?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line)?;
        self.line.push(b'\n');
        self.sum.update(&self.line);
        Ok(self.output.write_all(&self.line)?)
    }
}

/// How many identities a file says it has, for whoever wants to know how long it will take. Nothing hangs on it.
pub fn announced(file: &mut (impl Read + Seek)) -> Option<u64> {
    const LONGER_THAN_A_TRAILER: i64 = 200;
    let from_end = SeekFrom::End(-LONGER_THAN_A_TRAILER);
    let mut end = Vec::new();
    file.seek(from_end).ok()?;
    file.read_to_end(&mut end).ok()?;
    let line = end.strip_suffix(b"\n")?.rsplit(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok().map(|trailer: Trailer| trailer.identities)
}

/// Why a file is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// It begins otherwise.
    #[error("this is no file of `daypass pool export`: {0}")]
    NotOurs(serde_json::Error),
    /// A later Daypass wrote it.
    #[error("the file has format {0}, and this Daypass reads format {FORMAT}: use the Daypass that wrote it")]
    Format(u32),
    /// A line is not what stands there.
    #[error("line {number} is damaged: {source}")]
    Line {
        /// Counted from 1.
        number: u64,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A line never ends.
    #[error("line {0} is longer than any line of an export")]
    Long(u64),
    /// The last line is missing, or a part of it.
    #[error("the file is cut off in line {0}: export it again")]
    Truncated(u64),
    /// Something stands behind the last line.
    #[error("line {0} stands behind the end of the file")]
    Trailing(u64),
    /// Lines are missing, or are there twice.
    #[error("the file has {} and should have {expected}", counted(*found, "identity", "identities"))]
    Count {
        /// As many are there.
        found: u64,
        /// As many were written.
        expected: u64,
    },
    /// Something was changed.
    #[error("the file was changed: its SHA-256 is {found}, and it was written with {expected}")]
    Sum {
        /// Of what is there.
        found: String,
        /// Of what was written.
        expected: String,
    },
}

/// Reads what [`Writer`] wrote. Whether it is whole is known at its end, and an error then.
pub struct Reader<R> {
    input: R,
    sum: Context,
    number: u64,
    identities: u64,
    pool_id: IdentityPoolId,
    line: Vec<u8>,
    ended: bool,
}

/// A file whose first line was read.
pub struct Opened<R> {
    /// The pool.
    pub pool: IdentityPool,
    /// The name under which a configuration found it.
    pub configured_as: Option<String>,
    /// The identities.
    pub identities: Reader<R>,
}

/// Reads the first line.
pub fn open<R: BufRead>(mut input: R) -> Result<Opened<R>, FileError> {
    let (mut line, mut sum) = (Vec::new(), Context::new(&SHA256));
    if !read_line(&mut input, &mut line, 1)? {
        return Err(FileError::Truncated(1));
    }
    sum.update(&line);
    check_format(&line)?;
    let Header { pool, configured_as, .. } = serde_json::from_slice(&line).map_err(FileError::NotOurs)?;
    let pool_id = pool.id.clone();
    let identities = Reader { input, sum, number: 1, identities: 0, pool_id, line, ended: false };
    Ok(Opened { pool: pool.into(), configured_as, identities })
}

/// A form of the future may have members that this one refuses, so its number is looked at first.
fn check_format(line: &[u8]) -> Result<(), FileError> {
    #[derive(Deserialize)]
    struct Form {
        daypass_pool: u32,
    }
    let Form { daypass_pool } = serde_json::from_slice(line).map_err(FileError::NotOurs)?;
    if daypass_pool == FORMAT { Ok(()) } else { Err(FileError::Format(daypass_pool)) }
}

impl<R: BufRead> Reader<R> {
    fn read(&mut self) -> Result<Option<IdentityRecord>, FileError> {
        self.number += 1;
        if !read_line(&mut self.input, &mut self.line, self.number)? {
            return Err(FileError::Truncated(self.number));
        }
        match serde_json::from_slice::<Line>(&self.line) {
            Ok(line) => {
                self.sum.update(&self.line);
                self.identities += 1;
                Ok(Some(line.record(&self.pool_id)))
            }
            Err(source) => match serde_json::from_slice(&self.line) {
                Ok(trailer) => self.end(trailer).map(|()| None),
                // It is to be an identity, so what is wrong with it as one is of use.
                Err(_) => Err(FileError::Line { number: self.number, source }),
            },
        }
    }

    fn end(&mut self, trailer: Trailer) -> Result<(), FileError> {
        self.ended = true;
        let mut rest = [0];
        if self.input.read(&mut rest)? > 0 {
            return Err(FileError::Trailing(self.number + 1));
        }
        if self.identities != trailer.identities {
            return Err(FileError::Count { found: self.identities, expected: trailer.identities });
        }
        let found = hex(self.sum.clone());
        if found == trailer.sha256 { Ok(()) } else { Err(FileError::Sum { found, expected: trailer.sha256 }) }
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<IdentityRecord, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let read = self.read();
        self.ended |= read.is_err();
        read.map_err(Into::into).transpose()
    }
}

/// Reads a line with its end. `false` if there is none, or if it has no end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>, number: u64) -> Result<bool, FileError> {
    line.clear();
    let read = input.take(MAX_LINE).read_until(b'\n', line)?;
    if read as u64 == MAX_LINE && line.last() != Some(&b'\n') {
        return Err(FileError::Long(number));
    }
    Ok(line.last() == Some(&b'\n'))
}

pub(super) fn hex(sum: Context) -> String {
    use std::fmt::Write as _;
    sum.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
