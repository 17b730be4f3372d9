//! Pages of other origins that a bucket lets in by its own rules (S3 User Guide, "How does Amazon S3 evaluate the CORS
//! configuration on a bucket?"). Those of registered apps are let in everywhere.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;

use super::answers::{self, About};
use super::disk::{CorsRule, Disk};
use super::host::place;
use daypass_server::installation::Embedded;
use daypass_server::registered_origins::RegisteredOrigins;

/// Who is let in: whom a bucket's rules name, and the pages of registered apps.
#[derive(Clone)]
pub(super) struct Doors {
    pub disk: Disk,
    pub origins: RegisteredOrigins,
    pub embedded: Arc<Embedded>,
}

/// Answers what a rule of the bucket is about, refuses preflight requests that nothing allows, and hands on everything else.
pub(super) async fn by_bucket(State(doors): State<Doors>, request: Request, next: Next) -> Response {
    let Some((rule, origin)) = matching(&doors.disk, &request) else {
        let origin = request.headers().get(header::ORIGIN);
        let is_known = origin.is_some_and(|origin| doors.origins.contains(origin));
        return if is_preflight(&request) && !is_known {
            doors.refuse(&request)
        } else {
            next.run(request).await
        };
    };
    if is_preflight(&request) {
        let mut response = (StatusCode::OK, Body::empty()).into_response();
        allow(response.headers_mut(), &rule, &origin);
        preflight(response.headers_mut(), &rule, request.headers());
        return response;
    }
    // Whoever comes after this knows of no page.
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::ORIGIN);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    allow(response.headers_mut(), &rule, &origin);
    response
}

impl Doors {
    fn refuse(&self, request: &Request) -> Response {
        let request_id = RequestId::generate(self.embedded.clock.now(), &*self.embedded.random);
        let (bucket, key) = place(request.uri().path(), request.headers());
        let about = About { method: request.method().clone(), bucket, key, request_id, is_form: false };
        let message = "CORSResponse: This CORS request is not allowed. Register the page's origin with [[app]], or give the \
                       bucket a CORS rule.";
        answers::error(StatusCode::FORBIDDEN, "AccessForbidden", message, None, &about)
    }
}

/// The first rule that lets the page do what it asks for.
fn matching(disk: &Disk, request: &Request) -> Option<(CorsRule, HeaderValue)> {
    let origin = request.headers().get(header::ORIGIN)?;
    let (bucket, _) = place(request.uri().path(), request.headers());
    let rules = disk.bucket(&bucket?).ok()?.cors;
    let rule = rules.into_iter().find(|rule| is_allowed(rule, origin, request))?;
    Some((rule, origin.clone()))
}

fn is_preflight(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn is_allowed(rule: &CorsRule, origin: &HeaderValue, request: &Request) -> bool {
    let Ok(origin) = origin.to_str() else { return false };
    let method = match request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD) {
        Some(method) if is_preflight(request) => method.to_str().unwrap_or_default(),
        _ => request.method().as_str(),
    };
    rule.origins.iter().any(|pattern| is_like(pattern, origin))
        && rule.methods.iter().any(|allowed| allowed == method)
        && asked_headers(request.headers())
            .all(|name| rule.headers.iter().any(|pattern| is_like(&pattern.to_ascii_lowercase(), &name)))
}

fn asked_headers(headers: &HeaderMap) -> impl Iterator<Item = String> {
    let lines = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let names = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(','));
    names.map(|name| name.trim().to_ascii_lowercase()).filter(|name| !name.is_empty())
}

/// A pattern has one `*` at most.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
    }
}

fn allow(headers: &mut HeaderMap, rule: &CorsRule, origin: &HeaderValue) {
    let is_any = rule.origins.iter().any(|pattern| pattern == "*");
    let origin = if is_any { HeaderValue::from_static("*") } else { origin.clone() };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    list(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, &rule.exposed);
}

fn preflight(headers: &mut HeaderMap, rule: &CorsRule, asked: &HeaderMap) {
    list(headers, header::ACCESS_CONTROL_ALLOW_METHODS, &rule.methods);
    list(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, &asked_headers(asked).collect::<Vec<_>>());
    if let Some(seconds) = rule.max_age {
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, seconds.into());
    }
}

fn list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if !values.is_empty()
        && let Ok(value) = HeaderValue::try_from(values.join(", "))
    {
        headers.insert(name, value);
    }
}
