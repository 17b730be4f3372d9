//! Pictures of people, for screens: where an answer names one, or how its URL is made of what the answer says.

use serde::Deserialize;
use serde_json::Value;

use super::pointer::Pointer;
use super::template::encode;

const MAX_URL_CHARS: usize = 2048;

/// Where the URL of a picture comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Picture {
    /// It stands in the answer.
    At(Pointer),
    /// It is made of these pieces (docs/reference/providers.md, 3-19): `https://img.example/{/user/id}.png`.
    Made(Vec<Piece>),
}

/// A piece of a picture's URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Literal(String),
    /// The text or the whole number of the answer there, percent-encoded.
    Place(Pointer),
}

impl Picture {
    /// The URL, or nothing if the answer has none or lacks a piece of it.
    pub(super) fn url(&self, answer: &Value) -> Option<String> {
        match self {
            Self::At(at) => display_url(answer.pointer(at.as_str())?.as_str()?),
            Self::Made(pieces) => {
                let pieces: Option<Vec<String>> = pieces.iter().map(|piece| piece.fill_in(answer)).collect();
                display_url(&pieces?.concat())
            }
        }
    }
}

impl Piece {
    fn fill_in(&self, answer: &Value) -> Option<String> {
        let at = match self {
            Self::Literal(text) => return Some(text.clone()),
            Self::Place(at) => at,
        };
        let text = match answer.pointer(at.as_str())? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.as_u64()?.to_string(),
            _ => return None,
        };
        // A step that leads up, or none at all, would make it another URL.
        (!matches!(text.as_str(), "" | "." | "..")).then(|| encode(&text))
    }
}

impl TryFrom<String> for Picture {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.starts_with('/') {
            return Pointer::try_from(text).map(Self::At);
        }
        let host = text.strip_prefix("https://").and_then(|rest| rest.split_once('/')).map(|(host, _)| host);
        if host.is_none_or(|host| host.is_empty() || host.contains(['{', '@', '?', '#'])) {
            return Err(format!(
                "{text:?} is no picture: write a JSON pointer, or `https://`, the host, and a path with places such as \
                 `{{/user/id}}`"
            ));
        }
        read_pieces(&text).map(Self::Made)
    }
}

fn read_pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((literal, after)) = rest.split_once('{') {
        let (at, after) =
            after.split_once('}').ok_or_else(|| format!("{text:?}: a `{{` without its `}}`"))?;
        pieces.push(Piece::Literal(literal.to_owned()));
        pieces.push(Piece::Place(Pointer::try_from(at.to_owned())?));
        rest = after;
    }
    pieces.push(Piece::Literal(rest.to_owned()));
    Ok(pieces)
}

/// A picture's URL, or nothing if what stands there cannot be one.
fn display_url(text: &str) -> Option<String> {
    let web = text.starts_with("https://") || text.starts_with("http://");
    (web && is_clean(text, MAX_URL_CHARS)).then(|| text.to_owned())
}

/// Whether a text can be shown: it is there, not too long, and has no control characters.
pub(super) fn is_clean(text: &str, max_chars: usize) -> bool {
    !text.is_empty() && text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn picture(text: &str) -> Result<Picture, String> {
        Picture::try_from(text.to_owned())
    }

    fn discord(user: &Value) -> Option<String> {
        picture("https://img.example/avatars/{/user/id}/{/user/avatar}.png")
            .unwrap()
            .url(&json!({"user": user}))
    }

    #[test]
    fn a_picture_is_made_of_texts_and_whole_numbers() {
        let made = |id: Value| discord(&json!({"id": id, "avatar": "a_1"}));
        assert_eq!(made(json!("80")).as_deref(), Some("https://img.example/avatars/80/a_1.png"));
        assert_eq!(made(json!(80)).as_deref(), Some("https://img.example/avatars/80/a_1.png"));
        assert_eq!(
            made(json!("../?#é")).as_deref(),
            Some("https://img.example/avatars/..%2F%3F%23%C3%A9/a_1.png")
        );
        for none in [
            json!(null),
            json!(""),
            json!("."),
            json!(".."),
            json!(1.5),
            json!(-1),
            json!(true),
            json!(["80"]),
        ] {
            assert_eq!(made(none.clone()), None, "{none}");
        }
        assert_eq!(discord(&json!({"id": "80"})), None);
        assert_eq!(made(json!("8".repeat(2048))), None, "too long");
    }

    #[test]
    fn a_picture_that_stands_in_the_answer_is_taken_as_it_is() {
        let at = picture("/picture").unwrap();
        assert_eq!(at.url(&json!({"picture": "http://a.example/1"})).as_deref(), Some("http://a.example/1"));
        for none in ["javascript:alert(1)", "", "https://a\u{0}"] {
            assert_eq!(at.url(&json!({"picture": none})), None, "{none}");
        }
    }

    #[test]
    fn a_picture_names_its_host_itself() {
        for text in [
            "",
            "picture",
            "http://img.example/{/id}",
            "https://{/host}/x",
            "https://img.example",
            "https:///x",
            "https://img.example{/id}/x",
            "https://img.example@evil/{/id}",
            "https://img.example?{/id}/x",
            "https://img.example/{id}",
            "https://img.example/{",
            "https://img.example/{/id",
        ] {
            assert!(picture(text).is_err(), "{text}");
        }
    }
}
