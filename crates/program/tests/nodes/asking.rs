//! The AWS API, asked by whoever has a developer's key.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use daypass_core::ground::clock::{Clock, SystemClock};
use http::{HeaderName, HeaderValue, Request};
use serde_json::Value;

use crate::signer::{Credentials, Signer};

/// Longer than a node lets a question take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A developer.
#[derive(Clone)]
pub struct Backend(Credentials);

impl Backend {
    /// By the block that `daypass key create` prints.
    pub fn of(block: &str) -> Self {
        let value = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
            line.unwrap_or_else(|| panic!("no {name} in {block}")).to_owned()
        };
        Self(Credentials::of_developer(&value("aws_access_key_id"), &value("aws_secret_access_key")))
    }

    pub fn key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// An operation, signed.
    ///
    /// # Errors
    /// [`Unanswered`]
    pub fn ask(&self, node: SocketAddr, operation: &str, body: &Value) -> Result<Answer, Unanswered> {
        let target = format!("AWSCognitoIdentityService.{operation}");
        let request = Request::post("/")
            .header("host", node.to_string())
            .header("content-type", "application/x-amz-json-1.1")
            .header("x-amz-target", target)
            .body(body.to_string())
            .unwrap();
        let signer = Signer {
            credentials: &self.0,
            service: "cognito-identity",
            region: "eu-west-1",
            at: SystemClock.now(),
        };
        ask(node, &signer.sign(request))
    }
}

/// What a node answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// What is no JSON is a text.
    pub body: Value,
    /// By which the audit trail knows the request.
    pub request_id: String,
}

impl Answer {
    /// The exception that an operation ended with, if it did.
    pub fn exception(&self) -> Option<&str> {
        self.body["__type"].as_str()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// The question reached nobody.
    Unasked,
    /// Nobody knows what became of it.
    Lost,
}

/// Any request.
///
/// # Errors
/// [`Unanswered`]
pub fn ask(node: SocketAddr, request: &Request<String>) -> Result<Answer, Unanswered> {
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}\r\n", value.to_str().unwrap());
    let headers: String = request.headers().iter().map(header).collect();
    let (method, uri, body) = (request.method(), request.uri(), request.body());
    let text = format!(
        "{method} {uri} HTTP/1.1\r\n{headers}connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let stream = TcpStream::connect(node).map_err(|_| Unanswered::Unasked)?;
    let answer = exchange(stream, &text).map_err(|_| Unanswered::Lost)?;
    // A node that was killed may have written a part.
    read(&answer).ok_or(Unanswered::Lost)
}

fn exchange(mut stream: TcpStream, text: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn read(answer: &str) -> Option<Answer> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let header = |wanted: &str| {
        let headers = head.lines().filter_map(|line| line.split_once(": "));
        headers.into_iter().find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    };
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = header("content-length").map_or(Some(0), |length| length.parse().ok())?;
    let body = body.get(..length)?;
    let request_id = header("x-amzn-requestid")?.to_owned();
    let body = serde_json::from_str(body).unwrap_or_else(|_| body.into());
    Some(Answer { status, body, request_id })
}
