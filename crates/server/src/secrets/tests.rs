mod kms;

use std::sync::{Arc, Mutex};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration};
use daypass_core::login::provider::ProviderSet;
use serde_json::{Value, json};

use super::*;
use crate::config::{Config, ProviderConfig, load_providers};

/// Parameter Store and Secrets Manager, with what was asked of them.
#[derive(Clone, Default)]
struct Aws(Arc<Mutex<Vec<(HeaderMap, Value)>>>);

impl Aws {
    async fn start(&self) -> String {
        let router = Router::new().route("/", post(answer)).with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = crate::listen::Stop::channel();
        tokio::spawn(async move {
            crate::listen::listen(listener, router, stopped).await;
            drop(stop);
        });
        url
    }

    async fn store(&self) -> AwsSecrets {
        store_at(&self.start().await)
    }

    fn asked(&self) -> Vec<(HeaderMap, Value)> {
        self.0.lock().unwrap().clone()
    }
}

fn store_at(url: &str) -> AwsSecrets {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("session".into()), None, "test");
    let config = SdkConfig::builder()
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    AwsSecrets::at(url, config, Arc::new(ManualClock::at_second(1_790_000_000)))
}

async fn answer(State(aws): State<Aws>, request: Request) -> (StatusCode, String) {
    let (parts, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&axum::body::to_bytes(body, 4096).await.unwrap()).unwrap();
    let times = {
        let mut asked = aws.0.lock().unwrap();
        asked.push((parts.headers, body.clone()));
        asked.iter().filter(|(_, asked)| *asked == body).count()
    };
    let name = body["Name"].as_str().or(body["SecretId"].as_str()).unwrap();
    let refusal = |kind: &str| {
        (StatusCode::BAD_REQUEST, json!({"__type": kind, "message": format!("so it is with {name}")}))
    };
    let (status, answer) = match name {
        "/snap" => (StatusCode::OK, json!({"Parameter": {"Value": "hunter2\n", "Type": "SecureString"}})),
        "text" => (StatusCode::OK, json!({"SecretString": "hunter3"})),
        "json" => (StatusCode::OK, json!({"SecretString": "{\"client_secret\":\"hunter4\",\"n\":1}"})),
        "binary" => (StatusCode::OK, json!({"SecretBinary": "aHVudGVyNQ=="})),
        "empty" => (StatusCode::OK, json!({"SecretString": " "})),
        "hiccup" if times == 1 => (StatusCode::SERVICE_UNAVAILABLE, json!("")),
        "hiccup" => (StatusCode::OK, json!({"SecretString": "hunter6"})),
        "denied" | "/denied" => refusal("AccessDeniedException"),
        "gone" => refusal("com.amazonaws.secretsmanager#ResourceNotFoundException"),
        "/gone" => refusal("ParameterNotFound"),
        "locked" => refusal("DecryptionFailure"),
        _ => refusal("ExpiredTokenException"),
    };
    (status, answer.to_string())
}

/// Each at a key of its own.
fn placed(references: &[SecretReference]) -> impl Iterator<Item = Placed<'_>> {
    let at = |(number, reference)| Placed { key: format!("[{number}] key"), reference };
    references.iter().enumerate().map(at)
}

fn ssm(name: &str) -> SecretReference {
    SecretReference::Ssm(name.to_owned())
}

fn manager(name: &str) -> SecretReference {
    SecretReference::SecretsManager(name.to_owned())
}

