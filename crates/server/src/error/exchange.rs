//! `/v1/exchange`, `/v1/link`, `/oauth2/token` and the hosted login: why a login came to nothing.

use axum::http::StatusCode;
use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::broker::exchange::ExchangeError;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::provider::ProofError;
use daypass_core::login::public::PublicLoginError;
use daypass_core::pool::PoolError;

use super::problem::{SERVER_BUSY, TOO_MANY_REQUESTS};
use super::{ApiError, Meaning, sentence};

/// The operator has to mend the pool, or the STS that gives its credentials.
const POOL_MISCONFIGURED: &str = "identity_pool_misconfigured";
/// The operator has to mend what is configured of the provider.
const PROVIDER_NOT_AS_DEFINED: &str = "provider_not_as_defined";
/// The pool does not do it now.
const POOL_UNAVAILABLE: &str = "identity_pool_unavailable";

impl ApiError {
    /// Why an exchange came to nothing.
    #[must_use]
    pub fn exchange(error: ExchangeError) -> Self {
        match error {
            ExchangeError::UnknownApp => Self::unknown_client(),
            ExchangeError::UnknownProvider => Self::bad_request(
                "unknown_provider",
                "There is no such provider. GET /v1/providers lists them.",
            ),
            ExchangeError::RedirectUriNotRegistered => Self::bad_request(
                "redirect_uri_not_registered",
                "The redirect_uri is not registered. Add it to `redirect_uris` of its [[app]].",
            ),
            ExchangeError::TokenDurationTooLong { max } => Self::bad_request(
                "token_duration_too_long",
                format!(
                    "A token may live for {} seconds at most. Ask for less; the operator sets the limit with `[pool] \
                     max_token_duration`.",
                    max.as_secs()
                ),
            ),
            ExchangeError::LoginCodeRefused => Self::unauthorized(
                "login_code_refused",
                "The one-time code is refused: it is spent, older than 60 seconds, or does not belong to this app, \
                 redirect_uri and code_verifier.",
            ),
            ExchangeError::Cancelled => Self::new(
                StatusCode::FORBIDDEN,
                Meaning::Cancelled,
                "login_denied",
                "The sign-in was cancelled at the provider.",
            ),
            ExchangeError::FailedAtProvider => {
                bad_gateway("provider_reported_error", "The provider could not sign the person in.")
            }
            ExchangeError::Proof(error) => proof(&error),
            ExchangeError::Admission(error) => admission(error),
        }
    }
}

