use super::*;

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_client_authenticates_by_basic_or_by_form() {
    let app = App::new();
    let code = app.code(&consent()).await;
    let form = with(redemption(&code), "client_id", Some(DAYPASS_DEMO_CLIENT_ID));
    let form = with(form, "client_secret", Some(OUR_SECRET));
    let answer = app.post("/accounts/oauth2/token", None, &form).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);

    let code = app.code(&consent()).await;
    let lower_case = ours().replacen("Basic", "basic", 1);
    assert_eq!(app.token(&lower_case, &redemption(&code)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_client_that_proves_nothing_is_refused() {
    let app = App::new();
    let code = app.code(&consent()).await;
    let form = redemption(&code);
    let bare_id = with(form.clone(), "client_id", Some(DAYPASS_DEMO_CLIENT_ID));
    let wrong_secret = with(bare_id.clone(), "client_secret", Some("wrong"));
    let no_id = with(form.clone(), "client_secret", Some(OUR_SECRET));
    for (authorization, form) in [
        (None, &form),
        (None, &bare_id),
        (None, &wrong_secret),
        (None, &no_id),
        (Some(basic(DAYPASS_DEMO_CLIENT_ID, "wrong")), &form),
        (Some(basic(DAYPASS_DEMO_CLIENT_ID, "")), &form),
        (Some(basic(DAYPASS_DEMO_CLIENT_ID, OTHER_GAMES_CLIENT_SECRET)), &form),
        (Some(basic("unknown", OUR_SECRET)), &form),
        (Some("Basic ???".to_owned()), &form),
        (Some(format!("Basic {}", BASE64_STANDARD.encode("no colon"))), &form),
        (Some("Bearer abc".to_owned()), &form),
    ] {
        let answer = app.post("/accounts/oauth2/token", authorization.as_deref(), form).await;
        assert_eq!(answer.refusal(), (401, "invalid_client".to_owned()), "{authorization:?}");
        assert!(answer.header(header::WWW_AUTHENTICATE).starts_with("Basic "));
    }
    assert_eq!(app.token(&ours(), &form).await.status, StatusCode::OK, "the code is still good");
}

#[tokio::test]
async fn a_client_authenticates_in_one_way_and_as_one_client() {
    let app = App::new();
    let code = app.code(&consent()).await;
    let both = with(redemption(&code), "client_id", Some(DAYPASS_DEMO_CLIENT_ID));
    let both = with(both, "client_secret", Some(OUR_SECRET));
    let other_id = with(redemption(&code), "client_id", Some(OTHER_GAMES_CLIENT_ID));
    for form in [both, other_id] {
        assert_eq!(app.token(&ours(), &form).await.refusal(), (400, "invalid_request".to_owned()));
    }
    let same_id = with(redemption(&code), "client_id", Some(DAYPASS_DEMO_CLIENT_ID));
    assert_eq!(app.token(&ours(), &same_id).await.status, StatusCode::OK);
}

#[tokio::test]
async fn malformed_requests_are_named() {
    let app = App::new();
    let form = redemption(&app.code(&consent()).await);
    for (name, value, error) in [
        ("grant_type", None, "invalid_request"),
        ("grant_type", Some("password"), "unsupported_grant_type"),
        ("grant_type", Some("client_credentials"), "unsupported_grant_type"),
        ("code", None, "invalid_request"),
        ("code", Some(""), "invalid_request"),
        ("redirect_uri", None, "invalid_request"),
        ("grant_type", Some("refresh_token"), "invalid_request"),
    ] {
        let answer = app.token(&ours(), &with(form.clone(), name, value)).await;
        assert_eq!(answer.refusal(), (400, error.to_owned()), "{name}={value:?}");
    }
    let mut twice = form.clone();
    twice.push(("code".to_owned(), "another".to_owned()));
    assert_eq!(app.token(&ours(), &twice).await.refusal(), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn what_is_not_a_form_is_refused_as_json() {
    let app = App::new();
    let request = Request::post("/accounts/oauth2/token").header(header::CONTENT_TYPE, "application/json");
    let answer = app.send(request.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.refusal(), (415, "invalid_request".to_owned()));
    let large = app.token(&ours(), &redemption(&"x".repeat(BODY_LIMIT))).await;
    assert_eq!(large.refusal(), (413, "invalid_request".to_owned()));
    let get = app.get("/accounts/oauth2/token?grant_type=authorization_code").await;
    assert_eq!((get.status, get.header(header::ALLOW)), (StatusCode::METHOD_NOT_ALLOWED, "POST"));
}

#[tokio::test]
async fn a_code_needs_its_redirect_uri_and_its_verifier() {
    let app = App::new();
    let form = redemption(&app.code(&consent()).await);
    for (name, value) in [
        ("code", Some("unknown")),
        ("redirect_uri", Some("http://localhost:9400/")),
        ("redirect_uri", Some(OTHER_GAMES_REDIRECT_URI)),
        ("code_verifier", None),
        ("code_verifier", Some("wrong-wrong-wrong-wrong-wrong-wrong-wrong-wrong")),
        ("code_verifier", Some(CHALLENGE)),
    ] {
        let answer = app.token(&ours(), &with(form.clone(), name, value)).await;
        assert_eq!(answer.refusal(), invalid_grant(), "{name}={value:?}");
    }
    assert_eq!(app.token(&ours(), &form).await.status, StatusCode::OK, "the code is still good");
}

#[tokio::test]
async fn a_verifier_is_wanted_only_if_a_challenge_was_given() {
    let app = App::new();
    let unchallenged = with(with(consent(), "code_challenge", None), "code_challenge_method", None);
    let form = redemption(&app.code(&unchallenged).await);
    assert_eq!(app.token(&ours(), &form).await.refusal(), invalid_grant());
    assert_eq!(app.token(&ours(), &with(form, "code_verifier", None)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_lives_ten_minutes() {
    let app = App::new();
    let (early, late) = (app.code(&consent()).await, app.code(&consent()).await);
    app.wait(SignedDuration::from_secs(599));
    assert_eq!(app.token(&ours(), &redemption(&early)).await.status, StatusCode::OK);
    app.wait(SignedDuration::from_secs(1));
    assert_eq!(app.token(&ours(), &redemption(&late)).await.refusal(), invalid_grant());
}

#[tokio::test]
async fn a_code_used_twice_takes_its_tokens_back() {
    let app = App::new();
    let code = app.code(&consent()).await;
    let first = app.token(&ours(), &redemption(&code)).await.tokens();
    let bystander = app.sign_in().await;
    assert!(app.is_alive(&first.access).await);

    assert_eq!(app.token(&ours(), &redemption(&code)).await.refusal(), invalid_grant());
    assert!(!app.is_alive(&first.access).await);
    assert_eq!(app.token(&ours(), &refreshing(&first.refresh)).await.refusal(), invalid_grant());
    assert!(app.is_alive(&bystander.access).await, "another sign-in of the same person goes on");
}

#[tokio::test]
async fn a_late_replay_of_a_code_is_noticed_too() {
    let app = App::new();
    let code = app.code(&consent()).await;
    let tokens = app.token(&ours(), &redemption(&code)).await.tokens();
    app.wait(SignedDuration::from_mins(30));
    assert!(app.is_alive(&tokens.access).await);
    assert_eq!(app.token(&ours(), &redemption(&code)).await.refusal(), invalid_grant());
    assert!(!app.is_alive(&tokens.access).await);
}

#[tokio::test]
async fn a_code_stolen_from_another_client_is_worthless() {
    let app = App::new();
    for (consent, thief, owner, redirect) in [
        (consent(), others(), ours(), OUR_REDIRECT),
        (other_consent(), ours(), others(), OTHER_GAMES_REDIRECT_URI),
    ] {
        let code = app.code(&consent).await;
        let form = with(redemption(&code), "redirect_uri", Some(redirect));
        assert_eq!(app.token(&thief, &form).await.refusal(), invalid_grant());
        let tokens = app.token(&owner, &form).await.tokens();
        assert_eq!(app.token(&thief, &form).await.refusal(), invalid_grant());
        assert!(app.is_alive(&tokens.access).await, "a thief's replay does not sign the owner out");
    }
}

#[tokio::test]
async fn a_refresh_token_stolen_by_another_client_is_worthless() {
    let app = App::new();
    let tokens = app.sign_in().await;
    assert_eq!(app.token(&others(), &refreshing(&tokens.refresh)).await.refusal(), invalid_grant());
    assert_eq!(app.token(&ours(), &refreshing(&tokens.refresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_scope() {
    let app = App::new();
    let first = app.sign_in().await;
    app.wait(SignedDuration::from_hours(2));
    let answer = app.token(&ours(), &refreshing(&first.refresh)).await;
    let second = answer.tokens();
    assert_eq!(answer.json()["scope"], format!("{EXTERNAL_ID} {DISPLAY_NAME} {BITMOJI}"));
    assert_ne!((&first.access, &first.refresh), (&second.access, &second.refresh));
    assert!(!app.is_alive(&first.access).await);
    assert!(app.is_alive(&second.access).await);
    assert_eq!(app.token(&ours(), &refreshing(&second.refresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_refresh_token_used_twice_ends_the_sign_in() {
    let app = App::new();
    let first = app.sign_in().await;
    let second = app.token(&ours(), &refreshing(&first.refresh)).await.tokens();
    assert_eq!(app.token(&ours(), &refreshing(&first.refresh)).await.refusal(), invalid_grant());
    assert!(!app.is_alive(&second.access).await);
    assert_eq!(app.token(&ours(), &refreshing(&second.refresh)).await.refusal(), invalid_grant());
}

#[tokio::test]
async fn a_refresh_token_lives_thirty_days() {
    let app = App::new();
    let tokens = app.sign_in().await;
    app.wait(SignedDuration::from_hours(30 * 24));
    assert_eq!(app.token(&ours(), &refreshing(&tokens.refresh)).await.refusal(), invalid_grant());
}

#[tokio::test]
async fn a_refresh_cannot_change_the_scope() {
    let app = App::new();
    let tokens = app.sign_in().await;
    let form = with(refreshing(&tokens.refresh), "scope", Some(EXTERNAL_ID));
    assert_eq!(app.token(&ours(), &form).await.refusal(), (400, "invalid_scope".to_owned()));
    assert_eq!(app.token(&ours(), &refreshing(&tokens.refresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_secret_works_in_the_place_of_another() {
    let app = App::new();
    let tokens = app.sign_in().await;
    let code = app.code(&consent()).await;
    for (form, what) in [
        (redemption(&tokens.access), "an access token as a code"),
        (redemption(&tokens.refresh), "a refresh token as a code"),
        (refreshing(&code), "a code as a refresh token"),
        (refreshing(&tokens.access), "an access token as a refresh token"),
    ] {
        assert_eq!(app.token(&ours(), &form).await.refusal(), invalid_grant(), "{what}");
    }
    assert!(!app.is_alive(&code).await);
    assert!(!app.is_alive(&tokens.refresh).await);
}

#[tokio::test]
async fn revoking_an_access_token_spares_the_refresh_token() {
    let app = App::new();
    let tokens = app.sign_in().await;
    assert_eq!(app.revoke(&ours(), &tokens.access).await.status, StatusCode::OK);
    assert!(!app.is_alive(&tokens.access).await);
    assert_eq!(app.token(&ours(), &refreshing(&tokens.refresh)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn revoking_a_refresh_token_ends_the_sign_in() {
    let app = App::new();
    let tokens = app.sign_in().await;
    for _ in 0..2 {
        assert_eq!(app.revoke(&ours(), &tokens.refresh).await.status, StatusCode::OK);
        assert!(!app.is_alive(&tokens.access).await);
        assert_eq!(app.token(&ours(), &refreshing(&tokens.refresh)).await.refusal(), invalid_grant());
    }
}

#[tokio::test]
async fn revocation_wants_the_client_that_owns_the_token() {
    let app = App::new();
    let tokens = app.sign_in().await;
    assert_eq!(app.revoke(&others(), &tokens.refresh).await.status, StatusCode::OK);
    assert!(app.is_alive(&tokens.access).await);

    let form = form(&[("token", &tokens.refresh)]);
    let stranger = app.post("/accounts/oauth2/revoke", None, &form).await;
    assert_eq!(stranger.refusal(), (401, "invalid_client".to_owned()));
    let nothing = app.post("/accounts/oauth2/revoke", Some(&ours()), &Form::new()).await;
    assert_eq!(nothing.refusal(), (400, "invalid_request".to_owned()));
    assert!(app.is_alive(&tokens.access).await);
}
