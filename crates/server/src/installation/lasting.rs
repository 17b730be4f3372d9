//! What an installation keeps when its configuration is read again: the store, and whatever is remembered, counted or
//! under way. Everything else is made of the configuration, and made anew with it.

use std::sync::Arc;

use daypass_core::audit::AuditTrail;
use daypass_core::audit::head_key::HeadKeys;
use daypass_core::broker::device_login::DeviceLimits;
use daypass_core::ground::clock::Clock;
use daypass_core::ground::ids::Region;
use daypass_core::ground::master_keys::MasterKeys;
use daypass_core::ground::random::Random;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::login::provider::Engine;
use daypass_core::operator::master_keys;
use daypass_core::store::{AuditCare, SharedStore, StoreError};
use daypass_core::token::key_ring::{KeyRing, Materials};
use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::signer::KeyHolder;

use super::dependencies::{Dependencies, WireError};
use crate::config::Config;
use crate::export::{Exporters, Tools};
use crate::measured::{MeasuredHeads, MeasuredHttp, MeasuredKeys, MeasuredStore, MeasuredTrail};
use crate::metrics::Metrics;
use crate::secrets::SecretStore;
use crate::{traces, warnings};

/// What outlives the configuration.
#[derive(Clone)]
pub(super) struct Lasting {
    /// Where everything is kept.
    pub store: SharedStore,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
    /// Asks providers: it knows their keys, what is under way, and what was refused or confirmed a moment ago.
    pub engine: Arc<Engine>,
    /// What strangers have done lately to sign in on devices.
    pub device_limits: Arc<DeviceLimits>,
    /// Who gets the events of the audit trail.
    pub exporters: Exporters,
    /// Everything that is counted.
    pub metrics: Arc<Metrics>,
    /// The roots of all sealing.
    pub master_keys: Arc<MasterKeys>,
    /// Makes the keys that sign tokens, and holds them.
    pub holder: Arc<dyn KeyHolder>,
    /// Where secrets are fetched.
    pub secret_store: Arc<dyn SecretStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws IDs, keys and nonces.
    pub random: Arc<dyn Random>,
}

impl Lasting {
    /// What signs tokens. The first keys are made.
    pub async fn token_issuer(
        &self,
        config: &Config,
        region: &Region,
    ) -> Result<Arc<TokenIssuer>, WireError> {
        let materials = Materials {
            store: self.store.clone(),
            master_keys: self.master_keys.clone(),
            holder: self.holder.clone(),
            region: region.clone(),
            clock: self.clock.clone(),
            random: self.random.clone(),
        };
        let algorithms = config.tokens.algorithms();
        let ring = KeyRing::load(materials, &algorithms.all(), config.tokens.rotation()).await?;
        Ok(Arc::new(TokenIssuer::new(config.public_url.clone(), Arc::new(ring), algorithms)))
    }

    /// Takes care of the audit trail from now on, if it is kept here: its heads are signed, and what is too old goes.
    pub fn attend_trail(&self, config: &Config) {
        if !config.audit_destination().is_kept() {
            return;
        }
        self.metrics.signed_head(self.clock.now());
        let signer = HeadKeys::of(&self.master_keys);
        self.store.attend(AuditCare {
            signer: Arc::new(MeasuredHeads { signer, metrics: self.metrics.clone() }),
            keep: config.audit.retention(),
            clock: self.clock.clone(),
            tell: Arc::new(|what| tracing::warn!("{what}")),
        });
    }

    /// Has the store know under which master key things are sealed from now on. Most starts find that it does.
    pub async fn announce_master_key(&self) -> Result<(), StoreError> {
        let (current, announced) = (self.master_keys.current(), self.store.list_master_keys().await?);
        if announced.first().is_some_and(|last| last.id == current) {
            return Ok(());
        }
        self.store.announce_master_key(current, self.clock.now()).await
    }

    /// Tells of what is kept under master keys that are gone: nobody else hears of it before somebody needs it. Where every key
    /// that ever was is there, nothing is looked at.
    pub async fn tell_what_is_closed(self) -> Result<(), StoreError> {
        let is_here = |id: &MasterKeyId| self.master_keys.ids().any(|here| here == *id);
        if self.store.list_master_keys().await?.iter().all(|known| is_here(&known.id)) {
            return Ok(());
        }
        let kept = master_keys::count(&*self.store).await?;
        let closed = kept.into_iter().filter_map(|(id, count)| Some((id.filter(|id| !is_here(id))?, count)));
        warnings::log(closed.map(|(id, count)| warnings::of_closed_values(id, count)));
        Ok(())
    }

    /// What exports the audit trail.
    pub fn export_tools(&self) -> Tools {
        let Self { store, clock, random, metrics, .. } = self.clone();
        Tools { store, clock, random, metrics }
    }

    /// What traces are made with.
    pub fn trace_tools(&self) -> traces::Tools {
        let Self { metrics, clock, random, .. } = self.clone();
        traces::Tools { metrics, random, clock }
    }

    pub fn begin(dependencies: &Dependencies) -> Self {
        let Dependencies { store, clock, random, http, .. } = dependencies;
        let Dependencies { audit_sink, strangers, config, .. } = dependencies;
        let metrics = Arc::<Metrics>::default();
        store.watch(Arc::new(MeasuredStore(metrics.of_store())));
        let sink = Arc::new(MeasuredTrail { sink: audit_sink.clone(), metrics: metrics.clone() });
        let trail = AuditTrail::new(sink, store.clone(), strangers.clone(), clock.clone());
        let trail = trail.with_callers(config.audit.callers);
        let http = Arc::new(MeasuredHttp { http: http.clone(), metrics: metrics.clone() });
        let holder = dependencies.holder.clone();
        Self {
            trail: Arc::new(trail),
            engine: Arc::new(Engine::new(http, clock.clone())),
            device_limits: Arc::new(DeviceLimits::new(clock)),
            exporters: Exporters::default(),
            holder: Arc::new(MeasuredKeys { holder, metrics: metrics.clone() }),
            metrics,
            master_keys: dependencies.master_keys.clone(),
            secret_store: dependencies.secret_store.clone(),
            store: store.clone(),
            clock: clock.clone(),
            random: random.clone(),
        }
    }
}
