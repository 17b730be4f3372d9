//! One-time codes: what an app gets when somebody comes back to it from the hosted login, and what it redeems
//! for an identity.
//!
//! A code is 256 random bits. The store keeps its hash and the sealed login. What the code is bound to, the app,
//! its redirect URI and its PKCE challenge, is the context of the seal: whoever shows another one cannot open it.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::ids::SignInSessionId;
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::secret::Secret;
use crate::login::provider::{LoginSealer, VerifiedLogin};
use crate::records::scope::Scope;
use crate::store::{Once, StoreError, StoredLoginGrant};

/// How long a code may be redeemed that an app's page gets. The app redeems it at once, so that the rest is for slow networks.
pub const LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// What a code is bound to.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// The app's ID in the configuration.
    pub app: &'a str,
    /// Where the app gets the code; nowhere, if it is for a device, which gets none.
    pub redirect_uri: Option<&'a str>,
    /// The S256 challenge (RFC 7636 section 4.2) that the app started the login with; the device code is a verifier, too.
    pub code_challenge: &'a str,
}

/// What the app asked for when the login began, and when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// What it wants beside the token of the pool.
    pub scope: Scope,
    /// What it wants to find in its ID token.
    pub nonce: Option<String>,
    /// When the person came back from their provider.
    pub signed_in_at: Timestamp,
}

/// What an app shows to redeem a code. Nothing in it is believed yet.
#[derive(Debug)]
pub struct LoginCode {
    /// The code.
    pub code: Secret,
    /// The app's ID in the configuration.
    pub app: String,
    /// Where the app got the code; nowhere, if it is for a device.
    pub redirect_uri: Option<String>,
    /// The verifier whose challenge started the login.
    pub code_verifier: Secret,
}

impl LoginCode {
    /// What a session is called that begins with the code. It tells nothing of the code.
    pub(super) fn session(&self) -> SignInSessionId {
        let mut context = Context::new(&SHA256);
        context.update(b"the session of a login code\0");
        context.update(self.code.expose().as_bytes());
        let mut id = [0; SignInSessionId::LENGTH];
        id.copy_from_slice(&context.finish().as_ref()[..SignInSessionId::LENGTH]);
        SignInSessionId::of_bytes(id)
    }
}

/// Issues and redeems one-time codes.
pub struct LoginCodes {
    sealer: LoginSealer,
    store: Arc<dyn Once>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl LoginCodes {
    /// The codes of all nodes with these master keys and this store.
    #[must_use]
    pub fn new(
        master_keys: &MasterKeys,
        store: Arc<dyn Once>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self { sealer: LoginSealer::new(master_keys), store, clock, random }
    }

    /// Keeps a login and answers the code that stands for it, until `ends_at` or as long as an app's page needs.
    ///
    /// # Errors
    /// The store's.
    pub async fn issue(
        &self,
        login: &VerifiedLogin,
        binding: Binding<'_>,
        (scope, nonce): (Scope, Option<&str>),
        ends_at: Option<Timestamp>,
    ) -> Result<Secret, StoreError> {
        let now = self.clock.now();
        let asked = Asked { scope, nonce: nonce.map(str::to_owned), signed_in_at: now };
        let code = Secret::new(BASE64_URL_SAFE_NO_PAD.encode(self.random.bytes::<32>()));
        let code_hash = sha256(code.expose());
        let sealed = self.sealer.seal(&context(&code_hash, binding), login, &asked, &*self.random);
        let expires_at = ends_at.unwrap_or(now + LIFETIME);
        let grant = StoredLoginGrant { code_hash, sealed, expires_at };
        self.store.add_login_grant(&grant, now).await?;
        Ok(code)
    }

    /// Takes the login that a code stands for. The code is spent by that, even if it is refused: who shows it
    /// without its verifier is not who it was meant for, and guesses no second time.
    ///
    /// # Errors
    /// The store's. `None`: spent, expired, never issued, or bound to something else. Nobody learns which.
    pub async fn redeem(&self, shown: &LoginCode) -> Result<Option<(VerifiedLogin, Asked)>, StoreError> {
        let code_hash = sha256(shown.code.expose());
        let Some(grant) = self.store.redeem_login_grant(&code_hash, self.clock.now()).await? else {
            return Ok(None);
        };
        let binding = Binding {
            app: &shown.app,
            redirect_uri: shown.redirect_uri.as_deref(),
            code_challenge: &sha256(shown.code_verifier.expose()),
        };
        Ok(self.sealer.open(&context(&code_hash, binding), &grant.sealed).ok())
    }
}

/// The context of the seal. As JSON, so that no two bindings are written alike.
fn context(code_hash: &str, binding: Binding<'_>) -> Vec<u8> {
    let parts = (code_hash, binding.app, binding.redirect_uri, binding.code_challenge);
    serde_json::to_vec(&parts).expect("texts are plain data")
}

/// SHA-256 in base64url: the S256 transformation, too.
pub(crate) fn sha256(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}
