//! Amazon Cognito as the pool that logins lead to, by the AWS SDK. Daypass is then the broker only: identities,
//! tokens and credentials are Amazon's, in each Region its own.

mod aws;
mod failure;
mod region;
mod token;

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_config::SdkConfig;
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use daypass_core::clock::{Clock, SignedDuration};
use daypass_core::developer_pool::{AdmissionError, Admitted, DeveloperPool, Wishes};
use daypass_core::identity_pool::PoolError;
use daypass_core::ids::IdentityId;
use daypass_core::provider::VerifiedLogin;

pub use self::aws::config_of_environment;
use self::failure::Failure;
use self::region::Region;
use crate::circuit::Circuit;
use crate::config::RegionConfig;

/// A client that was throttled may come back after so long.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(1);

/// The pools of an installation, one in each Region.
pub struct CognitoPool {
    regions: Vec<Arc<Region>>,
    trail: Arc<AuditTrail>,
}

impl CognitoPool {
    /// The pools of these Regions, the first preferred.
    #[must_use]
    pub fn new(
        regions: &[RegionConfig],
        developer_provider: &str,
        aws: &SdkConfig,
        trail: Arc<AuditTrail>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let region = |config: &RegionConfig| {
            Arc::new(Region {
                name: config.region.clone(),
                pool_id: config.pool_id.clone(),
                developer_provider: developer_provider.to_owned(),
                client: aws::client(aws, config, clock.clone()),
                circuit: Mutex::new(Circuit::default()),
                clock: clock.clone(),
            })
        };
        Self { regions: regions.iter().map(region).collect(), trail }
    }

    /// The Regions that may answer, in the order in which they are asked. A guest to be upgraded is in one Region,
    /// and so is whoever asks for one.
    fn candidates(&self, wishes: &Wishes) -> Result<Vec<&Region>, AdmissionError> {
        let known = || self.regions.iter().map(Arc::as_ref);
        if let Some(id) = &wishes.identity_id {
            let wanted = wishes.region.as_ref().is_none_or(|wanted| wanted.as_str() == id.region());
            let home = known().find(|region| wanted && region.name.as_str() == id.region());
            return home.map(|region| vec![region]).ok_or_else(|| no_identity(id));
        }
        let Some(wanted) = &wishes.region else { return Ok(known().collect()) };
        match known().find(|region| region.name == *wanted) {
            Some(region) => Ok(vec![region]),
            None => Err(AdmissionError::UnknownRegion {
                wanted: wanted.clone(),
                known: known().map(|region| region.name.to_string()).collect(),
            }),
        }
    }

    /// Asks one Region after the other, until one answers. One that did not answer the last requests is not asked.
    async fn serve(&self, user: &str, wishes: &Wishes) -> Result<Admitted, AdmissionError> {
        let mut last = None;
        for region in self.candidates(wishes)? {
            if region.is_resting() {
                last.get_or_insert(AdmissionError::Unavailable(format!("{} is left alone", region.name)));
                continue;
            }
            match admitted(region, user, wishes).await {
                Ok(admitted) => return Ok(admitted),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Throttled) => last = Some(AdmissionError::Busy { retry_after: RETRY_AFTER }),
                Err(Failure::Down(why) | Failure::Disconnected(why)) => {
                    last = Some(AdmissionError::Unavailable(why));
                }
            }
        }
        Err(last.unwrap_or_else(|| AdmissionError::Misconfigured("there is no [[pool.region]]".into())))
    }

    /// Records that somebody was admitted, and their credentials as well.
    async fn record(
        &self,
        draft: AuditDraft,
        admitted: &Admitted,
        by: &Requester,
    ) -> Result<(), AdmissionError> {
        let about = |mut event: AuditDraft| {
            event.identity_id = Some(admitted.token.identity_id.clone());
            event
        };
        let credentials = admitted.credentials.as_ref().map(|credentials| {
            let mut event = AuditDraft::by(AuditAction::Credentials, by);
            event.developer_user_identifier.clone_from(&draft.developer_user_identifier);
            event.access_key_id = Some(credentials.access_key_id.clone());
            event
        });
        let events = credentials.into_iter().chain([draft]).map(about);
        Ok(self.trail.all_allowed(events.collect::<Vec<_>>()).await?)
    }
}

#[async_trait]
impl DeveloperPool for CognitoPool {
    async fn admit(
        &self,
        login: &VerifiedLogin,
        wishes: Wishes,
        draft: AuditDraft,
        by: &Requester,
    ) -> Result<Admitted, AdmissionError> {
        match self.serve(login.developer_user_identifier(), &wishes).await {
            Ok(admitted) => {
                self.record(draft, &admitted, by).await?;
                Ok(admitted)
            }
            Err(error) => self.trail.conclude(draft, Err(error)).await,
        }
    }
}

async fn admitted(region: &Region, user: &str, wishes: &Wishes) -> Result<Admitted, Failure> {
    let token = region.token(user, wishes).await?;
    let credentials = if wishes.credentials { Some(region.credentials(&token).await?) } else { None };
    let (pool_id, region) = (region.pool_id.clone(), region.name.clone());
    Ok(Admitted { token, pool_id, region, credentials })
}

fn no_identity(id: &IdentityId) -> AdmissionError {
    PoolError::ResourceNotFound(format!("Identity '{id}' not found.")).into()
}
