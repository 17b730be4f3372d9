//! Bodies that are not what their requests announce: a hash or a chunk's signature that is another's, chunks in a form of
//! their own, an end that comes early. `s3s` finds most of it while the back end reads, which makes of every error one of
//! its own; so what it was is noted as it passes, and the gate answers with it. Whoever reads to such an end keeps nothing.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures::Stream;
use s3s::dto::StreamingBlob;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Result, StdError, TrailingHeaders, s3_error};

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    /// A chunk, or the trailer, was signed by nobody who may.
    Signature,
    /// It has another hash than the header says.
    Hash,
    /// Its chunks have not the form of chunks.
    Framing,
    /// The trailer that the headers announce is not there.
    Trailer,
    /// It has not as many bytes as its headers say.
    Length,
    /// It stopped arriving.
    Stopped,
}

/// Where it is noted what is wrong with the body of a request, for whoever answers it.
#[derive(Debug, Clone, Default)]
pub(super) struct FaultNote(Arc<Mutex<Option<BodyFault>>>);

impl FaultNote {
    /// Notes what is wrong with the body, or would be if it cannot be read. The last word counts.
    pub fn note(&self, fault: Option<BodyFault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// What was noted.
    pub fn take(&self) -> Option<BodyFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The words of the errors of `s3s`, whose types it keeps to itself.
const WORDS: [(&str, BodyFault); 8] = [
    ("SignatureMismatch", BodyFault::Signature),
    ("Sha256Mismatch", BodyFault::Hash),
    ("FormatError", BodyFault::Framing),
    ("ChunkMetaTooLarge", BodyFault::Framing),
    ("TrailersTooLarge", BodyFault::Trailer),
    ("TooManyTrailerHeaders", BodyFault::Trailer),
    ("LengthMismatch", BodyFault::Length),
    ("Incomplete", BodyFault::Length),
];

impl BodyFault {
    fn of(error: &StdError) -> Self {
        let text = error.to_string();
        let known = WORDS.iter().find(|(word, _)| text.contains(word));
        known.map_or(Self::Stopped, |(_, fault)| *fault)
    }

    /// Status, code and message (S3 API Reference, "List of error codes").
    pub fn answer(self) -> (StatusCode, &'static str, &'static str) {
        let (code, message) = match self {
            Self::Signature => {
                let message = "The signature of a chunk, or of the trailer, does not verify. Check your key and how \
                               chunks are signed.";
                return (StatusCode::FORBIDDEN, "SignatureDoesNotMatch", message);
            }
            Self::Hash => (
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            ),
            Self::Framing => ("InvalidRequest", "The body is not in the form of aws-chunked."),
            Self::Trailer => (
                "MalformedTrailerError",
                "The trailer that x-amz-trailer announces is missing, or not well-formed.",
            ),
            Self::Length => (
                "IncompleteBody",
                "The body has not the number of bytes that the headers of the request say.",
            ),
            Self::Stopped => ("RequestTimeout", "The body did not arrive in time. Try again."),
        };
        (StatusCode::BAD_REQUEST, code, message)
    }
}

/// Whether a body comes in chunks with signatures or a trailer of their own.
pub(super) fn is_in_chunks(headers: &HeaderMap) -> bool {
    let hash = headers.get("x-amz-content-sha256").map(axum::http::HeaderValue::as_bytes);
    hash.is_some_and(|hash| hash.starts_with(b"STREAMING-"))
}

/// Objects and their parts come in chunks; `s3s` reads no other body that does.
///
/// # Errors
/// If another one does.
pub(super) fn check_form(operation: &str, headers: &HeaderMap) -> S3Result<()> {
    if is_in_chunks(headers) && !matches!(operation, "PutObject" | "UploadPart") {
        return Err(s3_error!(NotImplemented, "Only objects and their parts are taken in chunks."));
    }
    Ok(())
}

/// What it means if the body of an operation that is read before anybody is asked about it cannot be read.
pub(super) fn fault_of_document(headers: &HeaderMap) -> BodyFault {
    let is_unsigned = headers.get("x-amz-content-sha256").is_none_or(|hash| hash == "UNSIGNED-PAYLOAD");
    if is_unsigned { BodyFault::Stopped } else { BodyFault::Hash }
}

/// The body of an object or of a part, which ends with an error if it is not what its request announces.
struct Watched {
    body: StreamingBlob,
    fault: FaultNote,
    /// How many bytes are still to come, where that is known.
    left: Option<usize>,
    /// The fields that the trailer has to have.
    announced: Vec<String>,
    trailer: Option<TrailingHeaders>,
}

/// Has a body watched while it is read.
pub(super) fn watch(
    body: Option<StreamingBlob>,
    headers: &HeaderMap,
    trailer: Option<&TrailingHeaders>,
    fault: FaultNote,
) -> Option<StreamingBlob> {
    let body = body?;
    let left = body.remaining_length().exact();
    let announced = if is_in_chunks(headers) { announced(headers) } else { Vec::new() };
    Some(StreamingBlob::new(Watched { body, fault, left, announced, trailer: trailer.cloned() }))
}

fn announced(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("x-amz-trailer").iter().filter_map(|line| line.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty()).collect()
}

impl Watched {
    fn fail(&self, fault: BodyFault, error: StdError) -> Poll<Option<Result<Bytes, StdError>>> {
        self.fault.note(Some(fault));
        Poll::Ready(Some(Err(error)))
    }

    fn has_trailer(&self) -> bool {
        let is_there = |trailer: &TrailingHeaders| {
            trailer.read(|fields| self.announced.iter().all(|name| fields.contains_key(name.as_str())))
        };
        self.announced.is_empty() || self.trailer.as_ref().and_then(is_there).unwrap_or(false)
    }
}

impl Stream for Watched {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match std::task::ready!(Pin::new(&mut self.body).poll_next(context)) {
            Some(Ok(bytes)) => match self.left.map(|left| left.checked_sub(bytes.len())) {
                Some(None) => {
                    self.fail(BodyFault::Length, "there is more of the body than was announced".into())
                }
                left => {
                    self.left = left.flatten();
                    Poll::Ready(Some(Ok(bytes)))
                }
            },
            Some(Err(error)) => self.fail(BodyFault::of(&error), error),
            None if self.left.is_some_and(|left| left > 0) => {
                self.fail(BodyFault::Length, "the body ended early".into())
            }
            None if !self.has_trailer() => self.fail(BodyFault::Trailer, "the trailer is missing".into()),
            None => Poll::Ready(None),
        }
    }
}

impl ByteStream for Watched {
    fn remaining_length(&self) -> RemainingLength {
        self.body.remaining_length()
    }
}
