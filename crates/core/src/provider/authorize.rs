//! Where a login starts: the address at the provider that the browser is sent to.

use super::Provider;
use super::definition::{NonceMode, OpenId2, Pkce};
use super::template::{Values, encode};

/// What a flow is started with, each value of our making.
#[derive(Debug, Clone, Copy)]
pub struct AuthorizeRequest<'a> {
    /// Where the provider sends the browser back to, exactly as it is registered there.
    pub redirect_uri: &'a str,
    /// Comes back unchanged.
    pub state: &'a str,
    /// Comes back in the ID token.
    pub nonce: &'a str,
    /// The S256 challenge (RFC 7636 section 4.2).
    pub code_challenge: &'a str,
}

impl Provider {
    /// The address that starts a login (RFC 6749 section 4.1.1). `None` if logins at this provider start
    /// otherwise, as Telegram's do with a widget.
    #[must_use]
    pub fn authorization_url(&self, request: &AuthorizeRequest<'_>) -> Option<String> {
        if let Some(openid) = &self.definition.openid2 {
            return openid2_url(openid, request);
        }
        let authorize = self.definition.authorize.as_ref()?;
        let scope = self.definition.scopes.join(self.definition.scope_separator.as_str());
        let mut parameters = vec![
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", request.redirect_uri),
            ("state", request.state),
        ];
        if !scope.is_empty() {
            parameters.push(("scope", &scope));
        }
        if self.definition.pkce == Pkce::Required {
            parameters
                .extend([("code_challenge", request.code_challenge), ("code_challenge_method", "S256")]);
        }
        if self.sends_nonce() {
            parameters.push(("nonce", request.nonce));
        }
        if authorize.form_post {
            parameters.push(("response_mode", "form_post"));
        }
        let renamed = parameters
            .into_iter()
            .map(|(name, value)| (authorize.rename.get(name).map_or(name, String::as_str), value));
        let constant = authorize.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        Some(with_query(authorize.url.as_literal()?, renamed.chain(constant)))
    }

    /// Whether the flow's nonce comes back in an ID token.
    fn sends_nonce(&self) -> bool {
        let reads = self.definition.exchange.as_ref().is_some_and(|exchange| exchange.reads_id_token);
        reads && self.definition.id_token.as_ref().is_some_and(|id_token| id_token.nonce != NonceMode::None)
    }
}

/// OpenID Authentication 2.0 section 9.1: the provider finds out who it is. The state travels in the address to
/// return to.
fn openid2_url(openid: &OpenId2, request: &AuthorizeRequest<'_>) -> Option<String> {
    const SELECT: &str = "http://specs.openid.net/auth/2.0/identifier_select";
    let return_to = with_query(request.redirect_uri, [("state", request.state)].into_iter());
    let realm = origin(request.redirect_uri)?;
    let parameters = [
        ("openid.ns", "http://specs.openid.net/auth/2.0"),
        ("openid.mode", "checkid_setup"),
        ("openid.claimed_id", SELECT),
        ("openid.identity", SELECT),
        ("openid.return_to", &return_to),
        ("openid.realm", realm),
    ];
    Some(with_query(&openid.endpoint.url(&Values::default()).ok()?, parameters.into_iter()))
}

/// `scheme://host:port` of an address.
fn origin(url: &str) -> Option<&str> {
    let host = url.find("://")? + 3;
    Some(&url[..url[host..].find('/').map_or(url.len(), |end| host + end)])
}

/// Adds parameters to a query. A fragment stays at the end: some providers want one.
fn with_query<'a>(url: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let (base, fragment) = url.split_once('#').map_or((url, None), |(base, fragment)| (base, Some(fragment)));
    let query: Vec<String> =
        parameters.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let separator = if base.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{base}{separator}{}{fragment}", query.join("&"))
}
