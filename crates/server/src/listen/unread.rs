//! What of a request's body nobody reads. A connection on which it may still be on its way cannot take another request,
//! and hyper closes it; a client that was not told so sends its next request into the void (RFC 9112 section 9.6).

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

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
pub(super) struct End(Arc<AtomicBool>);

impl<B: Body> Watched<B> {
    pub(super) fn new(body: B) -> (Self, End) {
        let ended = Arc::new(AtomicBool::new(body.is_end_stream()));
        (Self { body, ended: ended.clone() }, End(ended))
    }
}

impl End {
    /// Says in an answer that the connection ends with it, if it does.
    pub(super) fn say(&self, answer: &mut Response) {
        if !self.0.load(Ordering::Acquire) {
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
