//! Answers of IAM in the Query protocol: XML, with documents encoded as in URLs (AWS's model of IAM; IAM API Reference, `Role`).

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use daypass_core::credentials::role::unique_id;
use daypass_core::ground::ids::{AccountId, RequestId, RoleName};
use daypass_server::installation::made_roles::MadeRole;
use daypass_server::xml;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::error::IamError;

const NAMESPACE: &str = "https://iam.amazonaws.com/doc/2010-05-08/";
/// All but the unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The ARN of a role.
pub(super) fn arn(account: &AccountId, name: &str) -> String {
    format!("arn:aws:iam::{account}:role/{name}")
}

pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", xml::escape(text))
}

pub(super) fn document(name: &str, text: &str) -> String {
    element(name, &utf8_percent_encode(text, RESERVED).to_string())
}

/// A list, all of which is there.
pub(super) fn list(name: &str, members: impl IntoIterator<Item = String>) -> String {
    let members = members.into_iter().flat_map(|member| ["<member>".into(), member, "</member>".into()]);
    let members: String = members.collect();
    format!("<{name}>{members}</{name}><IsTruncated>false</IsTruncated>")
}

/// The members of the shape `Role`.
pub(super) fn role(account: &AccountId, name: &RoleName, role: &MadeRole) -> String {
    let arn = arn(account, name.as_str());
    [
        element("Path", "/"),
        element("RoleName", name.as_str()),
        element("RoleId", &unique_id("AROA", &arn)),
        element("Arn", &arn),
        element("CreateDate", &role.created_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        document("AssumeRolePolicyDocument", &role.trust),
        role.description.as_deref().map(|text| element("Description", text)).unwrap_or_default(),
        element("MaxSessionDuration", &role.max_session_seconds.to_string()),
    ]
    .concat()
}

pub(super) fn write(answered: Result<(&'static str, String), IamError>, id: &RequestId) -> Response {
    let metadata = format!("<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>");
    let (status, body) = match answered {
        Ok((call, result)) => {
            let result = format!("<{call}Result>{result}</{call}Result>");
            (
                StatusCode::OK,
                format!("<{call}Response xmlns=\"{NAMESPACE}\">{result}{metadata}</{call}Response>"),
            )
        }
        Err(error) => refusal(&error, id),
    };
    let headers = [(header::CONTENT_TYPE, "text/xml"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

fn refusal(error: &IamError, id: &RequestId) -> (StatusCode, String) {
    let (status, code) = error.code();
    let fault = if status.is_server_error() { "Receiver" } else { "Sender" };
    let text =
        [element("Type", fault), element("Code", code), element("Message", &error.to_string())].concat();
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error>{text}</Error><RequestId>{id}</RequestId></ErrorResponse>"
    );
    (status, body)
}
