//! The keys of others: those with which identity providers sign ID tokens (JWK sets, RFC 7517), fetched
//! when a token asks for one and kept in memory.
//!
//! Keys younger than [`FRESH`] answer without a question. Older ones, and sets that lack the key a token
//! names, are fetched again, but never two fetches of one set at a time, and none sooner than
//! [`REFETCH_PAUSE`] after a good one or [`RETRY_PAUSE`] after a failed one: whoever sends forged key IDs
//! cannot make this server pester an issuer. While an issuer does not answer, its last keys serve until
//! they are [`USABLE`] old; a key that it withdrew meanwhile lives as long.
//!
//! A fetch belongs to the cache and not to the request that began it. When that client hangs up, the next
//! request carries the same fetch on.

mod key;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::http::{HeaderMap, Request, StatusCode, header};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use self::key::KeySet;
pub use self::key::{Algorithm, PublicKey, Rules, Wanted};
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::outbound::{ProviderHttp, ProviderHttpError, Repeatable};

/// How long fetched keys are used without looking again.
pub const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// How long they are used at most, while their issuer does not answer.
pub const USABLE: SignedDuration = SignedDuration::from_hours(24);
/// The pause after a successful fetch before an unknown key ID may cause another.
pub const REFETCH_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// The pause after a failed fetch, in which the failure is the answer.
pub const RETRY_PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// Where the keys of an issuer are found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeySource {
    /// At this URL.
    JwkSet(String),
    /// Where the issuer's own metadata say (OpenID Connect Discovery 1.0 section 4).
    Discovery {
        /// The issuer, as it stands in `iss`.
        issuer: String,
    },
}

/// Why there is no key to check a signature with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// The issuer has no key that fits.
    #[error("the issuer publishes no key of this ID for this algorithm")]
    UnknownKey,
    /// The issuer's keys could not be fetched; the text says why and holds no secret.
    #[error("the issuer's keys cannot be fetched: {0}")]
    Unavailable(Arc<str>),
    /// What is there is not what the configuration says, and asking again brings the same. The text says what was found,
    /// for the operator.
    #[error("{0}")]
    NotAsDefined(Arc<str>),
}

/// Fetches and keeps the keys of all issuers.
pub struct JwksCache {
    http: Arc<dyn ProviderHttp>,
    clock: Arc<dyn Clock>,
    entries: Mutex<HashMap<KeySource, Entry>>,
}

/// Keys that may have signed a token, at least one.
type Found = Result<Vec<Arc<PublicKey>>, JwksError>;
type Outcome = Result<Arc<KeySet>, JwksError>;
type Fetch = Shared<BoxFuture<'static, Outcome>>;

/// What is known of one source. Every time is the one at which the fetch began: what an answer says was
/// true then, however long it took to be read.
#[derive(Default)]
struct Entry {
    keys: Option<(Timestamp, Arc<KeySet>)>,
    /// The last attempt, if it failed.
    failure: Option<(Timestamp, JwksError)>,
    fetching: Option<(Timestamp, Fetch)>,
}

enum Next {
    Answer(Found),
    Await(Fetch),
}

impl JwksCache {
    /// A cache that knows nothing yet.
    #[must_use]
    pub fn new(http: Arc<dyn ProviderHttp>, clock: Arc<dyn Clock>) -> Self {
        Self { http, clock, entries: Mutex::default() }
    }

    /// The keys that may have signed a token which says this of its key.
    ///
    /// # Errors
    /// [`JwksError`].
    pub async fn find(&self, source: &KeySource, wanted: &Wanted<'_>) -> Found {
        match self.next(source, wanted) {
            Next::Answer(answer) => answer,
            Next::Await(fetch) => {
                let outcome = fetch.clone().await;
                self.conclude(source, &fetch, outcome, wanted)
            }
        }
    }

    fn next(&self, source: &KeySource, wanted: &Wanted<'_>) -> Next {
        let now = self.clock.now();
        let mut entries = self.entries();
        let entry = entries.entry(source.clone()).or_default();
        if let Some(keys) = entry.keys_within(FRESH, now).and_then(|keys| keys.find(wanted)) {
            return Next::Answer(Ok(keys));
        }
        if let Some((_, fetch)) = &entry.fetching {
            return Next::Await(fetch.clone());
        }
        if entry.is_pausing(now) {
            return Next::Answer(entry.settle(now, wanted));
        }
        let fetch = fetch(self.http.clone(), source.clone()).boxed().shared();
        entry.fetching = Some((now, fetch.clone()));
        Next::Await(fetch)
    }

    /// Keeps what a fetch brought, the first time somebody comes with it, and answers from it.
    fn conclude(&self, source: &KeySource, fetch: &Fetch, outcome: Outcome, wanted: &Wanted<'_>) -> Found {
        let mut entries = self.entries();
        let entry = entries.entry(source.clone()).or_default();
        if let Some((started_at, _)) = entry.fetching.take_if(|(_, running)| running.ptr_eq(fetch)) {
            match outcome {
                Ok(keys) => (entry.keys, entry.failure) = (Some((started_at, keys)), None),
                Err(error) => entry.failure = Some((started_at, error)),
            }
        }
        entry.settle(self.clock.now(), wanted)
    }

