//! The OpenID token: what an identity shows to be given credentials. Form and claims are those of
//! Cognito's (docs/reference/cognito-identity.md, 5), so that every client and policy made for them works.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::{ActorId, IdentityId, IdentityPoolId, SignInSessionId};
use crate::ground::secret::Secret;
use crate::records::signing_algorithm::Algorithm;
use crate::store::StoreError;
use crate::token::acting::{ACTING_FOR, ActClaim};
use crate::token::id_token::IdTokenClaims;
use crate::token::key_ring::{KeyRing, Turn};
use crate::token::key_set::JwkSet;
use crate::token::signer::SignerError;
use crate::token::signing_key::SigningKeyError;
pub use crate::token::standing::AUTHENTICATED;
use crate::token::standing::Ground;

/// The `amr` entry of a guest.
pub const UNAUTHENTICATED: &str = "unauthenticated";

/// What a token says, in the order in which it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The identity.
    #[serde(rename = "sub")]
    pub identity_id: IdentityId,
    /// The pool, as one plain string.
    #[serde(rename = "aud")]
    pub pool_id: IdentityPoolId,
    /// How the identity was authenticated: [`AUTHENTICATED`] and the providers, or [`UNAUTHENTICATED`].
    pub amr: Vec<String>,
    /// Session tags; absent where there are none, because a tagged token is refused by every trust
    /// policy that does not allow `sts:TagSession`.
    #[serde(rename = "https://aws.amazon.com/tags", skip_serializing_if = "Option::is_none")]
    pub tags: Option<TagsClaim>,
    /// Who says so: our public URL.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// The ARN of the pool.
    #[serde(rename = "https://cognito-identity.amazonaws.com/identity-pool-arn")]
    pub pool_arn: String,
    /// The end of its life, in seconds since the epoch.
    #[serde(rename = "exp")]
    pub expires_at: i64,
    /// The moment it was issued, in seconds since the epoch.
    #[serde(rename = "iat")]
    pub issued_at: i64,
    /// The same in milliseconds, a claim of our own (RFC 7519 4.3): a login must count that follows a revocation
    /// within the same second. Tokens of earlier versions have none.
    #[serde(rename = "iat_ms", default, skip_serializing_if = "Option::is_none")]
    pub issued_at_ms: Option<i64>,
    /// The session of somebody who signed in that it was issued in: with that it ends.
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SignInSessionId>,
    /// Who acts for the identity, if somebody does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<ActClaim>,
}

/// The claim that becomes session tags. Each value is an array of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagsClaim {
    /// Key → value.
    pub principal_tags: BTreeMap<String, [String; 1]>,
}

impl TagsClaim {
    /// The claim of some tags; none without any.
    #[must_use]
    pub fn of(tags: BTreeMap<String, String>) -> Option<Self> {
        let principal_tags: BTreeMap<_, _> = tags.into_iter().map(|(key, value)| (key, [value])).collect();
        (!principal_tags.is_empty()).then_some(Self { principal_tags })
    }
}

impl Claims {
    /// The session tags, key → value.
    #[must_use]
    pub fn principal_tags(&self) -> BTreeMap<String, String> {
        let tags = self.tags.iter().flat_map(|tags| &tags.principal_tags);
        tags.map(|(key, [value])| (key.clone(), value.clone())).collect()
    }

    /// The same, said anew: from `now` on, for `duration`.
    #[must_use]
    pub fn renewed(&self, now: Timestamp, duration: SignedDuration) -> Self {
        let Life { expires_at, issued_at, issued_at_ms } = Life::new(now, duration);
        Self { expires_at, issued_at, issued_at_ms, ..self.clone() }
    }

    /// What the token rests on. One without milliseconds counts from the beginning of its second, so that a
    /// revocation within that second ends it.
    #[must_use]
    pub fn ground(&self) -> Ground<'_> {
        let in_full = self.issued_at_ms.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let issued_at = in_full.or_else(|| Timestamp::from_second(self.issued_at).ok());
        Ground {
            pool_id: &self.pool_id,
            amr: &self.amr,
            issued_at: issued_at.unwrap_or(Timestamp::MIN),
            session: self.session.as_ref(),
        }
    }

    /// Whether the identity logged in, rather than being a guest.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.amr.first().is_some_and(|first| first == AUTHENTICATED)
    }

    /// Who acts for the identity, if somebody does.
    #[must_use]
    pub fn actor(&self) -> Option<&ActorId> {
        self.act.as_ref().map(|act| &act.actor)
    }

    /// How long credentials live that are made of it, of which so much is wanted.
    #[must_use]
    pub fn credentials_duration(&self, wanted: SignedDuration) -> SignedDuration {
        if self.act.is_some() { wanted.min(ACTING_FOR) } else { wanted }
    }

    /// The developer user identifier behind the token, which stands last in
    /// `provider:pool ID:identifier`.
    #[must_use]
    pub fn developer_user_identifier(&self) -> Option<&str> {
        let provider = self.amr.get(1)?;
        self.amr
            .get(2)?
            .strip_prefix(provider)?
            .strip_prefix(':')?
            .strip_prefix(self.pool_id.as_str())?
            .strip_prefix(':')
    }
}

