//! What differs between providers, as data: a TOML block in the vocabulary of [`Definition`]. A block
//! that uses a word this engine does not know is refused when it is loaded, never half understood
//! (`load.rs`), and `validate.rs` refuses what contradicts itself.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::picture::Picture;
use super::pointer::{Pointer, Subject, Value};
use super::template::Template;

/// How to talk to one provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What people call it.
    pub name: String,
    /// Where a client is registered, and what has to be entered there: for the documentation.
    pub register: String,
    /// Facts in this block that nobody has confirmed.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// For whom the external ID of a person is the same.
    pub id_scope: IdScope,
    /// The kinds of proof that it can confirm.
    pub accept: Vec<ProofKind>,
    /// Parts of URLs that differ between installations of the provider, such as its host. They come from here
    /// and from the operator, never from a request.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// What a login asks for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between scopes.
    #[serde(default)]
    pub scope_separator: ScopeSeparator,
    /// Whether the flow uses PKCE.
    #[serde(default)]
    pub pkce: Pkce,
    /// Where a login starts.
    pub authorize: Option<Authorize>,
    /// Where a code is redeemed.
    pub exchange: Option<Exchange>,
    /// Who an access token belongs to.
    pub profile: Option<Profile>,
    /// How its ID tokens are believed.
    pub id_token: Option<IdToken>,
    /// How fields that it signed with a secret of ours are believed.
    pub signed_fields: Option<SignedFields>,
    /// How its OpenID 2.0 assertions are believed.
    pub openid2: Option<OpenId2>,
    /// How we know that an access token was issued to our client. There is no default: a definition has to
    /// say it (docs/reference/providers.md, 1-3).
    pub binding: Binding,
}

/// A kind of proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// An authorization code.
    Code,
    /// An access token.
    AccessToken,
    /// An ID token.
    IdToken,
    /// Fields that came back to our page, signed.
    SignedFields,
}

impl fmt::Display for ProofKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "authorization code",
            Self::AccessToken => "access token",
            Self::IdToken => "ID token",
            Self::SignedFields => "signed fields",
        })
    }
}

/// For whom a person has the same external ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdScope {
    /// For one client only: another app's token yields another ID.
    App,
    /// For all clients of one developer.
    Developer,
    /// For one tenant, workspace, host or shop.
    Tenant,
    /// For everybody: another app's token opens the account.
    Global,
    /// Nobody has confirmed it.
    Unknown,
}

/// A part of URLs that the operator may replace.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// What it is, for the documentation.
    pub about: String,
    /// Its value; without one the operator has to give it.
    pub value: Option<String>,
}

/// What stands between scopes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeSeparator {
    /// A space (RFC 6749 section 3.3).
    #[default]
    Space,
    /// A comma.
    Comma,
    /// A semicolon.
    Semicolon,
}

impl ScopeSeparator {
    /// The character.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Space => " ",
            Self::Comma => ",",
            Self::Semicolon => ";",
        }
    }
}

/// Whether a flow uses PKCE (RFC 7636), always with S256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pkce {
    /// Always: the provider refuses a flow without, or honours it reliably.
    #[default]
    Required,
    /// Never: the provider does not know it. Nothing but the login flow's own cookie ties such a code to the
    /// browser.
    Never,
}

/// The authorization endpoint (RFC 6749 section 3.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorize {
    /// Its URL, perhaps with a fragment.
    pub url: Template,
    /// Parameters that are always the same.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// Standard parameter → what this provider calls it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Whether the answer comes as a form post instead of a query.
    #[serde(default)]
    pub form_post: bool,
}

/// The token endpoint (RFC 6749 section 3.2).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// Its URL.
    pub url: Template,
    /// How our client shows who it is.
    pub client_auth: ClientAuthentication,
    /// Where the parameters stand.
    #[serde(default)]
    pub parameters_in: ParametersIn,
    /// Parameters that are always the same.
    #[serde(default)]
    pub parameters: BTreeMap<String, Template>,
    /// Standard parameter → what this provider calls it.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Parameters of the callback that go along, by their own names.
    #[serde(default)]
    pub callback: Vec<String>,
    /// How the answer is written.
    #[serde(default)]
    pub decode: Decode,
    /// What must hold for the answer to be a success.
    #[serde(default)]
    pub success: Vec<Condition>,
    /// How the answer says that it is our client that is wrong, where it does not say so in the words of the
    /// standard (RFC 6749 section 5.2).
    pub client_errors: Option<ClientErrors>,
    /// Where the access token stands.
    #[serde(default = "Pointer::of_access_token")]
    pub access_token: Pointer,
    /// Values for later calls, by name.
    #[serde(default)]
    pub take: BTreeMap<String, Value>,
    /// Whether the person is read from the ID token that comes along, rather than from the profile.
    #[serde(default)]
    pub reads_id_token: bool,
}

