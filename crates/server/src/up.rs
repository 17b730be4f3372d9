//! Everything for development in one process: the server, S3 and the sandbox identity provider, on three
//! ports beside each other, with their state in one directory. `daypass up` and `daypass tour` start it.

mod folder;
pub(crate) mod home;
mod ports;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::{Clock, SignedDuration, SystemClock};
use daypass_core::ground::ids::{AccountId, IdentityPoolId, Region, RoleName, UserName};
use daypass_core::ground::random::{Random, SystemRandom};
use daypass_core::records::identity::IdentityPool;
use daypass_core::store::Store;
use daypass_core::token::openid_token::{AUTHENTICATED, UNAUTHENTICATED};
use daypass_store::SqliteStore;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::home::Home;
use self::ports::{Bound, Ports};
use crate::config::development::{ACCOUNT_ID, DEVELOPER_PROVIDER, POOL_NAME, REGION};
use crate::config::{Config, EmbeddedConfig};
use crate::listen::{Stop, listen_within};
use crate::provider_http::{Limits, Reach, ReqwestHttp, loopback};
use crate::purge::keep_purging;
use crate::sandbox::{self, Client, SandboxConfig};
use crate::secrets::{self, AwsSecrets, Secrets};
use crate::telemetry::{self, AuditOutput};
use crate::wire::{App, Embedded, Ingredients, Playground, configured_pool};
use crate::{routes, s3};

/// The bucket in which everybody has a folder.
pub const BUCKET: &str = "daypass-demo";
/// The AWS profile that is written into the directory.
pub(crate) const PROFILE: &str = "daypass";
/// The roles, called as what they trust: everybody who logged in, and guests.
pub(crate) const ROLES: [&str; 2] = [AUTHENTICATED, UNAUTHENTICATED];
/// What guests may read.
const PUBLIC_FOLDER: &str = "public";
/// The developer whose access key is behind the profile.
const ACCESS_KEY_NAME: &str = "up";

/// Where to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where everything is kept.
    pub dir: PathBuf,
    /// The server's port; S3 and the sandbox take the next two. 0 takes three that are free.
    pub port: u16,
    /// More providers, apps and roles than development needs by itself.
    pub config: Option<PathBuf>,
}

/// What is running, as the line of JSON says it.
#[derive(Debug, Clone, Serialize)]
pub struct Ready {
    /// The server.
    pub server_url: String,
    /// S3.
    pub s3_url: String,
    /// The sandbox identity provider.
    pub sandbox_url: String,
    /// The `iss` of tokens.
    pub issuer: String,
    /// The Region that IDs and ARNs carry.
    pub region: String,
    /// The account that ARNs carry.
    pub account_id: String,
    /// The pool that logins lead to.
    pub identity_pool_id: IdentityPoolId,
    /// The key in `Logins` of the pool's own developer provider.
    pub developer_provider: String,
    /// The role of everybody who logged in.
    pub role_arn: String,
    /// The role made for guests, who are off until the developer turns them on and gives the pool this role.
    pub guest_role_arn: String,
    /// The bucket with everybody's folder.
    pub bucket: String,
    /// Where everything is kept.
    pub dir: PathBuf,
    /// For `AWS_CONFIG_FILE`.
    pub aws_config_file: PathBuf,
    /// For `AWS_SHARED_CREDENTIALS_FILE`.
    pub aws_shared_credentials_file: PathBuf,
    /// For `AWS_PROFILE`.
    pub aws_profile: String,
}

/// A running `up`.
pub struct Running {
    /// What is running where.
    pub ready: Ready,
    /// What the developer has to hear of.
    pub warnings: Vec<String>,
    stop: watch::Sender<bool>,
    listeners: Vec<JoinHandle<()>>,
    /// Keeps the directory locked.
    _home: Home,
}

impl Running {
    /// Answers what is under way, and ends.
    pub async fn stop(self) {
        // Without a receiver every listener has ended already.
        let _ = self.stop.send(true);
        for listener in self.listeners {
            let _ = listener.await;
        }
    }
}

