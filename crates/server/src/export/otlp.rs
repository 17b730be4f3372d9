//! Delivery as logs of OpenTelemetry, by HTTP and JSON (the OpenTelemetry Protocol, OTLP 1.x): a record for each event, whose body
//! is the event in the words of OCSF.

mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Request, Uri};
use bytes::Bytes;
use daypass_core::ground::outbound::ProviderHttp;
use serde::Deserialize;

use super::batch::Batch;
use super::receiver::{Answer, Receiver, meaning};

/// A collector.
pub(super) struct Otlp {
    pub(super) http: Arc<dyn ProviderHttp>,
    pub(super) url: Uri,
    /// What lets us in.
    pub(super) headers: HeaderMap,
    /// Whose events they are: the address of the installation.
    pub(super) installation: String,
    /// Whose collector it is.
    pub(super) exporter: String,
    /// Whether the log says that its answers cannot be read.
    pub(super) is_told: AtomicBool,
}

#[async_trait]
impl Receiver for Otlp {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let answer = self.http.send(self.request(batch)).await;
        match meaning(&answer) {
            Answer::Taken { .. } => {
                let refused = answer.ok().and_then(|answer| refused(answer.body()));
                let refused = refused.unwrap_or_else(|| self.tell_of_unreadable());
                Answer::Taken { refused: refused.min(batch.events.len() as u64) }
            }
            other => other,
        }
    }
}

impl Otlp {
    fn request(&self, batch: &Batch) -> Request<Bytes> {
        let message = message::of(&self.installation, batch);
        let body = serde_json::to_vec(&message).expect("a message is plain data");
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = axum::http::Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request
    }

    /// How many records count as taken out by an answer that nobody can read: none. The operator hears of it once.
    fn tell_of_unreadable(&self) -> u64 {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                exporter = self.exporter,
                "the collector takes events with an answer that is too long or no answer of OTLP in JSON: whether it leaves some out \
                 cannot be told"
            );
        }
        0
    }
}

/// How many records the collector took out of what it has taken (OTLP, "Partial Success"). They must not be sent again. `None` if
/// the answer does not say.
fn refused(body: &[u8]) -> Option<u64> {
    // Many have nothing to say about a success.
    if body.is_empty() {
        return Some(0);
    }
    let answer: Taken = serde_json::from_slice(body).ok()?;
    let Some(partial) = answer.partial_success else { return Some(0) };
    match partial.rejected_log_records {
        Count::Number(number) => Some(number),
        // How JSON has 64 bits in protocol buffers.
        Count::Text(text) => text.parse().ok(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Taken {
    partial_success: Option<PartialSuccess>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialSuccess {
    #[serde(default)]
    rejected_log_records: Count,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Text(String),
}

impl Default for Count {
    fn default() -> Self {
        Self::Number(0)
    }
}
