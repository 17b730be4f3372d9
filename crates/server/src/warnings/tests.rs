//! Each switch by itself: what is said of it, and that nothing is said of an ordinary installation.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use daypass_core::credentials::role::{RoleDocument, RoleTrust};
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{AccessKeyId, AccountId, IdentityPoolId, RoleName, UserName};
use daypass_core::ground::master_keys::MasterKey;
use daypass_core::ground::random::SeededRandom;

use super::*;
use crate::config::load_providers;
use crate::secrets::Secrets;

const GOOD: &str = r#"
    public_url = "https://login.example.com"
    [store]
    url = "sqlite:/nowhere/daypass.db"
    [pool]
    name = "my-app"
    developer_provider = "login.example.com"
    region = "us-east-1"
    account_id = "000000000000"
    [network]
    allow_private = ["10.0.0.7"]
    trusted_proxies = ["10.0.0.0/8", "fc00::/7"]
    [[app]]
    id = "web"
    origins = ["https://app.example.com"]
    redirect_uris = ["https://app.example.com/signed-in", "http://127.0.0.1:8765/of-a-program"]
"#;

const COGNITO: &str = r#"
    public_url = "https://login.example.com"
    store.url = "sqlite:/nowhere/daypass.db"
    [pool]
    driver = "cognito"
    developer_provider = "login.example.com"
    [[pool.region]]
    region = "us-east-1"
    pool_id = "us-east-1:0a"
    endpoint_url = "https://cognito.internal"
"#;

fn said(text: &str, instances: Instances) -> String {
    of_production(&Config::parse(text).unwrap(), instances).join("\n")
}

fn said_of_change(good: &str, from: &str, to: &str) -> String {
    assert!(good.contains(from), "{from}");
    let found = said(&good.replace(from, to), Instances::One);
    assert_eq!(found.lines().count(), 1, "{to}: {found}");
    found
}

#[test]
fn an_ordinary_installation_has_nothing_to_hear() {
    for good in [GOOD, COGNITO] {
        assert_eq!(said(good, Instances::One), "");
    }
}

#[test]
fn whatever_makes_an_installation_less_safe_is_said_with_its_key() {
    for (from, to, key, why) in [
        ("https://login.example.com\"", "http://127.0.0.1:9400\"", "public_url", "no TLS"),
        ("https://app.example.com\"]", "http://localhost:5173\"]", "`origins`", "visitor's own machine"),
        ("\"10.0.0.0/8\"", "\"0.0.0.0/1\"", "trusted_proxies: 0.0.0.0/1", "is believed"),
        (
            "[network]",
            "max_token_duration = \"12h\"\n[network]",
            "max_token_duration = \"12h\"",
            "or is revoked",
        ),
        ("sqlite:/nowhere/daypass.db", "memory:", "[store] url", "whose identity is whose"),
        (
            "[network]",
            "[credentials]\nsource = \"sts\"\nurl = \"http://10.0.0.7:9000\"\n[network]",
            "[credentials] url",
            "people's tokens",
        ),
        (
            "[network]",
            "[credentials]\nsource = \"sts\"\nurl = \"https://sts.internal\"\nduration = \"12h\"\n[network]",
            "[credentials] duration = \"12h\"",
            "whatever is revoked",
        ),
        (
            "[[app]]",
            "[[user_pool]]\nname = \"cognito-idp.us-east-1.amazonaws.com/us-east-1_a\"\n\
             issuer = \"http://127.0.0.1:9229/a\"\n[[app]]",
            "[[user_pool]]",
            "emulator",
        ),
    ] {
        let found = said_of_change(GOOD, from, to);
        assert!(found.contains(key) && found.contains(why), "{to}: {found}");
    }
    for (from, to, key, why) in [
        ("https://cognito.internal", "http://cognito.internal", "endpoint_url", "people's tokens"),
        (
            "[[pool.region]]",
            "max_token_duration = \"2h\"\n[[pool.region]]",
            "max_token_duration",
            "takes none back",
        ),
        ("sqlite:/nowhere/daypass.db", "memory:", "[store] url", "proofs were spent"),
    ] {
        let found = said_of_change(COGNITO, from, to);
        assert!(found.contains(key) && found.contains(why), "{to}: {found}");
    }
}

#[test]
fn an_actor_of_a_provider_for_people_is_named() {
    let tables = |more: &str| {
        format!(
            "{GOOD}\n[pool.principal_tags]\nactor = \"{{actor}}\"\n[[provider]]\nid = \"google\"\nclient_id = \"c\"\n\
             client_secret = {{ env = \"S\" }}\n{more}\n[[actor]]\nid = \"mailer\"\nprovider = \"google\"\nsubject = \"1\"\n\
             apps = [\"web\"]\n"
        )
    };
    let open = said(&tables(""), Instances::One);
    assert!(
        open.starts_with("[[actor]] id = \"mailer\": everybody whom [[provider]] \"google\" vouches for"),
        "{open}"
    );
    assert_eq!(said(&tables("only_actors = true"), Instances::One), "");
}

#[test]
fn traces_that_others_can_read_or_nobody_gets_are_told() {
    let traces = |url: &str| format!("{GOOD}\n[traces]\nurl = {url:?}\n");
    assert_eq!(said(&traces("https://collector.example.com/v1/traces"), Instances::One), "");
    assert_eq!(said(&traces("http://127.0.0.1:4318/v1/traces"), Instances::One), "");
    let in_the_clear = said(&traces("http://10.0.0.7:4318/v1/traces"), Instances::One);
    assert!(in_the_clear.starts_with("[traces]: url has no TLS"), "{in_the_clear}");
    let frozen = said(&traces("https://collector.example.com/v1/traces"), Instances::Many);
    assert!(frozen.contains("[traces]: instances of a function are frozen"), "{frozen}");
}