/// A signed token on its way to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenIdToken {
    /// The token in JWS compact form.
    pub token: Secret,
    /// Whose it is.
    pub identity_id: IdentityId,
    /// The end of its life.
    pub expires_at: Timestamp,
}

/// Why a token is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWS of ours at all.
    #[error("not a valid JWT")]
    Malformed,
    /// Signed by a key that is not ours, or not signed by the one it names.
    #[error("the signature does not verify")]
    BadSignature,
    /// Signed by us for another issuer name.
    #[error("the issuer is not this one")]
    WrongIssuer,
    /// Its life is over.
    #[error("expired at {expired_at}, and it is {now}")]
    Expired {
        /// Now, in seconds since the epoch.
        now: i64,
        /// Its `exp`.
        expired_at: i64,
    },
}

impl TokenError {
    /// What the audit trail calls it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "token_malformed",
            Self::BadSignature => "token_signature",
            Self::WrongIssuer => "token_of_another_issuer",
            Self::Expired { .. } => "token_expired",
        }
    }
}

/// Issues tokens and recognises them again.
#[derive(Debug)]
pub struct TokenIssuer {
    issuer: String,
    ring: Arc<KeyRing>,
    algorithms: TokenAlgorithms,
}

/// How the tokens of pools are signed. ID tokens are not among them: they are for apps, whose verifiers may take RSA alone, as
/// those of API Gateway do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenAlgorithms {
    /// Those of pools that are not named.
    pub default: Algorithm,
    /// Those of pools that are.
    pub pools: BTreeMap<IdentityPoolId, Algorithm>,
}

impl TokenAlgorithms {
    /// That of a pool.
    #[must_use]
    pub fn of(&self, pool_id: &IdentityPoolId) -> Algorithm {
        self.pools.get(pool_id).copied().unwrap_or(self.default)
    }

    /// Every algorithm that somebody signs with, each once.
    #[must_use]
    pub fn all(&self) -> Vec<Algorithm> {
        let mut all = vec![OF_ID_TOKENS, self.default];
        all.extend(self.pools.values());
        let mut seen = HashSet::new();
        all.retain(|algorithm| seen.insert(*algorithm));
        all
    }
}

/// How ID tokens are signed.
pub const OF_ID_TOKENS: Algorithm = Algorithm::Rs512;

/// The `iss` of Amazon Cognito's identity pools.
const AMAZONS_ISSUER: &str = "https://cognito-identity.amazonaws.com";

#[derive(Deserialize)]
struct IssuerClaim {
    iss: String,
    #[serde(rename = "https://cognito-identity.amazonaws.com/identity-pool-arn")]
    pool_arn: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Header {
    kid: String,
    alg: String,
}

impl TokenIssuer {
    /// An issuer by this name, without a trailing slash: verifiers compare it byte for byte.
    #[must_use]
    pub fn new(issuer: String, ring: Arc<KeyRing>, algorithms: TokenAlgorithms) -> Self {
        Self { issuer, ring, algorithms }
    }

    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// See [`KeyRing::keep_up`]. Whoever signs or verifies asks before.
    ///
    /// # Errors
    /// The store's, and whatever keeps its keys from being used.
    pub async fn keep_up(&self) -> Result<(), StoreError> {
        Ok(self.ring.keep_up().await?)
    }

    /// See [`KeyRing::take_turns`].
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub async fn take_turns(&self) -> Result<(), SigningKeyError> {
        self.ring.take_turns().await
    }

    /// See [`KeyRing::try_out`].
    ///
    /// # Errors
    /// [`SignerError`].
    pub async fn try_out(&self) -> Result<(), SignerError> {
        self.ring.try_out().await
    }

    /// See [`KeyRing::held_in_the_store`].
    #[must_use]
    pub fn held_in_the_store(&self) -> Vec<String> {
        self.ring.held_in_the_store()
    }

    /// See [`KeyRing::turns`].
    #[must_use]
    pub fn turns(&self) -> Vec<Turn> {
        self.ring.turns()
    }

    /// The public halves of its keys (RFC 7517 section 5).
    #[must_use]
    pub fn jwk_set(&self) -> JwkSet {
        self.ring.jwk_set(self.algorithms.default)
    }

    /// How its tokens are signed.
    #[must_use]
    pub fn algorithms(&self) -> Vec<Algorithm> {
        self.algorithms.all()
    }

