//! The operations as a document of OpenAPI 3.1.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::markdown::without_links;
use super::operation::{Answer, Body, Caller, Content, Form, Operation, Parameter, Place, Values, of};
use super::operations::{SECTIONS, operations};
use super::tidy::tidy;
use super::told::{Told, told};
use crate::error::{OAuthError, Problem};

const ABOUT: &str = "Turns a login at an identity provider into temporary AWS credentials. Answers of \
                     this version have exactly these members; later versions may have more. The AWS \
                     operations at `/` are not here: they are in Amazon's models of Cognito Identity and \
                     STS.";

/// The whole document.
pub(super) fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for (section, operation) in operations() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.to_lowercase()] = schemas.operation(section.name, operation);
    }
    let tags: Vec<Value> = SECTIONS.iter().map(|section| json!({"name": section.name})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Daypass",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "http://127.0.0.1:9400", "description": "`daypass up`; elsewhere the \
             `public_url`"}],
        "tags": tags,
        "paths": paths,
        "components": {"schemas": schemas.all(), "securitySchemes": security_schemes()},
    })
}

fn security_schemes() -> Value {
    json!({
        "refreshToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The refresh token of a session.",
        },
        "sessionCookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-daypass-session-APP",
            "description": "The session's cookie, with the app's `id` at the end of its name, and in \
                            `Daypass-App`.",
        },
        "metricsToken": {
            "type": "http",
            "scheme": "bearer",
            "description": "The token of `[metrics]`.",
        },
    })
}

fn security(caller: Caller) -> Value {
    match caller {
        Caller::Anybody | Caller::App | Caller::Person => json!([]),
        Caller::Session => json!([{"refreshToken": []}, {"sessionCookie": []}]),
        Caller::Monitor => json!([{"metricsToken": []}]),
    }
}

/// What names schemas as the document has them.
pub(super) fn generator() -> SchemaGenerator {
    let at = |settings: &mut SchemaSettings| settings.definitions_path = "/components/schemas".into();
    SchemaSettings::draft2020_12().with(at).for_serialize().into_generator()
}

/// The schemas that the operations name, which come about as they are named.
struct Schemas {
    generator: SchemaGenerator,
    forms: Map<String, Value>,
}

impl Schemas {
    fn new() -> Self {
        Self { generator: generator(), forms: Map::new() }
    }

    fn operation(&mut self, tag: &str, operation: &Operation) -> Value {
        let mut written = json!({
            "operationId": operation.name,
            "tags": [tag],
            "summary": operation.summary,
            "security": security(operation.caller),
        });
        if !operation.about.is_empty() {
            written["description"] = without_links(operation.about).into();
        }
        let parameters: Vec<Value> = operation.parameters().map(parameter).collect();
        if !parameters.is_empty() {
            written["parameters"] = parameters.into();
        }
        if let Some((media_type, schema)) = self.body(&operation.body) {
            written["requestBody"] = json!({"required": true, "content": {media_type: {"schema": schema}}});
        }
        written["responses"] = self.responses(operation);
        written
    }

    fn body(&mut self, body: &Body) -> Option<(&'static str, Value)> {
        match body {
            Body::Nothing => None,
            Body::Json(schema) => Some(("application/json", schema(&mut self.generator).into())),
            Body::Forms(forms) => {
                let mut named: Vec<Value> = forms.iter().map(|form| self.form(form)).collect();
                let schema = if named.len() == 1 { named.remove(0) } else { json!({"anyOf": named}) };
                Some(("application/x-www-form-urlencoded", schema))
            }
        }
    }

    fn form(&mut self, form: &Form) -> Value {
        let needed: Vec<&str> = form.fields().filter(|field| field.needed).map(|field| field.name).collect();
        let fields: Map<String, Value> = form
            .fields()
            .map(|field| (field.name.to_owned(), described(values(field), field.about)))
            .collect();
        let schema = json!({
            "description": format!("{}.", without_links(form.about)),
            "type": "object",
            "properties": fields,
            "required": needed,
        });
        self.forms.insert(form.name.to_owned(), schema);
        json!({"$ref": format!("#/components/schemas/{}", form.name)})
    }

