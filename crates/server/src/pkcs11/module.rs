//! The module itself: a library of the HSM's vendor, loaded into this process. Whatever goes wrong with a session is tried
//! once more with a new one, since an HSM on the network comes back; but a PIN that was refused is never shown again, because
//! a token locks itself after a few tries, and never at the last try.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use daypass_core::ground::secret::Secret;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::public_key::PublicKey;
use daypass_core::token::signer::{NotReady, SignerError};

/// Where the keys are.
#[derive(Debug, Clone)]
pub struct Place {
    /// The library of the vendor.
    pub module: PathBuf,
    /// The token, by its label.
    pub token: String,
    /// What opens it to whoever uses its keys.
    pub pin: Secret,
}

/// P-256 as an object identifier in DER (RFC 5480 section 2.1.1.1).
const P256: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// What stands before an uncompressed point of P-256 in an octet string in DER: its tag and its length.
const OCTET_STRING_OF_A_POINT: [u8; 2] = [0x04, 65];

pub(super) struct Module {
    place: Place,
    opened: Mutex<Opened>,
}

/// What is open of it.
#[derive(Default)]
struct Opened {
    context: Option<Pkcs11>,
    slot: Option<Slot>,
    /// Sessions that nobody uses now. Who is logged in by one is by all of them.
    idle: Vec<Open>,
    /// Why the PIN is not shown any more.
    refused: Option<SignerError>,
}

/// A session, and how the keys are called in it that it has looked for. It may be nothing to another one: an HSM that starts
/// anew, or that everybody has left, may call its keys something else.
struct Open {
    session: Session,
    handles: HashMap<Vec<u8>, ObjectHandle>,
}

/// Why there is nobody logged in.
enum Refusal {
    /// To show the PIN again may lock the token.
    ForGood(SignerError),
    ForNow(SignerError),
}

/// What a question came to.
enum Trouble {
    /// The module says so.
    Of(Error),
    /// What was signed is by another key than the one that is published.
    Mistaken,
    /// It is so whoever asks.
    For(SignerError),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Of(error)
    }
}

impl From<SignerError> for Trouble {
    fn from(error: SignerError) -> Self {
        Self::For(error)
    }
}

impl Module {
    pub(super) fn new(place: Place) -> Self {
        Self { place, opened: Mutex::default() }
    }

    /// Loads it, and has it take the PIN.
    pub(super) fn ready(&self) -> Result<(), NotReady> {
        self.with_session(|_| Ok(())).map_err(|error| {
            if self.opened().refused.is_some() { NotReady::Refused(error) } else { NotReady::Away(error) }
        })
    }

    /// Makes a key pair whose private half cannot be read and does not leave.
    pub(super) fn make(
        &self,
        id: &[u8],
        label: &str,
        algorithm: Algorithm,
    ) -> Result<PublicKey, SignerError> {
        let named = || [Attribute::Token(true), Attribute::Id(id.to_vec()), Attribute::Label(label.into())];
        let private = [
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ];
        let private: Vec<_> = named().into_iter().chain(private).collect();
        let (mechanism, kind) = match algorithm {
            Algorithm::Rs512 => (
                Mechanism::RsaPkcsKeyPairGen,
                vec![Attribute::ModulusBits(2048.into()), Attribute::PublicExponent(vec![1, 0, 1])],
            ),
            Algorithm::Es256 => (Mechanism::EccKeyPairGen, vec![Attribute::EcParams(P256.to_vec())]),
        };
        let public: Vec<_> = named()
            .into_iter()
            .chain([Attribute::Private(false), Attribute::Verify(true)])
            .chain(kind)
            .collect();
        self.with_session(|Open { session, .. }| {
            let (public, _) = session.generate_key_pair(&mechanism, &public, &private)?;
            // It is not made twice because it is not read.
            public_half(session, public, algorithm).map_err(|trouble| Trouble::For(self.explain(trouble)))
        })
    }

