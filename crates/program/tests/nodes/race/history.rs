//! What was asked and told, and when.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A developer user.
pub type User = u32;

/// The ID of an identity.
pub type Id = Arc<str>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// GetOpenIdTokenForDeveloperIdentity
    Token { user: User, identity: Option<Id> },
    /// GetId, without logins
    Guest,
    /// MergeDeveloperIdentities
    Merge { source: User, destination: User },
    /// UnlinkDeveloperIdentity
    Unlink { identity: Id, user: User },
    /// DeleteIdentities
    Delete(Vec<Id>),
    /// LookupDeveloperIdentity
    LookUp(User),
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
}

#[derive(Debug, Clone)]
pub struct Entry {
    pub asked: Duration,
    pub question: Question,
    /// Nothing, if nobody knows what became of it: it may have been done at any time since, or never.
    pub told: Option<(Duration, Told)>,
}

impl Entry {
    /// Everybody whom it is about.
    fn names(&self) -> Vec<String> {
        let user = |user: &User| format!("user {user}");
        let mut names = match &self.question {
            Question::Token { user: of, identity } => {
                identity.iter().map(Id::to_string).chain([user(of)]).collect()
            }
            Question::Guest => Vec::new(),
            Question::Merge { source, destination } => vec![user(source), user(destination)],
            Question::Unlink { identity, user: of } => vec![identity.to_string(), user(of)],
            Question::Delete(identities) => identities.iter().map(Id::to_string).collect(),
            Question::LookUp(of) => vec![user(of)],
        };
        if let Some((_, Told::Identity(id))) = &self.told {
            names.push(id.to_string());
        }
        names
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
