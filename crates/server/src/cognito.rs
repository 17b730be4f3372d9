//! Amazon Cognito as the pool that logins lead to, by the AWS SDK. Daypass is then the broker only: identities,
//! tokens and credentials are Amazon's, in each Region its own.

mod aws;
mod credentials;
mod failure;
mod guest;
mod operation;
mod quota;
mod region;
mod regions;
mod token;
mod user;

use std::sync::Arc;

use async_trait::async_trait;
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use daypass_core::broker::developer_pool::{
    AdmissionError, DeveloperPool, ExchangeOptions, Issued, KnownLogin, RenewalError, Reservation, TwoLogins,
};
use daypass_core::broker::login_tags::LoginTags;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::ground::single_flight::SingleFlight;
use daypass_core::iam::Origin;
use daypass_core::login::provider::VerifiedLogin;
use daypass_core::token::standing::Lapse;
use futures::FutureExt;

pub use self::aws::config_of_environment;
pub use self::credentials::{NoCredentials, OurCredentials};
pub use self::regions::Dependencies;
use self::regions::Regions;
use self::user::User;
use crate::config::{PoolConfig, RegionConfig};
use crate::crowd::{Crowd, Presence};

/// What makes two exchanges the same: the developer user, and what is wanted.
type Exchange = (String, ExchangeOptions);

/// The pools of an installation, one in each Region.
pub struct CognitoPool {
    regions: Arc<Regions>,
    flights: SingleFlight<Exchange, Result<Issued, AdmissionError>>,
    crowd: Crowd,
    tags: LoginTags,
    credentials: OurCredentials,
    trail: Arc<AuditTrail>,
}

impl CognitoPool {
    /// The pools of these Regions, the first preferred.
    #[must_use]
    pub fn new(regions: &[RegionConfig], pool: &PoolConfig, with: Dependencies<'_>) -> Self {
        let regions = Regions::new(regions, &pool.developer_provider, &with);
        Self {
            regions: Arc::new(regions),
            flights: SingleFlight::default(),
            crowd: Crowd::default(),
            tags: pool.principal_tags.clone(),
            credentials: OurCredentials::of(with.aws, with.clock),
            trail: with.trail,
        }
    }

    /// Who asks for the same at the same moment gets the same answer, and counts as one.
    async fn serve(
        &self,
        login: &VerifiedLogin,
        mut options: ExchangeOptions,
    ) -> Result<Issued, AdmissionError> {
        // Amazon's tokens say neither, so they make no two exchanges differ.
        (options.session, options.since) = (None, None);
        let tags = self.tags.of(login, options.actor.as_ref()).map_err(AdmissionError::tag)?;
        let identifier = login.developer_user_identifier().to_owned();
        let exchange = (identifier.clone(), options.clone());
        let (regions, crowd) = (self.regions.clone(), self.crowd.clone());
        let start = || {
            async move {
                let presence = crowd.enter(&identifier).ok_or(AdmissionError::TooManyAtOnce)?;
                regions.admit(&User { identifier, tags, presence }, &options).await
            }
            .boxed()
        };
        self.flights.join(exchange, start).await
    }

    /// Lets a developer user in who is served alone.
    fn user(&self, login: &VerifiedLogin) -> Result<User, AdmissionError> {
        let tags = self.tags.of(login, None).map_err(AdmissionError::tag)?;
        let identifier = login.developer_user_identifier().to_owned();
        let presence = self.enter(&identifier)?;
        Ok(User { identifier, tags, presence })
    }

    fn enter(&self, identifier: &str) -> Result<Presence, AdmissionError> {
        self.crowd.enter(identifier).ok_or(AdmissionError::TooManyAtOnce)
    }

    /// Records what was issued to a user, credentials by an event of their own.
    async fn record(
        &self,
        user: &str,
        issued: &Issued,
        events: impl IntoIterator<Item = AuditDraft>,
        by: &Requester,
    ) -> Result<(), AdmissionError> {
        let events: Vec<_> = events.into_iter().collect();
        let credentials = issued.credentials.as_ref().map(|credentials| {
            let mut event = AuditDraft::by(AuditAction::Credentials, by);
            event.actor = events.first().and_then(|event| event.actor.clone());
            event.developer_user_identifier = Some(user.to_owned());
            event.identity_id = Some(issued.token.identity_id.clone());
            event.access_key_id = Some(credentials.access_key_id.clone());
            event
        });
        let events: Vec<_> = credentials.into_iter().chain(events).collect();
        Ok(self.trail.all_allowed(events).await?)
    }
}

#[async_trait]
impl DeveloperPool for CognitoPool {
    fn reserve(&self, options: &ExchangeOptions, origin: &Origin) -> Result<Reservation, AdmissionError> {
        self.regions.reserve(options, origin.source_ip)
    }

    async fn ready(&self) -> Result<(), AdmissionError> {
        Ok(self.credentials.find().await?)
    }

    async fn admit(
        &self,
        login: &VerifiedLogin,
        options: ExchangeOptions,
        mut draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        match self.serve(login, options).await {
            Ok(issued) => {
                draft.identity_id = Some(issued.token.identity_id.clone());
                self.record(login.developer_user_identifier(), &issued, [draft], by).await?;
                Ok(issued)
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    /// Amazon would give a login that it does not know an identity: so it is looked up first. Where identities were merged
    /// there, nobody can tell, and the person signs in anew.
    async fn renew(
        &self,
        known: KnownLogin<'_>,
        mut options: ExchangeOptions,
        mut draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, RenewalError> {
        let user = known.login.developer_user_identifier();
        let renewed = async {
            options.region = Region::parse(known.pool_id.region()).ok();
            let found = self.regions.lookup_in(known.pool_id, user, &self.enter(user)?).await?;
            if found.as_ref() != Some(known.identity_id) {
                return Err(RenewalError::Ended(Lapse::Login));
            }
            let issued = self.serve(known.login, options).await?;
            if issued.token.identity_id != *known.identity_id {
                return Err(RenewalError::Ended(Lapse::Login));
            }
            Ok(issued)
        };
        match renewed.await {
            Ok(issued) => {
                draft.identity_id = Some(issued.token.identity_id.clone());
                self.record(user, &issued, [draft], by).await?;
                Ok(issued)
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn link(
        &self,
        logins: TwoLogins<'_>,
        options: ExchangeOptions,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Issued, AdmissionError> {
        let linked = async {
            let (first, second) = (self.user(logins.first)?, self.user(logins.second)?);
            self.regions.link(&first, &second, &options).await
        };
        match linked.await {
            Ok(issued) => {
                let events = logins.events(&draft, &issued.token.identity_id);
                self.record(logins.first.developer_user_identifier(), &issued, events, by).await?;
                Ok(issued)
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }

    async fn lookup(
        &self,
        developer_user_identifier: &str,
    ) -> Result<Vec<(Region, IdentityId)>, AdmissionError> {
        self.regions.lookup(developer_user_identifier, &self.enter(developer_user_identifier)?).await
    }
}
