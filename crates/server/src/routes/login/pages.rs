//! The pages of the hosted sign-in: plain HTML, one style sheet, and on the popup's pages one small script. No page
//! may be framed, names itself to the next one, or is kept in a cache.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use daypass_core::broker::hosted_login::AppLogin;
use daypass_core::ground::ids::RequestId;
use daypass_core::login::provider::Provider;
use serde_json::{Map, Value};

use super::{address, app_response, start_path};
use crate::error::{ApiError, Meaning};
use crate::installation::App;

#[derive(Template)]
#[template(path = "routes/login/choose.html")]
struct ChoosePage<'a> {
    app: &'a str,
    choices: Vec<Choice<'a>>,
}

/// A provider, as a button.
struct Choice<'a> {
    name: &'a str,
    initials: String,
    /// One of the colours of the style sheet.
    colour: usize,
    href: String,
}

#[derive(Template)]
#[template(path = "routes/login/mistake.html")]
struct MistakePage<'a> {
    message: &'a str,
    code: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "routes/login/failure.html")]
struct FailurePage<'a> {
    heading: String,
    explanation: String,
    retry: String,
    way_back: WayBack<'a>,
    code: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "routes/login/message.html")]
struct MessagePage<'a> {
    way_back: WayBack<'a>,
}

/// The link to the app, which the popup's script sends as a message instead.
struct WayBack<'a> {
    app: &'a str,
    href: String,
    /// The members of the message, as JSON.
    message: Option<String>,
}

impl<'a> WayBack<'a> {
    fn new(login: &'a AppLogin, response: &[(&str, &str)]) -> Self {
        let request = login.request();
        let members = response.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        Self {
            app: host(&request.redirect_uri),
            href: address(&request.redirect_uri, response),
            message: request.popup.then(|| Value::Object(members.collect::<Map<_, _>>()).to_string()),
        }
    }
}

const COLOURS: usize = 6;

/// The page with a button for each provider.
pub(super) fn choose(app: &App, login: &AppLogin) -> Response {
    let providers = app.broker.providers.all();
    let providers = providers.values().filter(|provider| provider.starts_by_redirect());
    let choices = providers.map(|provider| Choice {
        name: &provider.definition.name,
        initials: initials(&provider.definition.name),
        colour: provider.id.bytes().map(usize::from).sum::<usize>() % COLOURS,
        href: start_path(&provider.id, login),
    });
    let page = ChoosePage { app: host(&login.request().redirect_uri), choices: choices.collect() };
    with_policy(Html(render(&page)).into_response(), "'none'")
}

/// A request or an answer that leads nowhere. There is no address known to be an app's, so there is no way on.
pub(in crate::routes) fn mistake(error: &ApiError, id: &RequestId) -> Response {
    let page = MistakePage { message: error.message(), code: error.code(), request_id: id.as_str() };
    with_policy(error.answer_with_page(render(&page), id), "'none'")
}

/// A login that came back without success, with the ways on: once more, or back to the app.
pub(super) fn failure(provider: &Provider, login: &AppLogin, error: &ApiError, id: &RequestId) -> Response {
    let name = &provider.definition.name;
    let app = host(&login.request().redirect_uri);
    let (heading, explanation) = match error.meaning() {
        Meaning::Cancelled => (
            "You are not signed in".to_owned(),
            format!("The sign-in at {name} was cancelled. {app} learns nothing about you."),
        ),
        Meaning::Unavailable | Meaning::Broken => (
            format!("{name} does not answer as it should"),
            "You did nothing wrong. Please try again in a moment.".to_owned(),
        ),
        Meaning::Mistake
        | Meaning::UnknownGrant
        | Meaning::NotBelieved
        | Meaning::NotAllowed
        | Meaning::TooManyAtOnce => (
            format!("{name} did not confirm the sign-in"),
            format!("Please try again. If it happens again, tell {app} what stands below."),
        ),
    };
    let page = FailurePage {
        heading,
        explanation,
        retry: start_path(&provider.id, login),
        way_back: WayBack::new(login, &app_response(login, &[("error", error.authorization_error())])),
        code: error.code(),
        request_id: id.as_str(),
    };
    with_policy(error.answer_with_page(render(&page), id), script_of(login))
}

/// The end of a popup: its script gives the window that opened it what the app hears.
pub(super) fn message(login: &AppLogin, response: &[(&str, &str)]) -> Response {
    let page = MessagePage { way_back: WayBack::new(login, response) };
    with_policy(Html(render(&page)).into_response(), script_of(login))
}

/// `GET /login/style.css`
pub async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("style.css"))
}

/// `GET /login/popup.js`
pub async fn popup_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("popup.js"))
}

/// Addresses and pages hold codes: none is cached, and none tells the next page where the visitor came from.
pub async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn script_of(login: &AppLogin) -> &'static str {
    if login.request().popup { "'self'" } else { "'none'" }
}

fn with_policy(mut response: Response, scripts: &str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src data:; form-action 'none'; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Whom the person comes from and goes back to, in words that can be compared with an address bar.
fn host(redirect_uri: &str) -> &str {
    let rest = redirect_uri.split_once("://").map_or(redirect_uri, |(_, rest)| rest);
    &rest[..rest.find(['/', '?']).unwrap_or(rest.len())]
}

/// The first letters of the first two words, in place of a logo.
fn initials(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(2).filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect()
}

fn render(template: &impl Template) -> String {
    template.render().expect("every template writes strings into a string, which takes them all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_drawn_with_its_initials() {
        for (name, expected) in
            [("Snapchat", "S"), ("Login with Amazon", "LW"), ("ön.line", "ÖL"), ("  ", ""), ("ID", "I")]
        {
            assert_eq!(initials(name), expected);
        }
    }

    #[test]
    fn an_app_is_named_by_its_host() {
        for (uri, expected) in [
            ("https://app.example.com/signed-in", "app.example.com"),
            ("http://127.0.0.1:9400?x=/", "127.0.0.1:9400"),
        ] {
            assert_eq!(host(uri), expected);
        }
    }
}
