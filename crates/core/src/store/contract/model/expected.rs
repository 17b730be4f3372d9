//! What should come of a change, told once more and in other words than `linking.rs`: a person is an identity
//! with a set of logins, and whoever turns out to be one person is put together.

use std::collections::{BTreeMap, BTreeSet};

use super::steps::{Answer, Step};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::linking::{
    LinkRefusal, LinkRequest, MergeRequest, UnlinkRefusal, UnlinkRequest, Unlinked,
};
use crate::store::{LinkOutcome, UnlinkOutcome};

/// Every kind of answer that random steps must reach. A disabled identity owns nothing, so that only one that
/// is named can be refused for it.
pub const KINDS: [&str; 18] = [
    "guest",
    "deleted",
    "known",
    "created",
    "linked",
    "merged",
    "link: unknown identity",
    "link: disabled",
    "link: unknown user",
    "link: already registered",
    "link: not among its logins",
    "link: two users of one provider",
    "link: too many logins",
    "unlinked",
    "unlink: unknown identity",
    "unlink: disabled",
    "unlink: not among its logins",
    "unlink: not linked or of another identity",
];

#[must_use]
pub fn kind_of(answer: &Answer) -> &'static str {
    match answer {
        Answer::Guest(_) => "guest",
        Answer::Deleted => "deleted",
        Answer::Linked(LinkOutcome::Known(_)) => "known",
        Answer::Linked(LinkOutcome::Created(_)) => "created",
        Answer::Linked(LinkOutcome::Linked { disabled, .. }) if disabled.is_empty() => "linked",
        Answer::Linked(LinkOutcome::Linked { .. }) => "merged",
        Answer::Linked(LinkOutcome::Refused(refusal)) => match refusal {
            LinkRefusal::UnknownIdentity(_) => "link: unknown identity",
            LinkRefusal::Disabled(_) => "link: disabled",
            LinkRefusal::UnknownUser => "link: unknown user",
            LinkRefusal::AlreadyRegistered => "link: already registered",
            LinkRefusal::NotAmongItsLogins => "link: not among its logins",
            LinkRefusal::TwoUsersOfOneProvider => "link: two users of one provider",
            LinkRefusal::TooManyLogins => "link: too many logins",
        },
        Answer::Unlinked(UnlinkOutcome::Unlinked) => "unlinked",
        Answer::Unlinked(UnlinkOutcome::Refused(refusal)) => match refusal {
            UnlinkRefusal::UnknownIdentity => "unlink: unknown identity",
            UnlinkRefusal::Disabled => "unlink: disabled",
            UnlinkRefusal::NotAmongItsLogins => "unlink: not among its logins",
            UnlinkRefusal::NotLinked | UnlinkRefusal::OfAnotherIdentity => {
                "unlink: not linked or of another identity"
            }
        },
    }
}

/// Everybody, the disabled ones too.
#[derive(Default)]
pub struct Expected {
    people: BTreeMap<IdentityId, Person>,
    /// Every ID that was ever drawn, in order.
    drawn: Vec<IdentityId>,
}

struct Person {
    identity: Identity,
    logins: BTreeSet<Login>,
}

impl Expected {
    /// Every ID that an identity might have had.
    #[must_use]
    pub fn ids(&self) -> Vec<IdentityId> {
        self.drawn.clone()
    }

    #[must_use]
    pub fn owner(&self, pool_id: &IdentityPoolId, login: &Login) -> Option<IdentityId> {
        let mut owners = self
            .people
            .values()
            .filter(|person| person.identity.pool_id == *pool_id && person.logins.contains(login));
        owners.next().map(|person| person.identity.id.clone())
    }

    #[must_use]
    pub fn state_of(&self, id: &IdentityId) -> (Option<Identity>, Vec<Login>) {
        let person = self.people.get(id);
        let logins = person.map(|person| person.logins.iter().cloned().collect());
        (person.map(|person| person.identity.clone()), logins.unwrap_or_default())
    }

    #[must_use]
    pub fn list(&self, pool_id: &IdentityPoolId, hide_disabled: bool) -> Vec<Identity> {
        let identities = self.people.values().map(|person| &person.identity);
        let listed = identities.filter(|it| it.pool_id == *pool_id && !(hide_disabled && it.disabled));
        listed.cloned().collect()
    }

    pub fn apply(&mut self, step: &Step) -> Answer {
        self.drawn.extend(step.new_identity_id().cloned());
        match step {
            Step::Guest(pool_id, id, now) => {
                self.add(pool_id, id, BTreeSet::new(), *now);
                Answer::Guest(true)
            }
            Step::Link(request) => Answer::Linked(self.link(request).unwrap_or_else(LinkOutcome::Refused)),
            Step::Merge(request) => Answer::Linked(self.merge(request).unwrap_or_else(LinkOutcome::Refused)),
            Step::Unlink(request) => Answer::Unlinked(match self.unlink(request) {
                Ok(()) => UnlinkOutcome::Unlinked,
                Err(refusal) => UnlinkOutcome::Refused(refusal),
            }),
            Step::Delete(ids) => {
                self.people.retain(|id, _| !ids.contains(id));
                Answer::Deleted
            }
        }
    }

    fn add(
        &mut self,
        pool_id: &IdentityPoolId,
        id: &IdentityId,
        logins: BTreeSet<Login>,
        now: Timestamp,
    ) -> Identity {
        let identity = Identity {
            id: id.clone(),
            pool_id: pool_id.clone(),
            authenticated: !logins.is_empty(),
            disabled: false,
            created_at: now,
            modified_at: now,
        };
        self.people.insert(id.clone(), Person { identity: identity.clone(), logins });
        identity
    }

