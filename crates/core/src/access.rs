//! What the holder of temporary credentials may do: the role's policy, narrowed by the session policies,
//! unless the session was revoked. Every request that is signed with such credentials ends here.

use std::sync::{Arc, LazyLock};

use crate::clock::Clock;
use crate::iam::{self, Arrival, Context, Decision, Key, Policy};
use crate::ids::AccessKeyId;
use crate::role::{Role, Roles};
use crate::session::{OpenedSession, Session, SessionError, SessionSealer};
use crate::store::{SharedStore, StoreError};
use crate::sts::FEDERATED_PROVIDER;
use crate::token::AUTHENTICATED;

/// The services that guests may reach through the enhanced flow, whatever their role says.
static GUEST_SCOPE_DOWN: LazyLock<Policy> = LazyLock::new(|| {
    Policy::parse(include_str!("guest_scope_down.json"))
        .expect("the policy that Daypass brings along is valid")
});

/// Why a session may not do something.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The session token is not accepted.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The session was revoked since it was issued.
    #[error("the session was revoked")]
    Revoked,
    /// The policies do not allow it.
    #[error("{0}")]
    Denied(&'static str),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens sessions and decides what they may do.
pub struct Access {
    /// The roles there are.
    pub roles: Arc<Roles>,
    /// Opens session tokens.
    pub sessions: Arc<SessionSealer>,
    /// Knows revocations.
    pub store: SharedStore,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whether requests come over TLS.
    pub secure_transport: bool,
}

impl Access {
    /// Opens the session token that came with an access key ID, unless the session is over or was revoked.
    /// The caller still has to verify the request's signature with the secret that comes back.
    ///
    /// # Errors
    /// [`AccessError`], never [`AccessError::Denied`].
    pub async fn open(
        &self,
        access_key_id: &AccessKeyId,
        session_token: &str,
    ) -> Result<OpenedSession, AccessError> {
        let opened = self.sessions.open(access_key_id, session_token, self.clock.now())?;
        let session = &opened.session;
        let revoked_until = self.store.sessions_revoked_until(&session.identity_id, &session.role).await?;
        if revoked_until.is_some_and(|until| session.issued_at <= until) {
            return Err(AccessError::Revoked);
        }
        Ok(opened)
    }

    /// What every policy may ask about a request that arrives now. Where it comes from is not known for
    /// certain, so a policy that asks for an address allows nothing.
    #[must_use]
    pub fn arrival(&self) -> Context {
        let secure_transport = self.secure_transport;
        Context::new(&Arrival { time: self.clock.now(), source_ip: None, secure_transport })
    }

    /// Whether a session may perform `action` on `resource`. `context` is [`Self::arrival`] and what the
    /// request itself adds to the condition keys, such as `s3:prefix`.
    ///
    /// # Errors
    /// [`AccessError::Denied`].
    pub fn decide(
        &self,
        session: &Session,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Result<(), AccessError> {
        let role = self.roles.find(&session.role).ok_or(AccessError::Denied("the role is gone"))?;
        let inline = session.session_policy.as_deref().map(Policy::parse).transpose();
        let inline = inline.map_err(|_| AccessError::Denied("the session policy is malformed"))?;
        let context = with_session_keys(context, role, session);
        let request = iam::Request { action, resource, context: &context };
        let role_policies = std::slice::from_ref(&role.policy);
        for narrowing in inline.iter().chain(session.guest_scope_down.then_some(&*GUEST_SCOPE_DOWN)) {
            allowed(iam::evaluate(role_policies, Some(std::slice::from_ref(narrowing)), &request))?;
        }
        allowed(iam::evaluate(role_policies, None, &request))
    }
}

fn allowed(decision: Decision) -> Result<(), AccessError> {
    match decision {
        Decision::Allowed => Ok(()),
        Decision::ExplicitlyDenied => Err(AccessError::Denied("a policy denies it")),
        Decision::NotAllowed => Err(AccessError::Denied("no policy allows it")),
    }
}

/// The condition keys that follow from the session (cognito-identity.md 6.2). The federation keys are there
/// for people who logged in only, as on AWS.
fn with_session_keys(context: Context, role: &Role, session: &Session) -> Context {
    let mut context = context
        .with(Key::PrincipalType, "AssumedRole")
        .with(Key::PrincipalArn, &role.arn)
        .with(Key::FederatedProvider, FEDERATED_PROVIDER)
        .with(Key::UserId, format!("{}:{}", role.unique_id, session.role_session_name));
    if session.amr.first().is_some_and(|first| first == AUTHENTICATED) {
        context = context.with_cognito(session.identity_id.as_str(), session.pool_id.as_str(), &session.amr);
    }
    session.tags.iter().fold(context, |context, (key, value)| context.with(Key::principal_tag(key), value))
}
