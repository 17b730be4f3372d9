//! Daypass as a Lambda function, and beside it what somebody would write for Node.js with the official SDK. Both get
//! the same event from the same Runtime API, and ask the same provider and the same Cognito, all on loopback.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value, json};

use crate::Outcome;
use crate::far_end::{self, Asked};
use crate::prepared::prepared;
use crate::resident;
use crate::size::Size;
use crate::statistics::{Sample, as_float};
use crate::table::{Cell, Column, Table};

const START_MS: f64 = 8.0;
const WARM_MS: f64 = 0.45;
const MEMORY_MIB: f64 = 16.0;
const BINARY_MIB: f64 = 20.0;
/// Nothing measured here takes as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(30);
const POOL_ID: &str = "us-east-1:11111111-2222-4333-8444-555555555555";

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let directory = tempfile::tempdir()?;
    let far = far_end::start(|asked| answer_for_everybody(&asked))?;
    let daypass = Program::daypass(directory.path(), &far)?;
    let binary = as_float(usize::try_from(fs::metadata(&daypass.executable)?.len())?) / 1024.0 / 1024.0;
    let columns = [
        Column::less("start to first answer", "ms", 1),
        Column::less("warm answer", "ms", 2),
        Column::less("peak memory", "MiB", 1),
        Column::less("program", "MiB", 1),
    ];
    let title = "A login by code as a Lambda function, provider and Cognito on loopback";
    let mut table = Table::new("lambda", title, columns);
    let measured = daypass.measure(size, directory.path())?;
    table.row(
        "Daypass",
        [
            Some(Cell::of(measured.start).at_most(START_MS)),
            Some(Cell::of(measured.warm).at_most(WARM_MS)),
            Some(Cell::of(measured.memory).at_most(MEMORY_MIB)),
            Some(Cell::of([binary]).at_most(BINARY_MIB)),
        ],
    );
    match Program::node(&far) {
        Ok(node) => {
            let Measured { start, warm, memory } = node.measure(size, directory.path())?;
            let cells = [start, warm, memory].map(|rounds| Some(Cell::of(rounds)));
            table.row("Node.js, @aws-sdk/client-cognito-identity", cells.into_iter().chain([None]));
        }
        Err(failure) => table.missing.push(format!("the function for Node.js: {failure}")),
    }
    Ok(vec![table])
}

/// Something that Lambda could start.
struct Program {
    executable: PathBuf,
    arguments: Vec<PathBuf>,
    variables: Vec<(&'static str, String)>,
}

/// Of each process: milliseconds, milliseconds, MiB.
struct Measured {
    start: Vec<f64>,
    warm: Vec<f64>,
    memory: Vec<f64>,
}

impl Program {
    /// In a directory as the zip file has it.
    fn daypass(directory: &Path, far: &str) -> Outcome<Self> {
        let program = std::env::var_os("LAMBDA_DAYPASS")
            .ok_or("LAMBDA_DAYPASS names no daypass; use `cargo xtask bench`")?;
        let bootstrap = directory.join("bootstrap");
        fs::copy(program, &bootstrap)?;
        fs::write(directory.join("daypass.toml"), configuration(far))?;
        Ok(Self {
            executable: bootstrap,
            arguments: Vec::new(),
            variables: vec![
                ("LAMBDA_TASK_ROOT", directory.to_string_lossy().into_owned()),
                ("MASTER_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".into()),
                ("CLIENT_SECRET", "hunter2".into()),
                ("AWS_ENDPOINT_URL_COGNITO_IDENTITY", format!("http://{far}")),
            ],
        })
    }

    fn node(far: &str) -> Outcome<Self> {
        let folder = prepared("LAMBDA_NODE")?;
        Ok(Self {
            executable: "node".into(),
            arguments: vec![Path::new(&folder).join("bootstrap.js")],
            variables: vec![
                ("PROVIDER", format!("http://{far}")),
                ("CLIENT_SECRET", "hunter2".into()),
                ("POOL_ID", POOL_ID.into()),
                ("AWS_ENDPOINT_URL_COGNITO_IDENTITY", format!("http://{far}")),
            ],
        })
    }

