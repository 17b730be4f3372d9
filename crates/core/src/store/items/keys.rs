//! Where each kind of item is. What somebody else may have chosen is hashed: an engine limits the length of a key, and one of
//! them refuses a text with a NUL in it.

use aws_lc_rs::digest::{Context, SHA256};

use super::engine::Key;
use super::incarnation::Incarnation;
use crate::ground::ids::{AccessKeyId, IdentityId, IdentityPoolId, RoleName, SignInSessionId};
use crate::records::audit_event::AuditSubject;
use crate::records::identity::{Login, LoginProvider};
use crate::store::RevocationTarget;
use crate::store::packed::packed;

/// Partitions of which there is one.
pub(super) const POOLS: &[u8] = b"pool";
pub(super) const CONFIGURED: &[u8] = b"configured";
pub(super) const DEVELOPERS: &[u8] = b"developer";
/// What the partition of an access key begins with.
pub(super) const ACCESS_KEY: &[u8] = b"a:";
pub(super) const DEAD: &[u8] = b"dead";
pub(super) const TRAIL_BLOCKS: &[u8] = b"trail";
pub(super) const TRAIL_SECTIONS: &[u8] = b"trail-section";
pub(super) const REFUSALS: &[u8] = b"refusal";

fn key(partition: impl Into<Vec<u8>>, sort: impl Into<Vec<u8>>) -> Key {
    Key { partition: partition.into(), sort: sort.into() }
}

/// An item that is alone in its partition.
fn alone(kind: &str, name: &[u8]) -> Key {
    key([kind.as_bytes(), b":", name].concat(), [])
}

/// SHA-256 over parts, each with its length in front.
fn hash(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().to_vec()
}

pub(super) fn pool(id: &IdentityPoolId) -> Key {
    key(POOLS, id.as_str())
}

pub(super) fn configured(name: &str) -> Key {
    key(CONFIGURED, name)
}

pub(super) fn dead(incarnation: Incarnation) -> Key {
    key(DEAD, incarnation.to_string())
}

/// Whose turn it is to import a pool.
pub(super) fn import(id: &IdentityPoolId) -> Key {
    alone("import", id.as_str().as_bytes())
}

pub(super) fn identity(id: &IdentityId) -> Key {
    alone("i", &packed(id.as_str()))
}

pub(super) fn login(incarnation: Incarnation, login: &Login) -> Key {
    let (kind, name): (&[u8], &str) = match &login.provider {
        LoginProvider::Developer => (b"developer", ""),
        LoginProvider::Public(name) => (b"public", name),
    };
    alone("l", &hash(&[&incarnation.to_bytes(), kind, name.as_bytes(), login.user.as_bytes()]))
}

/// A shard of the identities of an incarnation.
pub(super) fn listing(incarnation: Incarnation, shard: u8) -> Vec<u8> {
    [&b"p:"[..], &incarnation.to_bytes(), &[shard]].concat()
}

/// An identity in the listing.
pub(super) fn listed(incarnation: Incarnation, shards: u8, id: &IdentityId) -> Key {
    key(listing(incarnation, shard_of(id.as_str(), shards)), packed(id.as_str()))
}

/// The shard that a name is in.
pub(super) fn shard_of(name: &str, shards: u8) -> u8 {
    hash(&[name.as_bytes()])[0] % shards
}

pub(super) fn developer(name: &str) -> Key {
    key(DEVELOPERS, name)
}

pub(super) fn access_key(id: &AccessKeyId) -> Key {
    key([ACCESS_KEY, id.as_str().as_bytes()].concat(), [])
}

pub(super) fn signing_keys() -> Key {
    alone("keys", b"")
}

/// What is written, and taken away again, to see whether it can be.
pub(super) fn rehearsal() -> Key {
    alone("rehearsal", b"")
}

/// What is written to see whether anything can be.
pub(super) fn touched() -> Key {
    alone("touched", b"")
}

pub(super) fn master_keys() -> Key {
    alone("master", b"")
}

pub(super) fn session(id: &SignInSessionId) -> Key {
    alone("s", &id.to_bytes())
}

/// The sessions of an identity.
pub(super) fn sessions_of(id: &IdentityId) -> Vec<u8> {
    [b"j:", &packed(id.as_str())[..]].concat()
}

/// A session among those of its identity, the newest first.
pub(super) fn session_of(identity: &IdentityId, created_at_millisecond: i64, id: &SignInSessionId) -> Key {
    // Bytes that are in the order of the numbers, turned round.
    let newest_first = !(created_at_millisecond.cast_unsigned() ^ (1 << 63));
    key(sessions_of(identity), [&newest_first.to_be_bytes()[..], &id.to_bytes()].concat())
}

/// A shard of all sessions, whose logins are sealed.
pub(super) fn sealed_sessions(shard: u8) -> Vec<u8> {
    [b"sealed:", &[shard][..]].concat()
}

