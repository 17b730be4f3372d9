//! One client for all stores: signs every request (Signature Version 4, the payload unsigned), keeps its connection for
//! as long as the store does, streams bodies in and out, and compares what it reads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use super::stuff::{Span, Stuff, length};
use crate::Outcome;
use crate::http::header;

/// How often a store may say that it has too much to do.
const PATIENCE: u32 = 100;

/// Where a store answers, and who asks.
pub(super) struct Endpoint {
    /// With the port.
    pub host: String,
    pub region: String,
    pub credentials: Credentials,
    /// How often the store said that it had too much to do.
    pub sent_away: AtomicU32,
}

/// A request that is signed and ready to be sent.
pub(super) struct Request {
    head: String,
    sends: Body,
    /// What has to come back, where that is an object.
    fetches: Option<Span>,
}

/// What is sent.
pub(super) enum Body {
    Nothing,
    Content(Span),
    Document(String),
}

impl Body {
    fn length(&self) -> u64 {
        match self {
            Self::Nothing => 0,
            Self::Content(span) => length(span),
            Self::Document(text) => text.len() as u64,
        }
    }
}

impl Endpoint {
    pub fn put(&self, path: &str, span: Span) -> Outcome<Request> {
        self.request("PUT", path, Body::Content(span))
    }

    /// Gets an object that has to have this content.
    pub fn get(&self, path: &str, span: Span) -> Outcome<Request> {
        Ok(Request { fetches: Some(span), ..self.request("GET", path, Body::Nothing)? })
    }

    /// Signs a request for a path, with its query.
    pub fn request(&self, method: &str, path: &str, sends: Body) -> Outcome<Request> {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n",
            self.host,
            sends.length()
        );
        for (name, value) in self.signature(method, path)? {
            head.extend([&name, ": ", &value, "\r\n"]);
        }
        head.push_str("\r\n");
        Ok(Request { head, sends, fetches: None })
    }

    #[expect(clippy::disallowed_methods, reason = "a signature is as old as the server's real clock says")]
    fn signature(&self, method: &str, path: &str) -> Outcome<Vec<(String, String)>> {
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()?
            .into();
        let url = format!("http://{}{path}", self.host);
        let signable = SignableRequest::new(method, &url, std::iter::empty(), SignableBody::UnsignedPayload)?;
        let (signed, _) = sign(signable, &parameters)?.into_parts().0.into_parts();
        Ok(signed.iter().map(|header| (header.name().to_owned(), header.value().to_owned())).collect())
    }
}

/// What a store answered.
pub(super) struct Answer {
    head: String,
    /// Empty where the body was compared.
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }
}

/// A connection, made anew when the store has closed it: one that says that it will is taken at its word.
pub(super) struct Client<'a> {
    endpoint: &'a Endpoint,
    stuff: &'a Stuff,
    stream: Option<BufReader<TcpStream>>,
}

impl<'a> Client<'a> {
    pub fn of(endpoint: &'a Endpoint, stuff: &'a Stuff) -> Self {
        Self { endpoint, stuff, stream: None }
    }

    /// Sends a request, and reads what comes back, which has to be a success. A store that says that it has too much to do is
    /// asked again after a moment, as clients do; whoever measures counts the moment.
    pub fn send(&mut self, request: &Request) -> Outcome<Answer> {
        for _ in 0..PATIENCE {
            match self.try_to_send(request)? {
                Ok(answer) => return Ok(answer),
                Err(refusal) if refusal.contains("SlowDown") => {
                    self.endpoint.sent_away.fetch_add(1, Ordering::Relaxed);
                    pause();
                }
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Err("a store has too much to do all the time".into())
    }

    /// The answer, or how the store refused.
    fn try_to_send(&mut self, request: &Request) -> Outcome<Result<Answer, String>> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(&self.endpoint.host)?,
        };
        self.write(request, stream.get_mut())?;
        let head = read_head(&mut stream)?;
        if !head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
            let why = String::from_utf8(read_body(&head, &mut stream)?)?;
            let asked = request.head.lines().next().unwrap_or_default();
            return Ok(Err(format!("to {asked:?} the store answered {head:?}: {why}")));
        }
        let body = match request.fetches.clone() {
            Some(span) => self.compare(span, &head, &mut stream)?,
            None => read_body(&head, &mut stream)?,
        };
        let closes = header(&head, "connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        self.stream = Some(stream).filter(|_| !closes);
        Ok(Ok(Answer { head, body }))
    }

