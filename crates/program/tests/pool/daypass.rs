//! Running servers, and the program under test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::{BehaviorVersion, Region};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_cognitoidentity::Client;
use daypass_development::up::{self, Options, Ready, Running};
use tempfile::TempDir;

/// A running `up`, in this process.
pub struct Up {
    pub client: Client,
    running: Running,
    directory: Option<TempDir>,
}

impl Up {
    pub async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory for a test");
        let up = Self::start_in(&directory.path().join("state")).await;
        Self { directory: Some(directory), ..up }
    }

    pub async fn start_in(dir: &Path) -> Self {
        let options = Options { dir: dir.to_owned(), port: 0, config: None };
        let running = Box::pin(up::start(&options)).await.expect("a server that starts");
        let client = client(&running.ready).await;
        Self { client, running, directory: None }
    }

    pub fn ready(&self) -> &Ready {
        &self.running.ready
    }

    pub fn dir(&self) -> &str {
        self.ready().dir.to_str().expect("a path of text")
    }

    /// Ends the server; its state stays as long as what is answered.
    pub async fn stop(self) -> (PathBuf, Option<TempDir>) {
        let dir = self.ready().dir.clone();
        self.running.stop().await;
        (dir, self.directory)
    }
}

async fn client(ready: &Ready) -> Client {
    let files = EnvConfigFiles::builder()
        .with_file(EnvConfigFileKind::Config, &ready.aws_config_file)
        .with_file(EnvConfigFileKind::Credentials, &ready.aws_shared_credentials_file)
        .build();
    // Whoever runs the tests may have credentials of their own in the environment, which come before those of a profile.
    let credentials = ProfileFileCredentialsProvider::builder()
        .profile_files(files.clone())
        .profile_name(&ready.aws_profile)
        .build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(ready.region.clone()))
        .credentials_provider(credentials)
        .profile_files(files)
        .profile_name(&ready.aws_profile);
    Client::new(&config.load().await)
}

/// What the program came to.
#[derive(Debug)]
pub struct Done {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

/// `daypass pool`, with nothing of this machine's AWS configuration.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_daypass"));
    command.arg("pool").args(arguments).env_clear().env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs it beside the servers of this process.
pub async fn run(command: Command) -> Done {
    let output = tokio::task::spawn_blocking(move || output(command));
    output.await.expect("a program that runs")
}

pub fn output(mut command: Command) -> Done {
    done(command.spawn().expect("a program"))
}

fn done(child: Child) -> Done {
    let output = child.wait_with_output().expect("a program that ends");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Done { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

pub async fn pool(arguments: &[&str]) -> Done {
    run(command(arguments)).await
}

/// Imports what comes from memory.
pub fn import(file: &[u8], arguments: &[&str]) -> Done {
    let mut child = begin_import(arguments);
    // A program that refuses early reads no further.
    let _ = child.stdin.take().expect("a pipe").write_all(file);
    done(child)
}

pub fn begin_import(arguments: &[&str]) -> Child {
    let mut command = command(&[&["import", "-"], arguments].concat());
    command.stdin(Stdio::piped()).spawn().expect("a program")
}

/// The files in a directory, by name.
pub fn files(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}