    /// Signs. What the published key does not verify is not handed out: the token may have another key by that name.
    pub(super) fn sign(&self, id: &[u8], public: &PublicKey, message: &[u8]) -> Result<Vec<u8>, SignerError> {
        self.with_session(|open| {
            let key = self.private_half(open, id)?;
            let signature = sign(&open.session, key, public.algorithm(), message)?;
            if public.verifies(message, &signature) { Ok(signature) } else { Err(Trouble::Mistaken) }
        })
    }

    fn private_half(&self, open: &mut Open, id: &[u8]) -> Result<ObjectHandle, Trouble> {
        if let Some(handle) = open.handles.get(id) {
            return Ok(*handle);
        }
        let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), Attribute::Id(id.to_vec())];
        let found = open.session.find_objects(&template)?;
        let handle = found.first().copied().ok_or_else(|| {
            SignerError(format!(
                "the token {:?} has not the key that is published: bring it back from the token's backup, or name the token \
                 that made it",
                self.place.token
            ))
        })?;
        open.handles.insert(id.to_vec(), handle);
        Ok(handle)
    }

    /// Asks by a session that is open, and by a new one if that comes to nothing.
    fn with_session<T>(&self, question: impl Fn(&mut Open) -> Result<T, Trouble>) -> Result<T, SignerError> {
        let idle = self.opened().idle.pop();
        if let Some(mut open) = idle {
            match question(&mut open) {
                Ok(answer) => {
                    self.opened().idle.push(open);
                    return Ok(answer);
                }
                Err(Trouble::For(error)) => return Err(error),
                // The HSM may have started anew, and the other sessions are of before.
                Err(Trouble::Of(_) | Trouble::Mistaken) => self.opened().idle.clear(),
            }
        }
        let mut open = Open { session: self.session()?, handles: HashMap::new() };
        let answer = question(&mut open).map_err(|trouble| self.explain(trouble))?;
        self.opened().idle.push(open);
        Ok(answer)
    }

    /// A session in which the token has taken the PIN. One at a time asks for it: the first refusal has to count for all.
    fn session(&self) -> Result<Session, SignerError> {
        let mut opened = self.opened();
        if let Some(refused) = &opened.refused {
            return Err(refused.clone());
        }
        let context = match &opened.context {
            Some(context) => context.clone(),
            None => opened.context.insert(self.load()?).clone(),
        };
        let slot = match opened.slot {
            Some(slot) => slot,
            None => *opened.slot.insert(self.slot(&context)?),
        };
        let session = context.open_rw_session(slot).map_err(|error| {
            // Another one may be plugged in where it was.
            opened.slot = None;
            self.explain(error.into())
        })?;
        match self.log_in(&context, slot, &session) {
            Ok(()) => Ok(session),
            Err(Refusal::ForGood(error)) => Err(opened.refused.insert(error).clone()),
            Err(Refusal::ForNow(error)) => Err(error),
        }
    }

    /// Has the token take the PIN, unless it has; never at the last try that it leaves.
    fn log_in(&self, context: &Pkcs11, slot: Slot, session: &Session) -> Result<(), Refusal> {
        let explain = |error: Error| Refusal::ForNow(self.explain(error.into()));
        if session.get_session_info().map_err(explain)?.session_state() == SessionState::RwUser {
            return Ok(());
        }
        let token = context.get_token_info(slot).map_err(explain)?;
        if token.user_pin_locked() {
            return Err(Refusal::ForGood(self.locked()));
        }
        if token.user_pin_final_try() {
            return Err(Refusal::ForGood(self.one_try_left()));
        }
        let pin = AuthPin::from(self.place.pin.expose().to_owned());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
            Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(Refusal::ForGood(self.locked())),
            Err(Error::Pkcs11(
                RvError::PinIncorrect | RvError::PinExpired | RvError::PinInvalid | RvError::PinLenRange,
                _,
            )) => Err(Refusal::ForGood(self.refused())),
            Err(error) => Err(explain(error)),
        }
    }

    fn load(&self) -> Result<Pkcs11, SignerError> {
        let module = self.place.module.display();
        let context = Pkcs11::new(&self.place.module).map_err(|error| {
            SignerError(format!(
                "cannot load {module}: {error}; name the PKCS #11 library of the HSM's vendor"
            ))
        })?;
        match context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => Ok(context),
            Err(error) => Err(SignerError(format!(
                "{module} does not start: {error}; look into its own configuration, and whether this user may read it"
            ))),
        }
    }

    fn slot(&self, context: &Pkcs11) -> Result<Slot, SignerError> {
        let slots = context.get_slots_with_initialized_token().map_err(|error| self.explain(error.into()))?;
        let labelled = slots.into_iter().filter_map(|slot| {
            let token = context.get_token_info(slot).ok()?;
            Some((slot, token.label().to_owned()))
        });
        let labelled: Vec<_> = labelled.collect();
        let named: Vec<_> = labelled.iter().filter(|(_, label)| *label == self.place.token).collect();
        match named[..] {
            [(slot, _)] => Ok(*slot),
            [] => {
                let others: Vec<_> = labelled.iter().map(|(_, label)| format!("{label:?}")).collect();
                let others = if others.is_empty() { "none".to_owned() } else { others.join(", ") };
                Err(SignerError(format!("no token is called {:?}; there is {others}", self.place.token)))
            }
            _ => Err(SignerError(format!(
                "several tokens are called {:?}: give them labels",
                self.place.token
            ))),
        }
    }

    fn locked(&self) -> SignerError {
        SignerError(format!(
            "the PIN of the token {:?} is locked: whoever has the PIN of its security officer unlocks it",
            self.place.token
        ))
    }

    fn one_try_left(&self) -> SignerError {
        SignerError(format!(
            "the token {:?} leaves one try until it locks itself, which is yours: log in with the right PIN by its vendor's tool, \
             have [tokens.pkcs11] name the same one, and start again",
            self.place.token
        ))
    }

    fn refused(&self) -> SignerError {
        SignerError(format!(
            "the token {:?} refuses the PIN, which is not shown again until the next start: a token locks itself after a few \
             tries",
            self.place.token
        ))
    }

    fn explain(&self, trouble: Trouble) -> SignerError {
        match trouble {
            Trouble::For(error) => error,
            Trouble::Mistaken => {
                SignerError("the HSM signed with another key than the one that is published".into())
            }
            Trouble::Of(error) => SignerError(format!(
                "the token {:?} does not do it: {error}; look whether the HSM answers, and into its log",
                self.place.token
            )),
        }
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As RFC 7518 wants it. Of P-256 the module gets the hash: not every one makes it itself.
fn sign(
    session: &Session,
    key: ObjectHandle,
    algorithm: Algorithm,
    message: &[u8],
) -> Result<Vec<u8>, Trouble> {
    let signature = match algorithm {
        Algorithm::Rs512 => session.sign(&Mechanism::Sha512RsaPkcs, key, message),
        Algorithm::Es256 => session.sign(&Mechanism::Ecdsa, key, digest(&SHA256, message).as_ref()),
    };
    Ok(signature?)
}

/// Some modules give a point as it is, where the standard wants it in an octet string.
fn public_half(session: &Session, key: ObjectHandle, algorithm: Algorithm) -> Result<PublicKey, Trouble> {
    let wanted: &[AttributeType] = match algorithm {
        Algorithm::Rs512 => &[AttributeType::Modulus, AttributeType::PublicExponent],
        Algorithm::Es256 => &[AttributeType::EcPoint],
    };
    let attributes = session.get_attributes(key, wanted)?;
    let public = match &attributes[..] {
        [Attribute::Modulus(modulus), Attribute::PublicExponent(exponent)] => {
            PublicKey::of_rsa(modulus, exponent)
        }
        [Attribute::EcPoint(point)] => {
            PublicKey::of_point(point.strip_prefix(&OCTET_STRING_OF_A_POINT).unwrap_or(point))
        }
        _ => None,
    };
    Ok(public.ok_or_else(|| SignerError("the HSM does not say what it made".into()))?)
}