    fn link(&mut self, request: &LinkRequest) -> Result<LinkOutcome, LinkRefusal> {
        let LinkRequest { pool_id, logins, identity_id, new_identity_id, now } = request;
        let owner = |login| self.owner(pool_id, login);
        let mut involved: BTreeSet<IdentityId> = logins.iter().filter_map(owner).collect();
        if let Some(id) = identity_id {
            let named = self.people.get(id).map(|person| &person.identity);
            let named = named.filter(|named| named.pool_id == *pool_id);
            let named = named.ok_or(LinkRefusal::UnknownIdentity(id.clone()))?;
            let developer = logins.iter().find(|login| login.developer_user_identifier().is_some());
            if named.disabled {
                return Err(LinkRefusal::Disabled(id.clone()));
            }
            if developer.and_then(owner).is_some_and(|owner| owner != *id) {
                return Err(LinkRefusal::AlreadyRegistered);
            }
            if named.authenticated && !involved.contains(id) {
                return Err(LinkRefusal::NotAmongItsLogins);
            }
            involved.insert(id.clone());
        }
        // Guests last, then by age.
        let rank = |id: &&IdentityId| {
            let identity = &self.people[*id].identity;
            (!identity.authenticated, identity.created_at, id.as_str().to_owned())
        };
        let Some(survivor) = involved.iter().min_by_key(rank).cloned() else {
            let logins = logins.iter().cloned().collect();
            return Ok(LinkOutcome::Created(self.add(pool_id, new_identity_id, logins, *now)));
        };
        self.unite(&survivor, involved, logins, *now)
    }

    fn merge(&mut self, request: &MergeRequest) -> Result<LinkOutcome, LinkRefusal> {
        let owner = |user: &String| self.owner(&request.pool_id, &Login::developer(user));
        let (Some(source), Some(destination)) = (owner(&request.source), owner(&request.destination)) else {
            return Err(LinkRefusal::UnknownUser);
        };
        let involved = BTreeSet::from([source, destination.clone()]);
        self.unite(&destination, involved, &[], request.now)
    }

    /// Puts several people and logins together.
    fn unite(
        &mut self,
        survivor: &IdentityId,
        mut involved: BTreeSet<IdentityId>,
        logins: &[Login],
        now: Timestamp,
    ) -> Result<LinkOutcome, LinkRefusal> {
        let theirs = involved.iter().flat_map(|id| self.people[id].logins.clone());
        let together: BTreeSet<Login> = theirs.chain(logins.iter().cloned()).collect();
        let public = together.iter().filter(|login| login.developer_user_identifier().is_none());
        let providers: BTreeSet<_> = public.clone().map(|login| &login.provider).collect();
        if providers.len() < public.count() {
            return Err(LinkRefusal::TwoUsersOfOneProvider);
        }
        if together.len() > 20 {
            return Err(LinkRefusal::TooManyLogins);
        }
        involved.remove(survivor);
        if self.people[survivor].logins == together && involved.is_empty() {
            return Ok(LinkOutcome::Known(self.people[survivor].identity.clone()));
        }
        for id in &involved {
            let loser = self.person(id);
            loser.logins.clear();
            loser.identity.disabled = true;
            loser.identity.modified_at = now;
        }
        let person = self.person(survivor);
        person.logins = together;
        person.identity.authenticated = true;
        person.identity.modified_at = now;
        let identity = person.identity.clone();
        Ok(LinkOutcome::Linked { identity, disabled: involved.into_iter().collect() })
    }

    fn unlink(&mut self, request: &UnlinkRequest) -> Result<(), UnlinkRefusal> {
        let id = &request.identity_id;
        let person = self.people.get(id).ok_or(UnlinkRefusal::UnknownIdentity)?;
        if let Unlinked::DeveloperUser { pool_id, .. } = &request.logins
            && person.identity.pool_id != *pool_id
        {
            return Err(UnlinkRefusal::UnknownIdentity);
        }
        if person.identity.disabled {
            return Err(UnlinkRefusal::Disabled);
        }
        let remaining = match &request.logins {
            Unlinked::DeveloperUser { pool_id, user } => {
                let login = Login::developer(user);
                let owner = self.owner(pool_id, &login).ok_or(UnlinkRefusal::NotLinked)?;
                if owner != *id {
                    return Err(UnlinkRefusal::OfAnotherIdentity);
                }
                person.logins.iter().filter(|it| **it != login).cloned().collect()
            }
            Unlinked::Public { providers, proof } => person.without(providers, proof)?,
        };
        let person = self.person(id);
        person.logins = remaining;
        person.identity.modified_at = request.now;
        Ok(())
    }

    fn person(&mut self, id: &IdentityId) -> &mut Person {
        self.people.get_mut(id).expect("the person was found before")
    }
}

impl Person {
    fn without(&self, providers: &[String], proof: &[Login]) -> Result<BTreeSet<Login>, UnlinkRefusal> {
        if self.logins.is_disjoint(&proof.iter().cloned().collect()) {
            return Err(UnlinkRefusal::NotAmongItsLogins);
        }
        let unwanted: BTreeSet<_> = providers.iter().cloned().map(LoginProvider::Public).collect();
        let (gone, remaining): (BTreeSet<Login>, BTreeSet<Login>) =
            self.logins.iter().cloned().partition(|login| unwanted.contains(&login.provider));
        if gone.len() < unwanted.len() { Err(UnlinkRefusal::NotLinked) } else { Ok(remaining) }
    }
}
