//! HTTP/1.1 as the SDK and the emulator speak it, for whoever sits between them.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A head, line by line without the one that says how long the body is, and the body.
pub struct Message {
    pub lines: Vec<String>,
    pub body: Vec<u8>,
}

pub async fn read(from: &mut BufReader<TcpStream>) -> Option<Message> {
    let (mut lines, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        match line.to_ascii_lowercase().strip_prefix("content-length:") {
            Some(told) => length = told.trim().parse().unwrap(),
            None => lines.push(line),
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await.ok()?;
    Some(Message { lines, body })
}

pub async fn write(to: &mut BufReader<TcpStream>, message: &Message) {
    let head = format!("{}\r\ncontent-length: {}\r\n\r\n", message.lines.join("\r\n"), message.body.len());
    // Who asked may be gone.
    let _ = to.write_all(&[head.as_bytes(), &message.body].concat()).await;
}
