//! STS in the Query protocol (cognito-identity.md 1.4 and 7).

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_core::clock::SignedDuration;
use daypass_core::ids::{RequestId, RoleSessionName};
use daypass_core::role::unique_id;
use daypass_core::secret::Secret;
use daypass_core::session::Session;
use daypass_core::sts::{AssumeRoleRequest, AssumedRole, FEDERATED_PROVIDER};

use super::Access::{Public, Signed};
use super::form::Form;
use super::validation::{Checker, Rule};
use super::{Operation, authenticate};
use crate::error::{ApiError, Dialect};
use crate::sigv4::Caller;
use crate::wire::App;
use crate::xml;

const CHECK: Checker = Checker(Dialect::AwsQuery);
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const SERVICE: &str = "sts";
const VERSION: &str = "2011-06-15";

const ARN: Rule = Rule { min: 20, max: 2048, pattern: None };
const PROVIDER_ID: Rule = Rule { min: 4, max: 2048, pattern: None };
const SESSION_NAME: Rule =
    Rule { min: 2, max: 64, pattern: Some((r"[\w+=,.@-]*", |text| RoleSessionName::parse(text).is_ok())) };
const SESSION_POLICY: Rule = Rule {
    min: 1,
    max: 2048,
    pattern: Some((r"[\u0009\u000A\u000D\u0020-\u00FF]+", |text| {
        text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}'))
    })),
};

/// The actions that are answered, and who may call them.
pub const ACTIONS: &[Operation] = &[
    Operation { name: "AssumeRoleWithWebIdentity", access: Public },
    Operation { name: "GetCallerIdentity", access: Signed },
];

/// Answers one request.
pub async fn answer(app: &App, id: &RequestId, parts: &Parts, body: &Bytes) -> Result<Response, ApiError> {
    let mut form = Form::read(parts, body)?;
    let action = find_action(&mut form)?;
    let caller = match action.access {
        Signed => Some(authenticate(app, parts, body, SERVICE, Dialect::AwsQuery).await?),
        Public => None,
    };
    let result = match caller {
        Some(caller) => caller_identity(app, &caller),
        None => assume_role_with_web_identity(app, id, form).await?,
    };
    Ok(respond(action.name, &result, id))
}

fn find_action(form: &mut Form) -> Result<&'static Operation, ApiError> {
    let name = form.take("Action").ok_or_else(|| ApiError::unknown_operation(Dialect::AwsQuery))?;
    let version = form.take("Version");
    let version = version.as_deref().unwrap_or("NO_VERSION_SPECIFIED");
    let action = ACTIONS.iter().find(|action| action.name == name && version == VERSION);
    action.ok_or_else(|| ApiError::unknown_action(&name, version))
}

async fn assume_role_with_web_identity(app: &App, id: &RequestId, form: Form) -> Result<String, ApiError> {
    let assumed = app.sts.assume_role_with_web_identity(read_assume_role(form)?, id).await;
    Ok(assumed_role(&assumed.map_err(ApiError::assume)?))
}

fn read_assume_role(mut form: Form) -> Result<AssumeRoleRequest, ApiError> {
    let role_arn = CHECK.text("roleArn", CHECK.required("roleArn", form.take("RoleArn"))?, &ARN)?;
    check_arn(&role_arn)?;
    let session_name = CHECK.required("roleSessionName", form.take("RoleSessionName"))?;
    let session_name = CHECK.text("roleSessionName", session_name, &SESSION_NAME)?;
    let token = Secret::new(CHECK.required("webIdentityToken", form.take("WebIdentityToken"))?);
    CHECK.secret("webIdentityToken", token.expose(), 4, 20_000)?;
    let policy = CHECK.optional("policy", form.take("Policy"), &SESSION_POLICY)?;
    refuse_what_is_not_there(&mut form)?;
    if let Some(size) = form.take("MinimumSessionTokenSize") {
        // Our tokens have the size that they need: the wish is read, and has no effect.
        read_number("minimumSessionTokenSize", &size, 0, 4096)?;
    }
    let duration = form.take("DurationSeconds");
    let duration = duration.map(|text| read_number("durationSeconds", &text, 900, 43_200)).transpose()?;
    Ok(AssumeRoleRequest {
        role_arn,
        role_session_name: RoleSessionName::parse(session_name).expect("the rule is the name's own"),
        web_identity_token: token,
        duration: duration.map(SignedDuration::from_secs),
        policy,
    })
}

fn read_number(member: &str, text: &str, min: i64, max: i64) -> Result<i64, ApiError> {
    let Ok(number) = text.parse() else {
        return Err(CHECK.violated(&format!("'{text}'"), member, "Member must be an integer"));
    };
    CHECK.number(member, number, min, max)
}

/// `arn:<partition>:<service>:<region>:<account>:<resource>`.
fn check_arn(text: &str) -> Result<(), ApiError> {
    let well_formed = text.starts_with("arn:") && text.split(':').count() >= 6;
    if well_formed { Ok(()) } else { Err(ApiError::invalid_arn(text)) }
}

/// What a caller relies on and Daypass does not have must not be passed over: a managed session policy would
/// have narrowed the session.
fn refuse_what_is_not_there(form: &mut Form) -> Result<(), ApiError> {
    if let Some((member, arn)) = form.starting_with("PolicyArns") {
        let constraint = "Daypass has no managed policies; pass the policy itself as Policy";
        return Err(CHECK.violated(&format!("'{arn}'"), member, constraint));
    }
    match CHECK.optional("providerId", form.take("ProviderId"), &PROVIDER_ID)? {
        Some(id) => {
            Err(CHECK.violated(&format!("'{id}'"), "providerId", "Member must be absent for an OpenID token"))
        }
        None => Ok(()),
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

fn caller_identity(app: &App, caller: &Caller) -> String {
    let account_id = app.sts.roles.account_id();
    let (arn, user_id) = match caller {
        Caller::Developer(key) => {
            let arn = format!("arn:aws:iam::{account_id}:user/{}", key.name);
            let user_id = unique_id("AIDA", &arn);
            (arn, user_id)
        }
        Caller::Session(opened) => (session_arn(app, &opened.session), session_user_id(app, &opened.session)),
    };
    [element("Arn", &arn), element("UserId", &user_id), element("Account", account_id.as_str())].concat()
}

/// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
pub(super) fn session_arn(app: &App, session: &Session) -> String {
    let account_id = app.sts.roles.account_id();
    format!("arn:aws:sts::{account_id}:assumed-role/{}/{}", session.role, session.role_session_name)
}

fn session_user_id(app: &App, session: &Session) -> String {
    let role_id = app.sts.roles.find(&session.role).map_or("AROA", |role| &role.unique_id);
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
