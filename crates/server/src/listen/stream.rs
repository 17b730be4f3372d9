//! A connection that keeps the time of whoever is at its other end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::limits::Limits;

/// The requests of one connection, which come one after the other.
#[derive(Debug, Default)]
pub(super) struct Requests {
    begun: AtomicUsize,
    under_way: AtomicBool,
}

impl Requests {
    /// The headers of a request are there.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
        self.under_way.store(true, Ordering::Relaxed);
    }

    /// Its answer is decided.
    pub(super) fn end(&self) {
        self.under_way.store(false, Ordering::Relaxed);
    }
}

/// What a connection without a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// The first byte of the next request.
    Request,
    /// The rest of its headers.
    Head,
}

/// A stream that ends when its client lets it wait too long, and that reads no further requests of a client which does not
/// read its answers.
pub(super) struct Timed<S> {
    stream: S,
    requests: Arc<Requests>,
    limits: Limits,
    /// How many requests had begun when it was last looked.
    seen: usize,
    awaited: Option<(Awaited, Pin<Box<Sleep>>)>,
    /// Runs while an answer cannot be written.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Reading goes on when writing does.
    reader_waits: bool,
}

fn timer(limit: Duration) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::now() + limit))
}

impl<S> Timed<S> {
    /// Whoever connects has something to ask: the time for the first headers runs at once.
    pub(super) fn new(stream: S, requests: Arc<Requests>, limits: Limits) -> Self {
        let awaited = Some((Awaited::Head, timer(limits.head)));
        Self { stream, requests, limits, seen: 0, awaited, stalled: None, reader_waits: false }
    }

    /// Forgets what was waited for, if it has come.
    fn settle(&mut self) {
        let begun = self.requests.begun.load(Ordering::Relaxed);
        if begun != self.seen {
            self.seen = begun;
            self.awaited = None;
        }
    }

    fn is_under_way(&self) -> bool {
        self.requests.under_way.load(Ordering::Relaxed)
    }

    fn has_read(&mut self) {
        self.settle();
        let in_head = self.awaited.as_ref().is_some_and(|(awaited, _)| *awaited == Awaited::Head);
        if !self.is_under_way() && !in_head {
            self.awaited = Some((Awaited::Head, timer(self.limits.head)));
        }
    }

    /// The end of the stream, once its client was waited for long enough. How long a body may take is its route's to say.
    fn poll_patience(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.settle();
        if self.is_under_way() {
            return Poll::Pending;
        }
        let idle = self.limits.idle;
        let (_, patience) = self.awaited.get_or_insert_with(|| (Awaited::Request, timer(idle)));
        ready!(patience.as_mut().poll(context));
        Poll::Ready(Ok(()))
    }

    /// Begins the wait for the next request anew, since an answer was on its way until now. Hyper does not read again before
    /// the socket has something, so the timer has to know here whom it wakes.
    fn await_request(&mut self, context: &mut Context<'_>) {
        self.settle();
        if self.is_under_way() {
            return;
        }
        let limit = self.limits.idle;
        let (awaited, patience) = self.awaited.get_or_insert_with(|| (Awaited::Request, timer(limit)));
        if *awaited == Awaited::Request {
            patience.as_mut().reset(Instant::now() + limit);
            // It was set just now, and has not passed.
            let _ = patience.as_mut().poll(context);
        }
    }

    fn has_written(&mut self, context: &mut Context<'_>) {
        self.stalled = None;
        self.await_request(context);
        if std::mem::take(&mut self.reader_waits) {
            context.waker().wake_by_ref();
        }
    }

    fn poll_stalled<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        let write = self.limits.write;
        let stalled = self.stalled.get_or_insert_with(|| timer(write));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answers")))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.stalled.is_some() {
            self.reader_waits = true;
            return Poll::Pending;
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(done) => {
                if buffer.filled().len() > before {
                    self.has_read();
                }
                Poll::Ready(done)
            }
            Poll::Pending => self.poll_patience(context),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            Poll::Ready(done) => {
                self.has_written(context);
                Poll::Ready(done)
            }
            Poll::Pending => self.poll_stalled(context),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write_vectored(context, bytes) {
            Poll::Ready(done) => {
                self.has_written(context);
                Poll::Ready(done)
            }
            Poll::Pending => self.poll_stalled(context),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
