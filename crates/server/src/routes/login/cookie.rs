//! The cookies of logins under way. Each login has one of its own, named after its `state`, so that several tabs do
//! not disturb each other.

use axum::http::{HeaderMap, HeaderValue};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::broker::hosted_login::{LIFETIME, Started};
use daypass_core::ground::seal::Sealed;

use super::super::cookies::{self, Cookies, SameSite};

/// As many logins are under way in one browser. A page that starts more makes the oldest end, and does not fill the
/// browser's requests until no server takes them.
const MAX_UNDER_WAY: usize = 5;

/// Of a state, this much stands in the name of its cookie. The seal holds the cookie to the whole.
const NAMED: usize = 16;

const NAME: &str = "daypass-login-";

/// What the name ends with if the answer comes as a form. A browser sends names alone, and a cookie has to be ended as
/// it was set. No state holds the dot.
const BY_FORM: &str = ".form";

/// The cookies of logins under way at an installation.
pub(super) struct LoginCookies(Cookies);

impl LoginCookies {
    pub(super) fn of(public_url: &str) -> Self {
        Self(Cookies::of(public_url))
    }

    /// The cookies to set when a login starts: its own, and the end of those that are too many.
    pub(super) fn keep(&self, headers: &HeaderMap, started: &Started, by_form: bool) -> Vec<HeaderValue> {
        let prefix = self.0.name(NAME);
        let names: Vec<&str> =
            cookies::all(headers).map(|(name, _)| name).filter(|name| name.starts_with(&prefix)).collect();
        // Browsers send the oldest first (RFC 6265 section 5.4).
        let too_many = (names.len() + 1).saturating_sub(MAX_UNDER_WAY);
        let value = BASE64_URL_SAFE_NO_PAD.encode(&started.sealed.0);
        let own = self.cookie(&self.name(&started.state, by_form), &value, LIFETIME.as_secs());
        names.iter().take(too_many).map(|name| self.cookie(name, "", 0)).chain([own]).collect()
    }

    /// Ends the cookie of a login that came back.
    pub(super) fn forget(&self, state: &str, by_form: bool) -> HeaderValue {
        self.cookie(&self.name(state, by_form), "", 0)
    }

    /// What the browser kept for a login.
    pub(super) fn find(&self, headers: &HeaderMap, state: &str, by_form: bool) -> Option<Sealed> {
        let value = cookies::find(headers, &self.name(state, by_form))?;
        BASE64_URL_SAFE_NO_PAD.decode(value).ok().map(Sealed)
    }

    fn name(&self, state: &str, by_form: bool) -> String {
        let end = if by_form { BY_FORM } else { "" };
        format!("{}{}{end}", self.0.name(NAME), state.get(..NAMED).unwrap_or_default())
    }

    /// An answer that comes as a form from the provider's page is another site's request.
    fn cookie(&self, name: &str, value: &str, max_age: i64) -> HeaderValue {
        let same_site = if name.ends_with(BY_FORM) { SameSite::None } else { SameSite::Lax };
        self.0.set(name, value, max_age, same_site)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    const STATE: &str = "0123456789abcdef0123456789abcdef0123456789a";

    fn started() -> Started {
        Started { location: String::new(), state: STATE.into(), sealed: Sealed(vec![1, 2, 3]) }
    }

    fn headers(cookie: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(cookie).unwrap())])
    }

    #[test]
    fn a_cookie_is_held_to_its_host_except_on_a_development_server() {
        let end = "Path=/; Max-Age=600; HttpOnly; SameSite=Lax";
        for (public_url, expected) in [
            (
                "https://login.example.com",
                format!("__Host-daypass-login-0123456789abcdef=AQID; {end}; Secure"),
            ),
            (
                "http://login.example.com",
                format!("__Host-daypass-login-0123456789abcdef=AQID; {end}; Secure"),
            ),
            (
                "http://127.0.0.1.example.com",
                format!("__Host-daypass-login-0123456789abcdef=AQID; {end}; Secure"),
            ),
            ("http://127.0.0.1:9400", format!("daypass-login-0123456789abcdef=AQID; {end}")),
            ("http://localhost", format!("daypass-login-0123456789abcdef=AQID; {end}")),
        ] {
            let kept = LoginCookies::of(public_url).keep(&HeaderMap::new(), &started(), false);
            assert_eq!(kept, [expected.as_str()], "{public_url}");
        }
    }

    #[test]
    fn the_cookie_of_a_form_post_comes_along_from_another_site() {
        let kept = LoginCookies::of("http://127.0.0.1:1").keep(&HeaderMap::new(), &started(), true);
        assert!(kept[0].to_str().unwrap().ends_with("SameSite=None; Secure"), "{kept:?}");
        let ended = LoginCookies::of("http://127.0.0.1:1").forget(STATE, true);
        assert!(ended.to_str().unwrap().ends_with("Max-Age=0; HttpOnly; SameSite=None; Secure"), "{ended:?}");
    }

    #[test]
    fn too_many_logins_end_the_oldest() {
        let mut under_way: Vec<String> = (0..7).map(|number| format!("daypass-login-{number}=x")).collect();
        under_way.insert(1, "daypass-login-by.form=x".into());
        let headers = headers(&format!("other=1; daypass-session-login-1=x; {}", under_way.join("; ")));
        let kept = LoginCookies::of("http://localhost:1").keep(&headers, &started(), false);
        let ended: Vec<&str> = kept[..kept.len() - 1].iter().map(|c| c.to_str().unwrap()).collect();
        let lax = |number| format!("daypass-login-{number}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
        let of_form = "daypass-login-by.form=; Path=/; Max-Age=0; HttpOnly; SameSite=None; Secure".to_owned();
        assert_eq!(ended, [lax(0), of_form, lax(1), lax(2)]);
    }

    #[test]
    fn a_cookie_is_found_by_its_state_and_of_two_none() {
        let cookies = LoginCookies::of("http://localhost:1");
        let found = |text: &str| cookies.find(&headers(text), STATE, false);
        assert_eq!(found("a=1; daypass-login-0123456789abcdef=AQID"), Some(Sealed(vec![1, 2, 3])));
        assert_eq!(found("daypass-login-0123456789abcdeg=AQID"), None);
        assert_eq!(found("daypass-login-0123456789abcdef=AQID; daypass-login-0123456789abcdef=AQIE"), None);
        assert_eq!(found("daypass-login-0123456789abcdef=%%%"), None);
        let of_form = headers("daypass-login-0123456789abcdef.form=AQID");
        assert_eq!(cookies.find(&of_form, STATE, true), Some(Sealed(vec![1, 2, 3])));
        assert_eq!(cookies.find(&of_form, STATE, false), None);
    }
}
