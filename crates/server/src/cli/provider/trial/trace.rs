//! The way to a provider, told step by step as it is gone.

use std::sync::{Arc, Mutex, PoisonError};

use crate::printable::printable;
use async_trait::async_trait;
use bytes::Bytes;
use daypass_core::ground::counting::counted;
use daypass_core::ground::outbound::{ProviderHttp, ProviderHttpError};
use daypass_core::login::provider::definition::{Binding, Definition};
use daypass_core::login::provider::{Provider, UnverifiedProof};
use http::{Request, Response, Uri};
use serde_json::Value;

/// Members of an answer whose values are shown by their first characters alone.
const SECRETIVE: [&str; 4] = ["token", "secret", "assertion", "jwt"];
/// How many values of one answer are shown.
const MAX_VALUES: usize = 24;
const MAX_CHARS: usize = 48;
/// `Bearer`, the value of `token_type`, is a word and no token.
const MAX_SECRETIVE_WORD: usize = 8;
/// A part of a path longer than this may be a token.
const MAX_STEP_CHARS: usize = 28;

/// The way to a provider that tells what it passes on.
pub(super) struct Trace<H, S> {
    http: H,
    provider: Arc<Provider>,
    /// What may be shown nowhere, not even in an error that repeats it.
    hidden: Mutex<Vec<String>>,
    steps: Mutex<usize>,
    say: S,
}

impl<H, S: Fn(&str) -> std::io::Result<()>> Trace<H, S> {
    pub fn new(http: H, provider: Arc<Provider>, proof: &UnverifiedProof, say: S) -> Self {
        let secret = provider.client_secret.iter().map(|secret| secret.expose().to_owned());
        let mut hidden: Vec<String> = secret.collect();
        hidden.extend(secrets(proof));
        Self { http, provider, hidden: Mutex::new(hidden), steps: Mutex::default(), say }
    }

    /// A terminal that is gone must not make a login fail.
    fn say(&self, line: &str) {
        let _ = (self.say)(&printable(line));
    }

    fn tell_request(&self, request: &Request<Bytes>) {
        let number = {
            let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            *steps += 1;
            *steps
        };
        self.say(&format!("{number}. {}", purpose(&self.provider.definition, request.uri())));
        self.say(&format!("   {} {}", request.method(), self.address(request.uri())));
    }

    fn tell_answer(&self, answer: &Response<Bytes>) {
        self.say(&format!("   answered {}", answer.status().as_u16()));
        let Some(read) = read(answer.body()) else {
            let length = counted(answer.body().len() as u64, "byte", "bytes");
            return self.say(&format!("   {length}, neither JSON nor a form"));
        };
        let mut values = Vec::new();
        flatten("", &read, &mut values);
        self.hide(&values);
        let width = values.iter().map(|(at, _)| at.chars().count()).max().unwrap_or_default().min(32);
        for (at, value) in values.iter().take(MAX_VALUES) {
            self.say(&format!("   {at:width$}  {}", self.shown(at, value)));
        }
        if values.len() > MAX_VALUES {
            self.say(&format!("   … and {} more", values.len() - MAX_VALUES));
        }
    }

    /// A URL without its query. A part of its path that is long, or that is a secret, is cut short.
    fn address(&self, uri: &Uri) -> String {
        let origin = format!(
            "{}://{}",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map(ToString::to_string).unwrap_or_default()
        );
        let step = |step: &str| {
            let plain = percent_encoding::percent_decode_str(step).decode_utf8_lossy();
            if step.chars().count() > MAX_STEP_CHARS || self.is_hidden(&plain) {
                "…".into()
            } else {
                step.to_owned()
            }
        };
        let path: Vec<String> = uri.path().split('/').map(step).collect();
        format!("{origin}{}", path.join("/"))
    }

    fn is_hidden(&self, text: &str) -> bool {
        let hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        hidden.iter().any(|secret| !secret.is_empty() && text.contains(secret.as_str()))
    }

    /// What an answer gives us to keep is hidden from then on.
    fn hide(&self, values: &[(String, Value)]) {
        let mut hidden = self.hidden.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = values.iter().filter(|(at, _)| is_secretive(at));
        hidden.extend(
            secret.filter_map(|(_, value)| value.as_str()).filter(|text| text.len() > 8).map(str::to_owned),
        );
    }

    fn shown(&self, at: &str, value: &Value) -> String {
        let Value::String(text) = value else { return value.to_string() };
        let (chars, clear) = (text.chars().count(), text.chars());
        if is_secretive(at) && chars > MAX_SECRETIVE_WORD || self.is_hidden(text) {
            let start: String = clear.take(if chars > 24 { 6 } else { 0 }).collect();
            return format!("{start}… ({chars} characters)");
        }
        if chars > MAX_CHARS {
            format!("{}…", clear.take(MAX_CHARS).collect::<String>())
        } else {
            text.clone()
        }
    }
}

#[async_trait]
impl<H: ProviderHttp, S: Fn(&str) -> std::io::Result<()> + Send + Sync> ProviderHttp for Trace<H, S> {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
        self.tell_request(&request);
        let answer = self.http.send(request).await;
        match &answer {
            Ok(answer) => self.tell_answer(answer),
            Err(error) => self.say(&format!("   {error}")),
        }
        answer
    }
}