    fn responses(&mut self, operation: &Operation) -> Value {
        let mut responses: Map<String, Value> = operation
            .answers
            .iter()
            .map(|answer| (answer.status.as_str().to_owned(), self.answer(answer)))
            .collect();
        let mut refused: BTreeMap<u16, Vec<Told>> = BTreeMap::new();
        for told in operation.refusals.iter().flat_map(|refusals| told(operation, refusals)) {
            refused.entry(told.status).or_default().push(told);
        }
        for (status, told) in refused {
            responses.insert(status.to_string(), self.refusal(status, told));
        }
        responses.into()
    }

    fn answer(&mut self, answer: &Answer) -> Value {
        let mut written = json!({"description": answer.about});
        match answer.content {
            Content::Nothing => {}
            Content::Text(media_type) => {
                written["content"] = json!({media_type: {"schema": {"type": "string"}}});
            }
            Content::Json(schema, example) => {
                let (schema, example) = (schema(&mut self.generator), example.parse::<Value>().unwrap());
                written["content"] = json!({"application/json": {"schema": schema, "example": example}});
            }
        }
        if answer.status == StatusCode::SEE_OTHER {
            written["headers"] = json!({"Location": header("Where to.", true)});
        }
        written
    }

    fn refusal(&mut self, status: u16, mut all: Vec<Told>) -> Value {
        all.sort();
        all.dedup();
        let mut by_type: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for told in &all {
            by_type.entry(&told.media_type).or_default().push(told);
        }
        let content: Map<String, Value> = by_type
            .into_iter()
            .map(|(media_type, told)| {
                (media_type.to_owned(), json!({"schema": self.error(media_type, &told)}))
            })
            .collect();
        let mut codes: Vec<String> = all.iter().map(|told| format!("`{}`", told.code)).collect();
        codes.sort();
        codes.dedup();
        let mut written = json!({"description": format!("{}.", codes.join(", ")), "content": content});
        if [429, 503].contains(&status) {
            let about = "Seconds after which it is worth asking again.";
            written["headers"] = json!({"Retry-After": header(about, true)});
        }
        if all.iter().any(|told| told.code == "use_dpop_nonce") {
            let about = "What the next proof has to hold, with `use_dpop_nonce`.";
            written["headers"] = json!({"DPoP-Nonce": header(about, false)});
        }
        written
    }

    fn error(&mut self, media_type: &str, told: &[&Told]) -> Value {
        let codes = one_of(told.iter().map(|told| told.code.as_str()));
        let (schema, members) = match media_type {
            "text/html" => return json!({"type": "string"}),
            "application/problem+json" => (of::<Problem>(&mut self.generator), json!({"code": codes})),
            _ => {
                let errors = one_of(told.iter().filter_map(|told| told.error.as_deref()));
                (of::<OAuthError>(&mut self.generator), json!({"error": errors, "code": codes}))
            }
        };
        json!({"allOf": [schema, {"type": "object", "properties": members}]})
    }

    fn all(mut self) -> Value {
        let mut all = self.generator.take_definitions(true);
        all.values_mut().for_each(tidy);
        all.extend(self.forms);
        all.sort_keys();
        all.into()
    }
}

fn one_of<'a>(words: impl Iterator<Item = &'a str>) -> Value {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    json!({"enum": words})
}

fn header(about: &str, required: bool) -> Value {
    json!({"description": about, "required": required, "schema": {"type": "string"}})
}

fn parameter(parameter: &Parameter) -> Value {
    let place = match parameter.place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Header => "header",
        Place::Form => unreachable!("a field of a form stands in its body"),
    };
    let mut written =
        json!({"name": parameter.name, "in": place, "description": without_links(parameter.about)});
    if parameter.needed {
        written["required"] = true.into();
    }
    written["schema"] = values(parameter);
    written
}

fn values(parameter: &Parameter) -> Value {
    match parameter.values {
        Values::Text => json!({"type": "string"}),
        Values::Words([word]) => json!({"const": word}),
        Values::Words(words) => json!({"enum": words}),
    }
}

fn described(mut schema: Value, about: &str) -> Value {
    if !about.is_empty() {
        schema["description"] = without_links(about).into();
    }
    schema
}
