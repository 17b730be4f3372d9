//! `daypass revoke`: ends sessions. OpenID tokens that were issued until now are worth nothing any more, and neither
//! are credentials that were or will be made of them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use daypass_core::audit::{AuditAction, AuditDraft};
use daypass_core::ground::clock::{Clock, SystemClock};
use daypass_core::ground::ids::{IdentityId, RequestId, RoleName};
use daypass_core::ground::random::SystemRandom;
use daypass_core::store::RevocationTarget;

use super::place::{Opened, Place};
use super::print;
use crate::config::Additions;

/// End all sessions of an identity or of a role that began until now.
#[derive(Debug, Args)]
pub struct Arguments {
    /// An identity ID, or the name of a role
    #[arg(value_name = "IDENTITY_OR_ROLE")]
    target: String,
    #[command(flatten)]
    place: Place,
    /// The file that `daypass up` was given, for the roles in it
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let opened = arguments.place.open()?;
    let request_id = RequestId::generate(SystemClock.now(), &SystemRandom);
    let mut draft = AuditDraft::new(AuditAction::Revoke, &request_id);
    let target = target(&arguments, &opened, &mut draft)?;
    let until = opened.store.revoke_sessions(&target, Arc::new(SystemClock)).await?;
    print(&format!("Sessions of {} that began until {until:.0} are over.", arguments.target))?;
    if let RevocationTarget::Identity(id) = &target
        && opened.store.lookup_identity(id).await?.is_none()
    {
        print("There is no identity of this ID now. If none was deleted, look whether the ID is misspelt.")?;
    }
    let recorded = opened.trail().allowed(draft).await;
    recorded.context("the sessions are over, but the audit trail could not keep that you ended them")
}

/// An identity ID has a colon, a role's name cannot have one.
fn target(
    arguments: &Arguments,
    opened: &Opened,
    draft: &mut AuditDraft,
) -> anyhow::Result<RevocationTarget> {
    let text = &arguments.target;
    if text.contains(':') {
        let id = IdentityId::parse(text)?;
        draft.identity_id = Some(id.clone());
        return Ok(RevocationTarget::Identity(id));
    }
    let role = RoleName::parse(text)?;
    let known = known_roles(opened, arguments.config.as_deref())?;
    anyhow::ensure!(
        known.iter().any(|known| known == role.as_str()),
        "there is no role {role}: there are {}, and to `daypass up` those of the file that you name by --config",
        known.join(", ")
    );
    draft.resource = Some(format!("role {role}"));
    Ok(RevocationTarget::Role(role))
}

/// A misspelt role must not pass for one whose sessions have ended.
fn known_roles(opened: &Opened, config: Option<&Path>) -> anyhow::Result<Vec<String>> {
    let additions = config.map(Additions::read).transpose()?.unwrap_or_default();
    let added = additions.role_names().map(ToString::to_string);
    Ok(opened.role_names().into_iter().chain(added).collect())
}