pub(super) fn sealed_session(id: &SignInSessionId, shards: u8) -> Key {
    key(sealed_sessions(id.to_bytes()[0] % shards), id.to_bytes())
}

pub(super) fn device_authorization(id: &str) -> Key {
    alone("device", &hash(&[id.as_bytes()]))
}

pub(super) fn used_once(name: &str) -> Key {
    alone("once", &hash(&[name.as_bytes()]))
}

pub(super) fn login_grant(code_hash: &str) -> Key {
    alone("grant", &hash(&[code_hash.as_bytes()]))
}

pub(super) fn revocation(target: &RevocationTarget) -> Key {
    match target {
        RevocationTarget::Identity(id) => alone("revoked-identity", id.as_str().as_bytes()),
        RevocationTarget::Role(name) => alone("revoked-role", name.as_str().as_bytes()),
        RevocationTarget::Everybody => alone("revoked", b""),
    }
}

pub(super) fn revoked_role(name: &RoleName) -> Key {
    revocation(&RevocationTarget::Role(name.clone()))
}

pub(super) fn export(name: &str) -> Key {
    alone("export", &hash(&[name.as_bytes()]))
}

/// How far the trail goes.
pub(super) fn trail() -> Key {
    alone("trail-head", b"")
}

/// Up to which line it is known whom the trail is about.
pub(super) fn trail_indexed() -> Key {
    alone("trail-indexed", b"")
}

/// The block of the trail that begins with a line, the last one first.
pub(super) fn trail_block(first: u64) -> Key {
    key(TRAIL_BLOCKS, (!first).to_be_bytes())
}

/// The section of the trail that begins with a line.
pub(super) fn trail_section(first: u64) -> Key {
    key(TRAIL_SECTIONS, first.to_be_bytes())
}

pub(super) fn first_line_of_section(section: &Key) -> Option<u64> {
    Some(u64::from_be_bytes(section.sort.as_slice().try_into().ok()?))
}

pub(super) fn first_line_of_block(block: &Key) -> Option<u64> {
    Some(!u64::from_be_bytes(block.sort.as_slice().try_into().ok()?))
}

/// Blocks of the trail that are about somebody, by the line that each begins with.
pub(super) fn trail_about(about: &AuditSubject) -> Vec<u8> {
    let (kind, name) = match about {
        AuditSubject::Identity(id) => ("identity", id.as_str()),
        AuditSubject::AccessKey(id) => ("access-key", id.as_str()),
        AuditSubject::DeveloperUser(user) => ("developer-user", user.as_str()),
        AuditSubject::Request(id) => ("request", id.as_str()),
    };
    [b"about:", &hash(&[kind.as_bytes(), name.as_bytes()])[..]].concat()
}

/// A shard of the journal.
pub(super) fn journal(shard: u64) -> Vec<u8> {
    [b"journal:", &shard.to_be_bytes()[..]].concat()
}

/// An entry of the journal, by when it was kept and a number that nobody else has drawn.
pub(super) fn journal_entry(shard: u64, microsecond: i64, number: u64) -> Key {
    let time = (microsecond.cast_unsigned() ^ (1 << 63)).to_be_bytes();
    key(journal(shard), [time, number.to_be_bytes()].concat())
}

/// How many refusals of people who proved nothing were kept.
pub(super) fn refusals() -> Key {
    alone("refusals", b"")
}

/// A place of one of them.
pub(super) fn refusal(place: u64) -> Key {
    key(REFUSALS, place.to_be_bytes())
}

/// That the store is being filled with everything of another one.
pub(super) fn copying() -> Key {
    alone("copying", b"")
}

/// That an attempt was made.
pub(super) fn receipt(number: u64) -> Key {
    alone("receipt", &number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn no_two_logins_share_a_key() {
        let public = |provider: &str, user: &str| Login {
            provider: LoginProvider::Public(provider.into()),
            user: user.into(),
        };
        let [one, other] = [1, 2].map(|seed| Incarnation::draw(&SeededRandom::new(seed)));
        let keys = [
            login(one, &Login::developer("b")),
            login(one, &public("", "b")),
            login(one, &public("b", "")),
            login(one, &public("developer", "b")),
            login(other, &Login::developer("b")),
            login(other, &public("", "b")),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[index + 1..].contains(key), "{index}");
        }
    }

    #[test]
    fn the_newest_session_of_an_identity_is_the_first() {
        let identity = IdentityId::parse("us-east-1:aa").unwrap();
        let id = SignInSessionId::of_bytes([7; 16]);
        let keys: Vec<Key> =
            [i64::MAX, 1, 0, -1, i64::MIN + 1].map(|instant| session_of(&identity, instant, &id)).into();
        assert!(keys.is_sorted(), "{keys:?}");
    }
}