    /// No code that holds the lock can leave an entry half written, so a poisoned lock is as good.
    fn entries(&self) -> MutexGuard<'_, HashMap<KeySource, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn keys_within(&self, age: SignedDuration, now: Timestamp) -> Option<&KeySet> {
        let (at, keys) = self.keys.as_ref()?;
        is_within(age, *at, now).then_some(keys)
    }

    fn is_pausing(&self, now: Timestamp) -> bool {
        let failed = self.failure.as_ref().is_some_and(|(at, _)| is_within(RETRY_PAUSE, *at, now));
        failed || self.keys.as_ref().is_some_and(|(at, _)| is_within(REFETCH_PAUSE, *at, now))
    }

    /// The answer that needs no network.
    fn settle(&self, now: Timestamp, wanted: &Wanted<'_>) -> Found {
        let keys = self.keys_within(USABLE, now);
        if let Some(found) = keys.and_then(|keys| keys.find(wanted)) {
            return Ok(found);
        }
        match (&self.failure, keys) {
            (Some((_, error)), _) => Err(error.clone()),
            (None, Some(_)) => Err(JwksError::UnknownKey),
            (None, None) => Err(JwksError::Unavailable("they came too late to be used".into())),
        }
    }
}

/// Whether less than `span` has passed. A clock that was set back makes nothing young again.
fn is_within(span: SignedDuration, then: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(then);
    !age.is_negative() && age < span
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

async fn fetch(http: Arc<dyn ProviderHttp>, source: KeySource) -> Outcome {
    let url = match source {
        KeySource::JwkSet(url) => url,
        KeySource::Discovery { issuer } => discover(&*http, &issuer).await?,
    };
    get_json(&*http, &url, "the JWK set").await.map(Arc::new)
}

/// The URL of an issuer's keys, in its own words. An issuer that is reached by TLS cannot send us to keys
/// that anybody on the way could exchange.
async fn discover(http: &dyn ProviderHttp, issuer: &str) -> Result<String, JwksError> {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let Metadata { issuer: named, jwks_uri } = get_json(http, &url, "the discovery document").await?;
    if named != issuer {
        let reason = format!(
            "the discovery document at {url} is of the issuer {:?}, and {issuer:?} is configured",
            quotable(&named)
        );
        return Err(JwksError::NotAsDefined(reason.into()));
    }
    let plain = issuer.starts_with("http://") && jwks_uri.starts_with("http://");
    if !plain && !jwks_uri.starts_with("https://") {
        let reason = format!("the jwks_uri of {url} is not https: {:?}", quotable(&jwks_uri));
        return Err(JwksError::NotAsDefined(reason.into()));
    }
    Ok(jwks_uri)
}

/// Servers on Windows begin with it, and a reader may ignore it (RFC 8259 section 8.1).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

async fn get_json<T: DeserializeOwned>(
    http: &dyn ProviderHttp,
    url: &str,
    what: &str,
) -> Result<T, JwksError> {
    let lasting = |reason: String| JwksError::NotAsDefined(format!("{what} at {url} {reason}").into());
    let request = Request::get(url).header(header::ACCEPT, "application/json").extension(Repeatable);
    let request = request.body(Bytes::new()).map_err(|_| lasting("has no URL as its address".into()))?;
    let answer = http.send(request).await.map_err(|error| match error {
        ProviderHttpError::AnswerTooLarge { .. } | ProviderHttpError::PrivateAddress { .. } => {
            lasting(format!("cannot be had: {error}"))
        }
        ProviderHttpError::TimedOut
        | ProviderHttpError::Unreachable(_)
        | ProviderHttpError::Resting
        | ProviderHttpError::OutOfFiles => JwksError::Unavailable(format!("{what}: {error}").into()),
    })?;
    match answer.status() {
        StatusCode::OK => {
            serde_json::from_slice(answer.body().strip_prefix(BYTE_ORDER_MARK).unwrap_or(answer.body()))
                .map_err(|_| lasting("cannot be read as what it should be".into()))
        }
        status if is_passing(status) => {
            Err(JwksError::Unavailable(format!("{what}: status {}", status.as_u16()).into()))
        }
        status => Err(lasting(format!("is not there: {}", status_told(status, answer.headers())))),
    }
}

/// Whether an answer of this status may be another one in a while.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT)
}

/// A status that no request was made for, with where it leads to.
pub(crate) fn status_told(status: StatusCode, headers: &HeaderMap) -> String {
    let target = headers.get(header::LOCATION).and_then(|target| target.to_str().ok());
    let target = target.map(|target| format!(", a redirect to {:?}", quotable(target)));
    format!("status {}{}", status.as_u16(), target.unwrap_or_default())
}

/// Somebody else's words, as far as a line of the log can bear them.
fn quotable(text: &str) -> &str {
    text.char_indices().nth(200).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests;
