//! The constraints of AWS's shapes, and what a client hears who breaks them
//! (docs/reference/cognito-identity.md, 1.3 and 2). Clients show the texts and match on them, so they have
//! AWS's form to the letter.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::{Map, Value};

use crate::error::{ApiError, Protocol};

/// What a member of a request has to look like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// A text.
    Text(Text),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// A whole number within bounds.
    Integer {
        /// The least.
        min: i64,
        /// The greatest.
        max: i64,
    },
    /// True or false.
    Flag,
    /// Several of one shape.
    List {
        /// The shape of each.
        of: &'static Shape,
        /// The fewest.
        min: usize,
        /// The most.
        max: usize,
    },
    /// Names with values.
    Map {
        /// The shape of a name.
        key: Text,
        /// The shape of a value.
        value: &'static Shape,
        /// The most.
        max: usize,
    },
    /// Members by name.
    Structure(&'static [Member]),
}

/// A text: how many characters, and which.
#[derive(Debug, Clone, Copy)]
pub struct Text {
    /// Least characters.
    pub min: usize,
    /// Most characters.
    pub max: usize,
    /// What characters may stand where.
    pub pattern: Option<Pattern>,
    /// Whether nobody may see it, in an error either.
    pub sensitive: bool,
}

/// A pattern as AWS writes it, and what it means.
pub type Pattern = (&'static str, fn(&str) -> bool);

/// A member of a structure.
#[derive(Debug, Clone, Copy)]
pub struct Member {
    /// Its name on the wire.
    pub name: &'static str,
    /// Whether it has to be there. `null` is not.
    pub required: bool,
    /// What it has to look like.
    pub shape: Shape,
}

/// The longest value that is shown whole, in characters.
const SHOWN: usize = 256;
const HIDDEN: &str = "***";
const NOT_NULL: &str = "Member must not be null";

/// Everything that is wrong with the members of one request.
pub struct Violations {
    protocol: Protocol,
    found: Vec<String>,
}

impl Violations {
    /// Nothing is wrong yet.
    pub fn new(protocol: Protocol) -> Self {
        Self { protocol, found: Vec::new() }
    }

    /// Checks the members of a structure.
    ///
    /// # Errors
    /// A member that is there and has another type than its shape.
    pub fn check(&mut self, members: &[Member], input: &Map<String, Value>) -> Result<(), ApiError> {
        self.structure("", members, input)
    }

    /// Checks a text that does not come as JSON.
    pub fn text(&mut self, path: &str, value: &str, rule: &Text) {
        let shown = if rule.sensitive { HIDDEN.to_owned() } else { value.to_owned() };
        for phrase in broken(value, rule) {
            self.add(&quoted(&shown), path, &phrase);
        }
    }

    /// Checks a number that does not come as JSON.
    pub fn integer(&mut self, path: &str, value: i64, min: i64, max: i64) {
        let phrase = if value > max {
            format!("Member must have value less than or equal to {max}")
        } else if value < min {
            format!("Member must have value greater than or equal to {min}")
        } else {
            return;
        };
        self.add(&quoted(&value.to_string()), path, &phrase);
    }

    /// Notes that a member that has to be there is not.
    pub fn missing(&mut self, path: &str) {
        self.add("null", path, NOT_NULL);
    }

    /// Notes a violation that no shape states. `value` comes quoted, if it is one.
    pub fn add(&mut self, value: &str, path: &str, phrase: &str) {
        self.found.push(format!("Value {value} at '{path}' failed to satisfy constraint: {phrase}"));
    }

    /// The refusal of a request with any violation, all of them in one text.
    pub fn finish(self) -> Result<(), ApiError> {
        let plural = match self.found.len() {
            0 => return Ok(()),
            1 => "",
            _ => "s",
        };
        let (count, all) = (self.found.len(), self.found.join("; "));
        Err(ApiError::validation(self.protocol, format!("{count} validation error{plural} detected: {all}")))
    }

    fn structure(
        &mut self,
        path: &str,
        members: &[Member],
        input: &Map<String, Value>,
    ) -> Result<(), ApiError> {
        for member in members {
            let path = child(path, &lower_first(member.name));
            match input.get(member.name).unwrap_or(&Value::Null) {
                Value::Null if member.required => self.missing(&path),
                Value::Null => {}
                value => self.value(&path, &member.shape, value)?,
            }
        }
        Ok(())
    }

    fn value(&mut self, path: &str, shape: &Shape, value: &Value) -> Result<(), ApiError> {
        match (shape, value) {
            (Shape::Text(rule), Value::String(text)) => self.text(path, text, rule),
            (Shape::Choice(choices), Value::String(text)) => {
                if !choices.contains(&text.as_str()) {
                    self.add(&quoted(text), path, &enum_phrase(choices));
                }
            }
            (Shape::Integer { min, max }, Value::Number(number)) => {
                let number = number.as_i64().ok_or_else(|| self.wrong_type(path, shape))?;
                self.integer(path, number, *min, *max);
            }
            (Shape::Flag, Value::Bool(_)) => {}
            (Shape::List { of, min, max }, Value::Array(items)) => {
                self.size(path, shape, value, items.len(), *min, *max);
                self.items(path, of, items, value)?;
            }
            (Shape::Map { key, value: of, max }, Value::Object(entries)) => {
                self.size(path, shape, value, entries.len(), 0, *max);
                self.entries(path, (key, of), entries, shape)?;
            }
            (Shape::Structure(members), Value::Object(input)) => self.structure(path, members, input)?,
            _ => return Err(self.wrong_type(path, shape)),
        }
        Ok(())
    }

    fn wrong_type(&self, path: &str, shape: &Shape) -> ApiError {
        let wanted = match shape {
            Shape::Text(_) | Shape::Choice(_) => "a string",
            Shape::Integer { .. } => "a whole number",
            Shape::Flag => "true or false",
            Shape::List { .. } => "a list",
            Shape::Map { .. } | Shape::Structure(_) => "an object",
        };
        ApiError::wrong_type(self.protocol, format!("The member '{path}' must be {wanted}"))
    }

    fn size(&mut self, path: &str, shape: &Shape, value: &Value, count: usize, min: usize, max: usize) {
        if count > max {
            let phrase = format!("Member must have length less than or equal to {max}");
            self.add(&quoted(&shown(shape, value)), path, &phrase);
        } else if count < min {
            let phrase = format!("Member must have length greater than or equal to {min}");
            self.add(&quoted(&shown(shape, value)), path, &phrase);
        }
    }

    /// A structure in a list is told by its place, a text by the whole list.
    fn items(
        &mut self,
        path: &str,
        of: &'static Shape,
        items: &[Value],
        list: &Value,
    ) -> Result<(), ApiError> {
        let mut any_broken = false;
        for (index, item) in items.iter().enumerate() {
            match of {
                Shape::Structure(_) => self.value(&format!("{path}.{}.member", index + 1), of, item)?,
                _ => any_broken |= is_broken(path, of, item)?,
            }
        }
        if any_broken {
            let phrase = format!("Member must satisfy constraint: [{}]", all_phrases(of));
            self.add(&quoted(&shown(of, list)), path, &phrase);
        }
        Ok(())
    }

    fn entries(
        &mut self,
        path: &str,
        (key, of): (&Text, &'static Shape),
        entries: &Map<String, Value>,
        map: &Shape,
    ) -> Result<(), ApiError> {
        let (mut broken_keys, mut broken_values) = (false, false);
        for (name, value) in entries {
            broken_keys |= !broken(name, key).is_empty();
            match of {
                Shape::Structure(_) => self.value(&format!("{path}.{name}.member"), of, value)?,
                _ => broken_values |= is_broken(path, of, value)?,
            }
        }
        let whole = || quoted(&shown(map, &Value::Object(entries.clone())));
        if broken_keys {
            let phrase = format!("Map keys must satisfy constraint: [{}]", text_phrases(key).join(", "));
            self.add(&whole(), path, &phrase);
        }
        if broken_values {
            let phrase = format!("Map value must satisfy constraint: [{}]", all_phrases(of));
            self.add(&whole(), path, &phrase);
        }
        Ok(())
    }
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// `IdentityPoolId` as it stands in violations: `identityPoolId`.
fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

/// Whether an item or a value that is no structure breaks its shape.
fn is_broken(path: &str, shape: &Shape, value: &Value) -> Result<bool, ApiError> {
    let mut alone = Violations::new(Protocol::Json);
    alone.value(path, shape, value)?;
    Ok(!alone.found.is_empty())
}

/// The constraints that a text breaks.
fn broken(value: &str, rule: &Text) -> Vec<String> {
    let length = value.chars().count();
    let [longest, shortest] = length_phrases(rule);
    let mut phrases = Vec::new();
    if length > rule.max {
        phrases.push(longest);
    }
    if length < rule.min {
        phrases.push(shortest);
    }
    if let Some((pattern, matches)) = rule.pattern
        && !matches(value)
    {
        phrases.push(pattern_phrase(pattern));
    }
    phrases
}

/// All constraints of a shape that stands in a list or a map.
fn all_phrases(shape: &Shape) -> String {
    match shape {
        Shape::Text(rule) => text_phrases(rule).join(", "),
        Shape::Choice(choices) => enum_phrase(choices),
        Shape::Integer { .. }
        | Shape::Flag
        | Shape::List { .. }
        | Shape::Map { .. }
        | Shape::Structure(_) => String::new(),
    }
}

fn text_phrases(rule: &Text) -> Vec<String> {
    let pattern = rule.pattern.map(|(pattern, _)| pattern_phrase(pattern));
    length_phrases(rule).into_iter().chain(pattern).collect()
}

fn length_phrases(rule: &Text) -> [String; 2] {
    [
        format!("Member must have length less than or equal to {}", rule.max),
        format!("Member must have length greater than or equal to {}", rule.min),
    ]
}

fn pattern_phrase(pattern: &str) -> String {
    format!("Member must satisfy regular expression pattern: {pattern}")
}

fn enum_phrase(choices: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", choices.join(", "))
}

/// A list or a map as a violation shows it: `[a, b]`, `{k=v}`, and nothing of secrets.
fn shown(shape: &Shape, value: &Value) -> String {
    if holds_secrets(shape) {
        return HIDDEN.to_owned();
    }
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(shape, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) => {
            let mut text = String::from("{");
            for (index, (name, value)) in entries.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                // Writing into a string cannot fail.
                let _ = write!(text, "{comma}{name}={}", shown(shape, value));
            }
            text + "}"
        }
        other => other.to_string(),
    }
}

fn holds_secrets(shape: &Shape) -> bool {
    match shape {
        Shape::Text(rule) => rule.sensitive,
        Shape::List { of, .. } | Shape::Map { value: of, .. } => holds_secrets(of),
        Shape::Structure(members) => members.iter().any(|member| holds_secrets(&member.shape)),
        Shape::Choice(_) | Shape::Integer { .. } | Shape::Flag => false,
    }
}

/// The value in quotes.
fn quoted(value: &str) -> String {
    format!("'{}'", shortened(value))
}

/// The value, cut where it would swamp a message. What was put in the wrong place may be a token, of which nobody
/// is told the signature.
pub fn shortened(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]).into(),
        None => value.into(),
    }
}
