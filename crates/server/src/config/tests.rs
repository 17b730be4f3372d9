//! What configurations say, and what is told of mistakes in them.

mod actors;
mod apps;
mod clients;
mod of_up;
mod registered;
mod roles;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::credentials::role::RoleTrust;
use daypass_core::login::provider::{Identifier, Provider};

use self::of_up::laid_over;
use self::registered::REGISTERED;
use super::*;
use crate::config::development::Addresses;

const GOOD: &str = r#"
    public_url = "https://login.example.com"
    [pool]
    name = "my-app"
    developer_provider = "login.example.com"
    region = "us-east-1"
    account_id = "000000000000"
    [[provider]]
    id = "snapchat"
    client_id = "ours"
    client_secret = { file = "SECRET" }
    [[app]]
    id = "web"
    origins = ["https://app.example.com"]
    redirect_uris = ["https://app.example.com/signed-in"]
"#;

/// Parses the good configuration with one change, its secret in a file.
fn load(from: &str, to: &str) -> Result<BTreeMap<String, Arc<Provider>>, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "hunter2\n").unwrap();
    assert!(GOOD.contains(from));
    let text = GOOD.replace(from, to).replace("SECRET", file.path().to_str().unwrap());
    load_providers(&Config::parse(&text)?.providers, &Secrets::default())
}

fn complaint(from: &str, to: &str) -> String {
    load(from, to).unwrap_err().to_string()
}

#[test]
fn a_provider_is_its_catalogue_block_and_the_operators_client() {
    let providers = load("", "").unwrap();
    let snapchat = &providers["snapchat"];
    assert_eq!(snapchat.definition.name, "Snapchat");
    assert_eq!(snapchat.client_secret, Some(Secret::new("hunter2")));
    assert!(!snapchat.accept_unbound_access_tokens);
    assert_eq!(snapchat.cache_verified, None);
}

#[test]
fn a_block_serves_under_another_id_with_other_endpoints() {
    let to = "id = \"snap-2\"\ncatalogue = \"snapchat\"\nprofile.url = \"http://127.0.0.1:1/v1/me\"";
    let providers = load("id = \"snapchat\"", to).unwrap();
    assert_eq!(
        providers["snap-2"].definition.profile.as_ref().unwrap().call.url.as_literal(),
        Some("http://127.0.0.1:1/v1/me")
    );
}

#[test]
fn mistakes_are_refused_with_their_place() {
    assert!(complaint("id = \"web\"", "id = \"web\"\ncolour = 1").contains("colour"));
    assert!(
        complaint("id = \"snapchat\"", "id = \"snapchat\"\ncolour = 1")
            .contains("\"snapchat\": colour: unknown key")
    );
    assert!(complaint("{ file = \"SECRET\" }", "\"hunter2\"").contains("client_secret"));
    assert!(
        complaint("id = \"snapchat\"", "id = \"snapchat\"\ncache_verified = \"6m\"").contains("at most 5m")
    );
    assert!(
        complaint("id = \"snapchat\"", "id = \"snapchat\"\ncache_verified = \"6\"").contains("no duration")
    );
    assert!(complaint("SECRET", "/nowhere/at/all").contains("cannot read /nowhere/at/all"));
    assert!(
        complaint("id = \"snapchat\"", "id = \"snap:chat\"\ncatalogue = \"snapchat\"")
            .contains("letters, digits")
    );
    assert!(
        complaint("https://login.example.com\"\n    [pool]", "https://login.example.com/\"\n[pool]")
            .contains("slash")
    );
    assert!(complaint("\"https://app.example.com\"", "\"https://app.example.com/x\"").contains("origins"));
    let again = "[[app]]\nid = \"web\"\norigins = []\nredirect_uris = []\n[[app]]\nid = \"web\"";
    assert!(complaint("[[app]]\n    id = \"web\"", again).contains("stands there twice"));
    assert!(complaint("\"https://app.example.com\"", "\"*\"").contains("letter by letter"));
}

