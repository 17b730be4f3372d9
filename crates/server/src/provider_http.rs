//! The way to identity providers over the network. The far end is somebody else's: no redirect is
//! followed, an answer has to come in time, it may not be longer than any honest one, and it comes from the
//! public internet unless the operator says otherwise.
//!
//! Every host has its own places and its own circuit. One that hangs fills its own places, is left alone after
//! a few failures, and costs the others nothing.

mod pool;
mod reach;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Uri, header};
use bytes::{Bytes, BytesMut};
use daypass_core::ground::clock::Clock;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError, Repeatable};
use daypass_core::ground::random::Random;
use rustix::io::Errno;
use serde::Deserialize;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::pool::Pool;
pub use self::reach::{AllowedHost, Reach, loopback};
use self::reach::{PrivateAddress, Resolver};
pub(crate) use self::reach::{is_near, is_public};
use crate::circuit::Circuit;
use crate::error::chain;
use crate::repetition::{self, Budget};

/// What a provider is given.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// To accept a connection.
    pub connect: Duration,
    /// From the question to the end of the answer, a second attempt included.
    pub total: Duration,
    /// The size of an answer's body, in bytes.
    pub max_bytes: usize,
    /// How long a connection is kept that nobody uses. It should be shorter than the provider's own patience, which is
    /// five seconds with Node.js and with Apache.
    pub idle: Duration,
    /// How many requests one host may have open; others wait for a place, within their own time.
    pub at_once: usize,
    /// The longest pause before a second attempt; the shortest is half of it.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            total: Duration::from_secs(10),
            max_bytes: 64 * 1024,
            idle: Duration::from_secs(4),
            at_once: 1_024,
            pause: Duration::from_millis(250),
        }
    }
}

/// What we call ourselves at providers. Some ask for the name of an app and an address to write to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct UserAgent(String);

impl Default for UserAgent {
    fn default() -> Self {
        Self(concat!("daypass/", env!("CARGO_PKG_VERSION")).to_owned())
    }
}

impl TryFrom<String> for UserAgent {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let printable =
            (1..=256).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if printable { Ok(Self(text)) } else { Err("must have 1 to 256 printable characters of ASCII") }
    }
}

