//! What people allowed, and the life of the codes and tokens that carry it. The rules are RFC 6749's
//! and RFC 7636's with the security practice of RFC 9700: a code or refresh token works once, for the
//! client it was given to, and its second use takes back everything that came from that login.

use std::sync::{Arc, Mutex, MutexGuard};

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::ground::clock::Clock;
use daypass_core::ground::random::Random;
use daypass_core::ground::secret::Secret;

use super::ledger::{CodeBinding, Entry, Grant, Kind, Ledger};
use super::oauth_error::OAuthError;

const UNKNOWN: OAuthError =
    OAuthError::invalid_grant("The code or refresh token is unknown, or was issued to another client.");
const SPENT: OAuthError = OAuthError::invalid_grant(
    "The code or refresh token was used before; every token of that sign-in is now revoked.",
);
const EXPIRED: OAuthError = OAuthError::invalid_grant("The code or refresh token has expired.");
const OTHER_REDIRECT: OAuthError =
    OAuthError::invalid_grant("redirect_uri is not the one the code was sent to.");
const WRONG_VERIFIER: OAuthError =
    OAuthError::invalid_grant("code_verifier does not answer the code_challenge of the sign-in.");

/// A client's attempt to turn a code into tokens.
pub(super) struct Redemption<'a> {
    pub(super) client_id: &'a str,
    pub(super) code: &'a str,
    pub(super) redirect_uri: &'a str,
    pub(super) verifier: Option<&'a str>,
}

/// What a client gets for a code or a refresh token.
pub(super) struct Tokens {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Secret,
    pub(super) grant: Arc<Grant>,
}

pub(super) struct Grants {
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    ledger: Mutex<Ledger>,
}

impl Grants {
    pub(super) fn new(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, ledger: Mutex::default() }
    }

    pub(super) fn issue_code(&self, grant: Grant, binding: CodeBinding) -> Secret {
        self.issue(&mut self.ledger(), &Arc::new(grant), Kind::Code(binding))
    }

    /// The token of the implicit grant, which no refresh token follows.
    pub(super) fn issue_access_token(&self, grant: Grant) -> Secret {
        self.issue(&mut self.ledger(), &Arc::new(grant), Kind::AccessToken)
    }

    pub(super) fn redeem(&self, redemption: &Redemption<'_>) -> Result<Tokens, OAuthError> {
        let mut ledger = self.ledger();
        let grant = self.spend(&mut ledger, redemption.client_id, redemption.code, |kind| match kind {
            Kind::Code(binding) => check_binding(binding, redemption),
            Kind::AccessToken | Kind::RefreshToken => Err(UNKNOWN),
        })?;
        Ok(self.issue_tokens(&mut ledger, grant))
    }

    pub(super) fn refresh(&self, client_id: &str, refresh_token: &str) -> Result<Tokens, OAuthError> {
        let mut ledger = self.ledger();
        let grant = self.spend(&mut ledger, client_id, refresh_token, |kind| match kind {
            Kind::RefreshToken => Ok(()),
            Kind::Code(_) | Kind::AccessToken => Err(UNKNOWN),
        })?;
        Ok(self.issue_tokens(&mut ledger, grant))
    }

    /// Takes back an access token alone, or with a refresh token all that came from its login. What
    /// belongs to another client is treated like what nobody knows.
    pub(super) fn revoke(&self, client_id: &str, token: &str) {
        let mut ledger = self.ledger();
        let Some(entry) = ledger.get(token).filter(|entry| entry.grant.client_id == client_id) else {
            return;
        };
        match entry.kind {
            Kind::AccessToken => ledger.remove(token),
            Kind::RefreshToken => {
                let grant = Arc::clone(&entry.grant);
                ledger.remove_grant(&grant);
            }
            Kind::Code(_) => {}
        }
    }

    /// What an access token stands for, if it is alive.
    pub(super) fn find_by_access_token(&self, access_token: &str) -> Option<Arc<Grant>> {
        let ledger = self.ledger();
        let entry = ledger.get(access_token)?;
        let is_alive = matches!(entry.kind, Kind::AccessToken) && !self.is_expired(entry);
        is_alive.then(|| Arc::clone(&entry.grant))
    }

    /// Uses up a code or refresh token. The client is compared first, so that a thief can neither use
    /// nor revoke anything; expiry comes after reuse, so that a late replay is still noticed.
    fn spend(
        &self,
        ledger: &mut Ledger,
        client_id: &str,
        secret: &str,
        check: impl FnOnce(&Kind) -> Result<(), OAuthError>,
    ) -> Result<Arc<Grant>, OAuthError> {
        let entry =
            ledger.get_mut(secret).filter(|entry| entry.grant.client_id == client_id).ok_or(UNKNOWN)?;
        let grant = Arc::clone(&entry.grant);
        if entry.is_spent {
            ledger.remove_grant(&grant);
            return Err(SPENT);
        }
        if self.is_expired(entry) {
            return Err(EXPIRED);
        }
        check(&entry.kind)?;
        entry.is_spent = true;
        Ok(grant)
    }

    fn issue_tokens(&self, ledger: &mut Ledger, grant: Arc<Grant>) -> Tokens {
        Tokens {
            access_token: self.issue(ledger, &grant, Kind::AccessToken),
            refresh_token: self.issue(ledger, &grant, Kind::RefreshToken),
            grant,
        }
    }

    fn issue(&self, ledger: &mut Ledger, grant: &Arc<Grant>, kind: Kind) -> Secret {
        let secret = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(self.random.bytes::<32>()));
        let expires_at = self.clock.now() + kind.lifetime();
        let entry = Entry { grant: Arc::clone(grant), kind, expires_at, is_spent: false };
        ledger.insert(secret.expose(), entry);
        secret
    }

    fn is_expired(&self, entry: &Entry) -> bool {
        entry.expires_at <= self.clock.now()
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().expect("no thread panics while it holds the ledger")
    }
}

fn check_binding(binding: &CodeBinding, redemption: &Redemption<'_>) -> Result<(), OAuthError> {
    if binding.redirect_uri != redemption.redirect_uri {
        return Err(OTHER_REDIRECT);
    }
    // A verifier for a sign-in without a challenge is refused as well: somebody took the challenge out
    // of the request on its way (RFC 9700 2.1.1).
    if binding.challenge != redemption.verifier.map(challenge_of) {
        return Err(WRONG_VERIFIER);
    }
    Ok(())
}

/// The S256 challenge of a verifier (RFC 7636 4.2).
fn challenge_of(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}
