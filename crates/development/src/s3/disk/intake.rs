//! Takes the body of an upload: gathers it if it is small, or else writes it to a file of its own, and computes what is asked
//! of it, as it comes.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::{Stream, StreamExt};
use s3s::StdError;

use super::DiskError;
use super::blobs::{BlobId, Blobs, Piece, Reserved, SMALL};
use crate::s3::digests::{Digests, Sums};

/// How much is gathered before it is written.
const GATHERED: usize = 256 << 10;
/// In how many chunks: a body may come byte by byte.
const MOST_CHUNKS: usize = 1 << 10;

/// What takes a body.
pub struct Intake {
    blobs: Arc<Blobs>,
    digests: Digests,
    /// All that came, while that is not much.
    small: Vec<u8>,
    file: Option<(Reserved, File)>,
    size: u64,
}

/// What keeps the bytes of a body.
enum Kept {
    /// Nothing, of which there is no name.
    Nothing,
    Small(BlobId, Vec<u8>),
    File(Reserved),
}

/// A body that arrived whole. Its file is removed again unless the index comes to hold it.
pub struct Taken {
    kept: Kept,
    pub size: u64,
    pub sums: Sums,
}

/// Why a body was not taken.
pub enum Untaken {
    /// It ended with an error.
    Body(StdError),
    Disk(DiskError),
}

impl From<DiskError> for Untaken {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

/// A write that is under way.
type Writing = BoxFuture<'static, Result<Intake, DiskError>>;

impl Intake {
    pub(super) fn new(blobs: Arc<Blobs>, digests: Digests) -> Self {
        Self { blobs, digests, small: Vec::new(), file: None, size: 0 }
    }

    /// Takes a body to its end. The next bytes are awaited while the last ones are written.
    ///
    /// # Errors
    /// If the body ends with an error, or the disk does not take it. Then nothing is left of it.
    pub async fn take<S>(self, mut body: S) -> Result<Taken, Untaken>
    where
        S: Stream<Item = Result<Bytes, StdError>> + Unpin,
    {
        let mut writing: Writing = Box::pin(ready(Ok(self)));
        loop {
            let (gathered, is_end) = gather(&mut body).await.map_err(Untaken::Body)?;
            writing = writing.await?.begin_to_write(gathered);
            if is_end {
                return Ok(writing.await?.finish());
            }
        }
    }

    /// What stays in memory is taken at once: another thread would take longer to hear of it.
    fn begin_to_write(self, gathered: Vec<Bytes>) -> Writing {
        if self.stays_small(gathered.iter().map(Bytes::len).sum()) {
            return Box::pin(ready(self.write_all(&gathered)));
        }
        let write = tokio::task::spawn_blocking(move || self.write_all(&gathered));
        Box::pin(async { write.await.unwrap_or(Err(DiskError::Stopped)) })
    }

    fn stays_small(&self, more: usize) -> bool {
        self.file.is_none() && self.small.len() + more <= SMALL
    }

    fn write_all(mut self, gathered: &[Bytes]) -> Result<Self, DiskError> {
        gathered.iter().try_for_each(|bytes| self.write(bytes))?;
        Ok(self)
    }

    /// Takes some bytes, on a thread that may wait.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        self.digests.update(bytes);
        self.size += bytes.len() as u64;
        if self.stays_small(bytes.len()) {
            self.small.extend_from_slice(bytes);
            return Ok(());
        }
        if self.file.is_none() {
            let reserved = self.blobs.reserve()?;
            let mut file = File::create_new(reserved.path())?;
            file.write_all(&std::mem::take(&mut self.small))?;
            self.file = Some((reserved, file));
        }
        if let Some((_, file)) = &mut self.file {
            file.write_all(bytes)?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Taken {
        let kept = match self.file {
            Some((reserved, _)) => Kept::File(reserved),
            None if self.small.is_empty() => Kept::Nothing,
            None => Kept::Small(self.blobs.name(), self.small),
        };
        Taken { kept, size: self.size, sums: self.digests.finish() }
    }
}

/// The next bytes of a body, and whether they are the last.
async fn gather<S>(body: &mut S) -> Result<(Vec<Bytes>, bool), StdError>
where
    S: Stream<Item = Result<Bytes, StdError>> + Unpin,
{
    let (mut gathered, mut length) = (Vec::new(), 0);
    while length < GATHERED && gathered.len() < MOST_CHUNKS {
        let Some(bytes) = body.next().await.transpose()? else { return Ok((gathered, true)) };
        length += bytes.len();
        gathered.push(bytes);
    }
    Ok((gathered, false))
}

impl Taken {
    /// The bytes of a file that is there already.
    pub(super) fn of_file(file: Reserved, size: u64, sums: Sums) -> Self {
        Self { kept: if size > 0 { Kept::File(file) } else { Kept::Nothing }, size, sums }
    }

    /// What the ledger is to say: a name, and the bytes that no file has.
    pub(super) fn entry(&self) -> Option<(BlobId, Option<&[u8]>)> {
        match &self.kept {
            Kept::Nothing => None,
            Kept::Small(id, bytes) => Some((*id, Some(bytes))),
            Kept::File(file) => Some((file.id(), None)),
        }
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        self.entry().iter().map(|(id, _)| Piece { blob: *id, size: self.size }).collect()
    }

    /// The index holds it now.
    pub(super) fn keep(self) {
        if let Kept::File(file) = self.kept {
            file.keep();
        }
    }
}
