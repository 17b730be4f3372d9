//! Why a call to Amazon Cognito came to nothing, and who can do something about it. The exceptions are those of
//! docs/reference/cognito-identity.md, 1.3, 3.5 and 9.1.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cognitoidentity::config::http::HttpResponse;
use aws_sdk_cognitoidentity::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentity::primitives::{DateTime, DateTimeFormat};
use daypass_core::broker::developer_pool::AdmissionError;
use daypass_core::ground::clock::{SignedDuration, Timestamp};
use daypass_core::ground::ids::{IdentityPoolId, Region};
use daypass_core::pool::{Conflict, Denial, Invalid, Missing, PoolError};

use super::credentials::NoCredentials;
use super::operation::Operation;
use crate::provider_http::is_out_of_files;

/// A signature is refused if the clocks differ by more (AWS: general reference, signature version 4). Smaller
/// differences are no reason.
const SKEW: SignedDuration = SignedDuration::from_mins(4);

/// What a monitoring system calls what becomes of a call that was made.
pub(super) const OUTCOMES: [&str; 7] =
    ["ok", "throttled", "disconnected", "down", "misconfigured", "unavailable", "refused"];

/// Why a call came to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// The quota of the account is used up at the moment.
    Throttled,
    /// The queue before the quota is too long.
    Busy {
        /// When it is worth coming back.
        retry_after: SignedDuration,
    },
    /// The Region was not asked: it did not answer the last requests.
    Resting(String),
    /// No connection came about, or it broke off.
    Disconnected(String),
    /// The Region does not answer as it should. Once more may help, and so may another Region.
    Down(String),
    /// Every Region would say the same, or the operator has to do something.
    Final(AdmissionError),
}

impl Failure {
    /// Whether it speaks against the Region.
    pub(super) fn is_an_outage(&self) -> bool {
        matches!(self, Self::Disconnected(_) | Self::Down(_))
    }

    /// What a monitoring system calls it.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Busy { .. } => "busy",
            Self::Resting(_) => "resting",
            Self::Disconnected(_) => "disconnected",
            Self::Down(_) => "down",
            Self::Final(AdmissionError::Misconfigured(_)) => "misconfigured",
            Self::Final(AdmissionError::Unavailable(_)) => "unavailable",
            Self::Final(_) => "refused",
        }
    }
}

impl From<PoolError> for Failure {
    fn from(error: PoolError) -> Self {
        Self::Final(error.into())
    }
}

/// A call, as far as its failure depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    pub(super) region: &'a Region,
    pub(super) pool_id: &'a IdentityPoolId,
    pub(super) developer_provider: &'a str,
    /// Whether the call named an identity, whose fault a refusal then is.
    pub(super) names_identity: bool,
}

