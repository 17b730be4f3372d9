//! What was asked and told, and when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Somebody, at the developer's or at a public provider's.
pub type User = u32;

/// The ID of an identity.
pub type Id = Arc<str>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Login {
    Developer(User),
    Public(User),
}

/// What somebody shows a login for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// GetOpenIdTokenForDeveloperIdentity
    Token,
    /// GetId
    Id,
    /// GetCredentialsForIdentity
    Credentials,
    /// A session, at `/oauth2/token`
    Session,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    LogIn {
        want: For,
        logins: Vec<Login>,
        identity: Option<Id>,
    },
    /// GetId, without logins
    Guest,
    /// MergeDeveloperIdentities
    Merge {
        source: User,
        destination: User,
    },
    /// UnlinkDeveloperIdentity, or UnlinkIdentity
    Unlink {
        identity: Id,
        login: Login,
    },
    /// DeleteIdentities
    Delete(Vec<Id>),
    /// LookupDeveloperIdentity
    LookUp(User),
    /// `daypass revoke`
    Revoke {
        identity: Id,
        until: Span,
    },
    /// A token is traded for credentials, or credentials are shown.
    Use(Ground),
    /// A session goes on.
    Refresh(Session),
}

/// An instant is in there, in milliseconds by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: i64,
    pub until: i64,
}

/// What a token, or credentials, rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    pub identity: Id,
    pub logins: Vec<Login>,
    pub issued: Span,
    pub session: Option<Session>,
}

/// Somebody who stays signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    pub id: Id,
    pub user: User,
    /// With which it began.
    pub identity: Id,
    pub begun: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Identity(Id),
    Done,
    Refused(Refusal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    NoSuchIdentity,
    NoSuchUser,
    Disabled,
    NotAmongItsLogins,
    OfAnotherIdentity,
    TwoUsersOfOneProvider,
    /// What was shown does not count any more.
    Lapsed,
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub asked: Duration,
    pub question: Question,
    /// Nothing, if nobody knows what became of it: it may have been done at any time since, or never.
    pub told: Option<(Duration, Told)>,
}

impl Question {
    pub fn log_in(want: For, login: Login) -> Self {
        Self::LogIn { want, logins: vec![login], identity: None }
    }

    /// Whether it may change who has which identity, and somebody may be told of that.
    pub fn moves_somebody(&self) -> bool {
        match self {
            Self::LogIn { .. } | Self::Merge { .. } | Self::Unlink { .. } | Self::Delete(_) => true,
            Self::Guest | Self::LookUp(_) | Self::Revoke { .. } | Self::Use(_) | Self::Refresh(_) => false,
        }
    }

    fn identities(&self) -> Vec<&Id> {
        match self {
            Self::LogIn { identity, .. } => identity.iter().collect(),
            Self::Unlink { identity, .. }
            | Self::Revoke { identity, .. }
            | Self::Use(Ground { identity, .. })
            | Self::Refresh(Session { identity, .. }) => vec![identity],
            Self::Delete(identities) => identities.iter().collect(),
            Self::Guest | Self::Merge { .. } | Self::LookUp(_) => Vec::new(),
        }
    }

    fn logins(&self) -> Vec<Login> {
        match self {
            Self::LogIn { logins, .. } | Self::Use(Ground { logins, .. }) => logins.clone(),
            Self::Merge { source, destination } => {
                [source, destination].map(|it| Login::Developer(*it)).to_vec()
            }
            Self::Unlink { login, .. } => vec![*login],
            Self::LookUp(user) | Self::Refresh(Session { user, .. }) => vec![Login::Developer(*user)],
            Self::Guest | Self::Delete(_) | Self::Revoke { .. } => Vec::new(),
        }
    }
}

impl Entry {
    /// Whether each may have been done after the other.
    pub fn overlaps(&self, other: &Self) -> bool {
        let is_asked_in_time =
            |one: &Self, other: &Self| one.told.as_ref().is_none_or(|told| other.asked < told.0);
        is_asked_in_time(self, other) && is_asked_in_time(other, self)
    }

    /// Everybody whom it is about.
    fn names(&self) -> Vec<String> {
        let told = match &self.told {
            Some((_, Told::Identity(id))) => Some(id),
            _ => None,
        };
        let identities = self.question.identities().into_iter().chain(told).map(Id::to_string);
        self.question.logins().iter().map(|login| format!("{login:?}")).chain(identities).collect()
    }
}

/// A history in groups that have nobody in common.
pub fn groups(history: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    // In which group somebody is.
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for entry in history {
        let names = entry.names();
        let met: Vec<usize> = names.iter().filter_map(|name| places.get(name).copied()).collect();
        let place = met.first().copied().unwrap_or(groups.len());
        groups.resize_with(groups.len().max(place + 1), Vec::new);
        for other in met {
            if other != place {
                let mut moved = std::mem::take(&mut groups[other]);
                groups[place].append(&mut moved);
                places.values_mut().filter(|it| **it == other).for_each(|it| *it = place);
            }
        }
        groups[place].push(entry);
        places.extend(names.into_iter().map(|name| (name, place)));
    }
    groups.retain(|group| !group.is_empty());
    groups
}