fn secrets(proof: &UnverifiedProof) -> Vec<String> {
    match proof {
        UnverifiedProof::Code { code, code_verifier, .. } => [Some(code), code_verifier.as_ref()]
            .into_iter()
            .flatten()
            .map(|it| it.expose().to_owned())
            .collect(),
        UnverifiedProof::AccessToken(token) | UnverifiedProof::IdToken { token, .. } => {
            vec![token.expose().to_owned()]
        }
        UnverifiedProof::SignedFields { fields, .. } => fields.values().cloned().collect(),
    }
}

/// What a request is for, by the longest URL of the definition that it begins with.
fn purpose(definition: &Definition, uri: &Uri) -> &'static str {
    let mut known = Vec::new();
    known.extend(definition.exchange.as_ref().map(|it| (it.url.beginning(), "Redeem the code")));
    known.extend(definition.profile.as_ref().map(|it| (it.call.url.beginning(), "Ask whose the token is")));
    if let Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) = &definition.binding {
        known.push((binding.call.url.beginning(), "Ask to whom the token was issued"));
    }
    let url = uri.to_string();
    let begins = known.into_iter().filter(|(beginning, _)| url.starts_with(beginning));
    begins
        .max_by_key(|(beginning, _)| beginning.len())
        .map_or("Fetch the issuer's keys", |(_, purpose)| purpose)
}

fn read(body: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(body).ok()?;
    let json = text.find(['{', '[']).and_then(|start| {
        let end = text.rfind(['}', ']'])?;
        serde_json::from_str(text.get(start..=end)?).ok()
    });
    let is_form = text.contains('=') && !text.contains(['<', ' ', '\n']);
    json.or_else(|| {
        let pairs =
            form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned().into()));
        is_form.then(|| Value::Object(pairs.collect()))
    })
}

fn flatten(at: &str, value: &Value, into: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| flatten(&format!("{at}/{name}"), value, into));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(i, value)| flatten(&format!("{at}/{i}"), value, into));
        }
        value => into.push((at.to_owned(), value.clone())),
    }
}

fn is_secretive(at: &str) -> bool {
    let last = at.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    SECRETIVE.iter().any(|word| last.contains(word))
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::secret::Secret;

    use super::*;
    use crate::config::ConfigFile;
    use crate::secrets::Secrets;

    /// A provider that answers everything so.
    struct Answers(&'static str);

    #[async_trait]
    impl ProviderHttp for Answers {
        async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, ProviderHttpError> {
            Ok(Response::new(Bytes::from_static(self.0.as_bytes())))
        }
    }

    fn provider() -> Arc<Provider> {
        let dir = tempfile::tempdir().unwrap();
        let block =
            "[[provider]]\nid = \"snapchat\"\nclient_id = \"x\"\nclient_secret = { file = \"secret\" }\n";
        std::fs::write(dir.path().join("more.toml"), block).unwrap();
        std::fs::write(dir.path().join("secret"), "hunter2/+").unwrap();
        Arc::new(
            ConfigFile::read(&dir.path().join("more.toml"))
                .and_then(|file| file.of_either())
                .unwrap()
                .providers
                .last()
                .unwrap()
                .load(&Secrets::default())
                .unwrap(),
        )
    }

    /// What is told of one request with the token `t0k/en` that is answered so.
    async fn told(url: &str, answer: &'static str) -> String {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let proof = UnverifiedProof::AccessToken(Secret::new("t0k/en"));
        let say = {
            let lines = lines.clone();
            move |line: &str| {
                lines.lock().unwrap().push(line.to_owned());
                Ok(())
            }
        };
        let trace = Trace::new(Answers(answer), provider(), &proof, say);
        trace.send(Request::get(url).body(Bytes::new()).unwrap()).await.unwrap();
        lines.lock().unwrap().join("\n")
    }

    #[tokio::test]
    async fn a_url_is_told_without_its_query_and_without_a_token_in_its_path() {
        let long = "a".repeat(40);
        for url in [
            "https://a.example/t0k%2Fen/x?access_token=t0k%2Fen".to_owned(),
            "https://a.example/hunter2%2F%2B/x?a=b".to_owned(),
            format!("https://a.example/{long}/x"),
        ] {
            assert!(told(&url, "{}").await.contains("   GET https://a.example/…/x\n"), "{url}");
        }
    }

    #[tokio::test]
    async fn what_an_answer_repeats_of_ours_is_not_told() {
        let answer = r#"{"error": "no token t0k/en", "hint": "secret hunter2/+", "id_token": "abcdefghijkl", "again": "abcdefghijkl"}"#;
        let told = told("https://a.example/", answer).await;
        for secret in ["t0k/en", "hunter2", "abcdefghijkl"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.contains("/error") && told.contains("… (12 characters)"), "{told}");
    }

    #[tokio::test]
    async fn answers_are_read_however_they_are_written() {
        let json = told("https://a.example/", r#"{"a": {"b": [1, "x"]}, "token_type": "Bearer"}"#).await;
        assert!(json.contains("/a/b/0       1") && json.contains("/token_type  Bearer"), "{json}");
        assert!(told("https://a.example/", "callback( {\"openid\":\"x\"} );").await.contains("/openid  x"));
        let form = told("https://a.example/", "access_token=0123456789&scope=a").await;
        assert!(form.contains("/scope") && !form.contains("0123456789"), "{form}");
        assert!(
            told("https://a.example/", "<html>a=b</html>")
                .await
                .contains("16 bytes, neither JSON nor a form")
        );
    }

    #[tokio::test]
    async fn an_answer_cannot_steer_the_terminal() {
        assert!(!told("https://a.example/", r#"{"name": "\u001b[2J"}"#).await.contains('\u{1b}'));
    }
}
