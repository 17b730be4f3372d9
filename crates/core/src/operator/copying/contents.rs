//! What is in a store: how much of each kind, and a digest of it, which does not depend on the order in which it is read.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};

use crate::store::StoreError;
use crate::store::items::form;
use crate::store::whole::Kept;

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Pools.
    Pools,
    /// Names of configurations that lead to pools.
    ConfiguredNames,
    /// Identities with their logins.
    Identities,
    /// Access keys of developers.
    AccessKeys,
    /// Keys that sign.
    SigningKeys,
    /// Master keys that were announced.
    MasterKeys,
    /// Revocations.
    Revocations,
    /// Sessions of people who signed in.
    Sessions,
    /// Devices that wait for a login.
    DeviceAuthorizations,
    /// Logins that wait for their apps.
    LoginGrants,
    /// Names that were used.
    UsedNames,
    /// Positions of exporters.
    ExportPositions,
    /// Refusals of people who proved nothing.
    Refusals,
    /// Lines of the audit trail.
    TrailLines,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Pools,
        Self::ConfiguredNames,
        Self::Identities,
        Self::AccessKeys,
        Self::SigningKeys,
        Self::MasterKeys,
        Self::Revocations,
        Self::Sessions,
        Self::DeviceAuthorizations,
        Self::LoginGrants,
        Self::UsedNames,
        Self::ExportPositions,
        Self::Refusals,
        Self::TrailLines,
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pools => "pools",
            Self::ConfiguredNames => "names of pools",
            Self::Identities => "identities",
            Self::AccessKeys => "access keys",
            Self::SigningKeys => "signing keys",
            Self::MasterKeys => "master keys",
            Self::Revocations => "revocations",
            Self::Sessions => "sessions",
            Self::DeviceAuthorizations => "device authorizations",
            Self::LoginGrants => "login grants",
            Self::UsedNames => "names used once",
            Self::ExportPositions => "positions of exporters",
            Self::Refusals => "refusals",
            Self::TrailLines => "lines of the audit trail",
        }
    }

    pub(super) fn of(kept: &Kept) -> Self {
        match kept {
            Kept::Pool(_) => Self::Pools,
            Kept::ConfiguredName { .. } => Self::ConfiguredNames,
            Kept::Identity(_) => Self::Identities,
            Kept::AccessKey(_) => Self::AccessKeys,
            Kept::SigningKey(_) => Self::SigningKeys,
            Kept::MasterKey(_) => Self::MasterKeys,
            Kept::Revocation { .. } => Self::Revocations,
            Kept::Session(_) => Self::Sessions,
            Kept::DeviceAuthorization(_) => Self::DeviceAuthorizations,
            Kept::LoginGrant(_) => Self::LoginGrants,
            Kept::UsedName { .. } => Self::UsedNames,
            Kept::ExportPosition { .. } => Self::ExportPositions,
            Kept::Refusal { .. } => Self::Refusals,
        }
    }
}

/// How many there are of a kind, and the sum of the hashes of what they say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many.
    pub count: u64,
    digest: [u64; 4],
}

impl Sum {
    fn add(&mut self, said: &[u8]) {
        let hash = digest(&SHA256, said);
        self.count += 1;
        for (lane, bytes) in self.digest.iter_mut().zip(hash.as_ref().chunks_exact(8)) {
            let bytes = bytes.try_into().expect("a chunk has eight bytes");
            *lane = lane.wrapping_add(u64::from_be_bytes(bytes));
        }
    }
}

/// The digest, as far as people compare it.
impl fmt::Display for Sum {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{:016x}{:016x}", self.digest[0], self.digest[1])
    }
}

/// What is in a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents(BTreeMap<Kind, Sum>);

impl Contents {
    /// How much of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Sum {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    pub(super) fn add(&mut self, kept: &Kept) -> Result<(), StoreError> {
        let said = form(kept)?;
        self.0.entry(Kind::of(kept)).or_default().add(&said);
        Ok(())
    }

    pub(super) fn add_line(&mut self, line: &[u8]) {
        self.0.entry(Kind::TrailLines).or_default().add(line);
    }

    /// The names of what is not the same in another one.
    pub(super) fn differences(&self, other: &Self) -> Vec<&'static str> {
        Kind::ALL.into_iter().filter(|kind| self.of(*kind) != other.of(*kind)).map(Kind::name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::Timestamp;

    fn used(name: &str, second: i64) -> Kept {
        Kept::UsedName { name: name.into(), until: Timestamp::from_second(second).unwrap() }
    }

    fn contents(kept: &[Kept]) -> Contents {
        let mut contents = Contents::default();
        for kept in kept {
            contents.add(kept).unwrap();
        }
        contents
    }

    #[test]
    fn contents_are_the_same_in_any_order_and_differ_if_anything_does() {
        let all = contents(&[used("a", 1), used("b", 2)]);
        assert_eq!(all, contents(&[used("b", 2), used("a", 1)]));
        for other in [
            vec![used("a", 2), used("b", 1)],
            vec![used("a", 1)],
            vec![used("a", 1), used("b", 2), used("b", 2)],
            vec![used("a", 1), used("c", 2)],
        ] {
            assert_eq!(all.differences(&contents(&other)), ["names used once"], "{other:?}");
        }
        let mut with_line = all.clone();
        with_line.add_line(b"line");
        assert_eq!(with_line.differences(&all), ["lines of the audit trail"]);
    }
}
