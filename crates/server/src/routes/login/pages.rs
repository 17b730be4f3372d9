//! The pages of the hosted sign-in: plain HTML, one style sheet, and on the popup's pages one small script. No page
//! may be framed, names itself to the next one, or is kept in a cache.

use std::sync::Arc;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use daypass_core::broker::hosted_login::AppLogin;
use daypass_core::ground::ids::RequestId;
use daypass_core::login::provider::Provider;
use serde_json::{Map, Value};

use super::marks::{self, Mark};
use super::{DEVICE, address, app_response, start_path};
use crate::config::is_loopback;
use crate::error::{ApiError, Meaning};
use crate::installation::App;

#[derive(Template)]
#[template(path = "routes/login/choose.html")]
struct ChoosePage<'a> {
    app: &'a str,
    choices: Vec<Choice<'a>>,
}

/// A provider, as a button.
pub(super) struct Choice<'a> {
    pub(super) name: &'a str,
    /// The provider's mark, or else its initials.
    pub(super) mark: Option<&'static Mark>,
    pub(super) initials: String,
    /// One of the colours of the style sheet.
    pub(super) colour: usize,
    pub(super) href: String,
}

#[derive(Template)]
#[template(path = "routes/login/mistake.html")]
struct MistakePage<'a> {
    explanation: String,
    for_developers: Option<&'a str>,
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
    /// What stands on it where the login failed.
    label: String,
    href: String,
    /// The members of the message, as JSON.
    message: Option<String>,
}

impl<'a> WayBack<'a> {
    fn new(login: &'a AppLogin, response: &[(&str, &str)]) -> Self {
        let request = login.request();
        if let Some(device) = &request.device {
            let href = address("/device/login", &[(DEVICE, &device.authorization)]);
            return Self {
                app: login.app_name(),
                label: "Sign in otherwise".to_owned(),
                href,
                message: None,
            };
        }
        let members = response.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
        Self {
            app: login.app_name(),
            label: format!("Back to {}", login.app_name()),
            href: address(&request.redirect_uri, response),
            message: request.popup.then(|| Value::Object(members.collect::<Map<_, _>>()).to_string()),
        }
    }
}

const COLOURS: usize = 6;

/// The page with a button for each provider.
pub(in crate::routes) fn choose(app: &App, login: &AppLogin) -> Response {
    let providers = app.broker.providers.all();
    let choices = choices(app, login, providers.values());
    let page = ChoosePage { app: login.app_name(), choices };
    with_policy(Html(render(&page)).into_response(), "'none'")
}

/// The buttons of those providers that people are offered.
pub(super) fn choices<'a>(
    app: &App,
    login: &AppLogin,
    providers: impl Iterator<Item = &'a Arc<Provider>>,
) -> Vec<Choice<'a>> {
    let offered = providers.filter(|provider| {
        provider.starts_by_redirect() && !app.login_flow.hidden_providers.contains(&provider.id)
    });
    let choices = offered.map(|provider| Choice {
        name: &provider.definition.name,
        mark: provider.catalogue.as_deref().and_then(marks::find),
        initials: initials(&provider.definition.name),
        colour: provider.id.bytes().map(usize::from).sum::<usize>() % COLOURS,
        href: start_path(&provider.id, login),
    });
    choices.collect()
}

/// A request or an answer that leads nowhere. There is no address known to be an app's, so there is no way on. The
/// person reads what they can do; what is wrong with the app's request stands there where only its developer can be
/// looking.
pub(in crate::routes) fn mistake(app: &App, error: &ApiError, id: &RequestId) -> Response {
    let page = MistakePage {
        explanation: stranded(error),
        for_developers: for_developers(error, &app.login_flow.public_url),
        code: error.code(),
        request_id: id.as_str(),
    };
    with_policy(error.answer_with_page(render(&page), id), "'none'")
}

/// What is wrong with an app's request, where nobody but its developer can be looking.
fn for_developers<'a>(error: &'a ApiError, public_url: &str) -> Option<&'a str> {
    (error.meaning() == Meaning::Mistake && is_loopback(public_url)).then_some(error.message())
}

/// What somebody can do whom no app is known to have sent.
fn stranded(error: &ApiError) -> String {
    match error.meaning() {
        Meaning::NotBelieved | Meaning::Cancelled | Meaning::NotShared => {
            format!("{} Go back to the app that you came from, and sign in from there once more.", error.message())
        }
        Meaning::Unavailable | Meaning::TooManyAtOnce => {
            "Too much is going on here at the moment. Go back to the app that you came from, and try again in a \
             minute."
                .to_owned()
        }
        Meaning::Mistake
        | Meaning::OfOAuth(_)
        | Meaning::NotAllowed
        | Meaning::Broken => {
            "The app that sent you here is not set up right, and trying again will not help. Tell its makers what \
             stands below."
                .to_owned()
        }
    }
}

