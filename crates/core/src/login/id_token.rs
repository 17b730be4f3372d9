//! ID tokens of others (OpenID Connect Core 1.0 section 3.1.3.7, with the order of checks and the
//! tolerances of AWS). Claims are read before the signature is checked only to choose the issuer's keys.

mod claims;
mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::{digest, hmac};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use self::claims::Claims;
pub use self::error::IdTokenError;
use crate::ground::clock::{Clock, SignedDuration};
use crate::ground::hex;
use crate::ground::secret::Secret;
use crate::login::jwks::{Algorithm, JwksCache, KeySource, Rules, Wanted};

/// The API takes no longer tokens (shape `IdentityProviderToken`).
const MAX_TOKEN_BYTES: usize = 50_000;

/// How far ahead of ours an issuer's clock may be.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What may stand for a person: some text that a screen and a log can bear.
pub(crate) fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What a token must say to be believed.
pub(crate) struct Expectation<'a> {
    /// Each a spelling of one issuer; `{claim:tid}` in one stands for that claim of the token.
    pub(crate) issuers: &'a [String],
    pub(crate) keys: Keys<'a>,
    pub(crate) audience: Audience<'a>,
    pub(crate) expiry_grace: SignedDuration,
    pub(crate) nonce: Nonce<'a>,
    /// Seconds since its `iat`.
    pub(crate) max_age: Option<i64>,
    /// Claims that must have one of these values.
    pub(crate) claims: &'a BTreeMap<String, Vec<Value>>,
    /// Whose rules decide about keys, algorithms and numbers.
    pub(crate) rules: Rules,
}

/// What a token has to be signed with.
pub(crate) enum Keys<'a> {
    /// A key that the issuer publishes.
    Published(KeySource),
    /// A secret that we share with the issuer (HS256). No published key can be taken for it.
    Shared(&'a Secret),
    /// Either, as the token's algorithm says: HS256 goes with the secret alone, and no other with it.
    Both(KeySource, &'a Secret),
}

impl<'a> Keys<'a> {
    /// The secret, for a token that has to be signed with it.
    fn secret_for(&self, algorithm: &str) -> Option<&'a Secret> {
        match self {
            Self::Shared(secret) | Self::Both(_, secret) if algorithm == HS256 => Some(secret),
            Self::Shared(_) | Self::Both(..) | Self::Published(_) => None,
        }
    }

    fn published(&self) -> Option<&KeySource> {
        match self {
            Self::Published(source) | Self::Both(source, _) => Some(source),
            Self::Shared(_) => None,
        }
    }
}

/// The one algorithm with a shared secret (RFC 7518 section 3.2).
const HS256: &str = "HS256";

/// What a token has to say about the login that it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Nonce<'a> {
    /// Whatever it says.
    Ignored,
    /// None: whoever started the login with a nonce has it, and whoever does not show it did not start it.
    Absent,
    /// This.
    Exact(&'a str),
    /// This, or its hex SHA-256.
    Sha256(&'a str),
}

/// What a token claims to be signed with, which is something that it may be signed with.
enum SignedBy<'a> {
    Secret(&'a Secret),
    Key(&'a KeySource, Algorithm),
}

impl<'a> SignedBy<'a> {
    fn read(header: &Header, expected: &'a Expectation<'_>) -> Result<Self, IdTokenError> {
        if let Some(secret) = expected.keys.secret_for(&header.alg) {
            return Ok(Self::Secret(secret));
        }
        let algorithm = Algorithm::parse(&header.alg, expected.rules);
        let key =
            expected.keys.published().zip(algorithm).map(|(source, algorithm)| Self::Key(source, algorithm));
        key.ok_or_else(|| IdTokenError::AlgorithmNotTaken(plain_word(&header.alg)))
    }
}

/// A word of somebody else's, if a log can bear it.
fn plain_word(text: &str) -> String {
    let plain = (1..=16).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain { text.to_owned() } else { "an algorithm without a name".to_owned() }
}

/// Which client a token must be for.
pub(crate) struct Audience<'a> {
    pub(crate) clients: Vec<&'a str>,
    pub(crate) rule: AudienceRule,
}

/// How a token says which client it is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AudienceRule {
    /// One of our clients in `aud`, and no other than ours in `azp`, which has to be there if others stand in
    /// `aud` as well (OpenID Connect Core 1.0 section 3.1.3.7).
    #[default]
    OneOf,
    /// `azp` decides where there is one, and `aud`, of one member, where there is none: IAM's rule. A token
    /// that a client of ours was given for somebody else's server is therefore good here.
    AuthorizedParty,
    /// A client of a user pool, and nothing but its ID tokens.
    UserPoolClient,
    /// `aud` alone: on a phone, Google's `azp` is another client of the same app.
    App,
}

