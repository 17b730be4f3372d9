//! What a verified login becomes in tags, and what may not stand in one.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::ground::clock::ManualClock;
use crate::ground::ids::IdentityPoolId;
use crate::login::provider::Engine;
use crate::login::public::testing::{FakeHttp, GOOGLE, Issuer};
use crate::login::public::{OidcProvider, PublicLogins, RegisteredProviders};
use crate::records::identity::{PoolRoles, PoolSettings};

const OIDC: &str = "login.example.com";
const OIDC_ARN: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com";

/// A pool that accepts Google and an OIDC provider, with these maps.
fn pool<const N: usize>(maps: [(&str, PrincipalTagMap); N]) -> IdentityPool {
    let settings = PoolSettings {
        supported_login_providers: [(GOOGLE.to_owned(), "our app".to_owned())].into(),
        open_id_connect_provider_arns: vec![OIDC_ARN.to_owned()],
        ..PoolSettings::default()
    };
    let pool =
        IdentityPool::new(IdentityPoolId::parse("us-east-1:01").unwrap(), settings, PoolRoles::default());
    IdentityPool { tag_maps: maps.map(|(key, map)| (key.to_owned(), map)).into(), ..pool }
}

/// Logins of Ada with these claims at Google, and at the OIDC provider.
async fn logins(at_google: Value, at_oidc: Value) -> Vec<PublicLogin> {
    let clock = Arc::new(ManualClock::at_second(1_800_000_000));
    let [google, oidc] =
        [Issuer::google(clock.clone()), Issuer::new("https://login.example.com", clock.clone())];
    let http = Arc::new(FakeHttp::new().with_issuer(&google).with_issuer(&oidc));
    let provider = OidcProvider {
        arn: OIDC_ARN.to_owned(),
        issuer: oidc.issuer().to_owned(),
        audiences: ["our client".to_owned()].into(),
        jwks_uri: None,
    };
    let verifier =
        PublicLogins::new(RegisteredProviders::new([provider], []), Arc::new(Engine::new(http, clock)));
    let tokens = BTreeMap::from([
        (GOOGLE.to_owned(), google.id_token("ada", "our app", at_google)),
        (OIDC.to_owned(), oidc.id_token("ada-lovelace", "our client", at_oidc)),
    ]);
    verifier.verify(&pool([]).settings, &tokens).await.unwrap()
}

/// A map of one's own: tag key → claim.
fn custom<const N: usize>(tags: [(&str, &str); N]) -> PrincipalTagMap {
    let tags = tags.map(|(key, claim)| (key.to_owned(), claim.to_owned())).into();
    PrincipalTagMap { use_defaults: false, tags }
}

fn tags<const N: usize>(tags: [(&str, &str); N]) -> BTreeMap<String, String> {
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).into()
}

fn assert_invalid<T: std::fmt::Debug>(result: Result<T, PoolError>, context: &str) {
    let error = result.expect_err(context);
    assert!(matches!(error, PoolError::Invalid(_)), "{context:?}: {error:?}");
}

#[tokio::test]
async fn without_a_map_a_login_makes_no_tags() {
    let logins = logins(json!({"team": "core"}), json!({"team": "core"})).await;
    assert_eq!(of_logins(&pool([]), &logins).unwrap(), tags([]));
    let of_others =
        pool([("another provider", custom([("team", "team")])), (OIDC, custom([("team", "team")]))]);
    assert_eq!(of_logins(&of_others, &logins).unwrap(), tags([]), "an OIDC provider's map is under its ARN");
}

#[tokio::test]
async fn of_two_logins_that_make_one_tag_the_first_provider_counts() {
    let logins = logins(json!({"team": "core"}), json!({"team": "games"})).await;
    let maps = [(GOOGLE, custom([("team", "team")])), (OIDC_ARN, custom([("team", "team"), ("who", "sub")]))];
    let made = of_logins(&pool(maps), &logins).unwrap();
    assert_eq!(made, tags([("team", "core"), ("who", "ada-lovelace")]));
}

#[tokio::test]
async fn a_map_turns_claims_into_tags() {
    let logins = logins(json!({"team": "core", "age": 36, "email_verified": true}), json!({})).await;
    let map = custom([("Team", "team"), ("age", "age"), ("verified", "email_verified"), ("who", "sub")]);
    let made = of_logins(&pool([(GOOGLE, map)]), &logins).unwrap();
    assert_eq!(made, tags([("Team", "core"), ("age", "36"), ("verified", "true"), ("who", "ada")]));
}

