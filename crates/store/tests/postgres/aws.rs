//! What stands for AWS: TLS, and whoever is let in by a token of IAM, in front of the tests' PostgreSQL. Tokens are verified here by
//! the rules of Signature Version 4 alone. As DSQL it knows the word `ASYNC`, and refuses what DSQL refuses.

use std::collections::BTreeMap;
use std::io::{Error, Result};
use std::sync::{Arc, Mutex};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use daypass_core::ground::clock::{Clock, ManualClock, SignedDuration, Timestamp};
use daypass_store::{Open, PostgresEngine, PostgresOpenError, PostgresUrl, Surroundings};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, split};

use crate::proxy;

/// 2026-11-30, 08:00.
const NOW: i64 = 1_796_025_600;
const REGION: &str = "eu-west-1";
const KEY_ID: &str = "AKIDEXAMPLE";
/// What tokens are signed with, which no token and no error has in it.
pub const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYhunter2";
pub const SESSION: &str = "session/hunter2+hunter2=";

const CANCEL: u32 = 80_877_102;

/// As whom somebody may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Rds,
    Dsql,
}

/// One that answers at a port of this machine.
#[derive(Clone)]
pub struct Aws {
    pub port: u16,
    pub clock: Arc<ManualClock>,
    seen: Arc<Mutex<Seen>>,
}

/// What it saw of those who came.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Each token, and why it was refused.
    pub tokens: Vec<(String, Option<String>)>,
    /// Statements that DSQL refuses, and questions that are called off, which it does not know.
    pub refused: Vec<String>,
}

struct Guarded {
    service: Service,
    level: &'static str,
    aws: Aws,
}

impl Aws {
    /// As a service, whose sessions are at this level of isolation.
    pub async fn start(service: Service, level: &'static str) -> Self {
        let (clock, seen) = (Arc::new(ManualClock::at_second(NOW)), Arc::default());
        let (sender, receiver) = tokio::sync::watch::channel(0);
        let aws = Self { port: 0, clock, seen };
        let serving = aws.clone();
        let port = proxy::behind_tls(move |stream| {
            let aws = Self { port: *receiver.borrow(), ..serving.clone() };
            async move { Guarded { service, level, aws }.serve(stream).await }
        })
        .await;
        sender.send(port).unwrap();
        Self { port, ..aws }
    }

    /// The URL of a schema.
    pub fn url(&self, schema: &str, user: &str, parameters: &str) -> PostgresUrl {
        let (port, certificate) = (self.port, proxy::CERTIFICATE);
        let url = format!(
            "postgres://{user}@localhost:{port}/postgres?options=-csearch_path%3D{schema}&sslrootcert={certificate}&{parameters}"
        );
        url.try_into().unwrap()
    }

    /// An engine there, by the credentials that are good.
    pub async fn open(&self, url: &PostgresUrl) -> std::result::Result<PostgresEngine, PostgresOpenError> {
        self.open_as(url, SECRET).await
    }

    pub async fn open_as(
        &self,
        url: &PostgresUrl,
        secret: &str,
    ) -> std::result::Result<PostgresEngine, PostgresOpenError> {
        let credentials = Credentials::new(KEY_ID, secret, Some(SESSION.into()), None, "test");
        let aws = SdkConfig::builder()
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .region(Region::new(REGION))
            .build();
        let surroundings =
            Surroundings { clock: self.clock.clone(), aws: Some(aws), ..Surroundings::default() };
        PostgresEngine::open_in(url, Open::OrMake, surroundings).await
    }

    /// The same, seen from a machine whose clock is behind, or before with less than nothing.
    pub fn by_a_clock_that_is_behind(&self, by: SignedDuration) -> Self {
        Self { clock: Arc::new(ManualClock::at(self.clock.now() - by)), ..self.clone() }
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }
}

impl Guarded {
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Result<()> {
        let (mut from_client, mut to_client) = split(stream);
        let start = message(&mut from_client).await?;
        if start.starts_with(&CANCEL.to_be_bytes()) {
            self.refuse("a cancel request".to_owned());
            return Ok(());
        }
        let parameters = parameters(&start[4..]);
        // The password, in clear.
        to_client.write_all(b"R\0\0\0\x08\0\0\0\x03").await?;
        assert_eq!(from_client.read_u8().await?, b'p');
        let token = message(&mut from_client).await?;
        let token = String::from_utf8(token).unwrap().trim_end_matches('\0').to_owned();
        let verified = self.verify(&token, &parameters["user"]);
        self.aws.seen.lock().unwrap().tokens.push((token.clone(), verified.clone().err()));
        if let Err(why) = verified {
            let said = format!("SFATAL\0VFATAL\0C28000\0M{why}\0\0");
            to_client.write_u8(b'E').await?;
            to_client.write_u32(u32::try_from(said.len()).unwrap() + 4).await?;
            return to_client.write_all(said.as_bytes()).await;
        }
        let mut server = proxy::server().await;
        server.write_all(&self.start(&parameters)).await?;
        let (mut from_server, to_server) = split(server);
        tokio::spawn(async move { copy(&mut from_server, &mut to_client).await });
        self.pass_on(from_client, to_server).await
    }