/// Starts everything.
///
/// # Errors
/// In words for the person at the terminal, with the cure.
pub async fn start(options: &Options) -> anyhow::Result<Running> {
    let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::new(SystemClock), Arc::new(SystemRandom));
    let ports = Ports::bind(options.port).await?;
    let mut home = Home::open(&options.dir, &*random)?;
    telemetry::log_to(home.log()?);
    let store = Arc::new(SqliteStore::open(&home.database())?);
    let (server_url, s3_url, sandbox_url) = (ports.server.url(), ports.s3.url(), ports.sandbox.url());

    let config = Config::of_development(
        ports.addresses(),
        &home.sandbox_client_secret_file(),
        options.config.as_deref(),
    )?;
    home.warnings.extend(secrets::exposures(config.secret_references()));
    for warning in &home.warnings {
        tracing::warn!("{warning}");
    }
    let reach = Reach::with(config.network.allow_private.iter().cloned().chain(loopback()));
    let secret_store = Arc::new(AwsSecrets::new(clock.clone()));
    let secrets = Secrets::fetch(config.secret_references(), &*secret_store, secrets::AT_START).await?;
    let app = App::wire(Ingredients {
        config,
        roles,
        store,
        master_key: home.master_key()?,
        secrets,
        secret_store,
        http: Arc::new(ReqwestHttp::new(Limits::default(), reach, clock.clone(), random.clone())?),
        aws: None,
        audit_lines: Arc::new(AuditOutput::new(home.audit_log()?)),
        clock: clock.clone(),
        random: random.clone(),
        playground: Some(Playground {
            s3_url: s3_url.clone(),
            bucket: BUCKET.into(),
            sandbox_url: sandbox_url.clone(),
        }),
    });
    let app = Arc::new(app.await?);
    let embedded = app.embedded.clone().context("development runs on the embedded pool")?;
    let (aws_config_file, aws_shared_credentials_file) =
        write_profile(&home, &embedded, &server_url, &s3_url).await?;
    let ready = Ready {
        issuer: embedded.sts.tokens.issuer().to_owned(),
        region: REGION.into(),
        account_id: ACCOUNT_ID.into(),
        identity_pool_id: embedded.pool_id.clone(),
        developer_provider: DEVELOPER_PROVIDER.into(),
        role_arn: role_arn(AUTHENTICATED),
        guest_role_arn: role_arn(UNAUTHENTICATED),
        bucket: BUCKET.into(),
        dir: home.dir().to_owned(),
        aws_profile: PROFILE.into(),
        server_url,
        s3_url,
        aws_config_file,
        aws_shared_credentials_file,
        sandbox_url: sandbox_url.clone(),
    };
    let sandbox = SandboxConfig {
        our_client: Client::daypass_demo(
            home.sandbox_client_secret()?,
            ports.addresses().sandbox_redirect_uris(),
        ),
        public_url: sandbox_url,
    };

    tokio::spawn(keep_purging(Arc::downgrade(&app.store)));
    let (stop, stopped) = Stop::channel();
    let s3 = s3::router(&embedded, &app.origins, &home.buckets(BUCKET)?)?;
    let listen = |port: Bound, router| {
        let (stop, proxies) = (stopped.clone(), app.proxies.clone());
        tokio::spawn(listen_within(port.listener, router, stop, app.limits, proxies))
    };
    let listeners = vec![
        listen(ports.server, routes::router(app.clone())),
        listen(ports.s3, s3),
        listen(ports.sandbox, sandbox::router(sandbox, clock, random)),
    ];
    Ok(Running { ready, warnings: std::mem::take(&mut home.warnings), stop, listeners, _home: home })
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT_ID}:role/{name}")
}

/// The pool that logins lead to, as the server finds it.
pub(crate) async fn pool(store: &dyn Store, random: &dyn Random) -> anyhow::Result<IdentityPool> {
    let config = EmbeddedConfig {
        name: POOL_NAME.into(),
        region: Region::parse(REGION)?,
        account_id: AccountId::parse(ACCOUNT_ID)?,
        role_mapping_rules: None,
    };
    Ok(configured_pool(store, &config, DEVELOPER_PROVIDER, random).await?)
}

/// What policies call a pool.
pub(crate) fn pool_arn(id: &IdentityPoolId) -> String {
    format!("arn:aws:cognito-identity:{REGION}:{ACCOUNT_ID}:identitypool/{id}")
}

/// The role of everybody who logged in, which the pool has from the start, and that of guests, which it has
/// not: guests are let in by whoever holds the developer key, and by nobody's forgetfulness.
fn roles(pool_id: &IdentityPoolId) -> Vec<RoleDocument> {
    let policies = [own_folder_policy(), public_folder_policy()];
    let role = |(name, policy): (&'static str, Value)| RoleDocument {
        name: RoleName::parse(name).expect("it matches the pattern"),
        trust: RoleTrust::Pool { pool_id: pool_id.clone(), amr: name },
        policy: policy.to_string(),
        max_session_duration: SignedDuration::from_hours(1),
    };
    ROLES.into_iter().zip(policies).map(role).collect()
}

