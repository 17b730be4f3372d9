//! The Runtime API: where a process asks Lambda for the next invocation and leaves its answer (AWS Lambda Developer
//! Guide, "Using the Lambda runtime API for custom runtimes"). AWS's own client speaks it; the loop around it is ours
//! (`docs/decisions/0011-lambda-event-loop.md`).

use anyhow::{Context, anyhow, ensure};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use daypass_core::ground::clock::Timestamp;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};
use serde_json::json;

/// Where Lambda names host and port of the Runtime API.
pub(super) const VARIABLE: &str = "AWS_LAMBDA_RUNTIME_API";

const VERSION: &str = "/2018-06-01/runtime";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
const DEADLINE: &str = "lambda-runtime-deadline-ms";
/// Says for which of several attempts at one request an answer is. AWS's runtime for Rust sends it back.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

pub(super) struct RuntimeApi(PooledClient);

/// One request to the function.
pub(super) struct Invocation {
    pub(super) event: Bytes,
    /// When Lambda ends it.
    pub(super) deadline: Option<Timestamp>,
    request_id: String,
    /// Of this attempt at it.
    attempt: Option<HeaderValue>,
}

impl RuntimeApi {
    pub(super) fn from_environment() -> anyhow::Result<Self> {
        let host = std::env::var(VARIABLE).with_context(|| format!("{VARIABLE} is not set"))?;
        let place = host.parse().with_context(|| format!("{VARIABLE} is no host and port"))?;
        Ok(Self(PooledClient::builder().with_endpoint(place).build()))
    }

    /// Waits for the next invocation. Lambda freezes the process meanwhile.
    pub(super) async fn next(&self) -> anyhow::Result<Invocation> {
        let answer = self.call(Method::GET, "/invocation/next", HeaderMap::new(), Vec::new()).await?;
        ensure!(answer.status().is_success(), "it answered {}", answer.status());
        let (parts, body) = answer.into_parts();
        let request_id = text(&parts.headers, REQUEST_ID).context("an invocation has no ID")?.to_owned();
        let milliseconds = text(&parts.headers, DEADLINE).and_then(|deadline| deadline.parse().ok());
        Ok(Invocation {
            event: body.collect().await.context("an event broke off")?.to_bytes(),
            deadline: milliseconds.and_then(|deadline| Timestamp::from_millisecond(deadline).ok()),
            attempt: parts.headers.get(INVOCATION_ID).cloned(),
            request_id,
        })
    }

    /// Leaves an answer. One that Lambda does not want any more, or finds too large, is nobody's but the log's.
    pub(super) async fn respond(&self, invocation: &Invocation, answer: Vec<u8>) -> anyhow::Result<()> {
        let mut headers = HeaderMap::new();
        if let Some(id) = &invocation.attempt {
            headers.insert(INVOCATION_ID, id.clone());
        }
        let path = format!("/invocation/{}/response", invocation.request_id);
        let taken = self.call(Method::POST, &path, headers.clone(), answer).await?.status();
        if taken == StatusCode::PAYLOAD_TOO_LARGE {
            let path = format!("/invocation/{}/error", invocation.request_id);
            let (headers, error) =
                failure(headers, "Daypass.AnswerTooLarge", "the answer is too large for Lambda");
            self.call(Method::POST, &path, headers, error).await?;
        }
        if !taken.is_success() {
            let lambda_request_id = &invocation.request_id;
            tracing::error!(lambda_request_id, status = taken.as_u16(), "Lambda did not take an answer");
        }
        Ok(())
    }

    /// Says that the function cannot start. The process has to end then.
    pub(super) async fn fail_to_start(&self, sentence: &str) -> anyhow::Result<()> {
        let (headers, error) = failure(HeaderMap::new(), "Daypass.CannotStart", sentence);
        let status = self.call(Method::POST, "/init/error", headers, error).await?.status();
        ensure!(status.is_success(), "it answered {status}");
        Ok(())
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Vec<u8>,
    ) -> anyhow::Result<Response<Incoming>> {
        let request = build_request().method(method).uri(format!("{VERSION}{path}"));
        let mut request: Request<Body> = request.body(Body::from(body))?;
        request.headers_mut().extend(headers);
        self.0.call(request).await.map_err(|error| anyhow!(error))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn failure(mut headers: HeaderMap, kind: &'static str, sentence: &str) -> (HeaderMap, Vec<u8>) {
    headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
    let error = json!({"errorMessage": sentence, "errorType": kind, "stackTrace": []});
    (headers, error.to_string().into_bytes())
}
