//! What operations refuse, in the words and with the statuses that the server itself has for it.

use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::broker::device_login::{BeginError, DecisionError, PollError};
use daypass_core::broker::exchange::ExchangeError;
use daypass_core::broker::hosted_login::{LoginRequestError, LostLogin};
use daypass_core::broker::sessions::RefreshError;
use daypass_core::broker::sessions::acting::ActError;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::ids::{IdentityId, Region};
use daypass_core::login::provider::definition::ProofKind;
use daypass_core::login::provider::{IdTokenError, ProofError};
use daypass_core::pool::{Conflict, Denial, Invalid, Missing, PoolError};
use daypass_core::records::sign_in_session::EndReason;
use daypass_core::store::StoreError;
use daypass_core::token::dpop;

use crate::error::{ApiError, CookieMistake, Dialect, RequestFailure};

/// How a refusal is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Speech {
    /// RFC 9457.
    Problem,
    /// RFC 6749 section 5.2.
    OAuth,
    /// For people.
    Page,
}

/// What is refused for one kind of reason.
pub(super) struct Refusals {
    /// The kind, if several operations share it. It then stands on the page once.
    pub kind: Option<&'static Kind>,
    /// How they are told, if not as the operation tells others.
    pub speech: Option<Speech>,
    pub errors: fn(Dialect) -> Vec<ApiError>,
}

/// A kind of refusals that several operations share.
pub(super) struct Kind {
    pub name: &'static str,
    /// In Markdown, with links as they are in `docs/`.
    pub about: &'static str,
}

pub(super) static KINDS: [&Kind; 8] =
    [&LOGIN, &POOL, &SESSION, &FORM, &JSON_BODY, &PAGE_THAT_CALLS, &WHERE_NOTHING_LASTS, &REQUEST];

static LOGIN: Kind = Kind {
    name: "Logins",
    about: "What a proof turns out to be, and how its provider fails. In a token exchange, what is not \
            believed is `invalid_request`, as RFC 8693 wants it; at `/login` it is a page.",
};

static POOL: Kind = Kind { name: "The identity pool", about: "What the pool says to which a login leads." };

static SESSION: Kind = Kind { name: "Sessions", about: "Why a refresh token is not taken." };

static FORM: Kind = Kind { name: "Forms", about: "What `/oauth2` cannot read." };

static JSON_BODY: Kind = Kind { name: "JSON bodies", about: "What `/v1` cannot read." };

static PAGE_THAT_CALLS: Kind =
    Kind { name: "Pages that call", about: "A browser says where a page is from." };

static WHERE_NOTHING_LASTS: Kind = Kind {
    name: "Where nothing lasts",
    about: "Where each process has a store of its own, as [on Lambda](deploy-aws.md#the-store-in-memory), \
            nobody could end a login or find a session again: there is nothing at these paths then.",
};

pub(super) static REQUEST: Kind = Kind { name: "Any request", about: "Whatever is asked for." };

impl Refusals {
    const fn own(errors: fn(Dialect) -> Vec<ApiError>) -> Self {
        Self { kind: None, speech: None, errors }
    }

    const fn of(kind: &'static Kind, errors: fn(Dialect) -> Vec<ApiError>) -> Self {
        Self { kind: Some(kind), ..Self::own(errors) }
    }

    pub(super) fn is_of(&self, kind: &Kind) -> bool {
        self.kind.is_some_and(|known| std::ptr::eq(known, kind))
    }
}

/// Why a session does not go on, by name.
pub(super) fn reasons() -> Vec<&'static str> {
    let over = [
        EndReason::Expired,
        EndReason::SignedOut,
        EndReason::Reused,
        EndReason::Revoked,
        EndReason::LoginUnlinked,
        EndReason::IdentityGone,
        EndReason::Upstream,
    ];
    ["malformed", "replaced", "no_cookie"].into_iter().chain(over.map(EndReason::name)).collect()
}

pub(super) static ANY_REQUEST: Refusals = Refusals::of(&REQUEST, |dialect| {
    let busy = RequestFailure::ServerBusy { retry_after: SignedDuration::from_secs(1) };
    let too_often = RequestFailure::TooOften { retry_after: SignedDuration::from_secs(1) };
    let all = [RequestFailure::TookTooLong, busy, too_often, RequestFailure::Panicked];
    all.map(|failure| ApiError::of_request(dialect, failure)).into()
});

