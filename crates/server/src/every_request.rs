//! What every request gets, whatever its route: an ID, which its answer, its log line and its audit events bear, a
//! requester, a limit to its time, an answer if it panics, and a line in the log.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use daypass_core::ground::ids::RequestId;
use futures::FutureExt;
use tokio::time::Instant;

use crate::error::{ApiError, ErrorCode, RequestFailure};
use crate::installation::App;
use crate::listen::{TIME_OF_A_REQUEST, asks_for_life};
use crate::routes::dialect::dialect_of;
use crate::traces::{self, Trace};

/// What stands in the place of a route, where there is none.
const NO_ROUTE: &str = "-";

/// Names the request, finds out where it comes from, limits its time, answers for a panic and writes its line into
/// the log: method, route, status, the code of an error and time, and no URL, which could hold a login's code.
pub async fn name_limit_and_log(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id = RequestId::generate(app.clock.now(), &*app.random);
    request.extensions_mut().insert(id.clone());
    let by = app.proxies.requester(&id, request.extensions(), request.headers());
    request.extensions_mut().insert(by);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();

    let dialect = dialect_of(&request);

    let trace = trace(&app, &request);
    let answering = in_time(next.run(request));
    let answered = match &trace {
        Some(trace) => traces::within(trace.clone(), answering).await,
        None => answering.await,
    };
    let mut response = match answered {
        Ok(response) => response,
        Err(NoAnswer::Panicked) => {
            ApiError::of_request(dialect, RequestFailure::Panicked).answer(dialect, &id)
        }
        Err(NoAnswer::TookTooLong) => {
            ApiError::of_request(dialect, RequestFailure::TookTooLong).answer(dialect, &id)
        }
    };

    let name = HeaderValue::from_str(id.as_str()).expect("a GUID is a header value");
    response.headers_mut().insert("x-amzn-requestid", name);
    let (elapsed, status) = (started.elapsed(), response.status().as_u16());
    app.metrics.answered(&route, status, elapsed);
    let elapsed_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    let code = response.extensions().get::<ErrorCode>().map(|ErrorCode(code)| *code);
    if let (Some(traces), Some(trace)) = (&app.traces, trace) {
        conclude(&trace, (known(&method), &route), (response.status(), code), &id);
        traces.end(trace);
    }
    tracing::info!(request_id = %id, %method, route, status, code, elapsed_us, "request {id} answered {status}");
    response
}

fn trace(app: &App, request: &Request) -> Option<Arc<Trace>> {
    let traces = app.traces.as_ref()?;
    // Who asks all the time whether the server lives learns nothing from a trace.
    if asks_for_life(request.uri().path()) {
        return None;
    }
    traces.begin(request.headers(), app.proxies.are_asking(request.extensions()))
}

/// Ends the trace of a request, with what its line in the log has, too.
fn conclude(
    trace: &Trace,
    (method, route): (&'static str, &str),
    (status, code): (StatusCode, Option<&'static str>),
    id: &RequestId,
) {
    let route = if route == NO_ROUTE { "" } else { route };
    let labels = [
        ("http.request.method", method),
        ("http.route", route),
        ("http.response.status_code", status.as_str()),
        ("daypass.request_id", id.as_str()),
        ("daypass.code", code.unwrap_or_default()),
    ];
    trace.conclude(format!("{method} {route}").trim_end(), &labels, status.is_server_error());
}

/// A method by its name, if it is one that anybody knows: a client may write whatever it likes.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "_OTHER",
    }
}

#[derive(Debug, PartialEq, Eq)]
enum NoAnswer {
    TookTooLong,
    /// The panic itself has written down where.
    Panicked,
}

async fn in_time<T>(answering: impl Future<Output = T>) -> Result<T, NoAnswer> {
    match tokio::time::timeout(TIME_OF_A_REQUEST, AssertUnwindSafe(answering).catch_unwind()).await {
        Ok(answered) => answered.map_err(|_| NoAnswer::Panicked),
        Err(_) => Err(NoAnswer::TookTooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_answer_too() {
        assert_eq!(in_time(async { 1 }).await, Ok(1));
        let panicking = async { [0; 0][std::hint::black_box(0)] };
        assert_eq!(in_time(panicking).await, Err(NoAnswer::Panicked));
    }
}
