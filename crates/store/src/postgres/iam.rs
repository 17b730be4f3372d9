//! Tokens of IAM in the place of a password: a request to the database that is signed and never sent. It counts for a quarter of an
//! hour, and only while a connection is made, so each connection has its own. Sources: "IAM database authentication" in the Amazon RDS
//! User Guide, "Generating an authentication token" in the Amazon Aurora DSQL User Guide; both want what botocore makes.

use std::error::Error as StdError;
use std::iter;
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningError, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use daypass_core::ground::secret::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::dialect::PostgresDialect;
use super::url::{IamUser, PostgresUrl};

/// A token counts for so long.
const LIFE: Duration = Duration::from_mins(15);

/// Credentials are asked for again so long before they end, and those without an end so often.
const SPARE: Duration = Duration::from_mins(5);
const WITHOUT_END: Duration = Duration::from_mins(15);

/// So long whoever gives them is waited for while those of before still count: a connection has three seconds in all. And so much
/// later they are asked again.
const FETCHING: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_secs(30);

/// All but what RFC 3986 leaves unreserved.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

const CREDENTIALS_CURE: &str = "there are no AWS credentials to sign a token of IAM with; on Lambda, EC2 and in containers the \
                                role gives them, elsewhere the environment or AWS's own configuration files";

/// Why there is no token. Nothing of it is a secret.
#[derive(Debug, thiserror::Error)]
pub enum IamError {
    /// Nobody says for which Region to sign.
    #[error("no AWS Region is set: write `region=REGION` behind the ? of the URL, or set AWS_REGION")]
    NoRegion,
    /// Nobody has credentials.
    #[error("{CREDENTIALS_CURE} (AWS: {0})")]
    NoCredentials(String),
    /// What is to be signed is no request.
    #[error("a token of IAM cannot be signed: {0}; host and user of the URL are not what AWS has")]
    Unsigned(String),
}

