//! The one who owns a session: reads it, refreshes it in time, begins and ends it. The lock is there so that one process
//! asks and the others wait; what is right is decided by the broker, which answers a token that comes twice with the same
//! successor.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_credential_types::Credentials;
use serde::de::DeserializeOwned;

use crate::answer::Listed;
use crate::clock::{Clock, SystemClock};
use crate::error::Error;
use crate::file::SessionFile;
use crate::home::Home;
use crate::keyring::{Manner, NoKeyring};
use crate::lock::{self, Turn};
use crate::name::{SessionName, TERMINAL};
use crate::random;
use crate::secret::Secret;
use crate::session::Session;
use crate::sign_in::{Code, SignIn};
use crate::wire::{Failure, Wire};

/// So long somebody else's refresh is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is no refresh token.
const NO_TOKEN: &str = "none";

/// A session with a broker, shared with every other process of this user. Its clones are the same one.
#[derive(Debug, Clone)]
pub struct Daypass {
    name: SessionName,
    home: Home,
    file: Arc<SessionFile>,
    wire: Arc<Wire>,
    clock: Arc<dyn Clock>,
    /// One refresh at a time among clones.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Whether a login puts a key into the keyring, and seals the session by it.
    seals: bool,
    last: Arc<Mutex<Option<Session>>>,
}

/// What came of signing in.
#[derive(Debug)]
pub struct SignedIn {
    /// The session that began.
    pub session: Session,
    /// Why the one that was here before, sealed, could not be read and so goes on at the broker, until it ends by itself.
    pub unended: Option<NoKeyring>,
    /// Why its key, which nothing here needs any more, is still in the keyring.
    pub unforgotten: Option<NoKeyring>,
}

/// What came of signing out. On this machine the session is gone in any case.
#[derive(Debug)]
pub struct SignedOut {
    /// Why the broker could not be told, if it could not.
    pub untold: Option<Error>,
}

impl Daypass {
    /// The session with the broker at this address that `daypass login` began.
    ///
    /// # Errors
    /// If that is no address of a broker, or this user has no home directory.
    pub fn at(url: &str) -> Result<Self, Error> {
        Ok(Self::of(SessionName::new(url, TERMINAL)?, Home::of_environment()?, Arc::new(SystemClock)))
    }

    /// The session of this name in this directory.
    #[must_use]
    pub fn of(name: SessionName, home: Home, clock: Arc<dyn Clock>) -> Self {
        let (file, wire) = (Arc::new(home.file(&name)), Arc::new(Wire::to(name.clone())));
        Self { name, home, file, wire, clock, turn: Arc::default(), seals: false, last: Arc::default() }
    }

    /// The same, whose logins seal the session by a key in the system's keyring. A session that is sealed already is read and
    /// refreshed without this.
    #[must_use]
    pub fn with_keyring(self) -> Self {
        Self { seals: true, ..self }
    }

    /// What somebody types to sign in again as they did, with the keyring if that was so.
    #[must_use]
    pub fn login_command(&self) -> String {
        self.name.login_command_with(self.is_with_keyring())
    }

    /// What the session is called.
    #[must_use]
    pub fn name(&self) -> &SessionName {
        &self.name
    }

    /// Whether the session is sealed by a key in the keyring, or was when it ended.
    #[must_use]
    pub fn is_with_keyring(&self) -> bool {
        self.file.wants_keyring()
    }

    /// The session with credentials that are good for a while, refreshed if it is time.
    ///
    /// # Errors
    /// In words for the person who can do something about it.
    pub async fn session(&self) -> Result<Session, Error> {
        let session = self.remembered(self.file.read().await)?;
        if !session.is_due(self.clock.now()) {
            return Ok(session);
        }
        let _turn = self.turn.lock().await;
        self.remembered(self.take_turn().await)
    }

    /// The session as it was kept last, whatever became of it since.
    ///
    /// # Errors
    /// If there is none.
    pub async fn kept(&self) -> Result<Session, Error> {
        self.file.read().await
    }

