//! Sits in front of the emulator, has it say what each answer costs, and adds that up.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};

use crate::wire::{read, write};

/// Units, as DynamoDB counts them.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Units {
    pub read: f64,
    pub written: f64,
}

/// What was counted since it was last asked.
pub struct Counter {
    pub endpoint: String,
    counted: Arc<Mutex<Units>>,
}

impl Counter {
    pub async fn in_front_of(emulator: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (emulator, counted) = (emulator.trim_start_matches("http://").to_owned(), Arc::default());
        let adding = Arc::clone(&counted);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, emulator.clone(), Arc::clone(&adding)));
            }
        });
        Self { endpoint, counted }
    }

    pub fn take(&self) -> Units {
        std::mem::take(&mut self.counted.lock().unwrap())
    }
}

async fn serve(client: TcpStream, emulator: String, counted: Arc<Mutex<Units>>) {
    let (mut client, mut server) =
        (BufReader::new(client), BufReader::new(TcpStream::connect(emulator).await.unwrap()));
    while let Some(mut asked) = read(&mut client).await {
        let mut body: Value = serde_json::from_slice(&asked.body).unwrap();
        body["ReturnConsumedCapacity"] = "TOTAL".into();
        asked.body = serde_json::to_vec(&body).unwrap();
        let is_read = asked.lines.iter().any(|line| is_reading(line));
        write(&mut server, &asked).await;
        let answered = read(&mut server).await.unwrap();
        let answer: Value = serde_json::from_slice(&answered.body).unwrap();
        let units = units(&answer["ConsumedCapacity"]);
        {
            let mut counted = counted.lock().unwrap();
            *(if is_read { &mut counted.read } else { &mut counted.written }) += units;
        }
        write(&mut client, &answered).await;
    }
}

fn is_reading(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let asked = line.strip_prefix("x-amz-target:");
    asked.is_some_and(|asked| asked.contains("get") || asked.contains("query"))
}

/// One table's, or a list of them.
fn units(capacity: &Value) -> f64 {
    match capacity {
        Value::Array(tables) => tables.iter().map(units).sum(),
        table => table["CapacityUnits"].as_f64().unwrap_or(0.0),
    }
}
