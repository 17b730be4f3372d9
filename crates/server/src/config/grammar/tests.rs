//! The grammar and the types that read what it lets pass are one.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

use super::*;
use crate::config::{
    ActorConfig, AppConfig, LimitsConfig, NetworkConfig, Pkcs11Config, ProviderConfig, RoleConfig,
    SecretsConfig, TokensConfig, TracesConfig,
};

/// The keys that a type reads, as it tells them of a key that it does not know.
fn keys_of<T: DeserializeOwned>(known: &str) -> BTreeSet<String> {
    let error =
        format!("{known}\nno_such_key = 1").parse::<toml::Table>().unwrap().try_into::<T>().err().unwrap();
    let text = error.message().to_owned();
    assert!(text.contains("unknown field `no_such_key`"), "{text}");
    text.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

fn names(table: &Table) -> BTreeSet<String> {
    table.own_keys().map(|key| key.name.to_owned()).collect()
}

fn table(name: &str) -> &'static Table {
    let key = FILE.keys.iter().chain(DEFINITION.keys).find(|key| key.name == name).unwrap();
    match key.kind {
        Kind::Table(table) | Kind::Tables(table) => table,
        _ => panic!("{name} is no table"),
    }
}

#[test]
fn every_key_of_the_grammar_is_read_and_every_key_that_is_read_is_in_it() {
    use daypass_core::login::provider::definition as of;
    use daypass_core::login::public::{OidcProvider, UserPool};
    for (name, read) in [
        ("network", keys_of::<NetworkConfig>("")),
        ("limits", keys_of::<LimitsConfig>("")),
        ("secrets", keys_of::<SecretsConfig>("")),
        ("tokens", keys_of::<TokensConfig>("")),
        ("traces", keys_of::<TracesConfig>("")),
        ("credentials", keys_of::<crate::foreign_sts::CredentialsConfig>("")),
        ("oidc_provider", keys_of::<OidcProvider>("")),
        ("user_pool", keys_of::<UserPool>("")),
        ("app", keys_of::<AppConfig>("")),
        ("actor", keys_of::<ActorConfig>("")),
        ("role", keys_of::<RoleConfig>("")),
        ("pool", keys_of::<crate::config::PoolConfig>("")),
        ("authorize", keys_of::<of::Authorize>("")),
        ("exchange", keys_of::<of::Exchange>("")),
        ("id_token", keys_of::<of::IdToken>("")),
        ("signed_fields", keys_of::<of::SignedFields>("")),
        ("openid2", keys_of::<of::OpenId2>("")),
    ] {
        assert_eq!(names(table(name)), read, "[{name}]");
    }
    assert_eq!(names(&DEFINITION), keys_of::<of::Definition>(""));
    let pkcs11 = table("tokens").keys.iter().find(|key| key.name == "pkcs11").unwrap();
    let Kind::Table(pkcs11) = pkcs11.kind else { panic!("[tokens.pkcs11] is no table") };
    assert_eq!(names(pkcs11), keys_of::<Pkcs11Config>(""));
}

#[test]
fn the_catalogue_is_written_in_the_vocabulary_of_the_grammar() {
    use daypass_core::login::provider::{catalogue, load};
    for name in catalogue::names() {
        let block = load::laid_over_catalogue(name, toml::Table::new()).unwrap();
        assert_eq!(faults(&DEFINITION, &block), [], "{name}");
    }
}

#[test]
fn what_a_provider_says_itself_is_no_word_of_the_vocabulary() {
    let own: BTreeSet<_> = PROVIDER.keys.iter().map(|key| key.name).collect();
    assert!(DEFINITION.keys.iter().all(|key| !own.contains(key.name)));
    let provider: ProviderConfig = toml::from_str(
        "id = \"a\"\ncatalogue = \"b\"\nclient_id = \"c\"\nother_client_ids = []\napp_id = \"d\"\n\
         client_secret.env = \"E\"\napple = { team_id = \"f\", key_id = \"g\" }\naccept_unbound_access_tokens = true\nhidden = true\nonly_actors = true\n\
         identifier = \"{subject}\"\ncache_verified = \"1m\"\nrecheck = \"1d\"\nname = \"h\"",
    )
    .unwrap();
    assert_eq!(own.len(), 13, "all of them are in the text above");
    assert_eq!(
        provider.overrides.keys().collect::<Vec<_>>(),
        ["name"],
        "and no other is laid over the catalogue"
    );
}

/// Every key of a table and of those below it, each with its way.
fn all_keys(
    table: &'static Table,
    at: &str,
    seen: &mut Vec<*const Table>,
    into: &mut Vec<(String, &'static Key)>,
) {
    if seen.contains(&std::ptr::from_ref(table)) {
        return;
    }
    seen.push(table);
    for key in table.all_keys() {
        let way = format!("{at}.{}", key.name);
        into.push((way.clone(), key));
        if let Kind::Table(table)
        | Kind::Tables(table)
        | Kind::TableByName(table)
        | Kind::TextOrTables(table) = key.kind
        {
            all_keys(table, &way, seen, into);
        }
    }
}

#[test]
fn the_words_of_the_grammar_are_those_that_are_read() {
    let (mut seen, mut keys) = (Vec::new(), Vec::new());
    all_keys(&FILE, "", &mut seen, &mut keys);
    let mut compared = 0;
    for (way, key) in keys {
        let (texts, words) = match key.kind {
            Kind::Choice(texts) => (texts, &[][..]),
            Kind::TextOrWord(texts, words) => (texts, words),
            _ => continue,
        };
        let told = (key.read)(&Value::String("no_such_word".into())).err();
        // What is read as any text first (the driver, the kind of a binding) tells its words elsewhere.
        let Some(told) = told.filter(|told| told.contains("unknown variant `no_such_word`")) else {
            for text in texts {
                assert!((key.read)(&Value::String((*text).into())).is_ok(), "{way}: {text}");
            }
            continue;
        };
        let read: BTreeSet<&str> = told.split('`').skip(3).step_by(2).collect();
        let written: BTreeSet<&str> = texts.iter().chain(words).copied().collect();
        assert_eq!(written, read, "{way}: {told}");
        compared += 1;
    }
    assert!(compared >= 12, "{compared}");
}
