//! The authorization endpoint: reads what an app asks for, shows it to a person, and sends the decision
//! back. The form of the page repeats the whole request, and the post is checked as if it came from
//! nowhere; that is what lets it work without a browser.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Response};

use super::Sandbox;
use super::client::Client;
use super::ledger::{CodeBinding, Grant, Kind};
use super::oauth_error::OAuthError;
use super::pages::{self, ConsentPage};
use super::params::Params;
use super::people::{PEOPLE, Person};
use super::return_address::{Part, ReturnAddress};
use super::scope::Scopes;

/// The parameters that make up a request, and which the form posts again.
const REQUEST_PARAMETERS: [&str; 7] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

const UNKNOWN_CLIENT: OAuthError = OAuthError::invalid_request("No app is registered under this client_id.");
const UNREGISTERED_REDIRECT: OAuthError = OAuthError::invalid_request(
    "This redirect_uri is not registered for the app. It must match one character by character, \
     the slash at the end included.",
);
const UNKNOWN_PERSON: OAuthError = OAuthError::invalid_request("Choose one of the people of the sandbox.");
const UNKNOWN_SHARE: OAuthError = OAuthError::invalid_scope("Something to share is not a scope URL.");
const UNKNOWN_SCOPE: OAuthError = OAuthError::invalid_scope(
    "scope must be one or more scope URLs with spaces between; short names are for the SDKs.",
);
const UNKNOWN_DECISION: OAuthError = OAuthError::invalid_request("decision must be allow or deny.");
const UNKNOWN_RESPONSE_TYPE: OAuthError =
    OAuthError::unsupported_response_type("response_type must be code or token.");
const NOT_S256: OAuthError = OAuthError::invalid_request("code_challenge_method must be S256.");
const NO_CHALLENGE: OAuthError =
    OAuthError::invalid_request("code_challenge_method is given without code_challenge.");
const MALFORMED_CHALLENGE: OAuthError =
    OAuthError::invalid_request("code_challenge must be a SHA-256 in base64url: 43 characters.");
const CANCELLED: OAuthError = OAuthError::access_denied("The person chose not to sign in.");

/// Shows the consent page.
pub(super) async fn ask(
    State(sandbox): State<Arc<Sandbox>>,
    params: Result<Params, FormRejection>,
) -> Result<Response, Refusal> {
    let params = params.map_err(|rejection| Refusal::Here(rejection.into()))?;
    let request = AuthorizationRequest::read(&sandbox, &params)?;
    let page = ConsentPage {
        client: request.client,
        redirect_uri: &request.back.redirect_uri,
        people: &PEOPLE,
        scopes: request.scopes.iter().collect(),
        repeated: repeated_by_form(&params),
    };
    Ok(pages::consent(&page, request.back.csp_source()))
}

/// Takes the person's decision.
pub(super) async fn decide(
    State(sandbox): State<Arc<Sandbox>>,
    params: Result<Params, FormRejection>,
) -> Result<Response, Refusal> {
    let params = params.map_err(|rejection| Refusal::Here(rejection.into()))?;
    let request = AuthorizationRequest::read(&sandbox, &params)?;
    if let Err(refusal) = check_decision(&params) {
        return Err(Refusal::AtTheApp(request.back, refusal));
    }
    let grant = request.grant(&params).map_err(Refusal::Here)?;
    Ok(request.answer(&sandbox, grant))
}

/// How a request is refused.
pub(super) enum Refusal {
    /// On a page of our own: there is no address that is proved to be the app's, and sending people
    /// anywhere else would make this an open redirector.
    Here(OAuthError),
    /// At the app's own address.
    AtTheApp(ReturnAddress, OAuthError),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Here(error) => pages::refusal(&error),
            Self::AtTheApp(back, error) => back.refuse(&error),
        }
    }
}

/// A request that is in order.
struct AuthorizationRequest<'a> {
    pub(super) client: &'a Client,
    pub(super) scopes: Scopes,
    pub(super) back: ReturnAddress,
    challenge: Option<String>,
}

