//! The commands, one file each.

mod audit;
mod backup;
mod check;
mod gc;
mod health;
mod key;
pub mod lambda;
mod master_key;
mod migrate;
mod place;
mod pool;
mod progress;
mod provider;
pub mod reread;
mod restore;
mod revoke;
mod serve;
pub mod signals;
mod signing_key;
mod store;
mod wrapping;

use std::io::{ErrorKind, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use daypass_core::audit::Requester;
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::RequestId;
use daypass_core::ground::random::SystemRandom;
use daypass_core::iam::Origin;
use daypass_core::token::signer::NotReady;

use crate::telemetry::{self, Flushing};

/// What `daypass` can be told to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve an installation: what runs in production
    ///
    /// Runs until Ctrl-C or SIGTERM; SIGHUP has it read the configuration again. Speaks
    /// plain HTTP: let a proxy or a load balancer end TLS in front of it. Prints one
    /// line of JSON on stdout when ready; the log goes to stderr, and what is decided
    /// to the audit trail beside the store.
    Serve(serve::Arguments),
    /// Say whether a server on this machine lives
    ///
    /// For whoever looks after its container, whose image has nothing else that could
    /// ask: prints "alive", or ends with 1 and the reason. With --ready it says whether
    /// the server can do its work: who restarts what is not ready makes an outage of the
    /// store one of all servers. Reads no configuration.
    Health(health::Arguments),
    /// Tell every mistake of a configuration, with its line
    ///
    /// Starts nothing. The file is one for `daypass serve` if it has a key that is
    /// production's (public_url, master_key, store, the name of a pool), and else one
    /// for `daypass up --config`.
    Check(check::Arguments),
    /// Ask the audit trail
    #[command(subcommand)]
    Audit(audit::Question),
    /// End all sessions of an identity or of a role
    ///
    /// Those that began until now, and no later ones.
    Revoke(revoke::Arguments),
    /// Copy everything that an installation keeps into a file
    ///
    /// A running server goes on meanwhile. All that it acknowledged before is in the
    /// file, which is checked, and complete or not there. The file says who logs in:
    /// keep it private. The master key is not in it.
    Backup(backup::Arguments),
    /// Put a backup in the place of what an installation keeps
    ///
    /// No server may run meanwhile. What was there is kept beside it. All sessions
    /// end, and what was changed since the backup is undone: docs/back-up.md says what
    /// to look at then.
    Restore(restore::Arguments),
    /// Bring what an installation keeps to the version of this program
    ///
    /// Tells each step, and says if there is none. A start does the same unless the
    /// configuration says migrate = false. Servers of the version before may run
    /// meanwhile, on a store that is no file; an older program that could not live with
    /// it refuses to start.
    Migrate(migrate::Arguments),
    /// Delete at once what is over, which servers delete by and by
    ///
    /// What has expired, what deleted pools left behind, and what keep and keep_size
    /// say to drop of the audit trail. Servers go on meanwhile. It may be stopped and
    /// begun again.
    Gc(gc::Arguments),
    /// List, show and try identity providers, or write the block of one
    #[command(subcommand)]
    Provider(provider::Task),
    /// Create, list, rotate, disable and delete developer access keys
    #[command(subcommand)]
    Key(key::Task),
    /// List master keys, and seal everything anew under the one that seals now
    #[command(subcommand)]
    MasterKey(master_key::Task),
    /// List, show, copy, export and import identity pools
    #[command(subcommand)]
    Pool(pool::Task),
    /// Make what a store needs, say how others make it, and copy one into another
    #[command(subcommand)]
    Store(store::Task),
}

