//! What `cargo xtask test` checks, in order: first what answers soonest, last what needs the most. A step
//! gets what it needs by asking for it, so that each also runs alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{on_path, run};
use crate::{
    Outcome, Workspace, cargo_deny, chromium, debian, dynoxide, fuzz, helm, node, postgres, promtool, python,
    release,
};

pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Workspace) -> Outcome,
}

const FORMAT: Step = Step { name: "format", about: "rustfmt has nothing to change", run: format };
const CLIPPY: Step = Step { name: "clippy", about: "clippy has nothing to say", run: clippy };

/// What to run while one works: the parts by themselves, and whole installations that are asked in this process.
pub(crate) const QUICK: &[Step] =
    &[FORMAT, CLIPPY, Step { name: "api", about: "the unit tests, and those of the API", run: unit_and_api }];

pub(crate) const ALL: &[Step] = &[
    FORMAT,
    CLIPPY,
    Step { name: "docs", about: "rustdoc has nothing to say, private items included", run: docs },
    Step { name: "dependencies", about: "licences, sources and banned crates", run: dependencies },
    Step { name: "deploy", about: "templates, policies, chart, containers and unit of deploy/", run: deploy },
    Step { name: "unit", about: "every Rust test of the workspace", run: unit },
    Step {
        name: "dynamodb",
        about: "the contract of stores on an emulator of Amazon DynamoDB",
        run: dynamodb,
    },
    Step { name: "build", about: "the release binary that the steps below drive", run: build },
    Step { name: "tour", about: "`daypass tour` walks the whole flow", run: tour },
    Step { name: "sdk-types", about: "the types of the browser SDK and the playground", run: sdk_types },
    Step { name: "sdk", about: "the browser SDK under Node.js", run: sdk },
    Step { name: "browser", about: "the playground in a real Chromium", run: browser },
    Step { name: "clients", about: "unmodified boto3, AWS CLI, PyJWT and Authlib", run: clients },
    Step { name: "s3", about: "the S3 of `up`, by clients of many families", run: s3 },
    Step { name: "seaweedfs", about: "credentials of a real SeaweedFS", run: seaweedfs },
    Step {
        name: "cognito",
        about: "the driver for Cognito, in front of three that are not Amazon's",
        run: cognito,
    },
    Step { name: "pool", about: "pools copied from and to moto", run: pool },
    Step { name: "lambda", about: "the function, asked by all that Lambda hands over", run: lambda },
    Step {
        name: "aws-sdk-js",
        about: "the AWS SDK for JavaScript and clients of OpenID Connect, in Node.js",
        run: aws_sdk_js,
    },
    Step {
        name: "identity-servers",
        about: "oidc-provider and oauth2-mock-server as providers",
        run: identity_servers,
    },
    Step { name: "aws-sdk-browser", about: "the same SDK in a real Chromium", run: aws_sdk_browser },
    Step { name: "examples", about: "the apps of examples/ in a real Chromium", run: examples },
    Step { name: "fuzz", about: "fuzz targets, from their corpus, for a minute", run: fuzz::run_all },
    Step { name: "aws-sdk-rust", about: "the AWS SDK for Rust, with clippy", run: aws_sdk_rust },
];

/// What can be made for a step before its turn: what it fetches over the network, and what it compiles.
pub(crate) struct Prepared {
    pub(crate) step: &'static str,
    pub(crate) prepare: fn(&Workspace) -> Outcome,
}

