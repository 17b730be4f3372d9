//! `daypass tour`: the whole flow against a fresh `up`, each step with the values that really went over the
//! wire. Any step that does not go as it should ends the tour with an error.

pub mod client;
pub mod sandbox;

use anyhow::{Context, bail, ensure};
use daypass_core::audit::head_key::HeadKey;
use serde_json::{Value, json};

use self::client::{Credentials, Http, S3, text};
use self::sandbox::App;
use crate::up::{self, Options, Ready};
use daypass_server::cli::print;
use daypass_server::installation::home::Home;
use daypass_store::{newest_head, trail_folder, verify};

/// Starts a fresh `up` in a directory of its own, walks the flow, and leaves nothing behind.
pub async fn run() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let running = up::start(&Options { dir: dir.path().to_owned(), port: 0, config: None }).await?;
    let tour = Tour { http: Http::new()?, ready: running.ready.clone() };
    let home = Home::existing(dir.path())?;
    let walked = tour.walk(&home).await;
    running.stop().await;
    walked?;
    verify_trail(&home)?;
    Ok(print("\nThe tour is over: every step did what it should.")?)
}

struct Tour {
    http: Http,
    ready: Ready,
}

/// Somebody who signed in.
struct SignedIn {
    identity_id: String,
    token: String,
}

impl Tour {
    async fn walk(&self, home: &Home) -> anyhow::Result<()> {
        let ours = App::daypass_demo(home.sandbox_client_secret()?, &self.ready);
        step(1, "Ada signs in at the provider, and the app gets a code")?;
        let login = sandbox::sign_in(&self.http, &self.ready, &ours, "ada").await?;
        show("code", &shortened(&login.code))?;

        step(2, "POST /v1/exchange: Daypass redeems the code and vouches for Ada")?;
        let ada = self.exchange("snapchat", login.proof()).await?;
        show("identity ID", &ada.identity_id)?;
        show("token", &shortened(&ada.token))?;
        show_claims(&ada.token)?;

        step(3, "The same code again: it is spent")?;
        self.expect_refusal("snapchat", login.proof(), "proof_refused").await?;

        step(4, "GetCredentialsForIdentity: the token becomes temporary credentials")?;
        let credentials = self.credentials(&ada).await?;
        show_credentials(&credentials)?;

        step(5, "Ada writes, lists and reads in her own folder")?;
        let s3 = S3 { http: &self.http, endpoint: &self.ready.s3_url, region: &self.ready.region };
        self.own_folder(&s3, &credentials, &ada).await?;

        step(6, "AssumeRoleWithWebIdentity: the same from STS, for 15 minutes")?;
        let assumed = client::assume_role(&self.http, &self.ready, &ada.token).await?;
        show_credentials(&assumed)?;
        let object = format!("/{}/{}/hello.txt", self.ready.bucket, ada.identity_id);
        expect_status(&s3.send(&assumed, "GET", &object, "").await?, 200)?;
        show("read", &object)?;

        step(7, "Grace signs in; her object is hers alone")?;
        let grace = self
            .exchange("snapchat", sandbox::sign_in(&self.http, &self.ready, &ours, "grace").await?.proof())
            .await?;
        self.confined(&s3, &credentials, &grace).await?;

        step(8, "Another company's app holds a token and a code of Ada's; neither opens anything here")?;
        self.stolen(&App::other_games()).await?;

        step(9, "The flow of a bare access token works only where the operator allowed it")?;
        let token = sandbox::redeem(&self.http, &self.ready, &ours, "ada").await?;
        let lax = self.exchange("snapchat-token", json!({"access_token": token})).await?;
        show("identity ID", &lax.identity_id)?;
        ensure!(lax.identity_id != ada.identity_id, "two providers must not share an identity");
        show("note", "with this switch on, any app's token for Ada would have been taken")
    }

    async fn own_folder(&self, s3: &S3<'_>, credentials: &Credentials, ada: &SignedIn) -> anyhow::Result<()> {
        let (bucket, folder) = (&self.ready.bucket, &ada.identity_id);
        let object = format!("/{bucket}/{folder}/hello.txt");
        expect_status(&s3.send(credentials, "PUT", &object, "Hello from Ada").await?, 200)?;
        show("put", &object)?;
        let listing = format!("/{bucket}?list-type=2&prefix={}%2F", folder.replace(':', "%3A"));
        let listed = s3.send(credentials, "GET", &listing, "").await?;
        expect_status(&listed, 200)?;
        ensure!(
            listed.body.contains(&format!("<Key>{folder}/hello.txt</Key>")),
            "the listing lacks the object"
        );
        show("list", &format!("{folder}/hello.txt"))?;
        let read = s3.send(credentials, "GET", &object, "").await?;
        ensure!(read.body == "Hello from Ada", "the object reads {:?}", read.body);
        show("read", &read.body)
    }