impl Command {
    /// Runs the command to its end.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Serve(arguments) => serve::run(arguments).await,
            Self::Health(arguments) => health::run(arguments).await,
            Self::Check(arguments) => check::run(arguments).await,
            Self::Audit(question) => audit::run(question).await,
            Self::Revoke(arguments) => revoke::run(arguments).await,
            Self::Backup(arguments) => backup::run(arguments).await,
            Self::Restore(arguments) => restore::run(arguments).await,
            Self::Migrate(arguments) => Box::pin(migrate::run(arguments)).await,
            Self::Gc(arguments) => gc::run(arguments).await,
            Self::Provider(task) => provider::run(task).await,
            Self::Key(task) => key::run(task).await,
            Self::MasterKey(task) => master_key::run(task).await,
            Self::Pool(task) => pool::run(task).await,
            Self::Store(task) => store::run(task).await,
        }
    }
}

/// The status where an HSM refuses the PIN: whoever starts programs again must not start this one (EX_NOPERM of sysexits.h). The
/// unit in deploy/systemd has it, too.
const REFUSED: u8 = 77;

/// So long has what is still being done when a command has ended.
const AT_THE_END: Duration = Duration::from_secs(1);

/// Runs a command to its end, and tells what went wrong.
#[must_use]
pub fn conclude(command: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error)),
    };
    let _flushing = Flushing;
    let code = match runtime.block_on(command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    };
    // Whatever nobody waits for any more, such as a pipe that says nothing, does not keep the process.
    runtime.shutdown_timeout(AT_THE_END);
    code
}

/// What a shell makes of a program that the signal `SIGPIPE` ends.
const NOBODY_READS: u8 = 128 + 13;

fn fail(error: &anyhow::Error) -> ExitCode {
    // Whoever pipes a listing into `head` has seen enough.
    if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return ExitCode::from(NOBODY_READS);
    }
    telemetry::tell(&complaint(error, wrapping::width()));
    match error.downcast_ref() {
        Some(NotReady::Refused(_)) => ExitCode::from(REFUSED),
        _ => ExitCode::FAILURE,
    }
}

/// What is told of an error, in lines that fit.
fn complaint(error: &anyhow::Error, width: Option<usize>) -> String {
    let text = format!("daypass: {}", sentence(error));
    width.map_or(text.clone(), |width| wrapping::wrapped(&text, width))
}

/// An error and its causes, without those whose words an error before them has said already.
fn sentence(error: &anyhow::Error) -> String {
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if said.is_empty() {
            said = cause;
        } else if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Who runs a command. The audit trail knows them by an ID of its own for each run.
fn operator() -> Requester {
    let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
    Requester::anonymous(&request_id, Origin::default())
}

/// Lines for people, on stderr. Those that are indented have commands and addresses to copy, and stay as they are.
pub fn tell(text: &str) {
    telemetry::tell(&fitting(text, wrapping::width()));
}

fn fitting(text: &str, width: Option<usize>) -> String {
    let Some(width) = width else { return text.to_owned() };
    let fit =
        |line: &str| if line.starts_with(' ') { line.to_owned() } else { wrapping::wrapped(line, width) };
    text.split('\n').map(fit).collect::<Vec<_>>().join("\n")
}

/// Reads where something listens.
fn socket_address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(
        |_| "write an IP address and a port, such as 127.0.0.1:9400, or 0.0.0.0:9400 for every network",
    )
}

