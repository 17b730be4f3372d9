//! An OpenID Connect provider, as small as the server lets it be: a key set at one address, and ID tokens.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::json;

use crate::Outcome;

pub(crate) const CLIENT: &str = "daypass-bench";
const DAY: u64 = 24 * 60 * 60;

pub(crate) struct Issuer {
    /// Its key in `Logins`: host and port.
    pub(crate) name: String,
    pair: KeyPair,
}

impl Issuer {
    /// Starts one, which answers for its keys until the process ends.
    pub(crate) fn start() -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let issuer = Self::generate(listener.local_addr()?.to_string())?;
        let keys = issuer.key_set();
        thread::spawn(move || listener.incoming().flatten().try_for_each(|stream| answer(stream, &keys)));
        Ok(issuer)
    }

    /// One of this name, whose keys are published by whoever made it.
    pub(crate) fn generate(name: String) -> Outcome<Self> {
        Ok(Self { name, pair: KeyPair::generate(KeySize::Rsa2048)? })
    }

    /// What the server has to be told about it.
    pub(crate) fn configuration(&self) -> String {
        format!(
            "[[oidc_provider]]\narn = {:?}\nissuer = \"http://{name}\"\naudiences = [\"{CLIENT}\"]\n\
             jwks_uri = \"http://{name}/keys\"\n",
            self.arn(),
            name = self.name
        )
    }

    /// The same issuer as a provider for exchanges, which is called [`CLIENT`] as well.
    pub(crate) fn provider(&self, secret: &Path) -> String {
        format!(
            "[[provider]]\nid = {CLIENT:?}\ncatalogue = \"facebook\"\nclient_id = {CLIENT:?}\n\
             client_secret = {{ file = \"{}\" }}\nid_token.issuers = [\"http://{name}\"]\n\
             id_token.keys.jwks = \"http://{name}/keys\"\nid_token.nonce = \"none\"\n",
            secret.display(),
            name = self.name
        )
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::000000000000:oidc-provider/{}", self.name)
    }

    /// A day's ID token of a person, signed with RS256 as those of most providers.
    #[expect(clippy::disallowed_methods, reason = "a token lives by the server's real clock")]
    pub(crate) fn token(&self, subject: &str) -> Outcome<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({"alg": "RS256", "kid": "bench", "typ": "JWT"});
        let claims = json!({
            "iss": format!("http://{}", self.name), "sub": subject, "aud": CLIENT, "iat": now, "exp": now + DAY,
            "email": format!("{subject}@example.com"), "email_verified": true, "nonce": "n-0S6_WzA2Mj",
        });
        let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)?;
        Ok(format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }

    pub(crate) fn key_set(&self) -> String {
        let key = self.pair.public_key();
        let (n, e) = (key.modulus(), key.exponent());
        let [n, e] = [n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero()]
            .map(|number| BASE64_URL_SAFE_NO_PAD.encode(number));
        json!({"keys": [{"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "bench", "n": n, "e": e}]})
            .to_string()
    }
}

/// Answers whatever is asked with the keys.
fn answer(stream: TcpStream, keys: &str) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line)? > 2 {
        line.clear();
    }
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    write!(stream.get_mut(), "{head}\r\ncontent-length: {}\r\n\r\n{keys}", keys.len())
}
