//! The commands of whoever signs in at a terminal, one file each. They need no installation, only the address of one:
//! what they keep of it, and when they ask it, is `daypass-client`'s to know.

mod agent;
mod credentials;
mod login;
mod logout;
mod profile;
mod which;
mod whoami;

use clap::Subcommand;
use daypass_client::let_go_of_keyring;
use tokio::signal::unix::{SignalKind, signal};

/// What `daypass` can be told to do with a session of one's own.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in at a broker, for the programs on this machine
    ///
    /// Opens the browser, which comes back to this command on 127.0.0.1. Where none can
    /// be opened, it prints the address, and takes what the browser ends at by paste.
    /// The session is kept in a file that only you can read, and refreshed by whatever
    /// uses it.
    Login(login::Arguments),
    /// Say who is signed in, where, and until when
    Whoami(whoami::Arguments),
    /// Print temporary credentials, as `credential_process` of an AWS profile wants them
    ///
    /// Refreshes them if less than a quarter of an hour is left. Asks nothing, opens no
    /// browser, and fails at once if nobody is signed in.
    Credentials(which::Which),
    /// Serve temporary credentials to programs on this machine, as a container has them
    ///
    /// Prints the two variables that AWS's SDKs and tools built on them look for. Runs
    /// until Ctrl-C or SIGTERM.
    Agent(agent::Arguments),
    /// Sign out
    ///
    /// What is kept on this machine goes away in any case; if the broker cannot be told,
    /// that is said.
    Logout(logout::Arguments),
}

impl Command {
    /// Runs the command to its end, or until somebody ends it. What asks a keyring for it ends with it.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        if let Self::Agent(arguments) = self {
            // It hears by itself that it is to end.
            let ended = agent::run(arguments).await;
            let_go_of_keyring();
            return ended;
        }
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let signal = tokio::select! {
            ended = self.answer() => return ended,
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        };
        let_go_of_keyring();
        // As a shell says it of a program that a signal ended.
        std::process::exit(128 + signal.as_raw_value())
    }

    async fn answer(self) -> anyhow::Result<()> {
        match self {
            Self::Login(arguments) => login::run(arguments).await,
            Self::Whoami(arguments) => whoami::run(arguments).await,
            Self::Credentials(which) => credentials::run(&which).await,
            Self::Agent(arguments) => agent::run(arguments).await,
            Self::Logout(arguments) => logout::run(arguments).await,
        }
    }
}
