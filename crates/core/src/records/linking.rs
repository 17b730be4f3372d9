//! Which identity some logins lead to, and what has to change for it: linked, merged, unlinked, or refused
//! (docs/reference/cognito-identity.md, 4.3, 4.4, 4.6 and 4.7).
//!
//! A store finds the identities that take part, has this module decide, and makes the change, all in one
//! transaction. So the rules stand here once, whatever the store.

use std::collections::BTreeSet;

use crate::ground::clock::Timestamp;
use crate::ground::ids::{IdentityId, IdentityPoolId};
use crate::records::identity::{Identity, Login, LoginProvider};
use crate::records::limits::MAX_LOGINS;

/// What to find or make an identity for.
#[derive(Debug, Clone)]
pub struct LinkRequest {
    /// The pool. It must exist; the caller has looked.
    pub pool_id: IdentityPoolId,
    /// Verified logins of one person: at least one, and no two of the same provider.
    pub logins: Vec<Login>,
    /// The identity that they are to lead to: a guest to be upgraded, or one that has some of them.
    pub identity_id: Option<IdentityId>,
    /// The ID of the identity to create if there is none yet.
    pub new_identity_id: IdentityId,
    /// The time to write into whatever is created or changed.
    pub now: Timestamp,
}

/// Two developer users who turned out to be one person.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// The pool.
    pub pool_id: IdentityPoolId,
    /// The developer user identifier whose identity ends.
    pub source: String,
    /// The developer user identifier whose identity stays.
    pub destination: String,
    /// The time to write into whatever is changed.
    pub now: Timestamp,
}

/// Logins to take from an identity.
#[derive(Debug, Clone)]
pub struct UnlinkRequest {
    /// The identity.
    pub identity_id: IdentityId,
    /// What to take, and on whose authority.
    pub logins: Unlinked,
    /// The time to write into the identity.
    pub now: Timestamp,
}

/// Which logins to take from an identity.
#[derive(Debug, Clone)]
pub enum Unlinked {
    /// One developer user identifier, on the developer's own authority.
    DeveloperUser {
        /// The pool that the identity has to be in.
        pool_id: IdentityPoolId,
        /// The identifier.
        user: String,
    },
    /// The logins of some public providers, each of which has to be there.
    Public {
        /// The providers, by their keys in `Logins`.
        providers: Vec<String>,
        /// Verified logins, of which the identity must have one.
        proof: Vec<Login>,
    },
}

/// An identity that takes part, and all its logins.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The identity.
    pub identity: Identity,
    /// Every login that is linked to it.
    pub logins: BTreeSet<Login>,
}

/// What a store has to do.
#[derive(Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: this identity has all the logins.
    Nothing(IdentityId),
    /// Create an identity with these logins.
    Create(IdentityId, Vec<Login>),
    /// Move all logins of the `disabled` to the `survivor`, add the `added`, and note that the survivor is
    /// authenticated and was modified.
    Link {
        /// The identity that has all the logins afterwards.
        survivor: IdentityId,
        /// Logins that nobody had.
        added: Vec<Login>,
        /// Identities that end.
        disabled: Vec<IdentityId>,
    },
}

/// Why logins lead to no identity. Nothing changes then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkRefusal {
    /// The named identity does not exist in this pool.
    UnknownIdentity(IdentityId),
    /// The named identity, or one that owns a login, is disabled.
    Disabled(IdentityId),
    /// No identity has this developer user identifier.
    UnknownUser,
    /// The developer user identifier belongs to another identity than the named one.
    AlreadyRegistered,
    /// The named identity has logins, and none of those given is among them.
    NotAmongItsLogins,
    /// One identity would have two users of the same public provider.
    TwoUsersOfOneProvider,
    /// One identity would have more than [`MAX_LOGINS`].
    TooManyLogins,
}

/// Why nothing is taken from an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnlinkRefusal {
    /// The identity does not exist, or not in this pool.
    UnknownIdentity,
    /// The identity is disabled.
    Disabled,
    /// The identity has none of the logins that were shown as proof.
    NotAmongItsLogins,
    /// Nobody has this login, or the identity has none of this provider.
    NotLinked,
    /// Another identity has it.
    OfAnotherIdentity,
}

/// Decides where logins lead. `candidates` are the named identity, if it exists in the pool, and every owner
/// of one of the logins, each once.
///
/// # Errors
/// [`LinkRefusal`].
pub fn link(request: &LinkRequest, candidates: &[Candidate]) -> Result<Change, LinkRefusal> {
    let named = named(request, candidates)?;
    let owners: Vec<&Candidate> =
        request.logins.iter().filter_map(|login| owner(candidates, login)).collect();
    check_named(request, named, &owners)?;
    if let Some(disabled) = owners.iter().find(|owner| owner.identity.disabled) {
        return Err(LinkRefusal::Disabled(disabled.identity.id.clone()));
    }
    // The one that has a login stays rather than a guest, and the older of two.
    let oldest = owners.iter().copied().min_by_key(|owner| (owner.identity.created_at, &owner.identity.id));
    match oldest.or(named) {
        Some(survivor) => change(survivor, candidates, &request.logins),
        None => check_sum(&[], &request.logins)
            .map(|()| Change::Create(request.new_identity_id.clone(), request.logins.clone())),
    }
}

