//! The program as a Lambda function: what `daypass serve` serves, asked by Lambda.

use std::process::ExitCode;

use daypass_store::Open;
use tokio::runtime::Builder;

use super::{fail, sentence};
use crate::config::{ConfigFile, Instances};
use crate::installation::{Installation, default_config};
use crate::lambda::{Function, failed_to_start};
use crate::routes;
use crate::telemetry::{self, Flushing};

/// Answers what Lambda hands over, until Lambda ends the process. The log goes to stderr, audit events go to stdout.
///
/// One thread does it all: Lambda hands over one request at a time, and threads take time to start.
#[must_use]
pub fn run() -> ExitCode {
    match telemetry::stderr() {
        Ok(stderr) => telemetry::log_to(stderr),
        Err(error) => return fail(&error.into()),
    }
    telemetry::log_panics();
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let _flushing = Flushing;
    runtime.block_on(async {
        let function = match start().await {
            Ok(function) => function,
            Err(error) => {
                failed_to_start(&sentence(&error)).await;
                return fail(&error);
            }
        };
        match function.run().await {
            Ok(never) => match never {},
            Err(error) => fail(&error),
        }
    })
}

async fn start() -> anyhow::Result<Function> {
    let installation = Installation::of(&ConfigFile::read(&default_config())?, telemetry::stdout)?;
    let app = installation.app(Instances::Many, Open::OrMake).await?;
    app.take_duties(installation.config()).await?;
    let public_url = app.login_flow.public_url.clone();
    let (clock, random, store) = (app.clock.clone(), app.random.clone(), app.store.clone());
    Ok(Function::new(routes::router(app), &public_url, clock, random, store))
}