/// What a believed token says.
pub(crate) struct Verified {
    /// The client by which it was accepted.
    pub(crate) client: String,
    /// All of its claims. `sub` among them is 1 to 255 characters without control characters, or a whole number without
    /// sign.
    pub(crate) claims: Map<String, Value>,
}

/// Believes tokens, or says why not.
pub(crate) struct Verifier {
    keys: JwksCache,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    pub(crate) fn new(keys: JwksCache, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock }
    }

    pub(crate) async fn verify(
        &self,
        expected: &Expectation<'_>,
        token: &Secret,
    ) -> Result<Verified, IdTokenError> {
        let token = UnverifiedToken::read(token.expose())?;
        let by = SignedBy::read(&token.header, expected)?;
        let issuer = token.claims.text("iss")?;
        if !expected.issuers.iter().any(|known| token.claims.fill_in(known).as_deref() == Some(issuer)) {
            return Err(IdTokenError::IssuerMismatch);
        }
        self.check_signature(&token, &by, expected.rules).await?;
        let client = expected.audience.admit(&token.claims)?.to_owned();
        self.check_times(&token.claims, expected)?;
        check_nonce(&token.claims, expected.nonce)?;
        check_claims(&token.claims, expected.claims)?;
        check_subject(&token.claims)?;
        Ok(Verified { client, claims: token.claims.0 })
    }

    async fn check_signature(
        &self,
        token: &UnverifiedToken<'_>,
        by: &SignedBy<'_>,
        rules: Rules,
    ) -> Result<(), IdTokenError> {
        let (message, signature) = (token.message.as_bytes(), &token.signature);
        let good = match by {
            SignedBy::Secret(secret) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
                hmac::verify(&key, message, signature).is_ok()
            }
            SignedBy::Key(source, algorithm) => {
                let wanted = Wanted { key_id: token.header.kid.as_deref(), algorithm: *algorithm, rules };
                let keys = self.keys.find(source, &wanted).await?;
                keys.iter().any(|key| key.verifies(*algorithm, message, signature))
            }
        };
        if good { Ok(()) } else { Err(IdTokenError::BadSignature) }
    }

    fn check_times(&self, claims: &Claims, expected: &Expectation<'_>) -> Result<(), IdTokenError> {
        let now = self.clock.now().as_second();
        let rules = expected.rules;
        let expired_at = claims.time("exp", rules)?;
        if now >= expired_at.saturating_add(expected.expiry_grace.as_secs()) {
            return Err(IdTokenError::Expired { now, expired_at });
        }
        let issued_at = claims.time("iat", rules)?;
        let not_before = claims.get("nbf").map_or(Ok(issued_at), |_| claims.time("nbf", rules))?;
        let valid_from = issued_at.max(not_before);
        if valid_from > now.saturating_add(CLOCK_SKEW.as_secs()) {
            return Err(IdTokenError::NotYetValid { now, valid_from });
        }
        match expected.max_age {
            Some(max_age) if now > issued_at.saturating_add(max_age) => Err(IdTokenError::TooOld),
            _ => Ok(()),
        }
    }
}

