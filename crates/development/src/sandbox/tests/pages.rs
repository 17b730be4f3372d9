use serde_json::json;

use super::*;

#[tokio::test]
async fn the_consent_page_offers_everyone_and_every_scope() {
    let page = App::new().ask(&request()).await;
    assert_eq!(page.header(header::CONTENT_TYPE), "text/html; charset=utf-8");
    for person in &PEOPLE {
        assert!(page.body.contains(&format!(r#"name="person" value="{}""#, person.id)), "{}", person.id);
    }
    assert!(page.body.contains("Zoë Đặng"));
    for scope in Scope::ALL {
        let checkbox = format!(r#"<input type="checkbox" name="share" value="{}" checked>"#, scope.url());
        assert!(page.body.contains(&checkbox), "{scope:?}");
    }
    for (name, _) in request() {
        assert!(page.body.contains(&format!(r#"<input type="hidden" name="{name}""#)), "{name}");
    }
    for promise in [r#"<html lang="en">"#, "<title>", "<fieldset>", "<legend>", "Not the real Snapchat"] {
        assert!(page.body.contains(promise), "{promise}");
    }
}

#[tokio::test]
async fn the_consent_page_offers_only_what_was_asked_for() {
    let page = App::new().ask(&with(request(), "scope", Some(EXTERNAL_ID))).await;
    assert_eq!(page.body.matches(r#"type="checkbox""#).count(), 1);
}

#[tokio::test]
async fn hostile_values_stay_text() {
    let app = App::new();
    let hostile = r#""><script>alert('x')</script><img src=x onerror=alert(1)>&amp;{{ 7 * 7 }}"#;
    let page = app.ask(&with(request(), "state", Some(hostile))).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.body.contains("<script") && !page.body.contains("<img src=x"), "{}", page.body);
    assert!(page.body.contains("&#34;&#62;&#60;script&#62;alert(&#39;x&#39;)"), "{}", page.body);
    assert!(page.body.contains("&#38;amp;"), "{}", page.body);

    for name in ["client_id", "redirect_uri"] {
        let page = app.ask(&with(request(), name, Some(hostile))).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert!(!page.body.contains("alert("), "a refusal repeats nothing");
    }
}

#[tokio::test]
async fn the_policy_of_a_page_allows_no_script_and_no_frame() {
    let app = App::new();
    let policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action FORM; \
                  base-uri 'none'; frame-ancestors 'none'";
    for (page, form_action) in [
        (app.ask(&request()).await, "'self' http: https:"),
        (app.ask(&other_consent()).await, "'self' http: https:"),
        (app.ask(&Form::new()).await, "'none'"),
        (app.get("/").await, "'none'"),
        (app.get("/nowhere").await, "'none'"),
    ] {
        assert_eq!(page.header(header::CONTENT_SECURITY_POLICY), policy.replace("FORM", form_action));
        assert!(!page.body.contains("<script") && !page.body.contains(" style="));
    }
}

#[tokio::test]
async fn the_front_page_and_its_json_keep_our_secret() {
    let app = App::new();
    let page = app.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(OTHER_GAMES_CLIENT_ID) && page.body.contains(DAYPASS_DEMO_CLIENT_ID));
    assert!(!page.body.contains("our:secret"));

    let description = app.get("/sandbox.json").await.json();
    assert_eq!(
        description["clients"],
        json!([
            {
                "client_id": DAYPASS_DEMO_CLIENT_ID,
                "name": "Daypass demo",
                "redirect_uris": [OUR_REDIRECT],
            },
            {
                "client_id": OTHER_GAMES_CLIENT_ID,
                "name": "Other Games",
                "redirect_uris": [OTHER_GAMES_REDIRECT_URI],
                "client_secret": OTHER_GAMES_CLIENT_SECRET,
            },
        ])
    );
    assert_eq!(description["people"][0], json!({ "id": "ada", "name": "Ada" }));
    assert_eq!(description["people"].as_array().unwrap().len(), PEOPLE.len());
}

#[tokio::test]
async fn everyone_has_a_picture() {
    let app = App::new();
    for person in &PEOPLE {
        let picture = app.get(&format!("/avatars/{}.svg", person.id)).await;
        assert_eq!(picture.header(header::CONTENT_TYPE), "image/svg+xml");
        assert!(picture.body.starts_with("<svg ") && picture.body.contains(person.portrait.shirt));
    }
    for path in ["/avatars/eve.svg", "/avatars/ada", "/avatars/ada.png", "/avatars/..%2f..%2fsandbox.rs"] {
        assert_eq!(app.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn the_style_sheet_is_served_as_one() {
    let style = App::new().get("/style.css").await;
    assert_eq!(style.header(header::CONTENT_TYPE), "text/css; charset=utf-8");
}

#[tokio::test]
async fn other_methods_are_refused_by_name() {
    let app = App::new();
    for (path, allowed) in [
        ("/accounts/oauth2/auth", "GET,HEAD,POST"),
        ("/accounts/oauth2/token", "POST"),
        ("/accounts/oauth2/revoke", "POST"),
        ("/v1/me", "GET,HEAD,POST"),
        ("/", "GET,HEAD"),
        ("/sandbox.json", "GET,HEAD"),
    ] {
        let answer = app.send(Request::delete(path).body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(answer.header(header::ALLOW), allowed, "{path}");
    }
}
