//! `daypass revoke`: ends sessions. Credentials that were issued until now stop working at once, and so do
//! the OpenID tokens that could be turned into new ones.

use std::path::PathBuf;

use clap::Args;
use daypass_core::audit::{AuditAction, AuditDraft, AuditTrail};
use daypass_core::clock::{Clock, SystemClock};
use daypass_core::ids::{IdentityId, RequestId, RoleName};
use daypass_core::random::SystemRandom;
use daypass_core::store::{RevocationTarget, Store};
use std::sync::Arc;

use super::print;
use crate::telemetry::AuditFile;
use crate::up::{ROLES, home::Home};
use daypass_store::SqliteStore;

/// End all sessions of an identity or of a role that began until now.
#[derive(Debug, Args)]
pub struct Arguments {
    /// An identity ID, or the name of a role
    #[arg(value_name = "IDENTITY_OR_ROLE")]
    target: String,
    /// Where `daypass up` keeps its state
    #[arg(long, default_value = ".daypass", value_name = "DIR")]
    dir: PathBuf,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let home = Home::existing(&arguments.dir)?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&home.database())?);
    let now = SystemClock.now();
    let mut draft = AuditDraft::new(AuditAction::Revoke, &RequestId::generate(now, &SystemRandom));
    let target = target(&arguments.target, &mut draft)?;
    if let RevocationTarget::Identity(id) = &target {
        anyhow::ensure!(store.lookup_identity(id).await?.is_some(), "there is no identity {id}");
    }
    store.revoke_sessions(&target, now).await?;
    let trail = AuditTrail::new(store, Arc::new(AuditFile::new(home.audit_log()?)), Arc::new(SystemClock));
    trail.allowed(draft).await?;
    Ok(print(&format!("Sessions of {} that began until {now:.0} are over.", arguments.target))?)
}

/// An identity ID has a colon, a role's name cannot have one.
fn target(text: &str, draft: &mut AuditDraft) -> anyhow::Result<RevocationTarget> {
    if text.contains(':') {
        let id = IdentityId::parse(text)?;
        draft.identity_id = Some(id.clone());
        return Ok(RevocationTarget::Identity(id));
    }
    let role = RoleName::parse(text)?;
    let known = ROLES.contains(&role.as_str());
    anyhow::ensure!(known, "there is no role {role}: the roles of `daypass up` are {}", ROLES.join(" and "));
    draft.resource = Some(format!("role {role}"));
    Ok(RevocationTarget::Role(role))
}
