//! The same requests, asked by turns of Daypass and of the emulators of AWS that come as packages of Python. They are made for tests: what they
//! do not have to do for an answer is theirs to gain.

use std::any::Any;
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use aws_credential_types::Credentials;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::Connection;
use crate::prepared::prepared;
use crate::requests::{Developer, Request, repeat};
use crate::scene::Scene;
use crate::size::Size;
use crate::statistics::as_float;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, cpu, others, progress};

const CONNECTIONS: usize = 4;
/// Developer users and guests, whom each server knows before it is measured.
const PEOPLE: usize = 16;
const COGNITO: &str = "cognito-identity";
const PROVIDER: &str = "login.daypass.local";
/// Of a server that answers in less time than the kernel counts in, so many times as much is asked.
const MORE_OF_DAYPASS: usize = 10;

struct Contender {
    name: &'static str,
    developer: Developer,
    process: u32,
    times: usize,
    /// Whatever ends with it.
    _running: Box<dyn Any>,
}

/// What is asked, and how somebody would read it.
struct Question {
    title: &'static str,
    input: fn(&Contender, &str) -> Value,
    operation: &'static str,
    of_guests: bool,
}

const QUESTIONS: [Question; 4] = [
    Question {
        title: "token for a developer user",
        operation: "GetOpenIdTokenForDeveloperIdentity",
        input: |it, user| json!({"IdentityPoolId": it.developer.pool_id, "Logins": {PROVIDER: user}}),
        of_guests: false,
    },
    Question {
        title: "token of a guest",
        operation: "GetOpenIdToken",
        input: |_, guest| json!({"IdentityId": guest}),
        of_guests: true,
    },
    Question {
        title: "credentials of a guest",
        operation: "GetCredentialsForIdentity",
        input: |_, guest| json!({"IdentityId": guest}),
        of_guests: true,
    },
    Question {
        title: "a new guest",
        operation: "GetId",
        input: |it, _| json!({"IdentityPoolId": it.developer.pool_id}),
        of_guests: true,
    },
];

/// What one server did in one round.
struct Round {
    per_second: f64,
    cpu_ms: f64,
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let columns =
        [Column::more("answers", "/s", 0), Column::less("CPU", "ms", 2), Column::more("Daypass ÷ it", "", 1)];
    let title = format!("The same requests to emulators of AWS, {CONNECTIONS} connections");
    let mut table = Table::new("emulators", &title, columns)
        .note("Each client waits for its answer. `Daypass ÷ it` compares answers a second, round by round.")
        .note("The emulators verify no signature and keep nothing on disk; Daypass does both.");
    let mut contenders = vec![daypass()?];
    for (name, start) in [("moto", moto as fn() -> Outcome<Contender>), ("ministack", ministack)] {
        match start() {
            Ok(contender) => contenders.push(contender),
            Err(failure) => table.missing.push(format!("{name}: {failure}")),
        }
    }
    for question in &QUESTIONS {
        progress::say(&format!("emulators: {}", question.title));
        question.ask_all(&contenders, size, &mut table)?;
    }
    Ok(vec![table])
}

fn daypass() -> Outcome<Contender> {
    let scene = Scene::set(0)?;
    let developer = Developer::of(&scene.server)?;
    let process = scene.server.process_id();
    Ok(Contender { name: "Daypass", developer, process, times: MORE_OF_DAYPASS, _running: Box::new(scene) })
}

fn moto() -> Outcome<Contender> {
    let (python, directory) = (prepared("EMULATORS_PYTHON")?, tempfile::tempdir()?);
    let (running, host) = others::moto(python, directory.path())?;
    Contender::emulator("moto", &host, running, directory)
}

/// It takes a port by its number only.
fn ministack() -> Outcome<Contender> {
    let (python, directory) = (prepared("EMULATORS_PYTHON")?, tempfile::tempdir()?);
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = Command::new(python);
    command.args(["-m", "ministack"]).env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string());
    command
        .env("PERSIST_STATE", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("TMPDIR", directory.path())
        .env("HOME", directory.path());
    let (running, _) = others::start(&mut command, directory.path(), MINISTACK_IS_READY)?;
    Contender::emulator("ministack", &format!("127.0.0.1:{port}"), running, directory)
}