#[tokio::test]
async fn both_services_are_asked_in_their_own_words_and_signed() {
    let aws = Aws::default();
    let store = aws.store().await;
    let references = [ssm("/snap"), manager("text"), manager("json#client_secret"), ssm("/snap")];
    let secrets = Secrets::fetch(placed(&references), &store, AT_START).await.unwrap();
    let got = references.each_ref().map(|reference| secrets.get(reference).unwrap().expose().to_owned());
    assert_eq!(got, ["hunter2", "hunter3", "hunter4", "hunter2"]);

    let asked = aws.asked();
    assert_eq!(asked.len(), 3, "each reference once");
    let (headers, body) = asked.iter().find(|(_, body)| body["Name"] == "/snap").unwrap();
    assert_eq!(*body, json!({"Name": "/snap", "WithDecryption": true}));
    assert_eq!(headers["x-amz-target"], "AmazonSSM.GetParameter");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["x-amz-security-token"], "session");
    let signature = headers["authorization"].to_str().unwrap();
    assert!(signature.contains("Credential=AKIDEXAMPLE/20260921/eu-west-1/ssm/aws4_request"), "{signature}");
    assert!(signature.contains("x-amz-target"), "{signature}");
    let (headers, body) = asked.iter().find(|(_, body)| body["SecretId"] == "json").unwrap();
    assert_eq!(*body, json!({"SecretId": "json"}));
    assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
    assert!(headers["authorization"].to_str().unwrap().contains("/eu-west-1/secretsmanager/"));
}

#[tokio::test]
async fn an_arn_is_asked_for_in_its_own_region() {
    let aws = Aws::default();
    let arn = "arn:aws:secretsmanager:ap-south-1:111122223333:secret:text-AbCdEf";
    let failed = Secrets::fetch(placed(&[manager(arn)]), &aws.store().await, AT_START).await.unwrap_err();
    assert!(failed.to_string().contains("in ap-south-1"), "{failed}");
    assert!(aws.asked()[0].0["authorization"].to_str().unwrap().contains("/ap-south-1/secretsmanager/"));
}

#[tokio::test]
async fn a_hiccup_is_not_the_end() {
    let aws = Aws::default();
    let secrets = Secrets::fetch(placed(&[manager("hiccup")]), &aws.store().await, AT_START).await.unwrap();
    assert_eq!(secrets.get(&manager("hiccup")).unwrap().expose(), "hunter6");
    assert_eq!(aws.asked().len(), 2);
}

#[tokio::test]
async fn every_mistake_is_told_at_once_with_its_cure_and_no_secret() {
    let told = [
        (
            ssm("/denied"),
            "needs ssm:GetParameter on arn:aws:ssm:eu-west-1:ACCOUNT:parameter/NAME, and kms:Decrypt",
        ),
        (
            manager("denied"),
            "needs secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:ACCOUNT:secret:NAME-??????",
        ),
        (ssm("/gone"), "there is none of the name that is written there in eu-west-1"),
        (manager("gone"), "there is none of the name that is written there in eu-west-1"),
        (manager("locked"), "the role needs kms:Decrypt on its key"),
        (
            manager("expired"),
            "AWS does not accept the credentials (ExpiredTokenException) in eu-west-1: so it is",
        ),
        (manager("binary"), "store it as text"),
        (manager("empty"), "it is empty"),
        (manager("text#client_secret"), "it is not JSON, and so has no key such as is written behind #"),
        (manager("json#gone"), "it has no key with text"),
        (manager("json#n"), "it has no key with text"),
    ];
    let references: Vec<_> = told.iter().map(|(reference, _)| reference.clone()).collect();
    let failed = Secrets::fetch(placed(&references), &Aws::default().store().await, AT_START)
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(failed.lines().count(), told.len(), "{failed}");
    for (number, (_, cure)) in told.into_iter().enumerate() {
        let line = failed.lines().find(|line| line.starts_with(&format!("[{number}] key: "))).unwrap();
        assert!(line.contains(cure), "{line}");
    }
    assert!(!failed.contains("hunter"), "{failed}");
}

/// Whoever typed the secret itself where its name belongs does not find it in a log, whatever AWS repeats of it.
#[tokio::test]
async fn no_name_that_could_be_the_secret_is_repeated() {
    let names =
        ["denied", "gone", "locked", "expired", "binary", "empty", "text#gone", "json#gone", "json#n"];
    let references: Vec<_> =
        names.iter().flat_map(|name| [manager(name), ssm(&format!("/{name}"))]).collect();
    let store = Aws::default().store().await;
    let failed = Secrets::fetch(placed(&references), &store, AT_START).await.unwrap_err().to_string();
    assert_eq!(failed.lines().count(), references.len(), "{failed}");
    for line in failed.lines() {
        let (_, said) = line.split_once(" key: ").unwrap();
        for name in
            ["/denied", "secret:denied", "with denied", "gone", "locked", "with expired", "binary", "#n"]
        {
            assert!(!said.contains(name), "{name}: {line}");
        }
    }
    let not_fetched = Secrets::default().get(&ssm("hunter2")).unwrap_err().to_string();
    assert!(!not_fetched.contains("hunter2"), "{not_fetched}");
}

