//! The bytes of an object, read as they are wanted. What was begun is read to its end, though the object be replaced.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::blobs::{Piece, Reading};
use super::{Disk, DiskError, Object, Taken};
use crate::s3::digests::Digests;

/// How much is read at a time.
const CHUNK: usize = 1 << 20;

/// Bytes of an object.
pub enum Content {
    /// All there are.
    Bytes(Bytes),
    /// They come in chunks, one of which may be an error and the last.
    Chunks(mpsc::Receiver<Result<Bytes, std::io::Error>>),
}

/// What is still to be read.
struct Source {
    disk: Disk,
    _reading: Reading,
    pieces: std::vec::IntoIter<(Piece, Range<u64>)>,
    open: Option<(File, u64)>,
}

impl Disk {
    /// Opens a range of the bytes of an object that was just looked up.
    ///
    /// # Errors
    /// If it cannot be read; [`DiskError::NoSuchKey`] if it was replaced meanwhile.
    pub async fn content(&self, object: &Object, range: Range<u64>) -> Result<Content, DiskError> {
        let mut source = self.source(object, &range);
        let length = range.end - range.start;
        if length == 0 {
            return Ok(Content::Bytes(Bytes::new()));
        }
        let (source, first) = self
            .blocking(move |_| {
                let first = source.chunk()?;
                Ok((source, first))
            })
            .await?;
        if first.len() as u64 == length {
            return Ok(Content::Bytes(first));
        }
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(source.send(first, length, sender));
        Ok(Content::Chunks(receiver))
    }

    fn source(&self, object: &Object, range: &Range<u64>) -> Source {
        let reading = self.0.blobs.read(&object.pieces);
        let pieces = within(&object.pieces, range).into_iter();
        Source { disk: self.clone(), _reading: reading, pieces, open: None }
    }

    /// Hands all bytes of a range to `take`, on a thread that may wait.
    pub(super) fn read_now(
        &self,
        object: &Object,
        range: &Range<u64>,
        mut take: impl FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let (mut source, mut left) = (self.source(object, range), range.end - range.start);
        while left > 0 {
            let chunk = source.chunk()?;
            left -= chunk.len() as u64;
            take(&chunk)?;
        }
        Ok(())
    }
}

/// The pieces that a range of the whole touches, each with the range of its own bytes.
fn within(pieces: &[Piece], range: &Range<u64>) -> Vec<(Piece, Range<u64>)> {
    let mut start = 0;
    let mut touched = Vec::new();
    for piece in pieces {
        let end = start + piece.size;
        let (from, to) = (range.start.max(start), range.end.min(end));
        if from < to {
            touched.push((*piece, from - start..to - start));
        }
        start = end;
    }
    touched
}

impl Source {
    /// The next bytes: at least one, as there are some.
    fn chunk(&mut self) -> Result<Bytes, DiskError> {
        let (mut file, left) = match self.open.take() {
            Some(open) => open,
            None => self.open_next()?,
        };
        let length = left.min(CHUNK as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(CHUNK)];
        file.read_exact(&mut bytes)?;
        if left > length {
            self.open = Some((file, left - length));
        }
        Ok(bytes.into())
    }

    fn open_next(&mut self) -> Result<(File, u64), DiskError> {
        let (piece, range) = self.pieces.next().ok_or(DiskError::NoSuchKey)?;
        let mut file = self.disk.0.blobs.open(piece.blob).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DiskError::NoSuchKey,
            _ => error.into(),
        })?;
        file.seek(SeekFrom::Start(range.start))?;
        Ok((file, range.end - range.start))
    }

    /// Sends the rest after the first chunk, for as long as somebody takes it.
    async fn send(mut self, first: Bytes, length: u64, to: mpsc::Sender<Result<Bytes, std::io::Error>>) {
        let (mut chunk, mut left) = (Ok(first), length);
        loop {
            left -= chunk.as_ref().map_or(left, |bytes: &Bytes| bytes.len() as u64);
            if to.send(chunk.map_err(std::io::Error::other)).await.is_err() || left == 0 {
                return;
            }
            let disk = self.disk.clone();
            let next = disk.blocking(move |_| {
                let chunk = self.chunk();
                Ok((self, chunk))
            });
            match next.await {
                Ok((source, next)) => (self, chunk) = (source, next),
                Err(_) => return,
            }
        }
    }
}

impl Disk {
    /// Takes a range of an object as if it were uploaded.
    ///
    /// # Errors
    /// If it cannot be read or written; [`DiskError::NoSuchKey`] if it was replaced meanwhile.
    pub async fn take_from(
        &self,
        source: Object,
        range: Range<u64>,
        digests: Digests,
    ) -> Result<Taken, DiskError> {
        self.blocking(move |disk| {
            let mut intake = disk.intake(digests);
            disk.read_now(&source, &range, |bytes| intake.write(bytes))?;
            Ok(intake.finish())
        })
        .await
    }
}