    fn measure(&self, size: &Size, directory: &Path) -> Outcome<Measured> {
        let (mut start, mut warm, mut memory) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..size.starts {
            let mut running = Running::start(self, directory)?;
            start.push(running.first_answer()?.as_secs_f64() * 1e3);
            let answers = (0..size.invocations).map(|_| Ok(running.answer()?.as_secs_f64() * 1e3));
            let answers = answers.collect::<Outcome<Vec<_>>>()?;
            // The first answers of the first process warm the machine, too.
            if round > 0 || size.starts == 1 {
                warm.push(Sample::of(answers).median());
            }
            memory.push(resident::peak(running.process.id())?);
        }
        Ok(Measured { start, warm, memory })
    }
}

fn configuration(far: &str) -> String {
    format!(
        "public_url = \"https://login.example.com\"\nmaster_key = {{ env = \"MASTER_KEY\" }}\n\
         [store]\nurl = \"memory:\"\n\
         [pool]\ndriver = \"cognito\"\ndeveloper_provider = \"login.example.com\"\n\
         [[pool.region]]\nregion = \"us-east-1\"\npool_id = \"{POOL_ID}\"\n\
         quota = 10000\n\
         [network]\nallow_private = [\"127.0.0.1\"]\n\
         [[provider]]\nid = \"snapchat\"\nclient_id = \"the-client\"\nclient_secret = {{ env = \"CLIENT_SECRET\" }}\n\
         exchange.url = \"http://{far}/token\"\nprofile.url = \"http://{far}/me\"\n\
         [[app]]\nid = \"web\"\norigins = [\"https://app.example.com\"]\n\
         redirect_uris = [\"https://app.example.com/signed-in\"]\n"
    )
}

/// The provider and Cognito.
fn answer_for_everybody(asked: &Asked) -> far_end::Answer {
    let (kind, body) = match &*asked.path {
        "/token" => ("json", json!({"access_token": "a-token", "token_type": "Bearer"})),
        "/me" => ("json", json!({"data": {"me": {"externalId": "ada", "displayName": "Ada"}}})),
        _ => ("x-amz-json-1.1", json!({"IdentityId": IDENTITY_ID, "Token": token()})),
    };
    (format!("content-type: application/{kind}\r\n"), body.to_string().into_bytes())
}

const IDENTITY_ID: &str = "us-east-1:aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

/// As Cognito's tokens look, with nobody's signature.
#[expect(clippy::disallowed_methods, reason = "the function's clock is the real one")]
fn token() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let claims = json!({
        "sub": IDENTITY_ID, "aud": POOL_ID, "amr": ["authenticated", "login.example.com"],
        "iss": "https://cognito-identity.amazonaws.com", "iat": now, "exp": now + 900,
    });
    let encode = |part: String| BASE64_URL_SAFE_NO_PAD.encode(part);
    let header = json!({"kid": "us-east-11", "typ": "JWS", "alg": "RS512"});
    format!("{}.{}.{}", encode(header.to_string()), encode(claims.to_string()), encode("s".repeat(256)))
}

/// A process of a program, with a Runtime API of its own.
struct Running {
    process: Child,
    started: Instant,
    events: Sender<Vec<u8>>,
    answers: Receiver<(Instant, Vec<u8>)>,
}

impl Running {
    /// The first event is waiting when the process starts, as on Lambda.
    fn start(program: &Program, directory: &Path) -> Outcome<Self> {
        let (events, waiting) = channel();
        let (done, answers) = channel();
        events.send(event())?;
        let host = far_end::start(runtime_api(waiting, done))?;
        let mut command = Command::new(&program.executable);
        let path = std::env::var("PATH")?;
        command
            .args(&program.arguments)
            .env_clear()
            .envs(program.variables.iter().map(|(name, value)| (name, value)));
        command.envs([
            ("PATH", &*path),
            ("AWS_LAMBDA_RUNTIME_API", &host),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ]);
        let log = File::create(directory.join("function.log"))?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let started = Instant::now();
        Ok(Self { process: command.spawn()?, started, events, answers })
    }

    fn first_answer(&mut self) -> Outcome<Duration> {
        Ok(self.receive()?.duration_since(self.started))
    }

    fn answer(&mut self) -> Outcome<Duration> {
        let sent = Instant::now();
        self.events.send(event())?;
        Ok(self.receive()?.duration_since(sent))
    }

    fn receive(&self) -> Outcome<Instant> {
        let (at, answer) = self.answers.recv_timeout(PATIENCE).map_err(|_| "a function did not answer")?;
        let answer: Value = serde_json::from_slice(&answer)?;
        if answer["statusCode"] == 200 { Ok(at) } else { Err(format!("a function answered {answer}").into()) }
    }
}

/// Whatever fails in between, no process is left behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Runtime API of one process: `…/invocation/next`, `…/invocation/bench/response`, `…/init/error`.
fn runtime_api(
    events: Receiver<Vec<u8>>,
    answers: Sender<(Instant, Vec<u8>)>,
) -> impl Fn(Asked) -> far_end::Answer + Send + Sync {
    let (events, answers) = (Mutex::new(events), Mutex::new(answers));
    move |asked| {
        let now = Instant::now();
        let ended = || (String::new(), Vec::new());
        if asked.method == "GET" {
            let event = events.lock().ok().and_then(|events| events.recv().ok());
            let head =
                "lambda-runtime-aws-request-id: bench\r\nlambda-runtime-deadline-ms: 4102444800000\r\n";
            return event.map_or_else(ended, |event| (head.into(), event));
        }
        if let Ok(answers) = answers.lock() {
            // Nobody listens once everything is measured.
            let _ = answers.send((now, asked.body));
        }
        ended()
    }
}

fn event() -> Vec<u8> {
    let body = json!({
        "provider": "snapchat", "code": "a-code", "code_verifier": "v".repeat(43),
        "redirect_uri": "https://app.example.com/signed-in",
    });
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/v1/exchange", "rawQueryString": "",
        "headers": {"host": "login.example.com", "content-type": "application/json"},
        "requestContext": {"stage": "$default", "http": {
            "method": "POST", "path": "/v1/exchange", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
        }},
        "body": body.to_string(), "isBase64Encoded": false,
    });
    event.to_string().into_bytes()
}
