//! Reading definitions: a block of the catalogue with the operator's words laid over it, or a block of the operator's own.

use serde::de::DeserializeOwned;

use super::definition::{Binding, BindingCall, Definition, IdTokenKeys, NamedClient, Profile};
use super::pointer::{OneOrMore, Pointer};
use super::template::{Template, Variables};
use super::{catalogue, validate};
use crate::login::plain_hosts::PlainHosts;

/// The call of a table that also says what its answer means: those keys are taken first.
impl TryFrom<toml::Table> for Profile {
    type Error = String;
    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let subject = take(&mut table, "subject")?.ok_or("missing field `subject`")?;
        let name: Option<OneOrMore<Pointer>> = take(&mut table, "name")?;
        let avatar = take(&mut table, "avatar")?;
        Ok(Self { subject, name: name.map(Into::into).unwrap_or_default(), avatar, call: read(table)? })
    }
}

impl TryFrom<toml::Table> for Binding {
    type Error = String;
    fn try_from(mut table: toml::Table) -> Result<Self, String> {
        let kind: String = take(&mut table, "kind")?.ok_or("missing field `kind`")?;
        let client: Option<NamedClient> = take(&mut table, "client")?;
        let named = || client.clone().ok_or_else(|| format!("a binding of the kind {kind:?} needs `client`"));
        let binding = match kind.as_str() {
            "none" | "id_token" | "signature" if client.is_some() => {
                return Err(format!("a binding of the kind {kind:?} takes no `client`"));
            }
            "none" => Self::None,
            "id_token" => Self::IdToken,
            "signature" => Self::Signature,
            "profile" => Self::Profile(named()?),
            "endpoint" => {
                let (client, user) = (Some(named()?), take(&mut table, "user")?);
                return Ok(Self::Endpoint(BindingCall { client, user, call: read(table)? }));
            }
            "client_auth_endpoint" => {
                let user = take(&mut table, "user")?;
                return Ok(Self::ClientAuthEndpoint(BindingCall { client, user, call: read(table)? }));
            }
            _ => {
                return Err(format!(
                    "unknown kind of binding {kind:?}; known are none, id_token, signature, profile, endpoint, \
                     client_auth_endpoint"
                ));
            }
        };
        match table.keys().next() {
            Some(key) => Err(format!("a binding of the kind {kind:?} takes no `{key}`")),
            None => Ok(binding),
        }
    }
}

fn take<T: DeserializeOwned>(table: &mut toml::Table, key: &str) -> Result<Option<T>, String> {
    let value = table.remove(key).map(toml::Value::try_into);
    value.transpose().map_err(|error| format!("{key}: {}", told(&error)))
}

fn read<T: DeserializeOwned>(table: toml::Table) -> Result<T, String> {
    table.try_into().map_err(|error| told(&error))
}

/// A mistake, with the key that it is about before it. `toml` says the key only where it prints the whole error.
fn told(error: &toml::de::Error) -> String {
    let (whole, message) = (error.to_string(), error.message());
    let key = whole.lines().find_map(|line| line.strip_prefix("in `")?.strip_suffix('`'));
    key.map_or_else(|| message.to_owned(), |key| format!("{key}: {message}"))
}

/// The part of a block that pools read and the broker does not.
const PUBLIC: &str = "public";

/// Why a provider block cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The catalogue has no such block.
    #[error("the catalogue has no provider {name:?}{}; write the whole block, or take one that `daypass provider list` shows", nearest.as_ref().map(|near| format!(" (did you mean {near:?}?)")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The name that it resembles most.
        nearest: Option<String>,
    },
    /// The block, with the operator's changes, is not valid.
    #[error("{0}")]
    Invalid(String),
}

/// A block of the catalogue with the operator's `overrides` laid over it, not read yet.
///
/// # Errors
/// [`DefinitionError::Unknown`], if there is no such block, and the operator's is none of its own.
pub fn laid_over_catalogue(name: &str, overrides: toml::Table) -> Result<toml::Table, DefinitionError> {
    let Some(block) = catalogue::find(name) else {
        // An operator's own provider is a block without a catalogue's beneath it.
        if overrides.contains_key("binding") {
            return Ok(overrides);
        }
        return Err(DefinitionError::Unknown { name: name.to_owned(), nearest: catalogue::nearest(name) });
    };
    let mut block: toml::Table = block.parse().map_err(invalid)?;
    block.remove(PUBLIC);
    lay_over(&mut block, overrides);
    Ok(block)
}

