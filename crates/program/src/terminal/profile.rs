//! An AWS profile whose credentials come from `daypass credentials`. It goes into the file where profiles stand, and
//! nothing else of that file changes.

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use daypass_client::{Daypass, Session, SessionName};
use daypass_server::aws_profiles::{Document, Entry, file};
use serde::Deserialize;

/// What an installation of `daypass up` says of itself.
const OF_UP: &str = "playground/config.json";
/// Keys that say where credentials come from. A profile with one of them is somebody else's.
const SOURCES: [&str; 9] = [
    "aws_access_key_id",
    "aws_secret_access_key",
    "credential_process",
    "credential_source",
    "login_session",
    "role_arn",
    "sso_account_id",
    "sso_session",
    "web_identity_token_file",
];
/// What only profiles of `up` have of us.
const LEADING_TO_UP: [&str; 3] = ["services", "endpoint_url", "s3"];

/// A profile that may be written.
#[derive(Debug)]
pub(super) struct Profile {
    name: String,
    config: PathBuf,
    program: String,
}

/// Where S3 of an installation of `up` is, and the bucket in which everybody has a folder.
#[derive(Debug, Deserialize)]
struct Up {
    s3_url: String,
    bucket: String,
}

impl Profile {
    /// A profile of this name, if it is free or ours.
    ///
    /// # Errors
    /// In words for the person at the terminal.
    pub(super) fn of_environment(name: &str, session: &SessionName) -> anyhow::Result<Self> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        ensure!(
            !name.is_empty() && name.chars().all(is_plain),
            "--profile takes letters, digits and ._- and not {name:?}"
        );
        let (config, credentials) = (file::config()?, file::credentials()?);
        let known = Document::of(&file::read(&credentials)?);
        ensure!(
            !known.has(name),
            "{} has keys of the profile {name}, which would count instead: take them out, or choose another --profile",
            credentials.display()
        );
        let profile = Self { name: name.to_owned(), config, program: program()? };
        word(session.url()).and_then(|_| word(session.app()))?;
        profile.check(&Document::of(&file::read(&profile.config)?))?;
        Ok(profile)
    }

    fn section(&self) -> String {
        if self.name == "default" { "default".into() } else { format!("profile {}", self.name) }
    }

    fn services(&self) -> String {
        format!("daypass-{}", self.name)
    }

    /// Whether it may be written.
    fn check(&self, document: &Document) -> anyhow::Result<()> {
        let section = self.section();
        let process = document.get(&section, "credential_process");
        if process.as_deref().is_some_and(|process| process.contains(" credentials --url ")) {
            return Ok(());
        }
        let taken =
            SOURCES.into_iter().chain(LEADING_TO_UP).find(|key| document.get(&section, key).is_some());
        if let Some(key) = taken {
            bail!(
                "{} has a profile {} with {key}, which is not Daypass's: choose another --profile",
                self.config.display(),
                self.name
            );
        }
        Ok(())
    }

    /// Writes it, and says what to do with it.
    ///
    /// # Errors
    /// If the file cannot be written, or the broker says what has no place in it.
    pub(super) async fn write(&self, daypass: &Daypass, session: &Session) -> anyhow::Result<String> {
        let up = if is_here(daypass.name()) { daypass.document::<Up>(OF_UP).await.ok() } else { None };
        file::change(&self.config, |document| {
            self.check(document)?;
            self.fill(document, daypass.name(), &session.region, up.as_ref())
        })?;
        Ok(format!(
            "The AWS profile {0} is written. Try: aws --profile {0} {1}",
            self.name,
            trial(session, up.as_ref())
        ))
    }

    fn fill(
        &self,
        document: &mut Document,
        session: &SessionName,
        region: &str,
        up: Option<&Up>,
    ) -> anyhow::Result<()> {
        let section = self.section();
        if document.get(&section, "services").is_some_and(|named| named == self.services()) {
            for key in LEADING_TO_UP {
                document.take(&section, key);
            }
        }
        document.set(&section, &Entry::line("credential_process", &self.process(session)?));
        document.set(&section, &Entry::line("region", word(region)?));
        if let Some(up) = up {
            self.lead_to_up(document, session.url(), word(&up.s3_url)?);
        }
        Ok(())
    }

    /// The SDK for Rust looks for `cognito-identity`, every other for `cognito_identity`. Services that are not there go to
    /// the broker as well, which knows none of them: without an address they would go to AWS itself.
    fn lead_to_up(&self, document: &mut Document, server: &str, s3: &str) {
        let (section, services) = (self.section(), self.services());
        let s3_style = [("signature_version", "s3v4"), ("addressing_style", "path")];
        document.set(&section, &Entry::line("services", &services));
        document.set(&section, &Entry::line("endpoint_url", server));
        document.set(&section, &Entry::block("s3", &s3_style));
        let addresses = ["cognito_identity", "cognito-identity", "sts"].map(|service| (service, server));
        for (service, url) in addresses.into_iter().chain([("s3", s3)]) {
            document.set(&format!("services {services}"), &Entry::block(service, &[("endpoint_url", url)]));
        }
    }

    /// botocore splits the line itself, other SDKs give it to a shell: it means the same to both.
    fn process(&self, session: &SessionName) -> anyhow::Result<String> {
        let (url, app) = (word(session.url())?, word(session.app())?);
        Ok(format!("\"{}\" credentials --url {url} --app {app}", self.program))
    }
}

