//! From an OpenID token to temporary credentials: AssumeRoleWithWebIdentity once the token is believed and the pool
//! has been asked (`pool/assume.rs`), and the same step as the enhanced flow takes it on its own
//! (docs/reference/cognito-identity.md, 4.8, 6 and 7).
//!
//! A token becomes [`Claims`] when it is believed, a grant when the role's trust policy admits it, and
//! only a grant becomes [`Credentials`].

use std::sync::Arc;

use crate::audit::{AuditDraft, AuditTrail, Reason};
use crate::credentials::role::{Role, Roles};
use crate::credentials::role_grant::RoleGrant;
use crate::credentials::session_token::{Credentials, Session, SessionSealer, SessionTooLarge};
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::ids::{IdentityId, RoleName, RoleSessionName};
use crate::ground::random::Random;
use crate::ground::secret::Secret;
use crate::iam::{
    Arrival, COGNITO_IDENTITY, Context, Decision, Key, Origin, Policy, PolicyError, TrustRequest,
};
use crate::store::{Revocations, StoreError};
use crate::token::openid_token::{Claims, TokenError, TokenIssuer};
use crate::token::standing::{Ground, Lapse};

/// The provider that our tokens come from, as policies and answers call it. SDKs and policies have
/// Amazon's name built in, so it is ours too; the `iss` of the tokens is our own.
pub const FEDERATED_PROVIDER: &str = COGNITO_IDENTITY;

/// The session name of all credentials of the enhanced flow.
pub const ENHANCED_SESSION_NAME: &str = "CognitoIdentityCredentials";

const DEFAULT_DURATION: SignedDuration = SignedDuration::from_hours(1);

/// What AssumeRoleWithWebIdentity is asked for. Lengths and patterns are checked where it is read.
#[derive(Debug)]
pub struct AssumeRoleRequest {
    /// The role to take on.
    pub role_arn: String,
    /// The name to take it on under.
    pub role_session_name: RoleSessionName,
    /// The OpenID token.
    pub web_identity_token: Secret,
    /// A session policy, to narrow the role.
    pub policy: Option<String>,
    /// How long the session is to last.
    pub duration: Option<SignedDuration>,
}

/// A role that was taken on.
#[derive(Debug)]
pub struct AssumedRole {
    /// The credentials.
    pub credentials: Credentials,
    /// `arn:aws:sts::<account>:assumed-role/<role>/<session>`.
    pub arn: String,
    /// `<AROA id>:<session>`.
    pub assumed_role_id: String,
    /// What the token said.
    pub claims: Claims,
    /// How much of the space for a session it takes, in percent, if it has a session policy or tags.
    pub packed_percent: Option<usize>,
}

/// Why there are no credentials.
#[derive(Debug, thiserror::Error)]
pub enum AssumeError {
    /// The token is not believed.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// There is no such role, its trust policy does not admit the token, or the pool gives the role to others.
    /// Which of them is for the audit trail, not for the caller.
    #[error("{0}")]
    Denied(&'static str),
    /// The identity may not have credentials any more, whatever the role.
    #[error(transparent)]
    IdentityForbidden(#[from] Lapse),
    /// The session policy has a mistake.
    #[error("the session policy is malformed: {0}")]
    MalformedPolicy(PolicyError),
    /// Session policy and tags together are too large to travel: they take so many percent of the space.
    #[error("the session policy and tags take {0}% of the space for them")]
    TooLarge(usize),
    /// The session would outlast what the role allows.
    #[error("the requested duration exceeds the role's maximum")]
    DurationExceedsRole,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reason for AssumeError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Token(error) => error.reason(),
            Self::Denied(_) => "role_refused",
            Self::IdentityForbidden(lapse) => lapse.reason(),
            Self::MalformedPolicy(_) => "session_policy_malformed",
            Self::TooLarge(_) => "session_too_large",
            Self::DurationExceedsRole => "duration_too_long",
            Self::Store(error) => error.reason(),
        }
    }
}

/// Permission to take on a role in a certain way. Only [`Sts::decide`] makes one.
#[derive(Debug)]
struct Grant<'a> {
    role: &'a Role,
    session: Session,
}

/// How a role is to be taken on.
struct Terms {
    role_session_name: RoleSessionName,
    duration: SignedDuration,
    session_policy: Option<String>,
    guest_scope_down: bool,
    /// Where whoever takes it on asks from.
    origin: Origin,
}

/// Hands out temporary credentials.
pub struct Sts {
    /// The roles there are.
    pub roles: Arc<Roles>,
    /// Believes tokens.
    pub tokens: Arc<TokenIssuer>,
    /// Seals sessions.
    pub sessions: Arc<SessionSealer>,
    /// Knows identities and revocations.
    pub store: Arc<dyn Revocations>,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws keys and nonces.
    pub random: Arc<dyn Random>,
}

