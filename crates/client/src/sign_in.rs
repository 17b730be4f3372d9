//! A login in the system's browser: OAuth 2.0 for native apps (RFC 8252), with PKCE (RFC 7636). What comes back is the
//! answer to this very question, or nothing.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Url;

use crate::error::Error;
use crate::keyring::Key;
use crate::name::SessionName;
use crate::secret::Secret;

/// A login on its way. Only who has this can finish it.
#[derive(Debug)]
pub struct SignIn {
    name: SessionName,
    redirect_uri: String,
    provider: Option<String>,
    state: String,
    pub(crate) verifier: Secret,
    /// What the keyring had when it began, if the session is to be sealed.
    key: Option<Key>,
}

/// A code that a browser came back with.
#[derive(Debug)]
pub struct Code(pub(crate) Secret);

/// Why an address that a browser was sent to brings no code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoCode {
    /// It is no answer to this login: another one's, or somebody else's.
    #[error("that belongs to no login that was started here")]
    Stray,
    /// The login was refused or cancelled.
    #[error("{0}")]
    Refused(String),
}

impl SignIn {
    /// A login whose browser comes back to `redirect_uri`, at this provider or at one that the person chooses.
    #[must_use]
    pub(crate) fn new(
        name: &SessionName,
        redirect_uri: &str,
        provider: Option<&str>,
        drawn: &[[u8; 32]; 2],
    ) -> Self {
        let [verifier, state] = drawn.map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
        Self {
            name: name.clone(),
            redirect_uri: redirect_uri.to_owned(),
            provider: provider.map(str::to_owned),
            state,
            verifier: Secret::new(verifier),
            key: None,
        }
    }

    /// The same, for a session that is sealed.
    pub(crate) fn with_key(self, key: Option<Key>) -> Self {
        Self { key, ..self }
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Where the browser comes back to.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Where the browser goes. There is no secret in it.
    #[must_use]
    pub fn address(&self) -> String {
        let hash = digest(&SHA256, self.verifier.expose().as_bytes());
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(hash);
        let mut query = form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", self.name.app())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("state", &self.state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        if let Some(provider) = &self.provider {
            query.append_pair("provider", provider);
        }
        format!("{}/oauth2/authorize?{}", self.name.url(), query.finish())
    }

    /// The code in the query that the browser came back with. State and issuer are looked at first (RFC 9207).
    ///
    /// # Errors
    /// [`NoCode`]
    pub fn code_of_query(&self, query: &str) -> Result<Code, NoCode> {
        let given: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let one = |name: &str| {
            let mut found = given.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_ref());
            found.next().filter(|_| found.next().is_none())
        };
        if one("state") != Some(&self.state) || one("iss").map(without_slash) != Some(self.name.url()) {
            return Err(NoCode::Stray);
        }
        match (one("code"), one("error")) {
            (Some(code), None) => Ok(Code(Secret::new(code))),
            (None, Some(error)) => Err(NoCode::Refused(refusal(error))),
            _ => Err(NoCode::Stray),
        }
    }

    /// The code in what a person copied from a browser: the whole address that it came back to, or the code alone. A
    /// code of another login does not fit the verifier that stayed here.
    ///
    /// # Errors
    /// [`NoCode`]
    pub fn code_of_paste(&self, text: &str) -> Result<Code, NoCode> {
        let text = text.trim();
        match Url::parse(text) {
            Ok(address) => self.code_of_query(address.query().unwrap_or_default()),
            Err(_) if is_token(text) => Ok(Code(Secret::new(text))),
            Err(_) => Err(NoCode::Stray),
        }
    }

    /// What the token endpoint wants to see beside the code.
    pub(crate) fn form<'a>(&'a self, code: &'a Code) -> [(&'static str, &'a str); 4] {
        [
            ("grant_type", "authorization_code"),
            ("redirect_uri", &self.redirect_uri),
            ("code", code.0.expose()),
            ("code_verifier", self.verifier.expose()),
        ]
    }

    /// A code that counts for nothing: used before, too old, or another login's.
    pub(crate) fn refused(&self) -> Error {
        Error::SignIn(format!(
            "the code counts for nothing any more, or is another login's: type `{}` once more",
            self.name.login_command_with(self.key.is_some())
        ))
    }
}

