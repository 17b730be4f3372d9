//! Cookies of ours: how they are named, set and found.

use axum::http::{HeaderMap, HeaderValue, header};

/// How an installation names and sets its cookies.
pub(super) struct Cookies {
    /// `__Host-` ties a cookie to this very host and to HTTPS, so that neither a neighbouring domain nor a wire can
    /// plant one (RFC 6265bis section 4.1.3.2). Browsers differ about it on a development server without TLS.
    secure: bool,
}

/// Which requests a browser sends a cookie along with (RFC 6265bis section 5.6.7).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SameSite {
    /// Those of its own site's pages.
    Strict,
    /// Also a visit from elsewhere.
    Lax,
    /// All. Browsers take that from `Secure` cookies only.
    None,
}

impl Cookies {
    pub(super) fn of(public_url: &str) -> Self {
        let host = public_url.strip_prefix("http://").unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        Self { secure: !["127.0.0.1", "localhost", "[::1]"].contains(&host) }
    }

    /// The whole name of a cookie.
    pub(super) fn name(&self, name: &str) -> String {
        format!("{}{name}", if self.secure { "__Host-" } else { "" })
    }

    /// Sets a cookie of this whole name for as many seconds; with none it ends. One that is less secure does not replace it
    /// (RFC 6265bis section 5.7).
    pub(super) fn set(&self, name: &str, value: &str, max_age: i64, same_site: SameSite) -> HeaderValue {
        let secure = if self.secure || same_site == SameSite::None { "; Secure" } else { "" };
        let same_site = match same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        };
        let text =
            format!("{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite={same_site}{secure}");
        HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
    }
}

/// The cookies of a request, by name and value.
pub(super) fn all(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='))
}

/// The value of a cookie of this whole name. Two of one name are none: one of them is somebody else's.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = all(headers).filter(|(known, _)| *known == name).map(|(_, value)| value);
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_held_to_its_host_except_on_a_development_server() {
        for (public_url, name, end) in [
            ("https://login.example.com", "__Host-daypass-session-web", "; Secure"),
            ("http://login.example.com", "__Host-daypass-session-web", "; Secure"),
            ("http://localhost.example.com:9400", "__Host-daypass-session-web", "; Secure"),
            ("http://127.0.0.1:9400", "daypass-session-web", ""),
            ("http://localhost", "daypass-session-web", ""),
        ] {
            let cookies = Cookies::of(public_url);
            assert_eq!(cookies.name("daypass-session-web"), name, "{public_url}");
            let set = cookies.set(name, "x", 60, SameSite::Strict);
            let expected = format!("{name}=x; Path=/; Max-Age=60; HttpOnly; SameSite=Strict{end}");
            assert_eq!(set, *expected, "{public_url}");
        }
    }

    #[test]
    fn of_two_cookies_of_one_name_neither_counts() {
        let headers =
            |text: &str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(text).unwrap())]);
        assert_eq!(find(&headers("a=1; b=2=3"), "b"), Some("2=3"));
        assert_eq!(find(&headers("a=1; b=2; a=1"), "a"), None);
        assert_eq!(find(&headers("aa=1"), "a"), None);
    }
}