fn check_nonce(claims: &Claims, wanted: Nonce<'_>) -> Result<(), IdTokenError> {
    let found = |spellings: &[&str]| {
        let found = claims.get("nonce").and_then(Value::as_str);
        found.is_some_and(|found| spellings.contains(&found))
    };
    let good = match wanted {
        Nonce::Ignored => true,
        Nonce::Absent => {
            let absent = claims.get("nonce").is_none();
            return if absent { Ok(()) } else { Err(IdTokenError::NonceNotShown) };
        }
        Nonce::Exact(nonce) => found(&[nonce]),
        Nonce::Sha256(nonce) => {
            let hash = digest::digest(&digest::SHA256, nonce.as_bytes());
            found(&[nonce, &hex::encode(hash.as_ref())])
        }
    };
    if good { Ok(()) } else { Err(IdTokenError::WrongNonce) }
}

fn check_claims(claims: &Claims, wanted: &BTreeMap<String, Vec<Value>>) -> Result<(), IdTokenError> {
    let good =
        wanted.iter().all(|(name, values)| claims.get(name).is_some_and(|found| values.contains(found)));
    if good { Ok(()) } else { Err(IdTokenError::WrongClaim) }
}

impl Audience<'_> {
    /// The client among ours that the token is for.
    fn admit<'c>(&self, claims: &'c Claims) -> Result<&'c str, IdTokenError> {
        let aud = claims.audience()?;
        let azp = claims.authorized_party()?;
        let is_ours = |client: &&str| self.clients.contains(client);
        let client = match self.rule {
            AudienceRule::AuthorizedParty => azp.or(only(&aud)),
            AudienceRule::UserPoolClient => {
                if claims.get("token_use").is_some_and(|it| it != "id") {
                    return Err(IdTokenError::MissingClaim("aud"));
                }
                only(&aud)
            }
            AudienceRule::App => only(&aud),
            AudienceRule::OneOf => {
                let party_is_ours = azp.map_or(aud.len() == 1, |party| is_ours(&party));
                aud.iter().copied().find(is_ours).filter(|_| party_is_ours)
            }
        };
        client.filter(is_ours).ok_or(IdTokenError::WrongAudience)
    }
}

fn only<'c>(aud: &[&'c str]) -> Option<&'c str> {
    match aud {
        [one] => Some(one),
        _ => None,
    }
}

/// Whether `sub` can say who the token is about.
fn check_subject(claims: &Claims) -> Result<(), IdTokenError> {
    let good = match claims.require("sub")? {
        Value::String(text) => is_subject(text),
        Value::Number(number) => number.is_u64(),
        _ => false,
    };
    if good { Ok(()) } else { Err(IdTokenError::ClaimType("sub")) }
}

/// A JWT in JWS compact form (RFC 7519 section 3, RFC 7515 section 7.1), taken apart and not believed.
struct UnverifiedToken<'a> {
    header: Header,
    claims: Claims,
    /// What is signed.
    message: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// What kind of token it is, where it says so.
    typ: Option<String>,
    /// Names what a reader must understand. Nothing of that kind is understood here (RFC 7515 section
    /// 4.1.11).
    crit: Option<IgnoredAny>,
}

impl Header {
    /// An ID token says `JWT` or nothing. Access tokens (`at+jwt`, RFC 9068), logout tokens (`logout+jwt`) and security
    /// events (`secevent+jwt`, RFC 8417, which have a claim `events`) are signed with the same keys, and must not be
    /// taken for one (RFC 8725 section 3.11).
    fn may_be_id_token(&self) -> bool {
        let typ = self.typ.as_deref().map(str::to_ascii_lowercase);
        typ.is_none_or(|typ| typ.strip_prefix("application/").unwrap_or(&typ) == "jwt")
    }
}

impl<'a> UnverifiedToken<'a> {
    fn read(token: &'a str) -> Result<Self, IdTokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IdTokenError::Malformed);
        }
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, claims) = message.split_once('.')?;
            Some((message, header, claims, BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?))
        });
        let (message, header, claims, signature) = parts.ok_or(IdTokenError::Malformed)?;
        let header: Header = decode(header)?;
        if header.crit.is_some() {
            return Err(IdTokenError::Malformed);
        }
        let claims: Claims = decode(claims)?;
        if !header.may_be_id_token() || claims.get("events").is_some() {
            return Err(IdTokenError::WrongType);
        }
        Ok(Self { header, claims, message, signature })
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, IdTokenError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| IdTokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| IdTokenError::Malformed)
}
