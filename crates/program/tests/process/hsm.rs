//! Signing keys in a hardware security module: SoftHSM, which behaves like one. Where it is not installed, this says so.

use std::fs;
use std::path::Path;
use std::process::Command;

use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::store::Keys;
use daypass_store::SqliteStore;
use serde_json::Value;

use crate::server::{Beginning, Done, Installation, Output, Server};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "314159";
const PROVIDER: &str = "[[provider]]\nid = \"fake\"";

/// An installation with a token beside it; nothing, if there is no SoftHSM.
struct WithHsm {
    installation: Installation,
}

/// Fails as the file of that name says.
const SHIM: &str = "shim";

impl WithHsm {
    #[expect(clippy::print_stderr, reason = "what was left out is said")]
    fn new() -> Option<Self> {
        if !Path::new(MODULE).exists() {
            assert!(std::env::var_os("DAYPASS_TEST_HSM").is_none(), "there is no {MODULE}");
            eprintln!("skipped: there is no SoftHSM; `apt-get install softhsm2` has it");
            return None;
        }
        let installation = Installation::new("sqlite:daypass.db");
        fs::create_dir(installation.path("tokens")).unwrap();
        let configuration = format!("directories.tokendir = {}\n", installation.path("tokens").display());
        fs::write(installation.path("softhsm2.conf"), configuration).unwrap();
        fs::write(installation.path("pin"), PIN).unwrap();
        let with = Self { installation };
        let mut init = with.with_token(Command::new("softhsm2-util"));
        init.args(["--init-token", "--free", "--label", "daypass", "--so-pin", "271828", "--pin", PIN]);
        let made = Done::of(init);
        assert!(made.success, "{made:?}");
        Some(with)
    }

    fn with_token(&self, mut command: Command) -> Command {
        command.env("SOFTHSM2_CONF", self.installation.path("softhsm2.conf"));
        command.env("HSM_SHIM", self.installation.path(SHIM));
        command
    }

    /// Has the configuration name a module that fails as it is told.
    fn configure_with_shim(&self) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/hsm_shim.c");
        let shim = self.installation.path("shim.so");
        let mut compile = Command::new("cc");
        compile.args(["-shared", "-fPIC", "-o"]).arg(&shim).arg(source);
        let compiled = Done::of({
            compile.arg(format!("-DMODULE={MODULE:?}"));
            compile
        });
        assert!(compiled.success, "{compiled:?}");
        self.fail_by("");
        self.configure();
        self.installation.change(MODULE, shim.to_str().unwrap());
    }

    fn fail_by(&self, mode: &str) {
        fs::write(self.installation.path(SHIM), mode).unwrap();
    }

    /// Has the configuration say where the keys are.
    fn configure(&self) {
        let tokens = format!(
            "[tokens]\nalgorithm = \"ES256\"\n[tokens.pkcs11]\nmodule = {MODULE:?}\ntoken = \"daypass\"\n\
             pin = {{ file = \"pin\" }}\n{PROVIDER}"
        );
        self.installation.change(PROVIDER, &tokens);
    }

    fn serve(&self) -> Server {
        Beginning::of(self.with_token(self.installation.serve_command(Output::Null))).ready()
    }

    fn refusal(&self) -> String {
        let log = self.installation.path("refusal.log");
        let refused = Done::of(self.with_token(self.installation.serve_command(Output::File(log.clone()))));
        assert!(!refused.success);
        fs::read_to_string(log).unwrap()
    }

    fn status(&self) -> Option<i32> {
        self.with_token(self.installation.serve_command(Output::Null)).status().unwrap().code()
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = self.with_token(crate::server::program());
        command.args(arguments).arg("--config").arg(self.installation.path("daypass.toml"));
        Done::of(command)
    }

    /// What the store keeps of each signing key, opened.
    fn kept(&self) -> Vec<Vec<u8>> {
        let store = SqliteStore::open(&self.installation.path("daypass.db")).unwrap();
        let keys = tokio::runtime::Runtime::new().unwrap().block_on(store.list_signing_keys()).unwrap();
        let sealer = MasterKeys::from(MasterKey::new([7; 32])).sealer("signing key");
        let open = |key: &daypass_core::store::StoredSigningKey| {
            sealer.open(key.key_id.as_bytes(), &key.sealed_private_key).unwrap().to_vec()
        };
        keys.iter().map(open).collect()
    }
}

