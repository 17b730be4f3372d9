//! What `up` takes of a developer's file.

use super::registered::REGISTERED;
use super::*;

/// What `up` makes of a developer's file.
pub(super) fn laid_over(text: &str) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("editor.json"), POLICY).unwrap();
    let file = dir.path().join("more.toml");
    std::fs::write(&file, text).unwrap();
    of_up(&file)
}

/// As `up` reads a developer's file.
pub(super) fn of_up(file: &Path) -> Result<Config, ConfigError> {
    Config::of_development(Addresses::default(), Path::new("secret"), Some(&ConfigFile::read(file)?))
}

pub(super) const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}"#;

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
fn a_folder_may_have_any_name_that_is_text() {
    let odd = ["a \"b\" 'c' \\ #", "a\nb\t\u{7f}\u{1b}", "{}'''", "$HOME"];
    for name in ["\u{939}\u{93f}\u{928}\u{94d}\u{926}\u{940}", "e\u{301}", "\u{200b}"].into_iter().chain(odd)
    {
        let config = Config::of_development(Addresses::default(), Path::new(name), None).unwrap();
        assert_eq!(config.store().unwrap().to_string(), format!("sqlite:{name}/daypass.db"));
        for file in ["master-key", "sandbox-client-secret"] {
            let reference = SecretReference::File(Path::new(name).join(file));
            assert!(config.secret_references().any(|it| *it == reference), "{name:?}: {file}");
        }
    }
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
        ("other_master_keys = []", "line 1: other_master_keys: "),
        ("[pool]\nname = \"other\"", "line 2: [pool] name: "),
        ("[pool]\nrole_mapping_rules = 3\ndriver = \"cognito\"", "line 3: [pool] driver: "),
    ] {
        let refused = laid_over(text).unwrap_err().to_string();
        assert!(refused.contains(&format!("{line}`daypass up` decides this by itself")), "{refused}");
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
