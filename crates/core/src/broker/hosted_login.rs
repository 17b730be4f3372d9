//! The hosted login: an app sends a browser here, we send it on to the provider, and it comes back with an answer.
//!
//! Between the two nothing is kept on our side. The browser carries it, sealed, in a cookie that opens only
//! together with the `state` that comes back and at the provider that the flow was started with: another browser's
//! answer, another provider's and another flow's do not open it. Any node can finish what another one started.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::broker::login_code::{Binding, sha256};
use crate::broker::redirect_uris::RedirectUris;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealed, Sealer};
use crate::ground::secret::Secret;
use crate::login::provider::{AuthorizeRequest, FlowSecrets, Provider};
use crate::records::device_authorization::DeviceAuthorization;
use crate::records::scope::Scope;
use crate::store::{Once, StoreError};

/// How long somebody may take to sign in at the provider.
pub const LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// The longest `state` of an app, in bytes: it has to fit into a cookie with the rest.
pub const MAX_APP_STATE: usize = 512;
/// The longest `nonce` of an app, in bytes, likewise.
pub const MAX_APP_NONCE: usize = 256;

/// The length of 32 bytes in base64url.
const ENCODED_32_BYTES: usize = 43;

/// What an app asks for. Nothing in it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The app's ID in the configuration.
    pub app: String,
    /// Where the app wants its code.
    pub redirect_uri: String,
    /// What the app wants to hear again.
    pub state: Option<String>,
    /// The S256 challenge of the app (RFC 7636 section 4.2).
    pub code_challenge: String,
    /// What it wants beside the token of the pool.
    pub scope: Scope,
    /// What the app wants to find in its ID token.
    pub nonce: Option<String>,
    /// Whether the app wants its code as a message to the window that opened this one, and not by a redirect.
    pub popup: bool,
    /// The device authorization that the login is for, in place of a page of the app's. No request brings one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<OfDevice>,
}

/// The device authorization that a login is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfDevice {
    /// Its ID.
    pub authorization: String,
    /// Its end, and that of the one-time code.
    pub ends_at: Timestamp,
}

/// A request of a registered app. Only [`LoginFlow::check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppLogin {
    request: LoginRequest,
    app_name: Option<String>,
}

impl AppLogin {
    /// What was asked for.
    #[must_use]
    pub fn request(&self) -> &LoginRequest {
        &self.request
    }

    /// What people call the app: its name, or else the host that they come from and go back to, in words that can be
    /// compared with an address bar. Who comes from a device has none of those, and reads the ID.
    #[must_use]
    pub fn app_name(&self) -> &str {
        let LoginRequest { app, redirect_uri, device, .. } = &self.request;
        let unnamed = || if device.is_some() { app.as_str() } else { host(redirect_uri) };
        self.app_name.as_deref().unwrap_or_else(unnamed)
    }

    /// What goes with its code.
    #[must_use]
    pub fn asked(&self) -> (Scope, Option<&str>) {
        (self.request.scope, self.request.nonce.as_deref())
    }

    /// What the app's code will be bound to.
    #[must_use]
    pub fn binding(&self) -> Binding<'_> {
        let LoginRequest { app, redirect_uri, code_challenge, device, .. } = &self.request;
        Binding { app, redirect_uri: device.is_none().then_some(redirect_uri), code_challenge }
    }

    /// When its code ends, if it waits for longer than until an app's page has it.
    #[must_use]
    pub fn code_ends_at(&self) -> Option<Timestamp> {
        self.request.device.as_ref().map(|device| device.ends_at)
    }
}

/// Why a request does not start a login. The browser stays here: there is no address that is known to be the
/// app's, or its developer has to see the mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LoginRequestError {
    /// No app is registered under this ID.
    #[error("there is no such app")]
    UnknownApp,
    /// The app does not sign people in on devices.
    #[error("the app does not sign people in on devices")]
    NoDevices,
    /// The app is not registered with this redirect URI.
    #[error("the redirect URI is not registered for the app")]
    RedirectUriNotRegistered,
    /// The challenge is no SHA-256 in base64url.
    #[error("code_challenge must be an S256 challenge: 43 characters of base64url")]
    MalformedChallenge,
    /// The state is longer than [`MAX_APP_STATE`].
    #[error("state must have at most {MAX_APP_STATE} bytes")]
    StateTooLong,
    /// The nonce is longer than [`MAX_APP_NONCE`].
    #[error("nonce must have at most {MAX_APP_NONCE} bytes")]
    NonceTooLong,
    /// The app wants a message to a window, and has none: its redirect URI is of a scheme of its own.
    #[error("response_mode=web_message needs a redirect_uri of http or https")]
    NoWindow,
    /// Logins at this provider do not start with a redirect.
    #[error("this provider's logins do not start with a redirect")]
    NoRedirect,
}

