//! Credentials from an STS that is not ours: AWS's, or that of an S3-compatible store. The pool decides who may take
//! on which role; this signs a token that says so, shows it there with AssumeRoleWithWebIdentity, and hands on
//! what comes back. What was handed out so cannot be revoked here: it works until it expires.

mod config;
mod endpoint;

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::audit::AuditDraft;
use daypass_core::credentials::role_grant::RoleGrant;
use daypass_core::credentials::session_token::Credentials;
use daypass_core::credentials::source::{CredentialSource, CredentialsError};
use daypass_core::credentials::sts::{AssumeError, Sts};
use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::RoleSessionName;
use daypass_core::ground::outbound::ProviderHttp;
use daypass_core::store::StoreError;
use daypass_core::token::openid_token::Claims;

pub use self::config::{CredentialsConfig, ForeignStsConfig};
use self::endpoint::{Endpoint, Kind, Question, Refusal};
use crate::crowd::Crowd;

/// The STS elsewhere, and what has to be known to ask it.
pub struct ForeignSts {
    endpoint: Endpoint,
    duration: SignedDuration,
    /// ARN of a role of ours → ARN of the role there.
    roles: BTreeMap<String, String>,
    /// Ours: signs the tokens, and knows who has lost their standing.
    sts: Arc<Sts>,
    clock: Arc<dyn Clock>,
    crowd: Crowd,
}

impl ForeignSts {
    /// The STS that the configuration describes, reached by `http`, for a crowd.
    #[must_use]
    pub(crate) fn new(
        config: ForeignStsConfig,
        http: Arc<dyn ProviderHttp>,
        sts: Arc<Sts>,
        clock: Arc<dyn Clock>,
        crowd: Crowd,
    ) -> Self {
        let ForeignStsConfig { url, duration, roles } = config;
        Self { endpoint: Endpoint { url, http }, duration, roles, sts, clock, crowd }
    }

    /// The role to ask for. One that only the token of a provider names is not asked for: whoever writes such tokens
    /// could name any role that trusts us.
    fn role_there<'a>(&'a self, grant: &RoleGrant<'a>) -> Result<&'a str, CredentialsError> {
        match self.roles.get(grant.role_arn()) {
            Some(theirs) => Ok(theirs),
            None if grant.is_named_by_pool() => Ok(grant.role_arn()),
            None => Err(CredentialsError::Misconfigured(format!(
                "a login's token names the role {}, which neither the pool nor [credentials.roles] names: add it there",
                grant.role_arn()
            ))),
        }
    }

    /// What the operator reads in the log.
    fn explain(&self, refusal: &Refusal, role: &str, claims: &Claims) -> CredentialsError {
        let (url, said) = (&self.endpoint.url, &refusal.said);
        match self.cure(refusal.kind, claims) {
            None => CredentialsError::Unavailable(format!("the STS at {url} gives no answer ({said})")),
            Some(cure) if refusal.kind == Kind::IssuerUnreachable => CredentialsError::Unavailable(format!(
                "the STS at {url} cannot fetch our keys ({said}): {cure}"
            )),
            Some(cure) => CredentialsError::Misconfigured(format!(
                "the STS at {url} refuses the role {role} ({said}): {cure}"
            )),
        }
    }

    /// What to do about it, unless the STS has to get well by itself.
    fn cure(&self, kind: Kind, claims: &Claims) -> Option<String> {
        let (issuer, pool) = (self.sts.tokens.issuer(), &claims.pool_id);
        let discovery = format!("{issuer}/.well-known/openid-configuration");
        let cure = match kind {
            Kind::Role => format!(
                "there is no such role there, its trust policy does not admit tokens of {issuer} with the audience {pool}, \
                 or the STS cannot reach {discovery}; at AWS and Ceph, tokens with tags need sts:TagSession besides"
            ),
            Kind::Clock => {
                "the token was signed this moment, so set the clocks of both machines right".into()
            }
            Kind::Issuer => format!(
                "register the issuer {issuer} there, character by character, with the audience {pool}, and see that the \
                 STS can reach {discovery}"
            ),
            Kind::IssuerUnreachable => format!("it has to reach {discovery}"),
            Kind::Other => {
                "see that `url` of [credentials] is an STS, that it knows our issuer, that the role's ARN is \
                            right, and that the role allows `duration`"
                    .into()
            }
            Kind::Unavailable => return None,
        };
        Some(cure)
    }
}

#[async_trait]
impl CredentialSource for ForeignSts {
    /// The token is signed anew even if the caller showed one. It lives as long as the credentials are to: there are
    /// stores that end the session with the token. Nobody but the STS sees it.
    async fn credentials(
        &self,
        grant: RoleGrant<'_>,
        draft: &mut AuditDraft,
    ) -> Result<Credentials, CredentialsError> {
        // Before the look at revocations: one that comes in between ends this token as well.
        let now = self.clock.now();
        let role_arn = self.role_there(&grant)?;
        draft.resource = Some(role_arn.to_owned());
        let role_name = grant.role_name().ok_or_else(|| no_role_name(grant.role_arn()))?;
        let _served =
            self.crowd.enter(grant.claims().identity_id.as_str()).ok_or(CredentialsError::TooManyAtOnce)?;
        let identity_id = &grant.claims().identity_id;
        self.sts.check_standing(&role_name, identity_id, &grant.ground()).await?;
        self.sts.tokens.keep_up().await.map_err(AssumeError::from)?;
        let duration = grant.claims().credentials_duration(self.duration);
        let token = self.sts.tokens.sign(&grant.claims().renewed(now, duration)).await;
        let token = token.map_err(|error| AssumeError::from(StoreError::from(error)))?;
        let question = Question {
            session_name: &RoleSessionName::of_identity(&grant.claims().identity_id),
            duration,
            token: &token,
            role_arn,
        };
        let credentials = self.endpoint.assume(&question, now).await;
        let credentials = credentials.map_err(|refusal| self.explain(&refusal, role_arn, grant.claims()))?;
        draft.access_key_id = Some(credentials.access_key_id.clone());
        Ok(credentials)
    }
}

fn no_role_name(role_arn: &str) -> CredentialsError {
    CredentialsError::Misconfigured(format!(
        "the pool's role {role_arn:?} is not the ARN of a role: no name follows a /"
    ))
}
