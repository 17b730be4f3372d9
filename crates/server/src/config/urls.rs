//! The addresses of a configuration, read as a browser reads them. Each is compared letter by letter later on, so that
//! one which no browser would ever send is a mistake, and so is one that stands for more than itself.

use url::{Host, Url};

use crate::provider_http::{AllowedHost, is_near};

/// What is wrong with an address, as its cure.
type Checked = Result<(), &'static str>;

/// The issuer of our tokens, before which paths and queries of ours are written.
pub(super) fn check_public_url(value: &str) -> Checked {
    let url = read(value)?;
    if url.query().is_some() {
        return Err("must have no query: paths are written behind it");
    }
    if value.ends_with('/') {
        return Err("must not end with a slash");
    }
    Ok(())
}

/// The login page's cookies live only where the browser believes the address, and codes travel to it.
pub(super) fn check_transport_of_logins(public_url: &str) -> Checked {
    let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
    if public_url.starts_with("https://") || local.iter().any(|local| public_url.starts_with(local)) {
        return Ok(());
    }
    Err(
        "people sign in there, so it must start with https:// (let a proxy or a load balancer end TLS in front of Daypass)",
    )
}

/// An origin that may call us: what a browser writes into `Origin`.
pub(super) fn check_origin(value: &str, public_url: &str) -> Checked {
    if is_web_view(value) {
        return Ok(());
    }
    let url = read(value)?;
    if url.origin().ascii_serialization() != value {
        return Err("must be scheme, host and port only, as a browser writes them");
    }
    check_transport(&url, public_url)
}

/// Whether these are the pages that an app carries with it and shows in a web view of its own: they are at `localhost` under
/// a scheme that no browser has, as Capacitor's on iOS, `capacitor://localhost`.
fn is_web_view(value: &str) -> bool {
    let Some(scheme) = value.strip_suffix("://localhost") else { return false };
    let ours = |url: Url| url.scheme() == scheme && scheme != "file" && !url.origin().is_tuple();
    Url::parse(value).is_ok_and(ours)
}

/// An address that a login returns to: of a page, or of an app under a scheme of its own.
pub(super) fn check_redirect_uri(value: &str, public_url: &str) -> Checked {
    if let Some((scheme, _)) = value.split_once(':').filter(|(scheme, _)| is_private_use(scheme)) {
        return check_plain(value).and_then(|()| check_app_path(&value[scheme.len()..]));
    }
    read(value).and_then(|url| check_transport(&url, public_url)).map_err(|cure| match cure {
        NO_PAGE => NO_PAGE_AND_NO_APP,
        cure => cure,
    })
}

/// A scheme that an app registers with the system is a domain of its makers, reversed (RFC 8252 section 7.1): without
/// a dot it could be anybody's, or one that means something to browsers, as `javascript` does.
fn is_private_use(scheme: &str) -> bool {
    let label = |label: &str| {
        let tail = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !label.is_empty() && label.chars().all(tail)
    };
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.contains('.')
        && scheme.split('.').all(label)
}

/// What comes behind a scheme of an app. Whatever else browsers read into it, no system hands it to anybody but the app.
fn check_app_path(rest: &str) -> Checked {
    if rest.starts_with(":/") {
        Ok(())
    } else {
        Err("must go on with a slash, as com.example.app:/signed-in does")
    }
}

/// Where something of somebody else's is asked, by plain HTTP too.
pub(super) fn check_endpoint(value: &str) -> Checked {
    read(value).map(drop)
}

/// Where something of ours is sent that is nobody else's to read, without TLS only to this machine and to hosts that the operator
/// calls private. No cure repeats the address, which may be the secret of whoever gets it.
pub(super) fn check_receiver(value: &str, private: &[AllowedHost]) -> Checked {
    let url = read(value)?;
    if url.scheme() == "https" || url.host_str().is_some_and(|host| is_near(host, private)) {
        return Ok(());
    }
    Err("must start with https://, or name a host on loopback or in allow_private of [network]")
}

/// The same over TCP (`tcp://`) or TLS (`tls://`): a host, and a port.
pub(super) fn check_stream(value: &str, private: &[AllowedHost]) -> Checked {
    check_plain(value)?;
    let url = Url::parse(value).map_err(|_| NO_STREAM)?;
    let (Some(host), Some(_)) = (url.host_str(), url.port()) else { return Err(NO_STREAM) };
    if host.is_empty() || !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(NO_STREAM);
    }
    match url.scheme() {
        "tls" => Ok(()),
        "tcp" if is_near(host, private) => Ok(()),
        "tcp" => Err("must start with tls://, or name a host on loopback or in allow_private of [network]"),
        _ => Err(NO_STREAM),
    }
}

