//! A broker of the tests' own, as small as one can be that keeps to the wire of sessions: tokens are numbers, and what
//! becomes of an answer is for the test to say.

#![allow(dead_code, reason = "two suites share it, and neither uses all of it")]
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

/// The code that counts.
pub const CODE: &str = "a-code-that-counts";

/// What becomes of one request at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is done, and the answer never arrives.
    Lost,
    /// It is not done: this status, and these headers.
    Status(u16, &'static str),
    /// The session is over, for this reason.
    Over(&'static str),
    /// It is done, and the answer waits until [`Broker::release`].
    Held,
}

#[derive(Debug, Default)]
struct State {
    generation: u64,
    lifetime: u64,
    asked: u32,
    rotated: u32,
    fates: VecDeque<Fate>,
    held: bool,
    released: bool,
    silent: bool,
    revoked: Vec<String>,
    forms: Vec<BTreeMap<String, String>>,
}

/// A running broker, which ends with the test.
#[derive(Debug, Clone)]
pub struct Broker {
    pub url: String,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Broker {
    /// One whose credentials live so many seconds.
    pub fn start(lifetime: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { lifetime, ..State::default() };
        let broker = Self { url, state: Arc::new((Mutex::new(state), Condvar::new())) };
        let serving = broker.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let broker = serving.clone();
                thread::spawn(move || broker.serve(stream));
            }
        });
        broker
    }

    /// The same broker by another address.
    pub fn under(&self, url: &str) -> Self {
        Self { url: url.into(), ..self.clone() }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let changed = change(&mut self.state.0.lock().unwrap());
        self.state.1.notify_all();
        changed
    }

    pub fn live_for(&self, lifetime: u64) {
        self.change(|state| state.lifetime = lifetime);
    }

    /// What becomes of the next requests; those after them are answered.
    pub fn next(&self, fates: &[Fate]) {
        self.change(|state| state.fates.extend(fates.iter().cloned()));
    }

    /// How often the token endpoint was asked, and how often a token was replaced by its successor.
    pub fn counts(&self) -> (u32, u32) {
        self.change(|state| (state.asked, state.rotated))
    }

    /// What was asked there.
    pub fn forms(&self) -> Vec<BTreeMap<String, String>> {
        self.change(|state| state.forms.clone())
    }

    /// What was ended: tokens, and "all" for everything.
    pub fn revoked(&self) -> Vec<String> {
        self.change(|state| state.revoked.clone())
    }

    /// Waits until an answer is held.
    pub fn wait_for_held(&self) {
        drop(self.state.1.wait_while(self.state.0.lock().unwrap(), |state| !state.held).unwrap());
    }

    pub fn release(&self) {
        self.change(|state| state.released = true);
    }

    /// From now on, connections end without an answer.
    pub fn fall_silent(&self) {
        self.change(|state| state.silent = true);
    }

    fn serve(&self, mut stream: TcpStream) {
        let Some((request, token, body)) = read(&stream) else { return };
        if self.change(|state| state.silent) {
            return;
        }
        let answer = match request.as_str() {
            "GET /.well-known/oauth-authorization-server" => {
                Some(ok(&format!(r#"{{"issuer":"{}"}}"#, self.url)))
            }
            "POST /oauth2/token" => self.token(&parse(&body)),
            "POST /oauth2/revoke" => Some(self.revoke(&parse(&body))),
            "DELETE /v1/sessions" => {
                self.change(|state| state.revoked.push("all".into()));
                Some(answer(204, "", ""))
            }
            "GET /v1/sessions" if self.counts_for(&token) => Some(ok(SESSIONS)),
            "GET /v1/sessions" => {
                Some(answer(401, "", r#"{"code":"refresh_token_refused","reason":"signed_out"}"#))
            }
            "GET /playground/config.json" => {
                Some(ok(r#"{"region":"us-east-1","s3_url":"http://127.0.0.1:9","bucket":"daypass-demo"}"#))
            }
            _ => Some(answer(404, "", "{}")),
        };
        if let Some(answer) = answer {
            let _ = stream.write_all(answer.as_bytes());
        }
    }

    fn revoke(&self, form: &BTreeMap<String, String>) -> String {
        if form["client_id"] != "terminal" {
            return answer(401, "", r#"{"error":"invalid_client","error_description":"no such app"}"#);
        }
        if form["token"].starts_with("dpr_") {
            self.change(|state| state.revoked.push(form["token"].clone()));
        }
        ok("")
    }

    fn counts_for(&self, token: &str) -> bool {
        self.change(|state| {
            token == format!("dpr_{}", state.generation) && !state.revoked.contains(&token.into())
        })
    }

    fn token(&self, form: &BTreeMap<String, String>) -> Option<String> {
        let fate = self.change(|state| {
            state.asked += 1;
            state.forms.push(form.clone());
            state.fates.pop_front()
        });
        match fate {
            Some(Fate::Status(status, headers)) => return Some(answer(status, headers, "{}")),
            Some(Fate::Over(reason)) => return Some(refused(reason)),
            _ => {}
        }
        let answered = self.change(|state| state.grant(form));
        match fate {
            Some(Fate::Lost) => None,
            Some(Fate::Held) => {
                self.change(|state| state.held = true);
                let held = self.state.0.lock().unwrap();
                drop(self.state.1.wait_while(held, |state| !state.released).unwrap());
                Some(answered)
            }
            _ => Some(answered),
        }
    }
}

impl State {
    fn grant(&mut self, form: &BTreeMap<String, String>) -> String {
        let token = form.get("refresh_token").map(String::as_str);
        match token.and_then(|token| token.strip_prefix("dpr_")?.parse::<u64>().ok()) {
            Some(given) if given == self.generation => {
                self.generation += 1;
                self.rotated += 1;
            }
            // The same successor again.
            Some(given) if given + 1 == self.generation => {}
            Some(_) => return refused("reused"),
            None if form.get("code").is_some_and(|code| code == CODE) => self.generation += 1,
            None => {
                return answer(400, "", r#"{"error":"invalid_grant","error_description":"no such code"}"#);
            }
        }
        ok(&self.answer())
    }

    fn answer(&self) -> String {
        let Self { generation, lifetime, .. } = self;
        format!(
            r#"{{"access_token":"an-access-token","token_type":"Bearer","expires_in":900,
            "refresh_token":"dpr_{generation}","refresh_expires_in":2592000,"identity_id":"us-east-1:ada",
            "identity_pool_id":"us-east-1:pool","region":"us-east-1","provider":"sandbox","user":{{"name":"Ada"}},
            "session_id":"a-session","credentials":{{"access_key_id":"ASIA{generation}",
            "secret_access_key":"the-secret-key-{generation}","session_token":"the-session-token-{generation}",
            "expiration":"2001-01-01T00:00:00Z","expires_in":{lifetime}}}}}"#
        )
    }
}

const SESSIONS: &str = r#"{"sessions":[{"id":"a-session","current":true,"app":"terminal","provider":"sandbox",
    "device":"Terminal on Linux","created_at":"2026-01-01T00:00:00Z","last_used_at":"2026-01-02T00:00:00Z",
    "expires_at":"2026-02-01T00:00:00Z"}]}"#;

fn ok(body: &str) -> String {
    answer(200, "", body)
}

fn refused(reason: &str) -> String {
    answer(400, "", &format!(r#"{{"error":"invalid_grant","error_description":"no","reason":"{reason}"}}"#))
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

/// The method and path of a request, its bearer token and its body.
fn read(stream: &TcpStream) -> Option<(String, String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut token) = (String::new(), 0, String::new());
    reader.read_line(&mut first).ok()?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().ok()?,
            "authorization" => value.strip_prefix("Bearer ")?.clone_into(&mut token),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let request = first.split(' ').take(2).collect::<Vec<_>>().join(" ");
    Some((request, token, String::from_utf8(body).ok()?))
}

fn parse(form: &str) -> BTreeMap<String, String> {
    form_urlencoded::parse(form.as_bytes()).into_owned().collect()
}
