//! Work that is done to its end once it has begun, though whoever asked has hung up: between a change and its audit event, or between
//! a provider's new refresh token and its place in the store, nobody can have it stop. Only time ends it: that of a request, and of a
//! function.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// Work, of which the rest goes on in the background if this is dropped after it has begun.
pub struct Finishing<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    /// Nothing is left of work that is done, or that has panicked.
    rest: Option<Pin<Box<F>>>,
    has_begun: bool,
}

/// Has work be done to its end once it has begun. It has to end by itself.
pub fn finishing<F>(work: F) -> Finishing<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    Finishing { rest: Some(Box::pin(work)), has_begun: false }
}

impl<F> Future for Finishing<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.has_begun = true;
        let mut rest = self.rest.take().expect("nobody asks again for what is done");
        let polled = rest.as_mut().poll(context);
        if polled.is_pending() {
            self.rest = Some(rest);
        }
        polled
    }
}

impl<F> Drop for Finishing<F>
where
    F: Future<Output: Send> + Send + 'static,
{
    fn drop(&mut self) {
        // Without a runtime everything is ending.
        if let (Some(rest), true, Ok(runtime)) = (self.rest.take(), self.has_begun, Handle::try_current()) {
            runtime.spawn(rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::FutureExt;
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn what_has_begun_is_done_and_nothing_else() {
        let (steps, done) = (Arc::new(AtomicUsize::new(0)), oneshot::channel());
        let work = |done: oneshot::Sender<()>| {
            let steps = steps.clone();
            finishing(async move {
                steps.fetch_add(1, Ordering::Relaxed);
                yield_now().await;
                steps.fetch_add(1, Ordering::Relaxed);
                let _ = done.send(());
            })
        };
        let mut begun = work(done.0);
        assert!((&mut begun).now_or_never().is_none());
        drop(begun);
        done.1.await.unwrap();
        assert_eq!(steps.load(Ordering::Relaxed), 2);

        let never = oneshot::channel();
        drop(work(never.0));
        assert!(never.1.await.is_err());
        assert_eq!(steps.load(Ordering::Relaxed), 2, "nobody wants what has not begun");
        work(oneshot::channel().0).await;
        assert_eq!(steps.load(Ordering::Relaxed), 4, "what is done is not done again");
    }
}
