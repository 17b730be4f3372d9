//! Which tokens, credentials and sessions count.

use std::collections::{BTreeMap, BTreeSet};

use super::super::history::{Entry, Ground, Id, Question, Refusal, Session, Span};
use super::{Answer, Name, Outcomes, People, Stage};

/// Up to when the sessions of an identity are over: to the first instant surely, to the second perhaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Revoked {
    surely: i64,
    perhaps: i64,
}

impl Default for Revoked {
    fn default() -> Self {
        Self { surely: i64::MIN, perhaps: i64::MIN }
    }
}

/// What may have ended by questions that nobody knows the end of. To try each of them at every time is more than anybody can wait
/// for, and what else ends is found without.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub struct Doubts {
    revoked: BTreeMap<Id, i64>,
    over: BTreeSet<Id>,
}

impl Doubts {
    pub fn of(unknown: &[&Entry]) -> Self {
        let mut doubts = Self::default();
        for entry in unknown {
            match &entry.question {
                Question::Revoke { identity, until } => {
                    let last = doubts.revoked.entry(identity.clone()).or_insert(until.until);
                    *last = until.until.max(*last);
                }
                Question::Refresh(session) => _ = doubts.over.insert(session.id.clone()),
                _ => {}
            }
        }
        doubts
    }

    fn spares(&self, identity: &Name, issued: Span) -> Counts {
        let until = if let Name::Told(id) = identity { self.revoked.get(id) } else { None };
        if until.is_some_and(|until| issued.from <= *until) { Counts::Perhaps } else { Counts::Surely }
    }
}

/// Whether something counts: a clock that is read once cannot tell what came first in one request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    Never,
    Perhaps,
    Surely,
}

impl From<bool> for Counts {
    fn from(counts: bool) -> Self {
        if counts { Self::Surely } else { Self::Never }
    }
}

impl Revoked {
    pub fn extend(&mut self, Span { from, until }: Span) {
        (self.surely, self.perhaps) = (self.surely.max(from), self.perhaps.max(until));
    }

    fn spares(self, issued: Span) -> Counts {
        if issued.until <= self.surely {
            Counts::Never
        } else if issued.from > self.perhaps {
            Counts::Surely
        } else {
            Counts::Perhaps
        }
    }
}

impl People {
    pub(super) fn shown(self, ground: &Ground) -> Outcomes {
        let counts = self.counts(ground);
        outcomes(counts, (self.clone(), Answer::Done), (self, Answer::Refused(Refusal::Lapsed)))
    }

    fn counts(&self, ground: &Ground) -> Counts {
        let name = Name::Told(ground.identity.clone());
        let Some(person) = self.all.get(&name) else { return Counts::Never };
        let has_logins = ground.logins.iter().all(|login| person.logins.contains(login));
        let is_there = Counts::from(person.stage == Stage::Person && has_logins);
        let session = ground.session.as_ref().map_or(Counts::Surely, |session| self.followed(session).1);
        let spared = person.revoked.spares(ground.issued).min(self.doubts.spares(&name, ground.issued));
        is_there.min(spared).min(session)
    }

    /// One that is refused is over, also if what ended it is mended.
    pub(super) fn refreshed(self, session: &Session) -> Outcomes {
        let (identity, counts) = self.followed(session);
        let is_theirs = self.owner_of_user(session.user).is_some_and(|owner| owner == identity);
        let mut over = self.clone();
        over.over.insert(session.id.clone());
        let refused = (over, Answer::Refused(Refusal::Lapsed));
        outcomes(counts.min(is_theirs.into()), (self, Answer::Identity(identity)), refused)
    }

    /// With whom a session is now. What was revoked of any identity that it was with counts.
    fn followed(&self, session: &Session) -> (Name, Counts) {
        let mut name = Name::Told(session.identity.clone());
        let mut counts = Counts::from(!self.over.contains(&session.id));
        if self.doubts.over.contains(&session.id) {
            counts = counts.min(Counts::Perhaps);
        }
        while let Some(person) = self.all.get(&name) {
            counts = counts.min(person.revoked.spares(session.begun));
            counts = counts.min(self.doubts.spares(&name, session.begun));
            match &person.merged_into {
                Some(survivor) => name = survivor.clone(),
                None => return (name, counts.min((person.stage != Stage::Deleted).into())),
            }
        }
        (name, Counts::Never)
    }
}

fn outcomes<T>(counts: Counts, if_it_does: T, if_not: T) -> Vec<T> {
    match counts {
        Counts::Surely => vec![if_it_does],
        Counts::Perhaps => vec![if_it_does, if_not],
        Counts::Never => vec![if_not],
    }
}