impl Call<'_> {
    /// What an error of the SDK means.
    pub(super) fn failure<E>(&self, error: &SdkError<E>, now: Timestamp) -> Failure
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        match error {
            SdkError::ServiceError(refusal) => {
                let code = refusal.err().code().unwrap_or_default();
                // A text about the call that carries a token could repeat it.
                let repeats =
                    self.operation == Operation::GetCredentialsForIdentity || code == "ValidationException";
                let message = refusal.err().message().filter(|_| !repeats).unwrap_or(code);
                self.exception(code, message, refusal.raw(), now)
            }
            SdkError::TimeoutError(_) => Failure::Down(format!("{} did not answer in time", self.region)),
            SdkError::DispatchFailure(dispatch) => {
                let cause = dispatch.as_connector_error().and_then(Error::source);
                match credentials_error(cause) {
                    Some(error) => self.without_credentials(error),
                    // Every Region would say the same: what is short is here.
                    None if is_out_of_descriptors(cause) => Failure::Final(AdmissionError::Unavailable(
                        "no descriptor is left to ask Amazon Cognito with: raise the limit of open files (LimitNOFILE= under \
                         systemd)"
                            .to_owned(),
                    )),
                    None if dispatch.is_timeout() => {
                        Failure::Down(format!("{} did not answer in time", self.region))
                    }
                    None => Failure::Disconnected(format!("no connection to {}", self.region)),
                }
            }
            SdkError::ResponseError(answer) => {
                let status = answer.raw().status().as_u16();
                Failure::Down(format!("the answer of {}, with status {status}, makes no sense", self.region))
            }
            error => self.misconfigured(&format!("{} cannot be asked: {error}", self.operation)),
        }
    }

    fn exception(&self, code: &str, message: &str, answer: &HttpResponse, now: Timestamp) -> Failure {
        let message_is_about_pool = message.contains(self.pool_id.as_str());
        match code {
            "TooManyRequestsException" | "ThrottlingException" | "Throttling" | "RequestLimitExceeded" => {
                Failure::Throttled
            }
            "ResourceNotFoundException" if self.names_identity && !message_is_about_pool => {
                PoolError::from(Missing::Reported(message.to_owned())).into()
            }
            "ResourceNotFoundException" => self.misconfigured(&format!(
                "there is no pool {} in {} for these AWS credentials; check [[pool.region]]",
                self.pool_id, self.region
            )),
            "NotAuthorizedException" if self.names_identity || message.ends_with("is forbidden.") => {
                PoolError::from(Denial::Reported(message.to_owned())).into()
            }
            "NotAuthorizedException" => self.misconfigured(&format!("the pool {} refuses: {message}", self.pool_id)),
            "InvalidParameterException" if message.contains("developer provider") => self.misconfigured(&format!(
                "the developer provider of the pool {} is not {:?}; write its name into [pool] developer_provider",
                self.pool_id, self.developer_provider
            )),
            "InvalidParameterException" | "ValidationException" => {
                PoolError::from(Invalid::Reported(format!("The identity pool does not take this: {message}."))).into()
            }
            "ResourceConflictException" => PoolError::from(Conflict::Reported(message.to_owned())).into(),
            "DeveloperUserAlreadyRegisteredException" => PoolError::DeveloperUserAlreadyRegistered.into(),
            "ConcurrentModificationException" => PoolError::ConcurrentModification.into(),
            "LimitExceededException" => PoolError::LimitExceeded(message.to_owned()).into(),
            "InvalidIdentityPoolConfigurationException" => self.misconfigured(&format!(
                "the pool {} has no role for authenticated identities (or, if a guest was looked at, for \
                 unauthenticated ones), or the role's trust policy does not let it in: it needs \
                 sts:AssumeRoleWithWebIdentity and, for principal tags, sts:TagSession",
                self.pool_id
            )),
            "InternalErrorException" | "ExternalServiceException" => {
                Failure::Down(format!("{} answered {code}", self.region))
            }
            _ if answer.status().is_server_error() => {
                Failure::Down(format!("{} answered {}", self.region, answer.status().as_u16()))
            }
            code => self.signature(code, message, answer, now),
        }
    }

    /// What the front end says about whoever signed, or did not.
    fn signature(&self, code: &str, message: &str, answer: &HttpResponse, now: Timestamp) -> Failure {
        let region = self.region;
        let skew = answer_date(answer).map(|date| now.duration_since(date));
        match (code, skew) {
            ("AccessDeniedException", _) => self.misconfigured(&format!(
                "these AWS credentials may not call it: allow cognito-identity:{} on {} ({message})",
                self.operation,
                self.pool_arn(message)
            )),
            (
                "InvalidSignatureException" | "SignatureDoesNotMatch" | "RequestTimeTooSkewed" | "ExpiredTokenException",
                Some(skew),
            ) if skew.abs() > SKEW => {
                let (minutes, way) =
                    (skew.abs().as_mins(), if skew.is_negative() { "behind" } else { "ahead of" });
                self.misconfigured(&format!(
                    "the clock is off by {minutes} minutes: it is {way} Amazon's; set it, and keep it set with NTP"
                ))
            }
            ("InvalidSignatureException" | "SignatureDoesNotMatch" | "IncompleteSignatureException", _) => {
                self.misconfigured("the AWS secret access key does not belong to its access key ID")
            }
            ("UnrecognizedClientException" | "InvalidClientTokenId", _) => self.misconfigured(&format!(
                "the AWS credentials are unknown in {region}: the key was deleted, or the Region is not enabled for \
                 the account"
            )),
            ("ExpiredTokenException" | "ExpiredToken", _) => {
                self.misconfigured(&NoCredentials::Expired.to_string())
            }
            ("MissingAuthenticationTokenException" | "MissingAuthenticationToken", _) => {
                self.misconfigured("the AWS credentials were not used: something between here and Amazon takes the \
                                    Authorization header away")
            }
            (code, _) => Failure::Final(AdmissionError::Unavailable(format!(
                "{} in {region} answered {} {code}",
                self.operation,
                answer.status().as_u16()
            ))),
        }
    }

    fn without_credentials(&self, error: &CredentialsError) -> Failure {
        match NoCredentials::of(error) {
            NoCredentials::Now => Failure::Final(AdmissionError::Unavailable(NoCredentials::Now.to_string())),
            missing => self.misconfigured(&missing.to_string()),
        }
    }

    fn misconfigured(&self, text: &str) -> Failure {
        Failure::Final(AdmissionError::Misconfigured(format!(
            "{} in {}: {text}",
            self.operation, self.region
        )))
    }

    /// The ARN of the pool for a policy. The account is that of the ARN in a refusal, which is ours.
    fn pool_arn(&self, message: &str) -> String {
        let region = self.region.as_str();
        let partition = match region {
            _ if region.starts_with("cn-") => "aws-cn",
            _ if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        let account = message.split(':').find(|part| is_account(part)).unwrap_or("*");
        format!("arn:{partition}:cognito-identity:{region}:{account}:identitypool/{}", self.pool_id)
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn credentials_error<'a>(mut cause: Option<&'a (dyn Error + 'static)>) -> Option<&'a CredentialsError> {
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

fn is_out_of_descriptors(mut cause: Option<&(dyn Error + 'static)>) -> bool {
    while let Some(error) = cause {
        if error.downcast_ref().is_some_and(is_out_of_files) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn answer_date(answer: &HttpResponse) -> Option<Timestamp> {
    let date = DateTime::from_str(answer.headers().get("date")?, DateTimeFormat::HttpDate).ok()?;
    Timestamp::from_second(date.secs()).ok()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentity::error::ConnectorError;
    use aws_sdk_cognitoidentity::operation::get_open_id_token_for_developer_identity::GetOpenIdTokenForDeveloperIdentityError;

    use super::*;

    fn failure(connector: std::io::Error) -> Failure {
        let (region, pool_id) =
            (Region::parse("us-east-1").unwrap(), "us-east-1:d56f0c4d-0000-4000-8000-000000000000");
        let call = Call {
            operation: Operation::GetOpenIdTokenForDeveloperIdentity,
            region: &region,
            pool_id: &IdentityPoolId::parse(pool_id).unwrap(),
            developer_provider: "login.example.com",
            names_identity: false,
        };
        let error = SdkError::<GetOpenIdTokenForDeveloperIdentityError>::dispatch_failure(
            ConnectorError::io(Box::new(connector)),
        );
        call.failure(&error, Timestamp::from_second(1_790_000_000).unwrap())
    }

    #[test]
    fn descriptors_that_are_used_up_speak_against_no_region() {
        for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE] {
            let failure = failure(std::io::Error::from_raw_os_error(errno.raw_os_error()));
            assert!(!failure.is_an_outage());
            let Failure::Final(AdmissionError::Unavailable(text)) = failure else { panic!("{failure:?}") };
            assert!(text.contains("LimitNOFILE"), "the operator is told the cure: {text}");
        }
        assert!(failure(std::io::ErrorKind::ConnectionRefused.into()).is_an_outage());
    }
}
