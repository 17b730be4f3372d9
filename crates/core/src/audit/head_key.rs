//! The key that signs heads of the audit trail. It follows from the master key, so whoever can write the files of the trail, or
//! the store, and has not got that signs no head. Auditors keep its public half.

use std::iter;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ground::master_keys::MasterKeys;
use crate::records::trail_head::{TrailDropped, TrailHead};
use crate::store::HeadSigner;

/// What the JWS of a head says it is: no token, that verifiers of tokens would take for one.
const HEAD: &str = "daypass-trail-head";

/// The same of what was dropped, and of keys that signed before.
const DROPPED: &str = "daypass-trail-dropped";
const KEYS: &str = "daypass-trail-keys";

/// Ed25519 in JOSE (RFC 8037 section 3.1).
const ALGORITHM: &str = "EdDSA";

/// The key, with its private half.
pub struct HeadKey {
    pair: Ed25519KeyPair,
    public: HeadPublicKey,
}

/// The header of a head's JWS (RFC 7515 section 4).
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

impl HeadKey {
    /// Those of an installation, the one that signs first, and then those of master keys that only open.
    pub fn all(master_keys: &MasterKeys) -> impl Iterator<Item = Self> {
        master_keys.seeds("audit trail heads").map(|seed| {
            let pair = Ed25519KeyPair::from_seed_unchecked(&*seed).expect("any 32 bytes are a seed");
            let public = HeadPublicKey::new(pair.public_key().as_ref());
            Self { pair, public }
        })
    }

    /// The one that signs.
    #[must_use]
    pub fn of(master_keys: &MasterKeys) -> Self {
        Self::all(master_keys).next().expect("an installation has a master key")
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &HeadPublicKey {
        &self.public
    }

    fn sign(&self, typ: &str, said: &impl Serialize) -> String {
        let kid = self.public.kid.clone();
        let header = Header { alg: ALGORITHM.to_owned(), typ: typ.to_owned(), kid };
        let encoded = |json: serde_json::Result<Vec<u8>>| {
            BASE64_URL_SAFE_NO_PAD.encode(json.expect("it is plain data"))
        };
        let header = encoded(serde_json::to_vec(&header));
        let signed = format!("{header}.{}", encoded(serde_json::to_vec(said)));
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// The keys of an installation: one signs, and vouches for those of master keys that only open by now.
pub struct HeadKeys {
    current: HeadKey,
    others: Vec<HeadPublicKey>,
}

impl HeadKeys {
    /// Those of an installation.
    #[must_use]
    pub fn of(master_keys: &MasterKeys) -> Self {
        let others = HeadKey::all(master_keys).skip(1).map(|key| key.public).collect();
        Self { current: HeadKey::of(master_keys), others }
    }

    /// The key of before that signed a head.
    fn key_of(&self, head: &str) -> Option<&HeadPublicKey> {
        self.others.iter().find(|key| key.verify(head).is_some())
    }
}

impl HeadSigner for HeadKeys {
    fn key_id(&self) -> &str {
        &self.current.public.kid
    }

    fn is_of_now(&self, jws: &str) -> bool {
        key_id_of(jws).as_deref() == Some(self.key_id())
    }

    fn sign(&self, head: &TrailHead) -> String {
        self.current.sign(HEAD, head)
    }

    fn sign_dropped(&self, dropped: &TrailDropped) -> String {
        self.current.sign(DROPPED, dropped)
    }

    fn read_dropped(&self, jws: &str, head: Option<&str>) -> Option<TrailDropped> {
        let of_head = head.and_then(|head| self.key_of(head));
        iter::once(&self.current.public).chain(of_head).find_map(|key| key.dropped(jws))
    }

    fn read_of_before(&self, jws: &str) -> Option<TrailHead> {
        self.others.iter().find_map(|key| key.verify(jws))
    }

    fn vouch(&self, before: &TrailHead, head: &str) -> String {
        let keys = self.key_of(head).into_iter().cloned().collect();
        self.current.sign(KEYS, &Vouched { before: before.clone(), keys })
    }
}

/// The keys that signed before a place of a trail. What they sign behind it, whoever has got hold of them, is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vouched {
    /// The place.
    #[serde(flatten)]
    pub before: TrailHead,
    /// The keys.
    pub keys: Vec<HeadPublicKey>,
}

/// What the key of a head is called, whoever signed it.
#[must_use]
pub fn key_id_of(jws: &str) -> Option<String> {
    let (header, _) = jws.split_once('.')?;
    let header: Header = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header.kid)
}

/// What a head says, whoever signed it.
#[must_use]
pub fn head_as_anybody_says(jws: &str) -> Option<TrailHead> {
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// What a JWS says was dropped, whoever signed it.
#[must_use]
pub fn dropped_as_anybody_says(jws: &str) -> Option<TrailDropped> {
    let payload = jws.split('.').nth(1)?;
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// What verifies heads, as a JWK (RFC 8037 section 2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadPublicKey {
    kty: String,
    crv: String,
    /// Follows from the key.
    pub kid: String,
    x: String,
}

impl HeadPublicKey {
    fn new(public: &[u8]) -> Self {
        let kid = BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, public).as_ref()[..12]);
        Self { kty: "OKP".into(), crv: "Ed25519".into(), kid, x: BASE64_URL_SAFE_NO_PAD.encode(public) }
    }

    /// What a head says, if this key signed it.
    #[must_use]
    pub fn verify(&self, jws: &str) -> Option<TrailHead> {
        self.open(HEAD, jws)
    }

