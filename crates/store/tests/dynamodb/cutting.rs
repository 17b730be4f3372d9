//! Sits in front of the emulator, which takes whole batches, and has it take a part of each, as a table does that has no room for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{Message, read, write};

pub struct Cutter {
    pub endpoint: String,
    most: Arc<AtomicUsize>,
}

impl Cutter {
    pub async fn in_front_of(emulator: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (emulator, most) = (emulator.trim_start_matches("http://").to_owned(), Arc::default());
        let cutting = Arc::clone(&most);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, emulator.clone(), Arc::clone(&cutting)));
            }
        });
        Self { endpoint, most }
    }

    /// So many of each batch at most, from now on.
    pub fn takes(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }
}

async fn serve(client: TcpStream, emulator: String, most: Arc<AtomicUsize>) {
    let (mut client, mut server) =
        (BufReader::new(client), BufReader::new(TcpStream::connect(emulator).await.unwrap()));
    while let Some(mut asked) = read(&mut client).await {
        let left = if is_batch(&asked) { cut(&mut asked, most.load(Ordering::Relaxed)) } else { json!({}) };
        let mut answered = if asked.body.is_empty() {
            Message { lines: vec!["HTTP/1.1 200 OK".into()], body: b"{}".to_vec() }
        } else {
            write(&mut server, &asked).await;
            read(&mut server).await.unwrap()
        };
        if left != json!({}) {
            let mut answer: Value = serde_json::from_slice(&answered.body).unwrap();
            answer["UnprocessedItems"] = left;
            answered.body = serde_json::to_vec(&answer).unwrap();
        }
        write(&mut client, &answered).await;
    }
}

fn is_batch(asked: &Message) -> bool {
    asked.lines.iter().any(|line| line.to_ascii_lowercase().ends_with(".batchwriteitem"))
}

/// Takes from a batch, which is of one table, what is too much, and all of the body where nothing is left to ask for.
fn cut(asked: &mut Message, most: usize) -> Value {
    let mut body: Value = serde_json::from_slice(&asked.body).unwrap();
    let (table, writes) = body["RequestItems"].as_object_mut().unwrap().iter_mut().next().unwrap();
    let writes = writes.as_array_mut().unwrap();
    let left = writes.split_off(most.min(writes.len()));
    let is_empty = writes.is_empty();
    let left = if left.is_empty() { json!({}) } else { json!({ table: left }) };
    asked.body = if is_empty { Vec::new() } else { serde_json::to_vec(&body).unwrap() };
    left
}
