//! Which Region answers.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use aws_config::SdkConfig;
use daypass_core::audit::AuditTrail;
use daypass_core::broker::developer_pool::{AdmissionError, ExchangeOptions, Issued, Reservation};
use daypass_core::ground::clock::{Clock, SignedDuration};
use daypass_core::ground::ids::{self, IdentityId, IdentityPoolId};
use daypass_core::ground::random::Random;
use daypass_core::pool::{Missing, PoolError};

use super::aws;
use super::failure::{Failure, OUTCOMES};
use super::operation::Operation;
use super::quota::QuotaQueue;
use super::region::Region;
use super::user::User;
use crate::circuit::Circuit;
use crate::config::RegionConfig;
use crate::crowd::Presence;
use crate::metrics::Metrics;
use crate::repetition::Budget;

/// Amazon's default quota of GetCredentialsForIdentity (docs/reference/cognito-identity.md, 8), which is four
/// times that of tokens.
const OTHERS_PER_TOKEN: u32 = 4;

/// What the pools need besides their configuration.
pub struct Dependencies<'a> {
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

/// The Regions of an installation, the first preferred.
pub(super) struct Regions(Vec<Region>);

impl Regions {
    pub(super) fn new(configs: &[RegionConfig], developer_provider: &str, with: &Dependencies<'_>) -> Self {
        let region = |config: &RegionConfig| {
            let metrics = with.metrics.of_region(&config.region);
            for operation in Operation::ALL {
                for outcome in OUTCOMES {
                    metrics.knows(operation.name(), outcome);
                }
            }
            let queue = |quota| QuotaQueue::new(quota, with.random.clone(), metrics.clone());
            Region {
                name: config.region.clone(),
                pool_id: config.pool_id.clone(),
                developer_provider: developer_provider.to_owned(),
                client: aws::client(with.aws, config, with.clock.clone()),
                tokens: queue(config.quota),
                others: queue(config.quota.saturating_mul(OTHERS_PER_TOKEN)),
                circuit: Mutex::new(Circuit::default()),
                repetitions: Budget::default(),
                clock: with.clock.clone(),
                random: with.random.clone(),
                metrics,
            }
        };
        Self(configs.iter().map(region).collect())
    }

    /// Keeps a place in the queue of a Region that may answer.
    pub(super) fn reserve(
        &self,
        options: &ExchangeOptions,
        peer: Option<IpAddr>,
    ) -> Result<Reservation, AdmissionError> {
        let candidates = self.candidates(options)?;
        let mut failure = None;
        for region in candidates.into_iter().filter(|region| !region.is_resting()) {
            match region.tokens.reserve(peer) {
                Ok(reserved) => return Ok(Reservation::keeping(reserved)),
                Err(busy) => failure = Some(busy),
            }
        }
        // Where no Region is up there is no queue to be too long; what is wrong is found when it is asked.
        failure.map_or_else(|| Ok(Reservation::default()), |busy| Err(refusal(busy)))
    }

    /// Asks one Region after the other, until one answers. One that did not answer the last requests is not asked.
    pub(super) async fn admit(
        &self,
        user: &User,
        options: &ExchangeOptions,
    ) -> Result<Issued, AdmissionError> {
        let mut last = None;
        for region in self.candidates(options)? {
            if region.is_resting() {
                last.get_or_insert(refusal(region.resting()));
                continue;
            }
            match region.admit(user, options).await {
                Ok(issued) => return Ok(issued),
                Err(Failure::Final(error)) => return Err(error),
                Err(failure) => last = Some(refusal(failure)),
            }
        }
        Err(last.unwrap_or_else(|| AdmissionError::Misconfigured("there is no [[pool.region]]".into())))
    }

    /// Links two users in every Region, or in the one that is wished for: identities of different Regions know nothing
    /// of each other. What was done in one Region stays if another one fails, and is not done twice when the same is
    /// asked again.
    pub(super) async fn link(
        &self,
        first: &User,
        second: &User,
        options: &ExchangeOptions,
    ) -> Result<Issued, AdmissionError> {
        let (mut answer, mut options) = (None, options.clone());
        for region in self.candidates(&options)? {
            let linked = region.link(first, second, &options).await.map_err(refusal)?;
            answer.get_or_insert(linked);
            // What nobody gets is not made.
            options.credentials = false;
        }
        answer.ok_or_else(|| AdmissionError::Misconfigured("there is no [[pool.region]]".into()))
    }

    /// The identities of a user in every Region.
    pub(super) async fn lookup(
        &self,
        user: &str,
        by: &Presence,
    ) -> Result<Vec<(ids::Region, IdentityId)>, AdmissionError> {
        let mut found = Vec::new();
        for region in &self.0 {
            let id = region.lookup(user, by).await.map_err(refusal)?;
            found.extend(id.map(|id| (region.name.clone(), id)));
        }
        Ok(found)
    }

    /// The identity of a user in one pool, if that is one of these.
    pub(super) async fn lookup_in(
        &self,
        pool_id: &IdentityPoolId,
        user: &str,
        by: &Presence,
    ) -> Result<Option<IdentityId>, AdmissionError> {
        match self.0.iter().find(|region| region.pool_id == *pool_id) {
            Some(region) => region.lookup(user, by).await.map_err(refusal),
            None => Ok(None),
        }
    }

    /// The Regions that may answer, in the order in which they are asked. A guest to be upgraded is in one Region,
    /// and so is whoever asks for one.
    fn candidates(&self, options: &ExchangeOptions) -> Result<Vec<&Region>, AdmissionError> {
        if let Some(id) = &options.identity_id {
            let wanted = options.region.as_ref().is_none_or(|wanted| wanted.as_str() == id.region());
            let home = self.0.iter().find(|region| wanted && region.name.as_str() == id.region());
            return home.map(|region| vec![region]).ok_or_else(|| no_identity(id));
        }
        let Some(wanted) = &options.region else { return Ok(self.0.iter().collect()) };
        match self.0.iter().find(|region| region.name == *wanted) {
            Some(region) => Ok(vec![region]),
            None => Err(AdmissionError::UnknownRegion {
                wanted: wanted.clone(),
                known: self.0.iter().map(|region| region.name.to_string()).collect(),
            }),
        }
    }
}

/// What a client hears where no other Region answered.
fn refusal(failure: Failure) -> AdmissionError {
    match failure {
        Failure::Final(error) => error,
        Failure::Busy { retry_after } => AdmissionError::Busy { retry_after },
        Failure::Throttled => AdmissionError::Busy { retry_after: SignedDuration::from_secs(1) },
        Failure::Resting(why) | Failure::Down(why) | Failure::Disconnected(why) => {
            AdmissionError::Unavailable(why)
        }
    }
}

fn no_identity(id: &IdentityId) -> AdmissionError {
    PoolError::from(Missing::Identity(id.clone())).into()
}
