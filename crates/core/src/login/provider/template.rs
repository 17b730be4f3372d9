//! Texts of a definition in which values of a login are filled in: `https://…/{client_id}/token?t={token}`.
//!
//! A template is read once. What may stand in it is a closed list, and a value is encoded for the place
//! where it stands, so that no value can change what is around it. Nothing but the definition and the
//! operator decides about the host.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::ground::secret::Secret;

/// The operator's values, by name.
pub type Variables = BTreeMap<String, String>;

/// A text with places for values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(String),
    Place(Name),
}

/// What can be filled in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Our client's ID.
    ClientId,
    /// Our client's secret.
    ClientSecret,
    /// The access token.
    Token,
    /// The hex HMAC-SHA-256 of the access token under our client's secret (Facebook's `appsecret_proof`).
    AppsecretProof,
    /// A part of URLs that the definition declares, or a value that an earlier call took.
    Other(String),
}

/// The values of one login.
#[derive(Debug, Default)]
pub struct Values(BTreeMap<Name, Secret>);

impl Values {
    /// Notes a value.
    pub fn set(&mut self, name: Name, value: Secret) {
        self.0.insert(name, value);
    }

    /// All values.
    pub fn all(&self) -> impl Iterator<Item = &Secret> {
        self.0.values()
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Secret> {
        self.0.get(name)
    }
}

/// A value is not there, or cannot stand where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CannotFillIn;

impl Template {
    /// A text without places.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self(vec![Piece::Literal(text.to_owned())])
    }

    /// The names that are filled in.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(name),
            Piece::Literal(_) => None,
        })
    }

    /// Those of them that stand before a query.
    pub(super) fn names_in_path(&self) -> impl Iterator<Item = &Name> {
        let in_path = |piece: &&Piece| !matches!(piece, Piece::Literal(text) if text.contains(['?', '#']));
        self.0.iter().take_while(in_path).filter_map(|piece| match piece {
            Piece::Place(name) => Some(name),
            Piece::Literal(_) => None,
        })
    }

    /// What stands before the first place.
    #[must_use]
    pub fn beginning(&self) -> &str {
        match self.0.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// What is written, with `…` where a value of a login stands: for whoever has to find it in a configuration.
    pub(super) fn outline(&self) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Place(_) => "…".to_owned(),
        };
        self.0.iter().map(piece).collect()
    }

    /// The text, if nothing is filled in.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match &self.0[..] {
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Puts the operator's values in, for good. They may hold letters, digits and `.-_` alone, and a port; where one is the
    /// whole host, also the path under which the provider is installed.
    ///
    /// # Errors
    /// In words for the operator.
    pub(super) fn fill_in(&mut self, values: &Variables) -> Result<(), String> {
        for at in 0..self.0.len() {
            let Piece::Place(Name::Other(name)) = &self.0[at] else { continue };
            let Some(value) = values.get(name) else { continue };
            check_variable(name, value, self.is_host(at))?;
            self.0[at] = Piece::Literal(value.clone());
        }
        self.join();
        Ok(())
    }

    /// Whether a place is all that stands between scheme and path.
    fn is_host(&self, at: usize) -> bool {
        let is = |piece: Option<&Piece>, holds: fn(&str) -> bool| match piece {
            Some(Piece::Literal(text)) => holds(text),
            Some(Piece::Place(_)) => false,
            None => true,
        };
        let before = at.checked_sub(1).and_then(|before| self.0.get(before));
        before.is_some()
            && is(before, |text| text.ends_with("://"))
            && is(self.0.get(at + 1), |text| text.starts_with('/'))
    }

    /// Two literal pieces beside each other are one.
    fn join(&mut self) {
        let mut joined: Vec<Piece> = Vec::new();
        for piece in std::mem::take(&mut self.0) {
            match (joined.last_mut(), piece) {
                (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
                (_, piece) => joined.push(piece),
            }
        }
        self.0 = joined;
    }

    /// The text as a URL: every value percent-encoded, whether it stands in the path or in the query.
    ///
    /// # Errors
    /// [`CannotFillIn`] for a value that is missing, or that would be a step in the path.
    pub fn url(&self, values: &Values) -> Result<String, CannotFillIn> {
        self.render(values, |value| {
            if matches!(value, "" | "." | "..") { Err(CannotFillIn) } else { Ok(encode(value)) }
        })
    }

    /// The text as it is: for forms and JSON, which are encoded as a whole, and for headers, which refuse what
    /// cannot stand in them.
    ///
    /// # Errors
    /// [`CannotFillIn`] for a value that is missing.
    pub fn text(&self, values: &Values) -> Result<Secret, CannotFillIn> {
        self.render(values, |value| Ok(value.to_owned())).map(Secret::new)
    }

    fn render(
        &self,
        values: &Values,
        place: impl Fn(&str) -> Result<String, CannotFillIn>,
    ) -> Result<String, CannotFillIn> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(literal) => text.push_str(literal),
                Piece::Place(name) => {
                    text.push_str(&place(values.get(name).ok_or(CannotFillIn)?.expose())?);
                }
            }
        }
        Ok(text)
    }
}