    /// The credentials that were handed out last, if they are still good: for whoever cannot wait.
    #[must_use]
    pub fn last_credentials(&self) -> Option<Credentials> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|session| session.is_valid(self.clock.now())).map(Session::credentials)
    }

    /// Keeps in mind what is handed out, until the session is over.
    fn remembered(&self, session: Result<Session, Error>) -> Result<Session, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &session {
            Ok(session) => *last = Some(session.clone()),
            Err(Error::NotSignedIn(_) | Error::Over { .. }) => *last = None,
            Err(_) => {}
        }
        session
    }

    async fn take_turn(&self) -> Result<Session, Error> {
        match lock::wait(&self.file.lock(), PATIENCE).await {
            Ok(Turn::Ours { _lock }) => self.refresh().await,
            Ok(Turn::TooLong) => {
                self.or_still_valid(self.file.read().await?, || Error::Busy(self.name.clone()))
            }
            Err(error) => self.or_still_valid(self.file.read().await?, || error),
        }
    }

    /// Reads again what another process may have written meanwhile, and asks only if it is still time.
    async fn refresh(&self) -> Result<Session, Error> {
        let (session, now) = (self.file.read().await?, self.clock.now());
        if !session.is_due(now) {
            return Ok(session);
        }
        if let Some(failure) = session.pause(now) {
            let why = failure.why.clone();
            return self.or_still_valid(session, || self.unavailable(why));
        }
        self.file.remove_drafts();
        let draft = match self.file.draft() {
            Ok(draft) => draft,
            Err(error) => return self.or_still_valid(session, || error),
        };
        match self.wire.refresh(&session.refresh_token, now).await {
            Ok(renewed) if self.is_still(&session).await => {
                let renewed = Session { sealed_by: session.sealed_by, ..renewed };
                draft.put(&renewed).map(|()| renewed)
            }
            // Somebody signed out or in meanwhile, without a lock.
            Ok(_) => self.file.read().await,
            Err(failure) => self.settle(session, failure, now).await,
        }
    }

    /// Whether the file still has the session that a refresh began from.
    async fn is_still(&self, session: &Session) -> bool {
        self.file.read().await.is_ok_and(|now| now.refresh_token == session.refresh_token)
    }

    async fn settle(&self, session: Session, failure: Failure, now: u64) -> Result<Session, Error> {
        match failure {
            Failure::Over(reason) => {
                if self.is_still(&session).await {
                    self.file.write_over(&reason)?;
                }
                self.file.read().await
            }
            Failure::Temporary { why, wish, .. } => {
                if self.is_still(&session).await {
                    // That it is not remembered only has the broker asked sooner.
                    let _ = self.file.draft().and_then(|draft| draft.put(&session.failed(now, &why, wish)));
                }
                self.or_still_valid(session, || self.unavailable(why))
            }
            Failure::Final(error) => self.or_still_valid(session, || error),
        }
    }

    /// The old credentials while they live, and the error afterwards.
    fn or_still_valid(&self, session: Session, error: impl FnOnce() -> Error) -> Result<Session, Error> {
        if session.is_valid(self.clock.now()) { Ok(session) } else { Err(error()) }
    }

    fn unavailable(&self, why: String) -> Error {
        Error::Unavailable { url: self.name.url().to_owned(), why }
    }

    fn error(&self, failure: Failure) -> Error {
        match failure {
            Failure::Over(reason) => {
                Error::Over { name: self.name.clone(), reason, keyring: self.file.wants_keyring() }
            }
            Failure::Temporary { why, .. } => self.unavailable(why),
            Failure::Final(error) => error,
        }
    }

    /// Begins a login whose browser comes back to `redirect_uri`, after the broker has confirmed that it is the one of this
    /// address and has the app: whoever sits at the terminal hears of that, and not only the browser.
    ///
    /// # Errors
    /// If there is no broker that can be asked, or no keyring that was wanted.
    pub async fn begin_sign_in(&self, redirect_uri: &str, provider: Option<&str>) -> Result<SignIn, Error> {
        let key = if self.seals {
            // The entry is called after the directory. Without a lock: somebody may be typing a password meanwhile, and what counts
            // is the key that is there in the end.
            self.home.make()?;
            Some(self.file.key().await?)
        } else {
            None
        };
        self.wire.confirm().await.map_err(|failure| self.error(failure))?;
        // Of a token that is none, a broker says nothing; of an app that is none, it does (RFC 7009 section 2.2).
        self.wire.revoke(&Secret::new(NO_TOKEN)).await.map_err(|failure| self.error(failure))?;
        let drawn = [random::bytes(), random::bytes()];
        Ok(SignIn::new(&self.name, redirect_uri, provider, &drawn).with_key(key))
    }

    /// Ends a login with the code that the browser brought, and keeps the session in the place of one that was there, which
    /// ends. `device` is what the person reads in the list of their devices.
    ///
    /// # Errors
    /// If the code counts for nothing, or the session cannot be kept. If that is for its key, the code is not spent.
    pub async fn finish_sign_in(
        &self,
        sign_in: &SignIn,
        code: &Code,
        device: &str,
    ) -> Result<SignedIn, Error> {
        self.home.make()?;
        let _turn = lock::wait(&self.file.lock(), PATIENCE).await?;
        self.file.remove_drafts();
        let sealed_by = match sign_in.key() {
            Some(before) => Some(self.file.key_after(before).await?),
            None => None,
        };
        let (before, draft) = (self.file.read().await, self.file.draft()?);
        let forgets = sealed_by.is_none() && self.file.wants_keyring();
        let mut form = sign_in.form(code).to_vec();
        form.push(("device", device));
        let session = self.wire.token(&form, self.clock.now()).await.map_err(|failure| match failure {
            Failure::Over(_) => sign_in.refused(),
            failure => self.error(failure),
        })?;
        let session = Session { sealed_by, ..session };
        draft.put(&session)?;
        let unforgotten = if forgets { self.file.forget_key().await.err() } else { None };
        let unended = self.end(before).await.err();
        Ok(SignedIn { session: self.remembered(Ok(session))?, unended, unforgotten })
    }

    /// Ends the session that was here before a login: nobody has its token any more. If the broker does not hear of it, it ends by
    /// itself.
    async fn end(&self, before: Result<Session, Error>) -> Result<(), NoKeyring> {
        match before {
            Ok(before) => drop(self.wire.revoke(&before.refresh_token).await),
            Err(Error::Keyring { why, .. }) => return Err(why),
            Err(_) => {}
        }
        Ok(())
    }

    /// The person's sessions, on all their devices.
    ///
    /// # Errors
    /// If there is none here, it is over, or the broker cannot be asked.
    pub async fn sessions(&self) -> Result<Vec<Listed>, Error> {
        let session = self.file.read().await?;
        self.wire.sessions(&session.refresh_token).await.map_err(|failure| self.error(failure))
    }

    /// Signs out here, or everywhere. What is kept here goes away whatever the broker says.
    ///
    /// # Errors
    /// If nobody is signed in, or the file cannot be removed.
    pub async fn sign_out(&self, everywhere: bool) -> Result<SignedOut, Error> {
        // Whoever has to unlock their keyring does so before there is a lock.
        let first = match self.file.read_as(Manner::MayPrompt).await {
            Err(error) if !is_left(&error) => return Err(error),
            first => first,
        };
        let _turn = lock::wait(&self.file.lock(), PATIENCE).await?;
        // Another process may have refreshed it meanwhile, or signed in.
        let session = match self.file.read().await.or_else(|now| first.map_err(|_| now)) {
            Err(error) if !is_left(&error) => return Err(error),
            session => session,
        };
        self.remove().await?;
        let _ = self.remembered(Err(Error::NotSignedIn(self.name.clone())));
        let session = match session {
            Err(error) => {
                return Ok(SignedOut { untold: (!matches!(error, Error::Over { .. })).then_some(error) });
            }
            Ok(session) => session,
        };
        let token = &session.refresh_token;
        let told = if everywhere { self.wire.revoke_all(token).await } else { self.wire.revoke(token).await };
        let untold = match told {
            // It was over already.
            Ok(()) | Err(Failure::Over(_)) => None,
            Err(failure) => Some(self.error(failure)),
        };
        Ok(SignedOut { untold })
    }

    /// Takes away what is kept of the session, the key last: the file alone helps nobody. Only who holds the lock does so, or a
    /// login that is being finished would lose its key.
    async fn remove(&self) -> Result<(), Error> {
        let forgets = self.file.may_have_key();
        self.file.remove()?;
        if forgets {
            let _ = self.file.forget_key().await;
        }
        Ok(())
    }

    /// A JSON document that the broker has at a path, such as what an installation of `daypass up` says of itself.
    ///
    /// # Errors
    /// If there is none.
    pub async fn document<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.wire.document(path).await.map_err(|failure| self.error(failure))
    }
}

/// Whether there is something to take away, although it gives no session.
fn is_left(error: &Error) -> bool {
    matches!(error, Error::Over { .. } | Error::Damaged { .. } | Error::Keyring { .. } | Error::KeyGone(_))
}

#[cfg(test)]
mod tests;
