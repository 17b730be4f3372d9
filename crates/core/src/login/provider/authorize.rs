//! Where a login starts: the address at the provider that the browser is sent to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine as _};

use super::client::Provider;
use super::definition::{ChallengeForm, NonceMode, OpenId2, Pkce, ProofKind};
use super::proof::UnverifiedProof;
use super::template::{Values, encode};
use crate::ground::hex;
use crate::ground::secret::Secret;

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

/// What a flow was started with and ends with, and nobody else knows.
#[derive(Debug)]
pub struct FlowSecrets {
    /// The verifier of the challenge.
    pub code_verifier: Secret,
    /// What has to stand in the ID token.
    pub nonce: Secret,
}

/// A challenge of RFC 7636 as a provider wants it written.
fn challenge(text: &str, form: ChallengeForm) -> Cow<'_, str> {
    match form {
        ChallengeForm::Base64url => text.into(),
        ChallengeForm::Hex => hex::encode(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap_or_default()).into(),
    }
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
        let code_challenge = challenge(request.code_challenge, authorize.code_challenge);
        if self.definition.pkce == Pkce::Required {
            parameters.extend([("code_challenge", &*code_challenge), ("code_challenge_method", "S256")]);
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

    /// Whether a login can start with [`authorization_url`](Self::authorization_url), and its answer be verified.
    #[must_use]
    pub fn starts_by_redirect(&self) -> bool {
        let (starts, ends_with) = match &self.definition.openid2 {
            Some(_) => (true, ProofKind::SignedFields),
            None => (self.definition.authorize.is_some(), ProofKind::Code),
        };
        starts && self.accepted_proofs().contains(&ends_with)
    }

    /// Whether the answer of a login comes as a form post from the provider's own page.
    #[must_use]
    pub fn answers_by_form_post(&self) -> bool {
        self.definition.authorize.as_ref().is_some_and(|authorize| authorize.form_post)
    }

    /// Whether an `iss` in the answer of a login (RFC 9207) can be this provider's. One whose issuers are not known
    /// word for word is not held to it.
    #[must_use]
    pub fn may_be_issuer(&self, issuer: &str) -> bool {
        let known = self.definition.id_token.as_ref().map(|id_token| id_token.issuers.as_slice());
        let known = known.filter(|issuers| issuers.iter().all(|issuer| !issuer.contains('{')));
        known.is_none_or(|issuers| issuers.iter().any(|known| known == issuer))
    }

    /// Makes the proof of a login's answer, by its parameters.
    #[must_use]
    pub fn proof_of_answer(
        &self,
        answer: BTreeMap<String, String>,
        flow: FlowSecrets,
        redirect_uri: String,
    ) -> Option<UnverifiedProof> {
        if self.definition.openid2.is_some() {
            return Some(UnverifiedProof::SignedFields { fields: answer, redirect_uri });
        }
        Some(UnverifiedProof::Code {
            code: Secret::new(answer.get("code").filter(|code| !code.is_empty())?.as_str()),
            code_verifier: Some(flow.code_verifier),
            nonce: Some(flow.nonce),
            callback: answer.into_iter().map(|(name, value)| (name, Secret::new(value))).collect(),
            redirect_uri,
        })
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
pub(super) fn with_query<'a>(url: &str, parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let (base, fragment) = url.split_once('#').map_or((url, None), |(base, fragment)| (base, Some(fragment)));
    let query: Vec<String> =
        parameters.map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    let separator = if base.contains('?') { '&' } else { '?' };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{base}{separator}{}{fragment}", query.join("&"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::login::provider::Identifier;
    use crate::login::provider::definition::Definition;

    const OIDC: &str = r#"
        name = "OIDC"
        register = "A client."
        id_scope = "app"
        accept = ["code", "id_token"]
        authorize = { url = "https://idp.example/authorize", form_post = true }
        exchange = { url = "https://idp.example/token", client_auth = "basic", reads_id_token = true }
        binding = { kind = "id_token" }
        [id_token]
        issuers = ["https://idp.example"]
        keys = { jwks = "https://idp.example/keys" }
        subject = { at = "/sub" }
    "#;

    fn provider(block: &str) -> Provider {
        Provider {
            id: "idp".into(),
            definition: Arc::new(Definition::from_catalogue("idp", block.parse().unwrap()).unwrap()),
            client_id: "ours".into(),
            other_client_ids: Vec::new(),
            app_id: None,
            client_secret: Some(Secret::new("s3cret")),
            apple: None,
            catalogue: None,
            only_actors: false,
            accept_unbound_access_tokens: false,
            identifier: Identifier::Prefixed,
            cache_verified: None,
            recheck: crate::login::provider::RECHECK,
        }
    }

    fn flow() -> FlowSecrets {
        FlowSecrets { code_verifier: Secret::new("verifier"), nonce: Secret::new("nonce") }
    }

    fn answer(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn an_issuer_in_an_answer_is_one_of_the_definition_where_they_are_known() {
        let known = provider(OIDC);
        assert!(known.may_be_issuer("https://idp.example"));
        for other in ["https://idp.example/", "https://evil.example", ""] {
            assert!(!known.may_be_issuer(other), "{other}");
        }
        let of_tenants = OIDC.replace("\"https://idp.example\"]", "\"https://idp.example/{claim:tid}\"]");
        assert!(provider(&of_tenants).may_be_issuer("https://idp.example/1"));
    }

    #[test]
    fn a_challenge_is_written_as_the_provider_wants_it() {
        let flow = AuthorizeRequest {
            redirect_uri: "https://us.example/cb",
            state: "s",
            nonce: "n",
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        };
        let started = |block: &str| provider(block).authorization_url(&flow).unwrap();
        assert!(started(OIDC).contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"));
        let in_hex = OIDC.replace("form_post = true", "code_challenge = \"hex\"");
        let hex = "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3";
        assert!(started(&in_hex).contains(&format!("code_challenge={hex}&code_challenge_method=S256")));
    }

    #[test]
    fn a_login_starts_by_redirect_if_its_answer_can_be_verified() {
        assert!(provider(OIDC).starts_by_redirect());
        assert!(provider(OIDC).answers_by_form_post());
        let id_tokens_only = OIDC.replace("[\"code\", \"id_token\"]", "[\"id_token\"]");
        assert!(!provider(&id_tokens_only).starts_by_redirect());
    }

    #[test]
    fn the_proof_of_an_answer_carries_the_verifier_and_the_nonce_of_its_own_flow() {
        let callback = answer(&[("code", "c"), ("state", "s")]);
        let proof = provider(OIDC).proof_of_answer(callback, flow(), "https://us.example/cb".into());
        let Some(UnverifiedProof::Code { code, code_verifier, redirect_uri, nonce, callback }) = proof else {
            panic!("{proof:?}")
        };
        assert_eq!((code.expose(), &*redirect_uri), ("c", "https://us.example/cb"));
        assert_eq!((code_verifier, nonce), (Some(Secret::new("verifier")), Some(Secret::new("nonce"))));
        assert_eq!(callback["state"], Secret::new("s"));
        for without_code in [answer(&[]), answer(&[("code", "")])] {
            assert!(provider(OIDC).proof_of_answer(without_code, flow(), String::new()).is_none());
        }
    }
}
