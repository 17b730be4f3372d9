//! `daypass revoke`: ends sessions.

use std::sync::Arc;

use anyhow::anyhow;
use clap::{ArgGroup, Args};
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::ids::{IdentityId, RoleName};
use daypass_core::operator::revocation::{Hint, RevocationError, Revoked, Revoker, Sessions};
use daypass_store::Open;

use super::place::Place;
use super::{operator, print};

/// Whose sessions to end.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("whose").required(true).args(["target", "everybody"])))]
pub struct Arguments {
    /// An identity ID, or the name of a role
    #[arg(value_name = "IDENTITY_OR_ROLE")]
    target: Option<String>,
    /// End everybody's sessions, such as when an older copy of a database took its place
    #[arg(long)]
    everybody: bool,
    #[command(flatten)]
    place: Place,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let installation = arguments.place.find()?;
    let store = installation.store(Open::Existing).await?;
    let sessions = arguments.target.as_deref().map_or(Ok(Sessions::OfEverybody), sessions)?;
    let revoker = Revoker {
        trail: installation.trail(&store)?,
        roles: installation.role_names(),
        clock: Arc::new(SystemClock),
        store,
    };
    let revoked = revoker.revoke(&sessions, &operator()).await.map_err(explain)?;
    Ok(print(&report(arguments.target.as_deref().unwrap_or("everybody"), revoked))?)
}

/// An identity ID has a colon, a role's name cannot have one.
fn sessions(text: &str) -> anyhow::Result<Sessions> {
    Ok(if text.contains(':') {
        Sessions::OfIdentity(IdentityId::parse(text)?)
    } else {
        Sessions::OfRole(RoleName::parse(text)?)
    })
}

fn report(target: &str, Revoked { until, hint }: Revoked) -> String {
    let over = format!("Sessions of {target} that began until {until:.0} are over.");
    match hint {
        None => over,
        Some(Hint::NoIdentity) => format!(
            "{over}\nThere is no identity of this ID now. If none was deleted, look whether the ID is misspelt."
        ),
        Some(Hint::Merged) => format!(
            "{over}\nThis identity was merged into another one, whose sessions go on: revoke that one, which \
             `daypass audit who {target}` names."
        ),
    }
}

fn explain(error: RevocationError) -> anyhow::Error {
    match error {
        RevocationError::UnknownRole { .. } => {
            anyhow!("{error}, and to `daypass up` those of the file that you name by --config")
        }
        RevocationError::Store(_) | RevocationError::NotRecorded { .. } => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::Timestamp;

    use super::*;

    #[test]
    fn what_has_a_colon_is_an_identity() {
        let id = IdentityId::parse("us-east-1:aa").unwrap();
        assert_eq!(sessions("us-east-1:aa").unwrap(), Sessions::OfIdentity(id));
        assert_eq!(sessions("reader").unwrap(), Sessions::OfRole(RoleName::parse("reader").unwrap()));
        assert!(sessions("us-east-1:AA").is_err() && sessions("two words").is_err());
    }

    #[test]
    fn an_id_that_may_be_misspelt_is_told() {
        let until = Timestamp::UNIX_EPOCH;
        let found = report("us-east-1:aa", Revoked { until, hint: None });
        assert_eq!(found, "Sessions of us-east-1:aa that began until 1970-01-01T00:00:00Z are over.");
        let unknown = report("us-east-1:aa", Revoked { until, hint: Some(Hint::NoIdentity) });
        assert!(unknown.starts_with(&format!("{found}\nThere is no identity of this ID now.")), "{unknown}");
        let merged = report("us-east-1:aa", Revoked { until, hint: Some(Hint::Merged) });
        assert!(
            merged.ends_with("revoke that one, which `daypass audit who us-east-1:aa` names."),
            "{merged}"
        );
    }
}