impl<'a> AuthorizationRequest<'a> {
    fn read(sandbox: &'a Sandbox, params: &Params) -> Result<Self, Refusal> {
        let (client, redirect_uri) = find_app(sandbox, params).map_err(Refusal::Here)?;
        let mut back = ReturnAddress { redirect_uri, state: None, part: Part::Query };
        match read_wishes(params, &mut back) {
            Ok((scopes, challenge)) => Ok(Self { client, scopes, back, challenge }),
            Err(error) => Err(Refusal::AtTheApp(back, error)),
        }
    }

    /// What the person allows: never more than was asked for.
    fn grant(&self, params: &Params) -> Result<Grant, OAuthError> {
        let person = params.optional("person")?.and_then(Person::find).ok_or(UNKNOWN_PERSON)?;
        let shared = Scopes::from_urls(params.all("share")).ok_or(UNKNOWN_SHARE)?;
        let scopes = self.scopes.shared_with(&shared);
        Ok(Grant { client_id: self.client.client_id.clone(), person, scopes })
    }

    fn answer(self, sandbox: &Sandbox, grant: Grant) -> Response {
        match self.back.part {
            Part::Query => {
                let redirect_uri = self.back.redirect_uri.clone();
                let binding = CodeBinding { redirect_uri, challenge: self.challenge };
                let code = sandbox.grants.issue_code(grant, binding);
                self.back.redirect(&[("code", code.expose())])
            }
            Part::Fragment => {
                let scope = grant.scopes.to_parameter();
                let expires_in = Kind::AccessToken.lifetime().as_secs().to_string();
                let token = sandbox.grants.issue_access_token(grant);
                self.back.redirect(&[
                    ("access_token", token.expose()),
                    ("token_type", "Bearer"),
                    ("expires_in", &expires_in),
                    ("scope", &scope),
                ])
            }
        }
    }
}

/// The parameters that the form must post again.
fn repeated_by_form(params: &Params) -> Vec<(&'static str, &str)> {
    REQUEST_PARAMETERS.into_iter().flat_map(|name| params.all(name).map(move |value| (name, value))).collect()
}

fn find_app<'a>(sandbox: &'a Sandbox, params: &Params) -> Result<(&'a Client, String), OAuthError> {
    let client = params.optional("client_id")?.and_then(|id| sandbox.client(id)).ok_or(UNKNOWN_CLIENT)?;
    let redirect_uri = params.optional("redirect_uri")?.unwrap_or_default();
    let registered = client.redirect_uris.iter().find(|registered| *registered == redirect_uri);
    Ok((client, registered.ok_or(UNREGISTERED_REDIRECT)?.clone()))
}

/// Reads the rest of the request. The return address is completed on the way: a refusal at any later
/// step already goes to the right place and carries the state.
fn read_wishes(params: &Params, back: &mut ReturnAddress) -> Result<(Scopes, Option<String>), OAuthError> {
    back.state = params.optional("state")?.map(str::to_owned);
    back.part = match params.required("response_type", "response_type is missing.")? {
        "code" => Part::Query,
        "token" => Part::Fragment,
        _ => return Err(UNKNOWN_RESPONSE_TYPE),
    };
    let scopes = params.optional("scope")?.and_then(Scopes::from_parameter).ok_or(UNKNOWN_SCOPE)?;
    Ok((scopes, read_challenge(params)?))
}

/// A challenge without a method would mean `plain` (RFC 7636 4.3), which protects nobody whose request
/// is seen.
fn read_challenge(params: &Params) -> Result<Option<String>, OAuthError> {
    match (params.optional("code_challenge")?, params.optional("code_challenge_method")?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(NO_CHALLENGE),
        (Some(challenge), Some("S256")) if is_sha256(challenge) => Ok(Some(challenge.to_owned())),
        (Some(_), Some("S256")) => Err(MALFORMED_CHALLENGE),
        (Some(_), _) => Err(NOT_S256),
    }
}

fn is_sha256(challenge: &str) -> bool {
    challenge.len() == 43 && challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn check_decision(params: &Params) -> Result<(), OAuthError> {
    match params.optional("decision")? {
        None | Some("allow") => Ok(()),
        Some("deny") => Err(CANCELLED),
        Some(_) => Err(UNKNOWN_DECISION),
    }
}
