//! What an ID token has to say.

use super::*;

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
    let refusal = PublicLoginError::MissingClaim("aud");
    assert_eq!(world.user_pool(access).await.unwrap_err(), refusal);
    assert_eq!(world.user_pool(json!({"token_use": "access"})).await.unwrap_err(), refusal);
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
        assert_eq!(refusal, PublicLoginError::IssuerMismatch, "{issuer}");
    }
    let other = world.user_pool.id_token("alice", "ours", json!({}));
    assert_eq!(world.verify(OIDC, &other).await.unwrap_err(), PublicLoginError::IssuerMismatch);
    assert!(world.http.asked().is_empty(), "nothing is fetched for a token of somebody else");
}

#[tokio::test]
async fn an_expired_token_is_refused_with_the_times() {
    let world = World::new();
    let expired = PublicLoginError::Expired { now: NOW, expired_at: NOW };
    assert_eq!(world.user_pool(json!({"exp": NOW})).await.unwrap_err(), expired);
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