    /// Grace puts an object, which Ada's credentials do not read.
    async fn confined(&self, s3: &S3<'_>, adas: &Credentials, grace: &SignedIn) -> anyhow::Result<()> {
        let object = format!("/{}/{}/diary.txt", self.ready.bucket, grace.identity_id);
        let graces = self.credentials(grace).await?;
        expect_status(&s3.send(&graces, "PUT", &object, "Dear diary").await?, 200)?;
        show("put", &object)?;
        let refused = s3.send(adas, "GET", &object, "").await?;
        expect_status(&refused, 403)?;
        ensure!(refused.body.contains("<Code>AccessDenied</Code>"), "refused as {}", refused.body);
        show("Ada reads it", "403 AccessDenied")
    }

    async fn stolen(&self, thief: &App) -> anyhow::Result<()> {
        let token = sandbox::redeem(&self.http, &self.ready, thief, "ada").await?;
        self.expect_refusal("snapchat", json!({"access_token": token}), "unbound_access_token").await?;
        let mut code = sandbox::sign_in(&self.http, &self.ready, thief, "ada").await?.proof();
        code["redirect_uri"] = json!(format!("{}/", self.ready.server_url));
        self.expect_refusal("snapchat", code, "proof_refused").await
    }

    async fn exchange(&self, provider: &str, proof: Value) -> anyhow::Result<SignedIn> {
        let (status, answer) = self.post_exchange(provider, proof).await?;
        ensure!(status == 200, "the exchange was answered {status}: {answer}");
        Ok(SignedIn { identity_id: text(&answer, "/identity_id")?, token: text(&answer, "/token")? })
    }

    async fn expect_refusal(&self, provider: &str, proof: Value, code: &str) -> anyhow::Result<()> {
        let (status, answer) = self.post_exchange(provider, proof).await?;
        let refused = text(&answer, "/code").context("it was not refused")?;
        ensure!(status == 401 && refused == code, "refused with {status} {refused}, expected 401 {code}");
        show("refused", &format!("{status} {code}"))?;
        show("because", &text(&answer, "/detail")?)
    }

    async fn post_exchange(&self, provider: &str, mut body: Value) -> anyhow::Result<(u16, Value)> {
        body["provider"] = json!(provider);
        self.http
            .post_json(&format!("{}/v1/exchange", self.ready.server_url), "application/json", None, &body)
            .await
    }

    async fn credentials(&self, person: &SignedIn) -> anyhow::Result<Credentials> {
        let body = json!({
            "IdentityId": person.identity_id,
            "Logins": {"cognito-identity.amazonaws.com": person.token},
        });
        let target = "AWSCognitoIdentityService.GetCredentialsForIdentity";
        let sent =
            self.http.post_json(&self.ready.server_url, "application/x-amz-json-1.1", Some(target), &body);
        let (status, answer) = sent.await?;
        ensure!(status == 200, "GetCredentialsForIdentity was answered {status}: {answer}");
        let field = |name: &str| text(&answer, &format!("/Credentials/{name}"));
        Ok(Credentials {
            access_key_id: field("AccessKeyId")?,
            secret_access_key: field("SecretKey")?,
            session_token: field("SessionToken")?,
        })
    }
}

/// Everything that was decided is in one chain, which the server has signed at its end.
fn verify_trail(home: &Home) -> anyhow::Result<()> {
    step(10, "Daypass is stopped; its audit trail is verified")?;
    let (database, key) = (home.database(), HeadKey::of(&home.master_key()?.into()));
    let signed = newest_head(&database)?;
    let found = verify(
        &trail_folder(&database),
        &vec![key.public().clone()].into(),
        signed.as_ref(),
        &mut |_, _| {},
    )?;
    let Some(head) = found.newest_head.filter(|_| found.faults.is_empty() && found.unsigned == 0) else {
        bail!("the audit trail is not as it was written: {:?}", found.faults)
    };
    show("events", &found.events.to_string())?;
    show("chain", &format!("{} lines, each with a hash of the one before", found.last))?;
    show("head", &format!("line {}, signed by the key of this installation", head.n))
}

fn expect_status(answer: &client::Answer, status: u16) -> anyhow::Result<()> {
    ensure!(answer.status == status, "S3 answered {}, expected {status}: {}", answer.status, answer.body);
    Ok(())
}

fn step(number: u8, title: &str) -> anyhow::Result<()> {
    Ok(print(&format!("\n{number}. {title}"))?)
}

fn show(name: &str, value: &str) -> anyhow::Result<()> {
    Ok(print(&format!("   {name:<14} {value}"))?)
}

fn show_claims(token: &str) -> anyhow::Result<()> {
    for (name, value) in client::claims(token)? {
        let name = name.trim_start_matches("https://cognito-identity.amazonaws.com/identity-");
        show(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())?;
    }
    Ok(())
}

fn show_credentials(credentials: &Credentials) -> anyhow::Result<()> {
    show("access key ID", &credentials.access_key_id)?;
    show("secret", &shortened(&credentials.secret_access_key))?;
    show("session token", &shortened(&credentials.session_token))
}

/// Enough of a secret to tell two apart, and too little to use.
fn shortened(secret: &str) -> String {
    let start: String = secret.chars().take(6).collect();
    format!("{start}… ({} characters)", secret.chars().count())
}