    /// How a session begins at the server, which asks for no password.
    fn start(&self, parameters: &BTreeMap<String, String>) -> Vec<u8> {
        let mut parameters = parameters.clone();
        parameters.insert("user".into(), "postgres".into());
        let level = format!(" -cdefault_transaction_isolation={}", self.level.replace(' ', "\\ "));
        parameters.entry("options".into()).or_default().push_str(&level);
        let mut body = 196_608_u32.to_be_bytes().to_vec();
        for (name, value) in &parameters {
            body.extend(format!("{name}\0{value}\0").bytes());
        }
        body.push(0);
        let length = u32::try_from(body.len()).unwrap() + 4;
        [&length.to_be_bytes()[..], &body].concat()
    }

    /// Statements are within `Parse`, behind a name.
    async fn pass_on(&self, mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> Result<()> {
        loop {
            let kind = from.read_u8().await?;
            let mut body = message(&mut from).await?;
            if self.service == Service::Dsql && kind == b'Q' {
                self.refuse(String::from_utf8_lossy(&body).into_owned());
            }
            if self.service == Service::Dsql && kind == b'P' {
                let name = body.iter().position(|byte| *byte == 0).unwrap() + 1;
                let end = name + body[name..].iter().position(|byte| *byte == 0).unwrap();
                let statement = self.as_dsql(str::from_utf8(&body[name..end]).unwrap())?;
                body.splice(name..end, statement.into_bytes());
            }
            to.write_u8(kind).await?;
            to.write_u32(u32::try_from(body.len()).unwrap() + 4).await?;
            to.write_all(&body).await?;
        }
    }

    fn as_dsql(&self, statement: &str) -> Result<String> {
        const UNKNOWN: [&str; 5] =
            ["FOR UPDATE", "SKIP LOCKED", "COLLATE", "partition bytea", "CREATE INDEX IF"];
        let begins_with = |word: &&str| statement.starts_with(*word);
        let is_unknown = UNKNOWN.iter().any(|word| statement.contains(word));
        if is_unknown || ["SET", "BEGIN", "SAVEPOINT"].iter().any(begins_with) {
            self.refuse(statement.to_owned());
            return Err(Error::other("not supported"));
        }
        Ok(statement.replace("CREATE INDEX ASYNC", "CREATE INDEX"))
    }

    fn refuse(&self, what: String) {
        self.aws.seen.lock().unwrap().refused.push(what);
    }

    /// Why a token is not one of this user for this place at this moment.
    fn verify(&self, token: &str, user: &str) -> std::result::Result<(), String> {
        let (place, query) = token.split_once("/?").ok_or("it is no token")?;
        let mut pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let signature = pairs.iter().position(|(name, _)| *name == "X-Amz-Signature").ok_or("unsigned")?;
        let (_, signature) = pairs.remove(signature);
        let given: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        let is = |name: &str, expected: &str| {
            if given.get(name) == Some(&expected) { Ok(()) } else { Err(format!("not {expected}")) }
        };
        let (expected_place, service) = match self.service {
            Service::Rds => (format!("localhost:{}", self.aws.port), "rds-db"),
            Service::Dsql => ("localhost".to_owned(), "dsql"),
        };
        if place != expected_place {
            return Err(format!("another place: {place}"));
        }
        match self.service {
            Service::Rds => is("Action", "connect").and(is("DBUser", user))?,
            Service::Dsql => is("Action", if user == "admin" { "DbConnectAdmin" } else { "DbConnect" })?,
        }
        is("X-Amz-Algorithm", "AWS4-HMAC-SHA256")?;
        is("X-Amz-Expires", "900")?;
        is("X-Amz-SignedHeaders", "host")?;
        let at = given.get("X-Amz-Date").ok_or("no date")?;
        let day = &at[..8];
        is("X-Amz-Credential", &format!("{KEY_ID}%2F{day}%2F{REGION}%2F{service}%2Faws4_request"))?;
        let signed: Timestamp = at.parse().map_err(|_| "no date")?;
        let now = self.aws.clock.now();
        if now < signed || now >= signed + SignedDuration::from_secs(900) {
            return Err("expired".to_owned());
        }
        pairs.sort_unstable();
        let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = format!(
            "GET\n/\n{}\nhost:{place}\n\nhost\n{}",
            query.join("&"),
            hex(digest(&SHA256, b"").as_ref())
        );
        let request = hex(digest(&SHA256, request.as_bytes()).as_ref());
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{day}/{REGION}/{service}/aws4_request\n{request}");
        let mut key = format!("AWS4{SECRET}").into_bytes();
        for part in [day, REGION, service, "aws4_request"] {
            key = mac(&key, part);
        }
        if hex(&mac(&key, &text)) == signature { Ok(()) } else { Err("another signature".to_owned()) }
    }
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// What stands behind a length.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>> {
    let mut body = vec![0; from.read_u32().await? as usize - 4];
    from.read_exact(&mut body).await?;
    Ok(body)
}

/// Names and values, each with a zero behind.
fn parameters(body: &[u8]) -> BTreeMap<String, String> {
    let texts: Vec<&str> = str::from_utf8(body).unwrap().split('\0').collect();
    texts
        .chunks_exact(2)
        .filter(|pair| !pair[0].is_empty())
        .map(|pair| (pair[0].into(), pair[1].into()))
        .collect()
}