/// A provider's own words for a client that it does not accept.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientErrors {
    /// Where an answer has its error.
    pub at: Pointer,
    /// The words.
    pub are: Vec<String>,
}

/// How a client shows who it is (RFC 6749 section 2.3).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuthentication {
    /// HTTP Basic.
    Basic,
    /// HTTP Basic, and the client ID among the parameters.
    BasicAndId,
    /// ID and secret among the parameters.
    Parameters,
    /// The ID among the parameters, the secret in a header of this name.
    Header(String),
    /// ID and a secret that is a JWT, made anew and signed with the ES256 key that the operator was given
    /// (Sign in with Apple, "Creating a client secret").
    AppleJwt,
}

/// Where the parameters of a token request stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParametersIn {
    /// In a form.
    #[default]
    Form,
    /// In a JSON object.
    Json,
    /// In the query of a GET.
    Query,
}

/// One question to a provider.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// GET unless it says POST.
    #[serde(default)]
    pub method: CallMethod,
    /// Where to ask.
    pub url: Template,
    /// What shows that we may ask.
    #[serde(default)]
    pub auth: CallAuthentication,
    /// Further headers.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The fields of a form body.
    pub form: Option<BTreeMap<String, Template>>,
    /// A JSON body. A text that is nothing but `{name}` stands for that value; any other stands for itself.
    pub json: Option<serde_json::Map<String, serde_json::Value>>,
    /// How the answer is written.
    #[serde(default)]
    pub decode: Decode,
    /// What must hold for the answer to be a success, beside status 200.
    #[serde(default)]
    pub success: Vec<Condition>,
    /// What says no to the proof, with status 200: one of these is enough. An introspection says
    /// `active: false` so (RFC 7662 section 2.2).
    #[serde(default)]
    pub refused: Vec<Condition>,
    /// Values for later calls, by name.
    #[serde(default)]
    pub take: BTreeMap<String, Value>,
}

/// The methods of a call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum CallMethod {
    /// Without a body.
    #[default]
    #[serde(rename = "GET")]
    Get,
    /// With a form, a JSON body, or an empty one.
    #[serde(rename = "POST")]
    Post,
}

/// What shows that we may ask.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallAuthentication {
    /// `Authorization: Bearer` with the access token (RFC 6750 section 2.1).
    #[default]
    Bearer,
    /// `Authorization: OAuth` with the access token.
    Oauth,
    /// A header of this name with the bare access token.
    Header(String),
    /// Our client's ID and secret, by HTTP Basic.
    ClientBasic,
    /// Nothing but what stands in URL, headers or body.
    None,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decode {
    /// JSON.
    #[default]
    Json,
    /// JSON, perhaps within a call of JavaScript: `callback( {…} );`.
    Jsonp,
    /// `name=value&…`.
    Form,
}

/// The call that says whose an access token is, and where its answer says so.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Table")]
pub struct Profile {
    /// The call.
    pub call: Call,
    /// The external ID.
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

/// How ID tokens are believed (OpenID Connect Core 1.0 section 3.1.3.7).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// Each a spelling of its issuer. `{claim:tid}` stands for that claim of the token.
    pub issuers: Vec<String>,
    /// Whose keys sign them.
    pub keys: IdTokenKeys,
    /// The oldest that one may be, from its `iat`.
    #[serde(default, with = "seconds")]
    pub max_age: Option<i64>,
    /// How the nonce of the login stands in it.
    #[serde(default)]
    pub nonce: NonceMode,
    /// Claims that must have one of these values.
    #[serde(default)]
    pub claims: BTreeMap<String, Vec<serde_json::Value>>,
    /// The external ID.
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    #[serde(default)]
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

/// Where the keys of ID tokens are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdTokenKeys {
    /// Where this issuer's metadata say.
    Discovery(Template),
    /// At this URL.
    Jwks(Template),
    /// There are none: our client's secret is the key of an HMAC (HS256).
    ClientSecret,
}