impl Definition {
    /// A block of the catalogue with the operator's `overrides` laid over it, key by key.
    ///
    /// # Errors
    /// [`DefinitionError`], in words for the operator.
    pub fn from_catalogue(name: &str, overrides: toml::Table) -> Result<Self, DefinitionError> {
        Self::from_catalogue_beside(name, overrides, &PlainHosts::default())
    }

    /// The same where more hosts than this machine are asked without TLS.
    ///
    /// # Errors
    /// [`DefinitionError`], in words for the operator.
    pub fn from_catalogue_beside(
        name: &str,
        overrides: toml::Table,
        plain: &PlainHosts,
    ) -> Result<Self, DefinitionError> {
        Self::read(laid_over_catalogue(name, overrides)?, plain)
    }

    /// Whether what the operator calls our client there names one.
    ///
    /// # Errors
    /// What is wrong, with its key and the cure.
    pub fn check_client(
        &self,
        client_id: &str,
        other_client_ids: &[String],
        app_id: Option<&str>,
    ) -> Result<(), DefinitionError> {
        validate::check_client(self, client_id, other_client_ids, app_id).map_err(DefinitionError::Invalid)
    }

    /// Whether an external ID is made of several values here.
    #[must_use]
    pub fn joins_subject(&self) -> bool {
        let subjects = [
            self.profile.as_ref().map(|profile| &profile.subject),
            self.id_token.as_ref().map(|id_token| &id_token.subject),
            self.signed_fields.as_ref().map(|signed| &signed.subject),
        ];
        subjects.into_iter().flatten().any(|subject| subject.0.len() > 1)
    }

    /// A block of the catalogue for people to read: where the operator has to give a value, `YOUR_…` stands.
    #[must_use]
    pub fn of_catalogue(name: &str) -> Option<Self> {
        let mut block: toml::Table = catalogue::find(name)?.parse().ok()?;
        block.remove(PUBLIC);
        let variables = block.get_mut("variables").and_then(toml::Value::as_table_mut);
        for (name, variable) in variables.into_iter().flatten() {
            let placeholder = format!("YOUR_{}", name.to_uppercase());
            variable.as_table_mut()?.entry("value").or_insert(placeholder.into());
        }
        Self::read(block, &PlainHosts::default()).ok()
    }

    /// A public login of a block: what its part for pools says takes the place of the block's own words, table by table.
    /// `None` if it has no such part.
    ///
    /// # Errors
    /// [`DefinitionError::Invalid`].
    pub(in crate::login) fn for_pools(block: &str) -> Result<Option<(String, Self)>, DefinitionError> {
        let mut block: toml::Table = block.parse().map_err(invalid)?;
        let Some(public) = block.remove(PUBLIC) else { return Ok(None) };
        let mut public: toml::Table = public.try_into().map_err(invalid)?;
        let key = take(&mut public, "key").map_err(DefinitionError::Invalid)?;
        let key = key.ok_or_else(|| DefinitionError::Invalid("public: missing field `key`".into()))?;
        block.extend(public);
        Ok(Some((key, Self::read(block, &PlainHosts::default())?)))
    }

    fn read(block: toml::Table, plain: &PlainHosts) -> Result<Self, DefinitionError> {
        let mut definition: Self = block.try_into().map_err(invalid)?;
        definition.fill_in().map_err(DefinitionError::Invalid)?;
        validate::check(&definition, plain).map_err(DefinitionError::Invalid)?;
        Ok(definition)
    }

