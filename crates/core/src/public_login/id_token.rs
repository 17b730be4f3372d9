//! ID tokens of others (OpenID Connect Core 1.0 section 3.1.3.7, with the order of checks and the
//! tolerances of AWS). Claims are read before the signature is checked only to choose the issuer's keys.

use std::fmt;
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::{PublicLoginError, is_subject};
use crate::clock::{Clock, SignedDuration};
use crate::jwks::{Algorithm, JwksCache, JwksError, KeySource};
use crate::secret::Secret;

/// The API takes no longer tokens (shape `IdentityProviderToken`).
const MAX_TOKEN_BYTES: usize = 50_000;

/// How far ahead of ours an issuer's clock may be.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a token must say to be believed.
pub(super) struct Expectation<'a> {
    /// Each a spelling of one issuer.
    pub(super) issuers: Vec<String>,
    pub(super) keys: KeySource,
    pub(super) audience: Audience<'a>,
    pub(super) expiry_grace: SignedDuration,
}

/// Which client a token must be for.
pub(super) enum Audience<'a> {
    /// `azp` decides where there is one, and `aud`, of one member, where there is none: IAM's rule. A token
    /// that a client of ours was given for somebody else's server is therefore good here.
    AuthorizedParty(Vec<&'a str>),
    /// A client of a user pool, and nothing but its ID tokens.
    UserPoolClient(Vec<&'a str>),
    /// `aud` alone: on a phone, Google's `azp` is another client of the same app.
    App(&'a str),
}

/// What a believed token says.
pub(super) struct Verified {
    pub(super) user: String,
    /// The client by which it was accepted.
    pub(super) client: String,
    pub(super) claims: Map<String, Value>,
}

/// Believes tokens, or says why not.
pub(super) struct Verifier {
    keys: JwksCache,
    clock: Arc<dyn Clock>,
}

impl Verifier {
    pub(super) fn new(keys: JwksCache, clock: Arc<dyn Clock>) -> Self {
        Self { keys, clock }
    }

    pub(super) async fn verify(
        &self,
        expected: &Expectation<'_>,
        provider: &str,
        token: &Secret,
    ) -> Result<Verified, PublicLoginError> {
        let token = UnverifiedToken::read(token.expose())?;
        if !expected.issuers.contains(token.claims.text("iss")?) {
            return Err(PublicLoginError::IssuerMismatch);
        }
        self.check_signature(&token, expected, provider).await?;
        let client = expected.audience.admit(&token.claims)?.to_owned();
        self.check_times(&token.claims, expected.expiry_grace)?;
        let user = subject(&token.claims)?;
        Ok(Verified { user, client, claims: token.claims.0 })
    }

    async fn check_signature(
        &self,
        token: &UnverifiedToken<'_>,
        expected: &Expectation<'_>,
        provider: &str,
    ) -> Result<(), PublicLoginError> {
        let key = self.keys.find(&expected.keys, token.header.kid.as_deref()).await;
        let key = key.map_err(|error| match error {
            JwksError::UnknownKey => PublicLoginError::BadSignature,
            JwksError::Unavailable(reason) => {
                PublicLoginError::Unavailable { provider: provider.to_owned(), reason: reason.to_string() }
            }
        })?;
        if key.verifies(token.header.alg, token.message.as_bytes(), &token.signature) {
            Ok(())
        } else {
            Err(PublicLoginError::BadSignature)
        }
    }

    fn check_times(&self, claims: &Claims, expiry_grace: SignedDuration) -> Result<(), PublicLoginError> {
        let now = self.clock.now().as_second();
        let expired_at = claims.time("exp")?;
        if now >= expired_at.saturating_add(expiry_grace.as_secs()) {
            return Err(PublicLoginError::Expired { now, expired_at });
        }
        let issued_at = claims.time("iat")?;
        let not_before = claims.get("nbf").map_or(Ok(issued_at), |_| claims.time("nbf"))?;
        let valid_from = issued_at.max(not_before);
        if valid_from > now.saturating_add(CLOCK_SKEW.as_secs()) {
            return Err(PublicLoginError::NotYetValid { now, valid_from });
        }
        Ok(())
    }
}

impl Audience<'_> {
    /// The client among ours that the token is for.
    fn admit<'c>(&self, claims: &'c Claims) -> Result<&'c str, PublicLoginError> {
        let aud = claims.audience()?;
        let (clients, named) = match self {
            Self::AuthorizedParty(clients) => (&clients[..], claims.authorized_party()?),
            Self::UserPoolClient(clients) => (&clients[..], None),
            Self::App(client) => (std::slice::from_ref(client), None),
        };
        if matches!(self, Self::UserPoolClient(_)) && claims.get("token_use").is_some_and(|it| it != "id") {
            return Err(PublicLoginError::MissingClaim("aud"));
        }
        let client = match (named, &aud[..]) {
            (Some(party), _) => party,
            (None, [one]) => one,
            (None, _) => return Err(PublicLoginError::UnsupportedProvider),
        };
        if clients.contains(&client) { Ok(client) } else { Err(PublicLoginError::UnsupportedProvider) }
    }
}

