//! A public provider, whose people are numbered.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use daypass_core::ground::clock::SystemClock;
use daypass_core::login::public::testing;
use serde_json::{Value, json};

use super::history::User;

const CLIENT: &str = "app";

pub struct Issuer(Arc<testing::Issuer>);

impl Issuer {
    /// It ends with the tests.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = testing::Issuer::new(&url, Arc::new(SystemClock));
        let keys = json!({"keys": [issuer.jwk()]}).to_string();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // Whoever asked may have been killed meanwhile.
                let _ = publish(stream, &keys);
            }
        });
        Self(issuer)
    }

    /// The table of the configuration that has it trusted.
    pub fn table(&self) -> String {
        format!(
            "[[oidc_provider]]\narn = {:?}\nissuer = {:?}\naudiences = [{CLIENT:?}]\njwks_uri = {:?}\n",
            self.arn(),
            self.0.issuer(),
            self.0.jwks_url()
        )
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:iam::123456789012:oidc-provider/{}", self.key())
    }

    /// Its key in `Logins`.
    pub fn key(&self) -> &str {
        self.0.issuer().trim_start_matches("http://")
    }

    pub fn login(&self, user: User) -> Value {
        self.0.id_token(&public_name(user), CLIENT, json!({})).expose().into()
    }
}

/// What the provider calls somebody.
pub fn public_name(user: User) -> String {
    format!("public-{user}")
}

fn publish(mut stream: TcpStream, keys: &str) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let length = keys.len();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{keys}"
    )
}