/// Decides what becomes of two developer users. `source` and `destination` are the owners of the two
/// identifiers.
///
/// # Errors
/// [`LinkRefusal`].
pub fn merge(source: Option<&Candidate>, destination: Option<&Candidate>) -> Result<Change, LinkRefusal> {
    let source = source.ok_or(LinkRefusal::UnknownUser)?;
    let destination = destination.ok_or(LinkRefusal::UnknownUser)?;
    if let Some(disabled) = [source, destination].into_iter().find(|candidate| candidate.identity.disabled) {
        return Err(LinkRefusal::Disabled(disabled.identity.id.clone()));
    }
    change(destination, &[source.clone(), destination.clone()], &[])
}

/// Decides which logins are taken. `candidate` is the named identity, and `owner` whoever has the developer
/// user identifier, if it is one that is to go.
///
/// # Errors
/// [`UnlinkRefusal`].
pub fn unlink(
    request: &UnlinkRequest,
    candidate: Option<&Candidate>,
    owner: Option<&IdentityId>,
) -> Result<Vec<Login>, UnlinkRefusal> {
    let Candidate { identity, logins } = candidate.ok_or(UnlinkRefusal::UnknownIdentity)?;
    match &request.logins {
        Unlinked::DeveloperUser { pool_id, .. } if *pool_id != identity.pool_id => {
            Err(UnlinkRefusal::UnknownIdentity)
        }
        _ if identity.disabled => Err(UnlinkRefusal::Disabled),
        Unlinked::DeveloperUser { user, .. } => match owner {
            None => Err(UnlinkRefusal::NotLinked),
            Some(owner) if *owner != identity.id => Err(UnlinkRefusal::OfAnotherIdentity),
            Some(_) => Ok(vec![Login::developer(user)]),
        },
        Unlinked::Public { proof, .. } if proof.iter().all(|login| !logins.contains(login)) => {
            Err(UnlinkRefusal::NotAmongItsLogins)
        }
        Unlinked::Public { providers, .. } => {
            let of = |name: &String| {
                logins.iter().find(|login| login.provider == LoginProvider::Public(name.clone()))
            };
            providers
                .iter()
                .map(|name| of(name).cloned())
                .collect::<Option<_>>()
                .ok_or(UnlinkRefusal::NotLinked)
        }
    }
}

/// The named identity, which has to exist and be enabled before anything else about it matters.
fn named<'a>(
    request: &LinkRequest,
    candidates: &'a [Candidate],
) -> Result<Option<&'a Candidate>, LinkRefusal> {
    let Some(id) = &request.identity_id else { return Ok(None) };
    let named = candidates
        .iter()
        .find(|candidate| candidate.identity.id == *id && candidate.identity.pool_id == request.pool_id)
        .ok_or_else(|| LinkRefusal::UnknownIdentity(id.clone()))?;
    if named.identity.disabled { Err(LinkRefusal::Disabled(id.clone())) } else { Ok(Some(named)) }
}

fn owner<'a>(candidates: &'a [Candidate], login: &Login) -> Option<&'a Candidate> {
    candidates.iter().find(|candidate| candidate.logins.contains(login))
}

/// A developer may take over a guest; to reach the identity of somebody who logged in, one of its own logins
/// has to come along.
fn check_named(
    request: &LinkRequest,
    named: Option<&Candidate>,
    owners: &[&Candidate],
) -> Result<(), LinkRefusal> {
    let Some(named) = named else { return Ok(()) };
    let developer = request.logins.iter().find(|login| login.provider == LoginProvider::Developer);
    let registered = developer.and_then(|login| owners.iter().find(|owner| owner.logins.contains(login)));
    if registered.is_some_and(|registered| registered.identity.id != named.identity.id) {
        return Err(LinkRefusal::AlreadyRegistered);
    }
    if named.identity.authenticated && owners.iter().all(|owner| owner.identity.id != named.identity.id) {
        return Err(LinkRefusal::NotAmongItsLogins);
    }
    Ok(())
}

/// What it takes for the survivor to be the only one of the candidates, with the logins.
fn change(survivor: &Candidate, candidates: &[Candidate], logins: &[Login]) -> Result<Change, LinkRefusal> {
    check_sum(candidates, logins)?;
    let survivor = &survivor.identity.id;
    let ids = candidates.iter().map(|candidate| &candidate.identity.id);
    let disabled: BTreeSet<&IdentityId> = ids.filter(|id| *id != survivor).collect();
    let added: Vec<Login> =
        logins.iter().filter(|login| owner(candidates, login).is_none()).cloned().collect();
    if disabled.is_empty() && added.is_empty() {
        return Ok(Change::Nothing(survivor.clone()));
    }
    let disabled = disabled.into_iter().cloned().collect();
    Ok(Change::Link { survivor: survivor.clone(), added, disabled })
}

/// Whether one identity may have all of these logins.
fn check_sum(candidates: &[Candidate], added: &[Login]) -> Result<(), LinkRefusal> {
    let all: BTreeSet<&Login> =
        candidates.iter().flat_map(|candidate| &candidate.logins).chain(added).collect();
    let mut public = BTreeSet::new();
    let twice = all.iter().any(|login| match &login.provider {
        LoginProvider::Developer => false,
        LoginProvider::Public(name) => !public.insert(name),
    });
    if twice {
        return Err(LinkRefusal::TwoUsersOfOneProvider);
    }
    if all.len() > MAX_LOGINS { Err(LinkRefusal::TooManyLogins) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
