//! `[[audit.export]]`: who gets the events of the audit trail.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::secret::Secret;
use serde::Deserialize;

use super::mistakes::{ConfigError, Mistake};
use super::reading::Reading;
use super::steps::step;
use super::{secret, urls};
use crate::provider_http::AllowedHost;
use crate::secrets::{Placed, SecretReference, Secrets};

/// An exporter.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportConfig {
    /// What the operator calls it. Its position is kept under this name.
    pub name: ExporterName,
    to: Kind,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, SecretReference>,
    secret: Option<SecretReference>,
    /// Where it begins.
    #[serde(default)]
    pub from: Beginning,
}

/// How it delivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Otlp,
    Webhook,
    Syslog,
}

/// Where an exporter begins that never has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Beginning {
    /// With what is decided from then on.
    #[default]
    Newest,
    /// With the oldest event that is left.
    Beginning,
}

/// The name of an exporter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct ExporterName(String);

/// A receiver, its secrets read.
pub enum ReceiverConfig {
    /// A collector of OpenTelemetry.
    Otlp {
        /// Where it takes logs.
        url: Uri,
        /// What it lets us in by.
        headers: HeaderMap,
    },
    /// A receiver of webhooks.
    Webhook {
        /// Where it takes them.
        url: Uri,
        /// What signs them.
        key: Box<hmac::Key>,
    },
    /// A receiver of syslog.
    Syslog {
        /// Its name or its address.
        host: String,
        /// Its port.
        port: u16,
        /// Whether it speaks TLS.
        with_tls: bool,
    },
}

const NOT_KEPT: &str = "exports what is kept in files, and here the events go to the log: export them from there, or write to = \
                        \"files\"";
const TWICE: &str = "stands there twice; each exporter needs a name of its own";
const OF_WEBHOOKS: &str = "goes with to = \"webhook\": leave it out";
const OF_OTLP: &str = "goes with to = \"otlp\": leave it out";
const NO_ASCII: &str = "must be written in ASCII: percent-encoded, and a name of other letters as xn--…";
const NO_SECRET: &str = "missing: it signs webhooks; write `secret = { file = \"…\" }`, and into that file whsec_ and what \
                         `openssl rand -base64 32` prints";
const NO_SIGNING_SECRET: &str = "this is not whsec_ and 24 to 64 bytes in base64";
const NO_HEADER: &str = "this is no value of a header";

/// Headers that say what a request is, which nobody else decides.
const OURS: [&str; 6] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "transfer-encoding"];

impl ExporterName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExporterName {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
        if (1..=64).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err("must have 1 to 64 lowercase letters, digits, `.`, `_` or `-`")
        }
    }
}

