//! Which tokens, credentials and sessions count.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use super::super::history::{Entry, For, Ground, Id, Question, Refusal, Session, Span};
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
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    revoked: BTreeMap<Id, i64>,
    over: BTreeSet<Id>,
    /// By when somebody asked for credentials with a login.
    meanwhile: BTreeMap<Duration, Ended>,
}

/// Whoever may have ended while something was asked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Ended {
    /// One person was made of two, whoever they were.
    anybody: bool,
    these: BTreeSet<Id>,
}

/// It is the same all through a search.
impl Hash for Doubts {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Doubts {
    pub fn of(history: &[Entry]) -> Self {
        let mut doubts = Self::default();
        for entry in history {
            match &entry.question {
                Question::Revoke { identity, until } if entry.told.is_none() => {
                    let last = doubts.revoked.entry(identity.clone()).or_insert(until.until);
                    *last = until.until.max(*last);
                }
                Question::Refresh(session) if entry.told.is_none() => {
                    doubts.over.insert(session.id.clone());
                }
                Question::LogIn { want: For::Credentials, .. } => {
                    doubts.meanwhile.insert(entry.asked, Ended::during(entry, history));
                }
                _ => {}
            }
        }
        doubts
    }

    /// Somebody is logged in and given credentials one after the other. What became of them in between, above all in a revocation,
    /// ends the credentials before they are there, and whoever asked hears that.
    pub(super) fn with_lapses(&self, entry: &Entry, outcomes: Outcomes) -> Outcomes {
        let lapsed = |(people, answer): &(People, Answer)| match answer {
            Answer::Identity(name) if self.meanwhile.get(&entry.asked).is_some_and(|it| it.has(name)) => {
                Some((people.clone(), Answer::Refused(Refusal::Disabled)))
            }
            _ => None,
        };
        let lapses: Outcomes = outcomes.iter().filter_map(lapsed).collect();
        outcomes.into_iter().chain(lapses).collect()
    }

    fn spares(&self, identity: &Name, issued: Span) -> Counts {
        let until = if let Name::Told(id) = identity { self.revoked.get(id) } else { None };
        if until.is_some_and(|until| issued.from <= *until) { Counts::Perhaps } else { Counts::Surely }
    }
}

impl Ended {
    fn during(entry: &Entry, history: &[Entry]) -> Self {
        let mut ended = Self::default();
        let others = history.iter().filter(|other| !std::ptr::eq(*other, entry));
        for other in others.filter(|other| other.overlaps(entry)) {
            match &other.question {
                Question::Merge { .. } => ended.anybody = true,
                Question::LogIn { logins, identity, .. } => {
                    ended.anybody |= logins.len() + usize::from(identity.is_some()) > 1;
                }
                Question::Revoke { identity, .. } | Question::Unlink { identity, .. } => {
                    ended.these.insert(identity.clone());
                }
                Question::Delete(ids) => ended.these.extend(ids.iter().cloned()),
                Question::Guest | Question::LookUp(_) | Question::Use(_) | Question::Refresh(_) => {}
            }
        }
        ended
    }

    /// Whose ID nobody was told yet may be any of them.
    fn has(&self, name: &Name) -> bool {
        let is_one = match name {
            Name::Told(id) => self.these.contains(id),
            Name::Untold(_) => !self.these.is_empty(),
        };
        self.anybody || is_one
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

    pub fn extend_perhaps(&mut self, Span { until, .. }: Span) {
        self.perhaps = self.perhaps.max(until);
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
