//! What whoever signed a request may do: with temporary credentials what the role's policy says, narrowed by
//! the session policies, unless the session was revoked; with a developer access key what its policy says.
//! Every signed request ends here.

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use crate::audit::Reason;
use crate::credentials::access_key::DEVELOPER_ID_PREFIX;
use crate::credentials::role::{Role, Roles, unique_id};
use crate::credentials::session_token::{OpenedSession, Session, SessionError, SessionSealer};
use crate::credentials::sts::FEDERATED_PROVIDER;
use crate::ground::clock::Clock;
use crate::ground::ids::AccessKeyId;
use crate::iam::{self, Arrival, Context, Decision, Key, Origin, Policy};
use crate::store::{SharedStore, StoreError, StoredAccessKey};
use crate::token::openid_token::AUTHENTICATED;
use crate::token::standing::Lapse;

/// The services that guests may reach through the enhanced flow, whatever their role says.
static GUEST_SCOPE_DOWN: LazyLock<Policy> = LazyLock::new(|| {
    Policy::parse(include_str!("guest_scope_down.json"))
        .expect("the policy that Daypass brings along is valid")
});

/// Why somebody may not do something.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The session token is not accepted.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// What the session rests on is gone.
    #[error(transparent)]
    Lapsed(#[from] Lapse),
    /// The policies do not allow it.
    #[error("{0}")]
    Denied(&'static str),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reason for AccessError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Session(_) => "session_refused",
            Self::Lapsed(lapse) => lapse.reason(),
            Self::Denied(_) => "access_denied",
            Self::Store(error) => error.reason(),
        }
    }
}

/// Opens sessions and decides what they may do.
pub struct Access {
    /// The roles there are.
    pub roles: Arc<Roles>,
    /// Opens session tokens.
    pub sessions: Arc<SessionSealer>,
    /// Knows identities and revocations.
    pub store: SharedStore,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Access {
    /// Opens the session token that came with an access key ID, unless the session is over, or what it rests on
    /// is gone: what [`Sts::check_standing`](crate::credentials::sts::Sts::check_standing) refuses to a token, it refuses here
    /// to credentials that were made of it.
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
        let ground = session.ground();
        let standing = self.store.standing(&session.identity_id, Some(&session.role), ground.session).await?;
        standing.bears(&ground)?;
        Ok(opened)
    }

    /// What every policy may ask about a request that arrives now from there.
    #[must_use]
    pub fn arrival(&self, origin: Origin) -> Context {
        Context::new(&Arrival { time: self.clock.now(), origin })
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

    /// Whether the holder of a developer access key may perform `action` on `resource`, see [`Self::decide`].
    /// The policy is read anew each time: one statement takes microseconds, where an RSA signature takes hundreds.
    ///
    /// # Errors
    /// [`AccessError::Denied`].
    pub fn decide_developer(
        &self,
        key: &StoredAccessKey,
        action: &str,
        resource: &str,
        context: Context,
    ) -> Result<(), AccessError> {
        let policy = Policy::parse(&key.policy);
        let policy = policy.map_err(|_| AccessError::Denied("the policy of the access key is malformed"))?;
        let context = with_developer_keys(context, &key.name.arn(self.roles.account_id()));
        let request = iam::Request { action, resource, context: &context };
        allowed(iam::evaluate(std::slice::from_ref(&policy), None, &request))
    }
}

fn allowed(decision: Decision) -> Result<(), AccessError> {
    match decision {
        Decision::Allowed => Ok(()),
        Decision::ExplicitlyDenied => Err(AccessError::Denied("a policy denies it")),
        Decision::NotAllowed => Err(AccessError::Denied("no policy allows it")),
    }
}

/// The condition keys that follow from the session (docs/reference/cognito-identity.md, 6.2). The federation
/// keys are there for people who logged in only, as on AWS.
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

/// The condition keys that follow from who holds an access key (IAM User Guide, "Global condition context
/// keys", properties of the principal).
fn with_developer_keys(context: Context, arn: &str) -> Context {
    context
        .with(Key::PrincipalType, "User")
        .with(Key::PrincipalArn, arn)
        .with(Key::UserId, unique_id(DEVELOPER_ID_PREFIX, arn))
}