/// Each person lists, reads and writes in the folder named after their identity, and nowhere else.
fn own_folder_policy() -> Value {
    let folder = "${cognito-identity.amazonaws.com:sub}";
    let read_and_write = json!([
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts"
    ]);
    json!({"Version": "2012-10-17", "Statement": [list(folder), within(folder, &read_and_write)]})
}

/// A guest lists and reads the public folder, and writes nowhere.
fn public_folder_policy() -> Value {
    let read = json!("s3:GetObject");
    json!({"Version": "2012-10-17", "Statement": [list(PUBLIC_FOLDER), within(PUBLIC_FOLDER, &read)]})
}

fn list(folder: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": format!("arn:aws:s3:::{BUCKET}"),
        "Condition": {"StringLike": {"s3:prefix": [format!("{folder}/"), format!("{folder}/*")]}}
    })
}

fn within(folder: &str, actions: &Value) -> Value {
    json!({
        "Effect": "Allow",
        "Action": actions,
        "Resource": format!("arn:aws:s3:::{BUCKET}/{folder}/*")
    })
}

async fn write_profile(
    home: &Home,
    embedded: &Embedded,
    server_url: &str,
    s3_url: &str,
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let name = UserName::parse(ACCESS_KEY_NAME).expect("it matches the pattern");
    let key = embedded.access_keys.find_or_create(&name).await?;
    let (key, secret) = key.context(
        "the developer access key was sealed under another master key: bring that one back, or move the directory away to \
         begin anew",
    )?;
    // The SDK for Rust looks for `cognito-identity`, every other for `cognito_identity`; whoever finds none
    // goes to AWS itself.
    let config = format!(
        "[profile {PROFILE}]\nregion = {REGION}\nservices = {PROFILE}\n\n[services {PROFILE}]\n\
         cognito_identity =\n  endpoint_url = {server_url}\ncognito-identity =\n  endpoint_url = {server_url}\n\
         sts =\n  endpoint_url = {server_url}\ns3 =\n  endpoint_url = {s3_url}\n"
    );
    let credentials =
        format!("[{PROFILE}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, secret.expose());
    Ok((home.write_private("aws-config", &config)?, home.write_private("aws-credentials", &credentials)?))
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::Timestamp;
    use daypass_core::iam::{self, Arrival, Context, Decision, Key, Origin, Policy};

    use super::*;

    const OBJECT: &str = "arn:aws:s3:::daypass-demo/public/hello.txt";

    fn guest_may(action: &str, resource: &str, prefix: Option<&str>) -> bool {
        let role = &roles(&IdentityPoolId::parse("us-east-1:aa").unwrap())[1];
        assert_eq!(role.name.as_str(), UNAUTHENTICATED);
        let policy = Policy::parse(&role.policy).unwrap();
        let time = Timestamp::from_second(1_700_000_000).unwrap();
        let context = Context::new(&Arrival { time, origin: Origin::default() });
        let context = prefix.into_iter().fold(context, |context, prefix| context.with(Key::S3Prefix, prefix));
        let request = iam::Request { action, resource, context: &context };
        iam::evaluate(std::slice::from_ref(&policy), None, &request) == Decision::Allowed
    }

    #[test]
    fn a_guest_reads_the_public_folder_and_writes_nowhere() {
        assert!(guest_may("s3:GetObject", OBJECT, None));
        assert!(!guest_may("s3:GetObject", "arn:aws:s3:::daypass-demo/us-east-1:aa/diary.txt", None));
        assert!(!guest_may("s3:GetObject", "arn:aws:s3:::daypass-demo/publicity.txt", None));
        for action in ["s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"] {
            assert!(!guest_may(action, OBJECT, None), "{action}");
        }
    }

    #[test]
    fn a_guest_lists_the_public_folder_alone() {
        let bucket = "arn:aws:s3:::daypass-demo";
        assert!(guest_may("s3:ListBucket", bucket, Some("public/")));
        for prefix in [None, Some(""), Some("public"), Some("publicity/"), Some("us-east-1:aa/")] {
            assert!(!guest_may("s3:ListBucket", bucket, prefix), "{prefix:?}");
        }
    }

    #[test]
    fn every_role_trusts_the_pool_alone() {
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let names: Vec<_> = roles(&pool_id).iter().map(|role| role.name.to_string()).collect();
        assert_eq!(names, ROLES);
        let of_this_pool =
            |trust: &RoleTrust| matches!(trust, RoleTrust::Pool { pool_id: pool, .. } if *pool == pool_id);
        assert!(roles(&pool_id).iter().all(|role| of_this_pool(&role.trust)));
    }
}