#[tokio::test]
async fn silence_and_nobody_there_are_told_apart_from_a_refusal() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let within = Duration::from_millis(100);
    let failed =
        Secrets::fetch(placed(&[ssm("/snap")]), &store_at(&url), within).await.unwrap_err().to_string();
    assert!(
        failed.contains("did not answer within 100ms") && failed.contains("interface endpoint"),
        "{failed}"
    );
    drop(silent);
    let failed =
        Secrets::fetch(placed(&[ssm("/snap")]), &store_at(&url), AT_START).await.unwrap_err().to_string();
    assert!(failed.contains("127.0.0.1 cannot be reached"), "{failed}");
}

#[tokio::test]
async fn without_a_region_or_credentials_the_cure_is_told() {
    let clock = Arc::new(ManualClock::at_second(0));
    let nothing = AwsSecrets::at("http://127.0.0.1:1", SdkConfig::builder().build(), clock.clone());
    assert!(
        nothing.read(&ssm("/snap")).await.unwrap_err().contains("set AWS_REGION, or write the whole ARN")
    );
    let config = SdkConfig::builder().region(Region::new("eu-west-1")).build();
    let nobody = AwsSecrets::at("http://127.0.0.1:1", config, clock);
    assert!(nobody.read(&ssm("/snap")).await.unwrap_err().contains("there are no AWS credentials"));
}

