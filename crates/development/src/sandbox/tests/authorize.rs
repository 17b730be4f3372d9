use super::*;

/// The GET and the POST must refuse alike: the post is what grants.
async fn both(app: &App, request: &Form) -> [Answer; 2] {
    let mut posted = request.clone();
    posted.extend(form(&[("person", "ada"), ("share", EXTERNAL_ID)]));
    [app.ask(request).await, app.decide(&posted).await]
}

#[tokio::test]
async fn an_unproved_address_is_never_redirected_to() {
    let app = App::new();
    let repeated = |name: &str, value: &str| {
        let mut form = request();
        form.push((name.to_owned(), value.to_owned()));
        form
    };
    let attacks = [
        with(request(), "client_id", None),
        with(request(), "client_id", Some("")),
        with(request(), "client_id", Some("unknown")),
        with(request(), "client_id", Some(OTHER_GAMES_CLIENT_ID)),
        with(request(), "redirect_uri", None),
        with(request(), "redirect_uri", Some("")),
        with(request(), "redirect_uri", Some("https://evil.example/")),
        with(request(), "redirect_uri", Some(OTHER_GAMES_REDIRECT_URI)),
        with(request(), "redirect_uri", Some("http://127.0.0.1:9400")),
        with(request(), "redirect_uri", Some("http://127.0.0.1:9400/?")),
        with(request(), "redirect_uri", Some("http://127.0.0.1:9400/x")),
        with(request(), "redirect_uri", Some("HTTP://127.0.0.1:9400/")),
        with(request(), "redirect_uri", Some("http://127.0.0.1:9400/#")),
        with(request(), "redirect_uri", Some("http://127.0.0.1:9400@evil.example/")),
        repeated("redirect_uri", "https://evil.example/"),
        repeated("redirect_uri", OUR_REDIRECT),
        repeated("client_id", OTHER_GAMES_CLIENT_ID),
    ];
    for attack in attacks {
        for answer in both(&app, &attack).await {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{attack:?}");
            assert!(!answer.headers.contains_key(header::LOCATION), "{attack:?}");
            assert!(answer.body.contains("invalid_request"), "{attack:?}");
        }
    }
}