fn proof(error: &ProofError) -> ApiError {
    match error {
        ProofError::UnboundAccessToken => ApiError::unauthorized(
            "unbound_access_token",
            "A bare access token does not show which app it was issued to. Send a code with its code_verifier, \
             or have the operator set accept_unbound_access_tokens for this provider.",
        ),
        ProofError::KindNotAccepted(kind) => ApiError::unauthorized(
            "proof_kind_not_accepted",
            format!("This provider takes no {kind}. `accepts` in GET /v1/providers says what it takes."),
        ),
        ProofError::AnotherClient => ApiError::unauthorized(
            "proof_of_another_app",
            "The proof was issued to another client. Sign in with this app's own; if it is that of your phone app, the \
             operator adds it to other_client_ids of this provider.",
        ),
        ProofError::TwoPeople => ApiError::unauthorized(
            "proof_of_two_people",
            "The provider names two people for this token. Sign in anew.",
        ),
        ProofError::VerifierMissing => ApiError::malformed_request(
            "This provider's codes come with the code_verifier whose challenge started the login.",
        ),
        ProofError::NonceMissing => ApiError::malformed_request(
            "The login was started with a nonce, which comes with the proof: send `nonce`. If the app's SDK keeps it to \
             itself, the operator can write id_token.nonce = \"none\" for this provider.",
        ),
        ProofError::IdToken(reason) => {
            ApiError::unauthorized("id_token_refused", format!("The ID token is refused: {reason}."))
        }
        ProofError::Refused => ApiError::unauthorized(
            "proof_refused",
            "The provider refused the proof: it is spent, expired, revoked, was issued to another app, or does not \
             belong to this code_verifier and redirect_uri.",
        ),
        ProofError::ReportedErrors { .. } => ApiError::unauthorized(
            "provider_reported_error",
            "The provider answered with an error in place of a profile.",
        )
        .because(error),
        ProofError::SubjectMissing => ApiError::new(
            StatusCode::UNAUTHORIZED,
            Meaning::NotShared,
            "subject_missing",
            "The provider named no external ID. Ask for its scope, and let the person share it.",
        ),
        ProofError::SubjectAmbiguous => ApiError::unauthorized(
            "subject_ambiguous",
            "The external ID holds a colon and cannot be a user identifier by itself. The operator has to leave \
             `identifier` out for this provider.",
        ),
        ProofError::TimedOut => {
            ApiError::unavailable("provider_timeout", "The provider did not answer in time.")
        }
        ProofError::Unavailable(_) => {
            ApiError::unavailable("provider_unavailable", "The provider is unavailable.").because(error)
        }
        ProofError::OutOfFiles => ApiError::unavailable(
            SERVER_BUSY,
            "This server has no connection left to ask the provider with. Try again.",
        )
        .because(error),
        ProofError::AnswerTooLarge => {
            bad_gateway("provider_answer_too_large", "The provider's answer is too large.")
        }
        ProofError::AnswerMalformed(_) => {
            bad_gateway("provider_answer_malformed", "The provider's answer makes no sense.").because(error)
        }
        ProofError::NotAsDefined(_) => bad_gateway(
            PROVIDER_NOT_AS_DEFINED,
            "The provider is not what this server's configuration says. The operator finds in the log what was found.",
        )
        .because(error),
        ProofError::Misconfigured(_) => ApiError::internal(
            "provider_misconfigured",
            "This server's client at the provider is not set up. The operator finds the reason in the log.",
        )
        .because(error),
    }
}

fn admission(error: AdmissionError) -> ApiError {
    let message = error.to_string();
    match error {
        AdmissionError::Refused(error) => pool(&error),
        AdmissionError::UnusableTag(why) => {
            ApiError::unauthorized("principal_tag_refused", format!("This login makes no session tag. {why}"))
        }
        AdmissionError::UnknownRegion { .. } => ApiError::bad_request("unknown_region", message),
        AdmissionError::TooManyAtOnce => too_many_at_once(),
        AdmissionError::TooOften { retry_after } => {
            let detail = "This person has signed in too often. Try again after Retry-After.";
            ApiError::new(StatusCode::TOO_MANY_REQUESTS, Meaning::TooManyAtOnce, TOO_MANY_REQUESTS, detail)
                .after(retry_after)
        }
        AdmissionError::Busy { retry_after } => {
            let detail = "More people sign in than the identity pool lets through. Try again.";
            ApiError::unavailable("identity_pool_busy", detail).after(retry_after)
        }
        AdmissionError::Unavailable(_) => {
            let detail = "The identity pool is unavailable. Try again.";
            ApiError::unavailable(POOL_UNAVAILABLE, detail).because(message)
        }
        AdmissionError::Misconfigured(_) => ApiError::internal(
            POOL_MISCONFIGURED,
            "The identity pool is misconfigured; the operator's log says how.",
        )
        .because(message),
    }
}

fn bad_gateway(code: &'static str, message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_GATEWAY, Meaning::Broken, code, message)
}

fn too_many_at_once() -> ApiError {
    let detail =
        "Several requests of this person are being served already. Wait for their answers, and try again.";
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, Meaning::TooManyAtOnce, "too_many_at_once", detail)
        .after(SignedDuration::from_secs(1))
}

