//! `daypass up`: everything for development, until interrupted.

mod ready_file;

use std::path::PathBuf;

use clap::Args;

use self::ready_file::ReadyFile;
use crate::up::{self, Options, Ready};
use daypass_server::cli::signals::Signals;
use daypass_server::cli::{print, tell};
use daypass_server::listen::allow_many_sockets;
use daypass_server::telemetry;

/// Where to run, and with what besides.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Where to keep all state
    #[arg(long, default_value = ".daypass", value_name = "DIR")]
    dir: PathBuf,
    /// The server's port; S3 and the sandbox take the next two, 0 takes free ones
    #[arg(long, default_value_t = 9400)]
    port: u16,
    /// A TOML file with more providers, OIDC providers, user pools, apps and roles
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file to write the same line to, whole, as soon as everything answers; it goes away in the end
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    telemetry::log_panics();
    allow_many_sockets();
    let options = Options { dir: arguments.dir, port: arguments.port, config: arguments.config };
    let ready_file = arguments.ready_file.as_deref().map(ReadyFile::clear).transpose()?;
    let Some(started) = signals.unless_ended(Box::pin(up::start(&options))).await else { return Ok(()) };
    let running = started?;
    for warning in &running.warnings {
        tell(&format!("Warning: {warning}."));
    }
    // First for programs, then for people: whoever sees the welcome finds the rest written.
    let line = serde_json::to_string(&running.ready)?;
    print(&line)?;
    ready_file.as_ref().map_or(Ok(()), |file| file.write(&line))?;
    tell(&welcome(&running.ready));
    signals.end_rereading(async || tell(&what_came_of(running.reread().await))).await;
    tell("Stopping.");
    tokio::select! {
        () = running.stop() => {}
        () = signals.end() => {}
    }
    Ok(())
}

fn what_came_of(reread: Result<(), String>) -> String {
    match reread {
        Ok(()) => "The configuration was read again, and counts from now on.".to_owned(),
        Err(mistakes) => format!("Nothing has changed: {mistakes}"),
    }
}

fn welcome(ready: &Ready) -> String {
    format!(
        "Daypass is up.\n\n  \
           Playground   {server}\n  \
           S3           {s3}\n  \
           Sandbox IdP  {sandbox}\n  \
           State        {dir}\n\n\
         The AWS CLI reaches it as one of the people, by your browser, with:\n\n  \
           daypass login {server} --profile demo\n  \
           aws --profile demo sts get-caller-identity\n\n\
         and as the developer with:\n\n  \
           export AWS_CONFIG_FILE={config}\n  \
           export AWS_SHARED_CREDENTIALS_FILE={credentials}\n  \
           aws --profile {profile} cognito-identity list-identity-pools --max-results 10\n\n\
         Ctrl-C ends it.",
        server = ready.server_url,
        s3 = ready.s3_url,
        sandbox = ready.sandbox_url,
        dir = ready.dir.display(),
        config = ready.aws_config_file.display(),
        credentials = ready.aws_shared_credentials_file.display(),
        profile = ready.aws_profile,
    )
}