#[test]
fn one_provider_at_most_names_people_by_their_bare_ids() {
    let bare = "id = \"snapchat\"\nidentifier = \"{subject}\"";
    assert_eq!(load("", "").unwrap()["snapchat"].identifier, Identifier::Prefixed);
    assert_eq!(load("id = \"snapchat\"", bare).unwrap()["snapchat"].identifier, Identifier::Bare);
    let other = |id: &str| {
        format!(
            "{bare}\nclient_id = \"x\"\nclient_secret = {{ file = \"SECRET\" }}\n[[provider]]\n{id}\ncatalogue = \"discord\""
        )
    };
    let refused = complaint(
        "id = \"snapchat\"\n    client_id",
        &format!("{}\nclient_id", other("id = \"b\"\nidentifier = \"{subject}\"")),
    );
    assert!(
        refused.contains("id = \"b\": identifier: \"{subject}\" stands at \"snapchat\" already"),
        "{refused}"
    );
    let accepted = load(
        "id = \"snapchat\"\n    client_id",
        &format!("{}\nclient_id", other("id = \"b\"\nidentifier = \"{provider}:{subject}\"")),
    );
    assert_eq!(accepted.unwrap().len(), 2);
    let refused = complaint("id = \"snapchat\"", &bare.replace("snapchat", "slack"));
    assert!(refused.contains("several values"), "{refused}");
    for unknown in ["{provider}", "{subject}@{provider}", "", "bare"] {
        let refused = complaint("id = \"snapchat\"", &bare.replace("{subject}", unknown));
        assert!(refused.contains("\"{provider}:{subject}\" or \"{subject}\""), "{refused}");
    }
}

#[test]
fn tables_of_the_embedded_pool_are_not_for_amazons() {
    let pool = GOOD.split("[pool]").nth(1).unwrap().split("[[provider]]").next().unwrap();
    let cognito = "\ndriver = \"cognito\"\ndeveloper_provider = \"a\"\n[[pool.region]]\nregion = \"r\"\npool_id = \"r:0a\"\n";
    assert!(load(pool, cognito).is_ok());
    let role = "[[role]]\nname = \"a\"\npolicy = \"a.json\"\n";
    for (table, text) in [("role", role), ("oidc_provider", REGISTERED)] {
        let refused = complaint(pool, &format!("{cognito}{text}"));
        assert!(refused.contains(&format!("[[{table}]]: goes with driver = \"embedded\"")), "{refused}");
    }
    assert!(load(pool, &format!("{cognito}[tokens]\nrotate = \"90d\"\n")).is_ok(), "there are ID tokens");
    for key in ["algorithm = \"ES256\"", "pools = { \"us-east-1:0a\" = \"ES256\" }"] {
        let refused = complaint(pool, &format!("{cognito}[tokens]\n{key}\n"));
        assert!(refused.contains("goes with driver = \"embedded\""), "{refused}");
    }
}

#[test]
fn the_example_of_a_deployment_is_a_configuration() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/sam/daypass.toml");
    let config = Config::read(&file).unwrap();
    assert!(matches!(config.store().unwrap(), StoreUrl::Dynamo(url) if url.table() == "daypass"));
    let Driver::Cognito(regions) = &config.pool.driver else { panic!("{config:?}") };
    assert_eq!(regions.len(), 1);
    assert!(config.secret_references().all(|secret| matches!(secret, SecretReference::Ssm(_))));
}

#[test]
fn the_examples_of_many_servers_are_configurations() {
    for example in ["helm/example", "compose"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy").join(example);
        let config = Config::read(&folder.join("daypass.toml")).unwrap();
        assert!(matches!(config.store().unwrap(), StoreUrl::Postgres(_)), "{example}");
        assert_eq!(config.roles.len(), 1);
        assert!(
            config.secret_references().all(|secret| matches!(secret, SecretReference::File(_))),
            "{example}"
        );
    }
}

