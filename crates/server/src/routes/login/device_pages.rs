//! What people see who sign in for a device without a browser: where the code is typed, what it is about, whether it may be,
//! and what came of it.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use daypass_core::broker::device_login::Verdict;
use daypass_core::broker::hosted_login::AppLogin;
use daypass_core::ground::ids::RequestId;
use daypass_core::login::provider::DisplayUser;
use daypass_core::records::device_authorization::DeviceAuthorization;

use super::pages::{Choice, choices, render, with_form, with_policy};
use crate::error::{ApiError, Meaning};
use crate::installation::App;

#[derive(Template)]
#[template(path = "routes/login/device_enter.html")]
struct EnterPage<'a> {
    user_code: &'a str,
    refusal: Option<Refusal<'a>>,
}

struct Refusal<'a> {
    explanation: &'a str,
    code: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "routes/login/device_review.html")]
struct ReviewPage<'a> {
    waiting: &'a Waiting<'a>,
    choices: Vec<Choice<'a>>,
}

#[derive(Template)]
#[template(path = "routes/login/device_ask.html")]
struct AskPage<'a> {
    waiting: &'a Waiting<'a>,
    person: Person<'a>,
    question: String,
}

#[derive(Template)]
#[template(path = "routes/login/device_done.html")]
struct DonePage<'a> {
    heading: &'a str,
    explanation: String,
}

/// What waits, in words by which somebody can tell whether it is theirs.
pub(in crate::routes) struct Waiting<'a> {
    app: &'a str,
    device: Option<&'a str>,
    begun: String,
    address: Option<String>,
}

impl<'a> Waiting<'a> {
    pub(in crate::routes) fn of(
        app: &App,
        authorization: &'a DeviceAuthorization,
        login: &'a AppLogin,
    ) -> Self {
        let age = app.clock.now().duration_since(authorization.created_at);
        Self {
            app: login.app_name(),
            device: authorization.device.as_deref(),
            begun: ago(age.as_secs() / 60),
            address: authorization.source_ip.map(|address| address.to_canonical().to_string()),
        }
    }
}

/// Who signed in, and where.
pub(super) struct Person<'a> {
    pub(super) provider: &'a str,
    pub(super) user: &'a DisplayUser,
}

/// Where the code is typed, perhaps once more. What is there already is sent by the person alone.
pub(in crate::routes) fn enter(user_code: &str, error: Option<&ApiError>, id: &RequestId) -> Response {
    let refusal = error.map(|error| Refusal {
        explanation: explanation(error),
        code: error.code(),
        request_id: id.as_str(),
    });
    let page = render(&EnterPage { user_code, refusal });
    with_form(match error {
        Some(error) => error.answer_with_page(page, id),
        None => Html(page).into_response(),
    })
}

/// What the code is about, with a button for each provider.
pub(in crate::routes) fn review(app: &App, waiting: &Waiting<'_>, login: &AppLogin) -> Response {
    let providers = app.broker.providers.all();
    let choices = choices(app, login, providers.values());
    with_policy(Html(render(&ReviewPage { waiting, choices })).into_response(), "'none'")
}

/// Whether the device may have the login.
pub(super) fn ask(waiting: &Waiting<'_>, person: Person<'_>, question: String) -> Response {
    with_form(Html(render(&AskPage { waiting, person, question })).into_response())
}

/// What came of it.
pub(in crate::routes) fn done(app: &str, verdict: Verdict) -> Response {
    let (heading, explanation) = match verdict {
        Verdict::Allow => (
            "Go back to your device",
            format!("{app} signs you in there within a few seconds. You can close this page."),
        ),
        Verdict::Deny => (
            "Nothing was allowed",
            format!("{app} learns nothing about you, and the code is used up. You can close this page."),
        ),
    };
    with_policy(Html(render(&DonePage { heading, explanation })).into_response(), "'none'")
}

/// What a person can do about it.
fn explanation(error: &ApiError) -> &str {
    match error.meaning() {
        Meaning::Mistake
        | Meaning::NotBelieved
        | Meaning::Cancelled
        | Meaning::NotShared
        | Meaning::NotAllowed
        | Meaning::TooManyAtOnce => error.message(),
        Meaning::OfOAuth(_) => "This app does not sign people in on devices any more.",
        Meaning::Unavailable | Meaning::Broken => {
            "Too much is going on here at the moment. Try again in a minute."
        }
    }
}

fn ago(minutes: i64) -> String {
    match minutes {
        ..1 => "less than a minute ago".to_owned(),
        1 => "a minute ago".to_owned(),
        _ => format!("{minutes} minutes ago"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_while_is_told_in_minutes() {
        for (minutes, expected) in [
            (-1, "less than a minute ago"),
            (0, "less than a minute ago"),
            (1, "a minute ago"),
            (9, "9 minutes ago"),
        ] {
            assert_eq!(ago(minutes), expected);
        }
    }
}
