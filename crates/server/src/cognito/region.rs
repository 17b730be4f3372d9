//! The pool in one Region: the calls to it, and what their answers mean.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentity::types::Credentials as AmazonsCredentials;
use daypass_core::broker::developer_pool::{AdmissionError, ExchangeOptions, Issued};
use daypass_core::credentials::session_token::Credentials;
use daypass_core::credentials::sts::FEDERATED_PROVIDER;
use daypass_core::ground::clock::{Clock, Timestamp};
use daypass_core::ground::ids::{self, AccessKeyId, IdentityId, IdentityPoolId};
use daypass_core::ground::random::Random;
use daypass_core::ground::secret::Secret;
use daypass_core::pool::PoolError;
use daypass_core::token::openid_token::OpenIdToken;

use super::failure::{Call, Failure};
use super::operation::Operation;
use super::quota::{QuotaQueue, Stand};
use super::token;
use super::user::User;
use crate::circuit::Circuit;
use crate::crowd::Presence;
use crate::metrics::RegionMetrics;
use crate::repetition::{self, Budget};

/// The longest pause before a call is made again.
const PAUSE: Duration = Duration::from_millis(250);

/// The pool in one Region.
pub(super) struct Region {
    pub(super) name: ids::Region,
    pub(super) pool_id: IdentityPoolId,
    pub(super) developer_provider: String,
    pub(super) client: Client,
    /// Before the quota of GetOpenIdTokenForDeveloperIdentity.
    pub(super) tokens: QuotaQueue,
    /// Before the other quotas, which are higher or not published.
    pub(super) others: QuotaQueue,
    pub(super) circuit: Mutex<Circuit>,
    pub(super) repetitions: Budget,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    pub(super) metrics: RegionMetrics,
}

impl Region {
    /// Whether the Region is left alone at this moment.
    pub(super) fn is_resting(&self) -> bool {
        self.circuit().is_resting(self.clock.now())
    }

    /// A token for a developer user, and credentials if they are wanted.
    pub(super) async fn admit(&self, user: &User, options: &ExchangeOptions) -> Result<Issued, Failure> {
        if let Some(id) = &options.identity_id {
            self.check_guest(id, user).await?;
        }
        let token = self.token(user, options).await?;
        self.hand_out(user, token, options).await
    }

    /// The same for the first of two users who are one person from now on. IAM credentials alone do not attach a
    /// developer user to an identity of somebody else's; a merge does
    /// (docs/reference/cognito-identity.md, 4.3-9 and 4.6).
    pub(super) async fn link(
        &self,
        first: &User,
        second: &User,
        options: &ExchangeOptions,
    ) -> Result<Issued, Failure> {
        let token = self.token(first, options).await?;
        let other = self.token(second, &ExchangeOptions::default()).await?;
        if other.identity_id != token.identity_id {
            let survivor = self.merge(second, first).await?;
            if survivor != token.identity_id {
                return Err(self.unusable_answer(&"another identity than the first login's stayed"));
            }
        }
        self.hand_out(first, token, options).await
    }

