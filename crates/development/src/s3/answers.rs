//! Errors in S3's form (S3 API Reference, "Error responses"). What `s3s` answers lacks where it was and which request.

use axum::body::{Body, to_bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_core::ground::ids::RequestId;
use daypass_server::xml;

/// The largest document that is read again: a listing of a thousand of the longest keys.
const LARGEST: usize = 16 << 20;

/// What an error was about.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub method: Method,
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub request_id: RequestId,
    /// It is an upload by form.
    pub is_form: bool,
}

/// An error.
pub(super) fn error(
    status: StatusCode,
    code: &str,
    message: &str,
    detail: Option<(&str, String)>,
    about: &About,
) -> Response {
    let detail = detail.map(|(name, text)| element(name, &text));
    document(status, code, &xml::escape(message), &detail.unwrap_or_default(), about)
}

fn document(status: StatusCode, code: &str, message: &str, detail: &str, about: &About) -> Response {
    let bucket = about.bucket.as_deref().map(|bucket| element("BucketName", bucket)).unwrap_or_default();
    let key = about.key.as_deref().map(|key| element("Key", key)).unwrap_or_default();
    let id = &about.request_id;
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{detail}\
         {bucket}{key}<RequestId>{id}</RequestId><HostId>{id}</HostId></Error>"
    );
    // The answer to HEAD has no body, and says nothing of one.
    if about.method == Method::HEAD {
        return status.into_response();
    }
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", xml::escape(text))
}

/// An answer of `s3s`, made whole.
pub(super) async fn complete(mut response: Response, about: &About) -> Response {
    // `s3s` has no such status for HEAD.
    if about.method == Method::HEAD
        && response.headers().contains_key(header::CONTENT_RANGE)
        && response.status() == StatusCode::OK
    {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    if response.status() == StatusCode::NOT_MODIFIED {
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).map(header::HeaderValue::as_bytes);
    if response.extensions().get::<IsObject>().is_none() && content_type == Some(b"application/xml") {
        return complete_document(response, about).await;
    }
    response
}

/// Marks an answer whose body is an object's, whatever its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct IsObject;

async fn complete_document(response: Response, about: &About) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let text = String::from_utf8_lossy(&bytes);
    parts.headers.remove(header::CONTENT_LENGTH);
    if !parts.status.is_client_error() && !parts.status.is_server_error() {
        // `s3s` writes keys as they are. Whoever reads XML takes that for the end of a line (XML 1.0, 2.11), and reads nothing with
        // what XML cannot hold.
        return Response::from_parts(parts, Body::from(xml::readable(&text).replace('\r', "&#13;")));
    }
    let code = inner(&text, "Code").unwrap_or("InternalError");
    let message = inner(&text, "Message").unwrap_or_else(|| default_message(code));
    let mut whole = match code {
        // S3 says it of policies that are none, too; a policy that is not met is a refusal.
        "InvalidPolicyDocument" if about.is_form && !message.starts_with("failed to parse") => {
            let message = format!("Invalid according to Policy: {message}");
            document(StatusCode::FORBIDDEN, "AccessDenied", &message, "", about)
        }
        _ => document(parts.status, code, message, "", about),
    };
    parts.headers.remove(header::CONTENT_TYPE);
    whole.headers_mut().extend(parts.headers);
    whole
}

/// What S3 says where `s3s` says nothing.
fn default_message(code: &str) -> &'static str {
    match code {
        "IncompleteBody" => {
            "You did not provide the number of bytes specified by the Content-Length HTTP header."
        }
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long: it may have 1,024 bytes.",
        "MalformedXML" => {
            "The XML you provided was not well-formed or did not validate against our published schema."
        }
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "MissingRequestBodyError" => "Request Body is empty.",
        "SignatureDoesNotMatch" => {
            "The request signature we calculated does not match the signature you provided. Check your key and signing method."
        }
        _ => "We encountered an internal error. Please try again.",
    }
}

/// What stands in an element, as it is written.
fn inner<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner)
}
