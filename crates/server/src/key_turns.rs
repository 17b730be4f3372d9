//! The keys that sign tokens take turns while a server runs. No request waits for that, and none fails by it: the key in use is
//! as good as before where its successor cannot be made. The log has why.

use std::error::Error;
use std::sync::{Arc, Weak};
use std::time::Duration;

use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::signing_key::SigningKeyError;

use crate::error::chain;
use crate::installation::App;

/// Between looking whether it is time.
const EVERY: Duration = Duration::from_mins(1);

/// And after it came to nothing: an HSM may keep of each attempt what it made.
const AFTER_A_FAILURE: Duration = Duration::from_hours(1);

/// Has the keys of an installation take turns, as long as it is there.
pub fn have_keys_take_turns(app: &App) {
    if let Some(tokens) = &app.tokens {
        let tokens = Arc::downgrade(tokens);
        tokio::spawn(keep_turning(
            async move || turn(&tokens).await,
            |error| {
                tracing::error!(
                    error = error as &dyn Error,
                    "the keys that sign tokens do not take turns, and those in use go on; it is tried again in an hour"
                );
            },
        ));
    }
}

/// Nothing, if they are nobody's any more.
async fn turn(tokens: &Weak<TokenIssuer>) -> Option<Result<(), SigningKeyError>> {
    Some(tokens.upgrade()?.take_turns().await)
}

/// What goes wrong is told once for each cause in a row.
async fn keep_turning(
    mut turn: impl AsyncFnMut() -> Option<Result<(), SigningKeyError>>,
    mut tell: impl FnMut(&SigningKeyError),
) {
    let mut told = None;
    let mut wait = EVERY;
    loop {
        pause(wait).await;
        let Some(turned) = turn().await else { return };
        wait = if turned.is_ok() { EVERY } else { AFTER_A_FAILURE };
        let cause = turned.as_ref().err().map(|error| chain(error));
        if let Err(error) = &turned
            && told != cause
        {
            tell(error);
        }
        told = cause;
    }
}

#[expect(clippy::disallowed_methods, reason = "the pause spares the store, and is for no instant")]
async fn pause(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use daypass_core::token::signer::SignerError;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_cause_is_told_once_and_tried_again_after_an_hour_until_there_are_no_keys() {
        let away = |cause: &str| Some(Err(SignerError(cause.into()).into()));
        let mut outcomes = [
            Some(Ok(())),
            away("the HSM is full"),
            away("the HSM is full"),
            away("the store is full"),
            Some(Ok(())),
            away("the store is full"),
            None,
        ]
        .into_iter();
        let (begun, mut turns, mut told) = (Instant::now(), Vec::new(), Vec::new());
        let turn = async || {
            turns.push(begun.elapsed().as_secs() / 60);
            outcomes.next().unwrap()
        };
        keep_turning(turn, |error| told.push(chain(error))).await;
        assert_eq!(turns, [1, 2, 62, 122, 182, 183, 243]);
        let causes = ["the HSM is full", "the store is full", "the store is full"];
        assert!(told.iter().zip(causes).all(|(told, cause)| told.contains(cause)), "{told:?}");
        assert_eq!(told.len(), 3);
    }
}
