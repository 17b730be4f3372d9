//! What a token of Amazon's says about itself. It came from Amazon over TLS just now, so it is read and not
//! verified; what makes no sense is not handed on.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::ground::secret::Secret;
use daypass_core::token::openid_token::OpenIdToken;
use serde::Deserialize;

/// The longest life that a token can be asked for, and five minutes for clocks that differ
/// (docs/reference/cognito-identity.md, 4.3).
const MAX_LIFE: SignedDuration = SignedDuration::from_mins(24 * 60 + 5);

/// The claims that say whose a token is and until when (docs/reference/cognito-identity.md, 5.2).
#[derive(Deserialize)]
struct Claims {
    sub: IdentityId,
    aud: IdentityPoolId,
    exp: i64,
}

/// What is wrong with a token, without a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("the token is no JWT with sub, aud and exp")]
    Malformed,
    #[error("the token is for another identity or pool than the answer says")]
    OfAnother,
    #[error("the token's exp is not within a day from now: one of the clocks is wrong")]
    BadExpiry,
}

/// A token as the pool answered it for an identity.
pub(super) fn read(
    token: Secret,
    identity_id: IdentityId,
    pool_id: &IdentityPoolId,
    now: Timestamp,
) -> Result<OpenIdToken, TokenError> {
    let claims = claims(&token).ok_or(TokenError::Malformed)?;
    if claims.sub != identity_id || claims.aud != *pool_id {
        return Err(TokenError::OfAnother);
    }
    let expires_at = Timestamp::from_second(claims.exp).map_err(|_| TokenError::BadExpiry)?;
    let left = expires_at.duration_since(now);
    if left.is_negative() || left > MAX_LIFE {
        return Err(TokenError::BadExpiry);
    }
    Ok(OpenIdToken { token, identity_id, expires_at })
}

fn claims(token: &Secret) -> Option<Claims> {
    let mut parts = token.expose().split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_790_000_000;

    fn read_payload(payload: &Value) -> Result<OpenIdToken, TokenError> {
        read_token(&format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload.to_string())))
    }

    fn read_token(token: &str) -> Result<OpenIdToken, TokenError> {
        let identity_id = IdentityId::parse("us-east-1:0b").unwrap();
        let pool_id = IdentityPoolId::parse("us-east-1:0a").unwrap();
        read(Secret::new(token), identity_id, &pool_id, Timestamp::from_second(NOW).unwrap())
    }

    fn payload(exp: impl Into<Value>) -> Value {
        json!({"sub": "us-east-1:0b", "aud": "us-east-1:0a", "exp": exp.into(), "amr": ["authenticated"]})
    }

    #[test]
    fn a_token_lives_until_its_exp() {
        let token = read_payload(&payload(NOW + 900)).unwrap();
        assert_eq!(token.expires_at.as_second(), NOW + 900);
        assert_eq!(token.identity_id.as_str(), "us-east-1:0b");
        assert!(read_payload(&payload(NOW + 86_400)).is_ok());
    }

    #[test]
    fn nonsense_is_refused() {
        let mut of_another = payload(NOW + 900);
        of_another["sub"] = json!("us-east-1:0c");
        assert_eq!(read_payload(&of_another).unwrap_err(), TokenError::OfAnother);
        of_another["sub"] = json!("us-east-1:0b");
        of_another["aud"] = json!("us-east-1:0c");
        assert_eq!(read_payload(&of_another).unwrap_err(), TokenError::OfAnother);
        for exp in [0, -1, NOW - 1, NOW + 2 * 86_400, i64::MAX, i64::MIN] {
            assert_eq!(read_payload(&payload(exp)).unwrap_err(), TokenError::BadExpiry, "{exp}");
        }
        for payload in [payload("soon"), payload(1.5), json!({}), json!([]), json!({"exp": NOW + 900})] {
            assert_eq!(read_payload(&payload).unwrap_err(), TokenError::Malformed, "{payload}");
        }
        for token in ["", "MzA2NDQ2", "a.b", "a.b.c", "e30.e30.e30.e30", "e30.e30"] {
            assert_eq!(read_token(token).unwrap_err(), TokenError::Malformed, "{token}");
        }
    }

    #[test]
    fn errors_show_nothing_of_a_token() {
        let error = read_token("e30.hunter2.c2ln").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
