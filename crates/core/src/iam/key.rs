//! The condition keys. Those of the closed list are filled in when a policy is asked, and nothing but these can enter a
//! context. Of every other key that IAM knows, `unfilled.rs`, nobody here knows whether a request has a value: an Allow that asks
//! for it never takes hold, and a Deny that leans on it is refused. What IAM does not know either is a slip of the pen.

mod unfilled;

use super::error::PolicyError;

/// A condition key. Names are compared without regard to case, as IAM does, and that includes the
/// names of tags.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// `cognito-identity.amazonaws.com:sub`: the identity ID.
    CognitoSub,
    /// `cognito-identity.amazonaws.com:aud`: the identity pool ID.
    CognitoAud,
    /// `cognito-identity.amazonaws.com:amr`: how the person logged in; several values.
    CognitoAmr,
    /// `aws:FederatedProvider`: who vouched for the session.
    FederatedProvider,
    /// `aws:PrincipalArn`: the role of the session, or the developer.
    PrincipalArn,
    /// `aws:PrincipalTag/NAME`: a tag of the session.
    PrincipalTag(TagName),
    /// `aws:PrincipalType`: `AssumedRole` for a session, `User` for a developer.
    PrincipalType,
    /// `aws:userid`: `ROLE-ID:SESSION-NAME`, or a developer's own ID.
    UserId,
    /// `aws:RequestTag/NAME`: a tag that the new session is to bear.
    RequestTag(TagName),
    /// `sts:RoleSessionName`: the name that the new session is to bear.
    RoleSessionName,
    /// `aws:CurrentTime`: the instant of the request, as RFC 3339 writes it.
    CurrentTime,
    /// `aws:EpochTime`: the same in seconds since 1970.
    EpochTime,
    /// `aws:SecureTransport`: whether the request came over TLS.
    SecureTransport,
    /// `aws:SourceIp`: the address that the request came from.
    SourceIp,
    /// `cognito-identity:IdentityPoolArn`: the pool that a call names, or that the identity it names is in.
    IdentityPoolArn,
    /// `s3:prefix` of a listing.
    S3Prefix,
    /// `s3:delimiter` of a listing.
    S3Delimiter,
    /// `s3:max-keys` of a listing.
    S3MaxKeys,
    /// Any other key that IAM knows, and no gate fills in.
    Unfilled(UnfilledName),
}

/// The name of a key that is never filled in, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnfilledName(Box<str>);

/// The name of a tag, without its case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TagName(Box<str>);

/// The kind of document that a key, and much else, stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Document {
    /// What somebody may do: a role's policy, a session policy, or a developer's policy.
    Identity,
    /// Who may become the role.
    Trust,
}

const BOTH: &[Document] = &[Document::Identity, Document::Trust];
const IDENTITY: &[Document] = &[Document::Identity];
const TRUST: &[Document] = &[Document::Trust];

const PRINCIPAL_TAG: &str = "aws:PrincipalTag/";
const REQUEST_TAG: &str = "aws:RequestTag/";

/// The keys with a fixed name, and when each of them has a value.
const NAMED: &[(Key, &str, &[Document])] = &[
    (Key::CognitoSub, "cognito-identity.amazonaws.com:sub", BOTH),
    (Key::CognitoAud, "cognito-identity.amazonaws.com:aud", BOTH),
    (Key::CognitoAmr, "cognito-identity.amazonaws.com:amr", BOTH),
    (Key::FederatedProvider, "aws:FederatedProvider", BOTH),
    (Key::PrincipalArn, "aws:PrincipalArn", IDENTITY),
    (Key::PrincipalType, "aws:PrincipalType", IDENTITY),
    (Key::UserId, "aws:userid", IDENTITY),
    (Key::RoleSessionName, "sts:RoleSessionName", TRUST),
    (Key::CurrentTime, "aws:CurrentTime", BOTH),
    (Key::EpochTime, "aws:EpochTime", BOTH),
    (Key::SecureTransport, "aws:SecureTransport", BOTH),
    (Key::SourceIp, "aws:SourceIp", BOTH),
    (Key::IdentityPoolArn, "cognito-identity:IdentityPoolArn", IDENTITY),
    (Key::S3Prefix, "s3:prefix", IDENTITY),
    (Key::S3Delimiter, "s3:delimiter", IDENTITY),
    (Key::S3MaxKeys, "s3:max-keys", IDENTITY),
];

impl Key {
    /// The key of one tag of the session.
    #[must_use]
    pub fn principal_tag(name: &str) -> Self {
        Self::PrincipalTag(TagName::new(name))
    }

    /// The key of one tag that a new session is to bear.
    #[must_use]
    pub fn request_tag(name: &str) -> Self {
        Self::RequestTag(TagName::new(name))
    }

