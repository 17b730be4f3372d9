//! Good tokens, and the ways in which bad ones pretend to be good.

use std::sync::OnceLock;

use aws_lc_rs::rand::SystemRandom as AwsLcRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{self, KeyPair as _, RsaEncoding};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::json;

use super::testing::{FakeHttp, Issuer, jws};
use super::*;
use crate::ground::clock::ManualClock;
use crate::records::identity::CognitoIdentityProvider;

const NOW: i64 = 1_700_000_000;
const OIDC: &str = "login.example.com/realm";
const OIDC_ARN: &str = "arn:aws:iam::000000000000:oidc-provider/login.example.com/realm";
const USER_POOL: &str = "cognito-idp.us-east-1.amazonaws.com/us-east-1_Abc123";
const LOCAL_POOL: &str = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_local";

struct World {
    clock: Arc<ManualClock>,
    oidc: Arc<Issuer>,
    user_pool: Arc<Issuer>,
    local_pool: Arc<Issuer>,
    google: Arc<Issuer>,
    apple: Arc<Issuer>,
    http: Arc<FakeHttp>,
    settings: PoolSettings,
    logins: PublicLogins,
}

impl World {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at_second(NOW));
        let oidc = Issuer::new(&format!("https://{OIDC}"), clock.clone());
        let user_pool = Issuer::new(&format!("https://{USER_POOL}"), clock.clone());
        let local_pool = Issuer::new("http://127.0.0.1:9229/eu-west-1_local", clock.clone());
        let (google, apple) = (Issuer::google(clock.clone()), Issuer::apple(clock.clone()));
        let issuers = [&oidc, &user_pool, &local_pool, &google, &apple];
        let http = Arc::new(issuers.into_iter().fold(FakeHttp::new(), FakeHttp::with_issuer));
        let registered = RegisteredProviders::new([registered_oidc()], [registered_local_pool()]);
        let logins = PublicLogins::new(registered, http.clone(), clock.clone());
        Self { clock, oidc, user_pool, local_pool, google, apple, http, settings: settings(), logins }
    }

    async fn verify(&self, key: &str, token: &Secret) -> Result<PublicLogin, PublicLoginError> {
        self.logins.verify_one(&self.settings, key, token).await
    }

    async fn oidc(&self, extra: Value) -> Result<PublicLogin, PublicLoginError> {
        self.verify(OIDC, &self.oidc.id_token("alice", "ours", extra)).await
    }

    async fn user_pool(&self, extra: Value) -> Result<PublicLogin, PublicLoginError> {
        self.verify(USER_POOL, &self.user_pool.id_token("alice", "client1", extra)).await
    }
}

fn registered_oidc() -> OidcProvider {
    OidcProvider {
        arn: OIDC_ARN.into(),
        issuer: format!("https://{OIDC}"),
        audiences: ["ours".into(), "also ours".into()].into(),
        jwks_uri: None,
    }
}

fn registered_local_pool() -> UserPool {
    UserPool {
        name: LOCAL_POOL.into(),
        issuer: "http://127.0.0.1:9229/eu-west-1_local".into(),
        jwks_uri: None,
    }
}

fn client_of(user_pool: &str, client_id: &str) -> CognitoIdentityProvider {
    CognitoIdentityProvider {
        provider_name: Some(user_pool.into()),
        client_id: Some(client_id.into()),
        server_side_token_check: None,
    }
}

fn settings() -> PoolSettings {
    let apps = [(GOOGLE, "google app"), (APPLE, "apple app"), (FACEBOOK, "42"), (AMAZON, "amzn1.app")];
    PoolSettings {
        open_id_connect_provider_arns: vec![OIDC_ARN.into()],
        cognito_identity_providers: vec![
            client_of(USER_POOL, "client1"),
            client_of(USER_POOL, "client2"),
            client_of(LOCAL_POOL, "client1"),
        ],
        supported_login_providers: apps.map(|(key, app)| (key.to_owned(), app.to_owned())).into(),
        ..PoolSettings::default()
    }
}

fn names(login: &PublicLogin) -> [String; 4] {
    [login.provider().into(), login.mapping_key(), login.tag_map_key().into(), login.amr_entry()]
}

