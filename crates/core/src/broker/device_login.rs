//! Signing in on a device without a browser (RFC 8628): the device begins, shows a code, and asks until somebody has typed it
//! in a browser elsewhere, signed in by the hosted login, and let it.
//!
//! The login is kept as that of any page is, under a one-time code. The code stays here; the device code is the verifier that
//! it is redeemed with.

mod device_code;
#[cfg(test)]
mod tests;
mod user_code;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use self::user_code::UserCode;
use crate::audit::{AuditAction, AuditDraft, AuditTrail, Grounds, Reason, Requester};
use crate::broker::login_code::{LoginCode, sha256};
use crate::ground::allowance::{Allowance, Rate};
use crate::ground::authenticator::Authenticator;
use crate::ground::clock::{Clock, SignedDuration, Timestamp};
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::Random;
use crate::ground::seal::{Sealed, Sealer};
use crate::ground::secret::Secret;
use crate::login::provider::VerifiedLogin;
use crate::records::device_authorization::{Decision, DeviceAuthorization, INTERVAL, LIFETIME, Polled};
use crate::records::scope::Scope;
use crate::store::{DeviceAuthorizations, StoreError};

/// Anybody can begin, and each time something is kept.
const BEGUN: Rate = Rate { each: 30, all: 600, within: SignedDuration::from_mins(1) };
/// A user code has 34 bits. At this rate, with a thousand devices waiting, one is found by chance in half a year (RFC 8628
/// section 5.1).
const WRONG_CODES: Rate = Rate { each: 5, all: 100, within: SignedDuration::from_mins(1) };

/// So often a device authorization is read again that somebody else changed between reading and writing.
const ATTEMPTS: usize = 8;

/// What a device asks for.
#[derive(Debug, Clone)]
pub struct NewDevice {
    /// The app, by its ID in the configuration.
    pub app: String,
    /// What it wants beside the token of the pool.
    pub scope: Scope,
    /// What the device is called.
    pub device: Option<String>,
}

/// What a device gets.
#[derive(Debug)]
pub struct Begun {
    /// What it asks with.
    pub device_code: Secret,
    /// What it shows.
    pub user_code: String,
    /// When both end.
    pub ends_at: Timestamp,
    /// Seconds that it has to wait between two questions.
    pub interval: u32,
}

/// What somebody decides who has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The app may sign them in on the device.
    Allow,
    /// It may not.
    Deny,
}

/// A login that a device may have.
#[derive(Debug)]
pub struct Allowed {
    /// What it is redeemed with.
    pub code: LoginCode,
    /// What the device was called when the person decided.
    pub device: Option<String>,
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The app does not sign people in on devices.
    #[error("the app does not sign people in on devices")]
    NotForDevices,
    /// Too many have begun.
    #[error("too many devices have begun to sign somebody in")]
    TooMany {
        /// When it is worth trying again.
        retry_after: SignedDuration,
    },
    /// It cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why somebody in a browser gets no further.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// No device waits under this code: none ever did, its time is over, or somebody has decided. Nobody learns which.
    #[error("no device waits under this code")]
    NothingWaits,
    /// Too many wrong codes were typed.
    #[error("too many wrong codes were typed")]
    TooManyWrongCodes {
        /// When it is worth trying again.
        retry_after: SignedDuration,
    },
    /// It changed again and again.
    #[error("the device asks too often")]
    TooManyAtOnce,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Reason for DecisionError {
    fn reason(&self) -> &'static str {
        match self {
            Self::NothingWaits => "user_code_unknown",
            Self::TooManyWrongCodes { .. } => "too_many_user_codes",
            Self::TooManyAtOnce => "too_many_at_once",
            Self::Store(error) => error.reason(),
        }
    }
}

/// Why a device that asks has no login.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The app does not sign people in on devices.
    #[error("the app does not sign people in on devices")]
    NotForDevices,
    /// The device code is none of ours, another app's, or long over.
    #[error("the device code is not known")]
    Unknown,
    /// Nobody has decided yet.
    #[error("nobody has decided yet")]
    Pending,
    /// The same, and the device has to ask less often.
    #[error("the device asks too often")]
    SlowDown,
    /// The person did not let it.
    #[error("the person said no")]
    Denied,
    /// Its time is over.
    #[error("the device code has expired")]
    Expired,
    /// It changed again and again.
    #[error("the device asks several times at once")]
    TooManyAtOnce,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What strangers have done lately.
pub struct DeviceLimits {
    begun: Allowance<IpAddr>,
    wrong_codes: Allowance<IpAddr>,
}

impl DeviceLimits {
    /// Nothing yet.
    #[must_use]
    pub fn new(clock: &Arc<dyn Clock>) -> Self {
        Self {
            begun: Allowance::new(BEGUN, clock.clone()),
            wrong_codes: Allowance::new(WRONG_CODES, clock.clone()),
        }
    }
}

