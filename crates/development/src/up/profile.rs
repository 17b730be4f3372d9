//! The AWS profile of the developer. The files that it is in are for others as well: whoever has their tools look there finds
//! again at the next start what `daypass login --profile` or `aws configure` put beside it.

use std::path::PathBuf;

use daypass_core::ground::ids::AccessKeyId;
use daypass_core::ground::secret::Secret;
use daypass_server::aws_profiles::{Entry, file};
use daypass_server::config::development::{AWS_CONFIG, AWS_CREDENTIALS, PROFILE, REGION};
use daypass_server::installation::home::Home;

/// What the profile leads to, and the key behind it.
pub(super) struct Profile<'a> {
    pub server_url: &'a str,
    pub s3_url: &'a str,
    pub key: &'a AccessKeyId,
    pub secret: &'a Secret,
}

impl Profile<'_> {
    /// Writes it, and says where its two files are.
    pub(super) fn write(&self, home: &Home) -> anyhow::Result<(PathBuf, PathBuf)> {
        let (config, credentials) = (home.dir().join(AWS_CONFIG), home.dir().join(AWS_CREDENTIALS));
        file::change(&config, |document| {
            document.put(&format!("profile {PROFILE}"), &self.profile());
            document.put(&format!("services {PROFILE}"), &self.services());
            Ok(())
        })?;
        file::change(&credentials, |document| {
            document.put(PROFILE, &self.keys());
            Ok(())
        })?;
        Ok((config, credentials))
    }

    /// Services that are not named go to our server as well, which knows none of them: without an address they would go to AWS
    /// itself. Older clients sign URLs of S3 the old way, and address buckets by host, unless told otherwise.
    fn profile(&self) -> [Entry; 4] {
        [
            Entry::line("region", REGION),
            Entry::line("services", PROFILE),
            Entry::line("endpoint_url", self.server_url),
            Entry::block("s3", &[("signature_version", "s3v4"), ("addressing_style", "path")]),
        ]
    }

    /// The SDK for Rust looks for `cognito-identity`, every other for `cognito_identity`.
    fn services(&self) -> [Entry; 4] {
        let at = |service, url| Entry::block(service, &[("endpoint_url", url)]);
        [
            at("cognito_identity", self.server_url),
            at("cognito-identity", self.server_url),
            at("sts", self.server_url),
            at("s3", self.s3_url),
        ]
    }

    fn keys(&self) -> [Entry; 2] {
        [
            Entry::line("aws_access_key_id", &self.key.to_string()),
            Entry::line("aws_secret_access_key", self.secret.expose()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use daypass_core::ground::random::SystemRandom;

    use super::*;

    const PROFILE_OF_UP: &str = "[profile daypass]\nregion = us-east-1\nservices = daypass\nendpoint_url = http://127.0.0.1:9400\n\
                                 s3 =\n  signature_version = s3v4\n  addressing_style = path\n\n[services daypass]\n\
                                 cognito_identity =\n  endpoint_url = http://127.0.0.1:9400\n\
                                 cognito-identity =\n  endpoint_url = http://127.0.0.1:9400\n\
                                 sts =\n  endpoint_url = http://127.0.0.1:9400\ns3 =\n  endpoint_url = http://127.0.0.1:9401\n";

    fn write(home: &Home, port: u16, secret: &str) -> (String, String) {
        let (server_url, s3_url) =
            (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{}", port + 1));
        let key = AccessKeyId::parse("AKIAIOSFODNN7EXAMPLE").unwrap();
        let profile =
            Profile { server_url: &server_url, s3_url: &s3_url, key: &key, secret: &Secret::new(secret) };
        let (config, credentials) = profile.write(home).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        (read(&config), read(&credentials))
    }

    #[test]
    fn the_profile_is_new_at_each_start_and_what_others_put_beside_it_stays() {
        let parent = tempfile::tempdir().unwrap();
        let home = Home::open(&parent.path().join("state"), &SystemRandom).unwrap();
        let (config, credentials) = write(&home, 9400, "one");
        assert_eq!(config, PROFILE_OF_UP);
        assert_eq!(
            credentials,
            "[daypass]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = one\n"
        );

        let theirs = "\n# of login\n[profile demo]\ncredential_process = \"/daypass\" credentials\n# and its region\nregion = us-east-1\n";
        let keys = "\n[mine]\naws_access_key_id = A\n";
        fs::write(home.dir().join(AWS_CONFIG), format!("# mine\n{config}{theirs}")).unwrap();
        fs::write(home.dir().join(AWS_CREDENTIALS), format!("{credentials}{keys}")).unwrap();
        let (config, credentials) = write(&home, 9500, "two");
        let moved = PROFILE_OF_UP.replace(":9400", ":9500").replace(":9401", ":9501");
        assert_eq!(config, format!("# mine\n{moved}{theirs}"));
        assert_eq!(
            credentials,
            format!(
                "[daypass]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = two\n{keys}"
            )
        );
    }
}
