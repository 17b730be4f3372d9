use serde_json::json;

use super::*;

const ALL: &str = "{me{externalId displayName bitmoji{avatar id}}}";

async fn get(app: &App, token: &str, path: &str) -> Answer {
    let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
    app.send(request.body(Body::empty()).unwrap()).await
}

async fn implicit_token(app: &App, consent: Form) -> String {
    let answer = app.decide(&with(consent, "response_type", Some("token"))).await;
    answer.returned("access_token").expect("an access token")
}

#[tokio::test]
async fn get_and_post_answer_alike() {
    let app = App::new();
    let token = app.sign_in().await.access;
    let query = "%7Bme%7BexternalId%2CdisplayName+bitmoji%7Bavatar%20id%7D%20email%7D%7D";
    let by_get = get(&app, &token, &format!("/v1/me?query={query}")).await;
    assert_eq!(by_get.status, StatusCode::OK);
    assert_eq!(by_get.json(), app.me(&token, ALL).await.json());
    assert_eq!(by_get.header(header::CONTENT_TYPE), "application/json");
}

#[tokio::test]
async fn every_subset_of_scopes_shows_just_that() {
    let app = App::new();
    let whole = json!({
        "externalId": PEOPLE[0].external_id(DAYPASS_DEMO_CLIENT_ID),
        "displayName": "Ada",
        "bitmoji": { "avatar": "http://127.0.0.1:9402/avatars/ada.svg", "id": "bitmoji-ada" },
    });
    let fields = [(EXTERNAL_ID, "externalId"), (DISPLAY_NAME, "displayName"), (BITMOJI, "bitmoji")];
    for subset in 0..8_u8 {
        let shared = fields.iter().enumerate().filter(|(bit, _)| subset & (1 << bit) != 0).map(|(_, f)| *f);
        let mut consent = with(consent(), "share", None);
        let mut expected = json!({});
        for (scope, field) in shared {
            consent.push(("share".to_owned(), scope.to_owned()));
            expected[field] = whole[field].clone();
        }
        let token = app.token(&ours(), &redemption(&app.code(&consent).await)).await.tokens().access;
        let answer = app.me(&token, ALL).await;
        assert_eq!(answer.json(), json!({ "data": { "me": expected } }), "subset {subset:03b}");
    }
}

#[tokio::test]
async fn a_field_that_was_not_asked_for_is_not_shown() {
    let app = App::new();
    let token = app.sign_in().await.access;
    assert_eq!(
        app.me(&token, "{me{displayName}}").await.json(),
        json!({ "data": { "me": { "displayName": "Ada" } } })
    );
    assert_eq!(app.me(&token, "{me{}}").await.json(), json!({ "data": { "me": {} } }));
    assert_eq!(app.me(&token, "{me{email}}").await.json(), json!({ "data": { "me": {} } }));
}

#[tokio::test]
async fn a_token_stolen_from_another_app_works_and_shows_another_id() {
    let app = App::new();
    let stolen = implicit_token(&app, other_consent()).await;
    let answer = app.me(&stolen, "{me{externalId displayName}}").await.json();
    assert_eq!(answer["data"]["me"]["displayName"], "Ada");
    assert_eq!(answer["data"]["me"]["externalId"], PEOPLE[0].external_id(OTHER_GAMES_CLIENT_ID));
    assert_ne!(answer["data"]["me"]["externalId"], PEOPLE[0].external_id(DAYPASS_DEMO_CLIENT_ID));
}

#[tokio::test]
async fn ids_outlive_a_restart_and_tokens_do_not() {
    let (before, after) = (App::new(), App::new());
    let old = before.sign_in().await.access;
    let profile = before.me(&old, ALL).await.json();
    assert!(!after.is_alive(&old).await);
    assert_eq!(after.me(&after.sign_in().await.access, ALL).await.json(), profile);
}

#[tokio::test]
async fn somebody_who_is_no_demo_user_is_an_error_inside_http_200() {
    let app = App::new();
    let token = implicit_token(&app, with(consent(), "person", Some("oscar"))).await;
    let answer = app.me(&token, ALL).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({
            "data": { "me": null },
            "errors": [{
                "message": "The user is not a demo user of this app.",
                "extensions": { "code": "UNAUTHORIZED_USER" },
            }],
        })
    );
}

#[tokio::test]
async fn a_bad_query_is_an_error_inside_http_200_without_data() {
    let app = App::new();
    let token = app.sign_in().await.access;
    for (query, code) in [
        ("", "BAD_REQUEST"),
        ("{me{externalID}}", "GRAPHQL_VALIDATION_FAILED"),
        ("{me{externalId friends}}", "GRAPHQL_VALIDATION_FAILED"),
        ("{me{bitmoji}}", "GRAPHQL_VALIDATION_FAILED"),
        ("{me{externalId", "GRAPHQL_PARSE_FAILED"),
    ] {
        let answer = app.me(&token, query).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], code, "{query}");
        assert_eq!(answer.json().get("data"), None, "{query}");
    }
}

#[tokio::test]
async fn a_get_without_a_query_says_nothing_about_anyone() {
    let app = App::new();
    let token = app.sign_in().await.access;
    for path in ["/v1/me", "/v1/me?query=", "/v1/me?query={me{displayName}}&query={me{externalId}}"] {
        let answer = get(&app, &token, &path.replace('{', "%7B").replace('}', "%7D")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["errors"][0]["message"], "Must provide query string.");
    }
}

#[tokio::test]
async fn without_a_living_token_the_answer_is_401_in_plain_text() {
    let app = App::new();
    let tokens = app.sign_in().await;
    for authorization in
        ["", "Bearer", "Bearer ", "Bearer unknown", &format!("Basic {}", tokens.access), &tokens.access]
    {
        let request = Request::get("/v1/me?query=%7Bme%7BdisplayName%7D%7D");
        let request = request.header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap();
        let answer = app.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization}");
        assert_eq!(answer.header(header::CONTENT_TYPE), "text/plain; charset=utf-8");
        assert!(!answer.body.contains('{'));
    }
    assert_eq!(app.get("/v1/me").await.status, StatusCode::UNAUTHORIZED);
    app.wait(SignedDuration::from_hours(1));
    assert_eq!(app.me(&tokens.access, ALL).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn bodies_that_are_not_json_or_too_large_are_refused() {
    let app = App::new();
    let token = app.sign_in().await.access;
    for (body, status) in [
        ("{'query': '{me{displayName}}'}".to_owned(), StatusCode::BAD_REQUEST),
        ("[]".to_owned(), StatusCode::BAD_REQUEST),
        (String::new(), StatusCode::BAD_REQUEST),
        (" ".repeat(BODY_LIMIT + 1), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let request = Request::post("/v1/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
        assert_eq!(app.send(request.body(Body::from(body)).unwrap()).await.status, status);
    }
}

#[tokio::test]
async fn a_browser_app_of_any_origin_may_ask() {
    let app = App::new();
    let preflight = Request::options("/v1/me")
        .header(header::ORIGIN, "https://app.example")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
        .header(header::ACCESS_CONTROL_REQUEST_HEADERS, "authorization,content-type");
    let answer = app.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    assert_eq!(answer.header(header::ACCESS_CONTROL_ALLOW_HEADERS), "authorization,content-type");

    let token = app.sign_in().await.access;
    assert_eq!(app.me(&token, ALL).await.header(header::ACCESS_CONTROL_ALLOW_ORIGIN), "*");
    let elsewhere = app.token(&ours(), &redemption("unknown")).await;
    assert!(!elsewhere.headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
}
