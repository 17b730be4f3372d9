//! Tokens that are ours, nearly ours, and not ours.

use serde_json::{Value, json};

use super::*;
use crate::ground::clock::ManualClock;
use crate::ground::ids::Region;
use crate::ground::master_keys::MasterKeys;
use crate::ground::random::SeededRandom;
use crate::store::memory::MemoryStore;
use crate::token::key_ring::{Materials, Rotation};
use crate::token::local_keys::LocalKeys;
use crate::token::signing_key::SigningKeyError;

const NOW: i64 = 1_700_000_000;

async fn issuer_named(name: &str) -> TokenIssuer {
    issuer_with(name, TokenAlgorithms::default()).await
}

async fn issuer_with(name: &str, algorithms: TokenAlgorithms) -> TokenIssuer {
    let random = SeededRandom::new(1);
    let materials = Materials {
        store: Arc::new(MemoryStore::default()),
        master_keys: Arc::new(MasterKeys::generate(&random)),
        holder: Arc::new(LocalKeys),
        region: Region::parse("us-east-1").unwrap(),
        clock: Arc::new(ManualClock::at_second(NOW)),
        random: Arc::new(random),
    };
    let ring = KeyRing::load(materials, &algorithms.all(), Rotation::default()).await.unwrap();
    TokenIssuer::new(name.into(), Arc::new(ring), algorithms)
}

async fn issuer() -> TokenIssuer {
    issuer_named("https://login.example.com").await
}

