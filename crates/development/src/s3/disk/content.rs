//! The bytes of an object, read as they are wanted. What was begun is read to its end, though the object be replaced.

use std::io::{Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::mpsc;

use super::blobs::{BlobId, Piece, Reading, SMALL};
use super::{Disk, DiskError, Object, Taken};
use crate::s3::digests::Digests;

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

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
    pieces: std::vec::IntoIter<(Place, Range<u64>)>,
    open: Option<Open>,
}

/// Where the bytes of a piece are.
enum Place {
    File(BlobId),
    /// Here already.
    Bytes(Vec<u8>),
}

/// Bytes that are read in order, and how many are left.
type Open = (Box<dyn Read + Send>, u64);

impl Disk {
    /// Opens a range of the bytes of an object that was just looked up.
    ///
    /// # Errors
    /// If it cannot be read; [`DiskError::NoSuchKey`] if it was replaced meanwhile.
    pub async fn content(&self, object: &Object, range: Range<u64>) -> Result<Content, DiskError> {
        let length = range.end - range.start;
        if length == 0 {
            return Ok(Content::Bytes(Bytes::new()));
        }
        let source = self.source(object, &range)?;
        let (source, first) = if source.is_at_hand() {
            source.begin()?
        } else {
            self.blocking(move |_| source.begin()).await?
        };
        if first.len() as u64 == length {
            return Ok(Content::Bytes(first));
        }
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(source.send(first, length, sender));
        Ok(Content::Chunks(receiver))
    }

    /// Whatever lies in the index is read here, as nothing keeps it from going.
    fn source(&self, object: &Object, range: &Range<u64>) -> Result<Source, DiskError> {
        let reading = self.0.blobs.read(&object.pieces);
        let pieces = self.0.index.read(|index| {
            let pieces = within(&object.pieces, range).into_iter();
            pieces.map(|(piece, range)| Ok((place(index, piece)?, range))).collect::<Result<Vec<_>, _>>()
        })?;
        Ok(Source { disk: self.clone(), _reading: reading, pieces: pieces.into_iter(), open: None })
    }

    /// Hands all bytes of a range to `take`, on a thread that may wait.
    pub(super) fn read_now(
        &self,
        object: &Object,
        range: &Range<u64>,
        mut take: impl FnMut(&[u8]) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let (mut source, mut left) = (self.source(object, range)?, range.end - range.start);
        while left > 0 {
            let chunk = source.chunk()?;
            left -= chunk.len() as u64;
            take(&chunk)?;
        }
        Ok(())
    }
}

/// Where a piece is, which is small if it is not in a file.
fn place(index: &Connection, piece: Piece) -> Result<Place, DiskError> {
    if piece.size > SMALL as u64 {
        return Ok(Place::File(piece.blob));
    }
    let mut ask = index.prepare_cached("SELECT bytes FROM blob WHERE id = ?1")?;
    let bytes: Option<Option<Vec<u8>>> = ask.query_row([piece.blob], |row| row.get(0)).optional()?;
    let bytes = bytes.ok_or(DiskError::NoSuchKey)?;
    Ok(bytes.map_or(Place::File(piece.blob), Place::Bytes))
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
    /// Whether the first bytes are here already.
    fn is_at_hand(&self) -> bool {
        matches!(self.pieces.as_slice().first(), Some((Place::Bytes(_), _)))
    }

    /// The first bytes, and what gives those after them.
    fn begin(mut self) -> Result<(Self, Bytes), DiskError> {
        let first = self.chunk()?;
        Ok((self, first))
    }

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

    fn open_next(&mut self) -> Result<Open, DiskError> {
        let (place, range) = self.pieces.next().ok_or(DiskError::NoSuchKey)?;
        let bytes: Box<dyn Read + Send> = match place {
            Place::File(blob) => Box::new(self.open_file(blob, range.start)?),
            Place::Bytes(bytes) => {
                let mut bytes = Cursor::new(bytes);
                bytes.set_position(range.start);
                Box::new(bytes)
            }
        };
        Ok((bytes, range.end - range.start))
    }

    fn open_file(&self, blob: BlobId, start: u64) -> Result<std::fs::File, DiskError> {
        let mut file = self.disk.0.blobs.open(blob).map_err(|error| match error.kind() {
            ErrorKind::NotFound => DiskError::NoSuchKey,
            _ => error.into(),
        })?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
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
