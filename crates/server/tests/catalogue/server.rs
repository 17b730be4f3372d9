//! The provider: an HTTP server on this machine that answers for the hosts of one definition, and remembers
//! what it was asked. The client's side sends it every request, whatever host that was for.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response as Answer};
use bytes::Bytes;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::login::provider::definition::{Binding, CallMethod, Definition, IdTokenKeys, ParametersIn};
use daypass_core::login::provider::template::Template;
use daypass_server::provider_http::ReqwestHttp;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;

use crate::fixture::Reply;

const ORIGIN: &str = "x-origin";

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    Exchange,
    Binding,
    Profile,
    Discovery,
    Keys,
    /// The question whether an OpenID 2.0 assertion is genuine.
    Assertion,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `None` if it went to an address that the definition does not name.
    pub step: Option<Step>,
    pub origin: String,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl Seen {
    /// The parameters of the query and the form.
    pub fn parameters(&self) -> Vec<(String, String)> {
        let query = self.uri.query().unwrap_or_default();
        let form =
            if self.header("content-type") == "application/x-www-form-urlencoded" { &self.body } else { "" };
        let pairs = |text: &str| form_urlencoded::parse(text.as_bytes()).into_owned().collect::<Vec<_>>();
        [pairs(query), pairs(form)].concat()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// The provider's side.
pub struct Server {
    address: SocketAddr,
    state: Arc<ServerState>,
}

struct ServerState {
    routes: Vec<Route>,
    script: Mutex<Script>,
}

/// What the server says until it is told otherwise.
#[derive(Default)]
pub struct Script {
    pub replies: HashMap<Step, Reply>,
    /// The one OpenID 2.0 assertion that it made.
    pub asserted: Option<BTreeMap<String, String>>,
    seen: Vec<Seen>,
}

struct Route {
    step: Step,
    method: Method,
    /// `https://host`.
    origin: String,
    path: String,
    /// Whether a value follows within the path.
    goes_on: bool,
}

impl Route {
    fn new(step: Step, method: Method, url: &Template) -> Self {
        let beginning = url.beginning();
        let (before_query, in_query) =
            beginning.split_once('?').map_or((beginning, false), |it| (it.0, true));
        let uri: Uri = before_query.parse().unwrap();
        let origin = format!("{}://{}", uri.scheme_str().unwrap(), uri.authority().unwrap());
        let goes_on = url.as_literal().is_none() && !in_query;
        Self { step, method, origin, path: uri.path().to_owned(), goes_on }
    }

    fn matches(&self, method: &Method, origin: &str, path: &str) -> bool {
        let path_is_mine = path == self.path || self.goes_on && path.starts_with(&self.path);
        *method == self.method && origin == self.origin && path_is_mine
    }
}

/// The address of the keys that the harness' discovery documents name.
pub fn keys_url(issuer: &str) -> String {
    let uri: Uri = issuer.parse().unwrap();
    format!("https://{}/published/keys", uri.authority().unwrap())
}

fn routes(definition: &Definition) -> Vec<Route> {
    let mut routes = Vec::new();
    if let Some(exchange) = &definition.exchange {
        let query = exchange.parameters_in == ParametersIn::Query;
        let method = if query { Method::GET } else { Method::POST };
        routes.push(Route::new(Step::Exchange, method, &exchange.url));
    }
    let method = |method| if method == CallMethod::Get { Method::GET } else { Method::POST };
    if let Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) = &definition.binding {
        routes.push(Route::new(Step::Binding, method(binding.call.method), &binding.call.url));
    }
    if let Some(profile) = &definition.profile {
        routes.push(Route::new(Step::Profile, method(profile.call.method), &profile.call.url));
    }
    if let Some(openid) = &definition.openid2 {
        routes.push(Route::new(Step::Assertion, Method::POST, &openid.endpoint));
    }
    let literal = |url: String| Template::literal(&url);
    match definition.id_token.as_ref().map(|id_token| &id_token.keys) {
        Some(IdTokenKeys::Discovery(issuer)) => {
            let issuer = issuer.as_literal().unwrap();
            let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
            routes.push(Route::new(Step::Discovery, Method::GET, &literal(document)));
            routes.push(Route::new(Step::Keys, Method::GET, &literal(keys_url(issuer))));
        }
        Some(IdTokenKeys::Jwks(url) | IdTokenKeys::JwksOrClientSecret(url)) => {
            routes.push(Route::new(Step::Keys, Method::GET, url));
        }
        Some(IdTokenKeys::ClientSecret) | None => {}
    }
    routes
}

impl Server {
    pub async fn start(definition: &Definition) -> Self {
        let state = Arc::new(ServerState { routes: routes(definition), script: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, state }
    }

    /// From now on the server says this, and has seen nothing.
    pub fn say(&self, script: Script) {
        *self.state.script.lock().unwrap() = script;
    }

    /// Changes what it says at one step.
    pub fn reply(&self, step: Step, reply: Reply) {
        self.state.script.lock().unwrap().replies.insert(step, reply);
    }

    /// What it was asked since the last time somebody looked.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.state.script.lock().unwrap().seen)
    }

    /// The client's side.
    pub fn client(&self, http: Arc<ReqwestHttp>) -> Arc<dyn ProviderHttp> {
        Arc::new(Rerouted { http, to: self.address })
    }
}

async fn answer(State(state): State<Arc<ServerState>>, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    let origin = parts.headers[ORIGIN].to_str().unwrap().to_owned();
    let route = state.routes.iter().find(|it| it.matches(&parts.method, &origin, parts.uri.path()));
    let step = route.map(|route| route.step);
    let seen = Seen { step, origin, uri: parts.uri, headers: parts.headers, body };
    let mut script = state.script.lock().unwrap();
    let answer = match step {
        Some(Step::Assertion) => (StatusCode::OK, script.judge(&seen)).into_response(),
        Some(step) => match script.replies.get(&step) {
            Some(reply) => (StatusCode::from_u16(reply.status).unwrap(), reply.text()).into_response(),
            None => StatusCode::NOT_IMPLEMENTED.into_response(),
        },
        None => StatusCode::NOT_IMPLEMENTED.into_response(),
    };
    script.seen.push(seen);
    answer
}

impl Script {
    pub fn new(replies: HashMap<Step, Reply>, asserted: Option<BTreeMap<String, String>>) -> Self {
        // What stands beside them in the address is nothing that the provider said.
        let said = |mut fields: BTreeMap<String, String>| {
            fields.retain(|name, _| name.starts_with("openid."));
            fields
        };
        let asserted = asserted.map(said);
        Self { replies, asserted, seen: Vec::new() }
    }

    /// OpenID Authentication 2.0 section 11.4.2.2.
    fn judge(&self, seen: &Seen) -> String {
        let mut echoed: BTreeMap<String, String> = seen.parameters().into_iter().collect();
        let asks = echoed.insert("openid.mode".into(), "id_res".into());
        let valid = asks.as_deref() == Some("check_authentication") && self.asserted == Some(echoed);
        format!("ns:http://specs.openid.net/auth/2.0\nis_valid:{valid}\n")
    }
}

/// Sends what is for anybody to one server, which is told for whom it was.
struct Rerouted {
    http: Arc<ReqwestHttp>,
    to: SocketAddr,
}

#[async_trait]
impl ProviderHttp for Rerouted {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        let uri = request.uri();
        let origin = format!("{}://{}", uri.scheme_str().unwrap(), uri.authority().unwrap());
        let here = format!("http://{}{}", self.to, uri.path_and_query().unwrap());
        *request.uri_mut() = here.parse().unwrap();
        request.headers_mut().insert(ORIGIN, origin.parse().unwrap());
        self.http.send(request).await
    }
}
