//! The schemas of the document as types of TypeScript: what the browser SDK reads and sends has their names.

use std::fmt::Write;

use serde_json::Value;

const HEAD: &str = "\
/**
 * What travels between Daypass and its clients. Made from docs/reference/openapi.json by `cargo xtask gen http`: a name
 * that the server does not know any more fails the check of types.
 */
";

/// The module.
pub(super) fn types(document: &Value) -> String {
    let mut text = HEAD.to_owned();
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(text, "\n{}export interface {name} {}\n", comment("", schema), object(schema));
    }
    text
}

fn object(schema: &Value) -> String {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let mut text = "{\n".to_owned();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&name.as_str().into()) { "" } else { "?" };
        let _ = writeln!(text, "{}  {name}{optional}: {};", comment("  ", member), kind(member));
    }
    text + "}"
}

fn comment(indent: &str, schema: &Value) -> String {
    schema["description"].as_str().map(|about| format!("{indent}/** {about} */\n")).unwrap_or_default()
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(word) = schema.get("const") {
        return word.to_string();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(Value::to_string).collect::<Vec<_>>().join(" | ");
    }
    match &schema["type"] {
        Value::Array(several) => several.iter().map(simple).collect::<Vec<_>>().join(" | "),
        Value::String(name) if name == "array" => format!("Array<{}>", kind(&schema["items"])),
        Value::String(name) if name == "object" && schema["properties"].is_object() => inline(schema),
        Value::String(name) if name == "object" => {
            format!("Record<string, {}>", kind(&schema["additionalProperties"]))
        }
        one => simple(one),
    }
}

fn inline(schema: &Value) -> String {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let members = schema["properties"].as_object().into_iter().flatten();
    let members = members.map(|(name, member)| {
        let optional = if required.contains(&name.as_str().into()) { "" } else { "?" };
        format!("{name}{optional}: {}", kind(member))
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join("; "))
}

fn simple(name: &Value) -> String {
    match name.as_str() {
        Some("integer") => "number".to_owned(),
        Some(name @ ("string" | "boolean")) => name.to_owned(),
        other => panic!("{other:?} is not known here"),
    }
}