/// A line of output, on stdout.
///
/// # Errors
/// If nobody reads it.
pub fn print(line: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn what_was_logged_last_is_written_however_a_command_ends() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let lines = telemetry::file("test", &log).unwrap();
        let read = || std::fs::read_to_string(&log).unwrap();
        let done = conclude(async {
            lines.push("first\n".into());
            Ok(())
        });
        assert_eq!((done, read()), (ExitCode::SUCCESS, "first\n".to_owned()));
        let failed = conclude(async {
            lines.push("second\n".into());
            Err(anyhow::anyhow!("it went wrong"))
        });
        assert_eq!((failed, read()), (ExitCode::FAILURE, "first\nsecond\n".to_owned()));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            conclude(async {
                lines.push("third\n".into());
                panic!("on purpose")
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(read(), "first\nsecond\nthird\n");
    }

    /// What a type of arguments says of itself in several paragraphs, the command that has them would shadow.
    #[test]
    fn no_help_is_written_where_nobody_sees_it() {
        use clap::Args;
        type Augment = fn(clap::Command) -> clap::Command;
        let arguments: [(&str, Augment); 24] = [
            ("serve", serve::Arguments::augment_args),
            ("health", health::Arguments::augment_args),
            ("check", check::Arguments::augment_args),
            ("revoke", revoke::Arguments::augment_args),
            ("backup", backup::Arguments::augment_args),
            ("restore", restore::Arguments::augment_args),
            ("migrate", migrate::Arguments::augment_args),
            ("gc", gc::Arguments::augment_args),
            ("key create", key::Create::augment_args),
            ("key rotate", key::OfName::augment_args),
            ("key disable", key::OfId::augment_args),
            ("audit who", audit::Who::augment_args),
            ("audit user", audit::User::augment_args),
            ("audit list", audit::List::augment_args),
            ("audit verify", audit::Verify::augment_args),
            ("audit key", audit::Key::augment_args),
            ("pool show", pool::Show::augment_args),
            ("pool list", pool::Database::augment_args),
            ("key list", place::Place::augment_args),
            ("master-key create", master_key::Create::augment_args),
            ("store create", store::Create::augment_args),
            ("store copy", store::Copying::augment_args),
            ("store take-over", store::TakeOver::augment_args),
            ("store describe", store::Describe::augment_args),
        ];
        for (command, augment) in arguments {
            let said = augment(clap::Command::new("arguments"));
            assert!(said.get_long_about().is_none(), "{command}: {:?}", said.get_long_about());
        }
    }

    #[test]
    fn a_command_says_at_length_what_has_to_be_known() {
        let daypass = Command::augment_subcommands(clap::Command::new("daypass"));
        let long = |path: &[&str]| {
            let command = path.iter().fold(&daypass, |command, name| command.find_subcommand(name).unwrap());
            command.get_long_about().unwrap_or_default().to_string()
        };
        for (path, phrase) in [
            (&["serve"][..], "Speaks plain HTTP"),
            (&["health"], "prints \"alive\""),
            (&["check"], "Starts nothing."),
            (&["revoke"], "no later ones"),
            (&["backup"], "The master key is not in it."),
            (&["restore"], "No server may run meanwhile."),
            (&["migrate"], "says if there is none"),
            (&["gc"], "It may be stopped and"),
            (&["provider", "try"], "the address to sign in at"),
            (&["key", "create"], "AWS credentials file"),
            (&["master-key", "rotate"], "Says when the old key may be"),
            (&["pool", "copy"], "does it with --apply"),
            (&["store", "create"], "What is there already stays;"),
            (&["store", "copy"], "End every server first."),
            (&["store", "take-over"], "One Region writes a global table"),
        ] {
            assert!(long(path).contains(phrase), "{path:?}: {}", long(path));
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("line 3: {source}")]
    struct Wrapped {
        source: std::io::Error,
    }

    #[test]
    fn an_error_says_nothing_twice() {
        let wrapped = Wrapped { source: std::io::Error::other("no such host") };
        let error = anyhow::Error::from(wrapped).context("more.toml cannot be used");
        assert_eq!(sentence(&error), "more.toml cannot be used: line 3: no such host");
    }

    #[test]
    fn what_is_told_fits_into_a_terminal_and_stays_whole_for_others() {
        let error = anyhow::anyhow!("the keyring cannot be used: it is locked\n  and this too is told");
        let whole = "daypass: the keyring cannot be used: it is locked\n  and this too is told";
        assert_eq!(complaint(&error, None), whole);
        let lines = "daypass: the keyring\ncannot be used: it is\nlocked\n  and this too is\n  told";
        assert_eq!(complaint(&error, Some(21)), lines);
        let text = "Sign in in your browser, at\n\n  export ADDRESS=https://login.example.com\n";
        assert_eq!(fitting(text, None), text);
        let lines = "Sign in in your\nbrowser, at\n\n  export ADDRESS=https://login.example.com\n";
        assert_eq!(fitting(text, Some(21)), lines);
    }
}
