//! The way to PostgreSQL, on which round trips and bytes are counted: each `Sync` is a question that somebody waits for.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

use super::meter::Meter;
use crate::Outcome;
use crate::statistics::as_float;

/// What a message of the client's is, by its first byte.
const SYNC: u8 = b'S';

/// Opens a port that leads to a socket until the process ends, and tells its address.
pub(super) fn open(socket: PathBuf, meter: &Meter) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (address, meter) = (listener.local_addr()?.to_string(), meter.clone());
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            // Who is not let in hears of it by the end of the connection.
            let Ok(server) = UnixStream::connect(&socket) else { continue };
            let meter = meter.clone();
            thread::spawn(move || pass(&client, &server, &meter));
        }
    });
    Ok(address)
}

/// Until one of the two ends it.
fn pass(client: &TcpStream, server: &UnixStream, meter: &Meter) -> io::Result<()> {
    client.set_nodelay(true)?;
    thread::scope(|scope| {
        scope.spawn(|| {
            let passed = answers(client, server, meter);
            client.shutdown(Shutdown::Both).and(passed)
        });
        let passed = questions(client, server, meter);
        server.shutdown(Shutdown::Both).and(passed)
    })
}

fn answers(mut client: &TcpStream, mut server: &UnixStream, meter: &Meter) -> io::Result<()> {
    let mut some = vec![0; 1 << 16];
    loop {
        let read = server.read(&mut some)?;
        if read == 0 {
            return Ok(());
        }
        meter.add([0.0, as_float(read)]);
        client.write_all(&some[..read])?;
    }
}

fn questions(mut client: &TcpStream, mut server: &UnixStream, meter: &Meter) -> io::Result<()> {
    let (mut some, mut messages) = (vec![0; 1 << 16], Messages::default());
    loop {
        let read = client.read(&mut some)?;
        if read == 0 {
            return Ok(());
        }
        // Counted before it is answered.
        meter.add([as_float(messages.syncs_in(&some[..read])), as_float(read)]);
        server.write_all(&some[..read])?;
    }
}

/// Finds where messages begin, however they come in pieces: the first has a length, all others a kind before it.
#[derive(Default)]
struct Messages {
    begun: bool,
    /// As much of a message's beginning as was seen.
    head: Vec<u8>,
    /// Bytes of its rest that are to come.
    rest: usize,
}

impl Messages {
    fn syncs_in(&mut self, mut bytes: &[u8]) -> usize {
        let mut syncs = 0;
        while let Some((first, others)) = bytes.split_first() {
            if self.rest > 0 {
                let skipped = self.rest.min(bytes.len());
                self.rest -= skipped;
                bytes = &bytes[skipped..];
                continue;
            }
            self.head.push(*first);
            bytes = others;
            let kind = usize::from(self.begun);
            if self.head.len() == kind + 4 {
                let length =
                    self.head[kind..].iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
                self.rest = length.saturating_sub(4);
                syncs += usize::from(self.begun && self.head[0] == SYNC);
                self.begun = true;
                self.head.clear();
            }
        }
        syncs
    }
}

#[cfg(test)]
mod tests {
    use super::Messages;

    fn message(kind: &[u8], body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [kind, &length, body].concat()
    }

    #[test]
    fn questions_are_counted_however_they_come_in_pieces() {
        let start = message(b"", b"SSSSuser\0postgres\0");
        let bind = message(b"B", b"S\0\0\0\x04S\0\0\0\x04");
        let asked =
            [start, bind.clone(), message(b"S", b""), bind, message(b"S", b""), message(b"X", b"")].concat();
        for piece in [1, 3, 7, asked.len()] {
            let mut messages = Messages::default();
            let syncs: usize = asked.chunks(piece).map(|piece| messages.syncs_in(piece)).sum();
            assert_eq!(syncs, 2, "pieces of {piece}");
        }
    }
}