/// What somebody has to decide about who has signed in, on its way through their browser.
#[derive(Serialize, Deserialize)]
struct Question {
    authorization: String,
    login_code: String,
    provider: String,
    developer_user_identifier: String,
}

/// The logins of devices.
pub struct DeviceLogins {
    /// The apps that sign people in on devices, by their IDs in the configuration.
    pub apps: BTreeSet<String>,
    /// Leads from user codes to IDs.
    pub user_codes: Authenticator,
    /// Seals what browsers carry.
    pub questions: Sealer,
    /// What strangers have done lately.
    pub limits: Arc<DeviceLimits>,
    /// Keeps what devices wait for.
    pub store: Arc<dyn DeviceAuthorizations>,
    /// Hears of every decision.
    pub trail: Arc<AuditTrail>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws codes.
    pub random: Arc<dyn Random>,
}

/// What leads from user codes to IDs on all nodes with these master keys.
#[must_use]
pub fn user_codes(master_keys: &MasterKeys) -> Authenticator {
    master_keys.authenticator("user code")
}

/// The sealer of all nodes with these master keys.
#[must_use]
pub fn questions(master_keys: &MasterKeys) -> Sealer {
    master_keys.sealer("device decision")
}

/// A code as a device shows it, if what somebody typed is the form of one.
#[must_use]
pub fn as_shown(typed: &str) -> Option<String> {
    UserCode::read(typed).map(|code| code.shown())
}

impl DeviceLogins {
    /// Begins, for a device of an app. `whose` is what the address is counted under that it comes from. The trail hears of it
    /// with the decision: that somebody waits is nothing yet, and anybody can.
    ///
    /// # Errors
    /// [`BeginError`].
    pub async fn begin(
        &self,
        new: NewDevice,
        whose: Option<IpAddr>,
        by: &Requester,
    ) -> Result<Begun, BeginError> {
        if !self.apps.contains(&new.app) {
            return Err(BeginError::NotForDevices);
        }
        let taken = self.limits.begun.take(whose.as_ref());
        taken.map_err(|retry_after| BeginError::TooMany { retry_after })?;
        let (user_code, now) = (UserCode::draw(&*self.random), self.clock.now());
        let id = self.id(&user_code);
        let device_code = device_code::draw(id, &*self.random);
        let authorization = DeviceAuthorization {
            id: device_code::id_text(id),
            device_code_hash: sha256(device_code.expose()),
            app: new.app,
            scope: new.scope,
            device: new.device,
            source_ip: by.origin.source_ip.filter(|_| self.trail.keeps_callers()),
            created_at: now,
            ends_at: now + LIFETIME,
            interval: INTERVAL,
            polled_at: None,
            decision: None,
        };
        self.store.add_device_authorization(&authorization, now).await?;
        let DeviceAuthorization { ends_at, interval, .. } = authorization;
        Ok(Begun { device_code, user_code: user_code.shown(), ends_at, interval })
    }

    /// The device that waits under a code that somebody typed. Wrong ones are counted, by address and in all.
    ///
    /// # Errors
    /// [`DecisionError`]. The refusal is in the audit trail.
    pub async fn find(
        &self,
        typed: &str,
        whose: Option<IpAddr>,
        by: &Requester,
    ) -> Result<DeviceAuthorization, DecisionError> {
        let found = self.look_up(typed, whose).await;
        if let Err(error) = &found {
            let draft = AuditDraft::by(AuditAction::Device, by);
            self.trail.refused(draft, Grounds::of(error)).await?;
        }
        found
    }

    async fn look_up(
        &self,
        typed: &str,
        whose: Option<IpAddr>,
    ) -> Result<DeviceAuthorization, DecisionError> {
        let code = UserCode::read(typed).ok_or(DecisionError::NothingWaits)?;
        let wrong = &self.limits.wrong_codes;
        // Taken before it is known to be wrong: else a thousand could be tried at once.
        let taken = wrong.take(whose.as_ref());
        taken.map_err(|retry_after| DecisionError::TooManyWrongCodes { retry_after })?;
        let found = self.open_by(&code).await;
        if !matches!(found, Err(DecisionError::NothingWaits)) {
            wrong.give_back(whose.as_ref());
        }
        found
    }

    /// It has the ID that its code led to by the master key of its time.
    async fn open_by(&self, code: &UserCode) -> Result<DeviceAuthorization, DecisionError> {
        for tag in self.user_codes.tags(code.letters().as_bytes()) {
            match self.open(&device_code::id_text(id_of(tag.as_ref()))).await {
                Err(DecisionError::NothingWaits) => {}
                found => return found,
            }
        }
        Err(DecisionError::NothingWaits)
    }

    /// The device authorization of an ID, if somebody can still decide about it.
    ///
    /// # Errors
    /// [`DecisionError`].
    pub async fn open(&self, id: &str) -> Result<DeviceAuthorization, DecisionError> {
        let (found, now) = (self.store.find_device_authorization(id).await?, self.clock.now());
        let open = found.filter(|found| found.is_open(now) && self.apps.contains(&found.app));
        open.ok_or(DecisionError::NothingWaits)
    }