#[test]
fn a_mistake_in_a_provider_names_the_line_of_its_key_and_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("more.toml");
    let block = |id: &str, more: &str| {
        format!(
            "\n[[provider]]\nid = {id:?}\nclient_id = \"x\"\nclient_secret = {{ file = \"secret\" }}\n{more}"
        )
    };
    std::fs::write(dir.path().join("secret"), "hunter2").unwrap();
    for (first, second, line, cure) in [
        (block("snapchat", ""), block("b", ""), 8, "the catalogue has no provider"),
        (block("snapchat", ""), block("b", "catalogue = \"c\"\n"), 11, "the catalogue has no provider"),
        (block("snapchat", "profile.url = \"ftp://x\"\n"), block("b", ""), 6, "must begin with https://"),
        (block("snapchat", ""), block("snapchat", "# once more\n"), 8, "needs an ID of its own"),
        (block("snapchat", "pkce = \"never\"\n"), block("a b", ""), 9, "letters, digits"),
        (block("snapchat", "pkce = \"never\"\ncache_verified = \"6m\"\n"), String::new(), 7, "at most 5m"),
        (block("snapchat", "pkce = \"never\"\ncolour = 1\n"), String::new(), 7, "colour: unknown key"),
        (
            block("snapchat", "scopes = []\npkce = \"maybe\"\n"),
            String::new(),
            7,
            "pkce: must be \"required\" or \"never\"",
        ),
        (
            block("snapchat", "[provider.profile]\nauth = \"none\"\nredirect = true\n"),
            String::new(),
            8,
            "profile.redirect: unknown key",
        ),
        (
            block("snapchat", "[provider.exchange]\nreads_id_token = true\nclient_auth = \"basic\"\n"),
            String::new(),
            7,
            "exchange.reads_id_token: needs",
        ),
        (
            block("snapchat", "pkce = \"never\"\n[provider.exchange]\ntake = { a = { at = \"a\" } }\n"),
            String::new(),
            8,
            "exchange.take.a.at: ",
        ),
        (block("snapchat", "profile.subject = []\n"), String::new(), 2, "subject: name at least one"),
    ] {
        std::fs::write(&file, format!("{first}{second}")).unwrap();
        let mistake = ConfigFile::read(&file).and_then(|file| file.of_either()).unwrap_err().to_string();
        let place = format!("{}, line {line}: ", file.display());
        assert!(mistake.lines().any(|line| line.contains(&place) && line.contains(cure)), "{mistake}");
    }
}

#[test]
fn two_providers_cannot_share_an_id() {
    let twice =
        "[[provider]]\nid = \"snapchat\"\nclient_id = \"x\"\nclient_secret = { file = \"SECRET\" }\n[[app]]";
    assert!(complaint("[[app]]", twice).contains("twice"));
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let text = r#"public_url = "https://login.example.com/"
master_key = "c2VjcmV0"
colour = "blue"
[pool]
name = "my-app"
role_mapping_rules = 500
[[provider]]
id = "snapchat"
client_id = ""
cache_verified = "9m"
[[provider]]
id = "discord"
client_id = "ours"
client_secret = { file = "secret" }
pkce = "perhaps"
profile.redirect = true
[[app]]
id = "web"
origins = ["https://app.example.com/", "*"]
redirect_uris = []
[[app]]
id = "web"
origin = []
[[role]]
name = "editor"
policy = "gone.json"
"#;
    std::fs::write(&file, text).unwrap();
    let told = Config::read(&file).unwrap_err().to_string();
    let expected = [
        (1, "public_url: must not end with a slash"),
        (2, "master_key: say where the secret is"),
        (3, "colour: unknown key"),
        (4, "[pool] account_id: missing"),
        (4, "[pool] region: missing"),
        (4, "[pool] developer_provider: missing"),
        (6, "[pool] role_mapping_rules: must be 1 to 400"),
        (7, "[[provider]] id = \"snapchat\": client_secret: missing"),
        (15, "[[provider]] id = \"discord\": pkce: must be \"required\" or \"never\""),
        (16, "[[provider]] id = \"discord\": profile.redirect: unknown key"),
        (
            19,
            "[[app]] id = \"web\": origins: \"https://app.example.com/\" must be scheme, host and port only",
        ),
        (19, "[[app]] id = \"web\": origins: \"*\" is compared letter by letter"),
        (21, "[[app]] id = \"web\": origins: missing"),
        (21, "[[app]] id = \"web\": redirect_uris: missing"),
        (23, "[[app]] id = \"web\": origin: unknown key; did you mean `origins`?"),
        (26, "[[role]] name = \"editor\": policy: cannot read"),
    ];
    for (line, mistake) in expected {
        assert!(told.contains(&format!("daypass.toml, line {line}: {mistake}")), "{line} {mistake}\n{told}");
    }
    assert!(told.contains("daypass.toml: [store]: missing: write `[store]`"), "{told}");
    assert!(
        !told.contains("c2VjcmV0"),
        "a secret that stands where its reference belongs is not repeated: {told}"
    );
}

