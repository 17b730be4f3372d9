//! The JSON Schema of a configuration, made of the grammar: draft 7, which editors of TOML read. It knows what each key
//! may look like; what takes more than that (addresses, files, what contradicts itself) a start tells.

use serde_json::{Map, Value, json};

use super::grammar::{FILE, Key, Kind, More, Required, Table};

/// The schema of the file.
pub(crate) fn schema() -> Value {
    let mut schema = table(&FILE);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "A configuration of Daypass".into();
    schema
}

fn table(table: &Table) -> Value {
    let mut schema = open_table(table, self::property);
    let always = table.own_keys().filter(|key| key.required == Required::Yes && !key.production);
    let always: Vec<&str> = always.map(|key| key.name).collect();
    if !always.is_empty() {
        schema["required"] = always.into();
    }
    let conditions = conditions(table);
    if !conditions.is_empty() {
        schema["allOf"] = conditions.into();
    }
    schema
}

/// A table that is laid over a block of the catalogue, which may have whatever is missing.
fn part_of_table(table: &Table) -> Value {
    open_table(table, part)
}

fn open_table(table: &Table, property: fn(&Key) -> Value) -> Value {
    let own = table.own_keys().map(|key| (key.name.to_owned(), property(key)));
    let over = match table.more {
        More::Over(other) => other.keys,
        More::None | More::Of(_) => &[],
    };
    let over = over.iter().map(|key| (key.name.to_owned(), part(key)));
    json!({
        "type": "object",
        "description": table.about,
        "properties": own.chain(over).collect::<Map<String, Value>>(),
        "additionalProperties": false,
    })
}

/// What a file has to say as soon as it says anything that is for production, and with which driver.
fn conditions(table: &Table) -> Vec<Value> {
    let names = |keys: &mut dyn Iterator<Item = &'static Key>| keys.map(|key| key.name).collect::<Vec<_>>();
    let is_production = |key: &&Key| key.production || key.required == Required::ByProduction;
    let production = names(&mut table.own_keys().filter(|key| key.production));
    if production.is_empty() {
        return Vec::new();
    }
    let any: Vec<Value> = production.iter().map(|name| json!({"required": [name]})).collect();
    let needed = |driver: Option<&str>| {
        let key = |key: &&Key| key.required != Required::No && is_production(key) && key.driver == driver;
        names(&mut table.own_keys().filter(key))
    };
    let mut conditions = vec![json!({"if": {"anyOf": any}, "then": {"required": needed(None)}})];
    let embedded = names(&mut table.own_keys().filter(|key| key.driver.is_some()));
    if !embedded.is_empty() {
        let refused: Map<String, Value> =
            embedded.iter().map(|name| ((*name).to_owned(), false.into())).collect();
        conditions.push(json!({
            "if": {"properties": {"driver": {"const": "cognito"}}, "required": ["driver"]},
            "then": {"properties": refused},
            "else": {"if": {"anyOf": any}, "then": {"required": needed(Some("embedded"))}},
        }));
    }
    conditions
}

fn property(key: &Key) -> Value {
    described(key, shape(&key.kind, table))
}

fn part(key: &Key) -> Value {
    described(key, shape(&key.kind, part_of_table))
}

fn described(key: &Key, mut schema: Value) -> Value {
    let without =
        if key.default.is_empty() { String::new() } else { format!(" Without it: {}.", key.default) };
    schema["description"] = format!("{}{without}", key.about).into();
    schema
}

fn shape(kind: &Kind, table: fn(&Table) -> Value) -> Value {
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Choice(words) => json!({"enum": words}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Number(least, i64::MAX) => json!({"type": "integer", "minimum": least}),
        Kind::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Kind::Ratio => json!({"type": "number", "minimum": 0, "maximum": 1}),
        Kind::Duration => json!({"type": "string", "pattern": "^[0-9]*[1-9][0-9]*[smhd]$"}),
        Kind::Secret => secret(),
        Kind::SecretOrIam => json!({"anyOf": [secret(), iam()]}),
        Kind::MasterKey => master_key(),
        Kind::MasterKeys => json!({"type": "array", "items": master_key()}),
        Kind::SecretByName => json!({"type": "object", "additionalProperties": secret()}),
        Kind::Texts => texts(),
        Kind::OneOrMoreTexts => json!({"anyOf": [{"type": "string"}, texts()]}),
        Kind::TextByName => json!({"type": "object", "additionalProperties": {"type": "string"}}),
        Kind::Table(inner) => table(inner),
        Kind::Tables(inner) => json!({"type": "array", "items": table(inner)}),
        Kind::TextOrTables(inner) => {
            json!({"anyOf": [{"type": "string"}, {"type": "array", "items": table(inner)}]})
        }
        Kind::TableByName(inner) => json!({"type": "object", "additionalProperties": table(inner)}),
        Kind::TextOrWord(texts, words) => {
            let mut word = one_word(words);
            for value in word["properties"].as_object_mut().into_iter().flat_map(Map::values_mut) {
                *value = json!({});
            }
            json!({"anyOf": [{"enum": texts}, word]})
        }
        Kind::Other => json!({}),
    }
}

/// The words for where a secret is.
const PLACES: [&str; 4] = ["file", "env", "ssm", "secrets_manager"];

fn secret() -> Value {
    one_word(&PLACES)
}

/// A token of IAM in its place.
fn iam() -> Value {
    let mut word = one_word(&["aws"]);
    word["properties"]["aws"] = json!({"enum": ["iam"]});
    word
}

/// A secret, or a place and the KMS key beside it.
fn master_key() -> Value {
    let mut wrapped = one_word(&[&PLACES[..], &["kms"]].concat());
    wrapped["required"] = json!(["kms"]);
    wrapped["minProperties"] = 2.into();
    wrapped["maxProperties"] = 2.into();
    json!({"anyOf": [secret(), wrapped]})
}

fn texts() -> Value {
    json!({"type": "array", "items": {"type": "string"}})
}

/// A table with one of these words, and a text behind it.
fn one_word(words: &[&str]) -> Value {
    let properties: Map<String, Value> =
        words.iter().map(|word| ((*word).to_owned(), json!({"type": "string"}))).collect();
    json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}