    /// LookupDeveloperIdentity.
    pub(super) async fn lookup(&self, user: &str, by: &Presence) -> Result<Option<IdentityId>, Failure> {
        // A user whom nobody knows is no fault of the pool's.
        let call = Call { names_identity: true, ..self.call(Operation::LookupDeveloperIdentity) };
        let ask = || {
            self.client
                .lookup_developer_identity()
                .identity_pool_id(self.pool_id.as_str())
                .developer_user_identifier(user)
                .send()
        };
        match self.ask(by, call, ask).await {
            Ok(answer) => self.identity_id(answer.identity_id).map(Some),
            Err(Failure::Final(AdmissionError::Refused(error)))
                if matches!(*error, PoolError::NotFound(_)) =>
            {
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }

    /// MergeDeveloperIdentities.
    async fn merge(&self, source: &User, destination: &User) -> Result<IdentityId, Failure> {
        let ask = || {
            self.client
                .merge_developer_identities()
                .identity_pool_id(self.pool_id.as_str())
                .developer_provider_name(&self.developer_provider)
                .source_user_identifier(&source.identifier)
                .destination_user_identifier(&destination.identifier)
                .send()
        };
        let call = Call { names_identity: true, ..self.call(Operation::MergeDeveloperIdentities) };
        self.identity_id(self.ask(&destination.presence, call, ask).await?.identity_id)
    }

    async fn hand_out(
        &self,
        user: &User,
        token: OpenIdToken,
        options: &ExchangeOptions,
    ) -> Result<Issued, Failure> {
        let credentials =
            if options.credentials { Some(self.credentials(user, &token).await?) } else { None };
        let (pool_id, region) = (self.pool_id.clone(), self.name.clone());
        Ok(Issued { token, pool_id, region, credentials })
    }

    /// GetOpenIdTokenForDeveloperIdentity.
    async fn token(&self, user: &User, options: &ExchangeOptions) -> Result<OpenIdToken, Failure> {
        let call = Call {
            names_identity: options.identity_id.is_some(),
            ..self.call(Operation::GetOpenIdTokenForDeveloperIdentity)
        };
        let tags: HashMap<_, _> = user.tags.clone().into_iter().collect();
        let tags = (!tags.is_empty()).then_some(tags);
        let ask = || {
            self.client
                .get_open_id_token_for_developer_identity()
                .identity_pool_id(self.pool_id.as_str())
                .logins(&self.developer_provider, &user.identifier)
                .set_principal_tags(tags.clone())
                .set_identity_id(options.identity_id.as_ref().map(ToString::to_string))
                .set_token_duration(options.token_duration.map(|duration| duration.as_secs()))
                .send()
        };
        let answer = self.ask(&user.presence, call, ask).await?;
        let identity_id = self.identity_id(answer.identity_id)?;
        let secret = Secret::new(answer.token.unwrap_or_default());
        let token = token::read(secret, identity_id, &self.pool_id, self.clock.now());
        token.map_err(|error| self.unusable_answer(&error))
    }

    /// GetCredentialsForIdentity, with a token of the pool.
    async fn credentials(&self, user: &User, token: &OpenIdToken) -> Result<Credentials, Failure> {
        let ask = || {
            self.client
                .get_credentials_for_identity()
                .identity_id(token.identity_id.as_str())
                .logins(FEDERATED_PROVIDER, token.token.expose())
                .send()
        };
        let answer = self.ask(&user.presence, self.call(Operation::GetCredentialsForIdentity), ask).await?;
        let credentials = answer.credentials.and_then(read_credentials);
        credentials.ok_or_else(|| self.unusable_answer(&"there are no credentials in it"))
    }

    /// Asks when it is the question's turn, and once more if nothing came of it and it may be asked twice.
    pub(super) async fn ask<T, E, F>(
        &self,
        by: &Presence,
        call: Call<'_>,
        ask: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let mut stand = Stand::of(by);
        let mut answer = self.attempt(&mut stand, call, &ask).await;
        if answer.as_ref().is_err_and(|failure| self.is_worth_repeating(failure, call.operation, &stand)) {
            self.pause().await;
            answer = self.attempt(&mut stand, call, &ask).await;
        }
        // Both attempts are one outcome: where some answers are lost, the Region is not down.
        match &answer {
            Err(Failure::Resting(_) | Failure::Busy { .. }) => {}
            Err(failure) if failure.is_an_outage() => self.note(true),
            _ => self.answered(),
        }
        answer
    }

    /// One call, when its turn comes.
    async fn attempt<T, E, F>(
        &self,
        stand: &mut Stand<'_>,
        call: Call<'_>,
        ask: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        F: Future<Output = Result<T, SdkError<E>>>,
    {
        let attempt = || async {
            if !self.circuit().admit(self.clock.now()) {
                return Err(self.resting());
            }
            let answer = ask().await.map_err(|error| call.failure(&error, self.clock.now()));
            let outcome = answer.as_ref().map_or_else(Failure::outcome, |_| "ok");
            self.metrics.called(call.operation.name(), outcome);
            if matches!(answer, Err(Failure::Throttled)) {
                self.answered();
            }
            answer
        };
        self.queue(call.operation).pass(stand, || self.is_resting(), attempt).await
    }

    fn queue(&self, operation: Operation) -> &QuotaQueue {
        match operation {
            Operation::GetOpenIdTokenForDeveloperIdentity => &self.tokens,
            Operation::GetCredentialsForIdentity
            | Operation::GetOpenIdToken
            | Operation::LookupDeveloperIdentity
            | Operation::DescribeIdentity
            | Operation::MergeDeveloperIdentities => &self.others,
        }
    }

    /// A Region that is left alone is asked no more than the once that finds out whether it is back.
    fn is_worth_repeating(&self, failure: &Failure, operation: Operation, stand: &Stand<'_>) -> bool {
        failure.is_an_outage()
            && operation.is_repeatable()
            && !stand.is_over()
            && !self.is_resting()
            && self.repetitions.spend()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the pause is for the Region, which has a clock of its own"
    )]
    async fn pause(&self) {
        tokio::time::sleep(repetition::pause(PAUSE, &*self.random)).await;
    }

    fn answered(&self) {
        self.repetitions.earn();
        self.note(false);
    }

    /// That it is left alone.
    pub(super) fn resting(&self) -> Failure {
        Failure::Resting(format!("{} did not answer the last requests", self.name))
    }

    fn note(&self, down: bool) {
        let now = self.clock.now();
        let (opened, open) = {
            let mut circuit = self.circuit();
            (circuit.note(down, now), circuit.is_resting(now))
        };
        self.metrics.circuit(open);
        if opened {
            tracing::warn!(region = %self.name, "the Region does not answer; it is left alone for a while");
        }
    }

    pub(super) fn call(&self, operation: Operation) -> Call<'_> {
        Call {
            operation,
            region: &self.name,
            pool_id: &self.pool_id,
            developer_provider: &self.developer_provider,
            names_identity: false,
        }
    }

    fn identity_id(&self, id: Option<String>) -> Result<IdentityId, Failure> {
        IdentityId::parse(id.unwrap_or_default()).map_err(|error| self.unusable_answer(&error))
    }

    /// An answer that cannot be what the Region meant to say.
    pub(super) fn unusable_answer(&self, what: &dyn std::fmt::Display) -> Failure {
        Failure::Down(format!("the answer of {} makes no sense: {what}", self.name))
    }

    /// No code that holds the lock can leave the circuit half written, so a poisoned lock is as good.
    fn circuit(&self) -> MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_credentials(credentials: AmazonsCredentials) -> Option<Credentials> {
    Some(Credentials {
        access_key_id: AccessKeyId::parse(credentials.access_key_id?).ok()?,
        secret_access_key: Secret::new(credentials.secret_key?),
        session_token: Secret::new(credentials.session_token?),
        expiration: Timestamp::from_second(credentials.expiration?.secs()).ok()?,
        packed_percent: None,
    })
}
