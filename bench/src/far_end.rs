//! As much of an HTTP/1.1 server as it takes to stand in for something far away: a thread for each connection, which
//! stays open.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use crate::Outcome;

/// What was asked.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The access token, where one came along.
    pub(crate) token: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// More of a head than a status of 200, and a body.
pub(crate) type Answer = (String, Vec<u8>);

/// Starts a server that answers until the process ends, and tells its host and port.
pub(crate) fn start(answer: impl Fn(Asked) -> Answer + Send + Sync + 'static) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let host = listener.local_addr()?.to_string();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || serve(stream, &*answer));
        }
    });
    Ok(host)
}

fn serve(stream: TcpStream, answer: &dyn Fn(Asked) -> Answer) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    while let Some(asked) = read(&mut stream)? {
        let (head, body) = answer(asked);
        let mut response =
            format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
        response.extend(body);
        stream.get_mut().write_all(&response)?;
    }
    Ok(())
}

/// `None` at the connection's end.
fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Asked>> {
    let (mut head, mut line) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        head.push_str(&line);
    }
    let lower = head.to_ascii_lowercase();
    let value = |name: &str| lower.split_once(name).and_then(|(_, rest)| rest.lines().next()).map(str::trim);
    let token = value("authorization: bearer").map(str::to_owned);
    let mut body = vec![0; value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let mut words = head.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    Ok(Some(Asked { method: word(), path: word(), token, body }))
}