    fn write(&self, request: &Request, stream: &mut TcpStream) -> Outcome<()> {
        // What is small goes as one packet.
        let mut first = request.head.clone().into_bytes();
        match &request.sends {
            Body::Content(span) if length(span) > 64 * 1024 => {
                stream.write_all(&first)?;
                return self.stuff.write(span.clone(), stream);
            }
            Body::Content(span) => self.stuff.write(span.clone(), &mut first)?,
            Body::Document(text) => first.extend_from_slice(text.as_bytes()),
            Body::Nothing => (),
        }
        Ok(stream.write_all(&first)?)
    }

    fn compare(&self, span: Span, head: &str, stream: &mut BufReader<TcpStream>) -> Outcome<Vec<u8>> {
        let said = header(head, "content-length").and_then(|value| value.parse().ok());
        if said != Some(length(&span)) {
            return Err(format!("an object of {} bytes is answered with {said:?}", length(&span)).into());
        }
        self.stuff.compare(span, stream)?;
        Ok(Vec::new())
    }
}

#[expect(clippy::disallowed_methods, reason = "a store that has too much to do is given a moment")]
fn pause() {
    thread::sleep(Duration::from_millis(100));
}

fn connect(host: &str) -> Outcome<BufReader<TcpStream>> {
    let stream = TcpStream::connect(host)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn read_head(stream: &mut impl BufRead) -> Outcome<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Err("the store closed the connection".into());
        }
    }
    Ok(head)
}

fn read_body(head: &str, stream: &mut impl BufRead) -> Outcome<Vec<u8>> {
    if header(head, "transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        return read_chunks(stream);
    }
    let mut body = vec![0; header(head, "content-length").unwrap_or("0").parse()?];
    stream.read_exact(&mut body)?;
    Ok(body)
}

fn read_chunks(stream: &mut impl BufRead) -> Outcome<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim().split(';').next().unwrap_or_default(), 16)?;
        (&mut *stream).take(size).read_to_end(&mut body)?;
        stream.read_line(&mut line)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// Has `connections` clients work at the same time, each told its number.
pub(super) fn together<T: Send>(
    connections: usize,
    work: impl Fn(usize) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    thread::scope(|scope| {
        let work = &work;
        let clients: Vec<_> = (0..connections).map(|number| scope.spawn(move || work(number))).collect();
        clients.into_iter().map(|client| client.join().map_err(|_| "a client panicked")?).collect()
    })
}

/// Sends requests over some connections, dealt out to them like cards. Every answer is looked at.
pub(super) fn send_all(
    endpoint: &Endpoint,
    stuff: &Stuff,
    requests: &[Request],
    connections: usize,
    look: impl Fn(&Answer) -> Outcome<()> + Sync,
) -> Outcome<()> {
    let work = |first| -> Outcome<()> {
        let mut client = Client::of(endpoint, stuff);
        let mut mine = requests.iter().skip(first).step_by(connections);
        mine.try_for_each(|request| look(&client.send(request)?))
    };
    together(connections, work).map(drop)
}

#[cfg(test)]
mod tests {
    use super::{read_body, read_head};

    #[test]
    fn a_body_is_read_by_its_length_and_in_chunks() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP";
        let chunks =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\nHTTP";
        for mut answer in [&whole[..], &chunks[..]] {
            let head = read_head(&mut answer).unwrap();
            assert_eq!(read_body(&head, &mut answer).unwrap(), b"abc");
            assert_eq!(answer, b"HTTP");
        }
    }
}