#[tokio::test]
async fn other_mistakes_go_back_to_the_app_with_its_state() {
    let app = App::new();
    for (name, value, error) in [
        ("response_type", None, "invalid_request"),
        ("response_type", Some("id_token"), "unsupported_response_type"),
        ("response_type", Some("code token"), "unsupported_response_type"),
        ("scope", None, "invalid_scope"),
        ("scope", Some(" "), "invalid_scope"),
        ("scope", Some("user.external_id"), "invalid_scope"),
        ("scope", Some("https://auth.snapchat.com/oauth2/api/user.email"), "invalid_scope"),
        ("scope", Some(&format!("{EXTERNAL_ID},{DISPLAY_NAME}")), "invalid_scope"),
        ("scope", Some(&format!("{EXTERNAL_ID} openid")), "invalid_scope"),
        ("code_challenge", None, "invalid_request"),
        ("code_challenge", Some("short"), "invalid_request"),
        ("code_challenge", Some(&format!("{}=", &CHALLENGE[..42])), "invalid_request"),
        ("code_challenge_method", None, "invalid_request"),
        ("code_challenge_method", Some("plain"), "invalid_request"),
        ("code_challenge_method", Some("s256"), "invalid_request"),
    ] {
        for answer in both(&app, &with(request(), name, value)).await {
            assert_eq!(answer.status, StatusCode::SEE_OTHER, "{name}={value:?}");
            assert!(answer.location().starts_with("http://127.0.0.1:9400/?error="), "{}", answer.location());
            assert_eq!(answer.returned("error").as_deref(), Some(error), "{name}={value:?}");
            assert!(answer.returned("error_description").is_some());
            assert_eq!(answer.returned("state").as_deref(), Some("s-1"));
            assert_eq!(answer.returned("code"), None);
        }
    }
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused_at_the_app() {
    let app = App::new();
    for (name, value) in request().into_iter().skip(2) {
        let mut doubled = request();
        doubled.push((name.clone(), value));
        for answer in both(&app, &doubled).await {
            assert_eq!(answer.returned("error").as_deref(), Some("invalid_request"), "{name}");
        }
    }
}

#[tokio::test]
async fn cancelling_is_access_denied() {
    let answer = App::new().decide(&with(request(), "decision", Some("deny"))).await;
    assert_eq!(answer.returned("error").as_deref(), Some("access_denied"));
    assert_eq!(answer.returned("state").as_deref(), Some("s-1"));
}

#[tokio::test]
async fn an_unknown_decision_is_no_consent() {
    let answer = App::new().decide(&with(consent(), "decision", Some("maybe"))).await;
    assert_eq!(answer.returned("error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a_decision_needs_one_known_person_and_known_scopes() {
    let app = App::new();
    let mut two_people = consent();
    two_people.push(("person".to_owned(), "grace".to_owned()));
    for form in [
        with(consent(), "person", None),
        with(consent(), "person", Some("eve")),
        with(consent(), "share", Some("user.external_id")),
        two_people,
    ] {
        let answer = app.decide(&form).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{form:?}");
        assert!(!answer.headers.contains_key(header::LOCATION));
    }
}

#[tokio::test]
async fn a_person_cannot_share_more_than_the_app_asked_for() {
    let app = App::new();
    let code = app.code(&with(consent(), "scope", Some(DISPLAY_NAME))).await;
    let answer = app.token(&ours(), &redemption(&code)).await;
    assert_eq!(answer.json()["scope"], DISPLAY_NAME);
}

#[tokio::test]
async fn state_comes_back_unchanged_whatever_it_holds() {
    let app = App::new();
    for state in ["a b+c&code=x#f", "\r\nSet-Cookie: a=b", "\"><script>alert(1)</script>", "ä🦊%00", "%2B"]
    {
        let answer = app.decide(&with(consent(), "state", Some(state))).await;
        assert_eq!(answer.returned("state").as_deref(), Some(state));
        assert_eq!(answer.location().matches("code=").count(), 1, "{}", answer.location());
    }
    let without = app.decide(&with(consent(), "state", None)).await;
    assert_eq!(without.returned("state"), None);
}

#[tokio::test]
async fn the_implicit_grant_answers_in_the_fragment_for_one_hour() {
    let app = App::new();
    let answer = app.decide(&with(consent(), "response_type", Some("token"))).await;
    assert!(answer.location().starts_with("http://127.0.0.1:9400/#access_token="), "{}", answer.location());
    assert_eq!(answer.returned("token_type").as_deref(), Some("Bearer"));
    assert_eq!(answer.returned("expires_in").as_deref(), Some("3600"));
    assert_eq!(answer.returned("state").as_deref(), Some("s-1"));
    assert_eq!(answer.returned("code"), None);
    assert_eq!(answer.returned("refresh_token"), None);

    let token = answer.returned("access_token").unwrap();
    app.wait(SignedDuration::from_secs(3599));
    assert!(app.is_alive(&token).await);
    app.wait(SignedDuration::from_secs(1));
    assert!(!app.is_alive(&token).await);
}

#[tokio::test]
async fn refusals_of_the_implicit_grant_are_in_the_fragment_too() {
    let request = with(request(), "response_type", Some("token"));
    for answer in both(&App::new(), &with(request, "scope", None)).await {
        assert!(answer.location().starts_with("http://127.0.0.1:9400/#error=invalid_scope"));
    }
}

#[tokio::test]
async fn what_is_not_a_form_is_refused_on_a_page() {
    let app = App::new();
    let json = Request::post("/accounts/oauth2/auth").header(header::CONTENT_TYPE, "application/json");
    let answer = app.send(json.body(Body::from("{}")).unwrap()).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let large = app.decide(&with(consent(), "state", Some(&"x".repeat(BODY_LIMIT)))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(large.body.contains("<h1>"));
}