/// The host of an address, if it is this machine.
pub(super) fn host_here(value: &str) -> Option<AllowedHost> {
    let url = Url::parse(value).ok()?;
    let host = url.host_str().filter(|host| is_near(host, &[]))?;
    AllowedHost::try_from(host.trim_matches(['[', ']']).to_owned()).ok()
}

/// What is wrong with any address that is compared as a text.
fn check_plain(value: &str) -> Checked {
    // A parser would pass over these.
    if value.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("must have no spaces, line breaks or backslashes");
    }
    if value.contains('@') {
        return Err("must name no user");
    }
    if value.contains('#') {
        return Err("must have no fragment");
    }
    if value.contains('*') {
        return Err("is compared letter by letter: name each address, nothing stands for several");
    }
    Ok(())
}

const NO_STREAM: &str = "must be tls:// or tcp://, a host and a port, such as tls://siem.example.com:6514";
const NO_PAGE: &str = "must start with https:// or http://, and name a host";
const NO_PAGE_AND_NO_APP: &str = "must start with https:// or http:// and name a host, or with your app's own scheme, a \
                                  domain of yours reversed, as com.example.app:/signed-in";

fn read(value: &str) -> Result<Url, &'static str> {
    check_plain(value)?;
    let Ok(url) = Url::parse(value) else { return Err(NO_PAGE) };
    let has_slashes = value[url.scheme().len()..].starts_with("://");
    if !matches!(url.scheme(), "https" | "http") || !has_slashes || url.host_str().is_none_or(str::is_empty) {
        return Err(NO_PAGE);
    }
    Ok(url)
}

/// What travels in the clear can be read and changed on its way, codes too. An installation that only this machine can
/// reach is somebody's development.
fn check_transport(url: &Url, public_url: &str) -> Checked {
    if url.scheme() == "https" || is_here(url) || is_loopback(public_url) {
        return Ok(());
    }
    Err("must start with https://: plain http:// is for addresses of this machine")
}

/// Whether browsers may take two addresses for one site (HTML, "schemefully same site"), as far as names show: only the list of
/// public suffixes tells that two names under `github.io` are not.
pub(super) fn may_be_same_site(one: &str, other: &str) -> bool {
    let (Ok(one), Ok(other)) = (Url::parse(one), Url::parse(other)) else { return false };
    let same_host = one.host() == other.host();
    one.scheme() == other.scheme()
        && (same_host || domain_of(&one).is_some_and(|it| domain_of(&other) == Some(it)))
}

/// The last two labels of a name: no site has fewer.
fn domain_of(url: &Url) -> Option<&str> {
    let name = url.domain()?;
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    dots.next()?;
    Some(dots.next().map_or(name, |at| &name[at + 1..]))
}

/// The origin of an address, as a browser writes it.
pub(crate) fn origin_of(url: &str) -> String {
    Url::parse(url).map(|url| url.origin().ascii_serialization()).unwrap_or_default()
}

