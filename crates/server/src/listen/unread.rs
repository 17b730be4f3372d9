//! What of a request's body nobody reads. Some of it is read and thrown away, so that the answer reaches a client that still
//! sends. A connection on which more may still be on its way cannot take another request, and hyper closes it; a client that
//! was not told so sends its next request into the void (RFC 9112 section 9.6).

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, SizeHint};

/// How much of a body is thrown away at most, and for how long it is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) bytes: usize,
    pub(super) time: Duration,
}

impl Patience {
    /// With those who have been let in.
    pub(super) fn of(time: Duration) -> Self {
        Self { bytes: 8 << 20, time }
    }

    /// With those who are sent away: what came with the head or right behind it. Without that each of them would cost a new
    /// connection, when there is too much to do already.
    pub(super) const LITTLE: Self = Self { bytes: 64 << 10, time: Duration::from_millis(10) };
}

/// A body that notes when its end was read, and leaves what was not.
pub(super) struct Watched<B> {
    /// Until it is dropped.
    body: Option<B>,
    rest: Arc<Rest<B>>,
}

struct Rest<B> {
    ended: AtomicBool,
    /// What whoever answered did not read.
    left: Mutex<Option<B>>,
}

/// What became of a body.
pub(super) struct End<B> {
    rest: Arc<Rest<B>>,
    /// The client waits to be told to send it.
    waits: bool,
    is_empty: bool,
}

impl<B: Body> Watched<B> {
    pub(super) fn new(head: &Parts, body: B) -> (Self, End<B>) {
        let is_empty = body.is_end_stream();
        let rest = Arc::new(Rest { ended: AtomicBool::new(is_empty), left: Mutex::new(None) });
        let waits = head.headers.contains_key(header::EXPECT);
        (Self { body: Some(body), rest: rest.clone() }, End { rest, waits, is_empty })
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        *self.rest.left.lock().unwrap_or_else(PoisonError::into_inner) = self.body.take();
    }
}

impl<B: Body<Data = Bytes> + Unpin> End<B> {
    /// Reads the rest of a body that nobody read, if it is short and comes soon. Whoever waits to be told to send it is not told.
    pub(super) async fn read_rest(&self, patience: Patience) {
        let left = self.rest.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        let short = |body: &B| !self.waits && body.size_hint().lower() <= patience.bytes as u64;
        let Some(mut body) = left.filter(short) else { return };
        let reading = async {
            let mut left = patience.bytes;
            while let Some(frame) = body.frame().await {
                let length = frame.ok()?.data_ref().map_or(0, Bytes::len);
                left = left.checked_sub(length)?;
            }
            Some(())
        };
        if let Ok(Some(())) = tokio::time::timeout(patience.time, reading).await {
            self.rest.ended.store(true, Ordering::Release);
        }
    }

    /// Says in an answer that the connection ends with it, if it does.
    pub(super) fn say(&self, answer: &mut Response) {
        // Hyper says `100 Continue` where there is something to send only (RFC 9110, 10.1.1). botocore asks for it always; on
        // the same connection it would wait for the next one until its patience ends.
        let is_waited_for = self.is_empty && self.waits;
        if is_waited_for || !self.rest.ended.load(Ordering::Acquire) {
            answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(&mut *body).poll_frame(context);
        // Whoever knows how long a body is asks for no more than that.
        let ended = matches!(polled, Poll::Ready(None)) || body.is_end_stream();
        self.rest.ended.fetch_or(ended, Ordering::Release);
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}
