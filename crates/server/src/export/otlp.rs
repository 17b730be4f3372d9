//! Delivery as logs of OpenTelemetry, by HTTP and JSON (the OpenTelemetry Protocol, OTLP 1.x): a record for each event, whose body
//! is the event in the words of OCSF.

mod message;
#[cfg(test)]
mod tests;

use std::sync::Arc;

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
}

#[async_trait]
impl Receiver for Otlp {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let answer = self.http.send(self.request(batch)).await;
        match (meaning(&answer), answer) {
            (Answer::Taken { .. }, Ok(answer)) => {
                Answer::Taken { refused: refused(answer.body()).min(batch.events.len() as u64) }
            }
            (other, _) => other,
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
}

/// How many records the collector took out of what it has taken (OTLP, "Partial Success"). They must not be sent again.
fn refused(body: &[u8]) -> u64 {
    let answer: Option<Taken> = serde_json::from_slice(body).ok();
    let partial = answer.and_then(|answer| answer.partial_success);
    partial.map_or(0, |partial| match partial.rejected_log_records {
        Count::Number(number) => number,
        // How JSON has 64 bits in protocol buffers.
        Count::Text(text) => text.parse().unwrap_or(0),
    })
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
