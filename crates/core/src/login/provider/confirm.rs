//! The ways to a login, one for each kind of proof.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::client::Provider;
use super::definition::{
    Binding, BindingCall, ClientAuthentication, Exchange, IdToken, IdTokenKeys, NonceMode, Pkce, ProofKind,
};
use super::error::ProofError;
use super::proof::UnverifiedProof;
use super::signed::{Fields, UseOnce};
use super::template::{CannotFillIn, Name, Template, Values};
use super::verified::{Confirmed, DisplayUser, Recheck};
use super::way::WayTo;
use super::{answer, apple, call, pointer, signed};
use crate::ground::clock::Clock;
use crate::ground::outbound::ProviderHttp;
use crate::ground::secret::Secret;
use crate::login::id_token::{self, Audience, Expectation, Keys, Nonce, Verifier};
use crate::login::jwks::KeySource;

/// Asks providers.
pub(super) struct Confirmer {
    pub(super) http: Arc<dyn ProviderHttp>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) id_tokens: Verifier,
}

impl Confirmer {
    pub(super) async fn confirm(
        &self,
        provider: &Provider,
        proof: UnverifiedProof,
    ) -> Result<Confirmed, ProofError> {
        match proof {
            UnverifiedProof::Code { .. } => self.by_code(provider, proof).await,
            UnverifiedProof::AccessToken(token) => self.by_access_token(provider, &token).await,
            UnverifiedProof::IdToken { token, nonce } => {
                self.by_id_token(provider, &token, nonce.as_ref()).await
            }
            UnverifiedProof::SignedFields { fields, redirect_uri } => {
                self.by_signed_fields(provider, &fields, &redirect_uri).await
            }
        }
    }

    fn way_to<'a>(&'a self, provider: &'a Provider) -> WayTo<'a> {
        WayTo { provider, http: &*self.http }
    }

    async fn by_code(&self, provider: &Provider, proof: UnverifiedProof) -> Result<Confirmed, ProofError> {
        let UnverifiedProof::Code { code, code_verifier, redirect_uri, nonce, callback } = proof else {
            return Err(ProofError::KindNotAccepted(ProofKind::Code));
        };
        let exchange =
            provider.definition.exchange.as_ref().ok_or(ProofError::KindNotAccepted(ProofKind::Code))?;
        let code_verifier = match provider.definition.pkce {
            Pkce::Required => Some(code_verifier.as_ref().ok_or(ProofError::VerifierMissing)?),
            Pkce::Never => None,
        };
        if exchange.reads_id_token && code_verifier.is_none() && nonce.is_none() {
            return Err(ProofError::NonceMissing);
        }
        let mut values = provider.values();
        let redemption = call::Redemption {
            code: &code,
            code_verifier,
            redirect_uri: &redirect_uri,
            callback: callback.into_iter().filter(|(name, _)| exchange.callback.contains(name)).collect(),
            client_secret: self.made_secret(provider, exchange)?,
        };
        let answer = call::redeem(exchange, redemption, &values, &self.way_to(provider)).await?;
        let refresh_token = answer::refresh_token(&exchange.access_token, &answer);
        if exchange.reads_id_token {
            let token = answer.pointer(exchange.id_token.as_str()).and_then(Value::as_str).map(Secret::new);
            let token = token.ok_or(ProofError::AnswerMalformed("the token answer has no id_token"))?;
            let confirmed = self.by_id_token(provider, &token, nonce.as_ref()).await?;
            return Ok(Confirmed { refresh_token, ..confirmed });
        }
        take(&exchange.take, &answer, &mut values)?;
        let token = answer::access_token(&exchange.access_token, &answer)?;
        let confirmed = self.by_own_token(provider, provider.with_token(values, &token)).await?;
        Ok(Confirmed { refresh_token, ..confirmed })
    }

    /// Whether a provider still lets us act for somebody, by the refresh token that it gave.
    pub(super) async fn recheck(
        &self,
        provider: &Provider,
        refresh_token: &Secret,
    ) -> Result<Recheck, ProofError> {
        let exchange = provider.definition.exchange.as_ref();
        let exchange = exchange.ok_or(ProofError::KindNotAccepted(ProofKind::Code))?;
        let (secret, values) = (self.made_secret(provider, exchange)?, provider.values());
        let answer = call::refresh(exchange, refresh_token, secret, &values, &self.way_to(provider)).await?;
        Ok(match answer {
            Some(answer) => Recheck::Stands(answer::refresh_token(&exchange.access_token, &answer)),
            None => Recheck::Ended,
        })
    }