#[test]
fn many_instances_have_many_pools_in_memory() {
    let of_instances = GOOD.replace("sqlite:/nowhere/daypass.db", "memory:");
    assert!(said(&of_instances, Instances::Many).contains("this instance's own"));
}

#[test]
fn what_instances_without_a_common_store_cannot_do_is_said() {
    let of_instances = COGNITO.replace("sqlite:/nowhere/daypass.db", "memory:");
    let found = said(&of_instances, Instances::Many);
    assert_eq!(found.lines().count(), 1, "of the pool, which is Amazon's, there is nothing to say: {found}");
    for what in ["/login is absent", "no login_url", "signed fields", "a page of your own"] {
        assert!(found.contains(what), "{found}");
    }
}

#[test]
fn files_that_everybody_can_read_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (key, database) = (dir.path().join("master-key"), dir.path().join("daypass.db"));
    let text = format!("master_key = {{ file = {key:?} }}\n{GOOD}")
        .replace("/nowhere/daypass.db", database.to_str().unwrap());
    for file in [&key, &database] {
        fs::write(file, "").unwrap();
        fs::set_permissions(file, Permissions::from_mode(0o640)).unwrap();
    }
    assert_eq!(said(&text, Instances::One), "", "a group may read");
    for (file, what) in [(&key, "a secret"), (&database, "whose identity is whose")] {
        fs::set_permissions(file, Permissions::from_mode(0o644)).unwrap();
        let found = said(&text, Instances::One);
        assert!(found.contains(&format!("{} holds {what}", file.display())), "{found}");
        fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn a_role_whose_policy_asks_for_what_is_never_known_is_named() {
    let said = |policy: &str| {
        let role = RoleDocument {
            name: RoleName::parse("staff").unwrap(),
            trust: RoleTrust::Pool {
                pool_id: IdentityPoolId::parse("us-east-1:aa").unwrap(),
                amr: "authenticated",
            },
            policy: format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Resource":"*",{policy}}}]}}"#
            ),
            max_session_duration: SignedDuration::from_hours(1),
        };
        let roles = Roles::compile(AccountId::parse("000000000000").unwrap(), vec![role]).unwrap();
        of_unfilled_keys(&roles).join("\n")
    };
    let condition =
        r#""Condition":{"StringEquals":{"s3:x-amz-acl":"private","aws:RequestedRegion":"eu-west-1"}}"#;
    let found = said(&format!(r#""Action":"s3:PutObject",{condition}"#));
    assert!(found.contains("the role staff asks for aws:requestedregion, s3:x-amz-acl,"), "{found}");
    assert_eq!(said(&format!(r#""Action":"sqs:SendMessage",{condition}"#)), "");
    assert_eq!(said(r#""Action":"s3:PutObject""#), "");
}

#[test]
fn a_provider_that_is_asked_for_less_than_the_catalogue_asks_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, "hunter2").unwrap();
    let said = |block: &str| {
        let block =
            format!("[[provider]]\nclient_id = \"ours\"\nclient_secret = {{ file = {secret:?} }}\n{block}\n");
        let config = Config::parse(&format!("{GOOD}{block}")).unwrap();
        let providers = load_providers(&config.providers, &Secrets::default()).unwrap();
        let [config] = &config.providers[..] else { panic!("one provider") };
        of_provider(config, &providers[&config.id]).join("\n")
    };
    for (block, expected) in [
        ("id = \"google\"", ""),
        ("id = \"google\"\npkce = \"required\"\nid_token.nonce = \"exact\"", ""),
        ("id = \"google\"\nid_token.nonce = \"none\"", "id_token.nonce is weaker"),
        ("id = \"snapchat\"", ""),
        ("id = \"snap-2\"\ncatalogue = \"snapchat\"\npkce = \"never\"", "pkce is weaker"),
        ("id = \"snapchat\"\naccept_unbound_access_tokens = true", "whichever app they were issued to"),
        ("id = \"telegram-widget\"\nsigned_fields.max_age_seconds = 86400", "signed_fields.max_age_seconds"),
    ] {
        let found = said(block);
        assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{block}: {found}");
    }
}

#[test]
fn an_access_key_that_a_master_key_is_missing_for_is_named_with_it() {
    let key = |byte: u8| MasterKey::new([byte; 32]);
    let sealed = |master_key: u8, name: &str| StoredAccessKey {
        id: AccessKeyId::generate_developer(&SeededRandom::new(master_key.into())),
        name: UserName::parse(name).unwrap(),
        policy: String::new(),
        sealed_secret: MasterKeys::from(key(master_key)).sealer("a").seal(b"", b"", &SeededRandom::new(1)),
        created_at: Timestamp::UNIX_EPOCH,
        enabled: true,
    };
    let keys = [sealed(1, "current"), sealed(2, "other"), sealed(3, "closed")];
    let told = of_closed_access_keys(&keys, &MasterKeys::new(key(1), vec![key(2)]));
    assert_eq!(told.len(), 1, "{told:?}");
    for part in [
        keys[2].id.as_str(),
        "of closed is answered with 503",
        &key(3).id().to_string(),
        "daypass master-key rotate",
    ] {
        assert!(told[0].contains(part), "{told:?}");
    }
}
