//! The clients of the SDK, pointed at a Daypass. Not one of them is told more than a user would tell it: an
//! endpoint, or the written profile.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};

use crate::login::Person;
use crate::pool_credentials::PoolCredentials;
use crate::server::Daypass;

/// An SDK that tries again would hide an answer that it should not have got.
fn once() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).retry_config(RetryConfig::disabled())
}

/// For clients without any credentials, such as a phone holds before it is logged in.
async fn anonymous(daypass: &Daypass) -> SdkConfig {
    let region = Region::new(daypass.says("region").to_owned());
    once().region(region).endpoint_url(daypass.says("server_url")).no_credentials().load().await
}

/// For clients that take key, Region and endpoint from the profile that `up` wrote. An app leaves the files
/// to the environment: `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `AWS_PROFILE`.
pub async fn developer(daypass: &Daypass) -> SdkConfig {
    let files = EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Config, daypass.says("aws_config_file"))
        .with_file(EnvConfigFileKind::Credentials, daypass.says("aws_shared_credentials_file"));
    once().profile_files(files.build()).profile_name(daypass.says("aws_profile")).load().await
}

pub async fn cognito(daypass: &Daypass) -> aws_sdk_cognitoidentity::Client {
    aws_sdk_cognitoidentity::Client::new(&anonymous(daypass).await)
}

pub async fn sts(daypass: &Daypass) -> aws_sdk_sts::Client {
    aws_sdk_sts::Client::new(&anonymous(daypass).await)
}

/// The credentials of somebody who logged in.
pub async fn credentials_of(daypass: &Daypass, person: &Person) -> PoolCredentials {
    PoolCredentials {
        cognito: cognito(daypass).await,
        identity_id: person.identity_id.clone(),
        token: Some(person.token.clone()),
    }
}

/// S3 with temporary credentials.
pub fn s3(daypass: &Daypass, credentials: impl ProvideCredentials + 'static) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3_config(daypass, credentials).build())
}

pub fn s3_config(
    daypass: &Daypass,
    credentials: impl ProvideCredentials + 'static,
) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .retry_config(RetryConfig::disabled())
        .region(Region::new(daypass.says("region").to_owned()))
        .endpoint_url(daypass.says("s3_url"))
        .force_path_style(true)
        .credentials_provider(credentials)
}
