//! `daypass serve`: the server of production, until it is told to end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use daypass_core::broker::developer_pool::DeveloperPool;
use daypass_store::Open;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::spawn_blocking;

use super::reread::reread;
use super::signals::Signals;
use super::{socket_address, tell};
use crate::config::{ConfigFile, Instances};
use crate::installation::{App, Installation, default_config};
use crate::key_turns::have_keys_take_turns;
use crate::listen::{Answering, Stop, allow_many_sockets, listen_within};
use crate::upkeep::{keep_purging, keep_up};
use crate::{routes, telemetry, warnings};

/// What to serve, and where.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The configuration; $DAYPASS_CONFIG or daypass.toml unless given
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:9400", value_name = "ADDRESS:PORT", value_parser = socket_address)]
    listen: SocketAddr,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    telemetry::log_to(telemetry::stderr()?);
    telemetry::log_panics();
    allow_many_sockets();
    let config = arguments.config.unwrap_or_else(default_config);
    let Some(started) = signals.unless_ended(Box::pin(start(config))).await else { return Ok(()) };
    let (installation, app) = started?;
    warn_of_hidden_callers(&app);
    let address = arguments.listen;
    let listener = TcpListener::bind(address).await;
    let listener = listener.with_context(|| format!("cannot listen on {address}; --listen takes another"))?;
    let bound = listener.local_addr()?;
    app.take_duties(installation.config()).await?;
    tokio::spawn(keep_purging(Arc::downgrade(&app.store)));
    tokio::spawn(keep_up(Arc::downgrade(&app.store), app.metrics.clone(), app.clock.clone()));
    have_keys_take_turns(&app);
    let exports = app.start_exports().await;
    app.start_traces();
    tokio::spawn(tell_what_is_missing(app.broker.pool.clone()));
    let (stop, stopped) = Stop::channel();
    let (answer_by, answering) = Answering::by(routes::router(app.clone()));
    let serving = tokio::spawn(listen_within(listener, answering, stopped, app.terms()));
    tell(&format!("Daypass serves {} on {bound}.", app.login_flow.public_url));
    let ready = json!({"ready": true, "listen": bound, "public_url": app.login_flow.public_url});
    let written = telemetry::stdout()?.write(format!("{ready}\n").into_bytes()).await;
    written.map_err(|error| anyhow!("stdout, where the audit events go, cannot be written: {error}"))?;
    let take_up = |app: Arc<App>| {
        // Without a listener there is nobody to answer.
        let _ = answer_by.send(routes::router(app.clone()));
        warn_of_hidden_callers(&app);
    };
    // Nobody else has it then: what the one before holds ends with it, such as the turns of its keys.
    let mut running = app;
    let rereading = async || {
        // Whoever reads the log reads what comes of it.
        if let Ok(app) = reread(&installation, &running, take_up).await {
            running = app;
        }
    };
    signals.end_rereading(rereading).await;
    tell("Stopping: what is under way is answered first. A second signal ends it at once.");
    // Without a receiver the listener has ended already.
    let _ = stop.send(true);
    let ending = async {
        let served = serving.await;
        // What was answered last has left events, too.
        exports.end().await;
        if let Some(traces) = &running.traces {
            traces.flush().await;
        }
        served
    };
    tokio::select! {
        served = ending => Ok(served?),
        () = signals.end() => Ok(()),
    }
}

async fn start(config: PathBuf) -> anyhow::Result<(Installation, Arc<App>)> {
    let file = spawn_blocking(move || ConfigFile::read(&config)).await??;
    let installation = Installation::of(&file, telemetry::stdout)?;
    let app = installation.app(Instances::One, Open::OrMake).await?;
    Ok((installation, app))
}

/// What keeps the pool from letting anybody in stands in the log before somebody tries.
async fn tell_what_is_missing(pool: Arc<dyn DeveloperPool>) {
    if let Err(error) = pool.ready().await {
        tracing::error!("nobody can sign in: {error}");
    }
}

fn warn_of_hidden_callers(app: &App) {
    if let Some(embedded) = &app.embedded {
        warnings::log(warnings::of_hidden_callers(&embedded.access.roles, &embedded.proxies));
    }
}