fn algorithm(login: &Value) -> String {
    let header = login["token"].as_str().unwrap().split('.').next().unwrap();
    let header = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, header).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    format!("{} {}", header["alg"].as_str().unwrap(), header["kid"].as_str().unwrap())
}

#[test]
fn keys_are_made_in_the_hsm_and_sign_there_and_their_private_halves_are_nowhere_else() {
    let Some(with) = WithHsm::new() else { return };
    with.configure();
    let mut serving = with.serve();
    let (_, ada) = serving.log_in("ada");
    assert!(algorithm(&ada).starts_with("ES256 "));
    assert_eq!(serving.credentials(&ada).0, 200, "it is verified by what is published");
    let (_, set) = serving.get("/.well-known/jwks.json");
    let kinds: Vec<_> =
        set["keys"].as_array().unwrap().iter().map(|key| key["kty"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["EC", "RSA"]);
    let kept = with.kept();
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().all(|kept| kept.starts_with(b"{\"pkcs11_id\":")), "{kept:?}");
    serving.stop();

    let mut serving = with.serve();
    assert_eq!(serving.credentials(&ada).0, 200, "a token of before");
    let (_, again) = serving.log_in("ada");
    assert_eq!(algorithm(&again), algorithm(&ada), "the key is found again");
    serving.stop();
}

#[test]
fn many_logins_at_once_are_signed() {
    let Some(with) = WithHsm::new() else { return };
    with.configure();
    let mut serving = with.serve();
    std::thread::scope(|scope| {
        let logins = (0..48).map(|number| {
            let serving = &serving;
            scope.spawn(move || serving.log_in(&format!("person-{number}")).0)
        });
        let logins: Vec<_> = logins.collect();
        assert!(logins.into_iter().all(|login| login.join().unwrap() == 200));
    });
    serving.stop();
}

#[test]
fn an_installation_moves_into_the_hsm_by_a_rotation_and_not_out_of_it_unawares() {
    let Some(with) = WithHsm::new() else { return };
    with.installation.change(PROVIDER, &format!("[tokens]\nalgorithm = \"ES256\"\n{PROVIDER}"));
    let mut serving = with.serve();
    let (_, ada) = serving.log_in("ada");
    serving.stop();
    with.installation.change("[tokens]\nalgorithm = \"ES256\"\n", "");
    with.configure();
    let log = with.installation.path("server.log");
    let serve = with.with_token(with.installation.serve_command(Output::File(log.clone())));
    let mut serving = Beginning::of(serve).ready();
    assert_eq!(serving.credentials(&ada).0, 200);
    assert!(fs::read_to_string(&log).unwrap().contains("are still signed with eu-west-1"));
    let rotated = with.run(&["key", "rotate-signing"]);
    assert!(rotated.success, "{rotated:?}");
    let listed = with.run(&["key", "list-signing"]).stdout;
    let held: Vec<_> = listed.lines().map(|line| line.split_whitespace().rev().nth(1).unwrap()).collect();
    assert_eq!(held, ["SIGNS", "store", "store", "HSM", "HSM"], "{listed}");
    let in_hsm = with.kept().iter().filter(|kept| kept.starts_with(b"{")).count();
    assert_eq!(in_hsm, 2, "the next key of each algorithm");
    let again = with.run(&["key", "rotate-signing"]);
    assert!(!again.success && again.stderr.matches("is published already").count() == 2, "{again:?}");
    let resealed = with.run(&["master-key", "rotate"]);
    assert!(resealed.success, "{resealed:?}");
    serving.stop();

    let start = with.installation.path("daypass.toml");
    let text = fs::read_to_string(&start).unwrap();
    let (before, after) = text.split_once("[tokens.pkcs11]").unwrap();
    let after = &after[after.find("[[provider]]").unwrap()..];
    fs::write(&start, format!("{before}{after}")).unwrap();
    let told = with.refusal();
    assert!(told.contains("it may be in an HSM, which [tokens.pkcs11] has to name"), "{told}");
}