    /// What a page sends back with a decision: whose login it is about, and which device's. Nobody else makes one.
    #[must_use]
    pub fn question(&self, authorization: &str, login: &VerifiedLogin, code: &Secret) -> String {
        let question = Question {
            authorization: authorization.to_owned(),
            login_code: code.expose().to_owned(),
            provider: login.provider().to_owned(),
            developer_user_identifier: login.developer_user_identifier().to_owned(),
        };
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(&question).expect("texts are plain data"));
        BASE64_URL_SAFE_NO_PAD.encode(self.questions.seal(&[], &plain, &*self.random).0)
    }

    /// Decides about a device, once. Its first decision stays.
    ///
    /// # Errors
    /// [`DecisionError`]; nothing waits, too, where the question is none of ours.
    pub async fn decide(
        &self,
        question: &str,
        verdict: Verdict,
        by: &Requester,
    ) -> Result<DeviceAuthorization, DecisionError> {
        let question = self.read(question).ok_or(DecisionError::NothingWaits)?;
        let authorization = self.open(&question.authorization).await?;
        let mut draft = AuditDraft::by(AuditAction::Device, by);
        draft.provider = Some(question.provider);
        draft.developer_user_identifier = Some(question.developer_user_identifier);
        draft.resource = Some(described(&authorization));
        match verdict {
            Verdict::Allow => {
                let decision = Decision::Allowed(Secret::new(question.login_code));
                self.trail.allowed(draft.clone()).await?;
                if let Err(error) = self.keep(&authorization.id, decision).await {
                    return self.trail.conclude(draft, Err(error)).await;
                }
            }
            Verdict::Deny => {
                self.keep(&authorization.id, Decision::Denied).await?;
                let grounds = Grounds::new("device_denied", "the person did not let the device sign them in");
                self.trail.refused(draft, grounds).await?;
            }
        }
        Ok(authorization)
    }

    fn read(&self, question: &str) -> Option<Question> {
        let sealed = Sealed(BASE64_URL_SAFE_NO_PAD.decode(question).ok()?);
        serde_json::from_slice(&self.questions.open(&[], &sealed).ok()?).ok()
    }

    /// Keeps a decision. The device may ask at the same moment.
    async fn keep(&self, id: &str, decision: Decision) -> Result<(), DecisionError> {
        for _ in 0..ATTEMPTS {
            let from = self.open(id).await?;
            let to = from.decided(decision.clone(), self.clock.now());
            let to = to.ok_or(DecisionError::NothingWaits)?;
            if self.store.replace_device_authorization(&from, &to).await? {
                return Ok(());
            }
        }
        Err(DecisionError::TooManyAtOnce)
    }

    /// Tells a device how it stands. The login that it may have counts once, as any one-time code's.
    ///
    /// # Errors
    /// [`PollError`].
    pub async fn poll(&self, app: &str, device_code: Secret) -> Result<Allowed, PollError> {
        if !self.apps.contains(app) {
            return Err(PollError::NotForDevices);
        }
        let id = device_code::id_in(&device_code).ok_or(PollError::Unknown)?;
        let hash = sha256(device_code.expose());
        for _ in 0..ATTEMPTS {
            let from = self.store.find_device_authorization(&id).await?;
            let from = from.filter(|from| from.app == app && from.device_code_hash == hash);
            let from = from.ok_or(PollError::Unknown)?;
            let (to, told) = match from.polled(self.clock.now()) {
                Polled::Pending(to) => (to, PollError::Pending),
                Polled::TooSoon(to) => (to, PollError::SlowDown),
                Polled::Denied => return Err(PollError::Denied),
                Polled::Expired => return Err(PollError::Expired),
                Polled::Allowed(code) => {
                    let app = app.to_owned();
                    let code = LoginCode { code, app, redirect_uri: None, code_verifier: device_code };
                    return Ok(Allowed { code, device: from.device });
                }
            };
            if self.store.replace_device_authorization(&from, &to).await? {
                return Err(told);
            }
        }
        Err(PollError::TooManyAtOnce)
    }

    fn id(&self, code: &UserCode) -> [u8; device_code::ID_LENGTH] {
        id_of(self.user_codes.tag(code.letters().as_bytes()).as_ref())
    }
}

/// The ID that a user code leads to by its tag.
fn id_of(tag: &[u8]) -> [u8; device_code::ID_LENGTH] {
    *tag.first_chunk().expect("a SHA-256 is longer than an ID")
}

/// A device authorization, as the trail has it.
fn described(authorization: &DeviceAuthorization) -> String {
    let DeviceAuthorization { app, device, created_at, source_ip, .. } = authorization;
    let device = device.as_ref().map(|device| format!(" on {device:?}")).unwrap_or_default();
    let from = source_ip.map(|address| format!(" from {}", address.to_canonical())).unwrap_or_default();
    format!("app {app}{device}, begun {}{from}", created_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
}
