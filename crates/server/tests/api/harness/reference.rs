//! Requests and answers, held against `docs/reference/openapi.json`: what was granted was asked for as the document says,
//! and whatever was answered, it knows of.

use std::sync::LazyLock;

use http::{HeaderMap, Method, Request};
use serde_json::{Map, Value};

use super::answer::Answer;
use super::schema::faults;

/// The document.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../../docs/reference/openapi.json")).unwrap()
});

/// What our own pages fetch, and nobody else.
pub const PARTS_OF_PAGES: [&str; 2] = ["/login/popup.js", "/login/style.css"];

/// A request that is about to be sent, as far as the document has a say in it.
pub struct Asked {
    operation: &'static Value,
    name: String,
    query: String,
    headers: HeaderMap,
    body: String,
}

impl Asked {
    /// A request to an operation of the document, if it is one.
    pub fn of(request: &Request<String>) -> Option<Self> {
        let path = request.uri().path();
        let (operation, template) = operation(request.method(), path)?;
        Some(Self {
            operation,
            name: format!("{} {template}", request.method()),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        })
    }

    /// Holds the answer against the document, and the request if it was granted.
    #[track_caller]
    pub fn check(&self, answer: &Answer) {
        let faults = self.faults(answer);
        assert!(
            faults.is_empty(),
            "{} is not as docs/reference/openapi.json says: {faults:?}\n{answer:?}",
            self.name
        );
    }

    /// In what they differ.
    pub fn faults(&self, answer: &Answer) -> Vec<String> {
        let mut found = self.answer_faults(answer);
        if was_granted(answer) {
            found.extend(self.request_faults());
        }
        found
    }

    fn answer_faults(&self, answer: &Answer) -> Vec<String> {
        let Some(declared) = self.operation["responses"].get(answer.status.as_str()) else {
            return vec![format!("status {} is not declared", answer.status)];
        };
        let headers = declared["headers"].as_object().into_iter().flatten();
        let needed = headers.filter(|(_, header)| header["required"] == true);
        let missing = needed.filter(|(name, _)| answer.header(name).is_empty());
        let mut found: Vec<String> = missing.map(|(name, _)| format!("no {name}")).collect();
        found.extend(content_faults(declared, answer));
        found
    }

    fn request_faults(&self) -> Vec<String> {
        let mut found = self.parameter_faults();
        for (media_type, content) in
            self.operation["requestBody"]["content"].as_object().into_iter().flatten()
        {
            let body = match &**media_type {
                "application/json" => serde_json::from_str(&self.body).unwrap(),
                _ => pairs(&self.body),
            };
            found.extend(faults(&DOCUMENT, &content["schema"], &body));
        }
        found
    }

    fn parameter_faults(&self) -> Vec<String> {
        let mut found = Vec::new();
        let query = pairs(&self.query);
        for parameter in self.operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let value = match parameter["in"].as_str().unwrap() {
                "query" => query.get(name).cloned(),
                "header" => self.headers.get(name).map(|value| value.to_str().unwrap().into()),
                _ => continue,
            };
            match value {
                Some(value) => found.extend(faults(&DOCUMENT, &parameter["schema"], &value)),
                None if parameter["required"] == true => found.push(format!("{name} was not needed")),
                None => {}
            }
        }
        found
    }
}

/// An app hears by a redirect, too, that nothing was granted (RFC 6749 section 4.1.2.1).
fn was_granted(answer: &Answer) -> bool {
    let is_error = ["?error=", "&error="].iter().any(|part| answer.header("location").contains(part));
    answer.status.is_success() || (answer.status.is_redirection() && !is_error)
}

/// The operation of a path, and the path as the document has it. A path of plain words goes before one with a part in it.
fn operation(method: &Method, path: &str) -> Option<(&'static Value, &'static str)> {
    if PARTS_OF_PAGES.contains(&path) {
        return None;
    }
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let mut fitting: Vec<_> = paths.iter().filter(|(template, _)| fits(template, path)).collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, methods) = fitting.first()?;
    Some((methods.get(method.as_str().to_lowercase())?, template))
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

fn content_faults(declared: &Value, answer: &Answer) -> Vec<String> {
    let Some(contents) = declared["content"].as_object() else {
        return if answer.body.is_empty() { Vec::new() } else { vec!["no content is declared".to_owned()] };
    };
    let media_type = answer.header("content-type");
    let essence = media_type.split(';').next().unwrap_or_default();
    let Some(content) = contents.get(media_type).or_else(|| contents.get(essence)) else {
        return vec![format!("content of the type {media_type} is not declared")];
    };
    let body = if essence.ends_with("json") { answer.json() } else { answer.body.as_str().into() };
    faults(&DOCUMENT, &content["schema"], &body)
}

/// A form, whose parameters without a value are as good as absent.
fn pairs(form: &str) -> Value {
    let pairs = form_urlencoded::parse(form.as_bytes()).filter(|(_, value)| !value.is_empty());
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect::<Map<_, _>>().into()
}