/// Where each process has a store of its own.
pub(super) static NOTHING_LASTS: Refusals = Refusals {
    speech: Some(Speech::Problem),
    ..Refusals::of(&WHERE_NOTHING_LASTS, |_| vec![ApiError::not_found()])
};

pub(super) static JSON_BODIES: Refusals = Refusals::of(&JSON_BODY, |_| {
    let own = [ApiError::not_json(), ApiError::malformed_request("")];
    body_failures(Dialect::Problem).into_iter().chain(own).collect()
});

pub(super) static FORM_BODIES: Refusals = Refusals::of(&FORM, |_| {
    body_failures(Dialect::OAuth).into_iter().chain([ApiError::malformed_form("")]).collect()
});

pub(super) static PARAMETERS: Refusals = Refusals::own(|_| {
    let too_large = ApiError::of_request(Dialect::Problem, RequestFailure::BodyTooLarge { limit: 1 });
    vec![too_large, ApiError::malformed_request("")]
});

/// What a provider's page posts.
pub(super) static POSTED: Refusals = Refusals::own(|_| body_failures(Dialect::Problem));

fn body_failures(dialect: Dialect) -> Vec<ApiError> {
    let too_large = RequestFailure::BodyTooLarge { limit: 1 };
    let all = [too_large, RequestFailure::BodyBroken, RequestFailure::BodyTooSlow];
    all.map(|failure| ApiError::of_request(dialect, failure)).into()
}

pub(super) static PAGES_OF_OTHERS: Refusals =
    Refusals::of(&PAGE_THAT_CALLS, |_| vec![ApiError::origin_not_allowed()]);

pub(super) static LOGINS: Refusals = Refusals::of(&LOGIN, |_| {
    let exchange = [
        ExchangeError::UnknownProvider,
        ExchangeError::RedirectUriNotRegistered,
        ExchangeError::TokenDurationTooLong { max: SignedDuration::from_secs(1) },
        ExchangeError::LoginCodeRefused,
    ];
    let exchange = exchange.map(ApiError::exchange).into_iter();
    exchange.chain([ApiError::malformed_request("")]).chain(proofs()).collect()
});

/// The same of a token exchange.
pub(super) static SUBJECT_TOKENS: Refusals =
    Refusals::of(&LOGIN, |dialect| of_subject_token(&LOGINS, dialect));

/// Likewise.
pub(super) static SUBJECT_POOLS: Refusals = Refusals::of(&POOL, |dialect| of_subject_token(&POOLS, dialect));

fn of_subject_token(refusals: &Refusals, dialect: Dialect) -> Vec<ApiError> {
    (refusals.errors)(dialect).into_iter().map(ApiError::of_subject_token).collect()
}

fn proofs() -> Vec<ApiError> {
    let text = String::new;
    let all = [
        ProofError::UnboundAccessToken,
        ProofError::KindNotAccepted(ProofKind::Code),
        ProofError::AnotherClient,
        ProofError::TwoPeople,
        ProofError::VerifierMissing,
        ProofError::NonceMissing,
        ProofError::IdToken(IdTokenError::Malformed),
        ProofError::Refused,
        ProofError::ReportedErrors { code: None },
        ProofError::SubjectMissing,
        ProofError::SubjectAmbiguous,
        ProofError::TimedOut,
        ProofError::Unavailable(text()),
        ProofError::AnswerTooLarge,
        ProofError::AnswerMalformed(""),
        ProofError::NotAsDefined(text()),
        ProofError::Misconfigured(text()),
        ProofError::OutOfFiles,
    ];
    all.into_iter().map(|error| ApiError::exchange(error.into())).collect()
}

pub(super) static POOLS: Refusals = Refusals::of(&POOL, |_| {
    let region = || Region::parse("us-east-1").unwrap();
    let refused: [PoolError; 9] = [
        Missing::Identity(IdentityId::parse("us-east-1:01").unwrap()).into(),
        Invalid::TooManyLogins.into(),
        Denial::LoginsDoNotMatch.into(),
        Conflict::UserOfAnotherIdentity.into(),
        PoolError::NoUsableRole(String::new()),
        PoolError::CredentialsUnavailable(String::new()),
        PoolError::ConcurrentModification,
        StoreError::Unavailable("".into()).into(),
        StoreError::Corrupt("".into()).into(),
    ];
    let admission = [
        AdmissionError::UnusableTag(String::new()),
        AdmissionError::UnknownRegion { wanted: region(), known: Vec::new() },
        AdmissionError::TooManyAtOnce,
        AdmissionError::TooOften { retry_after: SignedDuration::from_secs(1) },
        AdmissionError::Busy { retry_after: SignedDuration::from_secs(1) },
        AdmissionError::Unavailable(String::new()),
        AdmissionError::Misconfigured(String::new()),
    ];
    let refused = refused.into_iter().map(|error| AdmissionError::Refused(error.into()));
    refused.chain(admission).map(|error| ApiError::exchange(error.into())).collect()
});

