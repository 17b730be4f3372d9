//! What should come of a question, told once more and in other words than `linking.rs`, of developer users alone.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{Id, Question, Refusal, Told, User};

/// Every identity that ever was, with its users.
#[derive(Debug, Default, Clone, PartialEq, Eq, Hash)]
pub struct People(BTreeMap<Name, (Stage, BTreeSet<User>)>);

/// An identity whose ID nobody was told yet has a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Name {
    Told(Id),
    Untold(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Stage {
    Guest,
    Person,
    Disabled,
    Deleted,
}

enum Answer {
    Identity(Name),
    Done,
    Refused(Refusal),
}

impl People {
    /// Everybody after a question that was answered so, or whose answer nobody knows. Nothing, if it cannot have been.
    pub fn after(&self, question: &Question, told: Option<&Told>) -> Option<Self> {
        let mut people = self.clone();
        let answer = people.answer(question).unwrap_or_else(Answer::Refused);
        match (told, answer) {
            (None, _) | (Some(Told::Done), Answer::Done) => Some(people),
            (Some(Told::Identity(id)), Answer::Identity(name)) => people.tell(&name, id).then_some(people),
            (Some(Told::Refused(told)), Answer::Refused(refusal)) => (*told == refusal).then_some(people),
            _ => None,
        }
    }

    /// An ID that somebody was told is that of an identity from now on.
    fn tell(&mut self, name: &Name, id: &Id) -> bool {
        if let Name::Told(known) = name {
            return known == id;
        }
        let is_free = !self.0.contains_key(&Name::Told(id.clone()));
        if is_free && let Some(person) = self.0.remove(name) {
            self.0.insert(Name::Told(id.clone()), person);
        }
        is_free
    }

    fn answer(&mut self, question: &Question) -> Result<Answer, Refusal> {
        match question {
            Question::Token { user, identity: None } => {
                let known = self.owner(*user).ok();
                Ok(Answer::Identity(
                    known.unwrap_or_else(|| self.create(Stage::Person, BTreeSet::from([*user]))),
                ))
            }
            Question::Token { user, identity: Some(id) } => self.take_over(*user, id),
            Question::Guest => Ok(Answer::Identity(self.create(Stage::Guest, BTreeSet::new()))),
            Question::Merge { source, destination } => self.merge(*source, *destination),
            Question::Unlink { identity, user } => {
                let name = self.living(identity)?;
                if self.owner(*user)? != name {
                    return Err(Refusal::OfAnotherIdentity);
                }
                self.users(&name).remove(user);
                Ok(Answer::Done)
            }
            Question::Delete(ids) => {
                for id in ids {
                    if let Some(person) = self.0.get_mut(&Name::Told(id.clone())) {
                        *person = (Stage::Deleted, BTreeSet::new());
                    }
                }
                Ok(Answer::Done)
            }
            Question::LookUp(user) => Ok(Answer::Identity(self.owner(*user)?)),
        }
    }

    /// A guest may be taken over; somebody else only by who has them already.
    fn take_over(&mut self, user: User, id: &Id) -> Result<Answer, Refusal> {
        let name = self.living(id)?;
        match self.owner(user) {
            Ok(owner) if owner == name => Ok(Answer::Identity(name)),
            Ok(_) => Err(Refusal::OfAnotherIdentity),
            Err(_) if self.0[&name].0 == Stage::Guest => {
                self.0.insert(name.clone(), (Stage::Person, BTreeSet::from([user])));
                Ok(Answer::Identity(name))
            }
            Err(_) => Err(Refusal::NotAmongItsLogins),
        }
    }

    fn merge(&mut self, source: User, destination: User) -> Result<Answer, Refusal> {
        let (source, destination) = (self.owner(source)?, self.owner(destination)?);
        if source != destination {
            let (_, mut users) = self.0.insert(source, (Stage::Disabled, BTreeSet::new())).expect("an owner");
            self.users(&destination).append(&mut users);
        }
        Ok(Answer::Identity(destination))
    }

    fn living(&self, id: &Id) -> Result<Name, Refusal> {
        let name = Name::Told(id.clone());
        match self.0.get(&name) {
            None | Some((Stage::Deleted, _)) => Err(Refusal::NoSuchIdentity),
            Some((Stage::Disabled, _)) => Err(Refusal::Disabled),
            Some(_) => Ok(name),
        }
    }

    fn owner(&self, user: User) -> Result<Name, Refusal> {
        let mut owners = self.0.iter().filter(|(_, (_, users))| users.contains(&user));
        owners.next().map(|(name, _)| name.clone()).ok_or(Refusal::NoSuchUser)
    }

    fn users(&mut self, name: &Name) -> &mut BTreeSet<User> {
        &mut self.0.get_mut(name).expect("it was found before").1
    }

    fn create(&mut self, stage: Stage, users: BTreeSet<User>) -> Name {
        let is_free = |name: &Name| !self.0.contains_key(name);
        let name =
            (0..=self.0.len()).map(Name::Untold).find(is_free).expect("there is one more than are taken");
        self.0.insert(name.clone(), (stage, users));
        name
    }
}
