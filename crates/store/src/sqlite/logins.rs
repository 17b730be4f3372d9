//! Developer user identifiers and the identities they belong to.

use daypass_core::clock::Timestamp;
use daypass_core::identity::Identity;
use daypass_core::ids::{IdentityId, IdentityPoolId};
use daypass_core::store::{DeveloperLogin, DeveloperLoginOutcome, Page};
use rusqlite::{Connection, OptionalExtension, Result, named_params};

use super::identities;
use super::value::{Instant, Text, integer};

/// The answer to a login that changes nothing because it is known: one read, and by far the commonest
/// case. `None` says that the writer must look.
pub(super) fn find_known(
    connection: &Connection,
    login: &DeveloperLogin,
) -> Result<Option<DeveloperLoginOutcome>> {
    let owner = find_owner(connection, login)?;
    Ok(owner.filter(|owner| login.identity_id.as_ref().is_none_or(|named| *named == owner.id)).map(known))
}

/// The whole decision, to be made inside the writer's transaction.
pub(super) fn resolve(connection: &Connection, login: &DeveloperLogin) -> Result<DeveloperLoginOutcome> {
    match &login.identity_id {
        Some(named) => resolve_to(connection, login, named),
        None => match find_owner(connection, login)? {
            Some(owner) => Ok(known(owner)),
            None => create(connection, login),
        },
    }
}

/// In the order of Cognito's checks: the named identity must exist, then be enabled, and only then does
/// it matter who owns the login.
fn resolve_to(
    connection: &Connection,
    login: &DeveloperLogin,
    named: &IdentityId,
) -> Result<DeveloperLoginOutcome> {
    let identity = identities::lookup(connection, named)?;
    let Some(identity) = identity.filter(|identity| identity.pool_id == login.pool_id) else {
        return Ok(DeveloperLoginOutcome::UnknownIdentity);
    };
    if identity.disabled {
        return Ok(DeveloperLoginOutcome::Disabled(identity.id));
    }
    match find_owner(connection, login)? {
        Some(owner) if owner.id == identity.id => Ok(DeveloperLoginOutcome::Known(owner)),
        Some(_) => Ok(DeveloperLoginOutcome::AlreadyRegistered),
        None if identity.authenticated => Ok(DeveloperLoginOutcome::NotAmongItsLogins),
        None => link(connection, login, &identity.id),
    }
}

fn known(owner: Identity) -> DeveloperLoginOutcome {
    if owner.disabled {
        DeveloperLoginOutcome::Disabled(owner.id)
    } else {
        DeveloperLoginOutcome::Known(owner)
    }
}

fn create(connection: &Connection, login: &DeveloperLogin) -> Result<DeveloperLoginOutcome> {
    let id = &login.new_identity_id;
    identities::add(connection, &login.pool_id, id, true, login.now)?;
    add_login(connection, login, id)?;
    as_it_lies(connection, id).map(DeveloperLoginOutcome::Created)
}

fn link(
    connection: &Connection,
    login: &DeveloperLogin,
    guest: &IdentityId,
) -> Result<DeveloperLoginOutcome> {
    add_login(connection, login, guest)?;
    set_authenticated(connection, guest, login.now)?;
    as_it_lies(connection, guest).map(DeveloperLoginOutcome::Linked)
}

/// Read back, so that the answer is what every later look-up finds, times cut to the millisecond included.
fn as_it_lies(connection: &Connection, id: &IdentityId) -> Result<Identity> {
    identities::lookup(connection, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

fn find_owner(connection: &Connection, login: &DeveloperLogin) -> Result<Option<Identity>> {
    connection
        .prepare_cached(
            "SELECT identity.id, identity.pool_id, authenticated, disabled, created_at, modified_at
             FROM developer_login JOIN identity ON identity.id = identity_id
             WHERE developer_login.pool_id = ?1 AND developer_user_identifier = ?2",
        )?
        .query_one([login.pool_id.as_str(), &login.developer_user_identifier], identities::identity)
        .optional()
}

fn add_login(connection: &Connection, login: &DeveloperLogin, owner: &IdentityId) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO developer_login (pool_id, developer_user_identifier, identity_id)
             VALUES (?1, ?2, ?3)",
        )?
        .execute([login.pool_id.as_str(), &login.developer_user_identifier, owner.as_str()])
        .map(drop)
}

fn set_authenticated(connection: &Connection, id: &IdentityId, now: Timestamp) -> Result<()> {
    connection
        .prepare_cached("UPDATE identity SET authenticated = 1, modified_at = :now WHERE id = :id")?
        .execute(named_params! { ":id": id.as_str(), ":now": Instant(now) })
        .map(drop)
}

pub(super) fn find_identity(
    connection: &Connection,
    pool_id: &IdentityPoolId,
    developer_user_identifier: &str,
) -> Result<Option<IdentityId>> {
    connection
        .prepare_cached(
            "SELECT identity_id FROM developer_login
             WHERE pool_id = ?1 AND developer_user_identifier = ?2",
        )?
        .query_one([pool_id.as_str(), developer_user_identifier], |row| row.get::<_, Text<_>>(0))
        .optional()
        .map(|id| id.map(|Text(id)| id))
}

pub(super) fn list(
    connection: &Connection,
    identity_id: &IdentityId,
    page: &Page<String>,
) -> Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT developer_user_identifier FROM developer_login
             WHERE identity_id = :identity_id AND developer_user_identifier > coalesce(:after, '')
             ORDER BY developer_user_identifier LIMIT :limit",
        )?
        .query_map(
            named_params! {
                ":identity_id": identity_id.as_str(),
                ":after": page.after,
                ":limit": integer(page.limit),
            },
            |row| row.get(0),
        )?
        .collect()
}