#[test]
fn a_start_without_the_hsm_says_what_is_missing() {
    let Some(with) = WithHsm::new() else { return };
    with.configure();
    for (file, from, to, expected) in [
        ("pin", PIN, "000000", "refuses the PIN, which is not shown again until the next start"),
        (
            "daypass.toml",
            "token = \"daypass\"",
            "token = \"other\"",
            "no token is called \"other\"; there is \"daypass\"",
        ),
        ("daypass.toml", MODULE, "/nowhere.so", "cannot load /nowhere.so"),
    ] {
        with.installation.change_in(file, from, to);
        let told = with.refusal();
        assert!(told.contains(expected) && !told.contains("000000"), "{expected}: {told}");
        with.installation.change_in(file, to, from);
    }
    with.serve().stop();
}

#[test]
fn an_hsm_that_was_away_is_found_again_however_often_it_failed() {
    let Some(with) = WithHsm::new() else { return };
    with.configure_with_shim();
    let mut serving = with.serve();
    for failure in ["sign_fails", "sign_lies"] {
        assert_eq!(serving.log_in("ada").0, 200);
        with.fail_by(failure);
        for _ in 0..2 {
            assert_eq!(serving.log_in("ada").0, 503, "{failure}");
        }
        with.fail_by("");
        assert_eq!(serving.log_in("ada").0, 200, "after {failure}");
    }
    serving.stop();
}

#[test]
fn a_token_that_does_not_sign_is_told_of_at_a_start_and_no_key_of_it_is_published() {
    let Some(with) = WithHsm::new() else { return };
    with.configure_with_shim();
    for (failure, expected) in [("sign_fails", "does not do it"), ("sign_lies", "signed with another key")] {
        with.fail_by(failure);
        let told = with.refusal();
        assert!(
            told.contains("a signing key cannot be made") && told.contains(expected),
            "{failure}: {told}"
        );
        assert!(with.kept().is_empty(), "{failure}");
    }
    with.fail_by("");
    with.serve().stop();
    with.fail_by("sign_lies");
    let told = with.refusal();
    assert!(told.contains("does not sign: the HSM signed with another key"), "{told}");
    let rotated = with.run(&["key", "rotate-signing", "--algorithm", "ES256"]);
    assert!(!rotated.success && rotated.stderr.contains("a signing key cannot be made"), "{rotated:?}");
    assert_eq!(with.kept().len(), 2);
}

#[test]
fn a_pin_is_shown_once_and_never_at_the_last_try() {
    let Some(with) = WithHsm::new() else { return };
    with.configure_with_shim();
    let log = with.installation.path("shim.log");
    let logins = || fs::read_to_string(&log).unwrap_or_default().matches("login").count();
    for (mode, expected) in [("locked", "is locked"), ("final_try", "leaves one try until it locks itself")] {
        with.fail_by(mode);
        let told = with.refusal();
        assert!(told.contains(expected), "{told}");
        assert_eq!((logins(), with.status()), (0, Some(77)), "{mode}");
    }
    with.fail_by("");
    with.installation.change_in("pin", PIN, "000000");
    assert_eq!(with.status(), Some(77));
    assert_eq!(logins(), 1);
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd/daypass.service");
    assert!(fs::read_to_string(unit).unwrap().contains("RestartPreventExitStatus=77\n"));
    with.installation.change_in("pin", "000000", PIN);
    with.serve().stop();
    with.installation.change("token = \"daypass\"", "token = \"other\"");
    assert_eq!(with.status(), Some(1), "what a start cures is tried again");
}

#[test]
fn a_server_whose_hsm_hangs_is_not_ready() {
    let Some(with) = WithHsm::new() else { return };
    with.configure_with_shim();
    let mut serving = with.serve();
    with.fail_by("sign_hangs");
    assert_eq!(serving.get("/readyz").0, 503);
    with.fail_by("");
    assert_eq!(serving.log_in("ada").0, 200);
    serving.stop();
}