fn claims() -> Claims {
    Claims {
        identity_id: IdentityId::parse("us-east-1:aa").unwrap(),
        pool_id: IdentityPoolId::parse("us-east-1:bb").unwrap(),
        amr: vec!["authenticated".into(), "login.app".into(), "login.app:us-east-1:bb:snapchat:4:2".into()],
        tags: None,
        issuer: "https://login.example.com".into(),
        pool_arn: "arn:aws:cognito-identity:us-east-1:000000000000:identitypool/us-east-1:bb".into(),
        expires_at: NOW + 900,
        issued_at: NOW,
        issued_at_ms: Some(NOW * 1000),
        session: None,
        act: None,
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn part(token: &Secret, index: usize) -> String {
    let part = token.expose().split('.').nth(index).unwrap().to_owned();
    String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn with_part(token: &Secret, index: usize, text: &str) -> Secret {
    let mut parts: Vec<String> = token.expose().split('.').map(str::to_owned).collect();
    parts[index] = BASE64_URL_SAFE_NO_PAD.encode(text);
    Secret::new(parts.join("."))
}

#[tokio::test]
async fn a_token_reads_like_cognitos_member_by_member_with_one_of_ours_at_the_end() {
    let token = issuer().await.sign(&claims()).await.unwrap();
    assert_eq!(part(&token, 0), r#"{"kid":"us-east-11700000000","typ":"JWS","alg":"RS512"}"#);
    assert_eq!(
        part(&token, 1),
        concat!(
            r#"{"sub":"us-east-1:aa","aud":"us-east-1:bb","#,
            r#""amr":["authenticated","login.app","login.app:us-east-1:bb:snapchat:4:2"],"#,
            r#""iss":"https://login.example.com","#,
            r#""https://cognito-identity.amazonaws.com/identity-pool-arn":"#,
            r#""arn:aws:cognito-identity:us-east-1:000000000000:identitypool/us-east-1:bb","#,
            r#""exp":1700000900,"iat":1700000000,"iat_ms":1700000000000}"#
        )
    );
}

#[tokio::test]
async fn tags_stand_between_amr_and_iss_each_in_an_array_of_one() {
    let mut tagged = claims();
    tagged.tags = Some(TagsClaim { principal_tags: [("team".to_owned(), ["red".to_owned()])].into() });
    let payload = part(&issuer().await.sign(&tagged).await.unwrap(), 1);
    assert!(
        payload.contains(r#"],"https://aws.amazon.com/tags":{"principal_tags":{"team":["red"]}},"iss""#),
        "{payload}"
    );
    assert_eq!(tagged.principal_tags(), [("team".to_owned(), "red".to_owned())].into());
}

#[tokio::test]
async fn our_own_token_is_believed_until_the_second_it_expires() {
    let issuer = issuer().await;
    let token = issuer.sign(&claims()).await.unwrap();
    assert_eq!(issuer.verify(&token, at(NOW)), Ok(claims()));
    assert_eq!(issuer.verify(&token, at(NOW + 899)), Ok(claims()));
    let expired = TokenError::Expired { now: NOW + 900, expired_at: NOW + 900 };
    assert_eq!(issuer.verify(&token, at(NOW + 900)), Err(expired));
}

#[tokio::test]
async fn a_token_of_another_issuer_or_key_is_not_believed() {
    let issuer = issuer().await;
    let mut foreign = claims();
    foreign.issuer = "https://login.example.com/".into();
    assert_eq!(issuer.verify(&issuer.sign(&foreign).await.unwrap(), at(NOW)), Err(TokenError::WrongIssuer));

    let twin = issuer_named("https://login.example.com").await;
    assert_eq!(issuer.verify(&twin.sign(&claims()).await.unwrap(), at(NOW)), Err(TokenError::BadSignature));
}

#[tokio::test]
async fn no_header_talks_us_out_of_our_algorithm_or_key() {
    let issuer = issuer().await;
    let token = issuer.sign(&claims()).await.unwrap();
    for header in [
        json!({"kid": "us-east-11700000000", "alg": "none"}),
        json!({"kid": "us-east-11700000000", "alg": "HS256"}),
        json!({"kid": "us-east-11700000000", "alg": "RS256"}),
        json!({"kid": "us-east-11700000001", "alg": "RS512"}),
        json!({"kid": "us-east-11700000000", "typ": "JWT", "alg": "RS512"}),
    ] {
        let forged = with_part(&token, 0, &header.to_string());
        assert_eq!(issuer.verify(&forged, at(NOW)), Err(TokenError::BadSignature), "{header}");
    }
    for header in ["", "{}", "[]", "null", r#"{"kid":7,"alg":"RS512"}"#] {
        assert_eq!(
            issuer.verify(&with_part(&token, 0, header), at(NOW)),
            Err(TokenError::Malformed),
            "{header}"
        );
    }
}

#[tokio::test]
async fn every_changed_claim_and_signature_is_noticed() {
    let issuer = issuer().await;
    let token = issuer.sign(&claims()).await.unwrap();
    let mut other: Value = serde_json::from_str(&part(&token, 1)).unwrap();
    other["sub"] = json!("us-east-1:cc");
    assert_eq!(
        issuer.verify(&with_part(&token, 1, &other.to_string()), at(NOW)),
        Err(TokenError::BadSignature)
    );

    let (message, _) = token.expose().rsplit_once('.').unwrap();
    for signature in ["", "AAAA"] {
        let forged = Secret::new(format!("{message}.{signature}"));
        assert_eq!(issuer.verify(&forged, at(NOW)), Err(TokenError::BadSignature));
    }
    for text in ["", ".", "..", "a.b.c", "not a token", &format!("{}.x", token.expose())] {
        assert!(issuer.verify(&Secret::new(text), at(NOW)).is_err(), "{text}");
    }
}

#[tokio::test]
async fn the_key_set_shows_public_halves_without_padding_or_leading_zero() {
    let keys = serde_json::to_value(issuer().await.jwk_set()).unwrap();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS512"), &json!("sig")));
    assert_eq!((&key["kid"], &key["e"]), (&json!("us-east-11700000000"), &json!("AQAB")));
    let modulus = BASE64_URL_SAFE_NO_PAD.decode(key["n"].as_str().unwrap()).unwrap();
    assert_eq!(modulus.len(), 256);
    assert_eq!(key.as_object().unwrap().len(), 6, "nothing private: {key}");
}

#[tokio::test]
async fn keys_outlive_a_restart_and_open_only_with_their_master_key() {
    let store = Arc::new(MemoryStore::default());
    let load = async |seed| {
        let materials = Materials {
            store: store.clone(),
            master_keys: Arc::new(MasterKeys::generate(&SeededRandom::new(seed))),
            holder: Arc::new(LocalKeys),
            region: Region::parse("us-east-1").unwrap(),
            clock: Arc::new(ManualClock::at_second(NOW)),
            random: Arc::new(SeededRandom::new(1)),
        };
        let ring = KeyRing::load(materials, &[Algorithm::Rs512], Rotation::default()).await?;
        let (name, algorithms) = ("https://login.example.com".into(), TokenAlgorithms::default());
        Ok::<_, SigningKeyError>(TokenIssuer::new(name, Arc::new(ring), algorithms))
    };
    let (before, after) = (load(1).await.unwrap(), load(1).await.unwrap());
    assert_eq!(after.verify(&before.sign(&claims()).await.unwrap(), at(NOW)), Ok(claims()));

    let refused = load(2).await.unwrap_err();
    assert!(refused.to_string().contains("master key is not the one"), "{refused}");
}

#[test]
fn the_developer_user_identifier_is_read_back_whole() {
    assert_eq!(claims().developer_user_identifier(), Some("snapchat:4:2"));
    let guest = Claims { amr: vec![UNAUTHENTICATED.into()], ..claims() };
    assert_eq!(guest.developer_user_identifier(), None);
    assert!(!guest.is_authenticated());
}

#[test]
fn a_token_without_milliseconds_counts_from_the_beginning_of_its_second() {
    let exact = Claims { issued_at_ms: Some(NOW * 1000 + 250), ..claims() };
    assert_eq!(exact.ground().issued_at, at(NOW) + SignedDuration::from_millis(250));
    let older = Claims { issued_at_ms: None, ..claims() };
    assert_eq!(older.ground().issued_at, at(NOW));
    for out_of_the_calendar in [i64::MIN, i64::MAX] {
        let odd =
            Claims { issued_at: out_of_the_calendar, issued_at_ms: Some(out_of_the_calendar), ..claims() };
        assert_eq!(odd.ground().issued_at, Timestamp::MIN, "whatever was revoked ends it");
    }
}

#[tokio::test]
async fn tokens_of_a_pool_are_signed_as_the_operator_says_and_id_tokens_as_cognitos() {
    let pools = [(claims().pool_id, Algorithm::Es256)].into();
    let issuer =
        issuer_with("https://login.example.com", TokenAlgorithms { pools, ..TokenAlgorithms::default() })
            .await;
    assert_eq!(issuer.algorithms(), [Algorithm::Rs512, Algorithm::Es256]);
    let token = issuer.sign(&claims()).await.unwrap();
    assert!(part(&token, 0).contains(r#""alg":"ES256""#));
    assert_eq!(issuer.verify(&token, at(NOW)), Ok(claims()));
    let elsewhere = Claims { pool_id: IdentityPoolId::parse("us-east-1:cc").unwrap(), ..claims() };
    assert!(part(&issuer.sign(&elsewhere).await.unwrap(), 0).contains(r#""alg":"RS512""#));

    // The algorithm is the key's, whatever the header says.
    let header = part(&token, 0).replace("ES256", "RS512");
    assert_eq!(issuer.verify(&with_part(&token, 0, &header), at(NOW)), Err(TokenError::BadSignature));

    let keys = serde_json::to_value(issuer.jwk_set()).unwrap();
    let [first, second] = &keys["keys"].as_array().unwrap()[..] else { panic!("{keys}") };
    assert_eq!((&first["kty"], &first["alg"]), (&json!("RSA"), &json!("RS512")));
    assert_eq!(
        (&second["kty"], &second["alg"], &second["crv"]),
        (&json!("EC"), &json!("ES256"), &json!("P-256"))
    );
    for coordinate in ["x", "y"] {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(second[coordinate].as_str().unwrap()).unwrap();
        assert_eq!(bytes.len(), 32);
    }
    assert_eq!(second.as_object().unwrap().len(), 7, "nothing private: {second}");
}
