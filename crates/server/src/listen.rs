//! Answering on a port until told to stop. Whoever connects gets a bounded share of what the machine has: so many
//! connections, so many requests at once, and so long for each step. What cannot be answered soon is refused early, and
//! what is under way when the end comes is answered first.

mod complaint;
mod limits;
mod pace;
mod places;
mod stream;
mod terms;
#[cfg(test)]
mod tests;
mod turns;
mod unread;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, Version, header};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tower::ServiceExt;

use self::complaint::Complaint;
use self::limits::ENOUGH_FILES;
pub use self::limits::Limits;
pub(crate) use self::limits::TIME_OF_A_REQUEST;
use self::pace::Paced;
use self::places::{Place, Places, RequestPlace};
use self::stream::{Requests, Timed};
pub use self::terms::Terms;
use self::turns::Turns;
use self::unread::{Patience, Watched};
use crate::finishing::finishing;
use crate::origin::Peer;
use crate::provider_http::is_out_of_files;

/// What of a request's head, and of answers that wait for their reader, is kept in memory. A session token, a policy and
/// a web identity token can all stand in one query.
const MAX_BUFFER: usize = 128 * 1024;
/// How long nothing is accepted once no descriptor is left.
const PAUSE: Duration = Duration::from_millis(100);
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

    /// Whether the end has come, and only what is under way is answered still.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self.0.borrow()
    }

    async fn given(&mut self) {
        // A sender that is gone will never say stop: the process is ending.
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}

/// Marks a request, among its extensions, for which there is no place: it has to be refused, unless it asks whether the
/// server is alive.
#[derive(Debug, Clone, Copy)]
pub struct NoPlace;

/// What answers requests. It may be replaced while everything runs: each request is answered by what was there when it
/// came, to its end.
#[derive(Debug, Clone)]
pub struct Answering(watch::Receiver<Router>);

impl Answering {
    /// By this router, until whoever holds the other end sends another one.
    #[must_use]
    pub fn by(router: Router) -> (watch::Sender<Router>, Self) {
        let (sender, receiver) = watch::channel(router);
        (sender, Self(receiver))
    }

    fn now(&self) -> Router {
        self.0.borrow().clone()
    }
}

/// Answers every connection of `listener` with `router`, until `stop`.
pub async fn listen(listener: TcpListener, router: Router, stop: Stop) {
    let (_never_replaced, answering) = Answering::by(router);
    listen_within(listener, answering, stop, Terms::default()).await;
}

/// The same on terms of somebody's choice.
pub async fn listen_within(listener: TcpListener, answering: Answering, mut stop: Stop, terms: Terms) {
    let limits = terms.limits;
    let graceful = GracefulShutdown::new();
    let house = Arc::new(House {
        answering,
        stop: stop.clone(),
        limits,
        places: Places::new(terms),
        turns: Turns::of_this_runtime(),
        busy: Complaint::default(),
        crowded: Complaint::default(),
        spare: Complaint::default(),
    });
    let (out_of_files, full) = (Complaint::default(), Complaint::default());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.given() => break,
        };
        match accepted {
            Ok((stream, peer)) => match house.places.connect(peer.ip()) {
                Some(place) => serve(&house, &graceful, stream, peer, place),
                None => full.make(|| {
                    tracing::warn!("connections are turned away: too many are open");
                }),
            },
            Err(error) if is_out_of_files(&error) => {
                out_of_files.make(|| {
                    tracing::error!(%error, "cannot accept a connection: raise the limit of open files (LimitNOFILE= under systemd)");
                });
                tokio::select! {
                    () = sleep_until(Instant::now() + PAUSE) => {}
                    () = stop.given() => break,
                }
            }
            // Whoever connected was gone before it was accepted (accept(2)).
            Err(error) => tracing::debug!(%error, "a connection was none"),
        }
    }
    drop(listener);
    if tokio::time::timeout(limits.drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way after {} seconds", limits.drain.as_secs());
    }
}

