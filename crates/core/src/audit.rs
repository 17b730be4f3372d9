//! Who was let in, who was turned away, and why: one event for each decision. Events name people by
//! identity and developer user identifier and never hold a token, a code or a secret. Each has a size: what could be
//! longer is cut, and most of all what nobody vouches for.

pub mod head_key;
#[cfg(test)]
pub(crate) mod testing;
mod trail;

use std::net::IpAddr;

pub use self::trail::{AuditTrail, Strangers};
use crate::ground::clock::Timestamp;
use crate::ground::ids::{AccessKeyId, ActorId, IdentityId, RequestId};
use crate::iam::Origin;
use crate::login::public::PublicLogin;
pub use crate::records::audit_event::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use crate::store::StoreError;
use crate::token::openid_token::Claims;

/// So many characters are kept of a text of which nothing was proved: whoever sent it may have made it up.
const MAX_UNPROVED: usize = 200;
/// So many of the words about why somebody was refused.
const MAX_DETAIL: usize = 500;
/// So many of what a program calls itself.
const MAX_AGENT: usize = 200;
/// So many of what names a person, a login or a resource. The longest that is of use, an object's ARN or a
/// developer user identifier, has half of that.
const MAX_NAME: usize = 2_048;

/// An error that can end a decision.
pub trait Reason: std::fmt::Display {
    /// What the trail calls it: short, and stable, because alarms and searches hang on it. Where `/v1` has a code for the
    /// same thing, it is that one. The error's text goes along as the detail, so it must not hold a secret.
    fn reason(&self) -> &'static str;
}

impl Reason for StoreError {
    fn reason(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::Corrupt(_) => "store_corrupt",
        }
    }
}

/// Why a decision fell as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    reason: &'static str,
    detail: String,
}

impl Grounds {
    /// See [`AuditEvent::reason`] and [`AuditEvent::detail`].
    #[must_use]
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// Those of an error.
    #[must_use]
    pub fn of(error: &impl Reason) -> Self {
        Self { reason: error.reason(), detail: error.to_string() }
    }
}

/// Who asks for something, as the trail names them.
#[derive(Debug, Clone)]
pub struct Requester {
    /// The request.
    pub request_id: RequestId,
    /// The credentials that it was signed with, if it was.
    pub access_key_id: Option<AccessKeyId>,
    /// Where it came from: policies may ask.
    pub origin: Origin,
    /// What the program that asks calls itself.
    pub user_agent: Option<String>,
}

impl Requester {
    /// Somebody who signed nothing.
    #[must_use]
    pub fn anonymous(request_id: &RequestId, origin: Origin) -> Self {
        Self { request_id: request_id.clone(), access_key_id: None, origin, user_agent: None }
    }
}

/// A decision in the making: what is known about it so far.
#[derive(Debug, Clone)]
pub struct AuditDraft {
    request_id: RequestId,
    action: AuditAction,
    proved: bool,
    /// See [`AuditEvent::provider`].
    pub provider: Option<String>,
    /// See [`AuditEvent::developer_user_identifier`].
    pub developer_user_identifier: Option<String>,
    /// See [`AuditEvent::actor`].
    pub actor: Option<ActorId>,
    /// See [`AuditEvent::login`].
    pub login: Option<String>,
    /// See [`AuditEvent::identity_id`].
    pub identity_id: Option<IdentityId>,
    /// See [`AuditEvent::access_key_id`].
    pub access_key_id: Option<AccessKeyId>,
    /// See [`AuditEvent::resource`].
    pub resource: Option<String>,
    source_ip: Option<IpAddr>,
    user_agent: Option<String>,
}

impl AuditDraft {
    /// A decision that no request over the network asks for.
    #[must_use]
    pub fn new(action: AuditAction, request_id: &RequestId) -> Self {
        Self {
            request_id: request_id.clone(),
            action,
            proved: false,
            provider: None,
            developer_user_identifier: None,
            actor: None,
            login: None,
            identity_id: None,
            access_key_id: None,
            resource: None,
            source_ip: None,
            user_agent: None,
        }
    }

