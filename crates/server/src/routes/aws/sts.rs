//! STS in the Query protocol (docs/reference/cognito-identity.md, 1.4 and 7).

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_core::audit::Requester;
use daypass_core::credentials::access_key::developer_id;
use daypass_core::credentials::session_token::Session;
use daypass_core::credentials::sts::{AssumeRoleRequest, AssumedRole, FEDERATED_PROVIDER};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{RequestId, RoleSessionName};
use daypass_core::ground::secret::Secret;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Access::{Public, Signed};
use super::form::Form;
use super::model::{all, optional, required};
use super::validation::{Member, Pattern, Shape, Text, Violations, shortened};
use super::{Access, authenticate, count};
use crate::error::{ApiError, Protocol};
use crate::installation::Embedded;
use crate::sigv4::Caller;
use crate::xml;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const SERVICE: &str = "sts";
const VERSION: &str = "2011-06-15";

/// An action of STS.
#[derive(Debug, Clone, Copy)]
pub struct Action {
    /// Its name in the API.
    pub name: &'static str,
    /// Who may call it.
    pub access: Access,
}

/// The actions that are answered, and who may call them.
pub const ACTIONS: &[Action] = &[
    Action { name: "AssumeRoleWithWebIdentity", access: Public },
    Action { name: "GetCallerIdentity", access: Signed },
];

const ASSUME_ROLE_WITH_WEB_IDENTITY: &[Member] = &[
    required("RoleArn", text(20, 2048, Some((ARN_PATTERN, |text| all(text, is_arn_character))))),
    required(
        "RoleSessionName",
        text(2, 64, Some((r"[\w+=,.@-]*", |text| text.chars().all(is_name_character)))),
    ),
    required("WebIdentityToken", Shape::Text(Text { min: 4, max: 20_000, pattern: None, sensitive: true })),
    optional("ProviderId", text(4, 2048, None)),
    optional("Policy", text(1, 2048, Some((POLICY_PATTERN, |text| all(text, is_policy_character))))),
    optional("DurationSeconds", Shape::Integer { min: 900, max: 43_200 }),
    // Our tokens have the size that they need: the wish is read, and has no effect.
    optional("MinimumSessionTokenSize", Shape::Integer { min: 0, max: 4096 }),
];

const ARN_PATTERN: &str =
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+";
const POLICY_PATTERN: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";

fn is_arn_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        || c >= '\u{10000}'
}

fn is_policy_character(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{ff}')
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)
}

const fn text(min: usize, max: usize, pattern: Option<Pattern>) -> Shape {
    Shape::Text(Text { min, max, pattern, sensitive: false })
}

/// AssumeRoleWithWebIdentity, its shapes checked. SDKs send the token as it stands in its file, whose last line has an end.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AssumeRole {
    role_arn: String,
    role_session_name: RoleSessionName,
    web_identity_token: String,
    policy: Option<String>,
    duration_seconds: Option<i64>,
}

/// Answers one request.
pub async fn answer(
    embedded: &Embedded,
    by: &Requester,
    parts: &Parts,
    body: &Bytes,
) -> Result<Response, ApiError> {
    let mut form = Form::read(parts, body)?;
    let action = find_action(&mut form)?;
    let caller = match action.access {
        Signed => Some(authenticate(embedded, parts, body, SERVICE, Protocol::Query).await?),
        Public => None,
    };
    count(embedded.rate_limits.operation(action.name), Protocol::Query)?;
    let result = match caller {
        Some(caller) => caller_identity(embedded, &caller),
        None => assume_role_with_web_identity(embedded, by, form).await?,
    };
    Ok(respond(action.name, &result, &by.request_id))
}

fn find_action(form: &mut Form) -> Result<&'static Action, ApiError> {
    let name = form.take("Action").ok_or_else(ApiError::no_action)?;
    let version = form.take("Version");
    let version = version.as_deref().unwrap_or("NO_VERSION_SPECIFIED");
    let action = ACTIONS.iter().find(|action| action.name == name && version == VERSION);
    action.ok_or_else(|| ApiError::unknown_action(&name, version))
}

async fn assume_role_with_web_identity(
    embedded: &Embedded,
    by: &Requester,
    form: Form,
) -> Result<String, ApiError> {
    let assumed = embedded.pools.assume_role_with_web_identity(read_assume_role(form)?, by).await;
    Ok(assumed_role(&assumed.map_err(ApiError::assume)?))
}

