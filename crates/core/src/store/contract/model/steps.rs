//! What is done at random: few logins, so that they meet often, of two pools.

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::ground::random::{Random, SeededRandom};
use crate::records::identity::{Login, LoginProvider};
use crate::records::linking::{LinkRequest, MergeRequest, UnlinkRequest, Unlinked};
use crate::store::contract::fixture::{instant, public, region};
use crate::store::{LinkOutcome, SharedStore, UnlinkOutcome};

const DEVELOPER_USERS: usize = 14;
const PROVIDERS: usize = 12;
/// Providers that have two users, who never become one.
const DISPUTED: usize = 2;

/// One change.
#[derive(Debug, Clone)]
pub enum Step {
    Guest(IdentityPoolId, IdentityId, Timestamp),
    Link(LinkRequest),
    Merge(MergeRequest),
    Unlink(UnlinkRequest),
    Delete(Vec<IdentityId>),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Guest(bool),
    Linked(LinkOutcome),
    Unlinked(UnlinkOutcome),
    Deleted,
}

impl Step {
    /// The ID of the identity that the step may create.
    #[must_use]
    pub fn new_identity_id(&self) -> Option<&IdentityId> {
        match self {
            Self::Guest(_, id, _) => Some(id),
            Self::Link(request) => Some(&request.new_identity_id),
            Self::Merge(_) | Self::Unlink(_) | Self::Delete(_) => None,
        }
    }
}

pub(super) async fn apply(store: &SharedStore, step: &Step) -> Answer {
    match step {
        Step::Guest(pool_id, id, now) => Answer::Guest(store.add_guest(pool_id, id, *now).await.unwrap()),
        Step::Link(request) => Answer::Linked(store.link_logins(request).await.unwrap()),
        Step::Merge(request) => Answer::Linked(store.merge_developer_users(request).await.unwrap()),
        Step::Unlink(request) => Answer::Unlinked(store.unlink(request).await.unwrap()),
        Step::Delete(ids) => {
            for id in ids {
                store.delete_identity(id).await.unwrap();
            }
            Answer::Deleted
        }
    }
}

/// Whether a login is one that [`takes_what_is_kept`] looks after.
#[must_use]
pub fn is_kept(login: &Login) -> bool {
    match &login.provider {
        LoginProvider::Developer => login.user.starts_with("kept"),
        LoginProvider::Public(name) => name.starts_with("kept"),
    }
}

/// Whether a step may take away a login that is to be kept.
#[must_use]
pub fn takes_what_is_kept(step: &Step) -> bool {
    match step {
        Step::Guest(..) | Step::Link(_) | Step::Merge(_) => false,
        Step::Delete(_) => true,
        Step::Unlink(request) => match &request.logins {
            Unlinked::DeveloperUser { user, .. } => user.starts_with("kept"),
            Unlinked::Public { providers, .. } => providers.iter().any(|name| name.starts_with("kept")),
        },
    }
}

/// Every login that ever appears.
pub fn all_logins() -> Vec<Login> {
    let developer = (0..DEVELOPER_USERS).map(developer);
    let public = (0..PROVIDERS).map(|number| provider(number, 0));
    let disputed = (0..DISPUTED).map(|number| provider(number, 1));
    developer.chain(public).chain(disputed).collect()
}

fn developer(number: usize) -> Login {
    Login::developer(format!("{} {number}", fate(number)))
}

/// The name of a provider is a host's, so that it can be the issuer of a token.
fn provider(number: usize, user: usize) -> Login {
    public(&format!("{}-{number}.example.com", fate(number)), &format!("user {user}"))
}

fn fate(number: usize) -> &'static str {
    if number.is_multiple_of(2) { "kept" } else { "taken" }
}

/// Draws steps, always the same from a seed.
pub struct Generator {
    random: SeededRandom,
    pool_ids: [IdentityPoolId; 2],
    milliseconds: i64,
}

