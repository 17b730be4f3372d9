//! Attributes for access control: what a login says about a person becomes session tags, which policies ask
//! about (docs/reference/cognito-identity.md, 4.11).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Invalid, PoolError};
use crate::login::public::PublicLogin;
use crate::records::identity::{IdentityPool, PrincipalTagMap};

/// All tag keys and claim names of one map together, in bytes (AWS: using attributes for access control).
const MAX_MAP_BYTES: usize = 460;
/// The API's limit on a tag's value, in characters.
const MAX_VALUE: usize = 256;

/// The tags that the pool's maps make of these logins. A claim that a token does not have makes no tag. Of two
/// logins that make the same tag the first counts, in the order of their providers: somebody who shows both has
/// no more of it than with the first alone.
pub(super) fn of_logins(
    pool: &IdentityPool,
    logins: &[PublicLogin],
) -> Result<BTreeMap<String, String>, PoolError> {
    let mut tags: BTreeMap<String, String> = BTreeMap::new();
    let maps = logins.iter().filter_map(|login| Some((pool.tag_maps.get(login.tag_map_key())?, login)));
    for (key, value) in maps.flat_map(|(map, login)| of_login(map, login)) {
        tags.entry(key).or_insert(value);
    }
    check(&tags)?;
    Ok(tags)
}

fn of_login(map: &PrincipalTagMap, login: &PublicLogin) -> BTreeMap<String, String> {
    if map.use_defaults {
        return login.default_tags();
    }
    let tag = |(key, claim): (&String, &String)| Some((key.clone(), text_of(login.claims(), claim)?));
    map.tags.iter().filter_map(tag).collect()
}

/// A claim that is one text, number or truth value. What has no value makes no tag either.
pub(super) fn text_of(claims: &Map<String, Value>, claim: &str) -> Option<String> {
    match claims.get(claim)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a map may be kept.
pub(super) fn check_map(map: &PrincipalTagMap) -> Result<(), PoolError> {
    let bytes: usize = map.tags.iter().map(|(key, claim)| key.len() + claim.len()).sum();
    if bytes > MAX_MAP_BYTES {
        let text =
            format!("Tag keys and claims have {bytes} bytes together; at most {MAX_MAP_BYTES} are allowed.");
        return Err(Invalid::Value(text).into());
    }
    map.tags.keys().try_for_each(|key| check_key(key))?;
    check_distinct(map.tags.keys())
}

/// Tags end up in policies by way of variables. What STS refuses in a tag is refused here already, and with
/// it `*` and `?`, which some stores substitute as patterns.
pub(crate) fn check(tags: &BTreeMap<String, String>) -> Result<(), PoolError> {
    for (key, value) in tags {
        check_key(key)?;
        check_text(key, value)?;
        if value.chars().count() > MAX_VALUE {
            let text = format!("The principal tag {key:?} has more than {MAX_VALUE} characters.");
            return Err(Invalid::Value(text).into());
        }
    }
    check_distinct(tags.keys())
}

fn check_key(key: &str) -> Result<(), PoolError> {
    check_text(key, key)?;
    if key.to_ascii_lowercase().starts_with("aws:") {
        let text = format!("The principal tag {key:?} has a key that begins with aws:, which is reserved.");
        return Err(Invalid::Value(text).into());
    }
    Ok(())
}

fn check_text(key: &str, text: &str) -> Result<(), PoolError> {
    let plain = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    if text.chars().all(plain) {
        return Ok(());
    }
    let text = format!("The principal tag {key:?} may hold only letters, digits, spaces and _ . : / = + - @");
    Err(Invalid::Value(text).into())
}

fn check_distinct<'a>(keys: impl ExactSizeIterator<Item = &'a String>) -> Result<(), PoolError> {
    let count = keys.len();
    let distinct: BTreeSet<String> = keys.map(|key| key.to_lowercase()).collect();
    if distinct.len() == count {
        return Ok(());
    }
    let text = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
    Err(Invalid::Value(text.into()).into())
}

#[cfg(test)]
mod tests;
