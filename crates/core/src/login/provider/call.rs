//! Asking a provider: a request made from a definition and the values of one login, and what its answer is
//! taken for.

use ::http::{Method, Request, Response, StatusCode, header, request};
use base64::prelude::{BASE64_STANDARD, Engine};
use bytes::Bytes;
use serde_json::{Map, Value};

use super::answer;
use super::definition::{Call, CallAuthentication, CallMethod, ClientAuthentication, Exchange, ParametersIn};
use super::error::{ProofError, unavailable};
use super::status::{is_gone, not_as_defined};
use super::template::{CannotFillIn, Name, Template, Values, encode};
use crate::ground::outbound::{ProviderHttp, Repeatable};
use crate::ground::secret::Secret;
use crate::login::jwks::is_passing;

/// A value that cannot stand in a request is no value of a provider's: whoever sent it made it up.
impl From<CannotFillIn> for ProofError {
    fn from(_: CannotFillIn) -> Self {
        Self::Refused
    }
}

/// Asks, and hands back the decoded answer of a success. Such a question changes nothing at the provider.
pub(super) async fn send(call: &Call, values: &Values, http: &dyn ProviderHttp) -> Result<Value, ProofError> {
    let answered = http.send(request(call, values)?).await?;
    let answered = decode(call, &answered)?;
    answer::check_refused(&call.refused, &answered)?;
    answer::check_success(&call.success, &answered, values.all())?;
    Ok(answered)
}

fn request(call: &Call, values: &Values) -> Result<Request<Bytes>, ProofError> {
    let method = match call.method {
        CallMethod::Get => Method::GET,
        CallMethod::Post => Method::POST,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(call.url.url(values)?)
        .header(header::ACCEPT, "application/json")
        .extension(Repeatable);
    if let Some((name, value)) = authorization(&call.auth, values)? {
        request = request.header(name, value);
    }
    request = headers(request, call.headers.iter(), values)?;
    let body = match (&call.form, &call.json) {
        (Some(fields), _) => {
            request = request.header(header::CONTENT_TYPE, FORM);
            let fields = fields.iter().map(|(name, value)| Ok((name.as_str(), value.text(values)?)));
            form(fields.collect::<Result<Vec<_>, CannotFillIn>>()?)
        }
        (None, Some(json)) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Value::Object(fill_in(json, values)?).to_string()
        }
        (None, None) => String::new(),
    };
    // A value that cannot stand in a header is no token of anybody's.
    request.body(Bytes::from(body)).map_err(|_| ProofError::Refused)
}

const FORM: &str = "application/x-www-form-urlencoded";

fn authorization(
    auth: &CallAuthentication,
    values: &Values,
) -> Result<Option<(String, String)>, CannotFillIn> {
    let token = || values.get(&Name::Token).map(Secret::expose).ok_or(CannotFillIn);
    let authorization = header::AUTHORIZATION.as_str();
    Ok(Some(match auth {
        CallAuthentication::None => return Ok(None),
        CallAuthentication::Bearer => (authorization.to_owned(), format!("Bearer {}", token()?)),
        CallAuthentication::Oauth => (authorization.to_owned(), format!("OAuth {}", token()?)),
        CallAuthentication::Header(name) => (name.clone(), token()?.to_owned()),
        CallAuthentication::ClientBasic => (authorization.to_owned(), basic(values)?),
    }))
}

/// RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
fn basic(values: &Values) -> Result<String, CannotFillIn> {
    let half = |name| values.get(&name).map(|value| encode(value.expose())).ok_or(CannotFillIn);
    let pair = format!("{}:{}", half(Name::ClientId)?, half(Name::ClientSecret)?);
    Ok(format!("Basic {}", BASE64_STANDARD.encode(pair)))
}

fn headers<'a>(
    mut request: request::Builder,
    headers: impl Iterator<Item = (&'a String, &'a Template)>,
    values: &Values,
) -> Result<request::Builder, CannotFillIn> {
    for (name, value) in headers {
        request = request.header(name, value.text(values)?.expose());
    }
    Ok(request)
}

/// A text that is nothing but `{name}` becomes that value. Others stay as they are: GraphQL is full of braces.
fn fill_in(json: &Map<String, Value>, values: &Values) -> Result<Map<String, Value>, CannotFillIn> {
    let member = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => match Name::of_whole(text) {
                Some(name) => values.get(&name).ok_or(CannotFillIn)?.expose().into(),
                None => value.clone(),
            },
            Value::Object(members) => Value::Object(fill_in(members, values)?),
            other => other.clone(),
        };
        Ok((name.clone(), value))
    };
    json.iter().map(member).collect()
}

fn form<'a>(fields: impl IntoIterator<Item = (&'a str, Secret)>) -> String {
    let fields =
        fields.into_iter().map(|(name, value)| format!("{}={}", encode(name), encode(value.expose())));
    fields.collect::<Vec<_>>().join("&")
}

/// What a code is redeemed with, by the names of the standard.
pub(super) struct Redemption<'a> {
    pub code: &'a Secret,
    pub code_verifier: Option<&'a Secret>,
    pub redirect_uri: &'a str,
    /// What the callback brought besides, by the names that the definition lists.
    pub callback: Vec<(String, Secret)>,
    /// The secret that was made for this request, where the client authenticates by one.
    pub client_secret: Option<Secret>,
}