fn read_assume_role(form: Form) -> Result<AssumeRoleRequest, ApiError> {
    let members = form.into_members(ASSUME_ROLE_WITH_WEB_IDENTITY);
    let mut violations = Violations::new(Protocol::Query);
    violations.check(ASSUME_ROLE_WITH_WEB_IDENTITY, &members)?;
    refuse_what_is_not_there(&members, &mut violations);
    violations.finish()?;
    let input: AssumeRole = serde_json::from_value(Value::Object(members)).expect("the shapes are checked");
    check_arn(&input.role_arn)?;
    Ok(AssumeRoleRequest {
        role_arn: input.role_arn,
        role_session_name: input.role_session_name,
        web_identity_token: Secret::new(input.web_identity_token.trim_end_matches(['\r', '\n'])),
        duration: input.duration_seconds.map(SignedDuration::from_secs),
        policy: input.policy,
    })
}

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
fn check_arn(text: &str) -> Result<(), ApiError> {
    let well_formed = text.starts_with("arn:") && text.split(':').count() >= 6;
    if well_formed { Ok(()) } else { Err(ApiError::invalid_arn(&shortened(text))) }
}

/// What a caller relies on and Daypass does not have must not be passed over: a managed session policy would
/// have narrowed the session.
fn refuse_what_is_not_there(members: &Map<String, Value>, violations: &mut Violations) {
    // SDKs write an empty list as an empty value.
    let is_empty_list = |name: &str, value: &Value| name == "PolicyArns" && value == "";
    if members.iter().any(|(name, value)| name.starts_with("PolicyArns") && !is_empty_list(name, value)) {
        let phrase = "Daypass has no managed policies; pass the policy itself as Policy";
        violations.add("'***'", "policyArns", phrase);
    }
    if members.contains_key("ProviderId") {
        violations.add("'***'", "providerId", "Member must be absent for an OpenID token");
    }
}

fn assumed_role(assumed: &AssumedRole) -> String {
    let AssumedRole { credentials, arn, assumed_role_id, claims, packed_percent } = assumed;
    [
        element("SubjectFromWebIdentityToken", claims.identity_id.as_str()),
        element("Audience", claims.pool_id.as_str()),
        element("Provider", FEDERATED_PROVIDER),
        "<AssumedRoleUser>".into(),
        element("AssumedRoleId", assumed_role_id),
        element("Arn", arn),
        "</AssumedRoleUser><Credentials>".into(),
        element("AccessKeyId", credentials.access_key_id.as_str()),
        element("SecretAccessKey", credentials.secret_access_key.expose()),
        element("SessionToken", credentials.session_token.expose()),
        element("Expiration", &credentials.expiration.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        "</Credentials>".into(),
        packed_percent.map(|percent| element("PackedPolicySize", &percent.to_string())).unwrap_or_default(),
    ]
    .concat()
}

fn caller_identity(embedded: &Embedded, caller: &Caller) -> String {
    let account_id = embedded.sts.roles.account_id();
    let user_id = match caller {
        Caller::Developer(key) => developer_id(&key.name, account_id),
        Caller::Session(opened) => session_user_id(embedded, &opened.session),
    };
    let arn = caller_arn(embedded, caller);
    [element("Arn", &arn), element("UserId", &user_id), element("Account", account_id.as_str())].concat()
}

/// `arn:aws:iam::<account>:user/<name>`, or what [`session_arn`] says.
pub(super) fn caller_arn(embedded: &Embedded, caller: &Caller) -> String {
    match caller {
        Caller::Developer(key) => key.name.arn(embedded.sts.roles.account_id()),
        Caller::Session(opened) => session_arn(embedded, &opened.session),
    }
}

/// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
fn session_arn(embedded: &Embedded, session: &Session) -> String {
    let account_id = embedded.sts.roles.account_id();
    format!("arn:aws:sts::{account_id}:assumed-role/{}/{}", session.role, session.role_session_name)
}

fn session_user_id(embedded: &Embedded, session: &Session) -> String {
    let role_id = embedded.sts.roles.find(&session.role).map_or("AROA", |role| &role.unique_id);
    format!("{role_id}:{}", session.role_session_name)
}

fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", xml::escape(text))
}

fn respond(action: &str, result: &str, id: &RequestId) -> Response {
    let body = format!(
        "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata></{action}Response>"
    );
    ([(header::CONTENT_TYPE, "text/xml")], body).into_response()
}
