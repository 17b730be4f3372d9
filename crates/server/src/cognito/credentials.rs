//! Whether there are AWS credentials to ask Amazon with, which shows without asking it.

use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// Whoever hands them out has so long: one that is not there, such as the metadata service outside of AWS, may say nothing
/// at all.
const LIMIT: Duration = Duration::from_secs(4);
/// So long a yes is repeated: those who watch over a server ask often.
const YES_LASTS: SignedDuration = SignedDuration::from_secs(30);
/// And so long a no, which somebody mends.
const NO_LASTS: SignedDuration = SignedDuration::from_secs(5);

/// Why there are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCredentials {
    /// Nobody is set up to hand them out.
    #[error(
        "there are no AWS credentials: give the machine or the function a role, or set AWS_ACCESS_KEY_ID and \
         AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    )]
    Nowhere,
    /// They are not renewed.
    #[error("the AWS credentials have expired; whatever renews them does not")]
    Expired,
    /// Whoever is set up to does not.
    #[error("whoever hands out our AWS credentials does not do so at the moment")]
    Now,
}

impl NoCredentials {
    /// What an error of the SDK means.
    pub(super) fn of(error: &CredentialsError) -> Self {
        match error {
            CredentialsError::ProviderTimedOut(_) | CredentialsError::ProviderError(_) => Self::Now,
            _ => Self::Nowhere,
        }
    }
}

impl From<NoCredentials> for AdmissionError {
    fn from(error: NoCredentials) -> Self {
        match error {
            NoCredentials::Now => Self::Unavailable(error.to_string()),
            NoCredentials::Nowhere | NoCredentials::Expired => Self::Misconfigured(error.to_string()),
        }
    }
}

type Found = Result<(), NoCredentials>;

/// Our credentials at AWS, looked for by one of all who ask at a time.
pub struct OurCredentials(Arc<Lookout>);

struct Lookout {
    provider: Option<SharedCredentialsProvider>,
    clock: Arc<dyn Clock>,
    /// What was found last, and until when that counts.
    last: Mutex<Option<(Timestamp, Found)>>,
}

impl OurCredentials {
    /// Those that calls with these settings are signed with.
    #[must_use]
    pub fn of(aws: &SdkConfig, clock: Arc<dyn Clock>) -> Self {
        let provider = aws.credentials_provider();
        Self(Arc::new(Lookout { provider, clock, last: Mutex::default() }))
    }

    /// Whether there are any. Whoever asks may go away sooner than that is known: the next one hears it then.
    ///
    /// # Errors
    /// Why there are none, for the operator.
    pub async fn find(&self) -> Result<(), NoCredentials> {
        let lookout = self.0.clone();
        tokio::spawn(async move { lookout.find().await }).await.unwrap_or(Err(NoCredentials::Now))
    }
}

impl Lookout {
    async fn find(&self) -> Found {
        let mut last = self.last.lock().await;
        if let Some((until, found)) = *last
            && self.clock.now() < until
        {
            return found;
        }
        let found = self.look().await;
        let lasts = if found.is_ok() { YES_LASTS } else { NO_LASTS };
        *last = Some((self.clock.now() + lasts, found));
        found
    }

    async fn look(&self) -> Found {
        let provider = self.provider.as_ref().ok_or(NoCredentials::Nowhere)?;
        let answer = tokio::time::timeout(LIMIT, provider.provide_credentials()).await;
        let credentials = answer.map_err(|_| NoCredentials::Now)?;
        let credentials = credentials.map_err(|error| NoCredentials::of(&error))?;
        let expires = credentials.expiry().and_then(|expiry| Timestamp::try_from(expiry).ok());
        if expires.is_some_and(|expires| expires <= self.clock.now()) {
            return Err(NoCredentials::Expired);
        }
        Ok(())
    }
}
