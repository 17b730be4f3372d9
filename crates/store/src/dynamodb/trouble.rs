//! What keeps DynamoDB from its work, and the cure: every error that it has, in one place, in words for the operator.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use daypass_core::store::items::engine::EngineError;

/// Why a table of DynamoDB's cannot be opened, or made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DynamoOpenError {
    /// There is no such table.
    #[error("there is no {place}: `daypass store create` makes it")]
    NotThere {
        /// Where it was looked for.
        place: String,
    },
    /// The table has no store in it.
    #[error(
        "{place} has no store of Daypass in it: start Daypass with it once, or ask `daypass migrate -c FILE`, which make one (the \
         first does not where [store] has migrate = false); or see whether its name is the right one"
    )]
    Empty {
        /// Where it was looked for.
        place: String,
    },
    /// A program wrote it that was never released.
    #[error(
        "what is in {place} was written by a Daypass of before the first release, and this one cannot read it: copy it into a file by \
         that older program (`daypass store copy --to sqlite:FILE`), and from there into a new table by this one; or, if it is of no \
         use, name a new table"
    )]
    Unreleased {
        /// Where it is.
        place: String,
    },
    /// Another Daypass wrote it.
    #[error(
        "what is in {place} has version {found}, and this Daypass knows version {known}; run the Daypass that knows it"
    )]
    OtherVersion {
        /// Where it is.
        place: String,
        /// Its version.
        found: String,
        /// The version that this program knows.
        known: u64,
    },
    /// It is a table of somebody else's, or of another form.
    #[error("{place} is a table of another form: its key has to be p and s, both binary; name another table")]
    OtherForm {
        /// Where it is.
        place: String,
    },
    /// Nothing says in which Region it is.
    #[error("{place}: no Region is named: write ?region=… into the URL of the store, or set AWS_REGION")]
    Nowhere {
        /// What was named of it.
        place: String,
    },
    /// It does not say which Region writes it.
    #[error(
        "{place} does not say which Region writes it, as one of a former Daypass: `daypass migrate -c FILE` has it say so, for the \
         Region that FILE names"
    )]
    NoRegion {
        /// Where it is.
        place: String,
    },
    /// Another Region writes it.
    #[error(
        "{place} is written in {writer}, and this is {here}: write ?region={writer} into the URL of the store; or, once nobody \
         can write there any more, `daypass store take-over`"
    )]
    OtherRegion {
        /// Where it is.
        place: String,
        /// The Region that was asked.
        here: String,
        /// The Region that writes.
        writer: String,
    },
    /// It does not answer, or refuses.
    #[error(transparent)]
    Trouble(Trouble),
}

impl From<Failure> for DynamoOpenError {
    fn from(failure: Failure) -> Self {
        Self::Trouble(failure.trouble)
    }
}

/// What DynamoDB said, or what was said of it, with the cure.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {cure} (DynamoDB: {said})")]
pub struct Trouble {
    place: String,
    cure: &'static str,
    said: String,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A condition does not hold, and nothing was done.
    Broken,
    /// Nothing was done, and asked again it may go well.
    Busy,
    /// It was asked, and nobody knows what became of it.
    Cut,
    /// There is no such table.
    Missing,
    /// Nothing was done, and asked again it would be the same.
    Refused,
}

/// An error, before it is known what it is about.
#[derive(Debug)]
pub(super) struct Told {
    kind: Kind,
    code: Option<String>,
    said: String,
}

/// A question without an answer.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Kind,
    trouble: Trouble,
}

impl Told {
    pub(super) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let code = error.code();
        let kind = match (error, code) {
            (SdkError::ServiceError(refusal), Some(code)) => kind(code, refusal.raw().status().as_u16()),
            (SdkError::ConstructionFailure(_), _) => Kind::Refused,
            // It was not asked.
            _ if lacks_credentials(error) => Kind::Refused,
            _ => Kind::Cut,
        };
        Self { kind, code: code.map(str::to_owned), said: said(error) }
    }
}

