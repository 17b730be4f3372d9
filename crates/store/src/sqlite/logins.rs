//! Logins and the identities they belong to. What becomes of them is decided in `daypass_core::records::linking`;
//! here the facts are gathered and the change is made, within one transaction of the writer's.

use std::collections::BTreeSet;

use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{Identity, Login, LoginProvider};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::records::linking::{
    self, Candidate, Change, LinkRefusal, LinkRequest, MergeRequest, UnlinkRequest, Unlinked,
};
use daypass_core::store::{LinkOutcome, Page, UnlinkOutcome};
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::snapshot::Snapshot;
use super::value::{Instant, Packed};
use super::{identities, sign_in_sessions};

/// The answer to logins that change nothing because one enabled identity has them all: a read for each, and
/// by far the commonest case. `None` says that the writer must look.
pub(super) fn find_known(connection: &Connection, request: &LinkRequest) -> Result<Option<LinkOutcome>> {
    // Several logins are read as they were at one moment: between two reads a login may move.
    let several = request.logins.len() > 1;
    let _snapshot = several.then(|| Snapshot::of(connection)).transpose()?;
    let mut known: Option<Identity> = None;
    for login in &request.logins {
        match (find_owner(connection, &request.pool_id, login)?, &known) {
            (Some(owner), None) => known = Some(owner),
            (Some(owner), Some(known)) if owner.id == known.id => {}
            _ => return Ok(None),
        }
    }
    let named = |identity: &Identity| request.identity_id.as_ref().is_none_or(|named| *named == identity.id);
    Ok(known.filter(|identity| !identity.disabled && named(identity)).map(LinkOutcome::Known))
}

pub(super) fn link(connection: &Connection, request: &LinkRequest) -> Result<LinkOutcome> {
    let mut ids: BTreeSet<IdentityId> = request.identity_id.iter().cloned().collect();
    for login in &request.logins {
        ids.extend(find_identity(connection, &request.pool_id, login)?);
    }
    let candidates = ids.iter().filter_map(|id| candidate(connection, id).transpose());
    let candidates: Vec<Candidate> = candidates.collect::<Result<_>>()?;
    change(connection, &request.pool_id, linking::link(request, &candidates), request.now)
}

pub(super) fn merge(connection: &Connection, request: &MergeRequest) -> Result<LinkOutcome> {
    let owner = |user: &String| -> Result<Option<Candidate>> {
        let id = find_identity(connection, &request.pool_id, &Login::developer(user))?;
        id.map_or(Ok(None), |id| candidate(connection, &id))
    };
    let (source, destination) = (owner(&request.source)?, owner(&request.destination)?);
    let decided = linking::merge(source.as_ref(), destination.as_ref());
    change(connection, &request.pool_id, decided, request.now)
}

pub(super) fn unlink(connection: &Connection, request: &UnlinkRequest) -> Result<UnlinkOutcome> {
    let id = &request.identity_id;
    let candidate = candidate(connection, id)?;
    let owner = match &request.logins {
        Unlinked::DeveloperUser { pool_id, user } => {
            find_identity(connection, pool_id, &Login::developer(user))?
        }
        Unlinked::Public { .. } => None,
    };
    match linking::unlink(request, candidate.as_ref(), owner.as_ref()) {
        Err(refusal) => Ok(UnlinkOutcome::Refused(refusal)),
        Ok(taken) => {
            taken.iter().try_for_each(|login| remove(connection, id, login))?;
            modify(connection, id, Modified::Logins, request.now)?;
            Ok(UnlinkOutcome::Unlinked)
        }
    }
}

pub(super) fn find_identity(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    login: &Login,
) -> Result<Option<IdentityId>> {
    connection
        .prepare_cached(
            "SELECT identity_id FROM living_login WHERE pool_id = ?1 AND provider = ?2 AND user = ?3",
        )?
        .query_one([pool_id.as_str(), column(&login.provider), &login.user], |row| row.get::<_, Packed<_>>(0))
        .optional()
        .map(|id| id.map(|Packed(id)| id))
}

/// The identity that a login belongs to, with all its logins.
pub(super) fn find_with_logins(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    login: &Login,
) -> Result<Option<IdentityRecord>> {
    let _snapshot = Snapshot::of(connection)?;
    let owner = find_owner(connection, pool_id, login)?;
    owner.map(|identity| with_logins(connection, identity)).transpose()
}

pub(super) fn lookup_with_logins(connection: &Connection, id: &IdentityId) -> Result<Option<IdentityRecord>> {
    let _snapshot = Snapshot::of(connection)?;
    let identity = identities::lookup(connection, id)?;
    identity.map(|identity| with_logins(connection, identity)).transpose()
}

/// Identities of a pool, all as they are at one moment.
pub(super) fn list_identities(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    hide_disabled: bool,
    page: &Page<IdentityId>,
) -> Result<Vec<IdentityRecord>> {
    let _snapshot = Snapshot::of(connection)?;
    let identities = identities::list(connection, pool_id, hide_disabled, page)?;
    identities.into_iter().map(|identity| with_logins(connection, identity)).collect()
}

