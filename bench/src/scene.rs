//! What the operations act upon: a server with a pool that lets everybody in, people and guests in it, their
//! tokens, and pools that may be changed.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::Outcome;
use crate::crowd::{self, Person};
use crate::issuer::{CLIENT, Issuer};
use crate::requests::{Developer, Request, send_all};
use crate::server::Server;

/// As on a busy server. Each connection has a pool of its own to change: two changes of one pool at the
/// same time would measure the conflict.
pub(crate) const CONNECTIONS: usize = 32;
/// Of each kind.
const PEOPLE: usize = 256;
/// The largest page, and the most identities that one request deletes.
pub(crate) const PAGE: usize = 60;
const COGNITO: &str = "cognito-identity";

/// Somebody with a token of their own: a login of the issuer, or one of ours for a developer user.
pub(crate) struct Bearer {
    pub(crate) identity_id: String,
    pub(crate) token: String,
}

pub(crate) struct Scene {
    pub(crate) server: Server,
    pub(crate) developer: Developer,
    pub(crate) issuer: Issuer,
    pub(crate) people: Vec<Person>,
    pub(crate) guests: Vec<String>,
    pub(crate) developer_tokens: Vec<Bearer>,
    pub(crate) logged_in: Vec<Bearer>,
    /// Tokens of people who are to be linked and unlinked.
    strangers: Vec<String>,
    /// One for each connection.
    pub(crate) pools: Vec<String>,
    /// A pool in which everybody has logged in.
    pub(crate) full_pool: String,
    database: PathBuf,
    _directory: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn set(requests_per_operation: usize) -> Outcome<Self> {
        let (directory, issuer) = (tempfile::tempdir()?, Issuer::start()?);
        let (home, configuration) = (directory.path().join("home"), directory.path().join("bench.toml"));
        let secret = directory.path().join("secret");
        std::fs::write(&secret, "the secret of the bench's client")?;
        std::fs::write(&configuration, issuer.configuration() + &issuer.provider(&secret))?;
        let server = Server::start_with(&home, Some(&configuration))?;
        let developer = Developer::of(&server)?;
        let tokens = |kind: &str, count: usize| -> Outcome<Vec<String>> {
            (0..count).map(|number| issuer.token(&format!("{kind}-{number}"))).collect()
        };
        let (known, strangers) = (tokens("known", PEOPLE)?, tokens("stranger", requests_per_operation)?);
        let mut scene = Self {
            server,
            developer,
            issuer,
            people: Vec::new(),
            guests: Vec::new(),
            developer_tokens: Vec::new(),
            logged_in: Vec::new(),
            strangers,
            pools: Vec::new(),
            full_pool: String::new(),
            database: home.join("daypass.db"),
            _directory: directory,
        };
        scene.open_the_pool()?;
        scene.let_people_in(known)?;
        scene.exchange()?;
        scene.pools = scene.fresh_pools(CONNECTIONS)?;
        scene.full_pool = scene.fresh_pools(1)?.remove(0);
        crowd::add(&scene.database, &scene.full_pool, 2 * PAGE)?;
        Ok(scene)
    }

    /// Guests and logins of the issuer are off unless somebody turns them on.
    fn open_the_pool(&self) -> Outcome<()> {
        let pool = &self.developer.pool_id;
        let settings = json!({
            "IdentityPoolId": pool, "IdentityPoolName": "daypass-demo", "AllowUnauthenticatedIdentities": true,
            "OpenIdConnectProviderARNs": [self.issuer.arn()],
        });
        let roles = json!({"IdentityPoolId": pool, "Roles": {
            "authenticated": self.server.says("role_arn")?, "unauthenticated": self.server.says("guest_role_arn")?,
        }});
        self.call("UpdateIdentityPool", [settings])?;
        self.call("SetIdentityPoolRoles", [roles]).map(drop)
    }

