//! Credentials of the enhanced flow for any client of the SDK. The SDK for Rust brings no provider for
//! identity pools along, so an app writes this one.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_sdk_cognitoidentity::Client;

/// The key in `Logins` of the tokens that Daypass issues.
pub const ISSUED_BY_POOL: &str = "cognito-identity.amazonaws.com";

/// Asks GetCredentialsForIdentity whenever a client needs credentials.
pub struct PoolCredentials {
    pub cognito: Client,
    pub identity_id: String,
    /// The token of a login; a guest has none.
    pub token: Option<String>,
}

impl PoolCredentials {
    async fn ask(&self) -> provider::Result {
        let logins = self.token.as_ref().map(|token| [(ISSUED_BY_POOL.to_owned(), token.clone())].into());
        let request = self.cognito.get_credentials_for_identity().identity_id(&self.identity_id);
        let answer = request.set_logins(logins).send().await.map_err(CredentialsError::provider_error)?;
        let given = answer.credentials().ok_or_else(|| CredentialsError::unhandled("no credentials"))?;
        let member = |value: Option<&str>| {
            value.map(str::to_owned).ok_or_else(|| CredentialsError::unhandled("half of the credentials"))
        };
        Ok(Credentials::new(
            member(given.access_key_id())?,
            member(given.secret_key())?,
            Some(member(given.session_token())?),
            given.expiration().and_then(|time| SystemTime::try_from(*time).ok()),
            "identity pool",
        ))
    }
}

impl ProvideCredentials for PoolCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.ask())
    }
}

/// Without the token, which opens the person's folder.
impl std::fmt::Debug for PoolCredentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PoolCredentials")
            .field("identity_id", &self.identity_id)
            .finish_non_exhaustive()
    }
}
