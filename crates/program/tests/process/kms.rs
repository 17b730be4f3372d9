//! A master key that AWS KMS wrapped, which has to be there before anything starts.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::server::{Beginning, Done, Installation, Output, program};

const ARN: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd";
const KEY: &str = "CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=";

/// Answers every question with the same key, until the tests end.
fn start_kms() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap())));
    url
}

fn answer(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    let body = json!({"KeyId": ARN, "Plaintext": KEY, "CiphertextBlob": "d3JhcHBlZA=="}).to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: close";
    // Whoever asked may be gone.
    let _ = write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
}

fn with_aws(mut command: Command, kms: &str) -> Command {
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.env("AWS_REGION", "eu-west-1").env("AWS_ENDPOINT_URL_KMS", kms);
    command
}

fn installation() -> Installation {
    let installation = Installation::new("sqlite:daypass.db");
    let wrapped = format!("master_key = {{ file = \"wrapped\", kms = {ARN:?} }}");
    installation.change("master_key = { file = \"master-key\" }", &wrapped);
    installation
}

#[test]
fn a_server_starts_with_what_kms_unwraps_and_not_without_it() {
    let (installation, kms) = (installation(), start_kms());
    let mut create = with_aws(program(), &kms);
    create.args(["master-key", "create", "--kms", ARN]);
    let created = Done::of(create);
    assert!(created.success && created.stdout == "d3JhcHBlZA==\n", "{created:?}");
    fs::write(installation.path("wrapped"), created.stdout).unwrap();
    let mut serving = Beginning::of(with_aws(installation.serve_command(Output::Null), &kms)).ready();
    let (_, ada) = serving.log_in("ada");
    assert_eq!(serving.credentials(&ada).0, 200);
    serving.stop();

    let mut command = with_aws(installation.serve_command(Output::Null), "http://127.0.0.1:1");
    command.stderr(Stdio::piped());
    let refused = Done::of(command);
    let told = refused.stderr;
    assert!(
        !refused.success
            && told.contains("master_key: ")
            && told.contains("cannot be reached")
            && !told.contains(KEY),
        "{told}"
    );
}

#[test]
fn a_name_that_is_no_arn_is_refused_before_anybody_is_asked() {
    let mut create = program();
    create.args(["master-key", "create", "--kms", "alias/daypass"]);
    let refused = Done::of(create);
    assert!(!refused.success && refused.stderr.contains("arn:aws:kms:REGION:ACCOUNT:key/"), "{refused:?}");
}
