//! An emulator of DynamoDB, and the way to it, on which units are counted: each question asks for what it costs
//! (`ReturnConsumedCapacity`), which production does not.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use super::meter::Meter;
use crate::Outcome;
use crate::http::header;
use crate::others::{self, Running};
use crate::prepared::prepared;

/// It says so when its port answers.
const LISTENS: &str = "listening on";

/// Ends before its folder goes.
pub(super) struct Emulator {
    address: String,
    _server: Running,
    _folder: TempDir,
}

impl Emulator {
    /// It takes a port by its number only.
    pub(super) fn start() -> Outcome<Self> {
        let (program, folder) = (PathBuf::from(prepared("DYNOXIDE")?), tempfile::tempdir()?);
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(program);
        command.args(["--host", "127.0.0.1", "--port", &address.port().to_string()]);
        let (server, _) = others::start(&mut command, folder.path(), LISTENS)?;
        Ok(Self { address: address.to_string(), _server: server, _folder: folder })
    }

    /// The URL of a table, by a way on which units are counted until the process ends.
    pub(super) fn counted_url(&self, meter: &Meter) -> Outcome<String> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("dynamodb:daypass?region=eu-west-1&endpoint=http://{}", listener.local_addr()?);
        let (emulator, meter) = (self.address.clone(), meter.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (emulator, meter) = (emulator.clone(), meter.clone());
                thread::spawn(move || pass(client, &emulator, &meter));
            }
        });
        Ok(url)
    }
}

/// Until one of the two ends it.
fn pass(client: TcpStream, emulator: &str, meter: &Meter) -> io::Result<()> {
    let server = TcpStream::connect(emulator)?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut client, mut server) = (BufReader::new(client), BufReader::new(server));
    while let Some(mut asked) = Message::read(&mut client)? {
        asked.ask_for_units()?;
        asked.write(server.get_mut())?;
        let answered = Message::read(&mut server)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let units = answered.units();
        meter.add(if asked.reads() { [units, 0.0] } else { [0.0, units] });
        answered.write(client.get_mut())?;
    }
    Ok(())
}

/// Of HTTP/1.1, its head without the line that says how long the body is.
struct Message {
    head: String,
    body: Vec<u8>,
}

impl Message {
    /// `None` at the connection's end.
    fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Self>> {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match header(&line, "content-length") {
                Some(told) => length = told.parse().map_err(io::Error::other)?,
                None if line == "\r\n" => break,
                None => head += &line,
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Some(Self { head, body }))
    }

    fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        let head = format!("{}content-length: {}\r\n\r\n", self.head, self.body.len());
        stream.write_all(&[head.as_bytes(), &self.body].concat())
    }

    fn ask_for_units(&mut self) -> io::Result<()> {
        let mut body: Value = serde_json::from_slice(&self.body)?;
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        self.body = serde_json::to_vec(&body)?;
        Ok(())
    }

    fn reads(&self) -> bool {
        let asked = header(&self.head, "x-amz-target").unwrap_or_default();
        ["Get", "Query", "Scan"].iter().any(|reading| asked.contains(reading))
    }

    fn units(&self) -> f64 {
        let answer: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        units(&answer["ConsumedCapacity"])
    }
}

/// One table's, or a list of them.
fn units(capacity: &Value) -> f64 {
    match capacity {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    fn message(target: &str, body: &str) -> Message {
        let head = format!("POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.{target}\r\n");
        Message { head, body: body.into() }
    }

    #[test]
    fn units_are_added_up_over_tables_and_told_apart_by_the_question() {
        for (target, reads) in
            [("BatchGetItem", true), ("Query", true), ("TransactWriteItems", false), ("PutItem", false)]
        {
            assert_eq!(message(target, "").reads(), reads, "{target}");
        }
        let both = r#"{"ConsumedCapacity":[{"CapacityUnits":1.5},{"CapacityUnits":2}]}"#;
        let one = r#"{"ConsumedCapacity":{"TableName":"daypass","CapacityUnits":4}}"#;
        let refused = r#"{"__type":"ConditionalCheckFailedException"}"#;
        assert_eq!(
            [both, one, refused].map(|body| message("", body).units()).map(f64::to_bits),
            [3.5, 4.0, 0.0].map(f64::to_bits)
        );
        let mut asked = message("PutItem", r#"{"TableName":"daypass"}"#);
        asked.ask_for_units().unwrap();
        let asked: serde_json::Value = serde_json::from_slice(&asked.body).unwrap();
        assert_eq!(asked, serde_json::json!({"TableName": "daypass", "ReturnConsumedCapacity": "TOTAL"}));
    }
}