impl From<CredentialsError> for IamError {
    fn from(error: CredentialsError) -> Self {
        let causes = iter::successors(Some(&error as &dyn StdError), |error| (*error).source());
        Self::NoCredentials(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

impl From<SigningError> for IamError {
    fn from(error: SigningError) -> Self {
        Self::Unsigned(error.to_string())
    }
}

/// Makes tokens for one user of one database.
pub(super) struct Tokens {
    request: Request,
    region: String,
    provider: SharedCredentialsProvider,
    credentials: Mutex<Option<Kept>>,
}

/// What is signed: for which service, and the URL.
struct Request {
    service: &'static str,
    url: String,
}

/// Credentials, and until when nobody is asked for others.
struct Kept {
    credentials: Credentials,
    until: SystemTime,
}

impl Tokens {
    /// Those that a URL asks for, if it does. Credentials, and the Region if no name says it, are what `aws` has, or AWS SDKs find.
    pub(super) async fn of(url: &PostgresUrl, aws: Option<SdkConfig>) -> Result<Option<Self>, IamError> {
        let Some(user) = url.iam_user() else { return Ok(None) };
        let aws = if let Some(aws) = aws { aws } else { of_the_environment(url).await };
        let region = url.region().or(aws.region().map(AsRef::as_ref)).ok_or(IamError::NoRegion)?.to_owned();
        let provider = aws.credentials_provider();
        let provider = provider.ok_or_else(|| IamError::NoCredentials("no provider".into()))?;
        let request = Request::of(&user, url.dialect());
        Ok(Some(Self { request, region, provider, credentials: Mutex::default() }))
    }

    pub(super) async fn token(&self, now: SystemTime) -> Result<Secret, IamError> {
        let credentials = self.credentials(now).await?;
        Ok(Secret::new(self.request.sign(credentials, &self.region, now)?))
    }

    /// Whoever has others that count still does not wait until there is no time left to connect.
    async fn fetch(&self, has_others: bool) -> Result<Credentials, IamError> {
        let fetching = self.provider.provide_credentials();
        if !has_others {
            return Ok(fetching.await?);
        }
        let fetched = timeout(FETCHING, fetching).await;
        fetched.map_err(|_| IamError::NoCredentials("no answer in time".into()))?.map_err(Into::into)
    }

    async fn credentials(&self, now: SystemTime) -> Result<Credentials, IamError> {
        let mut kept = self.credentials.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| now < kept.until) {
            return Ok(kept.credentials.clone());
        }
        let counts = |credentials: &Credentials| credentials.expiry().is_some_and(|end| now < end);
        // Whoever waits for this may be gone before it is done.
        let of_before = kept.as_ref().map(|kept| kept.credentials.clone()).filter(counts);
        let (credentials, until) = match (self.fetch(of_before.is_some()).await, of_before) {
            (Ok(credentials), _) => {
                let until = credentials.expiry().map_or(now + WITHOUT_END, |end| end - SPARE);
                (credentials, until)
            }
            // Others may be had later.
            (Err(_), Some(credentials)) => {
                let until = credentials.expiry().map_or(now, |end| end.min(now + AGAIN));
                (credentials, until)
            }
            (Err(error), None) => return Err(error),
        };
        *kept = Some(Kept { credentials: credentials.clone(), until });
        Ok(credentials)
    }
}

async fn of_the_environment(url: &PostgresUrl) -> SdkConfig {
    let mut aws = aws_config::defaults(BehaviorVersion::latest());
    if let Some(region) = url.region() {
        aws = aws.region(Region::new(region.to_owned()));
    }
    aws.load().await
}

impl Request {
    fn of(user: &IamUser, dialect: PostgresDialect) -> Self {
        let &IamUser { name, host, port } = user;
        match dialect {
            PostgresDialect::Postgresql => {
                let name = utf8_percent_encode(name, ENCODED);
                let url = format!("https://{host}:{port}/?Action=connect&DBUser={name}");
                Self { service: "rds-db", url }
            }
            PostgresDialect::Dsql => {
                let action = if name == "admin" { "DbConnectAdmin" } else { "DbConnect" };
                Self { service: "dsql", url: format!("https://{host}/?Action={action}") }
            }
        }
    }

    fn sign(&self, credentials: Credentials, region: &str, now: SystemTime) -> Result<String, IamError> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(LIFE);
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(self.service)
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| IamError::Unsigned(error.to_string()))?
            .into();
        let request = SignableRequest::new("GET", &self.url, std::iter::empty(), SignableBody::Bytes(&[]))?;
        let (signed, _) = sign(request, &parameters)?.into_parts();
        let mut token = self.url.trim_start_matches("https://").to_owned();
        for (name, value) in signed.params() {
            token.push('&');
            token.push_str(name);
            token.push('=');
            token.extend(utf8_percent_encode(value, ENCODED));
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex as StdMutex;

    use aws_credential_types::provider::future::ProvideCredentials as Provided;
    use daypass_core::ground::clock::Timestamp;

    use super::*;

    const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const SESSION: &str = "AQoDYXdzEPT//////////wEXAMPLE+tc764/=";

    fn at(instant: &str) -> SystemTime {
        instant.parse::<Timestamp>().unwrap().into()
    }

    fn aws(session: Option<&str>) -> SdkConfig {
        let credentials = Credentials::new("AKIDEXAMPLE", KEY, session.map(str::to_owned), None, "test");
        SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build()
    }

    fn url(url: &str) -> PostgresUrl {
        PostgresUrl::try_from(url.to_owned()).unwrap().by_iam()
    }

    /// A query's parameters may stand in any order.
    fn parts(token: &str) -> Vec<&str> {
        let mut parts: Vec<&str> = token.split(['?', '&']).collect();
        parts.sort_unstable();
        parts
    }

    /// What botocore 1.44.5 makes of the same, with its clock stopped: `generate_db_auth_token` of its `rds`, and
    /// `generate_db_connect_auth_token` and `generate_db_connect_admin_auth_token` of its `dsql`.
    #[tokio::test]
    async fn a_token_is_what_botocore_makes() {
        let rds = "postgres://daypass%20user%2F%C3%B6@db.abc123.eu-west-1.rds.amazonaws.com/daypass";
        let dsql = "postgres://daypass@abc.dsql.eu-west-1.on.aws/postgres";
        let admin = "postgres://admin@abc.dsql.eu-west-1.on.aws/postgres";
        for (place, session, head, service, signature) in [
            (
                rds,
                None,
                "db.abc123.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=daypass%20user%2F%C3%B6",
                "rds-db",
                "122aeb5a9aeb53124de51a61e302a85419f0a5472af2abfe4f7dccfeb0a20d0f",
            ),
            (
                rds,
                Some(SESSION),
                "db.abc123.eu-west-1.rds.amazonaws.com:5432/?Action=connect&DBUser=daypass%20user%2F%C3%B6",
                "rds-db",
                "1100ceea1715f7b86bf07a180d2c2e459d57e83b904f9c92dcc22e060095ecab",
            ),
            (
                dsql,
                None,
                "abc.dsql.eu-west-1.on.aws/?Action=DbConnect",
                "dsql",
                "527a10f8ea1e003aa0ee9e17d1bc8838383312968976d6acf08dda5a73b77886",
            ),
            (
                admin,
                Some(SESSION),
                "abc.dsql.eu-west-1.on.aws/?Action=DbConnectAdmin",
                "dsql",
                "a197f1895ba8e40a8beed5e8844648d4f00ed6839fddb4c6833099c72547bf79",
            ),
        ] {
            let tokens = Tokens::of(&url(place), Some(aws(session))).await.unwrap().unwrap();
            let token = tokens.token(at("2026-11-30T08:00:00Z")).await.unwrap();
            let session = session.map_or_else(String::new, |_| {
                "&X-Amz-Security-Token=AQoDYXdzEPT%2F%2F%2F%2F%2F%2F%2F%2F%2F%2FwEXAMPLE%2Btc764%2F%3D".into()
            });
            let expected = format!(
                "{head}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261130%2Feu-west-1%2F{service}\
                 %2Faws4_request&X-Amz-Date=20261130T080000Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host{session}\
                 &X-Amz-Signature={signature}"
            );
            assert_eq!(parts(token.expose()), parts(&expected));
            assert!(token.expose().starts_with(head), "{}", token.expose());
        }
    }

    #[tokio::test]
    async fn a_region_is_said_by_the_url_or_the_host_or_the_environment() {
        let region = async |place: &str, aws: SdkConfig| {
            Tokens::of(&url(place), Some(aws)).await.map(|tokens| tokens.unwrap().region)
        };
        let from_here = |region| aws(None).into_builder().region(Region::new(region)).build();
        let (rds, other) =
            ("postgres://ada@db.abc.eu-west-1.rds.amazonaws.com/d", "postgres://ada@db.example/d");
        assert_eq!(region(rds, from_here("us-east-1")).await.unwrap(), "eu-west-1");
        assert_eq!(
            region(&format!("{rds}?region=eu-west-2"), from_here("us-east-1")).await.unwrap(),
            "eu-west-2"
        );
        assert_eq!(region(other, from_here("us-east-1")).await.unwrap(), "us-east-1");
        let nowhere = region(other, aws(None)).await.unwrap_err();
        assert!(matches!(nowhere, IamError::NoRegion), "{nowhere}");
        let nobody = region(rds, SdkConfig::builder().build()).await.unwrap_err();
        assert!(nobody.to_string().contains("no AWS credentials"), "{nobody}");
    }

    #[tokio::test]
    async fn without_iam_there_are_no_tokens() {
        let url = PostgresUrl::try_from("postgres://ada@db.example/d".to_owned()).unwrap();
        assert!(Tokens::of(&url, None).await.unwrap().is_none());
    }

    /// Answers what it is given, one after the other, and then nothing.
    #[derive(Debug, Clone)]
    struct Given(Arc<StdMutex<Vec<Credentials>>>);

    impl ProvideCredentials for Given {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            let next = self.0.lock().unwrap().pop();
            Provided::ready(next.ok_or_else(|| CredentialsError::not_loaded("none is left")))
        }
    }

    #[tokio::test]
    async fn credentials_are_kept_until_shortly_before_they_end_and_to_their_end_if_there_are_no_others() {
        let until = |id: &str, end: &str| Credentials::new(id, KEY, None, Some(at(end)), "test");
        let given = vec![until("SECOND", "2026-11-30T10:00:00Z"), until("FIRST", "2026-11-30T09:00:00Z")];
        let given = Given(Arc::new(StdMutex::new(given)));
        let aws =
            SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(given.clone())).build();
        let place = url("postgres://ada@abc.dsql.eu-west-1.on.aws/postgres");
        let tokens = Tokens::of(&place, Some(aws)).await.unwrap().unwrap();
        for (now, id) in [
            ("2026-11-30T08:00:00Z", "FIRST"),
            ("2026-11-30T08:54:59Z", "FIRST"),
            ("2026-11-30T08:55:00Z", "SECOND"),
            ("2026-11-30T09:54:59Z", "SECOND"),
            ("2026-11-30T09:55:00Z", "SECOND"),
            ("2026-11-30T09:59:59Z", "SECOND"),
        ] {
            let token = tokens.token(at(now)).await.unwrap();
            assert!(token.expose().contains(&format!("X-Amz-Credential={id}%2F")), "{now}");
        }
        let over = tokens.token(at("2026-11-30T10:00:00Z")).await.unwrap_err();
        assert!(over.to_string().contains("no AWS credentials"), "{over}");
        given.0.lock().unwrap().push(until("THIRD", "2026-11-30T12:00:00Z"));
        let token = tokens.token(at("2026-11-30T10:00:00Z")).await.unwrap();
        assert!(token.expose().contains("=THIRD%2F"));
    }

