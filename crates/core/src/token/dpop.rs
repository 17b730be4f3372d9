//! Proofs of possession (DPoP, RFC 9449): whoever shows a refresh token that is bound to a key signs each request with
//! that key. Who copied the token has not got it.
//!
//! A proof is good for one request, and while its time and ours differ by five minutes at most. A client whose clock is
//! further off is told a nonce, which stands for the time: it is ours and the moment, sealed, so nobody has to keep it.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::ground::authenticator::Authenticator;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::master_keys::MasterKeys;
use crate::store::{Once, StoreError};

/// The one algorithm: what browsers make without ever seeing the private key.
pub const ALGORITHM: &str = "ES256";

/// So far the clock of a client may be off.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);
/// So long a nonce stands for the time.
const NONCE_LASTS: SignedDuration = SignedDuration::from_mins(5);
/// Longer than any honest proof.
const MAX_PROOF: usize = 4 * 1024;
const MAX_JTI: usize = 256;
/// The length of 32 bytes.
const COORDINATE: usize = 32;

/// What a request says of itself, which a proof has to say as well.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The proof.
    pub proof: &'a str,
    /// The method of the request.
    pub method: &'a str,
    /// Where it went, by our public URL: without a query.
    pub url: &'a str,
    /// The token in its `Authorization`, if there is one: `ath` is its hash then.
    pub token: Option<&'a str>,
}

/// The thumbprint of a key (RFC 7638) whose owner sent this request. Only [`ProofsOfPossession::verify`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder(String);

impl KeyHolder {
    /// The thumbprint.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.0
    }
}

/// Why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It is malformed, of another request, signed by another key than it shows, or was shown before. The text says which.
    #[error("the DPoP proof is refused: {0}")]
    Invalid(&'static str),
    /// Its time is off: it is to be made again with this nonce.
    #[error("the DPoP proof needs the nonce of this server")]
    NonceWanted(String),
    /// Whether it was shown before cannot be said.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Deserialize)]
struct Header {
    typ: String,
    alg: String,
    jwk: Jwk,
    crit: Option<IgnoredAny>,
}

/// A public key on P-256 (RFC 7518 section 6.2.1). Its private half has no business here.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    d: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: f64,
    nonce: Option<String>,
    ath: Option<String>,
}

/// Verifies proofs.
pub struct ProofsOfPossession {
    nonces: Authenticator,
    store: Arc<dyn Once>,
    clock: Arc<dyn Clock>,
}

impl ProofsOfPossession {
    /// Those of all nodes with these master keys and this store.
    #[must_use]
    pub fn new(master_keys: &MasterKeys, store: Arc<dyn Once>, clock: Arc<dyn Clock>) -> Self {
        Self { nonces: master_keys.authenticator("dpop nonce"), store, clock }
    }

    /// Who sent a request, by the checks of RFC 9449 section 4.3.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn verify(&self, shown: Shown<'_>) -> Result<KeyHolder, ProofError> {
        let (jwk, claims) = read(shown.proof)?;
        check_request(&claims, &shown)?;
        let now = self.clock.now();
        self.check_time(&claims, now)?;
        let thumbprint = jwk.thumbprint();
        // A proof is refused from then on by its time, or by that of its nonce, which are whole seconds.
        let until = now + TOLERANCE + NONCE_LASTS + SignedDuration::from_secs(1);
        let name = format!("dpop: {}", sha256(&format!("{thumbprint} {}", claims.jti)));
        if !self.store.use_once(&name, until, now).await? {
            return Err(ProofError::Invalid("it was shown before"));
        }
        Ok(KeyHolder(thumbprint))
    }

    fn check_time(&self, claims: &Claims, now: Timestamp) -> Result<(), ProofError> {
        if let Some(nonce) = &claims.nonce {
            return if self.is_current(nonce, now) { Ok(()) } else { Err(self.nonce_wanted(now)) };
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
        let off = (claims.iat - now.as_second() as f64).abs();
        // A number that is none is as far off as can be.
        if off <= TOLERANCE.as_secs_f64() { Ok(()) } else { Err(self.nonce_wanted(now)) }
    }

    fn nonce_wanted(&self, now: Timestamp) -> ProofError {
        ProofError::NonceWanted(self.nonce(now))
    }

    fn nonce(&self, now: Timestamp) -> String {
        let seconds = now.as_second().to_be_bytes();
        let seal = self.nonces.tag(&seconds);
        BASE64_URL_SAFE_NO_PAD.encode([&seconds, seal.as_ref()].concat())
    }

    fn is_current(&self, nonce: &str, now: Timestamp) -> bool {
        let Ok(bytes) = BASE64_URL_SAFE_NO_PAD.decode(nonce) else { return false };
        let Some((seconds, seal)) = bytes.split_first_chunk() else { return false };
        let age = now.as_second().saturating_sub(i64::from_be_bytes(*seconds));
        self.nonces.verifies(seconds, seal) && (0..NONCE_LASTS.as_secs()).contains(&age)
    }
}