#[test]
fn what_is_no_toml_is_told_with_its_line_and_without_its_text() {
    let told =
        Config::parse("public_url = \"a\"\nmaster_key = \"hunter2\nx\n[pool\n").unwrap_err().to_string();
    assert!(told.contains("line 2: this is not TOML") && told.contains("line 4"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_master_key_is_32_bytes() {
    let key = |length: usize| Secret::new(BASE64_STANDARD.encode(vec![7; length]));
    assert_eq!(parse_master_key(&key(32)).unwrap().expose(), &[7; 32]);
    for length in [0, 16, 31, 33] {
        assert!(parse_master_key(&key(length)).is_none(), "{length}");
    }
    assert!(parse_master_key(&Secret::new("no base64!")).is_none());
}

#[test]
fn one_master_key_seals_and_each_that_is_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let key = |byte: u8| BASE64_STANDARD.encode([byte; 32]);
    for (name, text) in [("old", key(1)), ("new", key(2)), ("short", "c2hvcnQ=".into())] {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let read = |others: &str| {
        let head = "master_key = { file = \"new\" }\nstore.url = \"memory:\"\nother_master_keys = ";
        std::fs::write(&file, format!("{head}{others}\n{GOOD}")).unwrap();
        Config::read(&file)?.master_keys(&Secrets::default())
    };
    let [old, new] = [1, 2].map(|byte| MasterKey::new([byte; 32]).id());
    assert_eq!(read("[]").unwrap().ids().collect::<Vec<_>>(), [new]);
    let keys = read("[{ file = \"old\" }, { file = \"new\" }]").unwrap();
    assert_eq!((keys.current(), keys.ids().collect::<Vec<_>>()), (new, vec![new, old]));
    let told = read("[{ file = \"short\" }, { file = \"gone\" }]").unwrap_err().to_string();
    assert!(told.contains("other_master_keys: this is not the base64 of 32 bytes"), "{told}");
    assert!(told.contains("other_master_keys: cannot read"), "{told}");
    for wrong in ["{ file = \"old\" }", "[\"c2hvcnQ=\"]", "\"c2hvcnQ=\""] {
        let told = read(wrong).unwrap_err().to_string();
        assert!(told.contains("line 3: other_master_keys: ") && !told.contains("c2hvcnQ="), "{told}");
    }
}

#[test]
fn a_master_key_that_kms_wrapped_says_under_which_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let read = |value: &str| {
        std::fs::write(&file, format!("master_key = {value}\nstore.url = \"memory:\"\n{GOOD}")).unwrap();
        Config::read(&file)
    };
    let arn = "arn:aws:kms:eu-west-1:111122223333:alias/daypass";
    for place in
        ["file = \"wrapped\"", "env = \"WRAPPED\"", "ssm = \"/wrapped\"", "secrets_manager = \"wrapped\""]
    {
        let config = read(&format!("{{ {place}, kms = \"{arn}\" }}")).unwrap();
        let told = config.placed_master_keys().next().unwrap().reference.to_string();
        assert!(told.ends_with(&format!(", kms = \"{arn}\" }}")), "{told}");
    }
    for (wrong, cure) in [
        (format!("{{ kms = \"{arn}\" }}"), "say where the secret is"),
        (format!("{{ file = \"a\", env = \"B\", kms = \"{arn}\" }}"), "say where the secret is"),
        ("{ file = \"a\", kms = \"c2VjcmV0\" }".into(), "kms must be the ARN"),
        ("{ file = \"a\", kms = 7 }".into(), "kms must be the ARN"),
    ] {
        let told = read(&wrong).unwrap_err().to_string();
        assert!(told.contains("line 1: master_key: ") && told.contains(cure), "{told}");
        assert!(!told.contains("c2VjcmV0"), "{told}");
    }
    let of_another = complaint(
        "client_secret = { file = \"SECRET\" }",
        &format!("client_secret = {{ file = \"a\", kms = \"{arn}\" }}"),
    );
    assert!(of_another.contains("client_secret: say where the secret is"), "{of_another}");
}

#[test]
fn what_is_no_text_is_told_as_what_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    for (written, told) in [
        (&b"SQLite format 3\0\x10\0"[..], "daypass.toml is a database, and a configuration was to be named"),
        (b"a = \"\xff\"", "daypass.toml is not UTF-8"),
    ] {
        std::fs::write(&file, written).unwrap();
        let refused = Config::read(&file).unwrap_err().to_string();
        assert!(refused.contains(told), "{refused}");
    }
}

#[test]
fn all_secrets_that_cannot_be_had_are_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let head = "master_key = { file = \"short\" }\nmetrics.token = { env = \"DAYPASS_TEST_NO_SUCH\" }\n\
                store.url = \"postgres://a@127.0.0.1/d\"\nstore.password = { file = \"/run/credentials/daypass/no\" }\n";
    std::fs::write(dir.path().join("short"), "c2hvcnQ=").unwrap();
    std::fs::write(&file, format!("{head}{GOOD}")).unwrap();
    let told = Config::read(&file).unwrap().check_secrets(&Secrets::default()).unwrap_err().to_string();
    assert!(told.contains("master_key: this is not the base64 of 32 bytes"), "{told}");
    assert!(
        told.contains("[metrics] token: the environment variable DAYPASS_TEST_NO_SUCH is not set"),
        "{told}"
    );
    assert!(told.contains("[[provider]] id = \"snapchat\": client_secret: cannot read"), "{told}");
    assert!(told.contains("[store] password: cannot read"), "{told}");
    assert!(told.contains("systemd has it there only while the service runs"), "{told}");
    assert!(!told.contains("c2hvcnQ="), "{told}");
}

#[test]
fn people_sign_in_over_tls_in_production_alone() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let head = "master_key = { file = \"short\" }\nstore.url = \"memory:\"\n";
    let text = GOOD.replace("https://login.example.com", "http://daypass:9400");
    std::fs::write(&file, format!("{head}{text}")).unwrap();
    let told = Config::read(&file).unwrap_err().to_string();
    assert!(told.contains("line 4: public_url: people sign in there"), "{told}");
    assert!(Config::parse(&text).is_ok());
}

#[test]
fn a_table_that_is_written_as_an_array_is_none() {
    for (text, mistake) in [
        ("network = [[\"10.0.0.1\"], [], \"75s\", \"35s\"]", "[network]: must be a table: write [network]"),
        ("metrics = [{ env = \"HOME\" }]", "[metrics]: must be a table"),
        (
            "pool = [\"embedded\", \"evil\", {}, \"1h\", \"other\", \"eu-west-1\", \"111111111111\", 25]",
            "[pool]: must be a table",
        ),
    ] {
        let refused = laid_over(text).unwrap_err().to_string();
        assert!(refused.contains(mistake), "{refused}");
    }
}
