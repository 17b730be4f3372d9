//! What should come of a question, told once more and in other words than `linking.rs` and `standing.rs`.

mod ending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use self::ending::{Doubts, Revoked};
use super::history::{Entry, For, Id, Login, Question, Refusal, Told, User};

/// Instants of identities are kept in these.
const MILLISECOND: Duration = Duration::from_millis(1);

/// Every identity that ever was, and the sessions that are over.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub struct People {
    all: BTreeMap<Name, Person>,
    over: BTreeSet<Id>,
    doubts: Arc<Doubts>,
}

/// An identity whose ID nobody was told yet has a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Name {
    Told(Id),
    Untold(usize),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Person {
    stage: Stage,
    logins: BTreeSet<Login>,
    /// Between when and when it was made.
    made: (Duration, Duration),
    merged_into: Option<Name>,
    revoked: Revoked,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    Guest,
    Person,
    Disabled,
    Deleted,
}

#[derive(Clone)]
enum Answer {
    Identity(Name),
    Done,
    Refused(Refusal),
}

/// What may come of a question, and everybody as they are then.
type Outcomes = Vec<(People, Answer)>;

impl People {
    /// Nobody yet, where all of this is to be asked.
    pub fn before(history: &[Entry]) -> Self {
        Self { doubts: Arc::new(Doubts::of(history)), ..Self::default() }
    }

    /// Everybody after an entry, in each way that may have been.
    pub fn after(&self, entry: &Entry) -> Vec<Self> {
        let outcomes = self
            .clone()
            .answer(entry)
            .unwrap_or_else(|refusal| vec![(self.clone(), Answer::Refused(refusal))]);
        let told = entry.told.as_ref().map(|(_, told)| told);
        let is_so = |(mut people, answer): (Self, Answer)| match (told, answer) {
            (None, _) | (Some(Told::Done), Answer::Done) => Some(people),
            (Some(Told::Identity(id)), Answer::Identity(name)) => people.tell(&name, id).then_some(people),
            (Some(Told::Refused(told)), Answer::Refused(refusal)) => (*told == refusal).then_some(people),
            _ => None,
        };
        outcomes.into_iter().filter_map(is_so).collect()
    }

    /// An ID that somebody was told is that of an identity from now on.
    fn tell(&mut self, name: &Name, id: &Id) -> bool {
        if let Name::Told(known) = name {
            return known == id;
        }
        let told = Name::Told(id.clone());
        let is_free = !self.all.contains_key(&told);
        if is_free && let Some(person) = self.all.remove(name) {
            self.all.insert(told.clone(), person);
            let led_there = self.all.values_mut().filter(|other| other.merged_into.as_ref() == Some(name));
            led_there.for_each(|other| other.merged_into = Some(told.clone()));
        }
        is_free
    }

    fn answer(mut self, entry: &Entry) -> Result<Outcomes, Refusal> {
        match &entry.question {
            Question::LogIn { want, logins, identity } => {
                let outcomes = self.log_in(entry, logins, identity.as_ref())?;
                Ok(if *want == For::Credentials {
                    self.doubts.with_lapses(entry, outcomes)
                } else {
                    outcomes
                })
            }
            Question::Guest => {
                let name = self.create(entry, Stage::Guest, BTreeSet::new());
                Ok(vec![(self, Answer::Identity(name))])
            }
            Question::Merge { source, destination } => {
                let [source, destination] = [source, destination].map(|it| self.owner(Login::Developer(*it)));
                let (source, destination) = (source?, destination?);
                self.join(&destination, &BTreeSet::from([source]), &[])?;
                Ok(vec![(self, Answer::Identity(destination))])
            }
            Question::Unlink { identity, login } => {
                let name = self.living(identity)?;
                self.check_owner(&name, *login)?;
                self.person(&name).logins.remove(login);
                Ok(vec![(self, Answer::Done)])
            }
            Question::Delete(ids) => {
                for id in ids {
                    if let Some(person) = self.all.get_mut(&Name::Told(id.clone())) {
                        (person.stage, person.logins) = (Stage::Deleted, BTreeSet::new());
                    }
                }
                Ok(vec![(self, Answer::Done)])
            }
            Question::LookUp(user) => {
                let owner = self.owner(Login::Developer(*user))?;
                Ok(vec![(self, Answer::Identity(owner))])
            }
            Question::Revoke { identity, until } => {
                if let Some(person) = self.all.get_mut(&Name::Told(identity.clone())) {
                    // Of whoever was merged into somebody else, a session that was refreshed since is theirs, and goes on.
                    let revoked = &mut person.revoked;
                    match &person.merged_into {
                        Some(_) => revoked.extend_perhaps(*until),
                        None => revoked.extend(*until),
                    }
                }
                Ok(vec![(self, Answer::Done)])
            }
            Question::Use(ground) => Ok(self.shown(ground)),
            Question::Refresh(session) => Ok(self.refreshed(session)),
        }
    }

