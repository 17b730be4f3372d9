//! The way to providers, measured by who is asked.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use axum::http::{Request, Response};
use bytes::Bytes;
use daypass_core::ground::outbound::{AskedProvider, ProviderHttp, ProviderHttpError};

use crate::metrics::{KEYS_OF_ISSUERS, Metrics, ProviderOutcome};
use crate::traces::{Part, part};

pub(crate) struct MeasuredHttp {
    pub(crate) http: Arc<dyn ProviderHttp>,
    pub(crate) metrics: Arc<Metrics>,
}

#[async_trait]
impl ProviderHttp for MeasuredHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let asked = request.extensions().get::<AskedProvider>().cloned();
        let began = Instant::now();
        let answer = self.http.send(request).await;
        let provider = asked.as_ref().map_or(KEYS_OF_ISSUERS, |AskedProvider(id)| id);
        let (outcome, took) = (outcome(&answer), began.elapsed());
        self.metrics.asked_provider(provider, outcome, took);
        let labels = [("daypass.provider", provider), ("daypass.outcome", outcome.name())];
        let has_failed = !matches!(outcome, ProviderOutcome::Ok | ProviderOutcome::Refused);
        part(&Part { name: "provider call", is_asked: true, labels: &labels, has_failed }, took);
        answer
    }
}

fn outcome(answer: &Result<Response<Bytes>, ProviderHttpError>) -> ProviderOutcome {
    match answer {
        Ok(answer) if answer.status().is_success() => ProviderOutcome::Ok,
        Ok(answer) if answer.status().is_server_error() => ProviderOutcome::Failed,
        Ok(_) => ProviderOutcome::Refused,
        Err(ProviderHttpError::AnswerTooLarge { .. }) => ProviderOutcome::Failed,
        Err(ProviderHttpError::TimedOut) => ProviderOutcome::TimedOut,
        Err(ProviderHttpError::Unreachable(_)) => ProviderOutcome::Unreachable,
        Err(ProviderHttpError::Resting) => ProviderOutcome::Resting,
        Err(ProviderHttpError::PrivateAddress { .. } | ProviderHttpError::OutOfFiles) => {
            ProviderOutcome::NotAsked
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Scripted(Mutex<Vec<Result<u16, ProviderHttpError>>>);

    #[async_trait]
    impl ProviderHttp for Scripted {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
            let status = self.0.lock().unwrap().pop().unwrap()?;
            Ok(Response::builder().status(status).body(Bytes::new()).unwrap())
        }
    }

    #[tokio::test]
    async fn a_question_is_counted_by_the_provider_and_what_came_of_it() {
        let answers = vec![
            (Ok(200), "ok"),
            (Ok(302), "refused"),
            (Ok(401), "refused"),
            (Ok(503), "failed"),
            (Err(ProviderHttpError::TimedOut), "timed_out"),
            (Err(ProviderHttpError::Unreachable(String::new())), "unreachable"),
            (Err(ProviderHttpError::Resting), "resting"),
            (Err(ProviderHttpError::OutOfFiles), "not_asked"),
        ];
        for (answer, outcome) in answers {
            let (metrics, script) = (Arc::new(Metrics::default()), Arc::new(Scripted(Mutex::default())));
            let http = MeasuredHttp { http: script.clone(), metrics: metrics.clone() };
            for asked in [Some(AskedProvider("discord".into())), None] {
                script.0.lock().unwrap().push(answer.clone());
                let mut request =
                    Request::get("https://discord.com/api?token=hunter2").body(Bytes::new()).unwrap();
                asked.map(|asked| request.extensions_mut().insert(asked));
                let _ = http.send(request).await;
            }
            let text = metrics.text();
            for provider in ["discord", KEYS_OF_ISSUERS] {
                let line = format!(
                    "daypass_provider_call_seconds_count{{provider=\"{provider}\",outcome=\"{outcome}\"}} 1\n"
                );
                assert!(text.contains(&line), "{line}{text}");
            }
            assert!(!text.contains("hunter2"));
        }
    }
}