fn tags(client: &str, username: &str) -> BTreeMap<String, String> {
    [("client", client), ("username", username)].map(|(key, value)| (key.into(), value.into())).into()
}

#[tokio::test]
async fn an_oidc_login_bears_the_names_of_its_arn() {
    let login = World::new().oidc(json!({"plan": "gold"})).await.unwrap();
    assert_eq!(login.user(), "alice");
    assert_eq!(login.claims()["plan"], "gold");
    assert_eq!(login.default_tags(), tags("ours", "alice"));
    assert_eq!(names(&login), [OIDC, OIDC_ARN, OIDC_ARN, &format!("{OIDC_ARN}:OIDC:alice")]);
}

#[tokio::test]
async fn a_user_pool_login_bears_the_names_of_its_client() {
    let world = World::new();
    let login = world.user_pool(json!({"token_use": "id"})).await.unwrap();
    let expected =
        [USER_POOL, &format!("{USER_POOL}:client1"), USER_POOL, &format!("{USER_POOL}:CognitoSignIn:alice")];
    assert_eq!(names(&login), expected);
    assert_eq!(world.http.asked(), [format!("https://{USER_POOL}/.well-known/jwks.json")]);
    let other = world.user_pool(json!({"aud": "client2"})).await.unwrap();
    assert_eq!(other.mapping_key(), format!("{USER_POOL}:client2"));
}

#[tokio::test]
async fn a_user_pool_may_be_registered_elsewhere() {
    let world = World::new();
    let token = world.local_pool.id_token("alice", "client1", json!({}));
    assert_eq!(world.verify(LOCAL_POOL, &token).await.unwrap().provider(), LOCAL_POOL);
    let theirs = json!({"iss": format!("https://{LOCAL_POOL}")});
    let token = world.local_pool.id_token("alice", "client1", theirs);
    assert_eq!(world.verify(LOCAL_POOL, &token).await.unwrap_err(), PublicLoginError::IssuerMismatch);
}

