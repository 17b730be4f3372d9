//! Amazon Cognito as the pool that logins lead to, by the AWS SDK. Daypass is then the broker only: identities,
//! tokens and credentials are Amazon's, in each Region its own.

mod aws;
mod failure;
mod quota;
mod region;
mod regions;
mod token;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::SdkConfig;
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use daypass_core::clock::Clock;
use daypass_core::developer_pool::{AdmissionError, Admitted, DeveloperPool, Place, Wishes};
use daypass_core::flight::Flights;
use daypass_core::provider::VerifiedLogin;
use daypass_core::random::Random;
use futures::FutureExt;

pub use self::aws::config_of_environment;
use self::regions::Regions;
use crate::config::RegionConfig;
use crate::metrics::Metrics;

/// What makes two exchanges the same: the developer user, and what is wanted.
type Exchange = (String, Wishes);

/// The pools of an installation, one in each Region.
pub struct CognitoPool {
    regions: Arc<Regions>,
    flights: Flights<Exchange, Result<Admitted, AdmissionError>>,
    trail: Arc<AuditTrail>,
}

/// What the pools need besides their configuration.
pub struct Surroundings<'a> {
    /// The account at AWS.
    pub aws: &'a SdkConfig,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
    /// Hears of every call.
    pub metrics: &'a Metrics,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Spreads those who are sent away.
    pub random: Arc<dyn Random>,
}

impl CognitoPool {
    /// The pools of these Regions, the first preferred.
    #[must_use]
    pub fn new(regions: &[RegionConfig], developer_provider: &str, surroundings: Surroundings<'_>) -> Self {
        let regions = Regions::new(regions, developer_provider, &surroundings);
        Self { regions: Arc::new(regions), flights: Flights::default(), trail: surroundings.trail }
    }

    /// Who asks for the same at the same moment gets the same answer.
    async fn serve(&self, user: &str, wishes: Wishes) -> Result<Admitted, AdmissionError> {
        let exchange = (user.to_owned(), wishes);
        let (regions, (user, wishes)) = (self.regions.clone(), exchange.clone());
        let start = || async move { regions.admit(&user, &wishes).await }.boxed();
        self.flights.join(exchange, start).await
    }

    /// Records that somebody was admitted, and their credentials as well.
    async fn record(
        &self,
        draft: AuditDraft,
        admitted: &Admitted,
        by: &Requester,
    ) -> Result<(), AdmissionError> {
        let credentials = admitted.credentials.as_ref().map(|credentials| {
            let mut event = AuditDraft::by(AuditAction::Credentials, by);
            event.developer_user_identifier.clone_from(&draft.developer_user_identifier);
            event.access_key_id = Some(credentials.access_key_id.clone());
            event
        });
        let about = |mut event: AuditDraft| {
            event.identity_id = Some(admitted.token.identity_id.clone());
            event
        };
        let events: Vec<_> = credentials.into_iter().chain([draft]).map(about).collect();
        Ok(self.trail.all_allowed(events).await?)
    }
}

#[async_trait]
impl DeveloperPool for CognitoPool {
    fn reserve(&self, wishes: &Wishes) -> Result<Place, AdmissionError> {
        self.regions.reserve(wishes)
    }

    async fn admit(
        &self,
        login: &VerifiedLogin,
        wishes: Wishes,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Admitted, AdmissionError> {
        match self.serve(login.developer_user_identifier(), wishes).await {
            Ok(admitted) => {
                self.record(draft, &admitted, by).await?;
                Ok(admitted)
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }
}
