//! AWS Lambda: the server's routes, asked by API Gateway, a function URL or an Application Load Balancer. Lambda hands
//! each request to the process as an event, one at a time, and freezes the process in between, perhaps for
//! hours: whatever has to happen, happens while a request is answered.

mod answer;
mod event;
mod path;
mod runtime_api;
#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::response::Response;
use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::Random;
use daypass_core::store::SharedStore;
use tower::ServiceExt;

use self::event::Event;
use self::runtime_api::RuntimeApi;
use crate::error::{ApiError, Dialect, RequestFailure};
use crate::routes::dialect_of;
use crate::telemetry;

/// What a request is given up this long before Lambda would end it: time to say so.
const MARGIN: Duration = Duration::from_millis(500);

/// The lines of the log have so long to be written before an answer is handed over.
const TO_WRITE_THE_LOG: Duration = Duration::from_millis(100);

/// So often the store is kept up, at most, and for so long: that time is paid for.
const KEEPING_UP: SignedDuration = SignedDuration::from_secs(10);
const TO_KEEP_UP: Duration = Duration::from_secs(1);

/// So much of what deleted pools left behind goes then.
const TO_PURGE: usize = 20;

/// Whether the process was started by Lambda, which tells it where the Runtime API is (AWS Lambda Developer Guide,
/// "Building a custom runtime for AWS Lambda").
#[must_use]
pub fn is_lambda() -> bool {
    std::env::var_os(runtime_api::VARIABLE).is_some()
}

/// The server's routes as a Lambda function.
pub struct Function {
    router: Router,
    /// The path of the public URL, which routes do not begin with.
    base_path: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// What may want something done now and then, and when it was.
    store: SharedStore,
    kept_up_at: Mutex<Option<Timestamp>>,
}

impl Function {
    /// Answers events with `router`. Browsers reach it at `public_url`.
    #[must_use]
    pub fn new(
        router: Router,
        public_url: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        store: SharedStore,
    ) -> Self {
        let base_path = path::of_url(public_url).to_owned();
        Self { router, base_path, clock, random, store, kept_up_at: Mutex::default() }
    }

    /// Answers what Lambda hands over, until Lambda ends the process.
    ///
    /// # Errors
    /// If the Runtime API does not answer: Lambda starts the process anew then.
    pub async fn run(&self) -> anyhow::Result<Infallible> {
        let api = RuntimeApi::from_environment()?;
        // Lambda freezes the process after its start as well.
        telemetry::flush_within(TO_WRITE_THE_LOG);
        loop {
            let invocation = api.next().await.context("the Runtime API gave no invocation")?;
            let answer = self.answer(&invocation.event, invocation.deadline).await;
            // What is not written now is written after the sleep, if there is anything after it.
            telemetry::flush_within(TO_WRITE_THE_LOG);
            api.respond(&invocation, answer).await.context("the Runtime API did not take an answer")?;
            self.keep_store_up(invocation.deadline).await;
        }
    }

    /// Nobody waits for it: the answer is away, and the process is not frozen before it asks for the next event.
    pub async fn keep_store_up(&self, deadline: Option<Timestamp>) {
        let now = self.clock.now();
        let is_time = |at: Timestamp| now.duration_since(at).abs() >= KEEPING_UP;
        let is_due = {
            let mut kept_up_at = self.kept_up_at.lock().unwrap_or_else(PoisonError::into_inner);
            let is_due = kept_up_at.is_none_or(is_time) && self.time_for(deadline) > 2 * TO_KEEP_UP;
            if is_due {
                *kept_up_at = Some(now);
            }
            is_due
        };
        if !is_due {
            return;
        }
        // What is not done within the time is done next time, by whoever comes.
        if let Ok(Err(error)) = tokio::time::timeout(TO_KEEP_UP, self.store.keep_up()).await {
            let error = &error as &dyn Error;
            tracing::warn!(error, "the audit trail in the store gets no order and no signature for now");
        }
        if self.time_for(deadline) <= 2 * TO_KEEP_UP {
            return;
        }
        let purging = self.store.purge_deleted_pools(TO_PURGE);
        if let Ok(Err(error)) = tokio::time::timeout(TO_KEEP_UP, purging).await {
            let error = &error as &dyn Error;
            tracing::warn!(error, "what deleted pools left behind stays for now");
        }
    }

    /// What one event is answered. Nothing that it holds makes an error of the function: whoever sent the request
    /// is told what is wrong with it.
    pub async fn answer(&self, event: &[u8], deadline: Option<Timestamp>) -> Vec<u8> {
        let id = RequestId::generate(self.clock.now(), &*self.random);
        let read =
            Event::parse(event).and_then(|event| Ok((event.form(), event.into_request(&self.base_path)?)));
        let (form, request) = match read {
            Ok(read) => read,
            Err(mistake) => {
                tracing::warn!(request_id = %id, %mistake, "an event is not a request of HTTP");
                let refusal = ApiError::malformed_request(format!("The event is not a request: {mistake}."));
                return answer::Form::HttpApi.write(refusal.answer(Dialect::Problem, &id)).await;
            }
        };
        let dialect = dialect_of(&request);
        let routed = async { form.write(self.route(request).await).await };
        match tokio::time::timeout(self.time_for(deadline), routed).await {
            Ok(answer) => answer,
            Err(_) => {
                form.write(ApiError::of_request(dialect, RequestFailure::TookTooLong).answer(dialect, &id))
                    .await
            }
        }
    }

    async fn route(&self, request: axum::extract::Request) -> Response {
        match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    fn time_for(&self, deadline: Option<Timestamp>) -> Duration {
        let Some(deadline) = deadline else { return Duration::MAX };
        let left = Duration::try_from(deadline.duration_since(self.clock.now())).unwrap_or_default();
        left.saturating_sub(MARGIN.min(left / 4))
    }
}

/// Tells Lambda why the function cannot start, which then stands in its log and in the answer to whoever invoked it.
pub async fn failed_to_start(sentence: &str) {
    let told = match RuntimeApi::from_environment() {
        Ok(api) => api.fail_to_start(sentence).await,
        Err(error) => Err(error),
    };
    if let Err(error) = told {
        tracing::error!(%error, "Lambda could not be told that the function does not start");
    }
}