/// How the nonce of a login stands in its ID token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NonceMode {
    /// As it was sent.
    #[default]
    Exact,
    /// As the hex SHA-256 of what the app holds, or as that itself.
    Sha256,
    /// Not at all, or as something that the app cannot name: it is not looked at.
    None,
}

/// Durations in TOML.
pub mod seconds {
    use serde::{Deserialize, Deserializer};

    /// Reads `90s`, `15m` or `1h`, in seconds.
    ///
    /// # Errors
    /// For any other spelling.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).unwrap_or_default();
        let scale = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 0,
        };
        match number.parse::<i64>() {
            Ok(number) if number > 0 && scale > 0 => Ok(Some(number.saturating_mul(scale))),
            _ => {
                Err(serde::de::Error::custom(format!("{text:?} is no duration: write `90s`, `15m` or `1h`")))
            }
        }
    }
}

/// Fields signed with a key that follows from our client's secret (Telegram's login widget, Shopify's
/// callback). The signature is the hex HMAC-SHA-256 of `name=value` of all other fields, sorted and joined.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedFields {
    /// The field that holds the signature.
    pub signature: String,
    /// What stands between fields.
    pub joiner: String,
    /// How the key follows from the secret.
    pub key: SignedFieldsKey,
    /// The field that says when it was signed, in seconds since 1970.
    pub signed_at: String,
    /// The oldest that it may be, in seconds.
    pub max_age_seconds: i64,
    /// Where among the fields the external ID is: a pointer of one step.
    pub subject: Subject,
    /// A name for screens: the first of these that is there.
    #[serde(default)]
    pub name: Vec<Pointer>,
    /// A picture for screens.
    pub avatar: Option<Picture>,
}

/// How the key of signed fields follows from the client's secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedFieldsKey {
    /// It is the secret.
    Secret,
    /// It is the SHA-256 of the secret.
    Sha256OfSecret,
}

/// OpenID Authentication 2.0, as far as Steam speaks it: the assertion is echoed to the provider, which says
/// whether it made it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenId2 {
    /// The provider's endpoint, where logins start and assertions are checked.
    pub endpoint: Template,
    /// What every identifier begins with; the rest is the external ID, digits only.
    pub identifier_prefix: String,
}

/// One thing that must hold for an answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Where to look.
    pub at: Pointer,
    /// What must be there.
    pub is: Expectation,
}

/// What must stand at a pointer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Nothing, null, or an empty array.
    AbsentOrEmpty,
    /// Anything but null.
    Present,
    /// This value.
    Equal(serde_json::Value),
    /// Nothing, or this value.
    AbsentOr(serde_json::Value),
    /// A number greater than this.
    Greater(i64),
}

/// How we know that an access token was issued to our client (docs/reference/providers.md, 2.1).
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "toml::Table")]
pub enum Binding {
    /// We cannot know. Bare access tokens are refused.
    None,
    /// By its ID token alone, whose audience is our client. Bare access tokens are refused.
    IdToken,
    /// By the provider's signature, made with a secret of ours. There are no access tokens.
    Signature,
    /// By the profile, which names the client.
    Profile(NamedClient),
    /// By a call that the token itself opens, and that names the client.
    Endpoint(BindingCall),
    /// By a call that needs our client's credentials, and that says no to other clients' tokens.
    ClientAuthEndpoint(BindingCall),
}

/// A call that says to whom a token was issued.
#[derive(Debug, Clone)]
pub struct BindingCall {
    /// The call.
    pub call: Call,
    /// Where it names the client. Without it the call itself is the answer.
    pub client: Option<NamedClient>,
    /// Where it names the person, who has to be the profile's.
    pub user: Option<Value>,
}

/// Where an answer names the client, and what has to stand there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedClient {
    /// Where.
    pub at: Pointer,
    /// Which of the operator's names for the client.
    #[serde(default)]
    pub is: ClientName,
}

/// A name of our client at a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientName {
    /// The client ID, or another one of the same app that the operator named.
    #[default]
    ClientId,
    /// The number of the app, which some providers know beside the client ID.
    AppId,
}
