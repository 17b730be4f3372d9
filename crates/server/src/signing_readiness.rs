//! Whether tokens can be signed now: keys may lie in an HSM that does not answer. They sign something to find out. Anybody may ask
//! as often as they like: all who ask share an outcome for a while, and nobody waits for long.

use std::time::Duration;

use daypass_core::token::openid_token::TokenIssuer;
use daypass_core::token::signer::SignerError;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

/// How long an outcome counts.
const FRESH: Duration = Duration::from_secs(10);

/// How long signing may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// The last outcome, and who finds out the next one.
#[derive(Default)]
pub struct SigningReadiness(Mutex<Option<(Instant, Outcome)>>);

type Outcome = Result<(), SignerError>;

impl SigningReadiness {
    /// Answers if the keys in use sign.
    pub async fn ask(&self, tokens: &TokenIssuer) -> Outcome {
        self.ask_by(tokens.try_out()).await
    }

    async fn ask_by(&self, trial: impl Future<Output = Outcome>) -> Outcome {
        let mut last = self.0.lock().await;
        if let Some((at, outcome)) = &*last
            && at.elapsed() < FRESH
        {
            return outcome.clone();
        }
        let late = || Err(SignerError("the keys that sign tokens do not sign within two seconds".into()));
        let outcome = timeout(PATIENCE, trial).await.unwrap_or_else(|_| late());
        last.insert((Instant::now(), outcome)).1.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_outcome_is_there_in_time_and_counts_for_a_while() {
        let (readiness, begun) = (SigningReadiness::default(), Instant::now());
        readiness.ask_by(pending()).await.unwrap_err();
        assert_eq!(begun.elapsed(), PATIENCE);
        readiness.ask_by(ready(Ok(()))).await.unwrap_err();
        tokio::time::advance(FRESH).await;
        readiness.ask_by(ready(Ok(()))).await.unwrap();
        readiness.ask_by(pending()).await.unwrap();
        assert_eq!(begun.elapsed(), PATIENCE + FRESH);
    }
}
