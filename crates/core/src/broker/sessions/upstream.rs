//! A session asks its provider again from time to time whether the login stands that it rests on, where the provider gave a
//! refresh token.

use super::{ATTEMPTS, RefreshError, Sessions, Turn, context};
use crate::audit::Requester;
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::seal::Sealed;
use crate::login::provider::Recheck;
use crate::records::sign_in_session::{EndReason, SignInSession};
use crate::store::StoreError;

/// So long a provider is not asked again that did not answer.
const PAUSE: SignedDuration = SignedDuration::from_mins(10);

impl Sessions {
    /// Asks the provider, where it is time to, and answers whether the session has changed by that. Of several who come at
    /// once, one asks: some providers take a refresh token that is shown twice for a stolen one. What it answered is kept before
    /// anything else can fail: the token that it was asked with may be spent.
    pub(super) async fn recheck(&self, turn: &Turn, by: &Requester) -> Result<bool, RefreshError> {
        let (now, session) = (self.broker.clock.now(), &turn.from);
        let provider = self.broker.providers.get(&session.provider);
        let (Some(provider), Some(token)) = (provider, turn.login.refresh_token()) else { return Ok(false) };
        if now.duration_since(session.checked_at) < provider.recheck {
            return Ok(false);
        }
        let name = format!("recheck: {} {}", session.id, session.checked_at.as_millisecond());
        if !self.store.use_once(&name, now + PAUSE, now).await? {
            return Ok(false);
        }
        match self.broker.engine.recheck(&provider, token).await {
            Ok(Recheck::Ended) => Err(self.end_of(session, EndReason::Upstream, by).await?),
            Ok(Recheck::Stands(next)) => {
                let login = match next {
                    Some(token) => turn.login.clone().with_refresh_token(token),
                    None => turn.login.clone(),
                };
                let login = self.logins.seal(&context(&session.id), &login, (), &*self.random);
                self.note_check(session, login, now).await?;
                Ok(true)
            }
            // Nobody is signed out because their provider does not answer.
            Err(_) => Ok(false),
        }
    }

    /// Whatever becomes of the session meanwhile, the next question has to be asked with what the provider gave.
    async fn note_check(
        &self,
        session: &SignInSession,
        login: Sealed,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut from = session.clone();
        for _ in 0..ATTEMPTS {
            let to = SignInSession { login: login.clone(), checked_at: now, ..from.clone() };
            if self.store.replace_sign_in_session(&from, &to).await? {
                return Ok(());
            }
            match self.store.find_sign_in_session(&session.id).await? {
                Some(kept) if kept.ended.is_none() => from = kept,
                _ => return Ok(()),
            }
        }
        Err(StoreError::Unavailable("a session changed again and again while it was written".into()))
    }
}