impl Generator {
    #[must_use]
    pub fn new(seed: u64, pool_ids: [IdentityPoolId; 2]) -> Self {
        // Not the sequence from which the fixture draws its pools.
        Self { random: SeededRandom::new(seed << 32), pool_ids, milliseconds: 0 }
    }

    /// The login that the next step is about.
    pub fn topic(&self) -> (IdentityPoolId, Login) {
        (self.pool_id(), self.login())
    }

    /// The next step, given who owns its topic and the identities that there may be.
    pub fn step(
        &mut self,
        (pool_id, login): &(IdentityPoolId, Login),
        owner: Option<IdentityId>,
        known: &[IdentityId],
    ) -> Step {
        // Some steps fall into the same millisecond.
        self.milliseconds += i64::from(self.one_in(2));
        let (now, pool_id) = (instant(self.milliseconds), pool_id.clone());
        let kind = self.below(100);
        match kind {
            0..10 => Step::Guest(pool_id, self.new_identity_id(), now),
            10..65 => Step::Link(LinkRequest {
                pool_id,
                logins: self.logins_with(login),
                identity_id: if self.one_in(2) { None } else { self.identity(owner, known) },
                new_identity_id: self.new_identity_id(),
                now,
            }),
            65..80 => Step::Merge(MergeRequest {
                pool_id,
                source: self.developer_user(),
                destination: self.developer_user(),
                now,
            }),
            80..98 => {
                let identity_id = self.identity(owner, known).unwrap_or_else(|| self.new_identity_id());
                Step::Unlink(UnlinkRequest { identity_id, logins: self.unlinked(pool_id, login), now })
            }
            _ => Step::Delete(
                [self.identity(owner, known), self.identity(None, known)].into_iter().flatten().collect(),
            ),
        }
    }

    fn unlinked(&self, pool_id: IdentityPoolId, login: &Login) -> Unlinked {
        let LoginProvider::Public(name) = &login.provider else {
            return Unlinked::DeveloperUser { pool_id, user: login.user.clone() };
        };
        let mut providers = vec![name.clone()];
        if self.one_in(4)
            && let LoginProvider::Public(name) = self.login().provider
        {
            providers.push(name);
        }
        let proof = if self.one_in(4) { vec![self.login()] } else { vec![self.login(), login.clone()] };
        Unlinked::Public { providers, proof }
    }

    /// Mostly the owner, sometimes somebody of late, who may be gone.
    fn identity(&self, owner: Option<IdentityId>, known: &[IdentityId]) -> Option<IdentityId> {
        let late = &known[known.len().saturating_sub(12)..];
        let somebody = || (!late.is_empty()).then(|| late[self.below(late.len())].clone());
        if self.one_in(3) { somebody() } else { owner.or_else(somebody) }
    }

    /// A login and up to three others, no two of one provider.
    fn logins_with(&self, login: &Login) -> Vec<Login> {
        let mut logins = vec![login.clone()];
        for _ in 0..self.below(4) {
            let more = self.login();
            if logins.iter().all(|login| login.provider != more.provider) {
                logins.push(more);
            }
        }
        logins
    }

    fn login(&self) -> Login {
        if self.one_in(2) {
            return developer(self.below(DEVELOPER_USERS));
        }
        let number = self.below(PROVIDERS);
        provider(number, if number < DISPUTED { self.below(2) } else { 0 })
    }

    fn developer_user(&self) -> String {
        developer(self.below(DEVELOPER_USERS)).user
    }

    fn pool_id(&self) -> IdentityPoolId {
        self.pool_ids[usize::from(self.one_in(6))].clone()
    }

    fn new_identity_id(&self) -> IdentityId {
        IdentityId::generate(&region(), &self.random)
    }

    fn one_in(&self, number: usize) -> bool {
        self.below(number) == 0
    }

    fn below(&self, limit: usize) -> usize {
        let random: &dyn Random = &self.random;
        usize::from(u16::from_le_bytes(random.bytes())) % limit
    }
}
