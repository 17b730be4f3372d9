//! Where the browser comes back to: one path on a free port of 127.0.0.1 (RFC 8252 section 7.3), which takes one answer to
//! the login that was started here, and is gone then. Whoever else asks there changes nothing.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, anyhow};
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::any;
use daypass_client::{Code, NoCode, SignIn};
use daypass_server::listen::{Stop, listen};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

/// The path of the redirect URI, as the app `terminal` is registered with it.
const PATH: &str = "/callback";
/// How long the browser has to take its page.
const TO_ANSWER: Duration = Duration::from_secs(2);

/// A code, and who waits to hear what came of it.
#[derive(Debug)]
pub(super) struct Back {
    pub code: Code,
    pub answer: Option<oneshot::Sender<bool>>,
}

/// The listener, from before the login begins until after it has ended.
pub(super) struct Callback {
    port: u16,
    listener: Option<TcpListener>,
    arrivals: (mpsc::Sender<Arrival>, mpsc::Receiver<Arrival>),
    listening: Option<(watch::Sender<bool>, JoinHandle<()>)>,
}

type Arrival = Result<Back, String>;

/// What requests are held against.
struct Waiting {
    sign_in: Arc<SignIn>,
    /// Taken by the first answer.
    arrival: Mutex<Option<mpsc::Sender<Arrival>>>,
}

impl Callback {
    /// A port that the system chooses.
    pub(super) async fn bind() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("cannot listen on 127.0.0.1 for the browser to come back")?;
        let port = listener.local_addr()?.port();
        Ok(Self { port, listener: Some(listener), arrivals: mpsc::channel(1), listening: None })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.port)
    }

    /// Begins to answer.
    pub(super) fn listen(&mut self, sign_in: Arc<SignIn>) {
        let Some(listener) = self.listener.take() else { return };
        let waiting = Arc::new(Waiting { sign_in, arrival: Mutex::new(Some(self.arrivals.0.clone())) });
        let router = Router::new().route(PATH, any(come_back)).with_state(waiting);
        let (stop, stopped) = Stop::channel();
        self.listening = Some((stop, tokio::spawn(listen(listener, router, stopped))));
    }

    /// Waits for the answer.
    pub(super) async fn back(&mut self) -> anyhow::Result<Back> {
        let arrival = self.arrivals.1.recv().await;
        // Both ends are here.
        let arrival = arrival.context("the listener is gone")?;
        arrival.map_err(|why| anyhow!("the sign-in came to nothing: {why}"))
    }

    /// Ends it, once the browser has its page.
    pub(super) async fn end(&mut self) {
        if let Some((stop, listening)) = self.listening.take() {
            let _ = stop.send(true);
            let _ = tokio::time::timeout(TO_ANSWER, listening).await;
        }
    }
}

async fn come_back(
    State(waiting): State<Arc<Waiting>>,
    method: Method,
    RawQuery(query): RawQuery,
) -> Response {
    if method != Method::GET {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match waiting.sign_in.code_of_query(&query.unwrap_or_default()) {
        Ok(code) => waiting.hand_over(code).await,
        Err(NoCode::Refused(why)) => {
            let page = page(StatusCode::OK, "You are not signed in", &format!("The reason: {why}."));
            waiting.say(Err(why));
            page
        }
        Err(_) => page(
            StatusCode::BAD_REQUEST,
            "Nothing to do here",
            "No login that was started here leads to this address.",
        ),
    }
}

impl Waiting {
    async fn hand_over(&self, code: Code) -> Response {
        let (answer, outcome) = oneshot::channel();
        if !self.say(Ok(Back { code, answer: Some(answer) })) {
            return page(StatusCode::BAD_REQUEST, "Nothing to do here", "This login was answered before.");
        }
        if outcome.await.unwrap_or_default() {
            page(StatusCode::OK, "You are signed in", "You can close this page, and go on at your terminal.")
        } else {
            page(StatusCode::OK, "You are not signed in", "Your terminal says why.")
        }
    }

    /// Whether this is the first answer.
    fn say(&self, arrival: Arrival) -> bool {
        let sender = self.arrival.lock().unwrap_or_else(PoisonError::into_inner).take();
        sender.is_some_and(|sender| sender.try_send(arrival).is_ok())
    }
}

/// A page without anybody's words but ours. Its address holds a code: it is kept nowhere, and told to nobody.
fn page(status: StatusCode, heading: &str, text: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{heading}</title>\
         <style>body{{font:1.1rem/1.5 system-ui;margin:20vh auto;max-width:30rem;padding:0 1rem}}</style>\
         <h1>{heading}</h1><p>{text}</p></html>"
    );
    let headers = [
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    (status, headers, Html(html)).into_response()
}

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
