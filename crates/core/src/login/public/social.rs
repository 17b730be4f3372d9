//! The providers that every pool knows by an app's ID (`SupportedLoginProviders`). Each is an entry of the catalogue with a
//! part `[public]`: the key in `Logins`, the kind of token, and what is asked where there is no secret.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::registered::is_user_pool_name;
use super::terms;
use crate::login::provider::catalogue;
use crate::login::provider::definition::{
    Binding, ClientName, Definition, IdTokenKeys, NamedClient, ProofKind,
};
use crate::login::provider::load::DefinitionError;

/// Definitions by their keys in `Logins`.
pub(super) type SocialProviders = BTreeMap<String, Arc<Definition>>;

/// Those of the catalogue. A block with a mistake is not among them, and fails a test.
static OF_CATALOGUE: LazyLock<SocialProviders> = LazyLock::new(|| {
    let blocks = catalogue::names().into_iter().filter_map(catalogue::find);
    blocks.filter_map(|block| read(block).ok().flatten()).collect()
});

pub(super) fn of_catalogue() -> &'static SocialProviders {
    &OF_CATALOGUE
}

/// The public login of a block, as pools take it, if it has one.
///
/// # Errors
/// [`DefinitionError::Invalid`], in words for the author of the block.
pub(super) fn read(block: &str) -> Result<Option<(String, Arc<Definition>)>, DefinitionError> {
    let Some((key, definition)) = Definition::for_pools(block)? else { return Ok(None) };
    check(&key, &definition).map_err(|why| DefinitionError::Invalid(format!("public.{why}")))?;
    Ok(Some((key, Arc::new(terms::of_catalogue(definition)))))
}

/// What must not be said although each of its words is known: a pool has nothing but the ID of an app.
fn check(key: &str, definition: &Definition) -> Result<(), &'static str> {
    if !is_key(key) {
        return Err("key: is the name of a host, as `Logins` has it, and none of a user pool");
    }
    match definition.accept[..] {
        [ProofKind::IdToken] => check_id_token(definition),
        [ProofKind::AccessToken] => check_access_token(definition),
        _ => Err("accept: name one kind of proof, id_token or access_token"),
    }
}

/// `amr` of tokens is read by its colons, and names beside these keys are user pools, ARNs and developer providers.
fn is_key(key: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    key.contains('.') && key.bytes().all(plain) && !is_user_pool_name(key)
}

/// An HMAC under a secret that a pool does not have would be anybody's to make.
fn check_id_token(definition: &Definition) -> Result<(), &'static str> {
    match definition.id_token.as_ref().map(|it| &it.keys) {
        Some(IdTokenKeys::Discovery(_) | IdTokenKeys::Jwks(_)) => Ok(()),
        Some(IdTokenKeys::ClientSecret | IdTokenKeys::JwksOrClientSecret(_)) | None => {
            Err("id_token.keys: name the keys that the issuer publishes")
        }
    }
}

fn check_access_token(definition: &Definition) -> Result<(), &'static str> {
    let of_the_app = |client: &NamedClient| client.is == ClientName::ClientId;
    let bound = match &definition.binding {
        Binding::Profile(client) => of_the_app(client),
        Binding::Endpoint(binding) => binding.client.as_ref().is_some_and(of_the_app),
        Binding::None | Binding::IdToken | Binding::Signature | Binding::ClientAuthEndpoint(_) => false,
    };
    if !bound {
        return Err("binding: of the kind endpoint or profile, with a `client` that is the pool's app");
    }
    if definition.calls_need_client_secret() {
        return Err("binding and profile: a pool has no {client_secret}, nor what is made with it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_public_part_of_the_catalogue_can_be_read() {
        let blocks: Vec<_> = catalogue::names().into_iter().filter_map(catalogue::find).collect();
        let public = blocks.iter().filter(|block| block.contains("\n[public]\n")).count();
        let read: Vec<_> = blocks.iter().filter_map(|block| read(block).unwrap()).collect();
        assert_eq!(read.len(), public);
        assert_eq!(of_catalogue().len(), public, "no two have one key");
        let keys: Vec<_> = of_catalogue().keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["accounts.google.com", "appleid.apple.com", "graph.facebook.com", "www.amazon.com"]
        );
    }

    const BLOCK: &str = r#"
        name     = "A"
        register = "Ask."
        id_scope = "app"
        accept   = ["access_token"]
        [profile]
        url     = "https://a.example/me"
        subject = { at = "/id" }
        [binding]
        kind   = "endpoint"
        url    = "https://a.example/app"
        client = { at = "/id" }
        [id_token]
        issuers = ["https://a.example"]
        keys    = "client_secret"
        subject = { at = "/sub" }
        [public]
        key = "a.example"
    "#;

    #[test]
    fn a_public_login_that_proves_nothing_is_refused_with_the_cure() {
        assert!(read(BLOCK).unwrap().is_some());
        for (from, to, cure) in [
            ("\"a.example\"", "\"a.example:b\"", "public.key: "),
            ("\"a.example\"", "\"\"", "public.key: "),
            ("\"a.example\"", "\"arn:aws:iam::1:oidc-provider/a\"", "public.key: "),
            ("\"a.example\"", "\"cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a\"", "public.key: "),
            ("key = \"a.example\"", "", "missing field `key`"),
            ("key = \"a.example\"", "key = \"a.example\"\ncolour = \"red\"", "colour"),
            ("[public]", "[public]\naccept = [\"access_token\", \"id_token\"]", "public.accept: "),
            ("[public]", "[public]\naccept = [\"id_token\"]", "public.id_token.keys: "),
            ("[public]", "[public]\nbinding = { kind = \"none\" }", "public.binding: "),
            ("client = { at = \"/id\" }", "client = { at = \"/id\", is = \"app_id\" }", "public.binding: "),
            ("\"https://a.example/app\"", "\"https://a.example/app?s={client_secret}\"", "client_secret"),
            ("\"https://a.example/me\"", "\"https://a.example/me?p={appsecret_proof}\"", "client_secret"),
        ] {
            assert!(BLOCK.contains(from), "{from}");
            let error = read(&BLOCK.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(cure), "{to}: {error}");
        }
    }

    #[test]
    fn an_operators_own_block_has_no_public_part() {
        let overrides = "[public]\nkey = \"a.example\"".parse().unwrap();
        let error = Definition::from_catalogue("google", overrides).unwrap_err();
        assert!(error.to_string().contains("public"), "{error}");
    }
}