impl Name {
    /// Reads a name that stands between braces.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "client_id" => Self::ClientId,
            "client_secret" => Self::ClientSecret,
            "token" => Self::Token,
            "appsecret_proof" => Self::AppsecretProof,
            _ if !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') => {
                Self::Other(text.to_owned())
            }
            _ => return None,
        })
    }

    /// The name of a text that is nothing but `{name}`.
    pub(super) fn of_whole(text: &str) -> Option<Self> {
        Self::parse(text.strip_prefix('{')?.strip_suffix('}')?)
    }
}

impl TryFrom<String> for Template {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text.as_str();
        while let Some((literal, after)) = rest.split_once('{') {
            let (name, after) =
                after.split_once('}').ok_or_else(|| format!("{text:?}: a `{{` without its `}}`"))?;
            let name = Name::parse(name)
                .ok_or_else(|| format!("{text:?}: `{{{name}}}` is no name: write lower case and `_`"))?;
            if !literal.is_empty() {
                pieces.push(Piece::Literal(literal.to_owned()));
            }
            pieces.push(Piece::Place(name));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

/// The operator's own value must not be able to name another host than it seems to.
pub(super) fn check_variable(name: &str, value: &str, may_have_path: bool) -> Result<(), String> {
    let (authority, path) =
        value.split_once('/').map_or((value, None), |(authority, path)| (authority, Some(path)));
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let word = |text: &str| {
        !text.is_empty()
            && !text.starts_with(['.', '-'])
            && !text.contains("..")
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
    };
    let is_port =
        |text: &str| !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    let is_path = |path: &str| may_have_path && path.split('/').all(word);
    if word(host) && port.is_none_or(is_port) && path.is_none_or(is_path) {
        return Ok(());
    }
    Err(format!(
        "variables.{name}: {value:?} may hold letters, digits, `.`, `-` and `_` only, and a port; where it is a whole host, also \
         the path below which the provider is installed, without a slash at the end"
    ))
}

/// Everything but RFC 3986's unreserved characters: client IDs are often UUIDs, and not every provider
/// decodes the halves of a Basic pair, so what needs no encoding must stay as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a value for the path, the query or a form.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        Template::try_from(text.to_owned()).unwrap()
    }

    fn values(token: &str) -> Values {
        let mut values = Values::default();
        values.set(Name::Token, Secret::new(token));
        values.set(Name::ClientId, Secret::new("our client"));
        values
    }

    #[test]
    fn a_value_stays_within_its_place() {
        let url = template("https://api.example.com/tokens/{token}?client={client_id}");
        assert_eq!(
            url.url(&values("a/../b?c=d#e&é")).unwrap(),
            "https://api.example.com/tokens/a%2F..%2Fb%3Fc%3Dd%23e%26%C3%A9?client=our%20client"
        );
        for step in ["", ".", ".."] {
            assert_eq!(url.url(&values(step)), Err(CannotFillIn), "{step:?}");
        }
    }

    #[test]
    fn a_value_that_is_not_there_is_not_left_out() {
        assert_eq!(template("https://a.example/{openid}").url(&values("t")), Err(CannotFillIn));
        assert_eq!(template("{client_id}|{client_secret}").text(&values("t")), Err(CannotFillIn));
    }

    #[test]
    fn a_value_is_not_read_as_a_template() {
        assert_eq!(
            template("OAuth {token}").text(&values("{client_id}")).unwrap(),
            Secret::new("OAuth {client_id}")
        );
    }

    #[test]
    fn braces_have_to_hold_a_name() {
        for text in ["{", "{}", "{Token}", "a{b c}", "{to{ken}}"] {
            assert!(Template::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_provider_may_be_installed_below_a_path() {
        let fill = |url: &str, value: &str| {
            let mut url = template(url);
            url.fill_in(&Variables::from([("host".to_owned(), value.to_owned())])).ok()?;
            url.as_literal().map(str::to_owned)
        };
        for value in ["example.com/gitlab", "example.com:8443/tools/gitlab"] {
            assert_eq!(fill("https://{host}/oauth", value), Some(format!("https://{value}/oauth")));
            assert_eq!(fill("https://{host}", value), Some(format!("https://{value}")));
            for elsewhere in [
                "https://{host}.example.com/",
                "https://a.{host}/",
                "https://a/{host}/",
                "https://a/?x={host}",
            ] {
                assert_eq!(fill(elsewhere, value), None, "{elsewhere}");
            }
        }
        for bad in [
            "example.com/",
            "example.com//x",
            "example.com/../x",
            "example.com/a?b",
            "example.com/a#b",
            "/x",
            "example.com/a@b",
        ] {
            assert_eq!(fill("https://{host}/oauth", bad), None, "{bad}");
        }
    }

    #[test]
    fn an_operators_value_names_no_other_host() {
        let fill = |value: &str| {
            let mut url = template("https://{host}/oauth/token");
            url.fill_in(&Variables::from([("host".to_owned(), value.to_owned())])).map(|()| url)
        };
        assert_eq!(
            fill("git.example.com:8443").unwrap().as_literal(),
            Some("https://git.example.com:8443/oauth/token")
        );
        for value in ["", "a@evil.example", "a#b", "a?b", "..", "-a", "a:b", "a:", "é.example"] {
            assert!(fill(value).is_err(), "{value:?}");
        }
    }
}
