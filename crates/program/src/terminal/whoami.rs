//! `daypass whoami`: who is signed in. The broker is asked whether that is still so.

use clap::Args;
use daypass_client::{Daypass, Error, Session};
use daypass_server::cli::{print, tell};
use daypass_server::printable::printable;
use serde_json::json;

use super::credentials::timestamp;
use super::which::Which;

/// Who is asked about.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Print it as a line of JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let daypass = arguments.which.find()?;
    let session = daypass.kept().await?;
    let is_confirmed = match daypass.sessions().await {
        Ok(_) => true,
        Err(error @ (Error::Over { .. } | Error::NotSignedIn(_))) => return Err(error.into()),
        Err(error) => {
            tell(&format!("Whether the session still counts is not known: {error}."));
            false
        }
    };
    let said = if arguments.json {
        as_json(&daypass, &session, is_confirmed)?
    } else {
        as_text(&daypass, &session)?
    };
    Ok(print(&said)?)
}

fn as_text(daypass: &Daypass, session: &Session) -> anyhow::Result<String> {
    let (ends, expires) = (timestamp(session.ends_at())?, timestamp(session.expires_at())?);
    let rows = [
        ("name", session.name.as_deref().unwrap_or("(the provider does not say)")),
        ("provider", &session.provider),
        ("identity", &session.identity_id),
        ("broker", &daypass.name().to_string()),
        ("session", &format!("until {ends}, unless it is used before")),
        ("credentials", &format!("until {expires}, then others")),
    ];
    let lines = rows.map(|(name, value)| format!("{name:<12}{}", printable(value)));
    Ok(lines.join("\n"))
}

fn as_json(daypass: &Daypass, session: &Session, is_confirmed: bool) -> anyhow::Result<String> {
    let document = json!({
        "url": daypass.name().url(),
        "app": daypass.name().app(),
        "name": session.name,
        "provider": session.provider,
        "identity_id": session.identity_id,
        "identity_pool_id": session.identity_pool_id,
        "region": session.region,
        "session_id": session.id,
        "session_ends_at": timestamp(session.ends_at())?.to_string(),
        "credentials_expire_at": timestamp(session.expires_at())?.to_string(),
        "confirmed": is_confirmed,
    });
    Ok(document.to_string())
}