    /// The client secret that has to be made for this request, where it is one of that kind.
    fn made_secret(&self, provider: &Provider, exchange: &Exchange) -> Result<Option<Secret>, ProofError> {
        if exchange.client_auth != ClientAuthentication::AppleJwt {
            return Ok(None);
        }
        let missing = || ProofError::Misconfigured("apple: team_id and key_id are missing".into());
        let key = provider.apple.as_ref().ok_or_else(missing)?;
        apple::client_secret(key, &provider.client_id, provider.secret()?, self.clock.now()).map(Some)
    }

    /// Whose a token is that we were given ourselves. The binding is asked only if the profile leans on what it
    /// takes.
    async fn by_own_token(&self, provider: &Provider, mut values: Values) -> Result<Confirmed, ProofError> {
        if let Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) =
            &provider.definition.binding
            && !binding.call.take.is_empty()
        {
            self.bind(provider, binding, &mut values).await?;
        }
        self.read_profile(provider, &values, Bound::default()).await
    }

    async fn by_access_token(&self, provider: &Provider, token: &Secret) -> Result<Confirmed, ProofError> {
        let mut values = provider.with_token(provider.values(), token);
        let bound = match &provider.definition.binding {
            Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => {
                self.bind(provider, binding, &mut values).await?
            }
            Binding::None | Binding::IdToken | Binding::Signature | Binding::Profile(_) => Bound::default(),
        };
        self.read_profile(provider, &values, bound).await
    }

    /// Has the provider say to whom a token was issued, and whose it is, where it names the person.
    async fn bind(
        &self,
        provider: &Provider,
        binding: &BindingCall,
        values: &mut Values,
    ) -> Result<Bound, ProofError> {
        let answer = call::send(&binding.call, values, &self.way_to(provider)).await?;
        let client =
            binding.client.as_ref().map(|named| provider.check_client(named, &answer)).transpose()?;
        take(&binding.call.take, &answer, values)?;
        let person = |wanted| answer::value(wanted, &answer).ok_or(ProofError::SubjectMissing);
        let person = binding.user.as_ref().map(person).transpose()?;
        Ok(Bound { client, person })
    }

    /// Asks whose the token is. If the binding has named somebody, it has to be the same person.
    async fn read_profile(
        &self,
        provider: &Provider,
        values: &Values,
        bound: Bound,
    ) -> Result<Confirmed, ProofError> {
        let profile = provider.definition.profile.as_ref();
        let profile = profile.ok_or(ProofError::KindNotAccepted(ProofKind::AccessToken))?;
        let answer = call::send(&profile.call, values, &self.way_to(provider)).await?;
        let client = match &provider.definition.binding {
            Binding::Profile(named) => Some(provider.check_client(named, &answer)?),
            _ => bound.client,
        };
        let external_id = answer::subject(&profile.subject, &answer)?;
        if bound.person.is_some_and(|bound| bound != external_id) {
            return Err(ProofError::TwoPeople);
        }
        let user = DisplayUser::read(&profile.name, profile.avatar.as_ref(), &answer);
        Ok(Confirmed {
            external_id,
            client,
            user,
            answer,
            issuer: None,
            session: None,
            use_once: None,
            refresh_token: None,
        })
    }

    async fn by_id_token(
        &self,
        provider: &Provider,
        token: &Secret,
        nonce: Option<&Secret>,
    ) -> Result<Confirmed, ProofError> {
        let definition = provider.definition.id_token.as_ref();
        let definition = definition.ok_or(ProofError::KindNotAccepted(ProofKind::IdToken))?;
        let expected = expectation(provider, definition, nonce)?;
        let id_token::Verified { client, claims } = self.id_tokens.verify(&expected, token).await?;
        let claims = Value::Object(claims);
        let external_id = answer::subject(&definition.subject, &claims)?;
        let user = DisplayUser::read(&definition.name, definition.avatar.as_ref(), &claims);
        let text = |claim: &str| claims.get(claim).and_then(Value::as_str).map(str::to_owned);
        let (issuer, session) = (text("iss"), text("sid"));
        let client = Some(client);
        Ok(Confirmed {
            external_id,
            client,
            user,
            answer: claims,
            issuer,
            session,
            use_once: None,
            refresh_token: None,
        })
    }

    async fn by_signed_fields(
        &self,
        provider: &Provider,
        fields: &Fields,
        redirect_uri: &str,
    ) -> Result<Confirmed, ProofError> {
        let (definition, now) = (&provider.definition, self.clock.now());
        if let Some(openid) = &definition.openid2 {
            let (external_id, use_once) =
                signed::check_assertion(openid, fields, redirect_uri, now, &self.way_to(provider)).await?;
            return Ok(signed_login(external_id, DisplayUser::default(), Value::Null, use_once));
        }
        let definition = definition.signed_fields.as_ref();
        let definition = definition.ok_or(ProofError::KindNotAccepted(ProofKind::SignedFields))?;
        let use_once = signed::check_fields(definition, provider.secret()?, fields, now)?;
        let answer = signed::as_answer(fields);
        let user = DisplayUser::read(&definition.name, definition.avatar.as_ref(), &answer);
        let external_id = answer::subject(&definition.subject, &answer)?;
        Ok(signed_login(external_id, user, answer, use_once))
    }
}

