//! The body of an answer, as it comes from the disk.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::sync::mpsc;

/// Chunks of bytes, of which it is known how many they are together.
pub(super) struct Chunks {
    chunks: mpsc::Receiver<Result<Bytes, io::Error>>,
    left: u64,
}

impl Chunks {
    pub fn new(chunks: mpsc::Receiver<Result<Bytes, io::Error>>, length: u64) -> Self {
        Self { chunks, left: length }
    }
}

impl Stream for Chunks {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match std::task::ready!(self.chunks.poll_recv(context)) {
            Some(Ok(bytes)) => {
                self.left = self.left.saturating_sub(bytes.len() as u64);
                Some(Ok(bytes))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None if self.left > 0 => Some(Err("the object could not be read to its end".into())),
            None => None,
        })
    }
}

impl ByteStream for Chunks {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}
