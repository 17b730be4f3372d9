//! A session as the SDK for Rust asks for credentials.

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use crate::daypass::Daypass;

impl ProvideCredentials for Daypass {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let session = self.session().await.map_err(CredentialsError::provider_error)?;
            Ok(session.credentials())
        })
    }

    /// What was handed out last, as long as it is good: the SDK takes it when a refresh lasts too long.
    fn fallback_on_interrupt(&self) -> Option<Credentials> {
        self.last_credentials()
    }
}