/// Redeems a code (RFC 6749 section 4.1.3). The provider checks that it belongs to our client, to this redirect
/// URI and to this verifier.
pub(super) async fn redeem(
    exchange: &Exchange,
    redemption: Redemption<'_>,
    values: &Values,
    http: &dyn ProviderHttp,
) -> Result<Value, ProofError> {
    let mut parameters: Vec<(String, Secret)> =
        vec![("grant_type".into(), Secret::new("authorization_code"))];
    parameters.push(("code".into(), redemption.code.clone()));
    parameters.push(("redirect_uri".into(), Secret::new(redemption.redirect_uri)));
    parameters.extend(redemption.code_verifier.map(|verifier| ("code_verifier".into(), verifier.clone())));
    let request =
        token_request(exchange, &mut parameters, redemption.callback, redemption.client_secret, values)?;
    let answered = http.send(request).await?;
    let shown = values.all().chain(parameters.iter().map(|(_, value)| value));
    answer::token_answer(exchange, &answered, shown)
}

/// Asks whether a refresh token still counts (RFC 6749 section 6). `None`: the provider says that it does not. An answer that
/// says neither is an error.
pub(super) async fn refresh(
    exchange: &Exchange,
    refresh_token: &Secret,
    client_secret: Option<Secret>,
    values: &Values,
    http: &dyn ProviderHttp,
) -> Result<Option<Value>, ProofError> {
    let mut parameters = vec![
        ("grant_type".to_owned(), Secret::new("refresh_token")),
        ("refresh_token".to_owned(), refresh_token.clone()),
    ];
    let request = token_request(exchange, &mut parameters, Vec::new(), client_secret, values)?;
    let answered = http.send(request).await?;
    let body = answer::body(answered.body(), exchange.decode).ok();
    let error = body.as_ref().and_then(|body| body.get("error")).and_then(Value::as_str);
    if error == Some("invalid_grant") {
        return Ok(None);
    }
    let shown = values.all().chain(parameters.iter().map(|(_, value)| value));
    answer::token_answer(exchange, &answered, shown).map(Some)
}

/// A request to the token endpoint with the parameters of a grant, by the provider's own names for them.
fn token_request(
    exchange: &Exchange,
    parameters: &mut Vec<(String, Secret)>,
    further: Vec<(String, Secret)>,
    client_secret: Option<Secret>,
    values: &Values,
) -> Result<Request<Bytes>, ProofError> {
    let mut request = Request::builder().header(header::ACCEPT, "application/json");
    request = show_client(exchange, client_secret, values, parameters, request)?;
    for (name, _) in parameters.iter_mut() {
        if let Some(own) = exchange.rename.get(name) {
            name.clone_from(own);
        }
    }
    for (name, value) in &exchange.parameters {
        parameters.push((name.clone(), value.text(values)?));
    }
    parameters.extend(further);
    let request = headers(request, exchange.headers.iter(), values)?;
    with_parameters(request, exchange.parameters_in, &exchange.url.url(values)?, parameters)
}

fn show_client(
    exchange: &Exchange,
    made_secret: Option<Secret>,
    values: &Values,
    parameters: &mut Vec<(String, Secret)>,
    request: request::Builder,
) -> Result<request::Builder, CannotFillIn> {
    let id = || values.get(&Name::ClientId).cloned().ok_or(CannotFillIn);
    let secret = || values.get(&Name::ClientSecret).cloned().ok_or(CannotFillIn);
    let with_id = |parameters: &mut Vec<(String, Secret)>| {
        parameters.push(("client_id".into(), id()?));
        Ok::<(), CannotFillIn>(())
    };
    Ok(match &exchange.client_auth {
        ClientAuthentication::Basic => request.header(header::AUTHORIZATION, basic(values)?),
        ClientAuthentication::BasicAndId => {
            with_id(parameters)?;
            request.header(header::AUTHORIZATION, basic(values)?)
        }
        ClientAuthentication::Parameters => {
            with_id(parameters)?;
            parameters.push(("client_secret".into(), secret()?));
            request
        }
        ClientAuthentication::Header(name) => {
            with_id(parameters)?;
            request.header(name, secret()?.expose())
        }
        ClientAuthentication::None => {
            with_id(parameters)?;
            request
        }
        ClientAuthentication::AppleJwt => {
            with_id(parameters)?;
            parameters.push(("client_secret".into(), made_secret.ok_or(CannotFillIn)?));
            request
        }
    })
}

fn with_parameters(
    request: request::Builder,
    place: ParametersIn,
    url: &str,
    parameters: &[(String, Secret)],
) -> Result<Request<Bytes>, ProofError> {
    let encoded = || form(parameters.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let built = match place {
        ParametersIn::Form => {
            request.method(Method::POST).uri(url).header(header::CONTENT_TYPE, FORM).body(encoded().into())
        }
        ParametersIn::Json => {
            let members = parameters.iter().map(|(name, value)| (name.clone(), value.expose().into()));
            let body = Value::Object(members.collect()).to_string();
            let request =
                request.method(Method::POST).uri(url).header(header::CONTENT_TYPE, "application/json");
            request.body(body.into())
        }
        ParametersIn::Query => {
            let separator = if url.contains('?') { '&' } else { '?' };
            request.method(Method::GET).uri(format!("{url}{separator}{}", encoded())).body(Bytes::new())
        }
    };
    built.map_err(|_| ProofError::Misconfigured("exchange: the request cannot be written".into()))
}

fn decode(call: &Call, answer: &Response<Bytes>) -> Result<Value, ProofError> {
    match answer.status() {
        status if status.is_success() => answer::body(answer.body(), call.decode),
        status if is_passing(status) => Err(unavailable(status)),
        StatusCode::NOT_FOUND if call.refuses_by_404 => Err(ProofError::Refused),
        status if is_gone(status, &call.url) => Err(not_as_defined(&call.url.outline(), answer)),
        status if status.is_client_error() => Err(ProofError::Refused),
        _ => Err(ProofError::AnswerMalformed("the answer has an unexpected status")),
    }
}
