//! JSON held against a schema: as much of JSON Schema (draft 2020-12) as our document has. A word that is not known here
//! fails, so that none is taken for kept that nobody looked at.

use daypass_core::ground::clock::Timestamp;
use serde_json::{Map, Value};

/// Words that say nothing about what is allowed.
const ANNOTATIONS: [&str; 3] = ["description", "title", "default"];

/// Everything in which a value is not as its schema says, each with its place.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Checking { document, found: &mut found }.check("", schema, value);
    found
}

struct Checking<'a> {
    document: &'a Value,
    found: &'a mut Vec<String>,
}

impl<'a> Checking<'a> {
    fn check(&mut self, at: &str, schema: &Value, value: &Value) {
        for (word, rule) in schema.as_object().unwrap() {
            match &**word {
                "$ref" => self.check(at, self.resolve(rule), value),
                "allOf" => rule.as_array().unwrap().iter().for_each(|schema| self.check(at, schema, value)),
                "anyOf" => self.any_of(at, rule, value),
                "type" if !types(rule).any(|name| is_of_type(value, name)) => {
                    self.fault(at, value, word, rule);
                }
                "const" if value != rule => self.fault(at, value, word, rule),
                "enum" if !rule.as_array().unwrap().contains(value) => self.fault(at, value, word, rule),
                "minimum" if value.as_i64() < rule.as_i64() => self.fault(at, value, word, rule),
                "maximum" if value.as_i64() > rule.as_i64() => self.fault(at, value, word, rule),
                "format" if !has_format(value, rule) => self.fault(at, value, word, rule),
                "type" | "const" | "enum" | "minimum" | "maximum" | "format" => {}
                "required" => self.required(at, rule, value),
                "properties" => self.members(at, rule, value),
                "additionalProperties" => self.other_members(at, schema, rule, value),
                "items" => self.items(at, rule, value),
                annotation if ANNOTATIONS.contains(&annotation) => {}
                unknown => panic!("{at}: `{unknown}` is not known here"),
            }
        }
    }

    fn fault(&mut self, at: &str, value: &Value, word: &str, rule: &Value) {
        self.found.push(format!("{at}: {value} is not {word} {rule}"));
    }

    fn resolve(&self, reference: &Value) -> &'a Value {
        let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
        self.document.pointer(path).unwrap_or_else(|| panic!("there is no {path}"))
    }

    fn any_of(&mut self, at: &str, schemas: &Value, value: &Value) {
        let each = schemas.as_array().unwrap().iter().map(|schema| faults(self.document, schema, value));
        let each: Vec<_> = each.collect();
        if !each.iter().any(Vec::is_empty) {
            self.found.push(format!("{at}: {value} is none of {schemas}: {each:?}"));
        }
    }

    fn required(&mut self, at: &str, names: &Value, value: &Value) {
        for name in names.as_array().unwrap() {
            if value.get(name.as_str().unwrap()).is_none() {
                self.found.push(format!("{at}: no {name}"));
            }
        }
    }

    fn members(&mut self, at: &str, schemas: &Value, value: &Value) {
        for (name, schema) in schemas.as_object().unwrap() {
            if let Some(member) = value.get(name) {
                self.check(&format!("{at}/{name}"), schema, member);
            }
        }
    }

    fn other_members(&mut self, at: &str, schema: &Value, rule: &Value, value: &Value) {
        let none = Map::new();
        let declared = schema["properties"].as_object().unwrap_or(&none);
        for (name, member) in
            value.as_object().into_iter().flatten().filter(|(name, _)| !declared.contains_key(*name))
        {
            match rule {
                Value::Bool(true) => {}
                Value::Bool(false) => self.found.push(format!("{at}: {name} is not declared")),
                schema => self.check(&format!("{at}/{name}"), schema, member),
            }
        }
    }

    fn items(&mut self, at: &str, schema: &Value, value: &Value) {
        for (index, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&format!("{at}/{index}"), schema, item);
        }
    }
}

fn types(rule: &Value) -> impl Iterator<Item = &str> {
    let several = rule.as_array().into_iter().flatten();
    several.chain([rule]).filter_map(Value::as_str)
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        unknown => panic!("the type `{unknown}` is not known here"),
    }
}

fn has_format(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "date-time" => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
        "int64" => value.is_i64(),
        "uint32" => value.as_u64().is_some_and(|number| u32::try_from(number).is_ok()),
        "uint16" => value.as_u64().is_some_and(|number| u16::try_from(number).is_ok()),
        unknown => panic!("the format `{unknown}` is not known here"),
    }
}
