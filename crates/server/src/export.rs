//! The audit trail for others. Each exporter that the operator names reads the trail on from a position that is kept, and delivers
//! its events to one receiver in the words of OCSF: at least once each, and in their order. Only a server exports.

mod batch;
mod bookmark;
mod current;
mod exporter;
mod ocsf;
mod otlp;
mod receiver;
mod running;
mod syslog;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod webhook;

use std::sync::Arc;

use daypass_core::ground::clock::Clock;
use daypass_core::ground::random::Random;
use daypass_core::store::SharedStore;

use self::bookmark::Bookmark;
use self::current::Current;
use self::exporter::Exporter;
use self::otlp::Otlp;
use self::receiver::Receiver;
pub use self::running::Running;
use self::syslog::{Peer, Syslog, tls_of_the_system};
use self::webhook::Webhook;
use crate::config::{Beginning, Config, ConfigError, ExportConfig, ReceiverConfig};
use crate::metrics::Metrics;
use crate::provider_http::{Limits, Reach, ReqwestHttp};
use crate::secrets::Secrets;

/// The exporters of an installation.
#[derive(Clone, Default)]
pub struct Exporters(Arc<[Described]>);

/// An exporter that is not at work.
struct Described {
    name: String,
    from: Beginning,
    receiver: Arc<Current>,
}

/// Their receivers by a configuration that was read again, which count for nobody yet.
#[must_use]
pub struct Renewed(Vec<Arc<dyn Receiver>>);

/// What exporters work with.
pub struct Tools {
    /// Where the trail is, and how far each has come.
    pub store: SharedStore,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws the lengths of pauses.
    pub random: Arc<dyn Random>,
    /// Counts.
    pub metrics: Arc<Metrics>,
}

/// Why there can be no exporters.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A secret cannot be had, or is not what it has to be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// For want of the system's CA certificates.
    #[error("TLS cannot be set up for the export of the audit trail: {0}")]
    Tls(#[from] reqwest::Error),
    /// For want of the system's CA certificates, too.
    #[error("TLS cannot be set up for the export of the audit trail: {0}")]
    SyslogTls(#[from] rustls::Error),
}

impl Exporters {
    /// Those of a configuration.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn of(config: &Config, secrets: &Secrets, tools: &Tools) -> Result<Self, ExportError> {
        let described = |export: &ExportConfig| {
            let receiver = Arc::new(Current::new(receiver(config, export, secrets, tools)?));
            Ok(Described { name: export.name.as_str().to_owned(), from: export.from, receiver })
        };
        config.audit.exports.iter().map(described).collect::<Result<_, _>>().map(Self)
    }

    /// The same receivers with the secrets as they are now.
    ///
    /// # Errors
    /// [`ExportError`].
    pub fn renewed(&self, config: &Config, secrets: &Secrets, tools: &Tools) -> Result<Renewed, ExportError> {
        let receivers = config.audit.exports.iter().map(|export| receiver(config, export, secrets, tools));
        receivers.collect::<Result<_, _>>().map(Renewed)
    }

    /// Has them count from the next delivery on.
    pub fn take_up(&self, Renewed(receivers): Renewed) {
        // Which exporters there are only a start reads.
        for (described, receiver) in self.0.iter().zip(receivers) {
            described.receiver.replace(receiver);
        }
    }

    /// Puts them to work.
    pub async fn start(&self, tools: &Tools) -> Running {
        Running::start(self.exporters(tools), &tools.random).await
    }

    fn exporters(&self, tools: &Tools) -> Vec<Exporter> {
        let exporter = |described: &Described| {
            let bookmark = Bookmark {
                exporter: described.name.clone(),
                from: described.from,
                store: tools.store.clone(),
                clock: tools.clock.clone(),
                metrics: tools.metrics.of_exporter(&described.name),
            };
            Exporter::new(bookmark, described.receiver.clone())
        };
        self.0.iter().map(exporter).collect()
    }
}

fn receiver(
    config: &Config,
    export: &ExportConfig,
    secrets: &Secrets,
    tools: &Tools,
) -> Result<Arc<dyn Receiver>, ExportError> {
    Ok(match export.receiver(secrets)? {
        ReceiverConfig::Otlp { url, headers } => {
            let http = http(config, export, tools)?;
            let (installation, exporter) = (config.public_url.clone(), export.name.as_str().to_owned());
            Arc::new(Otlp { http, url, headers, installation, exporter, is_told: false.into() })
        }
        ReceiverConfig::Webhook { url, key } => {
            let http = http(config, export, tools)?;
            Arc::new(Webhook { http, url, key: *key, clock: tools.clock.clone() })
        }
        ReceiverConfig::Syslog { host, port, with_tls } => {
            let tls = with_tls.then(tls_of_the_system).transpose()?;
            let peer = Peer { host, port, reach: reach(config, export), tls };
            Arc::new(Syslog { peer, installation: host_of(&config.public_url) })
        }
    })
}

fn http(config: &Config, export: &ExportConfig, tools: &Tools) -> Result<Arc<ReqwestHttp>, reqwest::Error> {
    let (user_agent, limits) = (config.network.user_agent.clone(), Limits::default());
    let (clock, random) = (tools.clock.clone(), tools.random.clone());
    ReqwestHttp::called(user_agent, limits, reach(config, export), clock, random).map(Arc::new)
}

/// A receiver is at a public host, at one that the operator calls private, or on this machine, if that was named.
fn reach(config: &Config, export: &ExportConfig) -> Reach {
    Reach::with(config.network.allow_private.iter().cloned().chain(export.host_here()))
}

/// What syslog calls the installation.
fn host_of(public_url: &str) -> String {
    let url = public_url.parse::<axum::http::Uri>().ok();
    url.and_then(|url| url.host().map(str::to_owned)).unwrap_or_else(|| "-".to_owned())
}
