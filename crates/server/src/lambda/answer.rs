//! Responses, as whoever sent the event wants them: API Gateway Developer Guide, "Set up Lambda proxy integrations"
//! and "Create AWS Lambda proxy integrations for HTTP APIs"; Elastic Load Balancing, "Use Lambda functions as targets".

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use serde::Serialize;

/// Who sent an event, and so how the answer looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A REST API, or payload format 1.0.
    RestApi,
    /// An HTTP API with payload format 2.0, or a function URL.
    HttpApi,
    /// A load balancer whose target group has multi-value headers.
    LoadBalancer,
    /// A load balancer that hears one value of each header.
    SingleValueLoadBalancer,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    headers: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

impl Form {
    /// A response as the JSON of an answer.
    pub(super) async fn write(self, response: Response) -> Vec<u8> {
        let (mut parts, body) = response.into_parts();
        // Whoever sends the body on counts it.
        parts.headers.remove(header::CONTENT_LENGTH);
        let Ok(body) = to_bytes(body, usize::MAX).await else {
            tracing::error!("an answer broke off");
            return self.shape(StatusCode::INTERNAL_SERVER_ERROR, &HeaderMap::new(), &Bytes::new());
        };
        self.shape(parts.status, &parts.headers, &body)
    }

    fn shape(self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Vec<u8> {
        let text = std::str::from_utf8(body).ok();
        let mut answer = Answer {
            status_code: status.as_u16(),
            status_description: None,
            headers: None,
            multi_value_headers: None,
            cookies: None,
            body: text.map_or_else(|| BASE64_STANDARD.encode(body), str::to_owned),
            is_base64_encoded: text.is_none(),
        };
        match self {
            Self::RestApi | Self::LoadBalancer => answer.multi_value_headers = Some(every_value(headers)),
            Self::HttpApi | Self::SingleValueLoadBalancer => answer.headers = Some(joined(headers)),
        }
        match self {
            Self::HttpApi => answer.cookies = Some(cookies(headers)),
            Self::SingleValueLoadBalancer => {
                let last = cookies(headers).pop();
                answer
                    .headers
                    .get_or_insert_default()
                    .extend(last.map(|cookie| ("set-cookie".into(), cookie)));
            }
            Self::RestApi | Self::LoadBalancer => {}
        }
        if matches!(self, Self::LoadBalancer | Self::SingleValueLoadBalancer) {
            answer.status_description = Some(status.to_string());
        }
        serde_json::to_vec(&answer).expect("an answer is plain data")
    }
}

fn every_value(headers: &HeaderMap) -> BTreeMap<String, Vec<String>> {
    let values = |name: &HeaderName| headers.get_all(name).iter().map(text).collect();
    headers.keys().map(|name| (name.to_string(), values(name))).collect()
}

/// Each header once, its values in one line (RFC 9110 section 5.2). Cookies are the exception: a date in
/// one holds a comma.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined = every_value(headers);
    joined.remove(header::SET_COOKIE.as_str());
    joined.into_iter().map(|(name, values)| (name, values.join(", "))).collect()
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers.get_all(header::SET_COOKIE).iter().map(text).collect()
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
