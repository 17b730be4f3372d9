//! `[traces]`: who gets traces of requests, and of how many.

use std::collections::BTreeMap;
use std::path::Path;

use axum::http::{HeaderMap, Uri};
use serde::Deserialize;

use super::export::read_headers;
use super::mistakes::{ConfigError, Mistake};
use super::{NetworkConfig, Reading, urls};
use crate::provider_http::AllowedHost;
use crate::secrets::{Placed, SecretReference, Secrets};

/// Who gets traces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracesConfig {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, SecretReference>,
    /// Of how many requests.
    #[serde(default)]
    pub ratio: Ratio,
}

/// A part of all requests.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Ratio(f64);

impl Default for Ratio {
    fn default() -> Self {
        Self(0.01)
    }
}

impl TryFrom<f64> for Ratio {
    type Error = &'static str;

    fn try_from(ratio: f64) -> Result<Self, Self::Error> {
        if (0.0..=1.0).contains(&ratio) { Ok(Self(ratio)) } else { Err("must be from 0 to 1") }
    }
}

impl Ratio {
    /// The same part of all numbers of 64 bits.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "it is from 0 to 1, and no cast of a float goes beyond the numbers that there are"
    )]
    pub fn of_all(self) -> u64 {
        (self.0 * u64::MAX as f64) as u64
    }
}

const NO_ASCII: &str = "must be written in ASCII: percent-encoded, and a name of other letters as xn--…";

impl TracesConfig {
    /// Every secret that it refers to, and where.
    pub(super) fn placed_secrets(&self) -> impl Iterator<Item = Placed<'_>> {
        self.headers.iter().map(|(name, reference)| Placed { key: place_of(name), reference })
    }

    /// Whether whoever is on the way to the collector can read what it gets.
    pub(crate) fn is_in_the_clear(&self) -> bool {
        self.url.starts_with("http:") && self.host_here().is_none()
    }

    /// The host of the collector, if it may have a private address though nobody else may: this machine.
    pub(crate) fn host_here(&self) -> Option<AllowedHost> {
        urls::host_here(&self.url)
    }

    /// Where it is, and what it lets us in by.
    ///
    /// # Errors
    /// [`ConfigError`], if a secret cannot be had, or is not what it has to be.
    pub(crate) fn collector(&self, secrets: &Secrets) -> Result<(Uri, HeaderMap), ConfigError> {
        let url =
            self.url.parse().map_err(|_| Mistake::elsewhere("[traces] url: is no address".to_owned()))?;
        Ok((url, read_headers(&self.headers, secrets, place_of)?))
    }
}

fn place_of(header: &str) -> String {
    format!("[traces] headers.{header}")
}

/// Reads it beside the rest of the configuration.
pub(super) fn read(reading: &mut Reading<'_>, network: &NetworkConfig, base: &Path) -> Option<TracesConfig> {
    let mut traces: TracesConfig = reading.get("traces")?;
    let readable = || traces.url.parse::<Uri>().map(drop).map_err(|_| NO_ASCII);
    let url = urls::check_receiver(&traces.url, &network.allow_private).and_then(|()| readable());
    if let Err(cure) = url {
        reading.refuse(&["traces", "url"].map(str::to_owned), cure);
    }
    for reference in traces.headers.values_mut() {
        reference.start_from(base);
    }
    Some(traces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(traces: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!(
            "public_url = \"https://login.example.com\"\nmaster_key = {{ env = \"KEY\" }}\n\
             store.url = \"memory:\"\n\
             [pool]\nname = \"a\"\ndeveloper_provider = \"login.example.com\"\nregion = \"us-east-1\"\n\
             account_id = \"000000000000\"\n\
             [network]\nallow_private = [\"collector.internal\"]\n{traces}"
        ))
    }

    const TRACES: &str = "[traces]\nurl = \"https://a.example.com/v1/traces\"\nratio = 0.25\n\
                          headers = { Authorization = { env = \"AUTH\" } }\n";

    #[test]
    fn what_an_operator_writes_is_read() {
        let ratio = |traces: &str| read(traces).unwrap().traces.map(|it| it.ratio);
        assert_eq!((ratio(""), ratio(TRACES)), (None, Some(Ratio(0.25))));
        assert_eq!(ratio(&TRACES.replace("0.25", "1")), Some(Ratio(1.0)));
        assert_eq!(ratio(&TRACES.replace("ratio = 0.25\n", "")), Some(Ratio(0.01)));
        for url in ["http://127.0.0.1:4318/v1/traces", "http://collector.internal/"] {
            assert!(read(&TRACES.replace("https://a.example.com/v1/traces", url)).is_ok(), "{url}");
        }
        assert_eq!(read(TRACES).unwrap().secret_references().count(), 2);
    }

    #[test]
    fn what_could_have_no_effect_or_a_bad_one_is_refused_with_its_place() {
        for (from, to, expected) in [
            ("https://a", "http://a", "[traces] url: must start with https://"),
            ("https://a.example.com", "https://me:hunter2@a", "[traces] url: must name no user"),
            ("https://a.example.com", "https://bücher.example", "url: must be written in ASCII"),
            ("0.25", "1.5", "ratio: must be from 0 to 1"),
            ("0.25", "-1", "ratio: must be from 0 to 1"),
            ("0.25", "nan", "ratio: must be from 0 to 1"),
            ("{ env = \"AUTH\" }", "\"Bearer hunter2\"", "headers: Authorization: say where the secret is"),
            ("Authorization", "Content-Type", "headers: \"Content-Type\" is Daypass's to say"),
            ("url = \"https://a.example.com/v1/traces\"\n", "", "url: missing"),
            ("ratio", "rate", "rate: unknown key"),
        ] {
            let told = read(&TRACES.replacen(from, to, 1)).err().unwrap().to_string();
            assert!(told.contains(expected) && !told.contains("hunter2"), "{to}: {told}");
        }
    }

    #[test]
    fn a_ratio_is_a_part_of_all_numbers() {
        assert_eq!([0.0, 1.0].map(|it| Ratio(it).of_all()), [0, u64::MAX]);
        assert_eq!(Ratio(0.5).of_all() >> 62, 2);
    }
}