    /// A decision that somebody asks for, perhaps with a signature.
    #[must_use]
    pub fn by(action: AuditAction, requester: &Requester) -> Self {
        Self {
            proved: requester.access_key_id.is_some(),
            access_key_id: requester.access_key_id.clone(),
            source_ip: requester.origin.source_ip.map(|address| address.to_canonical()),
            user_agent: requester.user_agent.clone(),
            ..Self::new(action, &requester.request_id)
        }
    }

    /// The same decision, without where the request came from and what by.
    fn without_caller(self) -> Self {
        Self { source_ip: None, user_agent: None, ..self }
    }

    /// Notes that the request was signed with the access key that it names.
    pub fn signed(&mut self) {
        self.proved = true;
    }

    /// Notes that a token was believed, though it may be about somebody else than the identity that is asked about.
    pub fn shown(&mut self, claims: &Claims) {
        self.proved = true;
        if self.identity_id.as_ref().is_some_and(|asked| *asked != claims.identity_id) {
            self.resource = Some(format!("with the token of {}", claims.identity_id));
        }
    }

    /// Notes whom a believed token is about.
    pub fn about(&mut self, claims: &Claims) {
        self.proved = true;
        self.identity_id = Some(claims.identity_id.clone());
        self.developer_user_identifier = claims.developer_user_identifier().map(str::to_owned);
        self.actor = claims.actor().cloned();
    }

    /// Notes the verified logins that somebody showed.
    pub fn login_of(&mut self, logins: &[PublicLogin]) {
        let entries: Vec<String> = logins.iter().map(PublicLogin::amr_entry).collect();
        self.login = (!entries.is_empty()).then(|| join(&entries));
    }

    /// Whether whoever asks has proved something: a signature, a token of ours, or a login. A request that only names
    /// an identity, an access key or a role has proved nothing.
    fn is_proved(&self) -> bool {
        self.proved || self.developer_user_identifier.is_some() || self.login.is_some()
    }

    fn conclude(self, time: Timestamp, outcome: AuditOutcome, grounds: Option<Grounds>) -> AuditEvent {
        let vouched = self.is_proved() || outcome == AuditOutcome::Allowed;
        let at_most = |max: usize| if vouched { max } else { MAX_UNPROVED };
        let text = |text: Option<String>, max| text.map(|text| cut(&text, at_most(max)));
        // Names of people are searched for, letter by letter.
        let name = |name: Option<String>| name.map(|name| shortened(name, at_most(MAX_NAME)));
        let (reason, detail) = grounds.map(|Grounds { reason, detail }| (reason.to_owned(), detail)).unzip();
        AuditEvent {
            time,
            request_id: self.request_id,
            action: self.action,
            outcome,
            reason,
            detail: text(detail, MAX_DETAIL),
            provider: text(self.provider, MAX_NAME),
            developer_user_identifier: name(self.developer_user_identifier),
            actor: self.actor,
            login: name(self.login),
            identity_id: self.identity_id,
            access_key_id: self.access_key_id,
            resource: text(self.resource, MAX_NAME),
            source_ip: self.source_ip,
            user_agent: text(self.user_agent, MAX_AGENT),
        }
    }
}

/// A text of somebody else's as it can be kept: at most `max` characters, where the last says if there were more, and
/// control characters spelled out.
#[must_use]
pub fn cut(text: &str, max: usize) -> String {
    let mut kept = String::new();
    // Whatever is behind the first `max` characters does not become shorter by being spelled out.
    for c in text.chars().take(max + 1) {
        if c.is_control() {
            kept.extend(c.escape_default());
        } else {
            kept.push(c);
        }
    }
    shortened(kept, max)
}

/// Entries as one text that no other entries have: nobody's user ID makes one login look like two.
fn join(entries: &[String]) -> String {
    let entries = entries.iter().map(|entry| entry.replace('\\', "\\\\").replace(',', "\\,"));
    entries.collect::<Vec<_>>().join(", ")
}