#[tokio::test]
async fn google_and_apple_logins_are_for_the_app_of_the_pool() {
    let world = World::new();
    let token = world.google.id_token("1234", "google app", json!({"azp": "the phone's client"}));
    let login = world.verify(GOOGLE, &token).await.unwrap();
    assert_eq!(names(&login), [GOOGLE, GOOGLE, GOOGLE, "accounts.google.com:google app:1234"]);
    let bare = world.google.id_token("1234", "google app", json!({"iss": "accounts.google.com"}));
    assert!(world.verify(GOOGLE, &bare).await.is_ok(), "Google writes its issuer in two ways");
    let token = world.apple.id_token("001.abc", "apple app", json!({}));
    assert_eq!(world.verify(APPLE, &token).await.unwrap().user(), "001.abc");
    for (issuer, key, ours) in [(&world.google, GOOGLE, "google app"), (&world.apple, APPLE, "apple app")] {
        let others = issuer.id_token("1234", "another app", json!({"azp": ours}));
        assert_eq!(world.verify(key, &others).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
        let both = issuer.id_token("1234", "", json!({"aud": [ours, "another app"]}));
        assert_eq!(world.verify(key, &both).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
    }
}

#[tokio::test]
async fn google_as_an_oidc_provider_has_more_clients() {
    let mut world = World::new();
    let arn = "arn:aws:iam::000000000000:oidc-provider/accounts.google.com";
    let provider = OidcProvider {
        arn: arn.into(),
        issuer: "https://accounts.google.com".into(),
        jwks_uri: Some(world.google.jwks_url().into()),
        ..registered_oidc()
    };
    let registered = RegisteredProviders::new([provider], []);
    world.logins = PublicLogins::new(registered, world.http.clone(), world.clock.clone());
    world.settings.open_id_connect_provider_arns.push(arn.into());
    let by_arn = world.google.id_token("1234", "ours", json!({}));
    assert_eq!(world.verify(GOOGLE, &by_arn).await.unwrap().mapping_key(), arn);
    let by_app = world.google.id_token("1234", "google app", json!({}));
    assert_eq!(world.verify(GOOGLE, &by_app).await.unwrap().mapping_key(), GOOGLE);
    let nobodys = world.google.id_token("1234", "another app", json!({}));
    assert_eq!(world.verify(GOOGLE, &nobodys).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_missing_claim_is_named() {
    let world = World::new();
    for claim in ["iss", "aud", "exp", "iat", "sub"] {
        let missing = PublicLoginError::MissingClaim(claim);
        assert_eq!(world.oidc(json!({ claim: null })).await.unwrap_err(), missing);
        assert_eq!(world.user_pool(json!({ claim: null })).await.unwrap_err(), missing);
    }
    assert_eq!(world.oidc(json!({"aud": []})).await.unwrap_err(), PublicLoginError::MissingClaim("aud"));
}

#[tokio::test]
async fn an_access_token_of_a_user_pool_is_refused_as_aws_does() {
    let world = World::new();
    let access = json!({"aud": null, "client_id": "client1", "token_use": "access"});
    let text = "Invalid login token. Missing a required claim: aud";
    assert_eq!(world.user_pool(access).await.unwrap_err().to_string(), text);
    assert_eq!(world.user_pool(json!({"token_use": "access"})).await.unwrap_err().to_string(), text);
}

#[tokio::test]
async fn a_claim_that_is_not_what_it_should_be_is_refused() {
    let world = World::new();
    let long = "x".repeat(256);
    for claims in [
        json!({"sub": ""}),
        json!({"sub": "a\u{0}b"}),
        json!({"sub": "a\nb"}),
        json!({"sub": long}),
        json!({"sub": 1.5}),
        json!({"sub": ["alice"]}),
        json!({"sub": true}),
        json!({"exp": 1_800_000_000.5}),
        json!({"exp": "soon"}),
        json!({"exp": true}),
        json!({"iat": [NOW]}),
        json!({"nbf": "1.5"}),
        json!({"iss": 1}),
        json!({"aud": 7}),
        json!({"aud": ["ours", 7]}),
        json!({"aud": {"client": "ours"}}),
        json!({"azp": ["ours"]}),
    ] {
        let refusal = world.oidc(claims.clone()).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::Malformed, "{claims}");
    }
}

#[tokio::test]
async fn numbers_and_long_names_may_stand_for_a_person() {
    let world = World::new();
    assert_eq!(world.oidc(json!({"sub": 12345})).await.unwrap().user(), "12345");
    assert_eq!(world.oidc(json!({"sub": u64::MAX})).await.unwrap().user(), "18446744073709551615");
    let longest = "ü".repeat(255);
    assert_eq!(world.oidc(json!({"sub": longest})).await.unwrap().user(), longest);
}

#[tokio::test]
async fn whole_seconds_may_be_written_as_text() {
    let world = World::new();
    world.oidc(json!({"exp": (NOW + 60).to_string(), "iat": NOW.to_string()})).await.unwrap();
}

#[tokio::test]
async fn the_audience_must_be_a_client_of_ours() {
    let world = World::new();
    world.oidc(json!({"aud": "also ours"})).await.unwrap();
    world.oidc(json!({"aud": ["ours"]})).await.unwrap();
    for audience in [json!("theirs"), json!("Ours"), json!("ours "), json!(["ours", "theirs"]), json!("")] {
        let refusal = world.oidc(json!({"aud": audience})).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{audience}");
    }
    for audience in [json!("client3"), json!("ours"), json!(["client1", "client2"])] {
        let refusal = world.user_pool(json!({"aud": audience})).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{audience}");
    }
}

#[tokio::test]
async fn an_authorized_party_decides_in_the_place_of_the_audience() {
    let world = World::new();
    let login = world.oidc(json!({"aud": ["theirs", "more"], "azp": "also ours"})).await.unwrap();
    assert_eq!(login.default_tags(), tags("also ours", "alice"));
    let refusal = world.oidc(json!({"aud": "ours", "azp": "theirs"})).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn the_issuer_must_be_the_one_of_the_key() {
    let world = World::new();
    for issuer in ["https://login.example.com/realm/", "http://login.example.com/realm", OIDC, "https://evil"]
    {
        let refusal = world.oidc(json!({"iss": issuer})).await.unwrap_err();
        assert_eq!(refusal.to_string(), "Invalid login token. Issuer doesn't match providerName", "{issuer}");
    }
    let other = world.user_pool.id_token("alice", "ours", json!({}));
    assert_eq!(world.verify(OIDC, &other).await.unwrap_err(), PublicLoginError::IssuerMismatch);
    assert!(world.http.asked().is_empty(), "nothing is fetched for a token of somebody else");
}

#[tokio::test]
async fn a_slash_at_the_end_of_an_issuer_is_not_part_of_the_key() {
    let clock = Arc::new(ManualClock::at_second(NOW));
    let issuer = Issuer::new("https://tenant.example.com/", clock.clone());
    let arn = "arn:aws:iam::000000000000:oidc-provider/tenant.example.com";
    let provider =
        OidcProvider { arn: arn.into(), issuer: "https://tenant.example.com/".into(), ..registered_oidc() };
    provider.check().unwrap();
    let registered = RegisteredProviders::new([provider], []);
    let logins = PublicLogins::new(registered, Arc::new(FakeHttp::new().with_issuer(&issuer)), clock);
    let settings =
        PoolSettings { open_id_connect_provider_arns: vec![arn.into()], ..PoolSettings::default() };
    let token = issuer.id_token("alice", "ours", json!({}));
    logins.verify_one(&settings, "tenant.example.com", &token).await.unwrap();
    let refusal = logins.verify_one(&settings, "tenant.example.com/", &token).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "a provider has one name");
}

#[tokio::test]
async fn an_expired_token_is_refused_with_the_times() {
    let world = World::new();
    let text = format!("Invalid login token. Token expired: {NOW} >= {NOW}");
    assert_eq!(world.user_pool(json!({"exp": NOW})).await.unwrap_err().to_string(), text);
    world.user_pool(json!({"exp": NOW + 1})).await.unwrap();

    world.oidc(json!({"exp": NOW - 299})).await.unwrap();
    let expired = PublicLoginError::Expired { now: NOW, expired_at: NOW - 300 };
    assert_eq!(world.oidc(json!({"exp": NOW - 300})).await.unwrap_err(), expired);
    for (issuer, key, app) in [(&world.google, GOOGLE, "google app"), (&world.apple, APPLE, "apple app")] {
        let late = |exp: i64| issuer.id_token("alice", app, json!({"exp": exp}));
        world.verify(key, &late(NOW - 299)).await.unwrap();
        assert_eq!(world.verify(key, &late(NOW - 300)).await.unwrap_err(), expired);
    }
    assert!(world.oidc(json!({"exp": i64::MIN})).await.is_err());
    assert!(world.oidc(json!({"exp": i64::MAX})).await.is_ok());
}

#[tokio::test]
async fn a_token_of_the_future_is_refused_beyond_what_clocks_differ() {
    let world = World::new();
    world.user_pool(json!({"iat": NOW + 300, "nbf": NOW + 300})).await.unwrap();
    let early = PublicLoginError::NotYetValid { now: NOW, valid_from: NOW + 301 };
    for claims in [json!({"iat": NOW + 301}), json!({"nbf": NOW + 301})] {
        assert_eq!(world.user_pool(claims.clone()).await.unwrap_err(), early);
        assert_eq!(world.oidc(claims).await.unwrap_err(), early);
    }
}

#[tokio::test]
async fn a_signature_must_be_the_issuers() {
    let world = World::new();
    let impostor = Issuer::new(world.oidc.issuer(), world.clock.clone());
    let forged = impostor.id_token("alice", "ours", json!({}));
    let text = "Invalid login token. Couldn't verify signed token.";
    assert_eq!(world.verify(OIDC, &forged).await.unwrap_err().to_string(), text);

    let (good, other) =
        (world.oidc.id_token("alice", "ours", json!({})), world.oidc.id_token("root", "ours", json!({})));
    let (message, _) = other.expose().rsplit_once('.').unwrap();
    let (_, signature) = good.expose().rsplit_once('.').unwrap();
    let spliced = Secret::new(format!("{message}.{signature}"));
    assert_eq!(world.verify(OIDC, &spliced).await.unwrap_err(), PublicLoginError::BadSignature);
    let unsigned = Secret::new(format!("{message}."));
    assert_eq!(world.verify(OIDC, &unsigned).await.unwrap_err(), PublicLoginError::BadSignature);
}

fn claims() -> String {
    json!({"iss": format!("https://{OIDC}"), "sub": "alice", "aud": "ours", "iat": NOW, "exp": NOW + 60})
        .to_string()
}

#[tokio::test]
async fn only_the_algorithms_of_public_keys_are_known() {
    let world = World::new();
    for algorithm in ["none", "None", "HS256", "HS512", "PS256", "EdDSA", "es256", "ES256K", ""] {
        let header = json!({"alg": algorithm, "kid": world.oidc.key_id()}).to_string();
        let token = world.oidc.sign_with_header(&header, &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{algorithm}");
    }
    let hmac = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        world.oidc.jwk()["x"].as_str().unwrap().as_bytes(),
    );
    let header = json!({"alg": "HS256", "kid": world.oidc.key_id()}).to_string();
    let token = jws(&header, &claims(), |message| aws_lc_rs::hmac::sign(&hmac, message).as_ref().to_vec());
    assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed);
    assert!(world.http.asked().is_empty());
}

/// One key for all tests: making one takes a while.
fn rsa() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| KeyPair::generate(KeySize::Rsa2048).unwrap())
}

