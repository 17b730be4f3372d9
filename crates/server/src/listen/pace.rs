//! A request's body that has to go on arriving. Objects may be large and lines slow, so a body has no end by which it has to
//! be there; whoever lets a few bytes drip holds a place for as long as they like without one.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::BoxError;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

/// So much of a body arrives within [`PATIENCE`], or its end does.
const PIECE: usize = 64 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// The body of a request, which ends with an error once it is too slow.
pub(super) struct Paced<B> {
    body: B,
    /// What of the next piece is there.
    arrived: usize,
    /// Runs from when the piece was first waited for.
    timer: Option<Pin<Box<Sleep>>>,
}

impl<B> Paced<B> {
    pub(super) fn new(body: B) -> Self {
        Self { body, arrived: 0, timer: None }
    }

    fn note(&mut self, bytes: usize) {
        self.arrived += bytes;
        if self.arrived >= PIECE {
            self.arrived = 0;
            self.timer = None;
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Paced<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.note(frame.data_ref().map_or(0, Bytes::len));
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + PATIENCE)));
        timer.as_mut().poll(context).map(|()| Some(Err("the body arrives too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures::stream;
    use http_body_util::{BodyExt, StreamBody};
    use tokio::time::interval;

    use super::*;

    /// How much of a body is read whose pieces of so many bytes come by the second.
    async fn read(bytes: usize, seconds: u64, pieces: usize) -> Result<usize, BoxError> {
        let ticks = interval(Duration::from_secs(seconds));
        let drip = stream::unfold((ticks, pieces), move |(mut ticks, pieces)| async move {
            ticks.tick().await;
            let frame = Frame::data(Bytes::from(vec![0; bytes]));
            (pieces > 0).then(|| (Ok::<_, Infallible>(frame), (ticks, pieces - 1)))
        });
        let body = Paced::new(StreamBody::new(Box::pin(drip)));
        body.collect().await.map(|body| body.to_bytes().len())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_may_be_slow_but_not_drip() {
        let began = Instant::now();
        assert_eq!(read(16 * 1024, 5, 1000).await.unwrap(), 16_384_000, "over an hour");
        assert!(began.elapsed() > Duration::from_hours(1));
        assert_eq!(read(1, 1, 25).await.unwrap(), 25);
        let began = Instant::now();
        assert!(read(1, 1, 1000).await.is_err());
        assert_eq!(began.elapsed().as_secs(), 30);
        assert!(read(64 * 1024, 40, 3).await.is_err(), "the first piece was there at once, the next was not");
    }
}
