//! `[credentials]`: where the credentials of the embedded pool come from.

use std::collections::BTreeMap;

use axum::http::Uri;
use daypass_core::ground::clock::SignedDuration;
use daypass_core::login::provider::definition::seconds;
use serde::Deserialize;

use crate::provider_http::{AllowedHost, is_near};

/// How long credentials last unless the configuration says otherwise, in seconds.
const DEFAULT_DURATION: i64 = 3_600;

/// Who gives credentials to the people of the embedded pool.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialsConfig {
    #[serde(default)]
    source: Source,
    url: Option<String>,
    #[serde(default, deserialize_with = "seconds::deserialize")]
    duration: Option<i64>,
    #[serde(default)]
    roles: BTreeMap<String, String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Source {
    #[default]
    Embedded,
    Sts,
}

/// An STS elsewhere, as the operator describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignStsConfig {
    /// Where it answers.
    pub url: Uri,
    /// How long its credentials are to last.
    pub duration: SignedDuration,
    /// ARN of a role of our pools → ARN of a role there.
    pub roles: BTreeMap<String, String>,
}

impl CredentialsConfig {
    /// The other STS, if credentials come from one.
    ///
    /// # Errors
    /// What is wrong, with the cure. A token of ours travels to the URL, so it is `https://`, or to a host that the
    /// operator calls private.
    pub fn foreign(&self, allow_private: &[AllowedHost]) -> Result<Option<ForeignStsConfig>, String> {
        let unused = self.url.is_some() || self.duration.is_some() || !self.roles.is_empty();
        match self.source {
            Source::Embedded if unused => {
                Err("`url`, `duration` and `roles` are for source = \"sts\": add that, or take them out"
                    .into())
            }
            Source::Embedded => Ok(None),
            Source::Sts => {
                self.roles
                    .iter()
                    .flat_map(|(ours, theirs)| [ours, theirs])
                    .try_for_each(|arn| check_arn(arn))?;
                let url = self.url.as_deref().ok_or("source = \"sts\" needs the `url` of that STS")?;
                Ok(Some(ForeignStsConfig {
                    url: read_url(url, allow_private).map_err(|cure| format!("url = {url:?}: {cure}"))?,
                    duration: read_duration(self.duration)?,
                    roles: self.roles.clone(),
                }))
            }
        }
    }
}

fn read_url(text: &str, allow_private: &[AllowedHost]) -> Result<Uri, &'static str> {
    let malformed = "must be https:// and a host, perhaps with a port and a path, and nothing else";
    let uri: Uri = text.parse().map_err(|_| malformed)?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(malformed) };
    if authority.host().is_empty() || text.contains(['?', '#', '@']) {
        return Err(malformed);
    }
    match scheme {
        "https" => Ok(uri),
        "http" if is_near(authority.host(), allow_private) => Ok(uri),
        "http" => {
            Err("must start with https://, or name a host on loopback or in allow_private of [network]")
        }
        _ => Err(malformed),
    }
}

/// The bounds are those of AssumeRoleWithWebIdentity.
fn read_duration(seconds: Option<i64>) -> Result<SignedDuration, String> {
    let seconds = seconds.unwrap_or(DEFAULT_DURATION);
    if (900..=43_200).contains(&seconds) {
        Ok(SignedDuration::from_secs(seconds))
    } else {
        Err("duration: must be 15m to 12h".into())
    }
}

fn check_arn(arn: &str) -> Result<(), String> {
    if arn.starts_with("arn:") && arn.contains('/') && (20..=2_048).contains(&arn.len()) {
        Ok(())
    } else {
        Err(format!("roles: {arn:?} is not the ARN of a role, such as arn:aws:iam::123456789012:role/name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::000000000000:role/authenticated";

    fn read(text: &str) -> Result<Option<ForeignStsConfig>, String> {
        let config: CredentialsConfig = toml::from_str(text).map_err(|error| error.to_string())?;
        config.foreign(&["store.internal".to_owned().try_into().unwrap()])
    }

    fn at(url: &str) -> Result<Option<ForeignStsConfig>, String> {
        read(&format!("source = \"sts\"\nurl = {url:?}"))
    }

    #[test]
    fn our_own_sts_unless_another_is_named() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(read("source = \"embedded\""), Ok(None));
        let text = format!(
            "source = \"sts\"\nurl = \"https://s3.example.com\"\nduration = \"2h\"\n[roles]\n{ROLE:?} = \"arn:aws:iam:::role/A\""
        );
        let found = read(&text).unwrap().unwrap();
        assert_eq!(found.url, "https://s3.example.com/");
        assert_eq!(found.duration, SignedDuration::from_hours(2));
        assert_eq!(found.roles[ROLE], "arn:aws:iam:::role/A");
        assert_eq!(at("https://s3.example.com").unwrap().unwrap().duration, SignedDuration::from_hours(1));
    }

    #[test]
    fn a_token_travels_in_clear_text_only_where_the_operator_says_so() {
        for url in [
            "http://127.0.0.1:8333",
            "http://[::1]:8333/",
            "http://localhost:8333",
            "http://store.internal/sts",
        ] {
            assert!(at(url).is_ok(), "{url}");
        }
        for url in ["http://s3.example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert!(at(url).unwrap_err().contains("https://"), "{url}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for url in [
            "",
            "s3.example.com",
            "/",
            "ftp://a",
            "https://",
            "https://u:p@a",
            "https://a/?b=c",
            "https://a/#b",
        ] {
            assert!(at(url).is_err(), "{url:?}");
        }
        let sts = "source = \"sts\"\nurl = \"https://a\"\n";
        for (text, named) in [
            ("source = \"sts\"".to_owned(), "`url`"),
            ("url = \"https://a\"".to_owned(), "source"),
            ("source = \"aws\"".to_owned(), "aws"),
            (format!("{sts}duration = \"14m\""), "duration"),
            (format!("{sts}duration = \"13h\""), "duration"),
            (format!("{sts}policy = \"\""), "policy"),
            (format!("{sts}roles = {{ \"authenticated\" = {ROLE:?} }}"), "\"authenticated\""),
            (format!("{sts}roles = {{ {ROLE:?} = \"Auth\" }}"), "\"Auth\""),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
