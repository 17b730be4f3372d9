//! Traces: of some requests, what happened in them and how long each part took, for a collector of OpenTelemetry. A span is a name of
//! ours, two instants, and labels that are names of ours; no span has a secret, a person, an address or a query.
//!
//! Whoever answers a request never waits for any of it: spans are kept in memory until the request is answered, and go into a queue
//! that loses them when it is full. A request of which there is no trace pays for a look at a number and no more
//! (docs/decisions/0042-traces-of-our-own.md).

mod context;
mod delivery;
mod message;
mod span;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::HeaderMap;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::random::Random;
use daypass_core::ground::sample::Sampler;
use tokio::sync::{mpsc, oneshot};

use self::context::Context;
use self::delivery::{Collector, Message, deliver};
pub(crate) use self::span::{Part, Trace, part, within};
use crate::config::{Config, ConfigError};
use crate::metrics::{Metrics, SpanMetrics};
use crate::provider_http::{Limits, Reach, ReqwestHttp};
use crate::secrets::Secrets;

/// So many traces that a caller wants are made in a second. Whoever is believed about a trace may pass on what strangers write.
const WANTED_EACH_SECOND: u64 = 100;

/// So many traces wait for the collector. Each has a few spans.
const WAITING: usize = 1_024;

/// What is waiting at the end of a process has so long.
const AT_THE_END: Duration = Duration::from_secs(2);

/// What makes traces.
pub struct Traces {
    ratio: u64,
    chance: AtomicU64,
    wanted: Sampler<()>,
    queue: mpsc::Sender<Message>,
    /// What delivers them, until it is at work.
    idle: Mutex<Option<(mpsc::Receiver<Message>, Collector)>>,
    is_at_work: AtomicBool,
    metrics: SpanMetrics,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
}

/// What traces are made with.
pub(crate) struct Tools {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) clock: Arc<dyn Clock>,
}

/// Why there can be no traces.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// A secret cannot be had, or is not what it has to be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// For want of the system's CA certificates.
    #[error("TLS cannot be set up for traces: {0}")]
    Tls(#[from] reqwest::Error),
}

impl Traces {
    /// Those of a configuration, if it wants any.
    pub(crate) fn of(config: &Config, secrets: &Secrets, tools: Tools) -> Result<Option<Self>, TracesError> {
        let Some(traces) = &config.traces else { return Ok(None) };
        let private = config.network.allow_private.iter().cloned();
        let http = ReqwestHttp::called(
            config.network.user_agent.clone(),
            Limits::default(),
            Reach::with(private.chain(traces.host_here())),
            tools.clock.clone(),
            tools.random.clone(),
        )?;
        let (url, headers) = traces.collector(secrets)?;
        let collector = Collector { http: Arc::new(http), url, headers, issuer: config.public_url.clone() };
        Ok(Some(Self::to(collector, traces.ratio.of_all(), tools)))
    }

    fn to(collector: Collector, ratio: u64, tools: Tools) -> Self {
        let Tools { metrics, random, clock } = tools;
        let (queue, waiting) = mpsc::channel(WAITING);
        Self {
            ratio,
            chance: AtomicU64::new(u64::from_be_bytes(random.bytes())),
            wanted: Sampler::new(WANTED_EACH_SECOND, clock.clone()),
            queue,
            idle: Mutex::new(Some((waiting, collector))),
            is_at_work: AtomicBool::new(false),
            metrics: metrics.of_spans(),
            random,
            clock,
        }
    }

    /// Has them delivered from now on, which servers do. Until then there are none.
    pub fn start(&self) {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((waiting, collector)) = idle {
            tokio::spawn(deliver(waiting, collector, self.metrics.clone()));
            self.is_at_work.store(true, Ordering::Relaxed);
        }
    }

    /// A trace of the request that begins, if there is to be one. Somebody who is believed decides about their requests.
    pub(crate) fn begin(&self, headers: &HeaderMap, is_believed: bool) -> Option<Arc<Trace>> {
        if !self.is_at_work.load(Ordering::Relaxed) {
            return None;
        }
        let caller = if is_believed { Context::of(headers) } else { None };
        let is_traced = match &caller {
            Some(caller) => caller.is_sampled && self.wanted.admits(()),
            None => self.happens(),
        };
        is_traced.then(|| Arc::new(Trace::begin(caller, self.clock.now(), &*self.random)))
    }

    /// Whether it happens that happens as often as it should. Who guesses it wins nothing.
    fn happens(&self) -> bool {
        if self.ratio == u64::MAX {
            return true;
        }
        // SplitMix64.
        let mut drawn = self.chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (drawn ^ (drawn >> 31)) < self.ratio
    }

    /// Has a trace delivered that has ended. Nobody waits for that.
    pub(crate) fn end(&self, trace: Arc<Trace>) {
        let spans = trace.len();
        if self.queue.try_send(Message::Ended(trace)).is_err() {
            self.metrics.lost(spans);
        }
    }

    /// Waits until everything that ended is delivered, though not for long.
    pub async fn flush(&self) {
        let (done, waiting) = oneshot::channel();
        let flushing = async {
            if self.queue.send(Message::Flush(done)).await.is_ok() {
                // Whoever delivers may be gone.
                let _ = waiting.await;
            }
        };
        if self.is_at_work.load(Ordering::Relaxed) {
            let _ = tokio::time::timeout(AT_THE_END, flushing).await;
        }
    }
}