/// The first of its lines with this comes when its port answers.
const MINISTACK_IS_READY: &str = "Running on http";

impl Contender {
    /// An emulator with a pool of its own, which lets guests in.
    fn emulator(
        name: &'static str,
        host: &str,
        running: others::Running,
        directory: TempDir,
    ) -> Outcome<Self> {
        let developer = Developer {
            url: format!("http://{host}/"),
            pool_id: String::new(),
            provider: PROVIDER.into(),
            region: "us-east-1".into(),
            credentials: Credentials::new("test", "test", None, None, "daypass-bench"),
        };
        let process = running.id();
        let running = Box::new((running, directory));
        let mut emulator = Self { name, developer, process, times: 1, _running: running };
        let pool = json!({
            "IdentityPoolName": "bench", "AllowUnauthenticatedIdentities": true,
            "DeveloperProviderName": PROVIDER,
        });
        emulator.developer.pool_id = emulator.told("CreateIdentityPool", &pool, "IdentityPoolId")?;
        Ok(emulator)
    }

    fn request(&self, operation: &str, input: &Value) -> Outcome<Request> {
        self.developer.signed(COGNITO, Request::json(operation, input))
    }

    /// A member of an answer.
    fn told(&self, operation: &str, input: &Value, member: &str) -> Outcome<String> {
        let mut connection = Connection::open(&self.developer.url)?;
        let answer = self.request(operation, input)?.send(&mut connection)?;
        let answer: Value = serde_json::from_slice(&answer)?;
        Ok(answer[member].as_str().ok_or_else(|| format!("{} tells no {member}", self.name))?.to_owned())
    }

    fn guest(&self) -> Outcome<String> {
        self.told("GetId", &json!({"IdentityPoolId": self.developer.pool_id}), "IdentityId")
    }

    fn round(&self, requests: &[Request], count: usize) -> Outcome<Round> {
        let count = count * self.times;
        let (before, started) = (cpu::seconds_of(self.process)?, Instant::now());
        repeat(&self.developer.url, requests, count, CONNECTIONS)?;
        let seconds = started.elapsed().as_secs_f64();
        let used = cpu::seconds_since(self.process, before)?;
        Ok(Round { per_second: as_float(count) / seconds, cpu_ms: used * 1e3 / as_float(count) })
    }
}

impl Question {
    /// Asks each server by turns. One that does not know the operation is told of, and left out.
    fn ask_all(&self, contenders: &[Contender], size: &Size, table: &mut Table) -> Outcome<()> {
        let mut able = Vec::new();
        for contender in contenders {
            match self.requests(contender) {
                Ok(requests) => able.push((contender, requests, Vec::new())),
                Err(failure) if contender.times == 1 => {
                    table.missing.push(format!("{}, {}: {failure}", contender.name, self.operation));
                }
                Err(failure) => return Err(failure),
            }
        }
        for _ in 0..size.rounds {
            for (contender, requests, rounds) in &mut able {
                rounds.push(contender.round(requests, size.requests_per_emulator)?);
            }
        }
        let ours: Vec<f64> =
            able.first().into_iter().flat_map(|(_, _, rounds)| rounds).map(|it| it.per_second).collect();
        for (contender, _, rounds) in &able {
            let ratio = rounds.iter().zip(&ours).map(|(its, ours)| ours / its.per_second);
            let cells = [
                Some(Cell::of(rounds.iter().map(|it| it.per_second))),
                Some(Cell::of(rounds.iter().map(|it| it.cpu_ms))),
                (contender.times == 1).then(|| Cell::of(ratio)),
            ];
            table.row(format!("{}: {}", self.title, contender.name), cells);
        }
        Ok(())
    }

    /// Requests that the server has answered once, so that nobody is new.
    fn requests(&self, contender: &Contender) -> Outcome<Vec<Request>> {
        let somebody = |number: usize| {
            if self.of_guests { contender.guest() } else { Ok(format!("user-{number}")) }
        };
        let request = |number| {
            let request = contender.request(self.operation, &(self.input)(contender, &somebody(number)?))?;
            request.send(&mut Connection::open(&contender.developer.url)?)?;
            Ok(request)
        };
        (0..PEOPLE).map(request).collect()
    }
}