fn rsa_jwk() -> Value {
    let public = rsa().public_key();
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    json!({
        "kty": "RSA", "kid": "rsa",
        "n": encode(public.modulus().big_endian_without_leading_zero()),
        "e": encode(public.exponent().big_endian_without_leading_zero()),
    })
}

fn rsa_token(algorithm: &str, key_id: &str, encoding: &'static dyn RsaEncoding) -> Secret {
    let header = json!({"alg": algorithm, "kid": key_id}).to_string();
    jws(&header, &claims(), |message| {
        let mut signature = vec![0; rsa().public_modulus_len()];
        rsa().sign(encoding, &AwsLcRandom::new(), message, &mut signature).unwrap();
        signature
    })
}

/// A world whose OIDC provider has an RSA key beside its EC key.
fn world_with_rsa() -> World {
    let world = World::new();
    let keys = json!({"keys": [world.oidc.jwk(), rsa_jwk()]}).to_string();
    world.http.answer(world.oidc.jwks_url(), 200, keys);
    world
}

#[tokio::test]
async fn rsa_signatures_of_every_length_are_verified() {
    let world = world_with_rsa();
    world.verify(OIDC, &rsa_token("RS256", "rsa", &signature::RSA_PKCS1_SHA256)).await.unwrap();
    world.verify(OIDC, &rsa_token("RS384", "rsa", &signature::RSA_PKCS1_SHA384)).await.unwrap();
    world.verify(OIDC, &rsa_token("RS512", "rsa", &signature::RSA_PKCS1_SHA512)).await.unwrap();
}