#[tokio::test]
async fn a_claim_without_one_value_makes_no_tag() {
    let said = json!({"empty": "", "list": ["core"], "object": {"a": "b"}});
    let logins = logins(said, json!({})).await;
    let map = custom([("a", "empty"), ("b", "list"), ("c", "object"), ("d", "missing"), ("e", "Sub")]);
    assert_eq!(of_logins(&pool([(GOOGLE, map)]), &logins).unwrap(), tags([]));
}

#[tokio::test]
async fn the_default_map_names_the_client_and_the_person() {
    let logins = logins(json!({"team": "core"}), json!({})).await;
    let map = PrincipalTagMap { use_defaults: true, ..custom([("team", "team")]) };
    for (key, expected) in [
        (GOOGLE, tags([("client", "our app"), ("username", "ada")])),
        (OIDC_ARN, tags([("client", "our client"), ("username", "ada-lovelace")])),
    ] {
        assert_eq!(of_logins(&pool([(key, map.clone())]), &logins).unwrap(), expected, "{key}");
    }
}

#[tokio::test]
async fn each_login_is_read_by_its_own_map() {
    let logins =
        logins(json!({"team": "core", "plan": "free"}), json!({"team": "infra", "plan": "pro"})).await;
    let pool = pool([(GOOGLE, custom([("team", "team")])), (OIDC_ARN, custom([("plan", "plan")]))]);
    assert_eq!(of_logins(&pool, &logins).unwrap(), tags([("team", "core"), ("plan", "pro")]));
}

/// `Team` and `team` are one tag to STS, and nobody could say whose value it has.
#[tokio::test]
async fn keys_of_two_maps_that_differ_in_case_only_are_refused() {
    let logins = logins(json!({"team": "core"}), json!({"team": "infra"})).await;
    let pool = pool([(GOOGLE, custom([("team", "team")])), (OIDC_ARN, custom([("Team", "team")]))]);
    assert_invalid(of_logins(&pool, &logins), "team, Team");
}

/// The person chooses some claims at their provider, and a policy may lean on the tag.
#[tokio::test]
async fn a_claim_that_wants_to_be_a_pattern_or_a_variable_lets_nobody_in() {
    for value in ["*", "core*", "co?e", "${aws:userid}", "a,b", "a\nb", "a\"b", "a\\b", "a\u{202e}b", "🦊"]
    {
        let logins = logins(json!({"team": value}), json!({})).await;
        assert_invalid(of_logins(&pool([(GOOGLE, custom([("team", "team")]))]), &logins), value);
    }
}

#[test]
fn a_tag_holds_letters_digits_spaces_and_a_few_signs() {
    check(&tags([("Zoë 7 _.:/=+-@", "Ada 東京 _.:/=+-@"), ("empty", "")])).unwrap();
    for text in ["*", "?", "$", "{", "'", "#", "%", "\0", "\t"] {
        assert_invalid(check(&tags([("key", text)])), text);
        assert_invalid(check(&tags([(text, "value")])), text);
    }
}

#[test]
fn a_value_has_at_most_256_characters() {
    let [longest, too_long] = ["é".repeat(256), "é".repeat(257)];
    check(&tags([("key", &longest)])).unwrap();
    assert_invalid(check(&tags([("key", &too_long)])), &too_long);
}

#[test]
fn keys_differ_in_more_than_case() {
    check(&tags([("team", "a"), ("teams", "b")])).unwrap();
    assert_invalid(check(&tags([("team", "a"), ("TEAM", "a")])), "ASCII");
    assert_invalid(check(&tags([("é", "a"), ("É", "a")])), "not ASCII");
    assert_invalid(check_map(&custom([("team", "a"), ("Team", "b")])), "in a map");
}

#[test]
fn keys_that_begin_with_aws_are_reserved() {
    for key in ["aws:x", "AWS:x", "aws:"] {
        assert_invalid(check(&tags([(key, "a")])), key);
        assert_invalid(check_map(&custom([(key, "team")])), key);
    }
    check(&tags([("aws", "aws:x"), ("laws:x", "a")])).unwrap();
}

#[test]
fn a_map_has_at_most_460_bytes_and_keys_that_may_be_tags() {
    let [key, claim] = ["k".repeat(100), "c".repeat(360)];
    check_map(&custom([(&key, &claim)])).unwrap();
    assert_invalid(check_map(&custom([(&key, &format!("{claim}c"))])), "461 bytes");
    let wide = "é".repeat(180);
    check_map(&custom([(&key, &wide)])).unwrap();
    assert_invalid(check_map(&custom([(&key, &format!("{wide}c"))])), "461 bytes, 281 characters");
    assert_invalid(check_map(&custom([("te*m", "team")])), "a key that is a pattern");
    check_map(&custom([("team", "https://example.com/claims#team*")])).unwrap();
}
