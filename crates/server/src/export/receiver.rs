//! Whoever gets the events.

use async_trait::async_trait;
use axum::http::{Response, StatusCode};
use bytes::Bytes;
use daypass_core::ground::outbound::ProviderHttpError;

use super::batch::Batch;

/// Gets events, some at a time.
#[async_trait]
pub(super) trait Receiver: Send + Sync {
    /// Delivers a batch.
    async fn deliver(&self, batch: &Batch) -> Answer;
}

/// What became of a batch. No text repeats a URL or a secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The receiver has it, but for so many events that it will never take.
    Taken { refused: u64 },
    /// It will never take this batch as it is.
    Refused(String),
    /// It cannot take anything now.
    Away(String),
}

/// What an answer by HTTP means. Only of a few refusals the cause can be an event: whoever is not let in, or has the wrong address,
/// loses nothing. The status alone decides: what is too long to be read has been answered nevertheless, and would be the next time.
pub(super) fn meaning(answer: &Result<Response<Bytes>, ProviderHttpError>) -> Answer {
    let status = match answer {
        Ok(answer) => answer.status(),
        Err(ProviderHttpError::AnswerTooLarge { status, .. }) => *status,
        Err(error) => return Answer::Away(error.to_string()),
    };
    let code = status.as_u16();
    match status {
        status if status.is_success() => Answer::Taken { refused: 0 },
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
            Answer::Refused(format!("it answered {code}"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Answer::Away(format!("it answered {code}: it wants another secret, or other headers"))
        }
        status if status.is_redirection() => Answer::Away(format!(
            "it answered {code}: write the address that it leads to, nothing is followed"
        )),
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Answer::Away(format!("it answered {code}: this is not the address of such a receiver"))
        }
        _ => Answer::Away(format!("it answered {code}")),
    }
}
