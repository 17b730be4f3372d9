//! `[[oidc_provider]]` and `[[user_pool]]`.

use super::*;

pub(super) const REGISTERED: &str = r#"
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