pub(super) static SESSIONS: Refusals = Refusals::of(&SESSION, |_| {
    vec![
        ApiError::refresh(RefreshError::Malformed),
        ApiError::refresh(RefreshError::OfAnotherKey),
        ApiError::dpop(dpop::ProofError::NonceWanted(String::new())),
        ApiError::session_cookie(CookieMistake::NoHeader),
    ]
});

/// A question about a session that the store does not answer.
pub(super) static STORE: Refusals = Refusals::own(|_| {
    [StoreError::Unavailable("".into()), StoreError::Corrupt("".into())].map(ApiError::session_store).into()
});

pub(super) static COOKIES: Refusals =
    Refusals::own(|_| vec![ApiError::session_cookie(CookieMistake::NoHeader)]);

pub(super) static CLIENTS: Refusals = Refusals::own(|_| vec![ApiError::unknown_client()]);

pub(super) static GRANTS: Refusals = Refusals::own(|_| {
    vec![
        ApiError::unsupported_grant_type(),
        ApiError::refresh(RefreshError::ScopeTooWide),
        ApiError::invalid_target(),
    ]
});

/// Why a device does not begin.
pub(super) static DEVICES: Refusals = Refusals::own(|_| {
    let too_many = BeginError::TooMany { retry_after: SignedDuration::from_secs(1) };
    [BeginError::NotForDevices, too_many].map(ApiError::device_begin).into()
});

/// What a device hears that asks.
pub(super) static POLLS: Refusals = Refusals::own(|_| {
    let all = [
        PollError::NotForDevices,
        PollError::Unknown,
        PollError::Pending,
        PollError::SlowDown,
        PollError::Denied,
        PollError::Expired,
        PollError::TooManyAtOnce,
    ];
    all.map(ApiError::device_poll).into()
});

/// Why somebody who signs in for a device gets no further.
pub(super) static DECISIONS: Refusals = Refusals::own(|_| {
    let retry_after = SignedDuration::from_secs(1);
    let all = [
        DecisionError::NothingWaits,
        DecisionError::TooManyWrongCodes { retry_after },
        DecisionError::TooManyAtOnce,
        DecisionError::Store(StoreError::Unavailable("".into())),
        DecisionError::Store(StoreError::Corrupt("".into())),
    ];
    let no_devices = ApiError::login_request(LoginRequestError::NoDevices);
    all.map(ApiError::device_decision).into_iter().chain([no_devices]).collect()
});

/// Forms of our own pages.
pub(super) static OWN_FORMS: Refusals = Refusals::own(|_| vec![ApiError::page_of_somebody_else()]);

/// Why nobody may act for somebody.
pub(super) static ACTORS: Refusals =
    Refusals::own(|_| [ActError::NotAnActor, ActError::OfAnotherApp].map(ApiError::acting).into());

pub(super) static APPS: Refusals = Refusals::own(|_| {
    [LoginRequestError::UnknownApp, LoginRequestError::RedirectUriNotRegistered]
        .map(ApiError::login_request)
        .into()
});

pub(super) static PROVIDERS: Refusals = Refusals::own(|_| vec![ApiError::unknown_login_provider()]);

pub(super) static REDIRECTS: Refusals =
    Refusals::own(|_| vec![ApiError::login_request(LoginRequestError::NoRedirect)]);

/// What a provider, or the person there, sent in the place of a login.
pub(super) static ANSWERS: Refusals = Refusals::own(|_| {
    let exchange = [ExchangeError::Cancelled, ExchangeError::FailedAtProvider];
    exchange.map(ApiError::exchange).into_iter().chain([ApiError::lost_login(LostLogin::Lost)]).collect()
});

pub(super) static NOT_THERE: Refusals = Refusals::own(|_| vec![ApiError::not_found()]);

pub(super) static FILES: Refusals = Refusals::own(|_| vec![ApiError::sdk_not_found("")]);

pub(super) static READINESS: Refusals = Refusals::own(|_| vec![ApiError::stopping()]);

pub(super) static METRICS: Refusals = Refusals::own(|_| vec![ApiError::metrics_token_refused()]);