    /// What was dropped, if this key signed it.
    #[must_use]
    pub fn dropped(&self, jws: &str) -> Option<TrailDropped> {
        self.open(DROPPED, jws)
    }

    /// The keys that signed before, if this key vouches for them.
    #[must_use]
    pub fn vouched_for(&self, jws: &str) -> Option<Vouched> {
        self.open(KEYS, jws)
    }

    fn open<T: DeserializeOwned>(&self, typ: &str, jws: &str) -> Option<T> {
        let (signed, signature) = jws.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        let is_ours = header.alg == ALGORITHM && header.typ == typ && header.kid == self.kid;
        let is_ed25519 = self.kty == "OKP" && self.crv == "Ed25519";
        let key = UnparsedPublicKey::new(&ED25519, decode(&self.x)?);
        let verified = key.verify(signed.as_bytes(), &decode(signature)?).is_ok();
        let believed = is_ours && is_ed25519 && verified;
        if believed { serde_json::from_slice(&decode(payload)?).ok() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::clock::Timestamp;
    use crate::ground::master_keys::MasterKey;

    fn head() -> TrailHead {
        TrailHead { trail: "t".into(), n: 7, chain: "c".into(), time: Timestamp::UNIX_EPOCH }
    }

    fn keys(current: u8, others: &[u8]) -> HeadKeys {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        HeadKeys::of(&MasterKeys::new(key(current), others.iter().copied().map(key).collect()))
    }

    #[test]
    fn a_key_vouches_for_those_of_before_and_nobody_else_does() {
        let of_before = keys(1, &[]).sign(&head());
        let vouched = keys(2, &[1]).vouch(&head(), &of_before);
        let expected = Vouched { before: head(), keys: vec![key(1).public().clone()] };
        assert_eq!(key(2).public().vouched_for(&vouched), Some(expected));
        assert_eq!(key(1).public().vouched_for(&vouched), None);
        assert_eq!(key(2).public().verify(&vouched), None, "it is no head");
        assert_eq!(key(2).public().vouched_for(&keys(2, &[]).sign(&head())), None);
        // Not for those that were vouched for before, whose holders may have signed since.
        let one_by_one = keys(3, &[2, 1]).vouch(&head(), &keys(2, &[1]).sign(&head()));
        let vouched = key(3).public().vouched_for(&one_by_one).unwrap();
        assert_eq!(vouched.keys, [key(2).public().clone()]);
        assert_eq!(keys(2, &[1]).read_of_before(&of_before), Some(head()));
        assert_eq!(keys(2, &[3]).read_of_before(&of_before), None);
        assert_eq!(keys(1, &[2]).read_of_before(&of_before), None, "it is of now");
        assert_eq!(key_id_of(&keys(2, &[1]).sign(&head())).unwrap(), key(2).public().kid);
    }

    fn key(master_key: u8) -> HeadKey {
        HeadKey::of(&MasterKey::new([master_key; 32]).into())
    }

    #[test]
    fn an_installation_has_one_key_and_it_alone_signs_heads() {
        let jws = keys(1, &[]).sign(&head());
        assert_eq!(key(1).public().verify(&jws), Some(head()));
        assert_eq!(key(2).public().verify(&jws), None);
        let renamed = HeadPublicKey { kid: key(1).public().kid.clone(), ..key(2).public().clone() };
        assert_eq!(renamed.verify(&jws), None);
        let kept = serde_json::to_string(key(1).public()).unwrap();
        assert_eq!(serde_json::from_str::<HeadPublicKey>(&kept).unwrap().verify(&jws), Some(head()));
    }

    #[test]
    fn what_was_dropped_is_said_by_a_key_and_by_no_head() {
        let until = Some(Timestamp::UNIX_EPOCH);
        let dropped = TrailDropped { trail: "t".into(), first: 1, last: 7, chain: "c".into(), until };
        let jws = keys(1, &[]).sign_dropped(&dropped);
        assert_eq!(key(1).public().dropped(&jws), Some(dropped.clone()));
        assert_eq!((key(2).public().dropped(&jws), key(1).public().verify(&jws)), (None, None));
        let [by_1, by_2] = [1, 2].map(|key| keys(key, &[]).sign(&head()));
        for (keys, last_head, is_believed) in [
            (keys(1, &[]), None, true),
            (keys(2, &[1]), Some(&*by_1), true),
            (keys(2, &[1]), None, false),
            (keys(2, &[1]), Some(&*by_2), false),
            (keys(2, &[]), Some(&*by_1), false),
            (keys(3, &[2, 1]), Some(&*by_2), false),
        ] {
            let said = keys.read_dropped(&jws, last_head);
            assert_eq!(said, is_believed.then(|| dropped.clone()), "{} {last_head:?}", keys.key_id());
        }
        assert_eq!(key(1).public().dropped(&keys(1, &[]).sign(&head())), None);
        assert_eq!(dropped_as_anybody_says(&jws), Some(dropped));
    }

    #[test]
    fn a_head_that_was_changed_is_nobodys() {
        let jws = keys(1, &[]).sign(&head());
        let parts: Vec<&str> = jws.split('.').collect();
        let encoded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
        let other = encoded(&serde_json::to_string(&TrailHead { n: 8, ..head() }).unwrap());
        let none = encoded(r#"{"alg":"none","typ":"daypass-trail-head","kid":"k"}"#);
        for wrong in [
            format!("{}.{other}.{}", parts[0], parts[2]),
            format!("{none}.{}.", parts[1]),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
        ] {
            assert_eq!(key(1).public().verify(&wrong), None, "{wrong}");
        }
    }
}