impl ExportConfig {
    /// Every secret that it refers to, and where.
    pub(super) fn placed_secrets(&self) -> impl Iterator<Item = Placed<'_>> {
        let headers = self.headers.iter().map(|(name, reference)| (format!("headers.{name}"), reference));
        let secret = self.secret.iter().map(|reference| ("secret".to_owned(), reference));
        headers.chain(secret).map(|(key, reference)| Placed { key: self.place_of(&key), reference })
    }

    fn start_from(&mut self, base: &Path) {
        for reference in self.headers.values_mut().chain(&mut self.secret) {
            reference.start_from(base);
        }
    }

    /// Whether whoever is on the way to the receiver can read what it gets.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        ["http:", "tcp:"].iter().any(|scheme| self.url.starts_with(scheme)) && self.host_here().is_none()
    }

    /// The host of the receiver, if it may have a private address though nobody else may: this machine.
    pub(crate) fn host_here(&self) -> Option<AllowedHost> {
        urls::host_here(&self.url)
    }

    /// The receiver.
    ///
    /// # Errors
    /// [`ConfigError`], if a secret cannot be had, or is not what it has to be.
    pub fn receiver(&self, secrets: &Secrets) -> Result<ReceiverConfig, ConfigError> {
        let no_url = || Mistake::elsewhere(format!("{}: is no address", self.place_of("url")));
        let url: Uri = self.url.parse().map_err(|_| no_url())?;
        Ok(match self.to {
            Kind::Otlp => ReceiverConfig::Otlp { url, headers: self.headers(secrets)? },
            Kind::Webhook => ReceiverConfig::Webhook { url, key: self.read_key(secrets)? },
            Kind::Syslog => {
                let host = url.host().ok_or_else(no_url)?.trim_matches(['[', ']']).to_owned();
                let port = url.port_u16().ok_or_else(no_url)?;
                ReceiverConfig::Syslog { host, port, with_tls: url.scheme_str() == Some("tls") }
            }
        })
    }

    fn read_key(&self, secrets: &Secrets) -> Result<Box<hmac::Key>, ConfigError> {
        let key = self.place_of("secret");
        let mistake = |cure| Mistake::elsewhere(format!("{key}: {cure}"));
        let reference = self.secret.as_ref().ok_or_else(|| mistake(NO_SECRET))?;
        let text = secret(reference, &key, secrets)?;
        Ok(Box::new(signing_key(&text).ok_or_else(|| mistake(NO_SIGNING_SECRET))?))
    }

    fn headers(&self, secrets: &Secrets) -> Result<HeaderMap, ConfigError> {
        read_headers(&self.headers, secrets, |name| self.place_of(&format!("headers.{name}")))
    }

    fn place_of(&self, key: &str) -> String {
        format!("[[audit.export]] name = {:?}: {key}", self.name.0)
    }

    /// What is wrong with it: the key, and why.
    fn mistakes(&self, private: &[AllowedHost]) -> Vec<(&'static str, &'static str)> {
        let check = match self.to {
            Kind::Otlp | Kind::Webhook => urls::check_receiver,
            Kind::Syslog => urls::check_stream,
        };
        let readable = || self.url.parse::<Uri>().map(drop).map_err(|_| NO_ASCII);
        let url = check(&self.url, private).and_then(|()| readable()).err().map(|cure| ("url", cure));
        let secret = match (self.to, &self.secret) {
            (Kind::Webhook, None) => Some(("secret", NO_SECRET)),
            (Kind::Otlp | Kind::Syslog, Some(_)) => Some(("secret", OF_WEBHOOKS)),
            (Kind::Webhook, Some(_)) | (Kind::Otlp | Kind::Syslog, None) => None,
        };
        let has_headers = self.to != Kind::Otlp && !self.headers.is_empty();
        let headers = has_headers.then_some(("headers", OF_OTLP));
        url.into_iter().chain(secret).chain(headers).collect()
    }
}