    /// Puts the values of variables into every URL, once and for all.
    fn fill_in(&mut self) -> Result<(), String> {
        let mut values = Variables::new();
        for (name, variable) in &self.variables {
            let missing = || {
                format!(
                    "variables.{name}: give it a value, `variables.{name}.value = \"…\"`: {}",
                    variable.about
                )
            };
            values.insert(name.clone(), variable.value.clone().ok_or_else(missing)?);
        }
        for template in self.templates() {
            template.fill_in(&values)?;
        }
        for issuer in self.id_token.iter_mut().flat_map(|id_token| &mut id_token.issuers) {
            for (name, value) in &values {
                *issuer = issuer.replace(&format!("{{{name}}}"), value);
            }
        }
        Ok(())
    }

    fn templates(&mut self) -> Vec<&mut Template> {
        let mut templates = Vec::new();
        templates.extend(self.authorize.as_mut().map(|authorize| &mut authorize.url));
        templates.extend(self.exchange.as_mut().map(|exchange| &mut exchange.url));
        templates.extend(self.profile.as_mut().map(|profile| &mut profile.call.url));
        templates.extend(self.openid2.as_mut().map(|openid| &mut openid.endpoint));
        templates.extend(match &mut self.binding {
            Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => Some(&mut binding.call.url),
            Binding::None | Binding::IdToken | Binding::Signature | Binding::Profile(_) => None,
        });
        templates.extend(self.id_token.as_mut().and_then(|id_token| match &mut id_token.keys {
            IdTokenKeys::Discovery(url) | IdTokenKeys::Jwks(url) | IdTokenKeys::JwksOrClientSecret(url) => {
                Some(url)
            }
            IdTokenKeys::ClientSecret => None,
        }));
        templates
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn invalid(error: toml::de::Error) -> DefinitionError {
    DefinitionError::Invalid(told(&error))
}

/// Keys with one of several words below them, as in `keys = { jwks = "…" }`: another word takes the first one's place.
const CHOICES: [&str; 3] = ["keys", "client_auth", "auth"];

fn lay_over(base: &mut toml::Table, overrides: toml::Table) {
    for (key, value) in overrides {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) if !CHOICES.contains(&&*key) => {
                lay_over(below, above);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::definition::ClientAuthentication;
    use super::*;

    #[test]
    fn an_override_changes_its_own_key_and_no_other() {
        let overrides = "[exchange]\nurl = \"http://127.0.0.1/token\"".parse().unwrap();
        let definition = Definition::from_catalogue("snapchat", overrides).unwrap();
        let exchange = definition.exchange.unwrap();
        assert_eq!(exchange.url.as_literal(), Some("http://127.0.0.1/token"));
        assert_eq!(exchange.client_auth, ClientAuthentication::Basic);
    }

    #[test]
    fn another_choice_takes_the_place_of_the_first() {
        let overrides = "id_token.keys.jwks = \"https://keys.example\"".parse().unwrap();
        let definition = Definition::from_catalogue("linkedin", overrides).unwrap();
        let keys = IdTokenKeys::Jwks(Template::literal("https://keys.example"));
        assert_eq!(definition.id_token.unwrap().keys, keys);
    }

    #[test]
    fn words_the_engine_does_not_know_are_refused() {
        for overrides in [
            "colour = \"yellow\"",
            "[profile]\nredirect = true",
            "[binding]\nkind = \"hope\"",
            "[binding]\nclient = { at = \"/id\" }",
            "[profile.subject]\nat = \"data\"\ntype = \"string\"",
            "accept = [\"me_object\"]",
        ] {
            let refused = Definition::from_catalogue("snapchat", overrides.parse().unwrap());
            assert!(matches!(refused, Err(DefinitionError::Invalid(_))), "{overrides}");
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = Definition::from_catalogue("snapcat", toml::Table::new()).unwrap_err().to_string();
        assert!(error.contains("\"snapcat\" (did you mean \"snapchat\"?)"), "{error}");
    }

    #[test]
    fn every_block_of_the_catalogue_can_be_shown() {
        for name in catalogue::names() {
            assert!(Definition::of_catalogue(name).is_some(), "{name}");
        }
        assert!(Definition::of_catalogue("nobody").is_none());
    }

    /// About ten lines: what an operator writes for a provider that is in no catalogue.
    const OWN: &str = r#"
        name     = "Our login"
        register = "Ask the platform team."
        id_scope = "global"
        accept   = ["code", "access_token"]
        [authorize]
        url = "https://login.example.com/authorize"
        [exchange]
        url         = "https://login.example.com/token"
        client_auth = "basic"
        [profile]
        url     = "https://login.example.com/me"
        subject = { at = "/id", type = "integer" }
        [binding]
        kind   = "endpoint"
        url    = "https://login.example.com/token-info"
        client = { at = "/client_id" }
        user   = { at = "/user_id", type = "integer" }
    "#;

    fn own(from: &str, to: &str) -> Result<Definition, DefinitionError> {
        assert!(OWN.contains(from), "{from}");
        Definition::from_catalogue("our-login", OWN.replace(from, to).parse().unwrap())
    }

    #[test]
    fn what_nothing_gives_a_value_is_refused_where_keys_and_endpoints_are() {
        for (block, url, cure) in [
            (
                "google",
                "id_token.keys.jwks = \"https://keys.example/{nonesuch}\"",
                "id_token.keys.jwks: takes no values",
            ),
            (
                "google",
                "id_token.keys.discovery = \"https://a.example/{token}\"",
                "id_token.keys.discovery: takes no values",
            ),
            (
                "steam",
                "openid2.endpoint = \"https://a.example/{client_id}\"",
                "openid2.endpoint: takes no values",
            ),
        ] {
            let error = Definition::from_catalogue(block, url.parse().unwrap()).unwrap_err().to_string();
            assert!(error.contains(cure), "{url}: {error}");
        }
    }

    #[test]
    fn an_operators_own_provider_needs_no_catalogue() {
        assert_eq!(own("", "").unwrap().name, "Our login");
    }

    #[test]
    fn a_client_without_a_secret_has_pkce() {
        assert!(own("\"basic\"", "\"none\"").is_ok());
        let bare =
            OWN.replace("\"basic\"", "\"none\"").replace("[authorize]", "pkce = \"never\"\n[authorize]");
        let error = Definition::from_catalogue("our-login", bare.parse().unwrap()).unwrap_err().to_string();
        assert!(error.contains("client_auth = \"none\" needs pkce = \"required\""), "{error}");
    }

    #[test]
    fn contradictions_and_weak_proofs_are_refused_with_the_cure() {
        for (from, to, cure) in [
            ("[\"code\", \"access_token\"]", "[]", "at least one kind"),
            ("[\"code\", \"access_token\"]", "[\"code\", \"code\"]", "once"),
            ("[\"code\", \"access_token\"]", "[\"id_token\"]", "needs [id_token]"),
            ("[\"code\", \"access_token\"]", "[\"code\", \"signed_fields\"]", "[signed_fields] or [openid2]"),
            ("https://login.example.com/me", "http://login.example.com/me", "must begin with https://"),
            ("https://login.example.com/me", "https://{token}.example.com/me", "name its host itself"),
            ("https://login.example.com/me", "https://login.example.com@evil/me", "name its host itself"),
            ("https://login.example.com/me", "https://login.example.com/{openid}/me", "{openid}"),
            (
                "https://login.example.com/token\"",
                "https://login.example.com/{token}\"",
                "before the exchange",
            ),
            ("/authorize\"", "/authorize?c={client_id}\"", "authorize.parameters"),
            ("at = \"/id\"", "at = \"/data/username\"", "can change hands"),
            ("        client = { at = \"/client_id\" }\n", "", "needs `client`"),
            ("\"endpoint\"", "\"client_auth_endpoint\"", "{client_secret}"),
            ("\"endpoint\"", "\"none\"", "takes no `client`"),
            ("\"endpoint\"", "\"hope\"", "known are none, id_token"),
            ("[binding]\n", "[binding]\nform = { a = \"b\" }\n", "method = \"POST\""),
        ] {
            let error = own(from, to).unwrap_err().to_string();
            assert!(error.contains(cure), "{to}: {error}");
        }
        let forgotten = OWN.split("[binding]").next().unwrap();
        let error = Definition::from_catalogue("our-login", forgotten.parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("write the whole block"), "{error}");
    }
}
