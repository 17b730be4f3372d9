//! An emulator of the tests' own, which ends with them; or any endpoint that is named.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use daypass_store::DynamoUrl;

/// Stops the server when its input ends, which it does with the tests, however they end.
const RUN_UNTIL_INPUT_ENDS: &str = r#"
    "$@" 2>&1 &
    cat
    kill -KILL $!
"#;

struct Emulator {
    endpoint: String,
    /// Holds the input open.
    _server: Option<Child>,
}

/// The URL of a table that is not there yet.
pub fn url() -> DynamoUrl {
    url_at(endpoint())
}

pub fn endpoint() -> &'static str {
    static EMULATOR: OnceLock<Emulator> = OnceLock::new();
    &EMULATOR.get_or_init(start).endpoint
}

/// The same table, as it is reached from another Region. An emulator knows one for all: so what one writes is in the other at
/// once.
pub fn from_another_region(url: &DynamoUrl) -> DynamoUrl {
    let table = url.table();
    format!("dynamodb:{table}?region=eu-west-1&endpoint={}", endpoint()).try_into().unwrap()
}

/// The same table, by another way.
pub fn reached_by(url: &DynamoUrl, endpoint: &str) -> DynamoUrl {
    format!("dynamodb:{}?region=us-east-1&endpoint={endpoint}", url.table()).try_into().unwrap()
}

pub fn url_at(endpoint: &str) -> DynamoUrl {
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id();
    format!("dynamodb:daypass-{process}-{number}?region=us-east-1&endpoint={endpoint}").try_into().unwrap()
}

fn start() -> Emulator {
    if let Ok(endpoint) = std::env::var("DAYPASS_TEST_DYNAMODB_ENDPOINT") {
        return Emulator { endpoint, _server: None };
    }
    let program = Program::named().expect(
        "there is no emulator of DynamoDB for these tests: `cargo xtask test` installs one; or name an endpoint in \
         DAYPASS_TEST_DYNAMODB_ENDPOINT",
    );
    // Somebody else may take the port in between: then it is another one's turn.
    for _ in 0..10 {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut server = Command::new("sh")
            .args(["-c", RUN_UNTIL_INPUT_ENDS, "sh"])
            .args(program.command(address))
            .env("BIND_HOST", address.ip().to_string())
            .env("GATEWAY_PORT", address.port().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        if answers(&mut server, address) {
            return Emulator { endpoint: format!("http://{address}"), _server: Some(server) };
        }
    }
    panic!("the emulator of DynamoDB does not start")
}

/// An emulator that is installed.
enum Program {
    Dynoxide(OsString),
    /// The Python that has it. It hears of the address by its environment.
    Ministack(OsString),
}

impl Program {
    /// The one that the environment names: the second opinion, if it names both.
    fn named() -> Option<Self> {
        let named = |variable| std::env::var_os(variable);
        let ministack = named("DAYPASS_TEST_MINISTACK").map(Self::Ministack);
        ministack.or_else(|| named("DAYPASS_TEST_DYNOXIDE").map(Self::Dynoxide))
    }

    fn command(&self, address: SocketAddr) -> Vec<OsString> {
        let (program, arguments) = match self {
            Self::Dynoxide(program) => {
                let (host, port) = (address.ip().to_string(), address.port().to_string());
                (program, vec!["--host".to_owned(), host, "--port".to_owned(), port])
            }
            Self::Ministack(python) => (python, vec!["-m".to_owned(), "ministack".to_owned()]),
        };
        let arguments = arguments.into_iter().map(OsString::from);
        [program.clone()].into_iter().chain(arguments).collect()
    }
}

/// Whether it says that it serves there, before it ends.
fn answers(server: &mut Child, address: SocketAddr) -> bool {
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    for line in lines.by_ref() {
        if line.contains("rror") {
            return false;
        }
        if TcpStream::connect(address).is_ok() {
            // A full pipe would stop it.
            std::thread::spawn(move || lines.for_each(drop));
            return true;
        }
    }
    false
}
