//! STS in the Query protocol (cognito-identity.md 1.4 and 7).

use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use daypass_core::access_key::developer_id;
use daypass_core::clock::SignedDuration;
use daypass_core::ids::{RequestId, RoleSessionName};
use daypass_core::secret::Secret;
use daypass_core::session::Session;
use daypass_core::sts::{AssumeRoleRequest, AssumedRole, FEDERATED_PROVIDER};

use super::Access::{Public, Signed};
use super::validation::{Checker, Rule};
use super::{Operation, authenticate, is_form};
use crate::error::{ApiError, Dialect};
use crate::sigv4::Caller;
use crate::wire::App;
use crate::xml;

const CHECK: Checker = Checker(Dialect::AwsQuery);
const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const SERVICE: &str = "sts";

const ARN: Rule = Rule { min: 20, max: 2048, pattern: None };
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

/// The members of a request, by name.
struct Form(Vec<(String, String)>);

impl Form {
    fn take(&mut self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|(member, _)| member == name)?;
        Some(self.0.swap_remove(at).1)
    }
}

/// Answers one request.
pub async fn answer(app: &App, id: &RequestId, parts: &Parts, body: &Bytes) -> Result<Response, ApiError> {
    let mut form = read_form(parts, body);
    let name = form.take("Action").unwrap_or_default();
    let action = ACTIONS.iter().find(|action| action.name == name);
    let action = action.ok_or_else(|| ApiError::unknown_operation(Dialect::AwsQuery))?;
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

fn read_form(parts: &Parts, body: &Bytes) -> Form {
    let members = form_urlencoded::parse(if is_form(parts) { body } else { b"" });
    Form(members.into_owned().collect())
}

async fn assume_role_with_web_identity(app: &App, id: &RequestId, form: Form) -> Result<String, ApiError> {
    let assumed = app.sts.assume_role_with_web_identity(read_assume_role(form)?, id).await;
    Ok(assumed_role(&assumed.map_err(ApiError::assume)?))
}

fn read_assume_role(mut form: Form) -> Result<AssumeRoleRequest, ApiError> {
    let role_arn = CHECK.text("roleArn", CHECK.required("roleArn", form.take("RoleArn"))?, &ARN)?;
    let session_name = CHECK.required("roleSessionName", form.take("RoleSessionName"))?;
    let session_name = CHECK.text("roleSessionName", session_name, &SESSION_NAME)?;
    let token = Secret::new(CHECK.required("webIdentityToken", form.take("WebIdentityToken"))?);
    CHECK.secret("webIdentityToken", token.expose(), 4, 20_000)?;
    let policy = CHECK.optional("policy", form.take("Policy"), &SESSION_POLICY)?;
    refuse_what_is_not_there(&mut form)?;
    Ok(AssumeRoleRequest {
        role_arn,
        role_session_name: RoleSessionName::parse(session_name).expect("the rule is the name's own"),
        web_identity_token: token,
        duration: form.take("DurationSeconds").as_deref().map(read_duration).transpose()?,
        policy,
    })
}

fn read_duration(text: &str) -> Result<SignedDuration, ApiError> {
    let Ok(seconds) = text.parse() else {
        return Err(CHECK.violated(&format!("'{text}'"), "durationSeconds", "Member must be an integer"));
    };
    CHECK.number("durationSeconds", seconds, 900, 43_200).map(SignedDuration::from_secs)
}

/// What a caller relies on and Daypass does not have must not be passed over: a managed session policy would
/// have narrowed the session.
fn refuse_what_is_not_there(form: &mut Form) -> Result<(), ApiError> {
    if let Some((member, arn)) = form.0.iter().find(|(member, _)| member.starts_with("PolicyArns")) {
        let constraint = "Daypass has no managed policies; pass the policy itself as Policy";
        return Err(CHECK.violated(&format!("'{arn}'"), member, constraint));
    }
    match form.take("ProviderId") {
        Some(id) => {
            Err(CHECK.violated(&format!("'{id}'"), "providerId", "Member must be absent for an OpenID token"))
        }
        None => Ok(()),
    }
}

fn assumed_role(assumed: &AssumedRole) -> String {
    let AssumedRole { credentials, arn, assumed_role_id, claims } = assumed;
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
    ]
    .concat()
}

fn caller_identity(app: &App, caller: &Caller) -> String {
    let account_id = app.sts.roles.account_id();
    let user_id = match caller {
        Caller::Developer(key) => developer_id(&key.name, account_id),
        Caller::Session(opened) => session_user_id(app, &opened.session),
    };
    let arn = caller_arn(app, caller);
    [element("Arn", &arn), element("UserId", &user_id), element("Account", account_id.as_str())].concat()
}

/// `arn:aws:iam::<account>:user/<name>`, or what [`session_arn`] says.
pub(super) fn caller_arn(app: &App, caller: &Caller) -> String {
    match caller {
        Caller::Developer(key) => key.name.arn(app.sts.roles.account_id()),
        Caller::Session(opened) => session_arn(app, &opened.session),
    }
}

/// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
fn session_arn(app: &App, session: &Session) -> String {
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