/// In the order in which it is made. The tests that most of the steps run wait for somebody half of their time, and leave a
/// processor to the compiler (docs/decisions/0021-what-the-tests-compile.md).
pub(crate) const PREPARED: &[Prepared] = &[
    Prepared { step: "deploy", prepare: |workspace| helm::program(workspace).map(drop) },
    Prepared { step: "deploy", prepare: |workspace| promtool::program(workspace).map(drop) },
    Prepared { step: "unit", prepare: |workspace| postgres::postgres_16(workspace).map(drop) },
    Prepared { step: "unit", prepare: |workspace| postgres::postgres_18(workspace).map(drop) },
    Prepared { step: "sdk-types", prepare: |workspace| node::prepare(workspace, SDK) },
    Prepared { step: "clients", prepare: |workspace| python::interpreter(workspace, CLIENTS).map(drop) },
    Prepared { step: "s3", prepare: |workspace| python::interpreter(workspace, S3).map(drop) },
    Prepared { step: "s3", prepare: |workspace| node::prepare(workspace, S3_JS) },
    Prepared { step: "seaweedfs", prepare: |workspace| python::interpreter(workspace, SEAWEEDFS).map(drop) },
    Prepared { step: "cognito", prepare: |workspace| python::interpreter(workspace, COGNITO).map(drop) },
    Prepared { step: "pool", prepare: |workspace| python::interpreter(workspace, POOL).map(drop) },
    Prepared { step: "lambda", prepare: |workspace| python::interpreter(workspace, LAMBDA).map(drop) },
    Prepared { step: "aws-sdk-js", prepare: |workspace| node::prepare(workspace, AWS_SDK_JS) },
    Prepared { step: "identity-servers", prepare: |workspace| node::prepare(workspace, IDENTITY_SERVERS) },
    Prepared { step: "examples", prepare: |workspace| node::prepare(workspace, EXAMPLES) },
    Prepared { step: "dependencies", prepare: |workspace| cargo_deny::program(workspace).map(drop) },
    Prepared { step: "dynamodb", prepare: |workspace| dynoxide::program(workspace).map(drop) },
    Prepared { step: "build", prepare: build },
    Prepared { step: "fuzz", prepare: fuzz::build },
    Prepared { step: "aws-sdk-rust", prepare: build_aws_sdk_rust },
];

/// The folder of the tests with Python clients.
pub(crate) const CLIENTS: &str = "tests/clients";
/// The folder of the tests of S3, which are asked of other servers, too.
pub(crate) const S3: &str = "tests/s3";
/// Where Debian puts the AWS SDK for Go.
const GO_SDK: &str = "/usr/share/gocode/src/github.com/aws/aws-sdk-go-v2";
/// Those of them in JavaScript.
const S3_JS: &str = "tests/s3/js";
/// The folder of the tests with a real SeaweedFS.
pub(crate) const SEAWEEDFS: &str = "tests/seaweedfs";
/// The folder of the tests of the driver for Amazon Cognito.
pub(crate) const COGNITO: &str = "tests/cognito";
/// The folder of the tests of copies of pools.
pub(crate) const POOL: &str = "tests/pool";
/// The folder of the tests of the Lambda function.
const LAMBDA: &str = "tests/lambda";
/// What the tests have in their names for which a second emulator is asked, which takes many times as long for each: who is whose.
const SECOND_OPINION: [&str; 4] = ["login", "merge", "unlink", "revo"];
/// The folder of the tests of what is deployed.
pub(crate) const DEPLOY: &str = "tests/deploy";
/// The folder of the browser SDK.
const SDK: &str = "sdk";
/// The folder of the tests with the AWS SDK for JavaScript.
const AWS_SDK_JS: &str = "tests/aws-sdk-js";
/// The folder of the tests with identity servers that others wrote.
const IDENTITY_SERVERS: &str = "tests/identity-servers";
/// The folder of the apps that people may begin with.
const EXAMPLES: &str = "examples";
/// What the steps compile that compile everything. Whoever names fewer packages, or has cargo leave out what only tests
/// need, gets other features of what others wrote, and compiles it once more.
const WORKSPACE: &str = "--workspace --locked";
/// The tests with the AWS SDK for Rust, which nothing else compiles: it takes longer than most of the rest together.
const AWS_SDK_RUST: &str = "--workspace --locked --test aws_sdk";

fn format(workspace: &Workspace) -> Outcome {
    run(&mut workspace.cargo("fmt --all --check"))
}

fn clippy(workspace: &Workspace) -> Outcome {
    run(&mut workspace.cargo(&format!("clippy {WORKSPACE} --all-targets -- -D warnings")))
}