#[tokio::test]
async fn an_algorithm_must_fit_the_key_and_the_signature() {
    let world = world_with_rsa();
    let header = json!({"alg": "ES256", "kid": "rsa"}).to_string();
    for token in [
        rsa_token("RS256", &world.oidc.key_id(), &signature::RSA_PKCS1_SHA256),
        rsa_token("RS256", "rsa", &signature::RSA_PKCS1_SHA512),
        rsa_token("RS256", "rsa", &signature::RSA_PSS_SHA256),
        rsa_token("ES256", "rsa", &signature::RSA_PKCS1_SHA256),
        rsa_token("ES384", &world.oidc.key_id(), &signature::RSA_PKCS1_SHA384),
        world.oidc.sign_with_header(&header, &claims()),
    ] {
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::BadSignature);
    }
}

#[tokio::test]
async fn what_is_no_jwt_is_refused_without_a_question() {
    let world = World::new();
    let good = world.oidc.id_token("alice", "ours", json!({}));
    let good = good.expose();
    for text in [
        "",
        ".",
        "..",
        "a.b.c",
        "not a token",
        &format!("{good}.x"),
        &format!("x.{good}"),
        &format!("{good}="),
        &format!(" {good}"),
        &good.replace('.', ":"),
        &"a".repeat(50_001),
    ] {
        let refusal = world.verify(OIDC, &Secret::new(text)).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::Malformed, "{text}");
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn an_oversized_token_is_refused_whatever_it_says() {
    let world = World::new();
    world.oidc(json!({"groups": "x".repeat(30_000)})).await.unwrap();
    let refusal = world.oidc(json!({"groups": "x".repeat(40_000)})).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::Malformed);
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let world = World::new();
    let twice = claims().replacen('{', r#"{"sub": "root", "#, 1);
    let token = world.oidc.sign(&twice);
    assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed);
    let kid = world.oidc.key_id();
    for header in [
        format!(r#"{{"alg": "ES256", "alg": "ES256", "kid": "{kid}"}}"#),
        format!(r#"{{"alg": "ES256", "kid": "{kid}", "crit": ["b64"], "b64": false}}"#),
    ] {
        let token = world.oidc.sign_with_header(&header, &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{header}");
    }
}

#[tokio::test]
async fn a_token_of_another_type_is_no_id_token() {
    let world = World::new();
    let kid = world.oidc.key_id();
    let of_type = |typ: &str| format!(r#"{{"alg": "ES256", "kid": "{kid}", "typ": "{typ}"}}"#);
    for typ in ["JWT", "jwt", "application/jwt"] {
        let token = world.oidc.sign_with_header(&of_type(typ), &claims());
        world.verify(OIDC, &token).await.unwrap();
    }
    for typ in ["at+jwt", "application/at+jwt", "logout+jwt", "secevent+jwt", "dpop+jwt", "JWS", ""] {
        let token = world.oidc.sign_with_header(&of_type(typ), &claims());
        assert_eq!(world.verify(OIDC, &token).await.unwrap_err(), PublicLoginError::Malformed, "{typ}");
    }
    let event = claims().replacen(
        '{',
        r#"{"events": {"http://schemas.openid.net/event/backchannel-logout": {}}, "#,
        1,
    );
    assert_eq!(world.verify(OIDC, &world.oidc.sign(&event)).await.unwrap_err(), PublicLoginError::Malformed);
}

#[tokio::test]
async fn a_rotated_key_is_found() {
    let world = World::new();
    let old = world.oidc.id_token("alice", "ours", json!({}));
    world.verify(OIDC, &old).await.unwrap();
    world.oidc.rotate();
    world.clock.advance(SignedDuration::from_secs(30));
    world.oidc(json!({})).await.unwrap();
    assert_eq!(world.verify(OIDC, &old).await.unwrap_err(), PublicLoginError::BadSignature);
}

#[tokio::test]
async fn a_silent_issuer_is_no_verdict_about_the_token() {
    let world = World::new();
    world.http.time_out(&world.oidc.discovery_url());
    let error = world.oidc(json!({})).await.unwrap_err();
    assert_eq!(error.refusal(), Refusal::ExternalService);
    assert!(
        matches!(&error, PublicLoginError::Unavailable { provider, .. } if provider == OIDC),
        "{error:?}"
    );
}

#[tokio::test]
async fn what_the_pool_does_not_accept_is_refused_without_a_question() {
    let mut world = World::new();
    let token = world.oidc.id_token("alice", "ours", json!({}));
    let text = "Token is not from a supported provider of this identity pool.";
    for key in ["", "login.app", "cognito-identity.amazonaws.com", "LOGIN.example.com/realm", OIDC_ARN] {
        assert_eq!(world.verify(key, &token).await.unwrap_err().to_string(), text, "{key}");
    }
    world.settings = PoolSettings::default();
    for key in [OIDC, USER_POOL, LOCAL_POOL, GOOGLE, APPLE, FACEBOOK, AMAZON] {
        assert_eq!(world.verify(key, &token).await.unwrap_err().to_string(), text, "{key}");
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn an_arn_that_nobody_registered_accepts_nothing() {
    let mut world = World::new();
    let other = OIDC_ARN.replace("000000000000", "111111111111");
    world.settings.open_id_connect_provider_arns = vec![other];
    assert_eq!(world.oidc(json!({})).await.unwrap_err(), PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_name_that_is_no_user_pools_leads_nowhere() {
    let mut world = World::new();
    let token = world.user_pool.id_token("alice", "client1", json!({}));
    for name in [
        "evil.example.com/us-east-1_a",
        "cognito-idp.evil.example.com/us-east-1_a",
        "cognito-idp.x.amazonaws.com.evil.example.com/us-east-1_a",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_a/../b_c",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1_a?b",
        "cognito-idp.us-east-1.amazonaws.com:444/us-east-1_a",
        "cognito-idp.evil/x.amazonaws.com/us-east-1_a",
        "cognito-idp.a@evil.amazonaws.com/us-east-1_a",
        "cognito-idp..amazonaws.com/us-east-1_a",
        "cognito-idp.us-east-1.amazonaws.com/us-east-1",
        "cognito-idp.us-east-1.amazonaws.com/_a",
    ] {
        world.settings.cognito_identity_providers = vec![client_of(name, "client1")];
        let refusal = world.verify(name, &token).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{name}");
    }
    assert!(world.http.asked().is_empty());
    assert!(is_user_pool_name("cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_a"));
}

#[tokio::test]
async fn a_check_that_cannot_be_made_is_not_left_out() {
    let mut world = World::new();
    world.settings.cognito_identity_providers[1].server_side_token_check = Some(true);
    let error = world.user_pool(json!({})).await.unwrap_err();
    assert_eq!(error.refusal(), Refusal::InvalidParameter);
    assert!(error.to_string().contains("ServerSideTokenCheck"));
}

#[tokio::test]
async fn what_cannot_be_verified_is_refused_in_words_that_say_so() {
    let mut world = World::new();
    let saml = "arn:aws:iam::000000000000:saml-provider/corp";
    world.settings.saml_provider_arns.push(saml.into());
    world.settings.supported_login_providers.insert("api.twitter.com".into(), "key;secret".into());
    for (key, word) in [("api.twitter.com", "Twitter"), ("www.digits.com", "Digits"), (saml, "SAML")] {
        let error = world.verify(key, &Secret::new("x")).await.unwrap_err();
        assert_eq!(error.refusal(), Refusal::InvalidParameter);
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn all_logins_are_verified_in_order_or_none() {
    let world = World::new();
    let mut logins = BTreeMap::from([
        (OIDC.to_owned(), world.oidc.id_token("alice", "ours", json!({}))),
        (GOOGLE.to_owned(), world.google.id_token("1234", "google app", json!({}))),
    ]);
    let verified = world.logins.verify(&world.settings, &logins).await.unwrap();
    let providers: Vec<_> = verified.iter().map(PublicLogin::provider).collect();
    assert_eq!(providers, [GOOGLE, OIDC]);
    logins.insert(APPLE.into(), Secret::new("not a token"));
    let refusal = world.logins.verify(&world.settings, &logins).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::Malformed);
}

#[tokio::test]
async fn nobody_is_asked_before_every_key_is_accepted() {
    let world = World::new();
    let logins = BTreeMap::from([
        (OIDC.to_owned(), world.oidc.id_token("alice", "ours", json!({}))),
        ("www.unknown.example".to_owned(), Secret::new("x")),
    ]);
    let refusal = world.logins.verify(&world.settings, &logins).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
    assert!(world.http.asked().is_empty());
}

const TOKEN: &str = "EAAB+secret&token=/";
const ENCODED: &str = "EAAB%2Bsecret%26token%3D%2F";

fn facebook_urls() -> [String; 2] {
    ["app?access_token=", "me?fields=id&access_token="]
        .map(|path| format!("https://graph.facebook.com/{path}{ENCODED}"))
}

fn amazon_url() -> String {
    format!("https://api.amazon.com/auth/o2/tokeninfo?access_token={ENCODED}")
}

async fn access_token(world: &World, key: &str) -> Result<PublicLogin, PublicLoginError> {
    world.verify(key, &Secret::new(TOKEN)).await
}

#[tokio::test]
async fn facebook_says_whose_token_it_is_and_which_apps() {
    let world = World::new();
    let [app, me] = facebook_urls();
    world.http.answer(&app, 200, r#"{"id": "42", "name": "Ours"}"#);
    world.http.answer(&me, 200, r#"{"id": "1001"}"#);
    let login = access_token(&world, FACEBOOK).await.unwrap();
    assert_eq!(names(&login), [FACEBOOK, FACEBOOK, FACEBOOK, "graph.facebook.com:42:1001"]);
    assert_eq!(login.default_tags(), tags("42", "1001"));

    for other in [r#"{"id": "43"}"#, r#"{"id": 42}"#, r#"{"ids": ["42"]}"#] {
        world.http.answer(&app, 200, other);
        let refusal = access_token(&world, FACEBOOK).await.unwrap_err();
        assert_eq!(refusal, PublicLoginError::UnsupportedProvider, "{other}");
    }
    assert_eq!(world.http.asked().last(), Some(&app), "nobody's profile is asked for another app's token");
}

#[tokio::test]
async fn amazon_says_whose_token_it_is_and_which_apps() {
    let world = World::new();
    let answer = |aud: &str| json!({"aud": aud, "user_id": "amzn1.account.A", "exp": 3600}).to_string();
    world.http.answer(&amazon_url(), 200, answer("amzn1.app"));
    let login = access_token(&world, AMAZON).await.unwrap();
    assert_eq!(names(&login), [AMAZON, AMAZON, AMAZON, "www.amazon.com:amzn1.app:amzn1.account.A"]);
    assert_eq!(login.default_tags(), tags("amzn1.app", "amzn1.account.A"));
    world.http.answer(&amazon_url(), 200, answer("amzn1.other"));
    let refusal = access_token(&world, AMAZON).await.unwrap_err();
    assert_eq!(refusal, PublicLoginError::UnsupportedProvider);
}

#[tokio::test]
async fn a_refused_access_token_differs_from_a_provider_out_of_order() {
    let world = World::new();
    let [app, me] = facebook_urls();
    for (key, url) in [(FACEBOOK, &app), (AMAZON, &amazon_url())] {
        for status in [400, 401, 403, 404] {
            world.http.answer(url, status, "{}");
            assert_eq!(access_token(&world, key).await.unwrap_err(), PublicLoginError::Refused, "{status}");
        }
        for (status, body) in [(429, "{}"), (500, "{}"), (503, ""), (302, ""), (200, "<html>"), (200, "[]")] {
            world.http.answer(url, status, body);
            let error = access_token(&world, key).await.unwrap_err();
            assert_eq!(error.refusal(), Refusal::ExternalService, "{status}");
        }
        world.http.time_out(url);
        assert_eq!(access_token(&world, key).await.unwrap_err().refusal(), Refusal::ExternalService);
    }
    world.http.answer(&app, 200, r#"{"id": "42"}"#);
    for body in ["{}", r#"{"id": ""}"#, r#"{"id": 7}"#] {
        world.http.answer(&me, 200, body);
        let error = access_token(&world, FACEBOOK).await.unwrap_err();
        assert_eq!(error.refusal(), Refusal::ExternalService, "{body}");
    }
}

#[tokio::test]
async fn an_access_token_of_no_plausible_size_is_not_sent_anywhere() {
    let world = World::new();
    for token in [String::new(), "x".repeat(4097)] {
        for key in [FACEBOOK, AMAZON] {
            let refusal = world.verify(key, &Secret::new(token.clone())).await.unwrap_err();
            assert_eq!(refusal, PublicLoginError::Refused);
        }
    }
    assert!(world.http.asked().is_empty());
}

#[tokio::test]
async fn no_error_repeats_a_token() {
    let world = World::new();
    let good = world.oidc.id_token("alice-secret", "ours", json!({"exp": NOW - 9000}));
    let (_, signature) = good.expose().rsplit_once('.').unwrap();
    for (key, token) in [
        (OIDC, good.expose()),
        (OIDC, &good.expose()[1..]),
        (USER_POOL, good.expose()),
        (FACEBOOK, TOKEN),
        (AMAZON, TOKEN),
    ] {
        let error = world.verify(key, &Secret::new(token)).await.unwrap_err();
        let shown = format!("{error} {error:?}");
        for secret in [TOKEN, ENCODED, signature, "alice-secret", "EAAB"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
