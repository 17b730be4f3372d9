//! `daypass login`: a browser, and the way back from it.

mod browser;
mod callback;
mod paste;

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use daypass_client::{Daypass, Home, Session, SessionName, SignIn, SignedIn, TERMINAL};
use daypass_server::cli::{print, tell};
use daypass_server::printable::printable;

use self::browser::Browser;
use self::callback::{Back, Callback};
use super::profile::Profile;
use super::which;

/// The broker gives a browser as long as this at a provider.
const PATIENCE: Duration = Duration::from_mins(10);

/// Where to sign in, and how.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The broker's address
    #[arg(value_name = "URL")]
    url: String,
    /// The app's ID in the broker's configuration
    #[arg(long, value_name = "ID", default_value = TERMINAL)]
    app: String,
    /// The provider to sign in at; without it, you choose on the broker's page
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Write an AWS profile of this name, which `aws --profile NAME` and every SDK can use
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// Open no browser here; the address can be opened on any machine
    #[arg(long)]
    no_browser: bool,
    /// Seal the session's file by a key in your keyring, for backups and stolen disks
    ///
    /// Without it the file is readable to you alone, and that is all. On Linux it takes
    /// `secret-tool` and a Secret Service, such as GNOME's or KDE's; on a server there is
    /// none. What uses the session finds the key by itself, as long as the keyring is
    /// unlocked.
    #[arg(long)]
    keyring: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { url, app, provider, profile, no_browser, keyring } = arguments;
    let name = SessionName::new(&url, &app)?;
    // Nobody signs in first, and then hears that the profile is taken.
    let profile = profile.map(|profile| Profile::of_environment(&profile, &name)).transpose()?;
    let daypass = which::at(name, Home::of_environment()?);
    let was_sealed = daypass.is_with_keyring();
    let daypass = if keyring { daypass.with_keyring() } else { daypass };
    let signed_in = sign_in(&daypass, provider.as_deref(), no_browser).await?;
    let session = &signed_in.session;
    print(&welcome(&daypass, session))?;
    if was_sealed && !keyring {
        tell("The session's file is not sealed any more: that takes --keyring at each login.");
    }
    for words in left_behind(&signed_in) {
        tell(&words);
    }
    if let Some(profile) = profile {
        print(&profile.write(&daypass, session).await?)?;
    }
    Ok(())
}

async fn sign_in(daypass: &Daypass, provider: Option<&str>, no_browser: bool) -> anyhow::Result<SignedIn> {
    let mut callback = Callback::bind().await?;
    let sign_in = Arc::new(daypass.begin_sign_in(&callback.redirect_uri(), provider).await?);
    callback.listen(sign_in.clone());
    let opened = !no_browser && Browser::of_environment().is_some_and(|it| it.open(&sign_in.address()));
    tell(&instructions(&sign_in, opened));
    let arrived = tokio::time::timeout(PATIENCE, first(&mut callback, &sign_in, opened)).await;
    let Ok(arrived) = arrived else {
        bail!("nobody signed in within ten minutes: type the command once more")
    };
    let Back { code, answer } = arrived?;
    let finished = daypass.finish_sign_in(&sign_in, &code, &device()).await;
    if let Some(answer) = answer {
        let _ = answer.send(finished.is_ok());
    }
    callback.end().await;
    Ok(finished?)
}

/// A code by whichever way brings one first.
async fn first(callback: &mut Callback, sign_in: &Arc<SignIn>, opened: bool) -> anyhow::Result<Back> {
    tokio::select! {
        back = callback.back() => back,
        code = paste::code(sign_in.clone(), opened) => Ok(Back { code, answer: None }),
    }
}

fn instructions(sign_in: &SignIn, opened: bool) -> String {
    let (address, back) = (sign_in.address(), sign_in.redirect_uri());
    if opened {
        return format!("Sign in in your browser, which opens now. If it does not, go to\n\n  {address}\n");
    }
    format!(
        "Open this address in a browser, on any machine, and sign in:\n\n  {address}\n\n\
         In the end that browser goes to {back}. On another machine than this one it finds nothing there, \
         and says so: copy the whole address of that page, and paste it here.\n"
    )
}

fn welcome(daypass: &Daypass, session: &Session) -> String {
    let who = session.name.as_deref().map(|name| format!(" as {}", printable(name))).unwrap_or_default();
    let identity = printable(&session.identity_id);
    format!("You are signed in at {}{who}. Your identity is {identity}.", daypass.name())
}

/// What a keyring did not let go of, when the session is kept without it from now on.
fn left_behind(SignedIn { unended, unforgotten, .. }: &SignedIn) -> Vec<String> {
    let unended = unended.as_ref().map(|why| {
        format!(
            "The broker does not know that the session before this one is over, for its key is in a keyring that cannot be used: \
             {why}. It ends by itself, or at once by `daypass logout --everywhere`, as this one does."
        )
    });
    let unforgotten = unforgotten.as_ref().map(|why| {
        format!(
            "The key of that session's file is still in the keyring ({why}), and opens copies of the file."
        )
    });
    unended.into_iter().chain(unforgotten).collect()
}

/// What the person reads in the list of their devices. Linux says in a file what the machine is called.
fn device() -> String {
    let system = match std::env::consts::OS {
        "linux" => "Linux",
        "macos" => "macOS",
        other => other,
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().filter(|c| !c.is_control()).take(64).collect();
    if host.is_empty() { format!("Terminal on {system}") } else { format!("Terminal on {host} ({system})") }
}
