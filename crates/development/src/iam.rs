//! IAM's calls about roles, for tests and tools that make the roles of their pools themselves. What they make is kept in the
//! directory of `up` and counts as soon as they are answered, as if the file of `--config` had it.
//!
//! A request is for IAM if it is signed for IAM. It passes the same gate as every signed call: the signature first, then the
//! policy of the key or of the role, asked for `iam:CALL` on the role.

mod answer;
mod book;
mod calls;
mod error;

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware::Next;
use axum::response::Response;
use daypass_core::audit::{AuditAction, AuditDraft, Grounds, Requester};
use daypass_core::ground::ids::{RequestId, RoleName};
use daypass_server::installation::Embedded;
use daypass_server::listen::NoPlace;
use daypass_server::sigv4::Caller;

pub use self::book::{Book, TakeUp};
use self::calls::{Asked, Call, Effect};
use self::error::IamError;

const SERVICE: &str = "iam";
/// A role and its documents have far less.
const MAX_BODY: usize = 256 * 1024;
const TIME_FOR_BODY: Duration = Duration::from_secs(30);

/// The roles that requests may change, and who decides about them.
pub struct Iam {
    /// Knows callers and their policies.
    pub embedded: Arc<Embedded>,
    /// The roles that were made.
    pub book: Arc<Book>,
}

/// Answers what is for IAM, and hands on everything else.
pub async fn divert(State(iam): State<Arc<Iam>>, request: Request, next: Next) -> Response {
    if !is_for_iam(&request) || request.extensions().get::<NoPlace>().is_some() {
        return next.run(request).await;
    }
    let id = RequestId::generate(iam.embedded.clock.now(), &*iam.embedded.random);
    let (parts, body) = request.into_parts();
    let answered = iam.answer(&id, &parts, body).await;
    let response = answer::write(answered, &id);
    tracing::info!(request_id = %id, status = response.status().as_u16(), "IAM request {id} answered");
    response
}

/// Every SDK signs for the service that it calls.
fn is_for_iam(request: &Request) -> bool {
    let scope = format!("/{SERVICE}/aws4_request");
    let signed = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    request.method() == Method::POST
        && request.uri().path() == "/"
        && signed.is_some_and(|text| text.contains(&scope))
}

impl Iam {
    async fn answer(
        &self,
        id: &RequestId,
        parts: &Parts,
        body: Body,
    ) -> Result<(&'static str, String), IamError> {
        let read = tokio::time::timeout(TIME_FOR_BODY, to_bytes(body, MAX_BODY)).await;
        let body: Bytes = read.ok().and_then(Result::ok).ok_or(IamError::Body)?;
        let caller = self.embedded.callers.authenticate(parts, &body, SERVICE).await?;
        let (call, asked) = calls::read(&body)?;
        let by = Requester {
            access_key_id: Some(caller.access_key_id().clone()),
            ..self.embedded.proxies.requester(id, &parts.extensions, &parts.headers)
        };
        self.authorize(&caller, &by, call, &asked).await?;
        Ok((call.name, self.perform(call, asked, &by).await?))
    }

    async fn authorize(
        &self,
        caller: &Caller,
        by: &Requester,
        call: &Call,
        asked: &Asked,
    ) -> Result<(), IamError> {
        let (action, resource) = (format!("{SERVICE}:{}", call.name), self.arn(asked));
        let access = &self.embedded.access;
        let context = access.arrival(by.origin);
        let decided = match caller {
            Caller::Developer(key) => access.decide_developer(key, &action, &resource, context),
            Caller::Session(opened) => access.decide(&opened.session, &action, &resource, context),
        };
        let Err(error) = decided else { return Ok(()) };
        let mut draft = AuditDraft::by(AuditAction::ApiRequest, by);
        draft.identity_id = caller.identity_id().cloned();
        draft.resource = Some(format!("{action} on {resource}"));
        self.embedded.trail.refused(draft, Grounds::of(&error)).await?;
        Err(IamError::Denied { action, resource })
    }

    async fn perform(&self, call: &Call, asked: Asked, by: &Requester) -> Result<String, IamError> {
        let account = self.embedded.access.roles.account_id();
        match call.effect {
            Effect::Tells(tell) => tell(&self.book.read()?, asked, account),
            Effect::Changes(change) => {
                let mut draft = AuditDraft::by(AuditAction::Role, by);
                draft.resource = Some(self.arn(&asked));
                let configured = asked.name.as_ref().is_some_and(|name| self.is_taken(name));
                let now = self.embedded.clock.now();
                let (book, trail, account) =
                    (self.book.clone(), self.embedded.trail.clone(), account.clone());
                // A client that hangs up meanwhile leaves no change half made, and none without its event.
                let whole = tokio::spawn(async move {
                    let changed = book.change(|roles| change(roles, asked, configured, &account, now)).await;
                    trail.conclude(draft, changed).await
                });
                whole.await.map_err(|_| IamError::Failed("the change broke off".to_owned()))?
            }
        }
    }

    fn is_taken(&self, name: &RoleName) -> bool {
        self.embedded.access.roles.iter().any(|role| role.name.as_str().eq_ignore_ascii_case(name.as_str()))
    }

    fn arn(&self, asked: &Asked) -> String {
        let name = asked.name.as_ref().map_or("", |name| name.as_str());
        answer::arn(self.embedded.access.roles.account_id(), name)
    }
}