/// Who the token is about, as text.
fn subject(claims: &Claims) -> Result<String, PublicLoginError> {
    let subject = match claims.require("sub")? {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => return Err(PublicLoginError::Malformed),
    };
    if is_subject(&subject) { Ok(subject) } else { Err(PublicLoginError::Malformed) }
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
    alg: Algorithm,
    kid: Option<String>,
    /// Names what a reader must understand. Nothing of that kind is understood here (RFC 7515 section
    /// 4.1.11).
    crit: Option<IgnoredAny>,
}

impl<'a> UnverifiedToken<'a> {
    fn read(token: &'a str) -> Result<Self, PublicLoginError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(PublicLoginError::Malformed);
        }
        let parts = token.rsplit_once('.').and_then(|(message, signature)| {
            let (header, claims) = message.split_once('.')?;
            Some((message, header, claims, BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?))
        });
        let (message, header, claims, signature) = parts.ok_or(PublicLoginError::Malformed)?;
        let header: Header = decode(header)?;
        if header.crit.is_some() {
            return Err(PublicLoginError::Malformed);
        }
        Ok(Self { header, claims: decode(claims)?, message, signature })
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, PublicLoginError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| PublicLoginError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| PublicLoginError::Malformed)
}

/// The claims of a token, each name once: readers differ in which of two they believe.
struct Claims(Map<String, Value>);

impl Claims {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    fn require(&self, name: &'static str) -> Result<&Value, PublicLoginError> {
        self.get(name).ok_or(PublicLoginError::MissingClaim(name))
    }

    fn text(&self, name: &'static str) -> Result<&String, PublicLoginError> {
        match self.require(name)? {
            Value::String(text) => Ok(text),
            _ => Err(PublicLoginError::Malformed),
        }
    }

    /// Seconds since the epoch. AWS takes integers, also written as strings, and no fractions.
    fn time(&self, name: &'static str) -> Result<i64, PublicLoginError> {
        let seconds = match self.require(name)? {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        seconds.ok_or(PublicLoginError::Malformed)
    }

    fn audience(&self) -> Result<Vec<&str>, PublicLoginError> {
        let members = match self.require("aud")? {
            Value::String(one) => vec![Some(one.as_str())],
            Value::Array(members) => members.iter().map(Value::as_str).collect(),
            _ => return Err(PublicLoginError::Malformed),
        };
        match members.into_iter().collect::<Option<Vec<_>>>() {
            Some(members) if members.is_empty() => Err(PublicLoginError::MissingClaim("aud")),
            Some(members) => Ok(members),
            None => Err(PublicLoginError::Malformed),
        }
    }

    fn authorized_party(&self) -> Result<Option<&str>, PublicLoginError> {
        self.get("azp").map(|_| self.text("azp").map(String::as_str)).transpose()
    }
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EachOnce;

        impl<'de> Visitor<'de> for EachOnce {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
                let mut claims = Map::new();
                while let Some((name, value)) = members.next_entry::<String, Value>()? {
                    if claims.insert(name, value).is_some() {
                        return Err(A::Error::custom("a claim stands there twice"));
                    }
                }
                Ok(Claims(claims))
            }
        }

        deserializer.deserialize_map(EachOnce)
    }
}