/// A proof whose signature is that of the key in it.
fn read(proof: &str) -> Result<(Jwk, Claims), ProofError> {
    let malformed = || ProofError::Invalid("it is no JWT of the type dpop+jwt");
    if proof.len() > MAX_PROOF {
        return Err(malformed());
    }
    let (message, signature) = proof.rsplit_once('.').ok_or_else(malformed)?;
    let (header, payload) = message.split_once('.').ok_or_else(malformed)?;
    let header: Header = decode(header).ok_or_else(malformed)?;
    if header.typ != "dpop+jwt" || header.crit.is_some() {
        return Err(malformed());
    }
    let point = header.jwk.point().filter(|_| header.alg == ALGORITHM);
    let point =
        point.ok_or(ProofError::Invalid("it is not signed with ES256, or does not show its public key"))?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed())?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    key.verify(message.as_bytes(), &signature)
        .map_err(|_| ProofError::Invalid("its signature is not that of the key in it"))?;
    let claims: Claims = decode(payload).ok_or_else(malformed)?;
    if claims.jti.is_empty() || claims.jti.len() > MAX_JTI {
        return Err(ProofError::Invalid("its jti must have 1 to 256 characters"));
    }
    Ok((header.jwk, claims))
}

fn check_request(claims: &Claims, shown: &Shown<'_>) -> Result<(), ProofError> {
    if claims.htm != shown.method {
        return Err(ProofError::Invalid("its htm is not the method of the request"));
    }
    let end = claims.htu.find(['?', '#']).unwrap_or(claims.htu.len());
    if &claims.htu[..end] != shown.url {
        return Err(ProofError::Invalid(
            "its htu is not where the request went, by the public URL of this server",
        ));
    }
    if shown.token.is_some_and(|token| claims.ath.as_deref() != Some(&*sha256(token))) {
        return Err(ProofError::Invalid("its ath is not the hash of the token that came along"));
    }
    Ok(())
}

