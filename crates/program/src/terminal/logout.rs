//! `daypass logout`: ends a session, here or everywhere.

use anyhow::bail;
use clap::Args;
use daypass_client::{Error, SignedOut};
use daypass_server::cli::print;

use super::which::Which;

/// Which session to end, and how many others.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// End your sessions on all devices
    #[arg(long)]
    everywhere: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let daypass = arguments.which.find()?;
    // Afterwards nothing here knows of a keyring.
    let login = daypass.login_command();
    let SignedOut { untold } = daypass.sign_out(arguments.everywhere).await?;
    if let Some(error) = untold {
        bail!("{}", half_done(&login, &error));
    }
    let extent = if arguments.everywhere { " on all devices" } else { "" };
    Ok(print(&format!("You are signed out at {}{extent}.", daypass.name()))?)
}

fn half_done(login: &str, error: &Error) -> String {
    let (why, whoever) = match error {
        Error::KeyGone(_) => (
            "the key that it was sealed with is gone, and with it what could tell the broker".into(),
            "nobody can open a copy of it",
        ),
        Error::Keyring { why, .. } => (
            format!("the keyring that has its key cannot be used: {why}"),
            "whoever has a copy and your keyring can use it",
        ),
        error => (error.to_string(), "whoever has a copy can use it"),
    };
    format!(
        "the session is gone from this machine, but the broker does not know of it: {why}. Until it ends by itself, {whoever}: \
         to end it, sign in again (`{login}`) and type `daypass logout --everywhere`"
    )
}