/// A pooled HTTP client.
pub struct ReqwestHttp {
    pool: Pool,
    limits: Limits,
    reach: Arc<Reach>,
    /// By host and port. They come from the configuration, and so does their number.
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

struct Host {
    places: Semaphore,
    circuit: Mutex<Circuit>,
    repetitions: Budget,
}

impl ReqwestHttp {
    /// A client with these limits.
    ///
    /// # Errors
    /// If TLS cannot be set up, for want of the system's CA certificates.
    pub fn new(
        limits: Limits,
        reach: Reach,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, reqwest::Error> {
        Self::called(UserAgent::default(), limits, reach, clock, random)
    }

    /// A client that calls itself so.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn called(
        user_agent: UserAgent,
        limits: Limits,
        reach: Reach,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, reqwest::Error> {
        let reach = Arc::new(reach);
        let resolver = Arc::new(Resolver(reach.clone()));
        let make = move || {
            reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                // A proxy would resolve names itself, and see whatever the environment's author wants it to see.
                .no_proxy()
                .dns_resolver(resolver.clone())
                .connect_timeout(limits.connect)
                .pool_idle_timeout(limits.idle)
                .user_agent(user_agent.0.clone())
                .build()
        };
        let pool = Pool::new(Box::new(make), clock.clone())?;
        Ok(Self { pool, limits, reach, hosts: Mutex::default(), clock, random })
    }

    fn host(&self, uri: &Uri) -> Arc<Host> {
        let name =
            uri.authority().map(|authority| authority.as_str().to_ascii_lowercase()).unwrap_or_default();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = || Host {
            places: Semaphore::new(self.limits.at_once),
            circuit: Mutex::default(),
            repetitions: Budget::default(),
        };
        hosts.entry(name).or_insert_with(|| Arc::new(host())).clone()
    }

    /// Asks, and once more if the question allows it, the first attempt came to nothing and the host is good for it.
    async fn attempts(
        &self,
        host: &Host,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ProviderHttpError> {
        let again = request.extensions().get::<Repeatable>().is_some().then(|| request.clone());
        let mut answer = self.attempt(request).await;
        if let Some(request) = again
            && is_worth_repeating(&answer)
            && host.repetitions.spend()
        {
            self.pause().await;
            answer = self.attempt(request).await;
        }
        if answer.as_ref().is_ok_and(|answer| !answer.status().is_server_error()) {
            host.repetitions.earn();
        }
        answer
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the pause is for the far end, which has a clock of its own"
    )]
    async fn pause(&self) {
        tokio::time::sleep(repetition::pause(self.limits.pause, &*self.random)).await;
    }

    async fn attempt(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        self.reach.check_literal(request.url().host_str().unwrap_or_default()).map_err(refused)?;
        let mut answer = self.pool.client().execute(request).await.map_err(failed)?;
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.limits.max_bytes {
                let (limit, status) = (self.limits.max_bytes, answer.status());
                return Err(ProviderHttpError::AnswerTooLarge { limit, status });
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        if let Some(target) = redirect_target(answer.headers()) {
            response.headers_mut().insert(header::LOCATION, target);
        }
        Ok(response)
    }
}

#[async_trait]
impl ProviderHttp for ReqwestHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let deadline = Instant::now() + self.limits.total;
        let name = request.uri().host().unwrap_or_default().to_owned();
        let host = self.host(request.uri());
        if host.circuit().is_resting(self.clock.now()) {
            return Err(ProviderHttpError::Resting);
        }
        let place = timeout_at(deadline, host.places.acquire()).await;
        let _place = place.map_err(|_| ProviderHttpError::TimedOut)?;
        if !host.circuit().admit(self.clock.now()) {
            return Err(ProviderHttpError::Resting);
        }
        let answer = timeout_at(deadline, self.attempts(&host, request)).await;
        let answer = answer.unwrap_or(Err(ProviderHttpError::TimedOut));
        if host.circuit().note(is_down(&answer), self.clock.now()) {
            tracing::warn!(host = name, "the host does not answer; it is left alone for a while");
        }
        answer
    }
}

impl Host {
    /// No code that holds the lock can leave the circuit half written, so a poisoned lock is as good.
    fn circuit(&self) -> std::sync::MutexGuard<'_, Circuit> {
        self.circuit.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an answer speaks against the host. A refusal does not, and neither does status 500: there are hosts
/// that answer so to a token that somebody made up, who could then lock everybody out.
fn is_down(answer: &Result<Response<Bytes>, ProviderHttpError>) -> bool {
    match answer {
        Ok(answer) => is_from_a_broken_gateway(answer.status()),
        Err(error) => matches!(error, ProviderHttpError::TimedOut | ProviderHttpError::Unreachable(_)),
    }
}

fn is_worth_repeating(answer: &Result<Response<Bytes>, ProviderHttpError>) -> bool {
    match answer {
        Ok(answer) => answer.status().is_server_error(),
        Err(error) => matches!(error, ProviderHttpError::Unreachable(_)),
    }
}

fn is_from_a_broken_gateway(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
}

fn refused(PrivateAddress { host }: PrivateAddress) -> ProviderHttpError {
    ProviderHttpError::PrivateAddress { host }
}

/// Whether the process, or the whole system, has no descriptor left: the fault is ours, not the host's.
pub(crate) fn is_out_of_files(error: &std::io::Error) -> bool {
    let [process, system] = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| code == process || code == system)
}

/// Where a redirect leads to, for the operator who has to follow it. A query can hold a token, and is not kept.
fn redirect_target(headers: &HeaderMap) -> Option<HeaderValue> {
    let target = headers.get(header::LOCATION)?.to_str().ok()?;
    HeaderValue::from_str(target.split(['?', '#']).next().unwrap_or_default()).ok()
}

/// A URL can hold a token, so no error of ours shows one.
fn failed(error: reqwest::Error) -> ProviderHttpError {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(PrivateAddress { host }) = error.downcast_ref() {
            return ProviderHttpError::PrivateAddress { host: host.clone() };
        }
        if error.downcast_ref().is_some_and(is_out_of_files) {
            return ProviderHttpError::OutOfFiles;
        }
        cause = error.source();
    }
    if error.is_timeout() {
        ProviderHttpError::TimedOut
    } else {
        ProviderHttpError::Unreachable(chain(&error.without_url()))
    }
}

#[cfg(test)]
mod tests;
