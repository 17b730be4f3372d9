//! What one provider says, in the form that it publishes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use daypass_core::login::provider::definition::{Binding, Definition, ProofKind};
use serde::Deserialize;
use serde_json::{Map, Value};

/// `fixtures/NAME.json`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Our client at the provider.
    pub client: Client,
    /// Whom the answers below describe.
    pub expected: Expected,
    /// The token endpoint's answer to a good code. An ID token is added where the definition reads one.
    pub exchange: Option<Reply>,
    /// The binding's answer to a token of ours.
    pub binding: Option<Reply>,
    /// The profile's answer to any good token.
    pub profile: Option<Reply>,
    /// The claims of an ID token; `iss`, `aud`, `iat`, `exp` and `nonce` are added.
    pub id_token: Option<Map<String, Value>>,
    /// Fields to be signed; the time, and what OpenID 2.0 says beside the identifiers, are added.
    pub signed_fields: Option<BTreeMap<String, String>>,
    /// What the provider answers about what it issued to another client.
    pub stolen: Stolen,
    /// What else it is known to answer when something is wrong.
    #[serde(default)]
    pub failures: Vec<Failure>,
}

/// Our client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    #[serde(rename = "client_id")]
    pub id: String,
    /// Left out at Apple, where the test makes a key.
    #[serde(default, rename = "client_secret")]
    pub secret: String,
    pub app_id: Option<String>,
    #[serde(default)]
    pub other_client_ids: Vec<String>,
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    #[serde(default)]
    pub apple: bool,
}

/// The person.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub external_id: String,
    pub name: Option<String>,
    pub avatar: Option<String>,
}

/// An answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    #[serde(default = "ok")]
    pub status: u16,
    /// JSON, or a text that is sent as it is.
    pub body: Value,
}

fn ok() -> u16 {
    200
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Value>) -> Self {
        Self { status, body: body.into() }
    }

    /// What goes over the wire.
    pub fn text(&self) -> String {
        self.body.as_str().map_or_else(|| self.body.to_string(), str::to_owned)
    }
}

/// What the provider answers about another client's proofs, and which error that has to become.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stolen {
    /// About a code.
    pub exchange: Option<Reply>,
    /// What becomes of such a code.
    #[serde(default = "refused")]
    pub exchange_error: String,
    /// About an access token.
    pub binding: Option<Reply>,
    /// About an access token, where the profile itself names the client.
    pub profile: Option<Reply>,
    /// What becomes of such a token.
    #[serde(default = "another_client")]
    pub error: String,
}

fn refused() -> String {
    "Refused".into()
}

fn another_client() -> String {
    "AnotherClient".into()
}

/// A failure that the provider documents.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub step: FailingStep,
    pub status: u16,
    pub body: Value,
    /// The variant of `ProofError` that it has to become.
    pub error: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailingStep {
    Exchange,
    Binding,
    Profile,
}

impl Fixture {
    /// The fixture of an entry.
    pub fn load(name: &str) -> Result<Self, String> {
        let path = dir().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(|_| format!("fixtures/{name}.json is missing"))?;
        serde_json::from_str(&text).map_err(|error| format!("fixtures/{name}.json: {error}"))
    }

    /// What this fixture lacks for every promise to be put to the test.
    pub fn gaps(&self, definition: &Definition) -> Vec<&'static str> {
        let accepts = |kind| definition.accept.contains(&kind);
        let (code, token) = (accepts(ProofKind::Code), accepts(ProofKind::AccessToken));
        let reads_id_token = definition.exchange.as_ref().is_some_and(|exchange| exchange.reads_id_token);
        let calls = matches!(definition.binding, Binding::Endpoint(_) | Binding::ClientAuthEndpoint(_));
        let names_client = matches!(definition.binding, Binding::Profile(_));
        let needs = [
            (code && self.exchange.is_none(), "exchange"),
            (code && self.stolen.exchange.is_none(), "stolen.exchange"),
            ((token || code && !reads_id_token) && self.profile.is_none(), "profile"),
            (token && calls && self.binding.is_none(), "binding"),
            (token && calls && self.stolen.binding.is_none(), "stolen.binding"),
            (token && names_client && self.stolen.profile.is_none(), "stolen.profile"),
            ((accepts(ProofKind::IdToken) || reads_id_token) && self.id_token.is_none(), "id_token"),
            (accepts(ProofKind::SignedFields) && self.signed_fields.is_none(), "signed_fields"),
            (code && !self.fails_at(FailingStep::Exchange), "failures (exchange)"),
            (token && calls && !self.fails_at(FailingStep::Binding), "failures (binding)"),
            (
                (token || code && !reads_id_token) && !self.fails_at(FailingStep::Profile),
                "failures (profile)",
            ),
        ];
        needs.into_iter().filter_map(|(lacks, what)| lacks.then_some(what)).collect()
    }

    fn fails_at(&self, step: FailingStep) -> bool {
        self.failures.iter().any(|failure| failure.step == step)
    }
}

/// Where the fixtures are.
pub fn dir() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "catalogue", "fixtures"].iter().collect()
}
