//! Where the answer to an authorization request goes, and how it is written there: in the query for a
//! code, in the fragment for a token, which no server and no log is meant to see (RFC 6749 4.1.2 and
//! 4.2.2).

use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::oauth_error::OAuthError;

/// Everything outside RFC 3986's unreserved characters is escaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The part of the address that carries the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Query,
    Fragment,
}

/// A registered redirect URI, with what the app wants to hear again.
#[derive(Debug)]
pub(super) struct ReturnAddress {
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) part: Part,
}

impl ReturnAddress {
    /// Sends the browser back to the app. 303, so that a posted form becomes a GET.
    pub(super) fn redirect(&self, answer: &[(&str, &str)]) -> Response {
        Redirect::to(&self.address(answer)).into_response()
    }

    pub(super) fn refuse(&self, error: &OAuthError) -> Response {
        self.redirect(&[("error", error.code), ("error_description", error.description)])
    }

    fn address(&self, answer: &[(&str, &str)]) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs: Vec<String> = answer
            .iter()
            .copied()
            .chain(state)
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)))
            .collect();
        format!("{}{}{}", self.redirect_uri, self.separator(), pairs.join("&"))
    }

    fn separator(&self) -> char {
        match self.part {
            Part::Fragment => '#',
            Part::Query if self.redirect_uri.contains('?') => '&',
            Part::Query => '?',
        }
    }

    /// Where a content security policy has to let a form lead: to any web page, because an app may send the browser
    /// on to another origin at once, as a broker does; or to an app on a phone, by its scheme.
    pub(super) fn csp_source(&self) -> &str {
        let uri = self.redirect_uri.as_str();
        if uri.starts_with("http://") || uri.starts_with("https://") {
            return "http: https:";
        }
        uri.split_inclusive(':').next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(redirect_uri: &str, part: Part) -> ReturnAddress {
        ReturnAddress { redirect_uri: redirect_uri.to_owned(), state: Some("a b&c=d".to_owned()), part }
    }

    #[test]
    fn the_answer_is_added_to_the_query_or_to_the_fragment() {
        for (uri, part, expected) in [
            ("http://a.example/", Part::Query, "http://a.example/?code=1&state=a%20b%26c%3Dd"),
            ("http://a.example/?x=1", Part::Query, "http://a.example/?x=1&code=1&state=a%20b%26c%3Dd"),
            ("http://a.example/?x=1", Part::Fragment, "http://a.example/?x=1#code=1&state=a%20b%26c%3Dd"),
        ] {
            assert_eq!(to(uri, part).address(&[("code", "1")]), expected);
        }
    }

    #[test]
    fn a_content_security_policy_names_the_web_or_the_scheme_of_an_app() {
        for (uri, expected) in [
            ("http://127.0.0.1:9400/", "http: https:"),
            ("https://a.example?x=/", "http: https:"),
            ("my-app:signed-in", "my-app:"),
            ("my-app://signed-in/", "my-app:"),
        ] {
            assert_eq!(to(uri, Part::Query).csp_source(), expected);
        }
    }
}
