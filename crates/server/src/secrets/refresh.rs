//! Secrets that change while everything runs. There is no background task, because Lambda would freeze it: the
//! request that finds the secrets old fetches them before it goes on, and others go on with the old ones meanwhile.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::login::provider::ProviderSet;
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;

use super::{SecretStore, Secrets};
use crate::config::ProviderConfig;

/// After a fetch that failed, the next one is not before this.
const PAUSE: SignedDuration = SignedDuration::from_mins(1);
/// Somebody waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(3);

/// How old fetched secrets may become; for ever, if it is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval(Option<SignedDuration>);

impl Default for Interval {
    fn default() -> Self {
        Self(Some(SignedDuration::from_mins(15)))
    }
}

/// Ten years, in seconds.
const MAX_INTERVAL: i64 = 3_650 * 24 * 60 * 60;

/// `never`, or a duration as everywhere.
impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use daypass_core::login::provider::definition::seconds;
        use serde::de::value::StringDeserializer;
        use serde::de::{Error, IntoDeserializer};
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        let text: StringDeserializer<D::Error> = text.into_deserializer();
        match seconds::deserialize(text)? {
            Some(seconds) if seconds > MAX_INTERVAL => {
                Err(D::Error::custom("at most `3650d`; write `never` for secrets that stay"))
            }
            seconds => Ok(Self(seconds.map(SignedDuration::from_secs))),
        }
    }
}

/// Replaces providers by the same with new secrets.
pub struct Refresher {
    configs: Vec<ProviderConfig>,
    store: Arc<dyn SecretStore>,
    providers: Arc<ProviderSet>,
    clock: Arc<dyn Clock>,
    interval: SignedDuration,
    due: Mutex<Timestamp>,
}

impl Refresher {
    /// Keeps the secrets of `providers`, which were just fetched, younger than `interval`. Nothing, if none was fetched
    /// or they are to stay.
    pub fn new(
        configs: Vec<ProviderConfig>,
        secrets: &Secrets,
        store: Arc<dyn SecretStore>,
        providers: Arc<ProviderSet>,
        clock: Arc<dyn Clock>,
        Interval(interval): Interval,
    ) -> Option<Self> {
        let interval = interval.filter(|_| !secrets.is_empty())?;
        let due = Mutex::new(clock.now() + interval);
        Some(Self { configs, store, providers, clock, interval, due })
    }

    /// Fetches the secrets if they are old and nobody is fetching them.
    pub async fn refresh(&self) {
        let Ok(mut due) = self.due.try_lock() else { return };
        if self.clock.now() < *due {
            return;
        }
        // Whoever waits may go away and leave this unfinished: the next attempt is then not the next request's.
        *due = self.clock.now() + PAUSE.min(self.interval);
        match self.fetch().await {
            Ok(()) => *due = self.clock.now() + self.interval,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the secrets cannot be fetched again; the old ones stay in use");
            }
        }
    }

    async fn fetch(&self) -> anyhow::Result<()> {
        let references = self.configs.iter().filter_map(ProviderConfig::placed_secret);
        let secrets = Secrets::fetch(references, &*self.store, TIME_LIMIT).await?;
        self.providers.replace(crate::config::load_providers(&self.configs, &secrets)?);
        Ok(())
    }
}

/// Before a request that providers take part in.
pub async fn keep_fresh(
    State(refresher): State<Option<Arc<Refresher>>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(refresher) = refresher {
        refresher.refresh().await;
    }
    next.run(request).await
}