    fn let_people_in(&mut self, tokens: Vec<String>) -> Outcome<()> {
        self.people = self.fresh_people(PEOPLE)?;
        let guest = json!({"IdentityPoolId": self.developer.pool_id});
        self.guests = members(&self.call("GetId", vec![guest; PEOPLE])?, "IdentityId")?;
        self.logged_in = self.link(tokens)?;
        let a_day = |person: &Person| {
            json!({
                "IdentityPoolId": self.developer.pool_id, "TokenDuration": 86_400,
                "Logins": {self.developer.provider.clone(): person.user},
            })
        };
        let answers = self.call("GetOpenIdTokenForDeveloperIdentity", self.people.iter().map(a_day))?;
        let pairs = members(&answers, "IdentityId")?.into_iter().zip(members(&answers, "Token")?);
        self.developer_tokens = pairs.map(|(identity_id, token)| Bearer { identity_id, token }).collect();
        Ok(())
    }

    /// The same people by exchanges, which a provider's logins are others for than a pool's.
    fn exchange(&self) -> Outcome<()> {
        let requests: Vec<Request> =
            self.logged_in.iter().map(|bearer| Request::exchange(&exchange(&bearer.token))).collect();
        send_all(&self.developer.url, &requests, CONNECTIONS).map(drop)
    }

    /// Gives some logins of the issuer identities.
    fn link(&self, tokens: Vec<String>) -> Outcome<Vec<Bearer>> {
        let (pool, issuer) = (&self.developer.pool_id, &self.issuer.name);
        let input = |token: &String| json!({"IdentityPoolId": pool, "Logins": {issuer.clone(): token}});
        let ids = members(&self.call("GetId", tokens.iter().map(input))?, "IdentityId")?;
        Ok(ids.into_iter().zip(tokens).map(|(identity_id, token)| Bearer { identity_id, token }).collect())
    }

    /// People with a login of the issuer that nobody needs afterwards.
    pub(crate) fn fresh_logins(&self, count: usize) -> Outcome<Vec<Bearer>> {
        self.link(self.strangers[..count].to_vec())
    }

    /// Developer users that nobody needs afterwards.
    pub(crate) fn fresh_people(&self, count: usize) -> Outcome<Vec<Person>> {
        crowd::add(&self.database, &self.developer.pool_id, count)
    }

    /// Pools that nobody needs afterwards.
    pub(crate) fn fresh_pools(&self, count: usize) -> Outcome<Vec<String>> {
        let mut settings = settings(&self.issuer.arn());
        settings["IdentityPoolTags"] = json!({"stage": "bench", "team": "speed"});
        members(&self.call("CreateIdentityPool", vec![settings; count])?, "IdentityPoolId")
    }

    /// Prepares what is not measured. A signature does no harm where none is needed.
    fn call(&self, operation: &str, inputs: impl IntoIterator<Item = Value>) -> Outcome<Vec<Vec<u8>>> {
        let request = |input: Value| self.developer.signed(COGNITO, Request::json(operation, &input));
        let requests = inputs.into_iter().map(request).collect::<Outcome<Vec<_>>>()?;
        send_all(&self.developer.url, &requests, CONNECTIONS)
    }
}

/// Those of a pool that knows an OpenID Connect provider.
pub(crate) fn settings(provider: &str) -> Value {
    json!({
        "IdentityPoolName": "of the bench", "AllowUnauthenticatedIdentities": false,
        "DeveloperProviderName": "login.example.com", "OpenIdConnectProviderARNs": [provider],
    })
}

/// What an app sends that has an ID token of the issuer.
pub(crate) fn exchange(token: &str) -> Value {
    json!({"provider": CLIENT, "id_token": token})
}

/// One member of each answer.
pub(crate) fn members(answers: &[Vec<u8>], name: &str) -> Outcome<Vec<String>> {
    let member = |answer: &Vec<u8>| {
        let answer: Value = serde_json::from_slice(answer)?;
        Ok(answer[name].as_str().ok_or_else(|| format!("an answer has no {name}"))?.to_owned())
    };
    answers.iter().map(member).collect()
}