    /// Where logins lead, which are of one person from now on.
    fn log_in(&self, entry: &Entry, logins: &[Login], identity: Option<&Id>) -> Result<Outcomes, Refusal> {
        let named = identity.map(|id| self.living(id)).transpose()?;
        let owner = |login: &Login| self.owner(*login).ok();
        let owners: BTreeSet<Name> = logins.iter().filter_map(owner).collect();
        if let Some(named) = &named {
            let is_elsewhere = |login: &Login| owner(login).is_some_and(|owner| owner != *named);
            if logins.iter().any(|login| matches!(login, Login::Developer(_)) && is_elsewhere(login)) {
                return Err(Refusal::OfAnotherIdentity);
            }
            if self.all[named].stage == Stage::Person && !owners.contains(named) {
                return Err(Refusal::NotAmongItsLogins);
            }
        }
        let survivors =
            if owners.is_empty() { named.iter().cloned().collect() } else { self.oldest(&owners) };
        if survivors.is_empty() {
            let mut people = self.clone();
            let made = people.create(entry, Stage::Person, logins.iter().copied().collect());
            return Ok(vec![(people, Answer::Identity(made))]);
        }
        let all: BTreeSet<Name> = owners.into_iter().chain(named).collect();
        let outcome = |survivor: Name| {
            let mut people = self.clone();
            people.join(&survivor, &all, logins)?;
            Ok((people, Answer::Identity(survivor)))
        };
        survivors.into_iter().map(outcome).collect()
    }

    /// Whoever of them may be the oldest.
    fn oldest(&self, names: &BTreeSet<Name>) -> Vec<Name> {
        let latest = names.iter().map(|name| self.all[name].made.1).min().unwrap_or_default();
        let may_be = |name: &&Name| self.all[*name].made.0 <= latest.saturating_add(MILLISECOND);
        names.iter().filter(may_be).cloned().collect()
    }

    /// One identity has everything that others have, and more.
    fn join(&mut self, survivor: &Name, others: &BTreeSet<Name>, more: &[Login]) -> Result<(), Refusal> {
        let mut logins: BTreeSet<Login> = more.iter().copied().collect();
        for name in others.iter().chain([survivor]) {
            logins.extend(&self.all[name].logins);
        }
        if logins.iter().filter(|login| matches!(login, Login::Public(_))).count() > 1 {
            return Err(Refusal::TwoUsersOfOneProvider);
        }
        for other in others.iter().filter(|other| *other != survivor) {
            let ended = self.person(other);
            (ended.stage, ended.logins) = (Stage::Disabled, BTreeSet::new());
            ended.merged_into = Some(survivor.clone());
        }
        let survivor = self.person(survivor);
        (survivor.stage, survivor.logins) = (Stage::Person, logins);
        Ok(())
    }

    /// A developer names anybody; whoever shows a public login, only their own identity.
    fn check_owner(&self, name: &Name, login: Login) -> Result<(), Refusal> {
        match (login, self.owner(login)) {
            (_, Ok(owner)) if owner == *name => Ok(()),
            (Login::Public(_), _) => Err(Refusal::NotAmongItsLogins),
            (Login::Developer(_), Ok(_)) => Err(Refusal::OfAnotherIdentity),
            (Login::Developer(_), Err(refusal)) => Err(refusal),
        }
    }

    fn living(&self, id: &Id) -> Result<Name, Refusal> {
        let name = Name::Told(id.clone());
        match self.all.get(&name).map(|person| person.stage) {
            None | Some(Stage::Deleted) => Err(Refusal::NoSuchIdentity),
            Some(Stage::Disabled) => Err(Refusal::Disabled),
            Some(Stage::Guest | Stage::Person) => Ok(name),
        }
    }

    fn owner(&self, login: Login) -> Result<Name, Refusal> {
        let mut owners = self.all.iter().filter(|(_, person)| person.logins.contains(&login));
        owners.next().map(|(name, _)| name.clone()).ok_or(Refusal::NoSuchUser)
    }

    fn owner_of_user(&self, user: User) -> Option<Name> {
        self.owner(Login::Developer(user)).ok()
    }

    fn person(&mut self, name: &Name) -> &mut Person {
        self.all.get_mut(name).expect("it was found before")
    }

    fn create(&mut self, entry: &Entry, stage: Stage, logins: BTreeSet<Login>) -> Name {
        let is_free = |name: &Name| !self.all.contains_key(name);
        let name =
            (0..=self.all.len()).map(Name::Untold).find(is_free).expect("there is one more than are taken");
        let made = (entry.asked, entry.told.as_ref().map_or(Duration::MAX, |(at, _)| *at));
        let person = Person { stage, logins, made, merged_into: None, revoked: Revoked::default() };
        self.all.insert(name.clone(), person);
        name
    }
}
