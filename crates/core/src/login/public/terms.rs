//! The terms on which a pool believes a token. They are those of AWS and not the provider's, so no file says them.

use std::collections::BTreeMap;

use crate::ground::clock::SignedDuration;
use crate::login::id_token::AudienceRule;
use crate::login::jwks::{KeySource, Rules};
use crate::login::provider::definition::{
    Binding, ClientName, Definition, IdScope, IdToken, NonceMode, Pkce, ProofKind, ScopeSeparator,
};
use crate::login::provider::pointer::{Pointer, Subject, Value, ValueType};

/// How long after its `exp` a token is still good, by the promise of IAM's OIDC providers. A user pool's
/// token has no such time.
const EXPIRY_GRACE: SignedDuration = SignedDuration::from_mins(5);

/// An issuer that is in no catalogue: whoever registered it said where its keys are.
pub(super) fn of_issuer(name: &str, issuer: String, keys: KeySource, audience: AudienceRule) -> Definition {
    let id_token = IdToken {
        issuers: vec![issuer],
        keys: keys.into(),
        max_age: None,
        nonce: NonceMode::None,
        claims: BTreeMap::new(),
        audience,
        rules: Rules::Aws,
        expiry_grace: SignedDuration::ZERO,
        subject: Subject(Vec::new()),
        name: Vec::new(),
        avatar: None,
    };
    Definition {
        name: name.to_owned(),
        register: String::new(),
        checked: None,
        unverified: Vec::new(),
        id_scope: IdScope::Unknown,
        accept: vec![ProofKind::IdToken],
        variables: BTreeMap::new(),
        scopes: Vec::new(),
        scope_separator: ScopeSeparator::default(),
        pkce: Pkce::default(),
        authorize: None,
        exchange: None,
        profile: None,
        id_token: Some(of_id_token(id_token, audience)),
        signed_fields: None,
        openid2: None,
        binding: Binding::IdToken,
    }
}

/// A provider that the catalogue knows, as a pool takes it.
pub(super) fn of_catalogue(mut definition: Definition) -> Definition {
    definition.id_token = definition.id_token.map(|it| of_id_token(it, AudienceRule::App));
    match &mut definition.binding {
        Binding::Profile(client) => client.is = ClientName::PoolApp,
        Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => {
            binding.client.iter_mut().for_each(|client| client.is = ClientName::PoolApp);
        }
        Binding::None | Binding::IdToken | Binding::Signature => {}
    }
    definition
}

/// `Logins` has no place for a nonce, and the person is `sub` as it stands.
fn of_id_token(id_token: IdToken, audience: AudienceRule) -> IdToken {
    let subject = Value { at: Pointer::of_subject_claim(), r#type: ValueType::String, strip_prefix: None };
    let expiry_grace = match audience {
        AudienceRule::UserPoolClient => SignedDuration::ZERO,
        AudienceRule::AuthorizedParty | AudienceRule::App | AudienceRule::OneOf => EXPIRY_GRACE,
    };
    let (rules, nonce, subject) = (Rules::Aws, NonceMode::None, Subject(vec![subject]).of_id_token());
    IdToken { nonce, audience, rules, expiry_grace, subject, ..id_token }
}