    /// Signs claims.
    ///
    /// # Errors
    /// [`SignerError`], if whoever holds the key does not answer.
    pub async fn sign(&self, claims: &Claims) -> Result<Secret, SignerError> {
        self.sign_as("JWS", self.algorithms.of(&claims.pool_id), claims).await
    }

    /// Signs an ID token.
    ///
    /// # Errors
    /// [`SignerError`], likewise.
    pub async fn sign_id_token(&self, claims: &IdTokenClaims) -> Result<Secret, SignerError> {
        self.sign_as("JWT", OF_ID_TOKENS, claims).await
    }

    async fn sign_as<T: Serialize + Sync>(
        &self,
        kind: &str,
        algorithm: Algorithm,
        claims: &T,
    ) -> Result<Secret, SignerError> {
        let keys = self.ring.keys();
        let key = keys.active(algorithm, self.ring.now()).expect("the ring has a key of each algorithm");
        let header = format!(r#"{{"kid":"{}","typ":"{kind}","alg":"{algorithm}"}}"#, key.key_id());
        let payload = serde_json::to_vec(claims).expect("claims are strings and numbers");
        let mut token = String::with_capacity(1024);
        BASE64_URL_SAFE_NO_PAD.encode_string(header, &mut token);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = key.sign(token.as_bytes()).await?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(Secret::new(token))
    }

    /// Whether a token says that an identity pool issued it, ours or one of Amazon's. Nothing is verified. An ID token of
    /// ours names no pool.
    #[must_use]
    pub fn is_of_a_pool(&self, token: &Secret) -> bool {
        let claims = token.expose().split('.').nth(1).and_then(|payload| decode::<IssuerClaim>(payload).ok());
        claims.is_some_and(|claims| {
            claims.iss == AMAZONS_ISSUER || (claims.iss == self.issuer && claims.pool_arn.is_some())
        })
    }

    /// Believes a token, or says why not. The algorithm is the key's; a header that names another one is
    /// refused before any signature is looked at. There is no leeway on the expiry: who issues and who
    /// checks share one clock.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, token: &Secret, now: Timestamp) -> Result<Claims, TokenError> {
        let claims: Claims = self.signed(token, now)?;
        self.check(&claims.issuer, claims.expires_at, now)?;
        Ok(claims)
    }

    /// Believes an ID token, or says why not. Whom it is for, whoever takes it has to ask.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify_id_token(&self, token: &Secret, now: Timestamp) -> Result<IdTokenClaims, TokenError> {
        let claims: IdTokenClaims = self.signed(token, now)?;
        self.check(&claims.iss, claims.exp, now)?;
        Ok(claims)
    }

    /// What one of our keys signed.
    fn signed<T: for<'de> Deserialize<'de>>(&self, token: &Secret, now: Timestamp) -> Result<T, TokenError> {
        let (message, signature) = token.expose().rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = message.split_once('.').ok_or(TokenError::Malformed)?;
        let header: Header = decode(header)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        let keys = self.ring.keys();
        let key = keys.find(&header.kid, now).filter(|key| header.alg == key.algorithm().name());
        let key = key.ok_or(TokenError::BadSignature)?;
        if !key.verifies(message.as_bytes(), &signature) {
            return Err(TokenError::BadSignature);
        }
        decode(payload)
    }

    fn check(&self, issuer: &str, expired_at: i64, now: Timestamp) -> Result<(), TokenError> {
        if issuer != self.issuer {
            return Err(TokenError::WrongIssuer);
        }
        let now = now.as_second();
        if now >= expired_at { Err(TokenError::Expired { now, expired_at }) } else { Ok(()) }
    }
}

fn decode<T: for<'de> Deserialize<'de>>(part: &str) -> Result<T, TokenError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| TokenError::Malformed)
}

/// When a token begins and ends, as its claims say it.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    /// See [`Claims::expires_at`].
    pub expires_at: i64,
    /// See [`Claims::issued_at`].
    pub issued_at: i64,
    /// See [`Claims::issued_at_ms`].
    pub issued_at_ms: Option<i64>,
}

impl Life {
    /// That of a token issued now that lives for `duration`.
    #[must_use]
    pub fn new(now: Timestamp, duration: SignedDuration) -> Self {
        Self {
            expires_at: now.as_second() + duration.as_secs(),
            issued_at: now.as_second(),
            issued_at_ms: Some(now.as_millisecond()),
        }
    }

    /// The same, as old as what it rests on: whatever was revoked since then ends it.
    #[must_use]
    pub fn resting_on(self, at: Timestamp) -> Self {
        Self { issued_at: at.as_second(), issued_at_ms: Some(at.as_millisecond()), ..self }
    }
}

#[cfg(test)]
mod tests;