/// Adds the logins to an identity that was read in the same transaction.
pub(super) fn with_logins(connection: &Connection, identity: Identity) -> Result<IdentityRecord> {
    let logins = list(connection, &identity.id)?;
    Ok(IdentityRecord { identity, logins })
}

pub(super) fn list(connection: &Connection, identity_id: &IdentityId) -> Result<Vec<Login>> {
    connection
        .prepare_cached(
            "SELECT provider, user FROM living_login WHERE identity_id = ?1 ORDER BY provider, user",
        )?
        .query_map([Packed(identity_id)], login)?
        .collect()
}

fn change(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    decided: std::result::Result<Change, LinkRefusal>,
    now: Timestamp,
) -> Result<LinkOutcome> {
    Ok(match decided {
        Err(refusal) => LinkOutcome::Refused(refusal),
        Ok(Change::Nothing(id)) => LinkOutcome::Known(read_back(connection, &id)?),
        Ok(Change::Create(id, logins)) => {
            identities::add(connection, &identities::new(pool_id, &id, true, now))?;
            logins.iter().try_for_each(|login| add(connection, pool_id, login, &id))?;
            LinkOutcome::Created(read_back(connection, &id)?)
        }
        Ok(Change::Link { survivor, added, disabled }) => {
            for id in &disabled {
                move_all(connection, id, &survivor)?;
                sign_in_sessions::move_all(connection, id, &survivor, now)?;
                modify(connection, id, Modified::Disabled, now)?;
            }
            added.iter().try_for_each(|login| add(connection, pool_id, login, &survivor))?;
            modify(connection, &survivor, Modified::Authenticated, now)?;
            LinkOutcome::Linked { identity: read_back(connection, &survivor)?, disabled }
        }
    })
}

/// The identity as it is stored, so that the answer is what every later look-up finds, times cut to the millisecond included.
fn read_back(connection: &Connection, id: &IdentityId) -> Result<Identity> {
    identities::lookup(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn candidate(connection: &Connection, id: &IdentityId) -> Result<Option<Candidate>> {
    let Some(identity) = identities::lookup(connection, id)? else { return Ok(None) };
    let logins = list(connection, id)?.into_iter().collect();
    Ok(Some(Candidate { identity, logins }))
}

fn find_owner(connection: &Connection, pool_id: &IdentityPoolId, login: &Login) -> Result<Option<Identity>> {
    connection
        .prepare_cached(
            "SELECT identity.id, pool_id, authenticated, disabled, created_at, modified_at
             FROM living_login JOIN identity ON identity.id = identity_id
             WHERE pool_id = ?1 AND provider = ?2 AND user = ?3",
        )?
        .query_one([pool_id.as_str(), column(&login.provider), &login.user], identities::identity)
        .optional()
}

fn add(connection: &Connection, pool_id: &IdentityPoolId, login: &Login, owner: &IdentityId) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO login (incarnation, provider, user, identity_id)
             VALUES ((SELECT incarnation FROM identity_pool WHERE id = ?1), ?2, ?3, ?4)",
        )?
        .execute((pool_id.as_str(), column(&login.provider), &login.user, Packed(owner)))
        .map(drop)
}

fn remove(connection: &Connection, owner: &IdentityId, login: &Login) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM login WHERE identity_id = ?1 AND provider = ?2 AND user = ?3")?
        .execute((Packed(owner), column(&login.provider), &login.user))
        .map(drop)
}

fn move_all(connection: &Connection, from: &IdentityId, to: &IdentityId) -> Result<()> {
    connection
        .prepare_cached("UPDATE login SET identity_id = ?2 WHERE identity_id = ?1")?
        .execute([Packed(from), Packed(to)])
        .map(drop)
}

/// What happens to an identity along with its logins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Modified {
    /// Nothing else.
    Logins,
    /// It has logins now, or has more of them.
    Authenticated,
    /// It lost them to another identity.
    Disabled,
}

fn modify(connection: &Connection, id: &IdentityId, how: Modified, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached(
            "UPDATE identity SET authenticated = authenticated OR :authenticated,
                 disabled = disabled OR :disabled, modified_at = :now
             WHERE id = :id",
        )?
        .execute(named_params! {
            ":id": Packed(id),
            ":authenticated": how == Modified::Authenticated,
            ":disabled": how == Modified::Disabled,
            ":now": Instant(now),
        })
        .map(drop)
}

pub(super) fn column(provider: &LoginProvider) -> &str {
    match provider {
        LoginProvider::Developer => "",
        LoginProvider::Public(name) => name,
    }
}

/// Reads the columns `provider` and `user`.
fn login(row: &Row<'_>) -> Result<Login> {
    let provider: String = row.get("provider")?;
    let provider =
        if provider.is_empty() { LoginProvider::Developer } else { LoginProvider::Public(provider) };
    Ok(Login { provider, user: row.get("user")? })
}
