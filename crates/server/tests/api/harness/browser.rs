//! A browser that signs in by the hosted flow: it keeps cookies, follows nothing by itself, and says what it got.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_development::sandbox::Scope;
use http::{HeaderValue, Request};
use serde_json::{Value, json};

use super::{Answer, Daypass, IDP, SERVER};

/// Where the app of these tests gets its codes.
pub const APP_REDIRECT_URI: &str = "https://shop.example/signed-in";

/// What an app asks for, and the verifier that it keeps.
#[derive(Debug, Clone)]
pub struct Wishes {
    pub members: BTreeMap<&'static str, String>,
    pub code_verifier: String,
}

impl Wishes {
    pub fn new() -> Self {
        let code_verifier = "v".repeat(43);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, code_verifier.as_bytes()));
        let members = [
            ("app", "shop".to_owned()),
            ("redirect_uri", APP_REDIRECT_URI.to_owned()),
            ("state", "the app's & own".to_owned()),
            ("code_challenge", challenge),
        ];
        Self { members: members.into(), code_verifier }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.members.insert(name, value.to_owned());
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.members.remove(name);
        self
    }

    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.members).finish()
    }

    /// The body of an exchange of the code that came of it.
    pub fn redemption(&self, code: &str) -> Value {
        json!({"login_code": code, "code_verifier": self.code_verifier, "app": self.members["app"],
            "redirect_uri": self.members["redirect_uri"]})
    }

    /// The form of the token endpoint, of the same code.
    pub fn form<'a>(&'a self, code: &'a str) -> Vec<(&'static str, &'a str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("client_id", &self.members["app"]),
            ("redirect_uri", &self.members["redirect_uri"]),
            ("code_verifier", &self.code_verifier),
        ]
    }
}

/// One person's browser.
pub struct Browser<'a> {
    pub daypass: &'a Daypass,
    pub cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    pub fn new(daypass: &'a Daypass) -> Self {
        Self { daypass, cookies: BTreeMap::new() }
    }

    /// Asks our server, with the cookies that it set.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    /// The same with any request.
    pub async fn send(&mut self, mut request: Request<String>) -> Answer {
        if !self.cookies.is_empty() {
            let pairs: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request.headers_mut().insert("cookie", pairs.join("; ").parse().unwrap());
        }
        let answer = self.daypass.send(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            self.keep(cookie);
        }
        answer
    }

    fn keep(&mut self, cookie: &HeaderValue) {
        let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if attributes.contains("Max-Age=0;") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Starts a login; answers the address at the provider.
    pub async fn start(&mut self, provider: &str, wishes: &Wishes) -> String {
        let answer = self.get(&format!("/login/{provider}?{}", wishes.query())).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let location = answer.header("location").to_owned();
        assert!(location.starts_with(&format!("{IDP}/accounts/oauth2/auth?")), "{location}");
        location
    }

    /// Decides on the provider's page; answers the path of our callback, with what the provider says.
    pub async fn consent(&self, location: &str, person: &str, decision: &str) -> String {
        self.decide(location, person, &Scope::ALL, decision).await
    }

    /// Allows what is shared and nothing else.
    pub async fn consent_sharing(&self, location: &str, person: &str, shared: &[Scope]) -> String {
        self.decide(location, person, shared, "allow").await
    }

    async fn decide(&self, location: &str, person: &str, shared: &[Scope], decision: &str) -> String {
        let (_, query) = location.split_once('?').unwrap();
        let mut form: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        form.extend(shared.iter().map(|scope| ("share".to_owned(), scope.url().to_owned())));
        form.extend([("person", person), ("decision", decision)].map(|(n, v)| (n.to_owned(), v.to_owned())));
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.daypass.ask_sandbox("/accounts/oauth2/auth", &form).await;
        let location = answer.header("location");
        location.strip_prefix(SERVER).unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    /// Goes as far as the callback, and does not go there.
    pub async fn come_back(&mut self, wishes: &Wishes) -> String {
        let location = self.start("snapchat", wishes).await;
        self.consent(&location, "ada", "allow").await
    }

    /// The whole way; answers the one-time code.
    pub async fn sign_in(&mut self, wishes: &Wishes) -> String {
        let callback = self.come_back(wishes).await;
        let answer = self.get(&callback).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        parameter(answer.header("location"), "code")
    }
}

/// A parameter of an address.
pub fn parameter(address: &str, name: &str) -> String {
    let (_, query) = address.split_once('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {address}")).1.into_owned()
}
