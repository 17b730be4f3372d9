//! Takes the body of an upload: writes it to a file of its own, and computes what is asked of it, as it comes.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, ready};
use futures::{Stream, StreamExt};
use s3s::StdError;

use super::DiskError;
use super::blobs::{Blobs, Piece, Reserved};
use crate::s3::digests::{Digests, Sums};

/// How much is gathered before it is written.
const GATHERED: usize = 1 << 20;

/// What takes a body.
pub struct Intake {
    blobs: Arc<Blobs>,
    digests: Digests,
    file: Option<(Reserved, File)>,
    size: u64,
}

/// A body that arrived whole. Its file is removed again unless the index comes to hold it.
pub struct Taken {
    file: Option<Reserved>,
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
        Self { blobs, digests, file: None, size: 0 }
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

    fn begin_to_write(mut self, gathered: Vec<Bytes>) -> Writing {
        let write = tokio::task::spawn_blocking(move || {
            gathered.iter().try_for_each(|bytes| self.write(bytes))?;
            Ok(self)
        });
        Box::pin(async { write.await.unwrap_or(Err(DiskError::Stopped)) })
    }

    /// Takes some bytes, on a thread that may wait.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DiskError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.file.is_none() {
            let reserved = self.blobs.reserve()?;
            let file = File::create_new(reserved.path())?;
            self.file = Some((reserved, file));
        }
        if let Some((_, file)) = &mut self.file {
            file.write_all(bytes)?;
        }
        self.digests.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn finish(self) -> Taken {
        Taken { file: self.file.map(|(reserved, _)| reserved), size: self.size, sums: self.digests.finish() }
    }
}

/// The next bytes of a body, and whether they are the last.
async fn gather<S>(body: &mut S) -> Result<(Vec<Bytes>, bool), StdError>
where
    S: Stream<Item = Result<Bytes, StdError>> + Unpin,
{
    let (mut gathered, mut length) = (Vec::new(), 0);
    while length < GATHERED {
        let Some(bytes) = body.next().await.transpose()? else { return Ok((gathered, true)) };
        length += bytes.len();
        gathered.push(bytes);
    }
    Ok((gathered, false))
}

impl Taken {
    /// The bytes of a file that is there already.
    pub(super) fn of_file(file: Reserved, size: u64, sums: Sums) -> Self {
        Self { file: (size > 0).then_some(file), size, sums }
    }

    pub(super) fn pieces(&self) -> Vec<Piece> {
        self.file.iter().map(|file| Piece { blob: file.id(), size: self.size }).collect()
    }

    /// The index holds it now.
    pub(super) fn keep(self) {
        if let Some(file) = self.file {
            file.keep();
        }
    }
}
