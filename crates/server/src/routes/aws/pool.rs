//! Which pools an operation is about, as policies call them (docs/reference/cognito-identity.md, 3.7). Only
//! the members that the operation itself reads count: any other is a member that the caller added to be taken
//! for another pool.

use std::collections::BTreeSet;

use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::pool::PoolError;
use serde_json::{Map, Value};

use crate::installation::Embedded;

/// As many identities as DeleteIdentities takes (cognito-identity API, IdentityIdList).
pub(super) const MAX_IDENTITIES: usize = 60;

/// How an operation names the pools that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// It is about no pool that is there.
    NoPool,
    /// By `IdentityPoolId`.
    PoolId,
    /// By `ResourceArn`.
    PoolArn,
    /// By `IdentityId`: the pool that the identity is in.
    Identity,
    /// By `IdentityIdsToDelete`: the pools that the identities are in.
    Identities,
}

/// The ARNs of the pools; `None` among them where the operation is about no pool that is known.
pub(super) async fn of_operation(
    embedded: &Embedded,
    about: About,
    input: &Map<String, Value>,
) -> Result<BTreeSet<Option<String>>, PoolError> {
    let one = |pool| Ok(BTreeSet::from([pool]));
    match about {
        About::NoPool => one(None),
        About::PoolId => one(named_by_id(embedded, input.get("IdentityPoolId"))),
        About::PoolArn => one(named_by_arn(embedded, input.get("ResourceArn"))),
        About::Identity => {
            let id = input.get("IdentityId").map(std::slice::from_ref);
            of_identities(embedded, id.unwrap_or_default()).await
        }
        About::Identities => {
            let ids = input.get("IdentityIdsToDelete").and_then(Value::as_array).map(Vec::as_slice);
            of_identities(embedded, ids.unwrap_or_default()).await
        }
    }
}

/// More identities than the operation takes, or none, are about no pool; it refuses them afterwards.
async fn of_identities(embedded: &Embedded, ids: &[Value]) -> Result<BTreeSet<Option<String>>, PoolError> {
    if ids.is_empty() || ids.len() > MAX_IDENTITIES {
        return Ok(BTreeSet::from([None]));
    }
    let named = ids.iter().map(|id| IdentityId::parse(id.as_str()?).ok());
    let named: Vec<IdentityId> = named.flatten().collect();
    let identities = embedded.pools.store.lookup_identities(&named).await?;
    let is_nobodys = named.len() < ids.len();
    let found = identities.into_iter().chain(is_nobodys.then_some(None));
    Ok(found.map(|it| it.map(|identity| embedded.pools.pool_arn(&identity.pool_id))).collect())
}

fn named_by_id(embedded: &Embedded, id: Option<&Value>) -> Option<String> {
    let id = IdentityPoolId::parse(id?.as_str()?).ok()?;
    Some(embedded.pools.pool_arn(&id))
}

fn named_by_arn(embedded: &Embedded, named: Option<&Value>) -> Option<String> {
    let (named, id) = (named?.as_str()?, named?.as_str()?.rsplit_once('/')?.1);
    let arn = embedded.pools.pool_arn(&IdentityPoolId::parse(id).ok()?);
    (named == arn).then_some(arn)
}
