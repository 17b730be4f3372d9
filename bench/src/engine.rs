//! What the engine adds to a verification beyond the network: providers answer at once, from memory, and the
//! CPU of this process is what the engine takes to write its requests and to read the answers.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use daypass_core::ground::clock::SystemClock;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::Definition;
use daypass_core::login::provider::{Engine, Identifier, Provider, UnverifiedProof};
use futures::executor::block_on;
use http::{Request, Response};

use crate::issuer::{CLIENT, Issuer};
use crate::size::Size;
use crate::table::{Cell, Column, Table};
use crate::{Outcome, cpu};

const TARGET_US: f64 = 30.0;

/// A kind of proof at a provider of the catalogue, and what the provider says to it.
struct Row {
    title: &'static str,
    provider: Arc<Provider>,
    answers: Answers,
    proof: Box<dyn Fn(u32) -> UnverifiedProof>,
}

/// Answers by what the path of a request ends with.
#[derive(Clone)]
struct Answers(Vec<(&'static str, Bytes)>);

#[async_trait]
impl ProviderHttp for Answers {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let known = self.0.iter().find(|(path, _)| request.uri().path().ends_with(path));
        let (_, body) = known.ok_or_else(|| ProviderHttpError::Unreachable("not in this bench".into()))?;
        Ok(Response::new(body.clone()))
    }
}

pub(crate) fn tables(size: &Size) -> Outcome<Vec<Table>> {
    let title = "What verifying a proof costs beyond HTTP, the providers answering at once";
    let mut table = Table::new("engine", title, [Column::less("CPU", "µs", 1)]);
    for row in [by_code()?, by_access_token()?, by_id_token()?] {
        let measured = (0..size.rounds).map(|round| row.measure(round, size.verifications));
        let rounds = measured.collect::<Outcome<Vec<_>>>()?;
        table.row(row.title, [Some(Cell::of(rounds).at_most(TARGET_US))]);
    }
    Ok(vec![table])
}

impl Row {
    /// Microseconds of CPU for each of `count` proofs, no two of which are the same: a proof that is being
    /// verified or was refused is not asked about again.
    fn measure(&self, round: u32, count: u32) -> Outcome<f64> {
        let engine = Engine::new(Arc::new(self.answers.clone()), Arc::new(SystemClock));
        let proofs: Vec<_> = (0..count).map(|number| (self.proof)(round * count + number)).collect();
        let before = cpu::seconds_of(std::process::id())?;
        for proof in proofs {
            block_on(engine.verify(&self.provider, proof))?;
        }
        let used = cpu::seconds_since(std::process::id(), before)?;
        Ok(used * 1e6 / f64::from(count))
    }
}

fn by_code() -> Outcome<Row> {
    let me = r#"{"data":{"me":{"externalId":"CAESIPiRBp0e5gLDq7VVurQ3rVdmdbqxpOJWynjyBL/xlo0w",
        "displayName":"Ada","bitmoji":{"avatar":"https://sdk.bitmoji.com/render/panel/ada.png","id":"ada"}}}}"#;
    Ok(Row {
        title: "authorization code, two calls (Snapchat)",
        provider: provider(Definition::from_catalogue("snapchat", toml::Table::new())?),
        answers: Answers(vec![
            ("/token", r#"{"access_token":"token-of-ada","token_type":"Bearer","expires_in":3600}"#.into()),
            ("/me", me.into()),
        ]),
        proof: Box::new(|number| UnverifiedProof::Code {
            code: Secret::new(format!("code-{number}")),
            code_verifier: Some(Secret::new("a-verifier-that-is-long-enough-for-any-provider")),
            redirect_uri: "https://app.example.com/signed-in".into(),
            nonce: None,
            callback: std::collections::BTreeMap::new(),
        }),
    })
}

fn by_access_token() -> Outcome<Row> {
    let inspection = format!(r#"{{"data":{{"app_id":"{CLIENT}","is_valid":true,"user_id":"10158"}}}}"#);
    let me = r#"{"id":"10158","name":"Ada","picture":{"data":{"url":"https://graph.facebook.com/ada.png"}}}"#;
    Ok(Row {
        title: "access token, bound by a call (Facebook)",
        provider: provider(Definition::from_catalogue("facebook", toml::Table::new())?),
        answers: Answers(vec![("/debug_token", inspection.into()), ("/me", me.into())]),
        proof: Box::new(|number| UnverifiedProof::AccessToken(Secret::new(format!("token-{number}")))),
    })
}

/// The signature's verification is in the figure.
fn by_id_token() -> Outcome<Row> {
    let issuer = Issuer::generate("127.0.0.1".into())?;
    let block = "id_token.issuers = [\"http://127.0.0.1\"]\n\
         id_token.keys.jwks = \"http://127.0.0.1/keys\"\nid_token.nonce = \"none\"\n";
    Ok(Row {
        title: "ID token, RS256, keys at hand (Facebook)",
        provider: provider(Definition::from_catalogue("facebook", block.parse()?)?),
        answers: Answers(vec![("/keys", issuer.key_set().into())]),
        proof: Box::new(move |number| UnverifiedProof::IdToken {
            token: Secret::new(issuer.token(&format!("person-{number}")).expect("the issuer has its key")),
            nonce: None,
        }),
    })
}

fn provider(definition: Definition) -> Arc<Provider> {
    Arc::new(Provider {
        id: "measured".into(),
        definition: definition.into(),
        identifier: Identifier::Prefixed,
        client_id: CLIENT.into(),
        other_client_ids: Vec::new(),
        app_id: None,
        client_secret: Some(Secret::new("the secret of the bench's client")),
        apple: None,
        catalogue: None,
        only_actors: false,
        accept_unbound_access_tokens: false,
        cache_verified: None,
        recheck: daypass_core::login::provider::RECHECK,
    })
}