/// A store whose answers a test decides, and counts.
#[derive(Default)]
struct Scripted(Mutex<(Option<&'static str>, usize)>);

impl Scripted {
    fn say(&self, secret: Option<&'static str>) {
        self.0.lock().unwrap().0 = secret;
    }

    fn asked(&self) -> usize {
        self.0.lock().unwrap().1
    }
}

#[async_trait]
impl SecretStore for Scripted {
    async fn read(&self, _: &SecretReference) -> Result<Secret, String> {
        tokio::task::yield_now().await;
        let mut script = self.0.lock().unwrap();
        script.1 += 1;
        script.0.map(Secret::new).ok_or_else(|| "not now".into())
    }
}

const CONFIG: &str = r#"
    public_url = "https://login.example.com"
    [pool]
    name = "my-app"
    developer_provider = "login.example.com"
    region = "us-east-1"
    account_id = "000000000000"
    [[provider]]
    id = "snapchat"
    client_id = "ours"
    client_secret = { ssm = "/snap" }
"#;

struct Refreshed {
    script: Arc<Scripted>,
    clock: Arc<ManualClock>,
    providers: Arc<ProviderSet>,
    refresher: Option<Refresher>,
}

impl Refreshed {
    async fn with(more: &str) -> Self {
        Self::of(&format!("{more}{CONFIG}")).await
    }

    async fn of(config: &str) -> Self {
        let config = Config::parse(config).unwrap();
        let (script, clock) = (Arc::<Scripted>::default(), Arc::new(ManualClock::at_second(0)));
        script.say(Some("first"));
        let references = config.providers.iter().filter_map(ProviderConfig::placed_secret);
        let secrets = Secrets::fetch(references, &*script, AT_START).await.unwrap();
        let providers = load_providers(&config.providers, &secrets).unwrap();
        let providers = Arc::new(ProviderSet::new(providers));
        let refresher = Refresher::new(
            config.providers,
            &secrets,
            script.clone(),
            providers.clone(),
            clock.clone(),
            config.secrets.refresh,
        );
        Self { script, clock, providers, refresher }
    }

    async fn after(&self, minutes: i64) -> (String, usize) {
        self.clock.advance(SignedDuration::from_mins(minutes));
        self.refresher.as_ref().unwrap().refresh().await;
        let secret =
            self.providers.get("snapchat").unwrap().client_secret.clone().unwrap().expose().to_owned();
        (secret, self.script.asked())
    }
}

#[tokio::test]
async fn the_request_that_finds_secrets_old_fetches_them() {
    let running = Refreshed::with("").await;
    running.script.say(Some("second"));
    assert_eq!(running.after(14).await, ("first".into(), 1));
    assert_eq!(running.after(1).await, ("second".into(), 2));
    assert_eq!(running.after(14).await, ("second".into(), 2));
    assert_eq!(running.after(60).await, ("second".into(), 3));
}

/// What is fetched anew stays what it was.
#[tokio::test]
async fn a_provider_for_actors_alone_signs_nobody_in_with_a_new_secret_either() {
    let services = "\n[[provider]]\nid = \"services\"\ncatalogue = \"google\"\nclient_id = \"ours\"\n\
                    client_secret = { ssm = \"/snap\" }\nonly_actors = true\n\
                    [pool.principal_tags]\nactor = \"{actor}\"\n\
                    [[app]]\nid = \"web\"\norigins = []\nredirect_uris = []\n\
                    [[actor]]\nid = \"mailer\"\nprovider = \"services\"\nsubject = \"1\"\napps = [\"web\"]\n";
    let running = Refreshed::of(&format!("{CONFIG}{services}")).await;
    running.script.say(Some("second"));
    assert_eq!(running.after(15).await.0, "second");
    assert!(running.providers.get("services").is_none() && !running.providers.all().contains_key("services"));
    let secrets: Vec<_> = running.providers.of_actors().iter().map(|it| it.client_secret.clone()).collect();
    assert_eq!(secrets, [Some(Secret::new("second")), Some(Secret::new("second"))]);
}

#[tokio::test]
async fn old_secrets_stay_in_use_while_new_ones_cannot_be_had() {
    let running = Refreshed::with("").await;
    running.script.say(None);
    assert_eq!(running.after(15).await, ("first".into(), 2));
    assert_eq!(running.after(0).await, ("first".into(), 2), "not with every request");
    running.script.say(Some("second"));
    assert_eq!(running.after(1).await, ("second".into(), 3));
}

#[tokio::test]
async fn who_comes_while_somebody_fetches_does_not_wait() {
    let running = Refreshed::with("").await;
    running.clock.advance(SignedDuration::from_mins(15));
    let refresher = running.refresher.as_ref().unwrap();
    futures::future::join_all((0..8).map(|_| refresher.refresh())).await;
    assert_eq!(running.script.asked(), 2);
}

#[tokio::test]
async fn the_operator_decides_how_old_secrets_may_become() {
    assert!(Refreshed::with("secrets.refresh = \"never\"\n").await.refresher.is_none());
    let running = Refreshed::with("secrets.refresh = \"1h\"\n").await;
    assert_eq!((running.after(59).await.1, running.after(1).await.1), (1, 2));
    for wrong in ["\"0s\"", "\"15\"", "15"] {
        assert!(Config::parse(&format!("secrets.refresh = {wrong}\n{CONFIG}")).is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn what_aws_does_not_keep_is_not_asked_for() {
    let script = Scripted::default();
    let references = [SecretReference::Env("PATH".into()), SecretReference::File("/nowhere".into())];
    let secrets = Secrets::fetch(placed(&references), &script, AT_START).await.unwrap();
    assert!(secrets.is_empty() && script.asked() == 0);
    assert!(secrets.get(&references[0]).is_ok());
    assert!(secrets.get(&references[1]).unwrap_err().to_string().contains("cannot read /nowhere"));
    assert!(secrets.get(&ssm("/snap")).unwrap_err().to_string().contains("not fetched"));
}

#[test]
fn an_empty_file_holds_no_secret() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let reference = SecretReference::File(file.path().into());
    for nothing in ["", " \n"] {
        std::fs::write(file.path(), nothing).unwrap();
        assert!(Secrets::default().get(&reference).unwrap_err().to_string().ends_with("is empty"));
    }
}

#[test]
fn clocks_of_tests_tell_the_day_that_is_signed() {
    assert!(ManualClock::at_second(1_790_000_000).now().to_string().starts_with("2026-09-21"));
}