/// Why an answer belongs to no login of this browser: another browser's, another provider's, changed, too late,
/// answered before. Nobody learns which.
#[derive(Debug, thiserror::Error)]
pub enum LostLogin {
    /// It does.
    #[error("the answer belongs to no login that this browser started")]
    Lost,
    /// Whether it was answered before cannot be said.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A login on its way to the provider.
#[derive(Debug)]
pub struct Started {
    /// Where the browser goes.
    pub location: String,
    /// What comes back with it.
    pub state: String,
    /// What the browser keeps meanwhile.
    pub sealed: Sealed,
}

/// A login that came back to the browser that started it.
#[derive(Debug)]
pub struct Resumed {
    /// What the app asked for.
    pub login: AppLogin,
    /// What the answer is verified with.
    pub secrets: FlowSecrets,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    request: LoginRequest,
    code_verifier: String,
    nonce: String,
    started_at: Timestamp,
}

/// An app as the operator registered it.
#[derive(Debug, Clone)]
pub struct RegisteredApp {
    /// What people call it.
    pub name: Option<String>,
    /// Where its logins may return to.
    pub redirect_uris: RedirectUris,
    /// Whether it signs people in on devices without a browser.
    pub device_authorization: bool,
}

/// Starts logins and recognises their ends.
pub struct LoginFlow {
    /// Where browsers reach us, without a slash at the end.
    pub public_url: String,
    /// The registered apps, by their IDs in the configuration.
    pub apps: BTreeMap<String, RegisteredApp>,
    /// The IDs of providers that people are not offered. Whoever names one can start a login there.
    pub hidden_providers: BTreeSet<String>,
    /// Seals what browsers carry; see [`sealer`].
    pub sealer: Sealer,
    /// Remembers which logins were answered.
    pub store: Arc<dyn Once>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws states, nonces and verifiers.
    pub random: Arc<dyn Random>,
}

/// The sealer of all nodes with these master keys.
#[must_use]
pub fn sealer(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("login state")
}

impl LoginFlow {
    /// Whether logins that start here can end here: that each is answered once, and has a code that counts once, the store
    /// has to know from all who serve.
    #[must_use]
    pub fn can_end(&self) -> bool {
        self.store.counts_for_all()
    }

    /// Checks what an app asks for.
    ///
    /// # Errors
    /// [`LoginRequestError`].
    pub fn check(&self, request: LoginRequest) -> Result<AppLogin, LoginRequestError> {
        let app = self.apps.get(&request.app).ok_or(LoginRequestError::UnknownApp)?;
        if request.device.is_some() && !app.device_authorization {
            return Err(LoginRequestError::NoDevices);
        }
        if request.device.is_none() && !app.redirect_uris.contains(&request.redirect_uri) {
            return Err(LoginRequestError::RedirectUriNotRegistered);
        }
        if !is_encoded(&request.code_challenge) {
            return Err(LoginRequestError::MalformedChallenge);
        }
        if request.state.as_ref().is_some_and(|state| state.len() > MAX_APP_STATE) {
            return Err(LoginRequestError::StateTooLong);
        }
        if request.nonce.as_ref().is_some_and(|nonce| nonce.len() > MAX_APP_NONCE) {
            return Err(LoginRequestError::NonceTooLong);
        }
        if request.popup && !is_of_the_web(&request.redirect_uri) {
            return Err(LoginRequestError::NoWindow);
        }
        Ok(AppLogin { request, app_name: app.name.clone() })
    }