fn docs(workspace: &Workspace) -> Outcome {
    // There are no examples; but with them, what others wrote has the features that clippy checked it with.
    let ours = "--lib --bin daypass-bench --bin xtask --examples";
    let mut doc = workspace.cargo(&format!("doc {WORKSPACE} {ours} --no-deps --document-private-items"));
    run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

fn dependencies(workspace: &Workspace) -> Outcome {
    println!("  security advisories are not checked here: their database is a repository on the network");
    let deny = cargo_deny::program(workspace)?;
    run(workspace.command(deny).args([
        "--workspace",
        "--locked",
        "check",
        "--hide-inclusion-graph",
        "bans",
        "licenses",
        "sources",
    ]))
}

/// What the policies allow and deny is a test of core, in `unit`, on the file that is compared here.
fn deploy(workspace: &Workspace) -> Outcome {
    if on_path("systemd-analyze").is_none() {
        debian::install(workspace, &["systemd"], "there is no systemd-analyze on the PATH")?;
    }
    let python = python::interpreter(workspace, DEPLOY)?;
    let mut test = workspace.command(python);
    test.args(["-m", "pytest", DEPLOY]).env("DAYPASS_TEST_HELM", helm::program(workspace)?);
    run(test.env("DAYPASS_TEST_PROMTOOL", promtool::program(workspace)?))
}

/// Some have signing keys in an HSM, some a store in PostgreSQL, and some a session that a keyring seals.
fn unit(workspace: &Workspace) -> Outcome {
    if on_path("softhsm2-util").is_none() {
        debian::install(workspace, &["softhsm2"], "there is no softhsm2-util on the PATH")?;
    }
    keyring(workspace)?;
    postgres::programs(workspace)?;
    let mut tests = workspace.cargo(&format!("test {WORKSPACE}"));
    tests.env("DAYPASS_TEST_HSM", "1").env("DAYPASS_TEST_KEYRING", "1");
    run(tests.envs(postgres::variables(workspace)?))
}

fn keyring(workspace: &Workspace) -> Outcome {
    let programs = ["dbus-daemon", "dbus-send", "gnome-keyring-daemon", "secret-tool"];
    if programs.into_iter().all(|program| on_path(program).is_some()) {
        return Ok(());
    }
    let packages = ["dbus", "gnome-keyring", "libsecret-tools"];
    debian::install(workspace, &packages, "there is no keyring to seal sessions with")
}

/// Nobody has to be let in by an emulator, and the SDK has to have somebody's credentials.
fn dynamodb(workspace: &Workspace) -> Outcome {
    let tests = || {
        let mut tests = workspace.cargo(&format!("test {WORKSPACE} --test dynamodb --"));
        tests.env("AWS_ACCESS_KEY_ID", "emulated").env("AWS_SECRET_ACCESS_KEY", "emulated");
        // That would be asked twice.
        tests.env_remove("DAYPASS_TEST_DYNAMODB_ENDPOINT");
        tests
    };
    run(tests().env("DAYPASS_TEST_DYNOXIDE", dynoxide::program(workspace)?))?;
    let ministack = python::interpreter(workspace, LAMBDA)?;
    run(tests().args(SECOND_OPINION).env("DAYPASS_TEST_MINISTACK", ministack))
}

fn unit_and_api(workspace: &Workspace) -> Outcome {
    run(&mut workspace.cargo(&format!("test {WORKSPACE} --lib --bins --test api")))
}

fn build(workspace: &Workspace) -> Outcome {
    release::program(workspace).map(drop)
}

fn tour(workspace: &Workspace) -> Outcome {
    run(Command::new(release::program(workspace)?).arg("tour"))
}

fn sdk_types(workspace: &Workspace) -> Outcome {
    run(&mut node::npm(workspace, SDK, "run check")?)
}

fn sdk(workspace: &Workspace) -> Outcome {
    run(&mut node::npm(workspace, SDK, "test")?)
}

fn browser(workspace: &Workspace) -> Outcome {
    in_browser(workspace, SDK, "run test:browser")
}

/// In one of them an hour passes, for server and client.
fn clients(workspace: &Workspace) -> Outcome {
    faketime(workspace)?;
    pytest(workspace, CLIENTS)
}

/// The clients that are no packages of Python or npm are Debian's. The driver of the browser is the browser SDK's.
fn s3(workspace: &Workspace) -> Outcome {
    debian_clients(workspace)?;
    let chromium = chromium::program(workspace)?;
    node::prepare(workspace, S3_JS)?;
    node::prepare(workspace, SDK)?;
    let python = python::interpreter(workspace, S3)?;
    let mut test = workspace.command(python);
    test.args(["-m", "pytest", S3]).env("CHROMIUM", chromium).env("GOCACHE", workspace.installed("go-cache"));
    run(with_daypass(&mut test, release::program(workspace)?))
}

/// Programs, and the AWS SDK for Go, which is a folder of sources.
fn debian_clients(workspace: &Workspace) -> Outcome {
    let programs = [("rclone", "rclone"), ("restic", "restic"), ("s3cmd", "s3cmd"), ("go", "golang-go")];
    let missing = programs.into_iter().filter(|(program, _)| on_path(program).is_none());
    let mut packages: Vec<_> = missing.map(|(_, package)| package).collect();
    if !Path::new(GO_SDK).is_dir() {
        packages.push("golang-github-aws-aws-sdk-go-v2-dev");
    }
    if packages.is_empty() {
        return Ok(());
    }
    debian::install(workspace, &packages, "clients of S3 are missing")
}

fn seaweedfs(workspace: &Workspace) -> Outcome {
    pytest(workspace, SEAWEEDFS)
}

fn cognito(workspace: &Workspace) -> Outcome {
    pytest(workspace, COGNITO)
}

fn pool(workspace: &Workspace) -> Outcome {
    pytest(workspace, POOL)
}

fn lambda(workspace: &Workspace) -> Outcome {
    let python = python::interpreter(workspace, LAMBDA)?;
    let mut test = workspace.command(python);
    test.args(["-m", "pytest", LAMBDA]).env("DAYPASS_TEST_DYNOXIDE", dynoxide::program(workspace)?);
    run(with_daypass(&mut test, release::program(workspace)?))
}

/// pytest ends with a status of its own when it found no test, so an empty run fails too.
fn pytest(workspace: &Workspace, folder: &str) -> Outcome {
    let python = python::interpreter(workspace, folder)?;
    let mut test = workspace.command(python);
    test.args(["-m", "pytest", folder]);
    run(with_daypass(&mut test, release::program(workspace)?))
}

fn aws_sdk_js(workspace: &Workspace) -> Outcome {
    let mut test = node::npm(workspace, AWS_SDK_JS, "test")?;
    run(with_daypass(&mut test, release::program(workspace)?))
}

fn identity_servers(workspace: &Workspace) -> Outcome {
    let mut test = node::npm(workspace, IDENTITY_SERVERS, "test")?;
    run(with_daypass(&mut test, release::program(workspace)?))
}

fn aws_sdk_browser(workspace: &Workspace) -> Outcome {
    in_browser(workspace, AWS_SDK_JS, "run test:browser")
}

/// In one of their tests an hour passes, for the server as well.
fn examples(workspace: &Workspace) -> Outcome {
    faketime(workspace)?;
    in_browser(workspace, EXAMPLES, "test")
}

/// A library that tells a program another time than the system does.
fn faketime(workspace: &Workspace) -> Outcome {
    if on_path("faketime").is_some() {
        return Ok(());
    }
    debian::install(workspace, &["faketime"], "there is no faketime on the PATH")
}

/// The driver of the browser is the browser SDK's.
fn in_browser(workspace: &Workspace, folder: &str, arguments: &str) -> Outcome {
    let chromium = chromium::program(workspace)?;
    node::prepare(workspace, SDK)?;
    let mut test = node::npm(workspace, folder, arguments)?;
    run(with_daypass(&mut test, release::program(workspace)?).env("CHROMIUM", chromium))
}

fn build_aws_sdk_rust(workspace: &Workspace) -> Outcome {
    run(&mut workspace.cargo(&format!("clippy {AWS_SDK_RUST} -- -D warnings")))?;
    run(&mut workspace.cargo(&format!("test {AWS_SDK_RUST} --no-run")))
}

fn aws_sdk_rust(workspace: &Workspace) -> Outcome {
    build_aws_sdk_rust(workspace)?;
    let mut test = workspace.cargo(&format!("test {AWS_SDK_RUST}"));
    run(with_daypass(&mut test, release::program(workspace)?))
}

/// Names the server that a test of another language starts.
fn with_daypass(test: &mut Command, daypass: PathBuf) -> &mut Command {
    test.env("DAYPASS_BIN", daypass)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::SECOND_OPINION;

    /// A filter that nothing matches passes.
    #[test]
    fn a_second_opinion_is_asked_of_cases_there_are() {
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/core/src/store/contract.rs");
        let cases = std::fs::read_to_string(contract).unwrap();
        for named in SECOND_OPINION {
            let cases = cases.lines().filter(|line| line.ends_with(',') && line.contains(named));
            assert!(cases.count() >= 5, "{named}");
        }
    }
}
