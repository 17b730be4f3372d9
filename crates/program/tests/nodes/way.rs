//! A way to the database that is longer than others, is cut, or loses answers: what was asked is done, and nobody hears of it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::nodes::pause;

/// One answer in so many is lost, and the connection with it.
const ONE_IN: usize = 60;

#[derive(Clone)]
pub struct Way {
    pub address: SocketAddr,
    /// Whether answers get lost now.
    pub is_losing: Arc<AtomicBool>,
    /// Whether nobody gets through now.
    pub is_cut: Arc<AtomicBool>,
    /// Whether nothing arrives now, and nobody is told.
    pub is_silent: Arc<AtomicBool>,
    /// So long is whatever is asked under way, and as long what is answered.
    delay: Duration,
    answers: Arc<AtomicUsize>,
}

impl Way {
    /// A way to the database in a folder. It ends with the tests.
    pub fn to(folder: &Path) -> Self {
        Self::from_afar(folder, Duration::ZERO)
    }

    pub fn from_afar(folder: &Path, delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let [is_losing, is_cut, is_silent] = std::array::from_fn(|_| Arc::default());
        let way = Self { address, is_losing, is_cut, is_silent, delay, answers: Arc::default() };
        let (found, socket) = (way.clone(), folder.join(".s.PGSQL.5432"));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                // Whoever connects while the database is away is told by a connection that ends.
                if let Ok(server) = UnixStream::connect(&socket)
                    && !way.is_cut.load(Ordering::Relaxed)
                {
                    way.connect(client, server);
                }
            }
        });
        found
    }

    fn connect(&self, client: TcpStream, server: UnixStream) {
        let (asking, asked) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let way = self.clone();
        thread::spawn(move || {
            pass_on(asking, &asked, || way.gets_through());
            let _ = asked.shutdown(Shutdown::Both);
        });
        let way = self.clone();
        thread::spawn(move || {
            pass_on(server, &client, || way.gets_through() && !way.loses_this_one());
            let _ = client.shutdown(Shutdown::Both);
        });
    }

    fn gets_through(&self) -> bool {
        pause(self.delay);
        while self.is_silent.load(Ordering::Relaxed) {
            pause(Duration::from_millis(10));
        }
        !self.is_cut.load(Ordering::Relaxed)
    }

    fn loses_this_one(&self) -> bool {
        self.is_losing.load(Ordering::Relaxed)
            && self.answers.fetch_add(1, Ordering::Relaxed).is_multiple_of(ONE_IN)
    }
}

/// Until one of the two ends, or something is not to be passed on.
fn pass_on(mut from: impl Read, mut to: impl Write, is_passed_on: impl Fn() -> bool) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        if !is_passed_on() || to.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}
