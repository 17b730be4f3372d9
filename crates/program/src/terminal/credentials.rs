//! `daypass credentials`: what `credential_process` of an AWS profile runs.

use std::time::SystemTime;

use anyhow::Context;
use daypass_client::Session;
use daypass_server::cli::print;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::which::Which;

pub async fn run(which: &Which) -> anyhow::Result<()> {
    let session = which.find()?.session().await?;
    Ok(print(&document(&session)?.to_string())?)
}

/// The document of "Sourcing credentials with an external process" (AWS CLI User Guide).
fn document(session: &Session) -> anyhow::Result<Value> {
    let credentials = session.credentials();
    Ok(json!({
        "Version": 1,
        "AccessKeyId": credentials.access_key_id(),
        "SecretAccessKey": credentials.secret_access_key(),
        "SessionToken": credentials.session_token(),
        "Expiration": timestamp(session.expires_at())?.to_string(),
    }))
}

/// A time as AWS's clients read it.
pub fn timestamp(time: SystemTime) -> anyhow::Result<Timestamp> {
    Timestamp::try_from(time).context("the calendar does not go so far")
}
