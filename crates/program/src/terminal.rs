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
use futures::future::select_all;
use signal_hook::low_level::emulate_default_handler;
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
            return agent::run(arguments).await;
        }
        let ends =
            [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        let mut heard = Vec::new();
        for kind in ends {
            let mut signal = signal(kind)?;
            heard.push(Box::pin(async move {
                signal.recv().await;
                kind.as_raw_value()
            }));
        }
        let number = tokio::select! {
            ended = self.answer() => return ended,
            (number, ..) = select_all(heard) => number,
        };
        let_go_of_keyring();
        // A shell goes on with a script whose program has ended by itself, whatever it answers.
        let _ = emulate_default_handler(number);
        std::process::exit(128 + number)
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