fn shortened(mut text: String, max: usize) -> String {
    // A character has a byte at least.
    if text.len() > max && text.chars().count() > max {
        let end = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ground::ids::Region;
    use crate::ground::random::SeededRandom;

    fn draft() -> AuditDraft {
        AuditDraft::by(AuditAction::Assume, &nobody())
    }

    fn refused(draft: AuditDraft, detail: String) -> AuditEvent {
        let grounds = Grounds::new("token_malformed", detail);
        draft.conclude(Timestamp::UNIX_EPOCH, AuditOutcome::Refused, Some(grounds))
    }

    /// Everything that a draft can hold, as long as somebody wants it to be.
    fn endless(mut draft: AuditDraft) -> AuditDraft {
        let text = || Some("\u{0}é".repeat(100_000));
        draft.provider = text();
        draft.resource = text();
        draft.user_agent = text();
        draft.access_key_id = Some(AccessKeyId::parse("k".repeat(128)).unwrap());
        draft.identity_id =
            Some(IdentityId::generate(&Region::parse("us-east-1").unwrap(), &SeededRandom::new(2)));
        draft
    }

    proptest! {
        #[test]
        fn two_lists_of_logins_never_have_one_text(
            one in proptest::collection::vec("[a, \\\\]{1,4}", 1..4),
            other in proptest::collection::vec("[a, \\\\]{1,4}", 1..4),
        ) {
            prop_assert_eq!(join(&one) == join(&other), one == other);
        }
    }

    #[test]
    fn an_event_of_nobody_is_small_whatever_they_sent() {
        let event = refused(endless(draft()), "\u{202e}\n".repeat(100_000));
        for text in [&event.detail, &event.provider, &event.resource, &event.user_agent] {
            let length = text.as_ref().unwrap().chars().count();
            assert_eq!(length, MAX_UNPROVED);
        }
        assert!(serde_json::to_vec(&event).unwrap().len() < 2_500);
    }

    #[test]
    fn an_event_of_somebody_has_a_size_too() {
        let mut draft = endless(draft());
        draft.developer_user_identifier = Some("ü".repeat(100_000));
        draft.login = Some("ü".repeat(100_000));
        let event = refused(draft, "é".repeat(100_000));
        for text in [event.provider, event.resource, event.developer_user_identifier, event.login] {
            assert_eq!(text.unwrap().chars().count(), MAX_NAME);
        }
        assert_eq!(event.detail.unwrap().chars().count(), MAX_DETAIL);
    }

    #[test]
    fn the_longest_names_that_are_of_use_stay_whole() {
        let mut draft = draft();
        let user = format!("{}:{}\u{1}", "p".repeat(64), "u".repeat(1_024));
        let object = format!("s3:GetObject arn:aws:s3:::{}/{}", "b".repeat(63), "k".repeat(1_024));
        draft.developer_user_identifier = Some(user.clone());
        draft.resource = Some(object.clone());
        let event = refused(draft, String::new());
        assert_eq!((event.developer_user_identifier, event.resource), (Some(user), Some(object)));
    }

    #[test]
    fn a_text_is_cut_between_characters_and_control_characters_are_spelled_out() {
        for (text, max, expected) in [
            ("", 3, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("äöü", 3, "äöü"),
            ("äöüß", 3, "äö…"),
            ("a\nb", 4, "a\\nb"),
            ("a\nb", 3, "a\\…"),
            ("\u{1b}[2J", 20, "\\u{1b}[2J"),
            ("\u{85}", 6, "\\u{85}"),
            ("\n\n\n\n", 3, "\\n…"),
        ] {
            assert_eq!(cut(text, max), expected, "{text:?}");
        }
    }

    #[test]
    fn to_name_something_proves_nothing() {
        let mut named = draft();
        named.identity_id = IdentityId::parse("us-east-1:01").ok();
        named.access_key_id = AccessKeyId::parse("AKIAHDLRFNWOPJBKY6Z3").ok();
        named.resource = Some("arn:aws:iam::000000000000:role/admin".into());
        named.provider = Some("snapchat".into());
        assert!(!named.is_proved());
        named.signed();
        assert!(named.is_proved());
        let requester = Requester { access_key_id: AccessKeyId::parse("k".repeat(16)).ok(), ..nobody() };
        assert!(AuditDraft::by(AuditAction::Token, &requester).is_proved());
        assert!(!AuditDraft::by(AuditAction::Token, &nobody()).is_proved());
        let mut login = draft();
        login.developer_user_identifier = Some("ada".into());
        assert!(login.is_proved());
    }

    fn nobody() -> Requester {
        let request_id = RequestId::generate(Timestamp::UNIX_EPOCH, &SeededRandom::new(1));
        Requester::anonymous(&request_id, Origin::default())
    }
}
