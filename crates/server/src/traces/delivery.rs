//! Delivers traces to the collector, some at a time, once each: what it does not take is lost, and counted.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Uri};
use bytes::Bytes;
use daypass_core::ground::outbound::{ProviderHttp, Repeatable};
use tokio::sync::mpsc::Receiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::message;
use super::span::Trace;
use crate::metrics::SpanMetrics;

/// About so many spans are sent at once.
const SPANS: usize = 512;

/// The first trace waits so long for others.
const GATHERING: Duration = Duration::from_secs(1);

/// What goes through the queue.
pub(super) enum Message {
    Ended(Arc<Trace>),
    /// Somebody waits until everything before is delivered.
    Flush(oneshot::Sender<()>),
}

/// Whoever takes traces.
pub(super) struct Collector {
    pub(super) http: Arc<dyn ProviderHttp>,
    pub(super) url: Uri,
    /// What lets us in.
    pub(super) headers: HeaderMap,
    /// Whose traces they are.
    pub(super) issuer: String,
}

/// Delivers until nobody makes traces any more.
pub(super) async fn deliver(mut waiting: Receiver<Message>, collector: Collector, metrics: SpanMetrics) {
    let mut told = None;
    while let Some(first) = waiting.recv().await {
        let (mut traces, mut flushed) = (Vec::new(), Vec::new());
        take(first, &mut traces, &mut flushed);
        let until = Instant::now() + GATHERING;
        while flushed.is_empty()
            && spans(&traces) < SPANS
            && let Ok(Some(next)) = timeout_at(until, waiting.recv()).await
        {
            take(next, &mut traces, &mut flushed);
        }
        if !traces.is_empty() {
            let trouble = collector.send(&traces).await.err();
            let count = spans(&traces);
            if trouble.is_none() {
                metrics.sent(count);
            } else {
                metrics.lost(count);
            }
            tell(&mut told, trouble);
        }
        for done in flushed {
            // Whoever waited may have gone.
            let _ = done.send(());
        }
    }
}

fn take(message: Message, traces: &mut Vec<Arc<Trace>>, flushed: &mut Vec<oneshot::Sender<()>>) {
    match message {
        Message::Ended(trace) => traces.push(trace),
        Message::Flush(done) => flushed.push(done),
    }
}

fn spans(traces: &[Arc<Trace>]) -> usize {
    traces.iter().map(|trace| trace.len()).sum()
}

/// Says once for each cause in a row why traces are lost, and once that they are not any more.
fn tell(told: &mut Option<String>, trouble: Option<String>) {
    match &trouble {
        Some(cause) if told.as_ref() != Some(cause) => {
            tracing::warn!(cause, "traces are lost: their collector does not take them");
        }
        None if told.is_some() => tracing::info!("traces are taken again"),
        _ => {}
    }
    *told = trouble;
}

impl Collector {
    /// Why not, in words that repeat no URL.
    async fn send(&self, traces: &[Arc<Trace>]) -> Result<(), String> {
        let answer = self.http.send(self.request(traces)).await.map_err(|error| error.to_string())?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("it answered {}", status.as_u16())) }
    }

    /// A span has an ID, so that a collector may have it twice.
    fn request(&self, traces: &[Arc<Trace>]) -> Request<Bytes> {
        let body = message::of(&self.issuer, traces).to_string();
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.extensions_mut().insert(Repeatable);
        request
    }
}
