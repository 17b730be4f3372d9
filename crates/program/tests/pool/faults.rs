//! An endpoint that passes calls on to a server until it has had enough of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What becomes of the calls.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// As many are passed on, and every later one is refused.
    RefuseAfter(usize),
    /// The first ones are too many, and every later one is passed on.
    ThrottleFirst(usize),
}

/// The endpoint. It ends when it is dropped.
pub struct Faulty {
    pub url: String,
    state: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    fault: Fault,
    target: String,
    calls: AtomicUsize,
    http: reqwest::Client,
}

impl Faulty {
    pub async fn start(target: &str, fault: Fault) -> Self {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let (target, calls) = (target.to_owned(), AtomicUsize::new(0));
        let state = Arc::new(Shared { fault, target, calls, http });
        let app = Router::new().fallback(handle).with_state(state.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.expect("a server") });
        Self { url, state, server }
    }

    pub fn calls(&self) -> usize {
        self.state.calls.load(Ordering::SeqCst)
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let earlier = shared.calls.fetch_add(1, Ordering::SeqCst);
    match shared.fault {
        Fault::RefuseAfter(count) if earlier >= count => refuse("AccessDeniedException"),
        Fault::ThrottleFirst(count) if earlier < count => refuse("TooManyRequestsException"),
        _ => pass_on(&shared, request).await,
    }
}

fn refuse(code: &str) -> Response {
    let body = format!("{{\"__type\":\"{code}\",\"message\":\"planted\"}}");
    (StatusCode::BAD_REQUEST, [("content-type", "application/x-amz-json-1.1")], body).into_response()
}

/// Every header as it came: the signature covers the host that the caller believes in.
async fn pass_on(shared: &Shared, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let sent = shared.http.request(parts.method, &shared.target).headers(parts.headers).body(body);
    let answer = sent.send().await.expect("an answer");
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.bytes().await.expect("a body"))).expect("a response")
}