/// Why the identity pool refuses: the embedded one, or, where the words are reported, Amazon's.
fn pool(error: &PoolError) -> ApiError {
    match error {
        PoolError::NotFound(missing) => ApiError::bad_request("unknown_identity", sentence(missing)),
        PoolError::Invalid(invalid) => ApiError::bad_request("malformed_request", sentence(invalid)),
        PoolError::NotAuthorized(denial) => ApiError::unauthorized("identity_refused", sentence(denial)),
        PoolError::Login(error) => public_login(error),
        PoolError::Conflict(conflict) => of_another_identity(sentence(conflict)),
        PoolError::DeveloperUserAlreadyRegistered => of_another_identity(sentence(error)),
        PoolError::NoUsableRole(cause) | PoolError::CredentialsMisconfigured(cause) => {
            ApiError::internal(POOL_MISCONFIGURED, sentence(error)).because(cause)
        }
        PoolError::CredentialsUnavailable(cause) => {
            let detail = "The STS that gives credentials for this identity pool is unavailable. Try again.";
            ApiError::unavailable("credentials_unavailable", detail).because(cause)
        }
        PoolError::TooManyAtOnce => too_many_at_once(),
        PoolError::LimitExceeded(_) | PoolError::ConcurrentModification => {
            ApiError::unavailable(POOL_UNAVAILABLE, sentence(error))
        }
        PoolError::Store(error) => ApiError::store(error),
    }
}

fn of_another_identity(message: String) -> ApiError {
    let code = "login_belongs_to_another_identity";
    ApiError::new(StatusCode::CONFLICT, Meaning::NotBelieved, code, message)
}