    /// The login that a device waits for. Its code is bound to the device code as that of a page is to its verifier, so that
    /// nobody but the device can redeem it.
    ///
    /// # Errors
    /// The app is not there any more, or signs nobody in on devices any more.
    pub fn of_device(&self, authorization: &DeviceAuthorization) -> Result<AppLogin, LoginRequestError> {
        let DeviceAuthorization { id, ends_at, .. } = authorization;
        self.check(LoginRequest {
            app: authorization.app.clone(),
            redirect_uri: String::new(),
            state: None,
            code_challenge: authorization.device_code_hash.clone(),
            scope: authorization.scope,
            nonce: None,
            popup: false,
            device: Some(OfDevice { authorization: id.clone(), ends_at: *ends_at }),
        })
    }

    /// Starts a login at a provider.
    ///
    /// # Errors
    /// [`LoginRequestError::NoRedirect`].
    pub fn start(&self, provider: &Provider, login: &AppLogin) -> Result<Started, LoginRequestError> {
        let [state, nonce, code_verifier] = [self.draw(), self.draw(), self.draw()];
        let request = AuthorizeRequest {
            redirect_uri: &self.callback(provider),
            state: &state,
            nonce: &nonce,
            code_challenge: &sha256(&code_verifier),
        };
        let url = provider.authorization_url(&request).filter(|_| provider.starts_by_redirect());
        let location = url.ok_or(LoginRequestError::NoRedirect)?;
        let contents =
            Contents { request: login.request.clone(), code_verifier, nonce, started_at: self.clock.now() };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&contents).expect("a login is plain data"));
        let sealed = self.sealer.seal(&context(provider, &state), &plain, &*self.random);
        Ok(Started { location, state, sealed })
    }

    /// Recognises the end of a login, once.
    ///
    /// # Errors
    /// [`LostLogin`].
    pub async fn resume(
        &self,
        provider: &Provider,
        state: &str,
        sealed: &Sealed,
    ) -> Result<Resumed, LostLogin> {
        let plain = self.sealer.open(&context(provider, state), sealed).map_err(|_| LostLogin::Lost)?;
        let contents: Contents = serde_json::from_slice(&plain).map_err(|_| LostLogin::Lost)?;
        let (now, until) = (self.clock.now(), contents.started_at + LIFETIME);
        if until <= now {
            return Err(LostLogin::Lost);
        }
        let login = self.check(contents.request).map_err(|_| LostLogin::Lost)?;
        // What counts once at a provider begins with the provider's ID, which holds no colon.
        if !self.store.use_once(&format!("login: {}", sha256(state)), until, now).await? {
            return Err(LostLogin::Lost);
        }
        let [code_verifier, nonce] = [contents.code_verifier, contents.nonce].map(Secret::new);
        Ok(Resumed { login, secrets: FlowSecrets { code_verifier, nonce } })
    }

    /// Where a provider sends browsers back to: the redirect URI that is registered there.
    #[must_use]
    pub fn callback(&self, provider: &Provider) -> String {
        format!("{}/login/{}/callback", self.public_url, provider.id)
    }

    fn draw(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.random.bytes::<32>())
    }
}

/// The context of the seal. As JSON, so that no two are written alike.
fn context(provider: &Provider, state: &str) -> Vec<u8> {
    serde_json::to_vec(&[provider.id.as_str(), state]).expect("texts are plain data")
}

/// The host of an address of the web; of an app's own scheme, the scheme.
fn host(redirect_uri: &str) -> &str {
    let rest = match redirect_uri.split_once("://") {
        Some((_, rest)) if is_of_the_web(redirect_uri) => rest,
        _ => redirect_uri.split(':').next().unwrap_or_default(),
    };
    &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]
}

/// Whether a browser shows what is at an address, and does not hand it to a program of the machine (RFC 8252 section 7.1).
fn is_of_the_web(uri: &str) -> bool {
    uri.starts_with("https://") || uri.starts_with("http://")
}

/// Whether a text is 32 bytes in base64url, as our states and all S256 challenges are.
#[must_use]
pub fn is_encoded(text: &str) -> bool {
    text.len() == ENCODED_32_BYTES
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_without_a_name_is_named_by_where_logins_return_to() {
        for (uri, expected) in [
            ("https://app.example.com/signed-in", "app.example.com"),
            ("http://127.0.0.1:9400?x=/", "127.0.0.1:9400"),
            ("com.example.app:/signed-in", "com.example.app"),
            ("com.example.app://signed-in", "com.example.app"),
        ] {
            assert_eq!(host(uri), expected);
        }
    }
}
