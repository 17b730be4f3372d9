//! What an app does without a browser: logs a person in at the sandbox by a form post, with PKCE, and trades
//! the code for an identity at `/v1/exchange`.

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use crate::server::Daypass;

/// PKCE asks for 43 characters that nobody guesses; no attacker takes part in these tests.
const VERIFIER: &str = "a-code-verifier-of-more-than-forty-three-characters";

/// Somebody who logged in.
pub struct Person {
    pub identity_id: String,
    pub token: String,
}

/// The whole login of one of the sandbox's people.
pub async fn log_in(daypass: &Daypass, name: &str) -> Person {
    let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let redirect_uri = format!("{}/", daypass.says("server_url"));
    let code = consent(&http, &snapchat(&http, daypass).await, name, &redirect_uri).await;
    let proof = json!({
        "provider": "snapchat", "code": code, "code_verifier": VERIFIER, "redirect_uri": redirect_uri
    });
    let exchange = http.post(format!("{redirect_uri}v1/exchange")).header(CONTENT_TYPE, "application/json");
    let answer = json_of(exchange.body(proof.to_string())).await;
    let member = |name: &str| answer[name].as_str().unwrap().to_owned();
    Person { identity_id: member("identity_id"), token: member("token") }
}

/// What a login page may know of the provider.
async fn snapchat(http: &Client, daypass: &Daypass) -> Value {
    let answer = json_of(http.get(format!("{}/v1/providers", daypass.says("server_url")))).await;
    let providers = answer["providers"].as_array().unwrap();
    providers.iter().find(|provider| provider["id"] == "snapchat").unwrap().clone()
}

/// Posts the form of the consent page, and answers the code with which the person is sent back.
async fn consent(http: &Client, provider: &Value, name: &str, redirect_uri: &str) -> String {
    let member = |name: &str| provider[name].as_str().unwrap();
    let challenge = digest::digest(&digest::SHA256, VERIFIER.as_bytes());
    let mut form = Serializer::new(String::new());
    form.append_pair("response_type", "code")
        .append_pair("client_id", member("client_id"))
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", member("scope"))
        .append_pair("state", "a-state")
        .append_pair("code_challenge", &BASE64_URL_SAFE_NO_PAD.encode(challenge))
        .append_pair("code_challenge_method", "S256")
        .append_pair("person", name)
        .append_pair("decision", "allow")
        .extend_pairs(member("scope").split(' ').map(|scope| ("share", scope)));
    let request = http.post(member("authorization_endpoint"));
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish());
    let answer = request.send().await.unwrap();
    let back = Url::parse(answer.headers()[LOCATION].to_str().unwrap()).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").expect("the sandbox sends a code").1;
    code.into_owned()
}

async fn json_of(request: reqwest::RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
}
