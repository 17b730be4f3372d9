//! Events, as API Gateway, function URLs and load balancers send them, made into the requests that they stand for.
//! Only the members that matter are read; the pages that describe them are named in [`super::answer`].

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::answer::Form;
use super::path;
use crate::origin::Peer;

/// What cannot stand in a path. A `%` can: who sent the event has decoded nothing, or nothing that matters here,
/// and what it has decoded must not be decoded again.
const NOT_IN_PATH: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'`');
const NOT_IN_QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>');

type OneEach = BTreeMap<String, String>;
type Several = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    request_context: RequestContext,
    http_method: Option<String>,
    path: Option<String>,
    raw_path: Option<String>,
    raw_query_string: Option<String>,
    resource: Option<String>,
    path_parameters: Option<OneEach>,
    headers: Option<OneEach>,
    multi_value_headers: Option<Several>,
    query_string_parameters: Option<OneEach>,
    multi_value_query_string_parameters: Option<Several>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    stage: Option<String>,
    path: Option<String>,
    /// Of payload format 2.0 alone.
    http: Option<Http>,
    /// Of payload format 1.0 alone.
    identity: Option<Identity>,
    /// Of load balancers alone.
    elb: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    source_ip: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    source_ip: Option<String>,
}

/// Why an event is no request. No message repeats anything of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mistake {
    #[error("it is none of API Gateway, of a function URL or of a load balancer")]
    Shape,
    #[error("it names no method of HTTP")]
    Method,
    #[error("its path or its query are none")]
    Uri,
    #[error("one of its headers is none")]
    Header,
    #[error("it has more headers than a request can have")]
    Headers,
    #[error("its body is not the Base64 that it says")]
    Base64,
}

impl Event {
    pub(super) fn parse(event: &[u8]) -> Result<Self, Mistake> {
        let event: Self = serde_json::from_slice(event).map_err(|_| Mistake::Shape)?;
        let context = &event.request_context;
        let kinds = [context.http.is_some(), context.elb.is_some(), event.http_method.is_some()];
        match kinds {
            [true, false, false] if event.raw_path.is_some() => Ok(event),
            [false, _, true] if event.path.is_some() => Ok(event),
            _ => Err(Mistake::Shape),
        }
    }

    /// Who sent it.
    pub(super) fn form(&self) -> Form {
        if self.request_context.http.is_some() {
            Form::HttpApi
        } else if self.request_context.elb.is_none() {
            Form::RestApi
        } else if self.multi_value_headers.is_some() {
            Form::LoadBalancer
        } else {
            Form::SingleValueLoadBalancer
        }
    }

    /// The request. The path of its route is what remains without stage and base path.
    pub(super) fn into_request(self, base_path: &str) -> Result<Request, Mistake> {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = self.method()?;
        *request.uri_mut() = self.uri(base_path)?;
        *request.headers_mut() = self.headers()?;
        if let Some(address) = self.source_ip() {
            // API Gateway and function URLs are reached by TLS alone.
            request.extensions_mut().insert(Peer { address, over_tls: true });
        }
        *request.body_mut() = Body::from(self.body()?);
        Ok(request)
    }

    fn method(&self) -> Result<Method, Mistake> {
        let http = self.request_context.http.as_ref().map(|http| &http.method);
        let method = http.or(self.http_method.as_ref()).ok_or(Mistake::Method)?;
        Method::from_bytes(method.as_bytes()).map_err(|_| Mistake::Method)
    }

    fn uri(&self, base_path: &str) -> Result<Uri, Mistake> {
        let route = self.route(base_path);
        let slash = if route.starts_with('/') { "" } else { "/" };
        let mut uri = format!("{slash}{}", utf8_percent_encode(route, NOT_IN_PATH));
        let query = self.query();
        if !query.is_empty() {
            uri.push('?');
            uri.extend(utf8_percent_encode(&query, NOT_IN_QUERY));
        }
        PathAndQuery::try_from(uri).map(Uri::from).map_err(|_| Mistake::Uri)
    }

    fn route(&self, base: &str) -> &str {
        let stage = self.request_context.stage.as_deref().unwrap_or_default();
        let given = self.raw_path.as_deref().or(self.path.as_deref()).unwrap_or_default();
        match self.form() {
            Form::HttpApi => path::of_http_api(given, stage, base),
            Form::RestApi => {
                let (asked, resource) = (self.request_context.path.as_deref(), self.resource_path());
                path::of_rest_api(asked, given, base, resource.as_deref())
            }
            Form::LoadBalancer | Form::SingleValueLoadBalancer => path::of_load_balancer(given, base),
        }
    }

    fn resource_path(&self) -> Option<String> {
        path::filled(self.resource.as_deref()?, self.path_parameters.as_ref().unwrap_or(&OneEach::new()))
    }

    /// The query as it was sent, or nearly. A REST API has decoded it; a load balancer has not.
    fn query(&self) -> String {
        let pairs =
            pairs(self.multi_value_query_string_parameters.as_ref(), self.query_string_parameters.as_ref());
        match self.form() {
            Form::HttpApi => self.raw_query_string.clone().unwrap_or_default(),
            Form::RestApi => form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish(),
            Form::LoadBalancer | Form::SingleValueLoadBalancer => {
                pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            }
        }
    }

    /// A map of headers ends at 32,768 and panics for whoever does not ask.
    fn headers(&self) -> Result<HeaderMap, Mistake> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs(self.multi_value_headers.as_ref(), self.headers.as_ref()) {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Mistake::Header)?;
            headers.try_append(name, value_of(value)?).map_err(|_| Mistake::Headers)?;
        }
        if let Some(cookies) = &self.cookies {
            let cookies = value_of(&cookies.join("; "))?;
            headers.try_insert(header::COOKIE, cookies).map_err(|_| Mistake::Headers)?;
        }
        Ok(headers)
    }

    /// As whoever sent the event saw it. A load balancer tells it in a header only, which says whatever
    /// a client wrote into it, too.
    fn source_ip(&self) -> Option<IpAddr> {
        let http = self.request_context.http.as_ref().and_then(|http| http.source_ip.as_ref());
        let identity =
            self.request_context.identity.as_ref().and_then(|identity| identity.source_ip.as_ref());
        http.or(identity)?.parse().ok()
    }

    fn body(self) -> Result<Bytes, Mistake> {
        let body = self.body.unwrap_or_default();
        if self.is_base64_encoded == Some(true) {
            return BASE64_STANDARD.decode(body).map(Bytes::from).map_err(|_| Mistake::Base64);
        }
        Ok(Bytes::from(body))
    }
}

fn value_of(text: &str) -> Result<HeaderValue, Mistake> {
    HeaderValue::from_bytes(text.as_bytes()).map_err(|_| Mistake::Header)
}

/// What stands there with all its values, or else with one each.
fn pairs<'a>(several: Option<&'a Several>, one_each: Option<&'a OneEach>) -> Vec<(&'a str, &'a str)> {
    match several {
        Some(several) => {
            let every = |(name, values): (&'a String, &'a Vec<String>)| {
                values.iter().map(|value| (&**name, &**value)).collect::<Vec<_>>()
            };
            several.iter().flat_map(every).collect()
        }
        None => one_each.into_iter().flatten().map(|(name, value)| (&**name, &**value)).collect(),
    }
}
