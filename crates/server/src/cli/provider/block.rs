//! `[[provider]]` blocks, as an operator puts them into the configuration.

use std::fmt::Write;

use daypass_core::login::provider::definition::{
    Binding, ClientAuthentication, ClientName, Definition, ProofKind,
};

/// The block of a provider of the catalogue: what is the operator's to say, and nothing else.
pub(super) fn of(id: &str, definition: &Definition) -> String {
    let mut block = format!("[[provider]]\nid = \"{id}\"\n");
    if definition.needs_client() {
        block.push_str("client_id = \"…\"\n");
    }
    if definition.needs_client_secret() {
        block.push_str(&secret(id, definition));
    }
    if is_apple(definition) {
        block.push_str("apple = { team_id = \"…\", key_id = \"…\" }\n");
    }
    if needs_app_id(definition) {
        block.push_str("app_id = \"…\"  # the number of the app, which tokens are compared with\n");
    }
    for (name, variable) in &definition.variables {
        let given = variable.value.as_deref().filter(|value| !value.starts_with("YOUR_"));
        let (off, value) = given.map_or(("", "…"), |value| ("# ", value));
        let _ = writeln!(block, "{off}variables.{name}.value = \"{value}\"  # {}", variable.about);
    }
    if matches!(definition.binding, Binding::None) && definition.accept.contains(&ProofKind::AccessToken) {
        block.push_str("# accept_unbound_access_tokens = true  # lets any app's tokens in; think twice\n");
    }
    block.trim_end().to_owned()
}

/// The line that says where the secret is, in a file or a variable called after the provider.
fn secret(id: &str, definition: &Definition) -> String {
    if is_apple(definition) {
        return format!("client_secret = {{ file = \"{id}.p8\" }}  # the .p8 file\n");
    }
    let variable = id.to_uppercase().replace('-', "_");
    let begin = if variable.starts_with(char::is_numeric) { "_" } else { "" };
    format!("client_secret = {{ env = \"{begin}{variable}_CLIENT_SECRET\" }}\n")
}

fn is_apple(definition: &Definition) -> bool {
    let exchange = definition.exchange.as_ref();
    exchange.is_some_and(|exchange| exchange.client_auth == ClientAuthentication::AppleJwt)
}

fn needs_app_id(definition: &Definition) -> bool {
    let client = match &definition.binding {
        Binding::Profile(client) => Some(client),
        Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => binding.client.as_ref(),
        Binding::None | Binding::IdToken | Binding::Signature => None,
    };
    client.is_some_and(|client| client.is == ClientName::AppId)
}

/// The block of a provider that is in no catalogue, to be filled in.
///
/// # Errors
/// For an ID that the configuration would refuse.
pub(super) fn new(id: &str) -> anyhow::Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    anyhow::ensure!(!id.is_empty() && id.bytes().all(plain), "{id:?}: use letters, digits, `-` and `_` only");
    Ok(SKELETON.replace("{id}", id))
}

const SKELETON: &str = r#"[[provider]]
id = "{id}"
client_id = "…"
client_secret = { file = "{id}.secret" }  # a file with the secret, or { env = "VARIABLE" }
name = "{id}"
register = "Where the client is registered, and what to enter there."
id_scope = "global"  # or app, developer, tenant, unknown: who else sees the same external ID
accept = ["code"]
scopes = []
authorize.url = "https://login.example.com/authorize"
exchange = { url = "https://login.example.com/token", client_auth = "basic" }  # or parameters
profile = { url = "https://login.example.com/me", subject = { at = "/id" } }  # a number: type = "integer"
binding.kind = "none"  # codes only. More: docs/add-a-provider.md
# pkce = "never"  # only if the provider does not know code_challenge"#;

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    use base64::prelude::{BASE64_STANDARD, Engine};
    use daypass_core::login::provider::catalogue;

    use super::*;
    use crate::config::ConfigFile;
    use crate::secrets::Secrets;

    /// Reads a block as `up` would, with the dots filled in and the secret in a file beside it.
    fn load(id: &str, block: &str) -> daypass_core::login::provider::Provider {
        let dir = tempfile::tempdir().unwrap();
        // Apple's is a key, and looked at.
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let secret = BASE64_STANDARD.encode(pair.to_pkcs8v1().unwrap());
        std::fs::write(dir.path().join("secret"), secret).unwrap();
        let filled: Vec<String> = block
            .lines()
            .map(|line| match line.strip_prefix("client_secret = ") {
                Some(_) => "client_secret = { file = \"secret\" }".to_owned(),
                None => line.replace('…', "filled-in"),
            })
            .collect();
        let file = dir.path().join("more.toml");
        std::fs::write(&file, filled.join("\n")).unwrap();
        let config = ConfigFile::read(&file)
            .and_then(|file| file.of_either())
            .unwrap_or_else(|error| panic!("{id}: {error}"));
        config
            .providers
            .last()
            .unwrap()
            .load(&Secrets::default())
            .unwrap_or_else(|error| panic!("{id}: {error}"))
    }

    #[test]
    fn every_block_of_the_catalogue_works_once_it_is_filled_in() {
        for id in catalogue::names() {
            let block = of(id, &Definition::of_catalogue(id).unwrap());
            block.parse::<toml::Table>().unwrap_or_else(|error| panic!("{id}: {error}"));
            load(id, &block);
        }
    }

    #[test]
    fn a_block_that_nobody_filled_in_is_refused_for_each_value() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (id, keys) in
            [("apple", &["client_id", "apple.team_id", "apple.key_id"][..]), ("discord", &["client_id"])]
        {
            std::fs::write(file.path(), of(id, &Definition::of_catalogue(id).unwrap())).unwrap();
            let refused =
                ConfigFile::read(file.path()).and_then(|file| file.of_either()).unwrap_err().to_string();
            for key in keys {
                let told = format!("[[provider]] id = {id:?}: {key}: is still the place of a value of yours");
                assert!(refused.contains(&told), "{told}: {refused}");
            }
        }
    }

    #[test]
    fn every_block_in_the_manual_works() {
        let page = include_str!("../../../../../docs/add-a-provider.md");
        let blocks: Vec<&str> =
            page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        let providers: Vec<_> = blocks.into_iter().filter(|block| block.contains("[[provider]]")).collect();
        assert_eq!(providers.len(), 3);
        for block in providers {
            load("docs/add-a-provider.md", block);
        }
    }

    #[test]
    fn the_block_of_a_new_provider_works_as_it_is() {
        let provider = load("our-login", &new("our-login").unwrap());
        assert_eq!((&*provider.id, &*provider.definition.name), ("our-login", "our-login"));
        assert!(new("our-login").unwrap().contains("the same external ID\n"));
        assert!(new("our login").is_err());
    }
}
