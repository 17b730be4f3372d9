//! The cookies of logins under way. Each login has one of its own, named after its `state`, so that several tabs do
//! not disturb each other.

use axum::http::{HeaderMap, HeaderValue, header};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::broker::hosted_login::{LIFETIME, Started};
use daypass_core::ground::seal::Sealed;

/// As many logins are under way in one browser. A page that starts more makes the oldest end, and does not fill the
/// browser's requests until no server takes them.
const MAX_UNDER_WAY: usize = 5;

/// Of a state, this much stands in the name of its cookie. The seal holds the cookie to the whole.
const NAMED: usize = 16;

const NAME: &str = "daypass-login-";

/// What the name ends with if the answer comes as a form. A browser sends names alone, and a cookie has to be ended as
/// it was set. No state holds the dot.
const BY_FORM: &str = ".form";

/// How cookies are named and set here.
pub(super) struct LoginCookies {
    /// `__Host-` ties a cookie to this very host and to HTTPS, so that neither a neighbouring domain nor a wire can
    /// plant one (RFC 6265bis section 4.1.3.2). Browsers differ about it on a development server without TLS.
    secure: bool,
}

impl LoginCookies {
    pub(super) fn of(public_url: &str) -> Self {
        let host = public_url.strip_prefix("http://").unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self { secure: !["127.0.0.1", "localhost", "[::1]"].contains(&host) }
    }

    /// The cookies to set when a login starts: its own, and the end of those that are too many.
    pub(super) fn keep(&self, headers: &HeaderMap, started: &Started, by_form: bool) -> Vec<HeaderValue> {
        let names: Vec<String> = cookies(headers)
            .map(|(name, _)| name.to_owned())
            .filter(|name| name.starts_with(&self.prefix()))
            .collect();
        // Browsers send the oldest first (RFC 6265 section 5.4).
        let too_many = (names.len() + 1).saturating_sub(MAX_UNDER_WAY);
        let value = BASE64_URL_SAFE_NO_PAD.encode(&started.sealed.0);
        let own = self.cookie(&self.name(&started.state, by_form), &value, LIFETIME.as_secs());
        names.iter().take(too_many).map(|name| self.cookie(name, "", 0)).chain([own]).collect()
    }

    /// Ends the cookie of a login that came back, by a cookie of the same kind: one that is less secure does not
    /// replace it (RFC 6265bis section 5.7).
    pub(super) fn forget(&self, state: &str, by_form: bool) -> HeaderValue {
        self.cookie(&self.name(state, by_form), "", 0)
    }

    /// What the browser kept for a login. Two cookies of one name are none: one of them is somebody else's.
    pub(super) fn find(&self, headers: &HeaderMap, state: &str, by_form: bool) -> Option<Sealed> {
        let name = self.name(state, by_form);
        let mut found = cookies(headers).filter(|(known, _)| *known == name).map(|(_, value)| value);
        let value = found.next().filter(|_| found.next().is_none())?;
        BASE64_URL_SAFE_NO_PAD.decode(value).ok().map(Sealed)
    }

    fn prefix(&self) -> String {
        format!("{}{NAME}", if self.secure { "__Host-" } else { "" })
    }

    fn name(&self, state: &str, by_form: bool) -> String {
        let end = if by_form { BY_FORM } else { "" };
        format!("{}{}{end}", self.prefix(), state.get(..NAMED).unwrap_or_default())
    }

    /// An answer that comes as a form from the provider's page is another site's request: only `SameSite=None` comes
    /// along with it, and browsers take that from `Secure` cookies only.
    fn cookie(&self, name: &str, value: &str, max_age: i64) -> HeaderValue {
        let by_form = name.ends_with(BY_FORM);
        let same_site = if by_form { "None" } else { "Lax" };
        let secure = if self.secure || by_form { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
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
        let headers = headers(&format!("other=1; {}", under_way.join("; ")));
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