/// A login that came back without success, with the ways on: once more, or back to the app.
pub(super) fn failure(
    app: &App,
    provider: &Provider,
    login: &AppLogin,
    error: &ApiError,
    id: &RequestId,
) -> Response {
    let (heading, explanation) =
        came_to_nothing(&provider.definition.name, login.app_name(), error.meaning());
    let told = [("error", error.authorization_error()), ("iss", app.login_flow.public_url.as_str())];
    let page = FailurePage {
        heading,
        explanation,
        retry: start_path(&provider.id, login),
        way_back: WayBack::new(login, &app_response(login, &told)),
        code: error.code(),
        request_id: id.as_str(),
    };
    with_policy(error.answer_with_page(render(&page), id), script_of(login))
}

/// What happened at a provider, and what the person can do about it.
fn came_to_nothing(provider: &str, app: &str, meaning: Meaning) -> (String, String) {
    match meaning {
        Meaning::Cancelled => (
            "You are not signed in".to_owned(),
            format!("The sign-in at {provider} was cancelled. {app} learns nothing about you."),
        ),
        Meaning::NotShared => (
            format!("{app} needs to know you again"),
            format!(
                "You signed in, but {provider} was not allowed to say which account is yours. Try again, and leave \
                 everything allowed that {provider} asks you about."
            ),
        ),
        Meaning::Unavailable | Meaning::TooManyAtOnce => (
            format!("{provider} does not answer at the moment"),
            "You did nothing wrong. Please try again in a minute.".to_owned(),
        ),
        Meaning::Broken => (
            format!("Something is wrong between {app} and {provider}"),
            format!("You did nothing wrong, and trying again may not help. Tell {app} what stands below."),
        ),
        Meaning::Mistake | Meaning::OfOAuth(_) | Meaning::NotBelieved | Meaning::NotAllowed => (
            format!("{provider} did not confirm the sign-in"),
            format!("Please try again. If it happens again, tell {app} what stands below."),
        ),
    }
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

/// Addresses and pages hold codes: none is cached, and none tells the next page where the visitor came from, but for those
/// with a form ([`with_form`]).
pub async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn script_of(login: &AppLogin) -> &'static str {
    if login.request().popup { "'self'" } else { "'none'" }
}

pub(super) fn with_policy(response: Response, scripts: &str) -> Response {
    with_policies(response, scripts, "'none'")
}

/// A page whose form comes back to us. It says that it is ours by its origin, which browsers name only where a page may
/// name itself (Fetch, "append a request `Origin` header"): the origin alone goes along, and no address.
pub(super) fn with_form(response: Response) -> Response {
    let mut response = with_policies(response, "'none'", "'self'");
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    response
}

fn with_policies(mut response: Response, scripts: &str, forms: &str) -> Response {
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; img-src data:; form-action {forms}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// The first letters of the first two words, in place of a logo.
fn initials(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.take(2).filter_map(|word| word.chars().next()).flat_map(char::to_uppercase).collect()
}

pub(super) fn render(template: &impl Template) -> String {
    template.render().expect("every template writes strings into a string, which takes them all")
}

#[cfg(test)]
mod tests {
    use daypass_core::broker::hosted_login::LostLogin;

    use super::*;

    #[test]
    fn developers_read_their_mistakes_on_their_own_machine_and_people_nowhere() {
        let error = ApiError::unknown_login_provider();
        assert_eq!(for_developers(&error, "http://127.0.0.1:9400"), Some(error.message()));
        assert_eq!(for_developers(&error, "https://login.example.com"), None);
        assert!(stranded(&error).starts_with("The app that sent you here is not set up right"));
        assert_eq!(for_developers(&ApiError::lost_login(LostLogin::Lost), "http://127.0.0.1:9400"), None);
    }

    #[test]
    fn what_went_wrong_has_its_cure() {
        let cure = |meaning| came_to_nothing("Snapchat", "Shop", meaning).1;
        for (meaning, expected) in [
            (Meaning::NotShared, "leave everything allowed"),
            (Meaning::Unavailable, "try again in a minute"),
            (Meaning::TooManyAtOnce, "try again in a minute"),
            (Meaning::Broken, "Tell Shop what stands below"),
            (Meaning::NotBelieved, "try again"),
        ] {
            assert!(cure(meaning).contains(expected), "{meaning:?}: {}", cure(meaning));
        }
    }

    #[test]
    fn a_provider_is_drawn_with_its_initials() {
        for (name, expected) in
            [("Snapchat", "S"), ("Login with Amazon", "LW"), ("ön.line", "ÖL"), ("  ", ""), ("ID", "I")]
        {
            assert_eq!(initials(name), expected);
        }
    }
}
