//! As much HTTP/1.1 as it takes to post to one server over a connection that stays open. A real client
//! library would work at the server's expense for the same two cores.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::Outcome;

pub(crate) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
    /// Whether the server has said that it closes the stream after its last answer, as some emulators do each time.
    ended: bool,
    /// For how long an answer is waited for, if not for ever.
    patience: Option<Duration>,
}

impl Connection {
    /// Connects to the server at `url`, of which only the authority counts.
    pub(crate) fn open(url: &str) -> Outcome<Self> {
        Self::open_with(url, None)
    }

    /// The same for a client that gives up when nothing comes for so long. After that, the connection is of no use.
    pub(crate) fn impatient(url: &str, patience: Duration) -> Outcome<Self> {
        Self::open_with(url, Some(patience))
    }

    fn open_with(url: &str, patience: Option<Duration>) -> Outcome<Self> {
        let host = url.strip_prefix("http://").ok_or("the server speaks plain HTTP on loopback")?;
        let host = host.split('/').next().unwrap_or(host).to_owned();
        let stream = connect(&host, patience)?;
        Ok(Self { host, stream, ended: false, patience })
    }

    /// Posts `body` and answers the response's status, head and body.
    pub(crate) fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Outcome<Response> {
        self.request("POST", path, headers, body)
    }

    /// Gets `path`.
    pub(crate) fn get(&mut self, path: &str) -> Outcome<Response> {
        self.request("GET", path, &[], &[])
    }

    /// The same with any method.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Outcome<Response> {
        let length = body.len();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nhost: {}\r\ncontent-length: {length}\r\n", self.host);
        for (name, value) in headers {
            request.extend([name, ": ", value, "\r\n"]);
        }
        let mut request = (request + "\r\n").into_bytes();
        request.extend_from_slice(body);
        self.send(&request)
    }

    fn send(&mut self, request: &[u8]) -> Outcome<Response> {
        if self.ended {
            self.stream = connect(&self.host, self.patience)?;
        }
        self.stream.get_mut().write_all(request)?;
        let response = self.read_response()?;
        self.ended = response.header("connection").is_some_and(|it| it.eq_ignore_ascii_case("close"));
        Ok(response)
    }

    fn read_response(&mut self) -> Outcome<Response> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err("the server closed the connection".into());
            }
        }
        let status = head.split(' ').nth(1).ok_or("no status line")?.parse()?;
        let length = header(&head, "content-length").unwrap_or("0").parse()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Response { status, head, body })
    }
}

fn connect(host: &str, patience: Option<Duration>) -> Outcome<BufReader<TcpStream>> {
    let stream = match patience {
        None => TcpStream::connect(host)?,
        Some(patience) => {
            let address = host.to_socket_addrs()?.next().ok_or("the host has no address")?;
            TcpStream::connect_timeout(&address, patience)?
        }
    };
    stream.set_read_timeout(patience)?;
    stream.set_write_timeout(patience)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        header(&self.head, name)
    }

    /// The body of an answer that is a success; a benchmark of refusals would be fast and worthless.
    pub(crate) fn success(self) -> Outcome<Vec<u8>> {
        if self.status == 200 {
            return Ok(self.body);
        }
        Err(format!("the server answered {}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

/// The value of a header, whatever its case.
pub(crate) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn a_header_is_found_whatever_its_case() {
        let head = "HTTP/1.1 302 Found\r\nLocation: http://a/?x#y\r\nCONTENT-LENGTH: 0\r\n\r\n";
        assert_eq!(header(head, "location"), Some("http://a/?x#y"));
        assert_eq!(header(head, "content-length"), Some("0"));
        assert_eq!(header(head, "etag"), None);
    }
}