impl Jwk {
    /// Uncompressed, as in SEC 1 section 2.3.3.
    fn point(&self) -> Option<Vec<u8>> {
        let coordinate =
            |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|it| it.len() == COORDINATE);
        let is_public = self.kty == "EC" && self.crv == "P-256" && self.d.is_none();
        let (x, y) = (coordinate(&self.x)?, coordinate(&self.y)?);
        is_public.then(|| [vec![4], x, y].concat())
    }

    /// RFC 7638 section 3.
    fn thumbprint(&self) -> String {
        sha256(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, self.x, self.y))
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn sha256(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// A client's key pair, for tests.
#[cfg(any(test, feature = "testing"))]
pub mod testing {
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::{BASE64_URL_SAFE_NO_PAD, Engine, sha256};

    /// A key pair.
    pub struct ClientKey(EcdsaKeyPair);

    impl ClientKey {
        /// A new one.
        #[must_use]
        #[expect(clippy::new_without_default, reason = "two of them are never the same")]
        pub fn new() -> Self {
            Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("aws-lc makes a key"))
        }

        /// Its public half.
        #[must_use]
        pub fn jwk(&self) -> Value {
            let point = self.0.public_key().as_ref();
            let [x, y] = [&point[1..33], &point[33..]].map(|half| BASE64_URL_SAFE_NO_PAD.encode(half));
            json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
        }

        /// A proof that says this.
        #[must_use]
        pub fn sign(&self, header: &Value, claims: &Value) -> String {
            let [header, claims] =
                [header, claims].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part.to_string()));
            let message = format!("{header}.{claims}");
            let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).expect("a whole key signs");
            format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
        }

        /// A proof for a request.
        #[must_use]
        pub fn prove(&self, method: &str, url: &str, jti: &str, iat: i64) -> String {
            self.sign(&self.header(), &json!({"htm": method, "htu": url, "jti": jti, "iat": iat}))
        }

        /// The header of an honest proof.
        #[must_use]
        pub fn header(&self) -> Value {
            json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()})
        }
    }

    /// `ath` of a token.
    #[must_use]
    pub fn hash(token: &str) -> String {
        sha256(token)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::testing::ClientKey;
    use super::*;
    use crate::ground::clock::ManualClock;
    use crate::ground::random::SeededRandom;
    use crate::store::memory::MemoryStore;

    const NOW: i64 = 1_790_000_000;
    const URL: &str = "https://login.example.com/oauth2/token";

    struct Fixture {
        proofs: ProofsOfPossession,
        clock: Arc<ManualClock>,
        key: ClientKey,
    }

    impl Fixture {
        fn new() -> Self {
            let clock = Arc::new(ManualClock::at_second(NOW));
            let master_keys = MasterKeys::generate(&SeededRandom::new(1));
            let proofs = ProofsOfPossession::new(&master_keys, Arc::new(MemoryStore::new()), clock.clone());
            Self { proofs, clock, key: ClientKey::new() }
        }

        async fn verify(&self, proof: &str) -> Result<KeyHolder, String> {
            let shown = Shown { proof, method: "POST", url: URL, token: None };
            self.proofs.verify(shown).await.map_err(|error| match error {
                ProofError::NonceWanted(_) => "nonce".to_owned(),
                other => other.to_string(),
            })
        }

        /// An honest proof, but for these members of header and claims.
        fn prove(&self, header: &Value, claims: &Value) -> String {
            let mut whole = [self.key.header(), json!({"htm": "POST", "htu": URL, "jti": "1", "iat": NOW})];
            for (whole, other) in whole.iter_mut().zip([header, claims]) {
                let other = other.as_object().unwrap().clone();
                whole.as_object_mut().unwrap().extend(other);
                whole.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            }
            self.key.sign(&whole[0], &whole[1])
        }
    }

    /// RFC 9449 section 6.1 has this key and its thumbprint.
    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"});
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        assert_eq!(jwk.thumbprint(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    }

    /// RFC 9449 section 4.1.
    #[tokio::test]
    async fn the_proof_of_the_rfc_is_believed_at_its_time() {
        let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUk\
                     lDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQ\
                     SIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2Vydm\
                     VyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLb\
                     dLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
        let fixture = Fixture::new();
        fixture.clock.advance(SignedDuration::from_secs(1_562_262_616 - NOW));
        let shown = Shown { proof, method: "POST", url: "https://server.example.com/token", token: None };
        assert!(fixture.proofs.verify(shown).await.is_ok());
        assert!(matches!(
            fixture.proofs.verify(shown).await,
            Err(ProofError::Invalid("it was shown before"))
        ));
    }

    #[tokio::test]
    async fn an_honest_proof_says_whose_request_it_is_once() {
        let fixture = Fixture::new();
        let proof = fixture.prove(&json!({}), &json!({"htu": format!("{URL}?a=b#c")}));
        let holder = fixture.verify(&proof).await.unwrap();
        assert_eq!(holder.thumbprint().len(), 43);
        assert!(fixture.verify(&proof).await.unwrap_err().contains("shown before"));
        let again = fixture.prove(&json!({}), &json!({"jti": "2"}));
        assert_eq!(fixture.verify(&again).await.unwrap(), holder);
    }

    /// Its time is told in whole seconds, and that of its use is not.
    #[tokio::test]
    async fn a_proof_counts_once_to_the_end_of_its_time() {
        let fixture = Fixture::new();
        let ahead = fixture.prove(&json!({}), &json!({"iat": NOW + TOLERANCE.as_secs()}));
        fixture.clock.advance(SignedDuration::from_millis(100));
        fixture.verify(&ahead).await.unwrap();
        fixture.clock.advance(2 * TOLERANCE + SignedDuration::from_millis(400));
        let again = fixture.verify(&ahead).await.unwrap_err();
        assert!(again.contains("it was shown before"), "{again}");
        fixture.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(fixture.verify(&ahead).await.unwrap_err(), "nonce", "then it is over");
    }

    #[tokio::test]
    async fn whatever_is_not_as_it_has_to_be_is_refused() {
        let fixture = Fixture::new();
        let other = ClientKey::new().jwk();
        let mut private = fixture.key.jwk();
        private["d"] = "AAAA".into();
        let mut short = fixture.key.jwk();
        short["x"] = "AAAA".into();
        for (header, claims) in [
            (json!({"typ": "JWT"}), json!({})),
            (json!({"typ": null}), json!({})),
            (json!({"alg": "none"}), json!({})),
            (json!({"alg": "ES384"}), json!({})),
            (json!({"alg": "HS256"}), json!({})),
            (json!({"crit": ["b64"]}), json!({})),
            (json!({"jwk": null}), json!({})),
            (json!({"jwk": other}), json!({})),
            (json!({"jwk": private}), json!({})),
            (json!({"jwk": short}), json!({})),
            (json!({}), json!({"jti": null})),
            (json!({}), json!({"jti": ""})),
            (json!({}), json!({"jti": "j".repeat(257)})),
            (json!({}), json!({"htm": "GET"})),
            (json!({}), json!({"htm": "post"})),
            (json!({}), json!({"htu": "https://evil.example/oauth2/token"})),
            (json!({}), json!({"htu": format!("{URL}/")})),
            (json!({}), json!({"htu": null})),
            (json!({}), json!({"iat": null})),
            (json!({}), json!({"iat": "1790000000"})),
        ] {
            let proof = fixture.prove(&header, &claims);
            let refusal = fixture.verify(&proof).await.unwrap_err();
            assert!(refusal.starts_with("the DPoP proof is refused"), "{header} {claims}: {refusal}");
        }
        let good = fixture.prove(&json!({}), &json!({}));
        for bad in [
            "",
            "a.b",
            "a.b.c",
            &good[1..],
            &good[..good.len() - 2],
            &format!("{good}.e30"),
            &"a".repeat(5_000),
        ] {
            assert!(fixture.verify(bad).await.is_err(), "{bad}");
        }
        assert!(fixture.verify(&good).await.is_ok());
    }

    #[tokio::test]
    async fn who_has_another_time_is_told_a_nonce() {
        let fixture = Fixture::new();
        for (iat, believed) in [(-301, false), (-300, true), (300, true), (301, false), (10_000_000, false)] {
            let proof = fixture.prove(&json!({}), &json!({"iat": NOW + iat, "jti": iat.to_string()}));
            assert_eq!(fixture.verify(&proof).await.is_ok(), believed, "{iat}");
        }
        let nonce = fixture.proofs.nonce(fixture.clock.now());
        let with = |nonce: &str, jti: &str| {
            fixture.prove(&json!({}), &json!({"iat": 1, "nonce": nonce, "jti": jti}))
        };
        assert!(fixture.verify(&with(&nonce, "n1")).await.is_ok());
        let made_up = BASE64_URL_SAFE_NO_PAD.encode([0; 40]);
        for bad in ["", "x", &made_up, &nonce[..nonce.len() - 2]] {
            assert_eq!(fixture.verify(&with(bad, "n2")).await.unwrap_err(), "nonce", "{bad}");
        }
        fixture.clock.advance(NONCE_LASTS);
        assert_eq!(fixture.verify(&with(&nonce, "n3")).await.unwrap_err(), "nonce");
    }

    #[tokio::test]
    async fn a_proof_beside_a_token_names_it() {
        let fixture = Fixture::new();
        let verify = async |ath: Value, jti: &str| {
            let proof = fixture.prove(&json!({}), &json!({"ath": ath, "jti": jti}));
            let shown = Shown { proof: &proof, method: "POST", url: URL, token: Some("dpr_x") };
            fixture.proofs.verify(shown).await.is_ok()
        };
        assert!(verify(testing::hash("dpr_x").into(), "1").await);
        assert!(!verify(testing::hash("dpr_y").into(), "2").await);
        assert!(!verify(Value::Null, "3").await);
    }
}
