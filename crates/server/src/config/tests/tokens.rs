//! What `[tokens]` may say.

use daypass_core::records::signing_algorithm::Algorithm;

use super::*;

fn tokens(text: &str) -> Result<TokensConfig, ConfigError> {
    Config::parse(&format!("{GOOD}\n[tokens]\n{text}\n")).map(|config| config.tokens)
}

#[test]
fn tokens_are_signed_as_cognitos_unless_the_operator_says_otherwise() {
    let pool = |id: &str| id.to_owned().try_into().unwrap();
    let default = tokens("").unwrap().algorithms();
    assert_eq!(default.of(&pool("us-east-1:0a")), Algorithm::Rs512);
    let text = "algorithm = \"ES256\"\npools = { \"us-east-1:0a\" = \"RS512\" }";
    let algorithms = tokens(text).unwrap().algorithms();
    assert_eq!(algorithms.of(&pool("us-east-1:0a")), Algorithm::Rs512);
    assert_eq!(algorithms.of(&pool("us-east-1:0b")), Algorithm::Es256);
}

#[test]
fn keys_stay_unless_the_operator_says_how_long() {
    let rotation = tokens("").unwrap().rotation();
    assert_eq!((rotation.every, rotation.publish.as_hours()), (None, 24));
    let rotation = tokens("rotate = \"90d\"\npublish = \"2h\"").unwrap().rotation();
    assert_eq!(
        (rotation.every.map(|every| every.as_hours()), rotation.publish.as_hours()),
        (Some(90 * 24), 2)
    );
}

#[test]
fn an_hsm_is_named_whole_and_its_pin_by_reference() {
    let whole = "[tokens.pkcs11]\nmodule = \"lib.so\"\ntoken = \"a\"\npin = { env = \"PIN\" }";
    assert!(tokens(whole).unwrap().pkcs11.is_some());
    for (from, to, expected) in [
        ("module = \"lib.so\"\n", "", "[tokens] pkcs11.module: missing"),
        ("token = \"a\"\n", "", "pkcs11.token: missing"),
        ("pin = { env = \"PIN\" }", "", "pkcs11.pin: missing"),
        ("pin = { env = \"PIN\" }", "pin = \"314159\"", "pin: say where the secret is"),
        ("token =", "slot =", "slot: unknown key"),
    ] {
        assert!(whole.contains(from));
        let complaint = tokens(&whole.replace(from, to)).unwrap_err().to_string();
        assert!(complaint.contains(expected) && !complaint.contains("314159"), "{complaint}");
    }
}

#[test]
fn what_would_have_tokens_refused_is_refused() {
    for (text, expected) in [
        ("publish = \"14m\"", "publish: must be 15m at least"),
        ("publish = \"31d\"", "publish: must be 30d at most"),
        ("publish = \"99999999d\"", "publish: must be 30d at most"),
        ("rotate = \"9999999d\"", "rotate: must be 3650d at most"),
        ("rotate = \"24h\"", "rotate: must be longer than `publish`"),
        ("rotate = \"1h\"\npublish = \"2h\"", "rotate: must be longer than `publish`"),
        ("algorithm = \"RS256\"", "algorithm"),
        ("algorithm = \"none\"", "algorithm"),
        ("pools = { \"my pool\" = \"ES256\" }", "tokens"),
        ("pools = { \"us-east-1:0a\" = \"HS256\" }", "tokens"),
    ] {
        let complaint = tokens(text).unwrap_err().to_string();
        assert!(complaint.contains(expected), "{text}: {complaint}");
    }
}
