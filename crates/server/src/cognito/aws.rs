//! The AWS SDK, set up so that whatever is decided about waiting and trying again is decided here.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_cognitoidentity::Client;
use aws_sdk_cognitoidentity::config::{BehaviorVersion, Builder, Region};
use aws_smithy_async::time::TimeSource;
use daypass_core::ground::clock::Clock;

use crate::config::RegionConfig;

/// A Region has so long to accept a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// A Region has so long to answer, with the connection and the search for our own credentials.
const ANSWER_LIMIT: Duration = Duration::from_secs(4);

/// The environment's account and settings, by the rules that all AWS SDKs have in common.
pub async fn config_of_environment(region: &daypass_core::ground::ids::Region) -> SdkConfig {
    let region = Region::new(region.to_string());
    // In a box, because it is large and everything that waits for it would be.
    Box::pin(aws_config::defaults(BehaviorVersion::latest()).region(region).load()).await
}

/// The client of one Region.
pub(super) fn client(aws: &SdkConfig, region: &RegionConfig, clock: Arc<dyn Clock>) -> Client {
    let limits =
        TimeoutConfig::builder().connect_timeout(CONNECT_LIMIT).operation_timeout(ANSWER_LIMIT).build();
    let mut config = Builder::from(aws)
        .region(Region::new(region.region.to_string()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(limits)
        .time_source(SdkClock(clock))
        // A clock that is off makes more than signatures wrong, so it is to be seen and set.
        .disable_clock_skew_correction(true);
    if let Some(url) = &region.endpoint_url {
        config = config.endpoint_url(url);
    }
    Client::from_conf(config.build())
}

/// Our clock, for signatures.
struct SdkClock(Arc<dyn Clock>);

impl TimeSource for SdkClock {
    fn now(&self) -> SystemTime {
        self.0.now().into()
    }
}

impl std::fmt::Debug for SdkClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SdkClock")
    }
}