    /// Reads a key that stands in a document of the given kind.
    pub(super) fn parse(text: &str, document: Document) -> Result<Self, PolicyError> {
        let unfilled = || Ok(Self::Unfilled(UnfilledName(text.to_lowercase().into())));
        match Self::named(text).or_else(|| Self::tagged(text)) {
            Some((key, documents)) if documents.contains(&document) => Ok(key),
            Some(_) if document == Document::Identity => unfilled(),
            Some(_) => Err(refused(&format!("{text:?} has no value in a policy of this kind"), document)),
            None if unfilled::is_known_to_iam(text) => unfilled(),
            None => Err(refused(&format!("unknown key {text:?}"), document)),
        }
    }

    /// The name of a key that is never filled in.
    pub(super) fn unfilled_name(&self) -> Option<&str> {
        match self {
            Self::Unfilled(UnfilledName(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether one request can have several values for it.
    pub(super) fn is_multivalued(&self) -> bool {
        *self == Self::CognitoAmr
    }

    fn named(text: &str) -> Option<(Self, &'static [Document])> {
        let (key, _, documents) = NAMED.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(text))?;
        Some((key.clone(), documents))
    }

    fn tagged(text: &str) -> Option<(Self, &'static [Document])> {
        let (prefix, name) = text.split_at(text.find('/')? + 1);
        if !is_tag_name(name) {
            return None;
        }
        if prefix.eq_ignore_ascii_case(PRINCIPAL_TAG) {
            return Some((Self::principal_tag(name), IDENTITY));
        }
        prefix.eq_ignore_ascii_case(REQUEST_TAG).then(|| (Self::request_tag(name), TRUST))
    }
}

impl TagName {
    fn new(name: &str) -> Self {
        Self(name.to_lowercase().into())
    }
}

/// What AWS allows in the name of a tag: letters, digits, space and `_.:/=+-@`, 1 to 128 of them.
fn is_tag_name(name: &str) -> bool {
    (1..=128).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c))
}

/// Every key that a document may ask for, by the name it has there, with a tag `team` for all tags.
#[cfg(test)]
pub(crate) fn known_to(document: Document) -> Vec<(Key, String)> {
    let named = NAMED.iter().map(|(_, name, _)| (*name).to_owned());
    let tags = [PRINCIPAL_TAG, REQUEST_TAG].map(|prefix| format!("{prefix}team"));
    let keys = named.chain(tags).filter_map(|name| Some((Key::parse(&name, document).ok()?, name)));
    keys.filter(|(key, _)| key.unfilled_name().is_none()).collect()
}

fn refused(problem: &str, document: Document) -> PolicyError {
    PolicyError::new(format!("{problem}; {}", known_in(document)))
}

fn known_in(document: Document) -> String {
    let tags = match document {
        Document::Identity => PRINCIPAL_TAG,
        Document::Trust => REQUEST_TAG,
    };
    let names: Vec<_> =
        NAMED.iter().filter(|(_, _, kinds)| kinds.contains(&document)).map(|(_, name, _)| *name).collect();
    format!("known here are {}, {tags}NAME", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_without_regard_to_case() {
        assert_eq!(Key::parse("AWS:sourceIP", Document::Identity).unwrap(), Key::SourceIp);
        assert_eq!(
            Key::parse("aws:principaltag/Team", Document::Identity).unwrap(),
            Key::principal_tag("TEAM")
        );
    }

    #[test]
    fn keys_outside_the_list_are_refused_with_the_list() {
        for text in ["", "aws:SourceVlan", "s3:prefix ", "aws:PrincipalTag", "aws:PrincipalTag/", "/"] {
            let refusal = Key::parse(text, Document::Identity).unwrap_err().to_string();
            assert!(
                refusal.starts_with(&format!("document: unknown key {text:?}; known here are ")),
                "{refusal}"
            );
        }
        assert!(Key::parse("aws:PrincipalTag/a${b", Document::Identity).is_err());
        assert!(Key::parse(&format!("aws:PrincipalTag/{}", "x".repeat(129)), Document::Identity).is_err());
    }

    #[test]
    fn keys_that_would_always_be_absent_are_refused_or_never_filled_in() {
        for text in ["s3:prefix", "aws:PrincipalTag/team", "aws:userid", "cognito-identity:IdentityPoolArn"] {
            assert!(Key::parse(text, Document::Trust).unwrap_err().to_string().contains("has no value"));
        }
        for text in ["aws:RequestTag/team", "sts:RoleSessionName"] {
            assert_eq!(
                Key::parse(text, Document::Identity).unwrap().unfilled_name(),
                Some(&*text.to_lowercase())
            );
        }
    }
}
