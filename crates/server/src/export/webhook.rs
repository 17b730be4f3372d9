//! Delivery by a webhook that is signed as Standard Webhooks says (standardwebhooks.com, version 1.0.0): the body is a JSON array
//! of events, and whatever begins with a 2 has taken them.

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Uri};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use bytes::Bytes;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::outbound::ProviderHttp;

use super::batch::Batch;
use super::receiver::{Answer, Receiver, meaning};

/// A receiver of webhooks.
pub(super) struct Webhook {
    pub(super) http: Arc<dyn ProviderHttp>,
    pub(super) url: Uri,
    pub(super) key: hmac::Key,
    pub(super) clock: Arc<dyn Clock>,
}

#[async_trait]
impl Receiver for Webhook {
    async fn deliver(&self, batch: &Batch) -> Answer {
        match self.request(batch) {
            Ok(request) => meaning(&self.http.send(request).await),
            Err(error) => Answer::Away(error.to_string()),
        }
    }
}

impl Webhook {
    fn request(&self, batch: &Batch) -> Result<Request<Bytes>, axum::http::Error> {
        let body = body(batch);
        let (id, second) = (id(&body), self.clock.now().as_second());
        Request::post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", second)
            .header("webhook-signature", signature(&self.key, &id, second, &body))
            .body(Bytes::from(body))
    }
}

fn signature(key: &hmac::Key, id: &str, second: i64, body: &str) -> String {
    let signed = hmac::sign(key, format!("{id}.{second}.{body}").as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(signed))
}

fn body(batch: &Batch) -> String {
    let events: Vec<&str> = batch.events.iter().map(|event| event.ocsf.as_str()).collect();
    format!("[{}]", events.join(","))
}

/// The same for the same events, however often they are sent: receivers know by it what they have already.
fn id(body: &str) -> String {
    format!("msg_{}", BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, body.as_bytes()).as_ref()[..16]))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::http::Response;
    use daypass_core::ground::clock::{ManualClock, SignedDuration};
    use daypass_core::ground::outbound::ProviderHttpError;
    use daypass_core::store::{EventPosition, KeptEvent};
    use serde_json::Value;

    use super::super::testing::event;
    use super::*;

    fn key() -> hmac::Key {
        let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        hmac::Key::new(hmac::HMAC_SHA256, &secret)
    }

    /// What the libraries of Standard Webhooks test themselves with.
    #[test]
    fn a_signature_is_as_standard_webhooks_has_it() {
        let signature =
            signature(&key(), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// Is away at first, and keeps what it was sent.
    #[derive(Default)]
    struct Far(Mutex<Vec<Request<Bytes>>>);

    #[async_trait]
    impl ProviderHttp for Far {
        async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
            let mut sent = self.0.lock().unwrap();
            sent.push(request);
            if sent.len() == 1 { Err(ProviderHttpError::TimedOut) } else { Ok(Response::new(Bytes::new())) }
        }
    }

    fn batch(numbers: impl IntoIterator<Item = u64>) -> Batch {
        let kept = |number| KeptEvent { position: EventPosition(number), event: event(number), damaged: 0 };
        Batch::of("trail", numbers.into_iter().map(kept).collect(), usize::MAX).unwrap()
    }

    #[tokio::test]
    async fn the_same_events_are_the_same_webhook_at_another_time() {
        let (http, clock) = (Arc::new(Far::default()), Arc::new(ManualClock::at_second(1_000)));
        let url = "https://siem.example.com/hook".parse().unwrap();
        let webhook = Webhook { http: http.clone(), url, key: key(), clock: clock.clone() };
        assert_eq!(webhook.deliver(&batch([1, 2])).await, Answer::Away("timed out".into()));
        clock.advance(SignedDuration::from_secs(60));
        assert_eq!(webhook.deliver(&batch([1, 2])).await, Answer::Taken { refused: 0 });
        assert_eq!(webhook.deliver(&batch([3])).await, Answer::Taken { refused: 0 });
        let sent = http.0.lock().unwrap();
        let header = |at: usize, name: &str| sent[at].headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header(0, "webhook-id"), header(1, "webhook-id"));
        assert_ne!(header(0, "webhook-id"), header(2, "webhook-id"));
        assert_eq!(header(1, "webhook-timestamp"), "1060");
        let body = str::from_utf8(sent[1].body()).unwrap();
        assert_eq!(header(1, "webhook-signature"), signature(&key(), &header(1, "webhook-id"), 1_060, body));
        let events: Vec<Value> = serde_json::from_str(body).unwrap();
        assert_eq!((events.len(), &events[1]["unmapped"]["resource"]), (2, &"2".into()));
    }
}