impl Failure {
    pub(super) fn of<E>(place: &str, error: &SdkError<E>) -> Self
    where
        E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
    {
        Self::of_meta(place, Told::of(error))
    }

    pub(super) fn of_meta(place: &str, told: Told) -> Self {
        let cure = cure(told.kind, told.code.as_deref());
        Self { kind: told.kind, trouble: Trouble { place: place.to_owned(), cure, said: told.said } }
    }

    /// Of a transaction: what it failed by is among its reasons. One condition that does not hold is enough.
    pub(super) fn of_transaction(place: &str, error: &SdkError<TransactWriteItemsError>) -> Self {
        let mut told = Told::of(error);
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        {
            let reasons = || cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
            let has = |codes: &[&str]| reasons().any(|reason| codes.contains(&reason));
            told.kind = if has(&["ConditionalCheckFailed"]) {
                Kind::Broken
            } else if has(&["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]) {
                Kind::Busy
            } else {
                Kind::Refused
            };
        }
        Self::of_meta(place, told)
    }

    /// What it means if it may be asked again.
    pub(super) fn of_reading(self) -> EngineError {
        match self.kind {
            Kind::Busy | Kind::Cut => EngineError::Busy(self.trouble.into()),
            Kind::Broken | Kind::Missing | Kind::Refused => EngineError::Unavailable(self.trouble.into()),
        }
    }

    /// What it means if it may have been done.
    pub(super) fn of_commit(self) -> EngineError {
        match self.kind {
            Kind::Cut => EngineError::Lost(self.trouble.into()),
            _ => self.of_reading(),
        }
    }
}

/// Whether nobody could be found to ask as.
fn lacks_credentials(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(<dyn StdError>::is::<CredentialsError>)
}

/// An error and its causes.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

/// What the service says, or whoever did not reach it: the first line of each, as the SDK lists attempts in more.
fn said<E>(error: &SdkError<E>) -> String
where
    E: StdError + ProvideErrorMetadata + Send + Sync + 'static,
{
    if let Some(code) = error.code() {
        return format!("{code}: {}", error.message().unwrap_or("without a word"));
    }
    let mut lines: Vec<String> = Vec::new();
    for cause in causes(error) {
        let line = cause.to_string().lines().next().unwrap_or_default().to_owned();
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
    lines.join(": ")
}

/// What a refusal means (Amazon DynamoDB Developer Guide, "Error handling with DynamoDB").
fn kind(code: &str, status: u16) -> Kind {
    match code {
        "ConditionalCheckFailedException" => Kind::Broken,
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException"
        // Of a reading: somebody writes meanwhile. Of a change, its reasons tell more.
        | "TransactionCanceledException" => Kind::Busy,
        "ResourceNotFoundException" => Kind::Missing,
        _ if status >= 500 => Kind::Cut,
        _ => Kind::Refused,
    }
}

/// What the operator can do about it.
fn cure(kind: Kind, code: Option<&str>) -> &'static str {
    match (kind, code) {
        (Kind::Missing, _) => "there is no such table: `daypass store create` makes it",
        (Kind::Busy, _) => {
            "others are at the same, or more is asked than the table is provisioned for; asking again helps"
        }
        (Kind::Cut, _) => {
            "it does not answer: see whether Region and endpoint are right, and whether the machine reaches it; asked again, it \
             may"
        }
        (_, Some("AccessDeniedException" | "UnrecognizedClientException" | "InvalidSignatureException")) => {
            "these AWS credentials may not: docs/dynamodb.md has the policy that they need"
        }
        (_, None) => {
            "it cannot be asked: there have to be AWS credentials (a role of the machine or the function, or AWS_ACCESS_KEY_ID \
             and AWS_SECRET_ACCESS_KEY), and a Region (in the URL, or in AWS_REGION)"
        }
        _ => "it refuses what Daypass asks; if this message does not say why, please report it",
    }
}
