//! What schemas say beyond what is meant, and what is meant beyond what they say.

use serde_json::Value;

/// A schema as it is meant: our answers have no other members, what may be absent is not there in place of being null, how
/// many words a list has today is no promise, and lines end where a reader's do.
pub(super) fn tidy(schema: &mut Value) {
    let Some(schema) = schema.as_object_mut() else { return };
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (_, member) in
            members.iter_mut().filter(|(name, _)| !required.contains(&Value::from(name.as_str())))
        {
            without_null(member);
        }
        members.values_mut().for_each(tidy);
        schema.entry("additionalProperties").or_insert(false.into());
    }
    schema.remove("minItems");
    schema.remove("maxItems");
    if let Some(items) = schema.get_mut("items") {
        tidy(items);
    }
    if let Some(Value::String(about)) = schema.get_mut("description") {
        *about = about.replace('\n', " ");
    }
}

fn without_null(member: &mut Value) {
    let Some(schema) = member.as_object_mut() else { return };
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            schema["type"] = only.clone();
        }
    }
    if let Some(Value::Array(mut any)) = schema.remove("anyOf") {
        any.retain(|one| one["type"] != "null");
        for (name, value) in any.remove(0).as_object().cloned().unwrap_or_default() {
            schema.entry(name).or_insert(value);
        }
    }
}