/// Headers that let us in somewhere, each from where its value is.
pub(super) fn read_headers(
    references: &BTreeMap<String, SecretReference>,
    secrets: &Secrets,
    place_of: impl Fn(&str) -> String,
) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, reference) in references {
        let key = place_of(name);
        let text = secret(reference, &key, secrets)?;
        let wrong = || Mistake::elsewhere(format!("{key}: {NO_HEADER}"));
        let name: HeaderName = name.parse().map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(text.expose()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// The key of a secret as receivers of webhooks show it (Standard Webhooks): `whsec_`, and 24 to 64 bytes in base64.
fn signing_key(text: &Secret) -> Option<hmac::Key> {
    let bytes = BASE64_STANDARD.decode(text.expose().strip_prefix("whsec_")?).ok()?;
    (24..=64).contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// Whether a text may be the name of a header of the operator's.
pub(super) fn check_header(name: &str) -> Result<(), &'static str> {
    let Ok(name) = HeaderName::try_from(name) else { return Err("is no name of a header") };
    if OURS.contains(&name.as_str()) { Err("is Daypass's to say: leave it out") } else { Ok(()) }
}

/// Reads exporters beside the rest of the configuration. What they export has to be kept.
pub(super) fn read(
    reading: &mut Reading<'_>,
    exports: &mut [ExportConfig],
    are_kept: bool,
    private: &[AllowedHost],
    base: &Path,
) {
    let at = ["audit", "export"].map(str::to_owned);
    if !are_kept && !exports.is_empty() {
        reading.refuse(&at, NOT_KEPT);
    }
    let mut names = BTreeSet::new();
    for (index, export) in exports.iter_mut().enumerate() {
        let twice = (!names.insert(export.name.clone())).then_some(("name", TWICE));
        for (key, cure) in export.mistakes(private).into_iter().chain(twice) {
            reading.refuse(&step(&step(&at, index), key), cure);
        }
        export.start_from(base);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Config;
    use crate::secrets::Secrets;

    fn told(exports: &str) -> Vec<String> {
        told_with("url = \"sqlite:daypass.db\"", exports)
    }

    /// Every mistake of a configuration with these exporters.
    fn told_with(store: &str, exports: &str) -> Vec<String> {
        let read = Config::parse(&text(store, exports));
        read.err().iter().flat_map(|error| error.iter().map(ToString::to_string)).collect()
    }

    fn text(store: &str, exports: &str) -> String {
        format!(
            "public_url = \"https://login.example.com\"\nmaster_key = {{ env = \"KEY\" }}\n\
             [store]\n{store}\n\
             [pool]\nname = \"a\"\ndeveloper_provider = \"login.example.com\"\nregion = \"us-east-1\"\n\
             account_id = \"000000000000\"\n\
             [network]\nallow_private = [\"collector.internal\"]\n{exports}"
        )
    }

    const OTLP: &str = "[[audit.export]]\nname = \"logs\"\nto = \"otlp\"\nurl = \"https://a.example.com/v1/logs\"\n\
                        headers = { Authorization = { env = \"AUTH\" } }\nfrom = \"beginning\"\n";
    const WEBHOOK: &str = "[[audit.export]]\nname = \"siem\"\nto = \"webhook\"\nurl = \"https://b.example.com/hook\"\n\
                           secret = { file = \"hook\" }\n";

    #[test]
    fn what_an_operator_writes_is_read() {
        assert_eq!(told(&format!("{OTLP}{WEBHOOK}")), [""; 0]);
        for url in [
            "http://127.0.0.1:4318/v1/logs",
            "http://[::1]/",
            "http://localhost/",
            "http://collector.internal/",
        ] {
            assert_eq!(told(&OTLP.replace("https://a.example.com/v1/logs", url)), [""; 0], "{url}");
        }
    }

    #[test]
    fn what_could_have_no_effect_or_a_bad_one_is_refused_with_its_place() {
        for (from, to, expected) in [
            ("https://b", "http://b", "[[audit.export]] name = \"siem\": url: must start with https://"),
            ("https://b.example.com", "https://me:pw@b", "url: must name no user"),
            ("https://b.example.com", "file://", "url: must start with"),
            ("https://b.example.com", "https://bücher.example", "url: must be written in ASCII"),
            ("\"siem\"", "\"Siem\"", "name: must have 1 to 64 lowercase letters"),
            ("\"siem\"", "\"logs\"", "name: stands there twice"),
            ("\"webhook\"", "\"otlp\"", "secret: goes with to = \"webhook\""),
            ("\"webhook\"", "\"smtp\"", "to: must be \"otlp\" or \"webhook\" or \"syslog\""),
            ("secret = { file = \"hook\" }\n", "", "secret: missing"),
            ("secret = { file = \"hook\" }\n", "secret = \"whsec_abc\"\n", "secret: say where the secret is"),
            ("\"otlp\"", "\"webhook\"", "headers: goes with to = \"otlp\""),
            ("{ env = \"AUTH\" }", "\"Bearer hunter2\"", "headers: Authorization: say where the secret is"),
            ("Authorization", "\"no name\"", "headers: \"no name\" is no name of a header"),
            ("Authorization", "Content-Type", "headers: \"Content-Type\" is Daypass's to say"),
            (
                "Authorization = ",
                "X-Tenant = { env = \"A\" }, x-tenant = { env = \"B\" }, Authorization = ",
                "headers: \"x-tenant\" stands there twice",
            ),
            ("\"beginning\"", "\"oldest\"", "from: must be \"newest\" or \"beginning\""),
        ] {
            let exports = format!("{OTLP}{WEBHOOK}");
            assert!(exports.contains(from), "{from}");
            let told = told(&exports.replacen(from, to, 1)).join("\n");
            assert!(told.contains(expected), "{to}: {told:?}");
            assert!(!["hunter2", "whsec_abc", "pw@"].iter().any(|secret| told.contains(secret)), "{told}");
        }
    }

    #[test]
    fn syslog_has_a_host_and_a_port_and_tls_unless_the_host_is_near() {
        let with = |url: &str| {
            told(&format!("[[audit.export]]\nname = \"siem\"\nto = \"syslog\"\nurl = {url:?}\n")).join("\n")
        };
        for url in [
            "tls://siem.example.com:6514",
            "tcp://127.0.0.1:601",
            "tcp://[::1]:601",
            "tcp://collector.internal:601",
        ] {
            assert_eq!(with(url), "", "{url}");
        }
        for (url, expected) in [
            ("tcp://siem.example.com:601", "url: must start with tls://"),
            ("tls://siem.example.com", "url: must be tls:// or tcp://"),
            ("udp://siem.example.com:514", "url: must be tls:// or tcp://"),
            ("https://siem.example.com:6514", "url: must be tls:// or tcp://"),
            ("tls://siem.example.com:6514/path", "url: must be tls:// or tcp://"),
            ("tls://siem.example.com:6514?a=b", "url: must be tls:// or tcp://"),
            ("tls://:6514", "url: must be tls:// or tcp://"),
            ("tls://me@siem.example.com:6514", "url: must name no user"),
        ] {
            let told = with(url);
            assert!(told.contains(expected), "{url}: {told}");
        }
    }

    #[test]
    fn only_what_is_kept_in_files_is_exported() {
        for (store, audit) in
            [("url = \"sqlite:a.db\"", "[audit]\nto = \"log\"\n"), ("url = \"memory:\"", "")]
        {
            let told = told_with(store, &format!("{audit}{WEBHOOK}"));
            assert!(told.iter().any(|told| told.contains("exports what is kept in files")), "{told:?}");
        }
    }

    #[test]
    fn secrets_are_read_from_where_they_are_and_shown_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            format!("{{ file = {:?} }}", path.display().to_string())
        };
        let read = |exports: &str| {
            let config = Config::parse(&text("url = \"sqlite:a.db\"", exports)).unwrap();
            assert_eq!(config.secret_references().count(), 3, "{exports}");
            let read = config.audit.exports.iter().map(|it| it.receiver(&Secrets::default()).map(drop));
            read.collect::<Result<Vec<_>, _>>().map(drop).map_err(|error| error.to_string())
        };
        let with = |secret: &str, header: &str| {
            let webhook = WEBHOOK.replace("{ file = \"hook\" }", &file("hook", secret));
            format!("{webhook}{}", OTLP.replace("{ env = \"AUTH\" }", &file("auth", header)))
        };
        let good = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        assert_eq!(read(&with(good, "Bearer hunter2")), Ok(()));
        for (secret, header, expected) in [
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "a", "\"siem\": secret: this is not whsec_"),
            ("whsec_hunter2", "a", "\"siem\": secret: this is not whsec_"),
            (good, "hunter2\nX: y", "\"logs\": headers.Authorization: this is no value of a header"),
        ] {
            let error = read(&with(secret, header)).unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        }
    }
}
