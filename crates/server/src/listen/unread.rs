//! What of a request's body nobody reads. A connection on which it may still be on its way cannot take another request,
//! and hyper closes it; a client that was not told so sends its next request into the void (RFC 9112 section 9.6).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// A body that notes when its end was read.
pub(super) struct Watched<B> {
    body: B,
    ended: Arc<AtomicBool>,
}

/// Whether the end of a body was read.
pub(super) struct End {
    ended: Arc<AtomicBool>,
    /// Somebody waits to be told to send a body of nothing, and takes the answer for that.
    is_waited_for: bool,
}

impl<B: Body> Watched<B> {
    pub(super) fn new(head: &Parts, body: B) -> (Self, End) {
        let is_empty = body.is_end_stream();
        let ended = Arc::new(AtomicBool::new(is_empty));
        // Hyper says `100 Continue` where there is something to send only (RFC 9110, 10.1.1). botocore asks for it always; on
        // the same connection it would wait for the next one until its patience ends.
        let is_waited_for = is_empty && head.headers.contains_key(header::EXPECT);
        (Self { body, ended: ended.clone() }, End { ended, is_waited_for })
    }
}

impl End {
    /// Says in an answer that the connection ends with it, if it does.
    pub(super) fn say(&self, answer: &mut Response) {
        if self.is_waited_for || !self.ended.load(Ordering::Acquire) {
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
        let polled = Pin::new(&mut self.body).poll_frame(context);
        // Whoever knows how long a body is asks for no more than that.
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.ended.store(true, Ordering::Release);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
