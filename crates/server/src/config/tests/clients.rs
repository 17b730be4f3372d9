//! What a provider's block has to say of the client there, and which addresses may go without TLS.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::prelude::{BASE64_STANDARD, Engine};

use super::*;

/// What a provider in the file has to have of a client.
fn providers_of(block: &str) -> Result<BTreeMap<String, Arc<Provider>>, ConfigError> {
    let text = format!("{GOOD}{block}").replace("SECRET", "/dev/null");
    let own = Config::parse(&text)?.providers.pop().unwrap();
    load_providers(&[own], &Secrets::default())
}

#[test]
fn a_client_has_a_secret_where_something_is_confirmed_with_it_and_only_there() {
    let with = |block: &str| providers_of(block).map_or_else(|error| error.to_string(), |_| String::new());
    for good in [
        "[[provider]]\nid = \"steam\"",
        "[[provider]]\nid = \"google\"\nclient_id = \"ours\"\naccept = [\"id_token\"]",
        "[[provider]]\nid = \"google\"\nclient_id = \"ours\"\nexchange.client_auth = \"none\"",
        "[[provider]]\nid = \"x\"\nclient_id = \"ours\"\nexchange.client_auth = \"none\"",
    ] {
        assert_eq!(with(good), "", "{good}");
    }
    for (bad, cure) in [
        ("[[provider]]\nid = \"google\"", "client_id: missing"),
        ("[[provider]]\nid = \"google\"\nclient_id = \"\"", "client_id"),
        ("[[provider]]\nid = \"google\"\nclient_id = \"ours\"", "client_secret: missing"),
        ("[[provider]]\nid = \"apple\"\nclient_id = \"ours\"", "client_secret: missing"),
        ("[[provider]]\nid = \"telegram-widget\"\nclient_id = \"ours\"", "client_secret: missing"),
        (
            "[[provider]]\nid = \"github\"\nclient_id = \"ours\"\naccept = [\"access_token\"]",
            "client_secret: missing",
        ),
    ] {
        assert!(with(bad).contains(cure), "{bad}: {}", with(bad));
    }
    assert_eq!(providers_of("[[provider]]\nid = \"steam\"").unwrap()["steam"].client_secret, None);
}

#[test]
fn a_key_of_apples_is_looked_at_before_the_first_login() {
    let apple = "[[provider]]\nid = \"apple\"\nclient_id = \"ours\"\nclient_secret.file = \"KEY\"\n";
    let with_names = format!("{apple}apple = {{ team_id = \"TEAM123456\", key_id = \"KEY1234567\" }}\n");
    let file = tempfile::NamedTempFile::new().unwrap();
    let started = |block: &str, secret: &str| {
        std::fs::write(file.path(), secret).unwrap();
        providers_of(&block.replace("KEY\"\n", &format!("{}\"\n", file.path().display())))
            .map_or_else(|error| error.to_string(), |_| String::new())
    };
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let der = BASE64_STANDARD.encode(pair.to_pkcs8v1().unwrap());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n");
    assert_eq!(started(&with_names, &pem), "");
    assert!(started(apple, &pem).contains("apple: missing"), "{}", started(apple, &pem));
    for wrong in ["hunter2", &pem.replace('M', "N"), "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----"]
    {
        let refused = started(&with_names, wrong);
        assert!(refused.contains("client_secret: is no key of Sign in with Apple"), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    let id_tokens = format!("{apple}accept = [\"id_token\"]\n");
    assert_eq!(started(&id_tokens, "unused"), "", "nothing is made of it");
}

/// A development beside other containers, and an installation that people reach.
#[test]
fn containers_are_asked_without_tls_in_development_alone() {
    let containers = "[network]\nallow_private = [\"keycloak\", \"10.0.0.7\"]\n\
        [[oidc_provider]]\narn = \"arn:aws:iam::000000000000:oidc-provider/keycloak:8080/realms/dev\"\n\
        issuer = \"http://keycloak:8080/realms/dev\"\naudiences = [\"ours\"]\n\
        [[user_pool]]\nname = \"cognito-idp.us-east-1.amazonaws.com/us-east-1_local\"\nissuer = \"http://10.0.0.7/us-east-1_local\"\n\
        [[provider]]\nid = \"own\"\ncatalogue = \"snapchat\"\nclient_id = \"ours\"\nclient_secret.env = \"PATH\"\n\
        profile.url = \"http://keycloak:8080/me\"\n";
    let at = |public_url: &str, more: &str| {
        assert!(GOOD.contains("https://login.example.com"));
        let file = format!("{}{more}", GOOD.replace("https://login.example.com", public_url));
        Config::parse(&file).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(at("http://127.0.0.1:9400", containers), "");
    let refused = at("https://login.example.com", containers);
    for what in ["oidc_provider", "user_pool", "id = \"own\""] {
        assert!(
            refused.lines().any(|line| line.contains(what) && line.contains("https://")),
            "{what}: {refused}"
        );
    }
    let unnamed = at("http://127.0.0.1:9400", &containers.replace("\"keycloak\", ", ""));
    assert!(unnamed.contains("oidc_provider") && !unnamed.contains("user_pool"), "{unnamed}");
}
