//! What configurations say, and what is told of mistakes in them.

mod actors;
mod apps;
mod clients;
mod roles;
mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::credentials::role::RoleTrust;
use daypass_core::login::provider::{Identifier, Provider};

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
    assert_eq!(config.store().unwrap(), &StoreUrl::Memory);
    let Driver::Cognito(regions) = &config.pool.driver else { panic!("{config:?}") };
    assert_eq!(regions.len(), 1);
    assert!(config.secret_references().all(|secret| matches!(secret, SecretReference::Ssm(_))));
}

/// What `up` makes of a developer's file.
fn laid_over(text: &str) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("editor.json"), POLICY).unwrap();
    let file = dir.path().join("more.toml");
    std::fs::write(&file, text).unwrap();
    of_up(&file)
}

/// As `up` reads a developer's file.
fn of_up(file: &Path) -> Result<Config, ConfigError> {
    Config::of_development(Addresses::default(), Path::new("secret"), Some(&ConfigFile::read(file)?))
}

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;

#[test]
fn a_file_is_laid_over_development_and_its_paths_start_at_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("more.toml");
    std::fs::write(dir.path().join("editor.json"), POLICY).unwrap();
    let role = "[[role]]\nname = \"editor\"\npolicy = \"editor.json\"\n";
    let pool = "[pool]\nrole_mapping_rules = 30\nmax_token_duration = \"2h\"\nprincipal_tags.a = \"b\"\n";
    let network = "[network]\nallow_private = [\"10.0.0.7\"]\n";
    std::fs::write(&file, format!("{REGISTERED}{role}{pool}{network}")).unwrap();
    let config = of_up(&file).unwrap();
    let Driver::Embedded(embedded) = &config.pool.driver else { panic!("{config:?}") };
    assert_eq!((&*embedded.name, embedded.role_mapping_rules), ("daypass-demo", Some(30)));
    assert_eq!(config.pool.max_token_duration.as_hours(), 2);
    assert_eq!((config.providers.len(), config.oidc_providers.len()), (2, 1));
    assert_eq!(config.network.allow_private.len(), 1);
    let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
    let roles = config.load_roles(&pool_id).unwrap();
    assert_eq!((roles[0].name.as_str(), &*roles[0].policy), ("editor", POLICY));
    assert!(matches!(&roles[0].trust, RoleTrust::Pool { pool_id, .. } if pool_id.as_str() == "us-east-1:aa"));
}

#[test]
fn a_developers_file_says_where_credentials_come_from() {
    let network = "[network]\nallow_private = [\"store.internal\"]\n";
    let credentials = "[credentials]\nsource = \"sts\"\nurl = \"http://store.internal\"\n";
    let config = laid_over(&format!("{network}{credentials}")).unwrap();
    assert_eq!(config.foreign_sts.unwrap().url, "http://store.internal/");
    let refused = laid_over(credentials).unwrap_err().to_string();
    assert!(refused.contains("line 1: [credentials]: url = \"http://store.internal\""), "{refused}");
    assert_eq!(laid_over("").unwrap().foreign_sts, None);
}

#[test]
fn mistakes_in_a_developers_file_are_refused_with_their_place() {
    let complaint = |text: &str| laid_over(text).unwrap_err().to_string();
    assert!(complaint("colour = 1").contains("line 1: colour: unknown key"));
    assert!(
        complaint("[pool]\nrole_mapping_rules = 401").contains("[pool] role_mapping_rules: must be 1 to 400")
    );
    assert!(complaint("[[role]]\nname = \"a\"\npolicy = \"gone.json\"").contains("gone.json"));
    assert!(complaint(&format!("{REGISTERED}{REGISTERED}")).contains("twice"));
    let gone = of_up(Path::new("/gone/none.toml"));
    assert!(gone.unwrap_err().to_string().contains("cannot read /gone/none.toml"));
}