/// Whether an address is one of the machine that somebody reads it on.
pub(crate) fn is_loopback(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| is_here(&url))
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_scheme_and_a_domain() {
        for (one, other) in [
            ("https://app.example.com", "https://login.example.com"),
            ("https://example.com", "https://login.example.com:8443"),
            ("http://localhost:3000", "http://localhost:9400"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:9400"),
            ("https://intranet", "https://intranet"),
        ] {
            assert!(may_be_same_site(one, other) && may_be_same_site(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("https://app.example.com", "https://login.example.net"),
            ("http://login.example.com", "https://login.example.com"),
            ("http://localhost:3000", "http://127.0.0.1:3000"),
            ("http://127.0.0.1:3000", "http://127.0.0.2:3000"),
            ("http://a.localhost:3000", "http://b.localhost:3000"),
            ("http://a.localhost:3000", "http://localhost:3000"),
            ("https://com", "https://example.com"),
            ("https://notexample.com", "https://example.com"),
        ] {
            assert!(!may_be_same_site(one, other) && !may_be_same_site(other, one), "{one} {other}");
        }
    }

    const PUBLIC: &str = "https://login.example.com";

    fn cure(checked: Checked) -> &'static str {
        checked.err().unwrap_or_default()
    }

    #[test]
    fn an_origin_is_what_a_browser_writes() {
        for good in [
            "https://app.example.com",
            "https://app.example.com:8443",
            "http://localhost:5173",
            "http://[::1]",
            "capacitor://localhost",
            "tauri://localhost",
        ] {
            assert_eq!(cure(check_origin(good, PUBLIC)), "", "{good}");
        }
        for (bad, expected) in [
            ("https://app.example.com/", "scheme, host and port only"),
            ("https://app.example.com/page", "scheme, host and port only"),
            ("https://app.example.com?x", "scheme, host and port only"),
            ("https://app.example.com:443", "scheme, host and port only"),
            ("https://App.example.com", "scheme, host and port only"),
            ("https://*.example.com", "letter by letter"),
            ("*", "letter by letter"),
            ("null", "must start with"),
            ("", "must start with"),
            ("https:app.example.com", "must start with"),
            ("app://example", "must start with"),
            ("Capacitor://localhost", "must start with"),
            ("capacitor://localhost/", "must start with"),
            ("capacitor://localhost.example.com", "must start with"),
            ("file://localhost", "must start with"),
            ("ws://localhost", "must start with"),
            ("://localhost", "must start with"),
            ("https://user@app.example.com", "no user"),
            ("https://app.example.com\n", "line breaks"),
            ("http://app.example.com", "must start with https://"),
            ("http://127.0.0.1.example.com", "must start with https://"),
            ("http://localhost.example.com", "must start with https://"),
        ] {
            let cure = cure(check_origin(bad, PUBLIC));
            assert!(cure.contains(expected), "{bad:?}: {cure:?}");
        }
    }

    #[test]
    fn a_redirect_uri_is_one_address_and_travels_over_tls() {
        for good in [
            "https://app.example.com/in?page=1",
            "http://127.0.0.1:8080/in",
            "http://127.0.0.1/in",
            "http://app.localhost/in",
            "com.example.app:/oauth2redirect",
            "com.example.app://oauth2redirect?a=b",
            "com.googleusercontent.apps.123-abc:/oauth2redirect",
        ] {
            assert_eq!(cure(check_redirect_uri(good, PUBLIC)), "", "{good}");
        }
        for (bad, expected) in [
            ("https://app.example.com/in#there", "fragment"),
            ("https://app.example.com/*", "letter by letter"),
            ("https://app.example.com@evil.example/in", "no user"),
            ("https://app.example.com/in\r\nX: y", "line breaks"),
            ("https://app.example.com\\@evil.example", "backslashes"),
            ("javascript:alert(1)", "must start with"),
            ("data:text/html,x", "as com.example.app:/signed-in"),
            ("myapp://signed-in", "as com.example.app:/signed-in"),
            ("Com.Example.App:/signed-in", "must start with"),
            (".example.app:/signed-in", "must start with"),
            ("com..app:/signed-in", "must start with"),
            ("1.example.app:/signed-in", "must start with"),
            ("com.example.app:signed-in", "go on with a slash"),
            ("app.example.com:8443/in", "go on with a slash"),
            ("com.example.app:/signed-in#x", "fragment"),
            ("com.example.app:/*", "letter by letter"),
            ("com.example.app://user@host", "no user"),
            ("com.example.app:/a b", "no spaces"),
            ("", "must start with"),
            ("http://app.example.com/in", "must start with https://"),
        ] {
            let cure = cure(check_redirect_uri(bad, PUBLIC));
            assert!(cure.contains(expected), "{bad:?}: {cure:?}");
        }
        let in_development = check_redirect_uri("http://app.test:3000/in", "http://127.0.0.1:9400");
        assert_eq!(cure(in_development), "");
    }

    #[test]
    fn a_public_url_is_what_paths_are_written_behind() {
        for good in [PUBLIC, "https://example.com/login", "http://daypass:9400"] {
            assert_eq!(cure(check_public_url(good)), "", "{good}");
        }
        for (bad, expected) in [
            ("https://login.example.com/", "slash"),
            ("https://login.example.com?x=y", "no query"),
            ("https://login.example.com#x", "fragment"),
            ("https://admin:pw@login.example.com", "no user"),
            ("login.example.com", "must start with"),
        ] {
            let cure = cure(check_public_url(bad));
            assert!(cure.contains(expected), "{bad:?}: {cure:?}");
        }
    }

    #[test]
    fn people_sign_in_over_tls() {
        for good in ["https://login.example.com", "http://127.0.0.1:9400", "http://localhost:80"] {
            assert!(check_transport_of_logins(good).is_ok(), "{good}");
        }
        for bad in
            ["http://login.example.com", "http://127.0.0.1.evil.example", "http://localhost.evil.example:1"]
        {
            assert!(check_transport_of_logins(bad).is_err(), "{bad}");
        }
    }
}