/// What a binding says of a token: the client of ours and the person, each where the answer names it.
#[derive(Default)]
struct Bound {
    client: Option<String>,
    person: Option<String>,
}

/// A login that the provider signed with a secret of ours, which says whose client it is for.
fn signed_login(external_id: String, user: DisplayUser, answer: Value, use_once: UseOnce) -> Confirmed {
    let (issuer, session) = (None, None);
    Confirmed {
        external_id,
        client: None,
        user,
        answer,
        issuer,
        session,
        use_once: Some(use_once),
        refresh_token: None,
    }
}

impl IdToken {
    /// Where the keys are that sign the provider's ID tokens; nothing, if that is our client's secret.
    ///
    /// # Errors
    /// [`CannotFillIn`], for a URL that takes values of a request, which loading a definition refuses.
    pub fn key_source(&self) -> Result<Option<KeySource>, CannotFillIn> {
        let url = |template: &Template| template.url(&Values::default());
        Ok(match &self.keys {
            IdTokenKeys::Discovery(issuer) => Some(KeySource::Discovery { issuer: url(issuer)? }),
            IdTokenKeys::Jwks(jwks) | IdTokenKeys::JwksOrClientSecret(jwks) => {
                Some(KeySource::JwkSet(url(jwks)?))
            }
            IdTokenKeys::ClientSecret => None,
        })
    }
}

/// What an ID token of this provider has to say. The app that started a login knows its nonce, so a token that has one
/// comes with it; where an SDK keeps it to itself, the definition says that there is none to look at (decision 0018).
fn expectation<'a>(
    provider: &'a Provider,
    definition: &'a IdToken,
    nonce: Option<&'a Secret>,
) -> Result<Expectation<'a>, ProofError> {
    let keys = match (definition.key_source()?, definition.keys.are_shared()) {
        (Some(source), false) => Keys::Published(source),
        (Some(source), true) => Keys::Both(source, provider.secret()?),
        (None, _) => Keys::Shared(provider.secret()?),
    };
    let nonce = match (definition.nonce, nonce.map(Secret::expose)) {
        (NonceMode::None, _) => Nonce::Ignored,
        (_, None) => Nonce::Absent,
        (NonceMode::Exact, Some(nonce)) => Nonce::Exact(nonce),
        (NonceMode::Sha256, Some(nonce)) => Nonce::Sha256(nonce),
    };
    Ok(Expectation {
        issuers: &definition.issuers,
        keys,
        audience: Audience { clients: provider.client_ids().collect(), rule: definition.audience },
        expiry_grace: definition.expiry_grace,
        nonce,
        max_age: definition.max_age,
        claims: &definition.claims,
        rules: definition.rules,
    })
}

/// Takes values out of an answer for later calls.
fn take(
    wanted: &BTreeMap<String, pointer::Value>,
    answer: &Value,
    values: &mut Values,
) -> Result<(), ProofError> {
    for (name, wanted) in wanted {
        let value = answer::value(wanted, answer)
            .ok_or(ProofError::AnswerMalformed("the answer lacks what a later call needs"))?;
        values.set(Name::Other(name.clone()), Secret::new(value));
    }
    Ok(())
}