fn without_slash(text: &str) -> &str {
    text.trim_end_matches('/')
}

/// What the codes of RFC 6749 section 4.1.2.1 mean for the person.
fn refusal(error: &str) -> String {
    match error {
        "access_denied" => "it was cancelled, or the provider did not confirm it".into(),
        "temporarily_unavailable" => "the provider does not answer at the moment".into(),
        "server_error" => {
            "something is wrong between the broker and the provider; its operator has to look".into()
        }
        _ => "the broker did not take it; its operator has to look whether the app is set up right".into(),
    }
}

/// Whether it can be a code at all.
fn is_token(text: &str) -> bool {
    text.len() >= 16 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::TERMINAL;

    const BACK: &str = "http://127.0.0.1:1234/callback";

    fn sign_in() -> SignIn {
        let name = SessionName::new("https://login.example.com", TERMINAL).unwrap();
        SignIn::new(&name, BACK, Some("discord"), &[[1; 32], [2; 32]])
    }

    fn answer(members: &[(&str, &str)]) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish()
    }

    #[test]
    fn the_address_has_the_challenge_and_not_the_verifier() {
        let sign_in = sign_in();
        let address = sign_in.address();
        assert!(address.starts_with(
            "https://login.example.com/oauth2/authorize?response_type=code&client_id=terminal&"
        ));
        assert!(address.contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A1234%2Fcallback"), "{address}");
        assert!(address.contains("code_challenge_method=S256&provider=discord"), "{address}");
        assert!(!address.contains(sign_in.verifier.expose()));
        assert!(!format!("{sign_in:?}").contains(sign_in.verifier.expose()));
        assert_eq!(sign_in.verifier.expose().len(), 43);
    }

    #[test]
    fn an_answer_is_to_this_login_or_none() {
        let sign_in = sign_in();
        let (state, iss) = (("state", sign_in.state.as_str()), ("iss", "https://login.example.com"));
        let code = ("code", "a-code-of-some-length");
        let read = |members: &[(&str, &str)]| sign_in.code_of_query(&answer(members)).map(|code| code.0);
        assert_eq!(read(&[code, state, iss]).unwrap().expose(), "a-code-of-some-length");
        for stray in [
            &[code, iss][..],
            &[code, state],
            &[code, ("state", "another"), iss],
            &[code, state, ("iss", "https://login.example.org")],
            &[code, code, state, iss],
            &[code, state, state, iss],
            &[code, ("error", "access_denied"), state, iss],
            &[state, iss],
        ] {
            assert_eq!(read(stray).unwrap_err(), NoCode::Stray, "{stray:?}");
        }
        let refused = read(&[("error", "access_denied"), state, iss]).unwrap_err();
        assert!(matches!(refused, NoCode::Refused(why) if why.contains("cancelled")));
    }

    #[test]
    fn a_person_may_paste_the_address_or_the_code() {
        let sign_in = sign_in();
        let query = answer(&[
            ("code", "a-code-of-some-length"),
            ("state", &sign_in.state),
            ("iss", "https://login.example.com"),
        ]);
        for pasted in [format!("{BACK}?{query}\n"), "  a-code-of-some-length \n".to_owned()] {
            assert_eq!(sign_in.code_of_paste(&pasted).unwrap().0.expose(), "a-code-of-some-length");
        }
        for nothing in ["", "y", "what is that?", "https://login.example.com/"] {
            assert_eq!(sign_in.code_of_paste(nothing).unwrap_err(), NoCode::Stray, "{nothing}");
        }
    }
}
