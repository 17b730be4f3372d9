//! Answering on a port until told to stop: headers have to come in time, and what is under way when the
//! end comes is answered first.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower::ServiceExt;

/// A client has so long to send its headers.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// What is under way at the end has so long to finish.
const GRACE: Duration = Duration::from_secs(10);

/// More open files than a server of ours can use.
const ENOUGH_FILES: u64 = 65_536;

/// Has the system allow as many open files as it may: each login that waits for its provider holds two sockets,
/// and a shell usually allows 1,024, for the sake of programs that use select(2).
pub fn allow_many_sockets() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(ENOUGH_FILES, |maximum| maximum.min(ENOUGH_FILES));
    if current.is_some_and(|current| current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(%error, "no more than {current:?} files can be open at the same time");
    }
}

/// Tells all listeners to stop.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// The signal, and the end that gives it.
    #[must_use]
    pub fn channel() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    async fn given(&mut self) {
        // A sender that is gone will never say stop: the process is ending.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Answers every connection of `listener` with `router`, until `stop`.
pub async fn listen(listener: TcpListener, router: Router, mut stop: Stop) {
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.given() => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Answers are small and whole: waiting to fill a packet only delays them.
                let _ = stream.set_nodelay(true);
                let service = router
                    .clone()
                    .map_request(|request: axum::http::Request<Incoming>| request.map(Body::new));
                let connection = hyper::server::conn::http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_LIMIT)
                    .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
                let connection = graceful.watch(connection);
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        tracing::debug!(%error, "a connection broke off");
                    }
                });
            }
            Err(error) => out_of_sockets(&error).await,
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way after {} seconds", GRACE.as_secs());
    }
}

/// Too many open files, most likely: give others a moment to close some, rather than spin.
async fn out_of_sockets(error: &std::io::Error) {
    tracing::error!(%error, "cannot accept a connection");
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    pause.tick().await;
    pause.tick().await;
}