    /// Gives some once, and leaves whoever asks again without an answer.
    #[derive(Debug)]
    struct Silent(StdMutex<Option<Credentials>>);

    impl ProvideCredentials for Silent {
        fn provide_credentials<'a>(&'a self) -> Provided<'a>
        where
            Self: 'a,
        {
            match self.0.lock().unwrap().take() {
                Some(credentials) => Provided::ready(Ok(credentials)),
                None => Provided::new(std::future::pending()),
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn while_nobody_gives_new_ones_those_that_count_are_used_also_after_somebody_was_cut_off() {
        let (end, soon_over) = (at("2026-11-30T09:00:00Z"), at("2026-11-30T08:57:00Z"));
        let given = Credentials::new("FIRST", KEY, None, Some(end), "test");
        let given = SharedCredentialsProvider::new(Silent(StdMutex::new(Some(given))));
        let aws = SdkConfig::builder().credentials_provider(given).build();
        let place = url("postgres://ada@abc.dsql.eu-west-1.on.aws/postgres");
        let tokens = Tokens::of(&place, Some(aws)).await.unwrap().unwrap();
        tokens.token(at("2026-11-30T08:00:00Z")).await.unwrap();
        assert!(timeout(FETCHING / 2, tokens.token(soon_over)).await.is_err(), "it waits for others");
        let token = timeout(FETCHING * 2, tokens.token(soon_over)).await.unwrap().unwrap();
        assert!(token.expose().contains("=FIRST%2F"));
        // For a while nobody waits any more.
        let at_once = timeout(Duration::ZERO, tokens.token(soon_over)).await.unwrap().unwrap();
        assert!(at_once.expose().contains("=FIRST%2F"));
        assert!(timeout(FETCHING * 2, tokens.token(end)).await.is_err(), "what is over is not used");
    }
}
