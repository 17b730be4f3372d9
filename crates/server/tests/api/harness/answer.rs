//! Answers, and the forms that refusals have in each of the three dialects.

use axum::Router;
use axum::body::{Body, to_bytes};
use http::{HeaderMap, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::Credentials;

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// Asks a router once.
pub async fn read(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Asserts a refusal of `/v1`, whose form is RFC 9457's.
    #[track_caller]
    pub fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{self:?}");
        assert_eq!(body["status"], status);
        assert_eq!(body["type"], "about:blank");
        assert_eq!(body["request_id"], self.header("x-amzn-requestid"));
    }

    /// Asserts a refusal of the identity pool API, to the letter.
    #[track_caller]
    pub fn assert_exception(&self, code: &str, message: &str) {
        self.assert_code(code);
        assert_eq!(self.body, json!({"__type": code, "message": message}).to_string());
        let in_header: String =
            message.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' }).collect();
        assert_eq!(self.header("x-amzn-errormessage"), in_header);
    }

    /// Asserts the exception of a refusal, and that header and body agree about it.
    #[track_caller]
    pub fn assert_code(&self, code: &str) {
        assert_eq!((self.status.as_u16(), self.json()["__type"].as_str()), (400, Some(code)), "{self:?}");
        assert_eq!(self.header("x-amzn-errortype"), format!("{code}:"));
        assert_eq!(self.header("content-type"), "application/x-amz-json-1.1");
    }

    /// Asserts a refusal of STS.
    #[track_caller]
    pub fn assert_sts_error(&self, status: u16, code: &str) {
        assert_eq!(self.header("content-type"), "text/xml", "{self:?}");
        let found = (self.status.as_u16(), self.element("Code"), self.element("Type"));
        assert_eq!(found, (status, code, "Sender"), "{self:?}");
        assert_eq!(self.element("RequestId"), self.header("x-amzn-requestid"));
        assert!(
            self.body.starts_with(
                "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>"
            ),
            "{self:?}"
        );
    }

    /// The credentials that GetCredentialsForIdentity answered with.
    #[track_caller]
    pub fn credentials(&self) -> Credentials {
        assert_eq!(self.status, 200, "{self:?}");
        let body = self.json();
        let text = |name: &str| body["Credentials"][name].as_str().unwrap_or_default().to_owned();
        Credentials {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretKey"),
            session_token: Some(text("SessionToken")),
        }
    }

    /// The credentials of AssumeRoleWithWebIdentity.
    pub fn sts_credentials(&self) -> Credentials {
        assert_eq!(self.status, 200, "{self:?}");
        Credentials {
            access_key_id: self.element("AccessKeyId").into(),
            secret_access_key: self.element("SecretAccessKey").into(),
            session_token: Some(self.element("SessionToken").into()),
        }
    }

    /// The text of an XML element; nothing if it is not there.
    pub fn element(&self, name: &str) -> &str {
        let after = self.body.split_once(&format!("<{name}>"));
        after.and_then(|(_, rest)| rest.split('<').next()).unwrap_or_default()
    }
}
