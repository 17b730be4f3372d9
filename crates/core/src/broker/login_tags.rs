//! Session tags of everybody who logs in, as the operator writes them: `key = "{provider}"`, `"{subject}"`, `"{actor}"` for
//! whoever acts for them, or a text that is the same for all.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ground::ids::ActorId;
use crate::login::provider::VerifiedLogin;
use crate::pool::principal_tags;
use crate::pool::{Invalid, PoolError};
use crate::records::limits::MAX_PRINCIPAL_TAGS;

/// The longest key of a tag, in characters (docs/reference/cognito-identity.md, 2).
const MAX_KEY: usize = 128;

/// The tags of logins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub struct LoginTags(BTreeMap<String, Value>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Provider,
    Subject,
    Actor,
    Text(String),
}

impl TryFrom<BTreeMap<String, String>> for LoginTags {
    type Error = String;

    fn try_from(written: BTreeMap<String, String>) -> Result<Self, String> {
        if written.len() > MAX_PRINCIPAL_TAGS {
            return Err(format!(
                "principal_tags: {} tags; a token has at most {MAX_PRINCIPAL_TAGS}",
                written.len()
            ));
        }
        let tags = Self(written.into_iter().map(|(key, value)| (key, Value::read(value))).collect());
        if let Some(key) = tags.0.keys().find(|key| !(1..=MAX_KEY).contains(&key.chars().count())) {
            return Err(format!("principal_tags: the key {key:?} must have 1 to {MAX_KEY} characters"));
        }
        // What can be made of any login is checked with one that is beyond doubt.
        tags.with("a", "a", Some("a")).map_err(|error| {
            format!(
                "principal_tags: {error} (\"{{provider}}\" and \"{{subject}}\" stand for a login's, \"{{actor}}\" for whoever \
                 acts for it, each alone)"
            )
        })?;
        Ok(tags)
    }
}

impl Value {
    fn read(text: String) -> Self {
        match text.as_str() {
            "{provider}" => Self::Provider,
            "{subject}" => Self::Subject,
            "{actor}" => Self::Actor,
            _ => Self::Text(text),
        }
    }
}

impl LoginTags {
    /// Whether they say who acts for somebody.
    #[must_use]
    pub fn name_actors(&self) -> bool {
        self.0.values().any(|value| *value == Value::Actor)
    }

    /// The tags of one login, for itself or for whoever acts for it. Where nobody does, the tag that would name them is
    /// absent.
    ///
    /// # Errors
    /// [`PoolError::Invalid`] if the login makes a tag that no session can have, or one that a policy could
    /// take for a pattern.
    pub fn of(
        &self,
        login: &VerifiedLogin,
        actor: Option<&ActorId>,
    ) -> Result<BTreeMap<String, String>, PoolError> {
        self.with(login.provider(), login.subject(), actor.map(ActorId::as_str))
    }

    fn with(
        &self,
        provider: &str,
        subject: &str,
        actor: Option<&str>,
    ) -> Result<BTreeMap<String, String>, PoolError> {
        let value = |value: &Value| match value {
            Value::Provider => Some(provider.to_owned()),
            Value::Subject => Some(subject.to_owned()),
            Value::Actor => actor.map(str::to_owned),
            Value::Text(text) => Some(text.clone()),
        };
        let tags = self.0.iter().filter_map(|(key, it)| Some((key.clone(), value(it)?)));
        let tags: BTreeMap<_, _> = tags.collect();
        if let Some(key) = tags.iter().find_map(|(key, value)| value.is_empty().then_some(key)) {
            return Err(Invalid::Value(format!("The principal tag {key:?} is empty.")).into());
        }
        principal_tags::check(&tags)?;
        Ok(tags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tags: &[(&str, &str)]) -> Result<LoginTags, String> {
        let owned = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        LoginTags::try_from(owned.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn a_tag_is_the_provider_the_subject_or_a_text() {
        let tags = read(&[("from", "{provider}"), ("who", "{subject}"), ("team", "röd 1")]).unwrap();
        let made = tags.with("snapchat", "ab/c=", None).unwrap();
        let expected = [("from", "snapchat"), ("team", "röd 1"), ("who", "ab/c=")];
        assert_eq!(made, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert!(LoginTags::default().with("a", "*", None).unwrap().is_empty());
    }

    #[test]
    fn whoever_acts_has_a_tag_and_nobody_has_none() {
        let tags = read(&[("actor", "{actor}"), ("who", "{subject}")]).unwrap();
        assert!(tags.name_actors() && !read(&[("who", "{subject}")]).unwrap().name_actors());
        let made = |actor| tags.with("snapchat", "ada", actor).unwrap().into_values().collect::<Vec<_>>();
        assert_eq!(made(Some("mailer")), ["mailer", "ada"]);
        assert_eq!(made(None), ["ada"]);
    }

    #[test]
    fn what_no_token_can_have_is_refused_when_it_is_read() {
        let long = "k".repeat(129);
        let value = "v".repeat(257);
        for (tags, cure) in [
            (&[("", "a")][..], "1 to 128"),
            (&[(&*long, "a")], "1 to 128"),
            (&[("a", "")], "is empty"),
            (&[("a", &*value)], "more than 256"),
            (&[("a", "*")], "may hold only"),
            (&[("a", "b?")], "may hold only"),
            (&[("a", "{name}")], "\"{provider}\" and \"{subject}\""),
            (&[("a", "x{subject}")], "each alone"),
            (&[("a", "b"), ("A", "c")], "case insensitive"),
        ] {
            let error = read(tags).unwrap_err();
            assert!(error.contains(cure), "{error}");
        }
        let many: BTreeMap<_, _> = (0..51).map(|tag| (tag.to_string(), "a".to_owned())).collect();
        assert!(LoginTags::try_from(many).unwrap_err().contains("at most 50"));
    }

    #[test]
    fn a_subject_that_could_be_a_pattern_makes_no_tag() {
        let tags = read(&[("who", "{subject}")]).unwrap();
        for subject in ["*", "a?", "a*b", "${aws:userid}", "a\"b", "", &"a".repeat(257)] {
            assert!(tags.with("snapchat", subject, None).is_err(), "{subject:?}");
        }
    }
}