/// Something that everybody may do: not every role lets people list all buckets.
fn trial(session: &Session, up: Option<&Up>) -> String {
    let own_folder = |up: &Up| {
        let (bucket, folder) = (word(&up.bucket).ok()?, word(&session.identity_id).ok()?);
        Some(format!("s3 ls s3://{bucket}/{folder}/"))
    };
    up.and_then(own_folder).unwrap_or_else(|| "sts get-caller-identity".into())
}

/// A word that means itself: in a line of the file, to a shell, and to whoever splits lines.
fn word(text: &str) -> anyhow::Result<&str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-:/[]~%+@,".contains(c);
    ensure!(
        !text.is_empty() && text.chars().all(is_plain),
        "{text:?} cannot stand in an AWS profile: it has signs that mean something there"
    );
    Ok(text)
}

/// Where this program is, in quotes that a shell does not look into.
fn program() -> anyhow::Result<String> {
    let path = std::env::current_exe().context("where this program is cannot be told")?;
    let is_plain = |c: char| !c.is_control() && !"\"$`\\".contains(c);
    let text = path.to_str().filter(|text| text.chars().all(is_plain));
    let text = text.with_context(|| {
        format!("{} cannot stand in an AWS profile: put the program elsewhere", path.display())
    })?;
    Ok(text.to_owned())
}

/// Only `up` listens at this machine's own address without TLS.
fn is_here(name: &SessionName) -> bool {
    name.url().starts_with("http://")
}

#[cfg(test)]
mod tests {
    use daypass_client::TERMINAL;

    use super::*;

    fn profile(name: &str) -> Profile {
        Profile { name: name.into(), config: "/config".into(), program: "/opt/day pass/daypass".into() }
    }

    fn filled(before: &str, name: &str, url: &str, up: Option<&Up>) -> anyhow::Result<String> {
        let mut document = Document::of(before);
        let session = SessionName::new(url, TERMINAL)?;
        profile(name).check(&document)?;
        profile(name).fill(&mut document, &session, "us-east-1", up)?;
        Ok(document.text())
    }

    const LOGIN: &str = "https://login.example.com";

    #[test]
    fn a_profile_runs_the_program_and_knows_its_region() {
        let expected = "[profile work]\ncredential_process = \"/opt/day pass/daypass\" credentials --url \
                        https://login.example.com --app terminal\nregion = us-east-1\n";
        assert_eq!(filled("", "work", LOGIN, None).unwrap(), expected);
        assert_eq!(filled(expected, "work", LOGIN, None).unwrap(), expected, "once more changes nothing");
        let default = filled("", "default", LOGIN, None).unwrap();
        assert!(default.starts_with("[default]\ncredential_process"), "{default}");
    }

    #[test]
    fn of_up_it_knows_where_everything_is_until_it_leads_elsewhere() {
        let up = Up { s3_url: "http://127.0.0.1:9401".into(), bucket: "daypass-demo".into() };
        let text = filled("# mine\n", "up", "http://127.0.0.1:9400", Some(&up)).unwrap();
        for part in [
            "# mine\n",
            "services = daypass-up\nendpoint_url = http://127.0.0.1:9400\ns3 =\n  signature_version = s3v4\n",
            "[services daypass-up]\ncognito_identity =\n  endpoint_url = http://127.0.0.1:9400\n",
            "s3 =\n  endpoint_url = http://127.0.0.1:9401\n",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert_eq!(filled(&text, "up", "http://127.0.0.1:9400", Some(&up)).unwrap(), text);
        let moved = filled(&text, "up", LOGIN, None).unwrap();
        let (profile, _) = moved.split_once("[services").unwrap();
        assert!(!profile.contains("127.0.0.1") && !profile.contains("s3"), "{profile}");
    }

    #[test]
    fn somebody_elses_profile_stays_theirs() {
        for key in SOURCES.into_iter().chain(LEADING_TO_UP) {
            let before = format!("[profile work]\n{key} = something\n");
            let refused = filled(&before, "work", LOGIN, None).unwrap_err().to_string();
            assert!(refused.contains(&format!("profile work with {key}")), "{refused}");
        }
        let mine = "[profile work]\noutput = json\nregion = eu-west-1\n";
        let text = filled(mine, "work", LOGIN, None).unwrap();
        assert!(text.contains("output = json\n") && !text.contains("eu-west-1"), "{text}");
    }

    /// What a broker says is written into a file that has programs run.
    #[test]
    fn no_broker_writes_more_than_its_word_into_the_file() {
        for word_ in
            ["us-east-1\ncredential_process = evil", "us east", "$(evil)", "a;b", "", "a'b", "a\"b", "a#b"]
        {
            assert!(word(word_).is_err(), "{word_:?}");
        }
        let up = Up { s3_url: "http://127.0.0.1:9401\n[default]".into(), bucket: String::new() };
        filled("", "up", "http://127.0.0.1:9400", Some(&up)).unwrap_err();
        let mut document = Document::of("");
        let session = SessionName::new("https://login.example.com/a;b", TERMINAL).unwrap();
        profile("work").fill(&mut document, &session, "us-east-1", None).unwrap_err();
    }
}