/// What every connection of a listener has in common.
struct House {
    answering: Answering,
    stop: Stop,
    limits: Limits,
    places: Places,
    turns: Turns,
    /// Requests are turned away because the processor does not keep up,
    busy: Complaint,
    /// or because too many are under way, of one address or of all,
    crowded: Complaint,
    /// or because too many connections are open.
    spare: Complaint,
}

fn serve(house: &Arc<House>, graceful: &GracefulShutdown, stream: TcpStream, peer: SocketAddr, place: Place) {
    // Answers are small and whole: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let (requests, limits) = (Arc::new(Requests::default()), place.limits(house.limits));
    let mut protocol = hyper::server::conn::http1::Builder::new();
    // Hyper counts the time between two requests as time for the headers of the second, so the stream keeps the time.
    protocol.timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(MAX_BUFFER);
    protocol.keep_alive(!place.is_spare());
    let io = TokioIo::new(Timed::new(stream, requests.clone(), limits));
    let (house, is_spare) = (house.clone(), place.is_spare());
    let peer = Peer { address: peer.ip(), over_tls: false };
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let (house, requests) = (house.clone(), requests.clone());
        requests.begin();
        async move {
            let answer = house.answer(request, is_spare).await;
            requests.end();
            answer
        }
    });
    let connection = graceful.watch(protocol.serve_connection(io, service));
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke off");
        }
        drop(place);
    });
}

impl House {
    /// A place for a request, if there is one, and it can have a turn soon.
    fn place_for(&self, request: &Request<Incoming>, is_spare: bool) -> Option<RequestPlace> {
        if is_spare {
            self.spare.make(|| tracing::warn!("requests are turned away: too many connections are open"));
            return None;
        }
        if self.places.are_many_under_way() && self.turns.is_too_much() {
            self.busy.make(|| {
                tracing::warn!("requests are turned away: the processor does not keep up");
            });
            return None;
        }
        let place = self.places.begin(request);
        if place.is_none() {
            self.crowded.make(|| {
                tracing::warn!("requests are turned away: too many are under way");
            });
        }
        place
    }

    async fn answer(
        &self,
        mut request: Request<Incoming>,
        is_spare: bool,
    ) -> Result<Response, std::convert::Infallible> {
        if !is_sent_to_one_host(&request) {
            return Ok((StatusCode::BAD_REQUEST, [(header::CONNECTION, "close")]).into_response());
        }
        // Whoever asks whether the server lives takes no place and needs none.
        let asks_for_life = asks_for_life(request.uri().path());
        let place = if asks_for_life { None } else { self.place_for(&request, is_spare) };
        if place.is_none() && !asks_for_life {
            request.extensions_mut().insert(NoPlace);
        }
        request.extensions_mut().insert(self.stop.clone());
        let (head, body) = request.into_parts();
        let (body, end) = Watched::new(&head, body);
        let request = Request::from_parts(head, Body::new(Paced::new(body)));
        let (has_place, router) = (place.is_some(), self.answering.now());
        // Whoever hangs up gives nobody their place before the work is done.
        let work = finishing(async move { (router.oneshot(request).await, place) });
        let (mut answer, place) = if has_place { self.turns.begin(work).await } else { work.await };
        if let Ok(answer) = &mut answer {
            let patience = if place.is_some() { Patience::of(self.limits.rest) } else { Patience::LITTLE };
            end.read_rest(patience).await;
            end.say(answer);
        }
        drop(place);
        answer
    }
}

/// Whether whoever is asked is named once: of two names, a proxy in front and we could each believe another (RFC 9112, section 3.2).
fn is_sent_to_one_host(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    (hosts.next().is_some() || request.version() < Version::HTTP_11) && hosts.next().is_none()
}

/// Whether a path asks for no more than whether the server lives. Whoever asks that is answered in front of everybody.
#[must_use]
pub fn asks_for_life(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz")
}