impl Sts {
    /// Takes on a role with a believed token.
    ///
    /// # Errors
    /// [`AssumeError`].
    pub(crate) async fn assume(
        &self,
        role: &Role,
        claims: Claims,
        request: AssumeRoleRequest,
        origin: Origin,
        draft: &mut AuditDraft,
    ) -> Result<AssumedRole, AssumeError> {
        let terms = Terms {
            role_session_name: request.role_session_name,
            duration: claims.credentials_duration(request.duration.unwrap_or(DEFAULT_DURATION)),
            session_policy: request.policy,
            guest_scope_down: false,
            origin,
        };
        let grant = self.decide(role, &claims, &claims.ground(), terms).await?;
        let session_name = grant.session.role_session_name.clone();
        let packed = grant.session.session_policy.is_some() || !grant.session.tags.is_empty();
        let credentials = self.issue(grant, draft)?;
        let account_id = self.roles.account_id();
        Ok(AssumedRole {
            packed_percent: credentials.packed_percent.filter(|_| packed),
            credentials,
            arn: format!("arn:aws:sts::{account_id}:assumed-role/{}/{session_name}", role.name),
            assumed_role_id: format!("{}:{session_name}", role.unique_id),
            claims,
        })
    }

    /// The enhanced flow's own step: believed claims and the pool's role. Guests are held to the services
    /// that Cognito lets them reach.
    pub(crate) async fn credentials_for(
        &self,
        granted: &RoleGrant<'_>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, AssumeError> {
        let (claims, role_arn) = (granted.claims(), granted.role_arn());
        let role = self.roles.find_by_arn(role_arn).ok_or(AssumeError::Denied("there is no such role"))?;
        let terms = Terms {
            role_session_name: RoleSessionName::parse(ENHANCED_SESSION_NAME).expect("it matches the pattern"),
            duration: claims.credentials_duration(DEFAULT_DURATION),
            session_policy: None,
            guest_scope_down: !claims.is_authenticated(),
            origin: granted.origin(),
        };
        let grant = self.decide(role, claims, &granted.ground(), terms).await?;
        self.issue(grant, draft)
    }

    async fn decide<'a>(
        &self,
        role: &'a Role,
        claims: &Claims,
        ground: &Ground<'_>,
        terms: Terms,
    ) -> Result<Grant<'a>, AssumeError> {
        if terms.duration > role.max_session_duration {
            return Err(AssumeError::DurationExceedsRole);
        }
        if let Some(policy) = &terms.session_policy {
            Policy::parse(policy).map_err(AssumeError::MalformedPolicy)?;
        }
        let now = self.clock.now();
        let arrival = Arrival { time: now, origin: terms.origin };
        if trust(role, claims, &terms.role_session_name, &arrival) != Decision::Allowed {
            return Err(AssumeError::Denied("the trust policy of the role does not admit this token"));
        }
        self.check_standing(&role.name, &claims.identity_id, ground).await?;
        let session = Session {
            role: role.name.clone(),
            role_session_name: terms.role_session_name,
            identity_id: claims.identity_id.clone(),
            pool_id: claims.pool_id.clone(),
            amr: claims.amr.clone(),
            tags: claims.principal_tags(),
            session_policy: terms.session_policy,
            guest_scope_down: terms.guest_scope_down,
            token_issued_at: claims.ground().issued_at,
            sign_in_session: claims.session.clone(),
            expires_at: now + terms.duration,
        };
        Ok(Grant { role, session })
    }

    /// A token outlives what it was issued on: the identity may have been disabled or have logged in since,
    /// it may have lost the login, or an operator may have revoked its sessions.
    ///
    /// # Errors
    /// [`AssumeError::IdentityForbidden`], or the store's.
    pub async fn check_standing(
        &self,
        role: &RoleName,
        identity_id: &IdentityId,
        ground: &Ground<'_>,
    ) -> Result<(), AssumeError> {
        let standing = self.store.standing(identity_id, Some(role), ground.session).await?;
        Ok(standing.bears(ground)?)
    }

    fn issue(&self, grant: Grant<'_>, draft: &mut AuditDraft) -> Result<Credentials, AssumeError> {
        draft.resource = Some(grant.role.arn.clone());
        let issued = self.sessions.issue(grant.session, &*self.random);
        let credentials = issued.map_err(|SessionTooLarge(percent)| AssumeError::TooLarge(percent))?;
        draft.access_key_id = Some(credentials.access_key_id.clone());
        Ok(credentials)
    }
}

/// Whether the role's trust policy admits the token, shown by whoever asks.
pub(crate) fn trust(
    role: &Role,
    claims: &Claims,
    role_session_name: &RoleSessionName,
    arrival: &Arrival,
) -> Decision {
    role.trust_policy_for(&claims.pool_id).evaluate(&TrustRequest {
        provider: FEDERATED_PROVIDER,
        tags_session: !claims.principal_tags().is_empty(),
        context: &trust_context(claims, role_session_name, arrival),
    })
}

/// What a trust policy may ask about whoever shows a token.
pub(crate) fn trust_context(
    claims: &Claims,
    role_session_name: &RoleSessionName,
    arrival: &Arrival,
) -> Context {
    let context = Context::new(arrival)
        .with_cognito(claims.identity_id.as_str(), claims.pool_id.as_str(), &claims.amr)
        .with(Key::FederatedProvider, FEDERATED_PROVIDER)
        .with(Key::RoleSessionName, role_session_name.as_str());
    let tags = claims.principal_tags();
    tags.iter().fold(context, |context, (key, value)| context.with(Key::request_tag(key), value))
}
