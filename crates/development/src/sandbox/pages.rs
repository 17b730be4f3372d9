//! What people and browsers see of the sandbox: its front page, the consent page, refusals, avatars.
//! Pages are plain HTML without script; a content security policy allows them their own style sheet and
//! pictures and nothing else.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

use super::Sandbox;
use super::client::{Client, OTHER_GAMES_CLIENT_ID};
use super::oauth_error::OAuthError;
use super::people::{PEOPLE, Person, Portrait};
use super::scope::Scope;

#[derive(Template)]
#[template(path = "sandbox/front.html")]
struct FrontPage<'a> {
    public_url: &'a str,
    clients: &'a [Client],
    people: &'static [Person],
    scopes: [Scope; 3],
}

#[derive(Template)]
#[template(path = "sandbox/consent.html")]
pub(super) struct ConsentPage<'a> {
    pub client: &'a Client,
    pub redirect_uri: &'a str,
    pub people: &'static [Person],
    pub scopes: Vec<Scope>,
    /// The parameters that the form posts again.
    pub repeated: Vec<(&'static str, &'a str)>,
}

#[derive(Template)]
#[template(path = "sandbox/refusal.html")]
struct RefusalPage<'a> {
    heading: &'a str,
    explanation: &'a str,
    code: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "sandbox/avatar.svg", escape = "html")]
struct Avatar {
    portrait: &'static Portrait,
}

/// `GET /`
pub(super) async fn front(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let page = FrontPage {
        public_url: &sandbox.public_url,
        clients: &sandbox.clients,
        people: &PEOPLE,
        scopes: Scope::ALL,
    };
    html(StatusCode::OK, &page, "'none'")
}

/// The page where a person decides. Chromium holds every redirect after a form to `form-action` too, so
/// wherever an app may lead is allowed beside ours.
pub(super) fn consent(page: &ConsentPage<'_>, app: &str) -> Response {
    html(StatusCode::OK, page, &format!("'self' {app}"))
}

/// A request that cannot be sent back to the app.
pub(super) fn refusal(error: &OAuthError) -> Response {
    let page = RefusalPage {
        heading: "This sign-in cannot go on",
        explanation: error.description,
        code: Some(error.code),
    };
    html(error.status, &page, "'none'")
}

/// Whatever has no route.
pub(super) async fn not_found() -> Response {
    let explanation = "The sandbox has no such page.";
    let page = RefusalPage { heading: "Nothing here", explanation, code: None };
    html(StatusCode::NOT_FOUND, &page, "'none'")
}

/// `GET /sandbox.json`: the same as the front page, for programs.
pub(super) async fn description(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let people: Vec<Value> =
        PEOPLE.iter().map(|person| json!({ "id": person.id, "name": person.name })).collect();
    let clients: Vec<Value> = sandbox.clients.iter().map(describe).collect();
    Json(json!({ "people": people, "clients": clients }))
}

/// The secret of the app under development stays with its server.
fn describe(client: &Client) -> Value {
    let mut description = json!({
        "client_id": client.client_id,
        "name": client.name,
        "redirect_uris": client.redirect_uris,
    });
    if client.client_id == OTHER_GAMES_CLIENT_ID {
        description["client_secret"] = json!(client.client_secret.expose());
    }
    description
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// `GET /avatars/{person}.svg`
pub(super) async fn avatar(Path(file): Path<String>) -> Response {
    let Some(person) = file.strip_suffix(".svg").and_then(Person::find) else { return not_found().await };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (headers, render(&Avatar { portrait: &person.portrait })).into_response()
}

fn html(status: StatusCode, page: &impl Template, form_action: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    (status, [(header::CONTENT_SECURITY_POLICY, policy)], Html(render(page))).into_response()
}

fn render(template: &impl Template) -> String {
    template.render().expect("every template writes strings into a string, which takes them all")
}