#[test]
fn what_up_decides_by_itself_is_refused_in_a_developers_file() {
    for (text, line) in [
        ("public_url = \"https://login.example.com\"", "line 1: public_url: "),
        ("[store]\nurl = \"memory:\"", "line 1: [store]: "),
        ("master_key = { env = \"KEY\" }", "line 1: master_key: "),
        ("[pool]\nname = \"other\"", "line 2: [pool] name: "),
        ("[pool]\nrole_mapping_rules = 3\ndriver = \"cognito\"", "line 3: [pool] driver: "),
    ] {
        let refused = laid_over(text).unwrap_err().to_string();
        assert!(refused.contains(&format!("{line}`daypass up` decides this by itself")), "{refused}");
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

const REGISTERED: &str = r#"
    [[oidc_provider]]
    arn = "arn:aws:iam::000000000000:oidc-provider/login.example.com/realm"
    issuer = "https://login.example.com/realm"
    audiences = ["ours"]
    [[user_pool]]
    name = "cognito-idp.us-east-1.amazonaws.com/us-east-1_local"
    issuer = "http://127.0.0.1:9229/us-east-1_local"
"#;

/// Parses the good configuration with registered providers, one change made in their description.
fn register(from: &str, to: &str) -> Result<Config, ConfigError> {
    assert!(REGISTERED.contains(from));
    Config::parse(&format!("{GOOD}{}", REGISTERED.replace(from, to)))
}

#[test]
fn oidc_providers_and_user_pools_are_read() {
    let config = register("", "").unwrap();
    assert_eq!(config.oidc_providers[0].login_key(), "login.example.com/realm");
    assert_eq!(config.user_pools[0].name, "cognito-idp.us-east-1.amazonaws.com/us-east-1_local");
}

#[test]
fn a_provider_is_described_once() {
    let provider = REGISTERED.split("[[user_pool]]").next().unwrap();
    let again = provider.replace("000000000000", "111111111111");
    let complaint = register("[[user_pool]]", &format!("{again}[[user_pool]]")).unwrap_err().to_string();
    assert!(
        complaint.contains("[[oidc_provider]] arn = \"arn:aws:iam::111111111111")
            && complaint.contains("twice"),
        "{complaint}"
    );
    let pool = REGISTERED.split("[[user_pool]]").last().unwrap();
    let complaint = register(pool, &format!("{pool}[[user_pool]]{pool}")).unwrap_err().to_string();
    assert!(complaint.contains("twice"), "{complaint}");
}

#[test]
fn a_description_that_cannot_be_true_is_refused_with_its_place_and_the_cure() {
    for (from, to, place, cure) in [
        ("audiences = [\"ours\"]", "audiences = []", "oidc_provider", "1 to 100"),
        ("audiences = [\"ours\"]", "audiences = [\"\"]", "oidc_provider", "none of them empty"),
        ("\"https://login", "\"http://login", "oidc_provider", "issuer: must start with https://"),
        ("com/realm\"\n    aud", "com/realm?a=b\"\n    aud", "oidc_provider", "query"),
        ("com/realm\"\n    issuer", "com/other\"\n    issuer", "oidc_provider", "arn: must be arn:aws:iam"),
        ("iam::000000000000", "iam::12", "oidc_provider", "arn: must be arn:aws:iam"),
        ("issuer = \"http://127.0.0.1", "issuer = \"http://10.0.0.1", "user_pool", "issuer: must start"),
        (
            "issuer = \"http://127.0.0.1",
            "issuer = \"http://127.0.0.1@evil",
            "user_pool",
            "issuer: must start",
        ),
        ("us-east-1.amazonaws.com", "us-east-1.example.com", "user_pool", "name: must be cognito-idp"),
        ("[[user_pool]]", "[[user_pool]]\njwks_uri = \"ftp://x\"", "user_pool", "jwks_uri: must start"),
    ] {
        let complaint = register(from, to).unwrap_err().to_string();
        assert!(
            complaint.contains(&format!("[[{place}]] ")) && complaint.contains(cure),
            "{to}: {complaint}"
        );
    }
    let complaint = register("[[user_pool]]", "colour = 1\n[[user_pool]]").unwrap_err().to_string();
    assert!(complaint.contains("colour"), "{complaint}");
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
fn all_secrets_that_cannot_be_had_are_told_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("daypass.toml");
    let head = "master_key = { file = \"short\" }\nmetrics.token = { env = \"DAYPASS_TEST_NO_SUCH\" }\nstore.url = \"memory:\"\n";
    std::fs::write(dir.path().join("short"), "c2hvcnQ=").unwrap();
    std::fs::write(&file, format!("{head}{GOOD}")).unwrap();
    let told = Config::read(&file).unwrap().check_secrets(&Secrets::default()).unwrap_err().to_string();
    assert!(told.contains("master_key: this is not the base64 of 32 bytes"), "{told}");
    assert!(
        told.contains("[metrics] token: the environment variable DAYPASS_TEST_NO_SUCH is not set"),
        "{told}"
    );
    assert!(told.contains("[[provider]] id = \"snapchat\": client_secret: cannot read"), "{told}");
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

#[test]
fn what_up_has_already_is_refused_in_a_developers_file() {
    let provider = "[[provider]]\nid = \"snapchat\"\nclient_id = \"x\"\nclient_secret = { env = \"E\" }\n";
    let app = "[[app]]\nid = \"playground\"\norigins = []\nredirect_uris = []\n";
    for (text, mistake) in [(provider, "stands there twice"), (app, "stands there twice")] {
        let refused = laid_over(text).unwrap_err().to_string();
        assert!(refused.contains(mistake), "{refused}");
    }
}

#[test]
fn up_has_an_app_for_terminals_unless_the_file_has_one() {
    let redirect_uris = |text: &str| {
        let apps = laid_over(text).unwrap().apps;
        let found: Vec<_> = apps.into_iter().filter(|app| app.id == "terminal").collect();
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].redirect_uris.clone()
    };
    assert_eq!(redirect_uris(""), ["http://127.0.0.1/callback"]);
    let web = "[[app]]\nid = \"web\"\norigins = []\nredirect_uris = []\n";
    assert_eq!(redirect_uris(web), ["http://127.0.0.1/callback"]);
    let own = "[[app]]\nid = \"terminal\"\norigins = []\nredirect_uris = [\"http://127.0.0.1/other\"]\n";
    assert_eq!(redirect_uris(own), ["http://127.0.0.1/other"]);
}