fn public_login(error: &PublicLoginError) -> ApiError {
    match error {
        PublicLoginError::UnsupportedProvider
        | PublicLoginError::Malformed
        | PublicLoginError::MissingClaim(_)
        | PublicLoginError::IssuerMismatch
        | PublicLoginError::BadSignature
        | PublicLoginError::Expired { .. }
        | PublicLoginError::NotYetValid { .. }
        | PublicLoginError::Refused => ApiError::unauthorized("identity_refused", sentence(error)),
        PublicLoginError::Unverifiable(_) => ApiError::bad_request("malformed_request", sentence(error)),
        PublicLoginError::Unavailable { reason, .. } => {
            ApiError::unavailable(POOL_UNAVAILABLE, sentence(error)).because(reason)
        }
        PublicLoginError::NotAsDefined { reason, .. } => {
            bad_gateway(PROVIDER_NOT_AS_DEFINED, &sentence(error)).because(reason)
        }
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::audit::Reason;
    use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
    use daypass_core::pool::{Conflict, Denial, Invalid, Missing};
    use daypass_core::token::openid_token::TokenError;

    use super::*;

    /// Each refusal of the embedded pool, by the names of its own.
    fn refusals() -> Vec<PoolError> {
        let identity = || IdentityId::parse("us-east-1:01").unwrap();
        let expired = TokenError::Expired { now: 2, expired_at: 1 };
        let tokens = [TokenError::Malformed, TokenError::BadSignature, TokenError::WrongIssuer, expired];
        let mut refusals: Vec<PoolError> = vec![
            Missing::Pool(IdentityPoolId::parse("us-east-1:02").unwrap()).into(),
            Missing::Identity(identity()).into(),
            Missing::DeveloperUser.into(),
            Missing::LoginToRemove.into(),
            Denial::Forbidden(identity()).into(),
            Denial::LoginsDoNotMatch.into(),
            Denial::NoGuests.into(),
            Denial::OwnToken.into(),
            Denial::UnsupportedProvider.into(),
            Denial::WrongProvider.into(),
            Denial::CustomRole.into(),
            Denial::NoRole.into(),
            Invalid::NoPublicProvider.into(),
            Invalid::UnsupportedDeveloperProvider.into(),
            Invalid::ClassicFlowDisabled.into(),
            Invalid::ClassicFlowWithMappings.into(),
            Invalid::TooManyLogins.into(),
            Invalid::NextToken.into(),
            Conflict::UserOfAnotherIdentity.into(),
            Conflict::TwoUsersOfOneProvider.into(),
            PublicLoginError::UnsupportedProvider.into(),
            PublicLoginError::Malformed.into(),
            PublicLoginError::MissingClaim("aud").into(),
            PublicLoginError::IssuerMismatch.into(),
            PublicLoginError::BadSignature.into(),
            PublicLoginError::Refused.into(),
            PoolError::DeveloperUserAlreadyRegistered,
            PoolError::ConcurrentModification,
            PoolError::NoUsableRole("ours".into()),
            PoolError::CredentialsMisconfigured("ours".into()),
            PoolError::CredentialsUnavailable("ours".into()),
            PoolError::TooManyAtOnce,
        ];
        refusals.extend(tokens.map(PoolError::from));
        refusals
    }

    #[test]
    fn the_embedded_pool_is_not_called_by_the_name_of_another() {
        for error in refusals() {
            let told = pool(&error);
            assert!(!told.message.to_lowercase().contains("cognito"), "{}", told.message);
            assert!(told.message.ends_with('.') && told.message.starts_with(char::is_uppercase), "{told:?}");
        }
    }

    /// No retry mends a definition, so no client is told to try again.
    #[test]
    fn a_lasting_mistake_about_a_provider_is_told_alike_wherever_it_is_found() {
        let provider = || "accounts.example.com".to_owned();
        let found = || "status 404".to_owned();
        let login = PublicLoginError::NotAsDefined { provider: provider(), reason: found() };
        let outage = PublicLoginError::Unavailable { provider: provider(), reason: found() };
        assert!(pool(&outage.into()).retry_after.is_some());
        for told in [proof(&ProofError::NotAsDefined(found())), pool(&login.into())] {
            let expected = (StatusCode::BAD_GATEWAY, PROVIDER_NOT_AS_DEFINED, Meaning::Broken, None);
            assert_eq!((told.status, told.code, told.meaning, told.retry_after), expected);
            assert!(!told.message.contains("404") && format!("{told:?}").contains("404"), "{told:?}");
        }
    }

    /// Alarms and searches hang on it.
    #[test]
    fn a_reason_in_the_audit_trail_is_a_short_code() {
        for error in refusals() {
            let reason = error.reason();
            assert!(reason.len() <= 40, "{reason}");
            assert!(reason.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{reason}");
        }
    }

    #[test]
    fn where_there_is_a_code_of_the_api_the_audit_trail_has_the_same() {
        for error in [
            ProofError::UnboundAccessToken,
            ProofError::AnotherClient,
            ProofError::TwoPeople,
            ProofError::Refused,
            ProofError::ReportedErrors { code: None },
            ProofError::SubjectMissing,
            ProofError::SubjectAmbiguous,
            ProofError::TimedOut,
            ProofError::Unavailable(String::new()),
            ProofError::OutOfFiles,
            ProofError::AnswerTooLarge,
            ProofError::AnswerMalformed(""),
            ProofError::NotAsDefined(String::new()),
            ProofError::Misconfigured(String::new()),
        ] {
            assert_eq!(proof(&error).code, error.reason());
        }
        for error in [
            ExchangeError::UnknownApp,
            ExchangeError::UnknownProvider,
            ExchangeError::RedirectUriNotRegistered,
            ExchangeError::LoginCodeRefused,
            ExchangeError::TokenDurationTooLong { max: SignedDuration::from_secs(1) },
            ExchangeError::Cancelled,
            ExchangeError::FailedAtProvider,
            AdmissionError::UnusableTag(String::new()).into(),
            AdmissionError::TooManyAtOnce.into(),
            AdmissionError::TooOften { retry_after: SignedDuration::from_secs(1) }.into(),
            AdmissionError::Busy { retry_after: SignedDuration::from_secs(1) }.into(),
            AdmissionError::Unavailable(String::new()).into(),
            AdmissionError::Misconfigured(String::new()).into(),
        ] {
            let reason = error.reason();
            assert_eq!(ApiError::exchange(error).code, reason);
        }
    }
}
