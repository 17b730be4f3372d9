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
use super::validation::{Text, Violations};
use super::{Operation, authenticate, is_form};
use crate::error::{ApiError, Dialect};
use crate::sigv4::Caller;
use crate::wire::App;
use crate::xml;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const SERVICE: &str = "sts";

const ARN: Text = Text { min: 20, max: 2048, pattern: None, sensitive: false };
const SESSION_NAME: Text = Text {
    min: 2,
    max: 64,
    pattern: Some((r"[\w+=,.@-]*", |text| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c))
    })),
    sensitive: false,
};
const TOKEN: Text = Text { min: 4, max: 20_000, pattern: None, sensitive: true };
const SESSION_POLICY: Text = Text {
    min: 1,
    max: 2048,
    pattern: Some((r"[\u0009\u000A\u000D\u0020-\u00FF]+", |text| {
        !text.is_empty() && text.chars().all(|c| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FF}'))
    })),
    sensitive: false,
};

/// The actions that are answered, and who may call them.
pub const ACTIONS: &[Operation] = &[
    Operation { name: "AssumeRoleWithWebIdentity", access: Public, input: &[] },
    Operation { name: "GetCallerIdentity", access: Signed, input: &[] },
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
    let mut violations = Violations::new(Dialect::AwsQuery);
    let role_arn = required(&mut violations, "roleArn", form.take("RoleArn"), &ARN);
    let session_name =
        required(&mut violations, "roleSessionName", form.take("RoleSessionName"), &SESSION_NAME);
    let token = required(&mut violations, "webIdentityToken", form.take("WebIdentityToken"), &TOKEN);
    let policy = form.take("Policy").inspect(|policy| violations.text("policy", policy, &SESSION_POLICY));
    let seconds = form.take("DurationSeconds").map(|text| read_duration(&mut violations, &text));
    refuse_what_is_not_there(&mut form, &mut violations);
    violations.finish()?;
    Ok(AssumeRoleRequest {
        role_arn,
        role_session_name: RoleSessionName::parse(session_name).expect("the rule is the name's own"),
        web_identity_token: Secret::new(token),
        duration: seconds.map(SignedDuration::from_secs),
        policy,
    })
}

/// A member that has to be there. Where it is not, the violation says so, and nobody gets to see the answer.
fn required(violations: &mut Violations, path: &str, value: Option<String>, rule: &Text) -> String {
    match &value {
        Some(text) => violations.text(path, text, rule),
        None => violations.missing(path),
    }
    value.unwrap_or_default()
}

fn read_duration(violations: &mut Violations, text: &str) -> i64 {
    match text.parse() {
        Ok(seconds) => violations.integer("durationSeconds", seconds, 900, 43_200),
        Err(_) => violations.add(&format!("'{text}'"), "durationSeconds", "Member must be an integer"),
    }
    text.parse().unwrap_or_default()
}

/// What a caller relies on and Daypass does not have must not be passed over: a managed session policy would
/// have narrowed the session.
fn refuse_what_is_not_there(form: &mut Form, violations: &mut Violations) {
    if let Some((member, arn)) = form.0.iter().find(|(member, _)| member.starts_with("PolicyArns")) {
        let phrase = "Daypass has no managed policies; pass the policy itself as Policy";
        violations.add(&format!("'{arn}'"), member, phrase);
    }
    if let Some(id) = form.take("ProviderId") {
        violations.add(&format!("'{id}'"), "providerId", "Member must be absent for an OpenID token");
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
