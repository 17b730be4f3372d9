//! Fields that came back to our page with a provider's word that they are its own: signed with a key that
//! follows from our secret, or to be echoed to the provider (OpenID 2.0).

use std::collections::BTreeMap;

use ::http::{Request, header};
use aws_lc_rs::{digest, hmac};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::definition::{OpenId2, SignedFields, SignedFieldsKey};
use super::error::{ProofError, unavailable};
use super::status::not_as_defined;
use super::template::{Values, encode};
use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::hex;
use crate::ground::outbound::ProviderHttp;
use crate::ground::secret::Secret;
use crate::login::jwks::is_passing;

/// Fields, each once.
pub type Fields = BTreeMap<String, String>;

/// How far ahead of ours a provider's clock may be.
const CLOCK_SKEW: i64 = 300;
/// How long an OpenID 2.0 assertion is good, by the time in its nonce.
const ASSERTION_LIFE: i64 = 300;

/// What keeps signed fields from being shown twice: a name for them, and when they are worthless anyway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseOnce {
    /// The same for the same fields.
    pub name: String,
    /// From then on they are refused for their age.
    pub until: Timestamp,
}

/// Checks the signature over sorted fields, and their age.
pub(super) fn check_fields(
    definition: &SignedFields,
    secret: &Secret,
    fields: &Fields,
    now: Timestamp,
) -> Result<UseOnce, ProofError> {
    let mut rest = fields.clone();
    let signature = rest.remove(&definition.signature).ok_or(ProofError::Refused)?;
    let message = message(&rest, &definition.joiner).ok_or(ProofError::Refused)?;
    let signature = decode_hex(&signature).ok_or(ProofError::Refused)?;
    let key = match definition.key {
        SignedFieldsKey::Secret => hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes()),
        SignedFieldsKey::Sha256OfSecret => {
            let hashed = digest::digest(&digest::SHA256, secret.expose().as_bytes());
            hmac::Key::new(hmac::HMAC_SHA256, hashed.as_ref())
        }
    };
    hmac::verify(&key, message.as_bytes(), &signature).map_err(|_| ProofError::Refused)?;
    let signed_at = rest.get(&definition.signed_at).and_then(|text| text.parse::<i64>().ok());
    let signed_at = signed_at.ok_or(ProofError::Refused)?;
    let until = signed_at.saturating_add(definition.max_age_seconds);
    if now.as_second() > until || signed_at > now.as_second().saturating_add(CLOCK_SKEW) {
        return Err(ProofError::Refused);
    }
    let until = Timestamp::from_second(until.saturating_add(1)).map_err(|_| ProofError::Refused)?;
    Ok(UseOnce { name: hex::encode(&signature), until })
}

/// What is signed: `name=value` of each field, joined. None for fields whose text could be split anew into others: a
/// line break in one's own first name must not become a field that says who one is.
fn message(fields: &Fields, joiner: &str) -> Option<String> {
    let splits = |text: &str| text.contains(joiner) || text.contains(char::is_control);
    let ambiguous = fields.iter().any(|(name, value)| name.contains('=') || splits(name) || splits(value));
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    (!ambiguous).then(|| pairs.join(joiner))
}

/// The fields as an answer, for pointers of one step.
pub(super) fn as_answer(fields: &Fields) -> Value {
    fields.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect()
}

/// Checks an assertion by its own words, and then with the provider (OpenID Authentication 2.0 sections 11.1 to
/// 11.4.2). Answers the external ID.
pub(super) async fn check_assertion(
    definition: &OpenId2,
    fields: &Fields,
    redirect_uri: &str,
    now: Timestamp,
    http: &dyn ProviderHttp,
) -> Result<(String, UseOnce), ProofError> {
    let field = |name: &str| fields.get(&format!("openid.{name}")).map(String::as_str);
    let endpoint = definition.endpoint.url(&Values::default())?;
    let signed: Vec<&str> = field("signed").unwrap_or_default().split(',').collect();
    let must_be_signed = ["op_endpoint", "return_to", "response_nonce", "claimed_id", "identity"];
    let good = field("mode") == Some("id_res")
        && field("ns") == Some("http://specs.openid.net/auth/2.0")
        && field("op_endpoint") == Some(&endpoint)
        && field("return_to").is_some_and(|it| returns_to(it, redirect_uri, fields.get("state")))
        && field("claimed_id") == field("identity")
        && must_be_signed.iter().all(|name| signed.contains(name));
    if !good || is_ambiguous(fields) {
        return Err(ProofError::Refused);
    }
    let subject = field("claimed_id").and_then(|id| id.strip_prefix(&definition.identifier_prefix));
    let digits = |id: &&str| (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    let subject = subject.filter(digits).ok_or(ProofError::SubjectMissing)?.to_owned();
    let use_once = nonce(field("response_nonce").unwrap_or_default(), &endpoint, now)?;
    ask_provider(&endpoint, fields, http).await?;
    Ok((subject, use_once))
}

/// Whether fields could be others as well. The provider signs them as lines, `name:value` (section 4.1.1), and leaves it to
/// whoever builds them that no name holds a colon and nothing a line break.
fn is_ambiguous(fields: &Fields) -> bool {
    let breaks = |text: &str| text.contains(char::is_control);
    fields.iter().any(|(name, value)| name.contains(':') || breaks(name) || breaks(value))
}

/// Whether an address is the redirect URI with the state that came back beside it, which is the flow's own where the
/// flow is ours. An assertion of another flow, or of none, has another address.
fn returns_to(return_to: &str, redirect_uri: &str, state: Option<&String>) -> bool {
    let Some(state) = state else { return return_to == redirect_uri };
    let separator = if redirect_uri.contains('?') { "&state=" } else { "?state=" };
    let found = return_to.strip_prefix(redirect_uri).and_then(|rest| rest.strip_prefix(separator));
    // Whoever wrote the address chose which characters to escape.
    found.is_some_and(|found| !found.contains(['&', '#']) && percent_decode_str(found).eq(state.bytes()))
}

/// A response nonce begins with the instant at which it was made, in UTC.
fn nonce(text: &str, endpoint: &str, now: Timestamp) -> Result<UseOnce, ProofError> {
    let made_at =
        text.get(..20).and_then(|time| time.parse::<Timestamp>().ok()).ok_or(ProofError::Refused)?;
    let age = now.as_second() - made_at.as_second();
    if text.len() > 255 || !(-CLOCK_SKEW..=ASSERTION_LIFE).contains(&age) {
        return Err(ProofError::Refused);
    }
    let until = made_at + SignedDuration::from_secs(ASSERTION_LIFE + 1);
    Ok(UseOnce { name: format!("{endpoint} {text}"), until })
}

async fn ask_provider(endpoint: &str, fields: &Fields, http: &dyn ProviderHttp) -> Result<(), ProofError> {
    let echoed = fields.iter().filter(|(name, _)| name.starts_with("openid.") && *name != "openid.mode");
    let echoed = echoed.map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    let body: Vec<String> = echoed.chain(["openid.mode=check_authentication".to_owned()]).collect();
    let request = Request::post(endpoint)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body.join("&")))
        .map_err(|_| ProofError::Misconfigured("openid2.endpoint is not a URL".into()))?;
    let answer = http.send(request).await?;
    if !answer.status().is_success() {
        return Err(if is_passing(answer.status()) {
            unavailable(answer.status())
        } else {
            not_as_defined(endpoint, &answer)
        });
    }
    let text = std::str::from_utf8(answer.body()).unwrap_or_default();
    if text.lines().any(|line| line.trim() == "is_valid:true") { Ok(()) } else { Err(ProofError::Refused) }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() == 64)?;
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_text_that_could_be_split_anew_is_none() {
        let good = fields(&[("auth_date", "1"), ("first_name", "A = b"), ("id", "7")]);
        assert_eq!(message(&good, "\n").unwrap(), "auth_date=1\nfirst_name=A = b\nid=7");
        for bad in [
            fields(&[("auth_date", "1"), ("first_name", "A\nid=8")]),
            fields(&[("auth_date", "1\nfirst_name"), ("id", "7")]),
            fields(&[("auth_date=1", "1")]),
            fields(&[("first_name", "A\rid=8")]),
            fields(&[("first_name", "A\u{0}")]),
        ] {
            assert_eq!(message(&bad, "\n"), None, "{bad:?}");
        }
        assert_eq!(message(&fields(&[("first_name", "A&id=8")]), "&"), None);
    }

    proptest! {
        #[test]
        fn two_sets_of_fields_never_have_one_text(
            one in proptest::collection::btree_map("[a=\n]{0,3}", "[a=\n]{0,4}", 0..4),
            other in proptest::collection::btree_map("[a=\n]{0,3}", "[a=\n]{0,4}", 0..4),
        ) {
            if let (Some(text), Some(of_other)) = (message(&one, "\n"), message(&other, "\n"))
                && !one.is_empty() && !other.is_empty() {
                prop_assert_eq!(text == of_other, one == other);
            }
        }
    }

    proptest! {
        #[test]
        fn two_assertions_never_have_one_text(
            one in proptest::collection::btree_map("[a:\n]{0,3}", "[a:\n]{0,4}", 0..4),
            other in proptest::collection::btree_map("[a:\n]{0,3}", "[a:\n]{0,4}", 0..4),
        ) {
            let text = |fields: &Fields| {
                let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                lines.join("\n")
            };
            if !is_ambiguous(&one) && !is_ambiguous(&other) && !one.is_empty() && !other.is_empty() {
                prop_assert_eq!(text(&one) == text(&other), one == other);
            }
        }
    }

    #[test]
    fn an_assertion_is_for_the_redirect_uri_and_the_state_of_its_flow() {
        let uri = "https://login.example.com/login/steam/callback";
        let returns = |return_to: &str, state: Option<&str>| {
            returns_to(return_to, uri, state.map(str::to_owned).as_ref())
        };
        assert!(returns(uri, None) && returns(&format!("{uri}?state=a-b"), Some("a-b")));
        assert!(returns(&format!("{uri}?state=a%2Db"), Some("a-b")));
        for (return_to, state) in [
            (uri.to_owned(), Some("a-b")),
            (format!("{uri}?state=a-b"), None),
            (format!("{uri}?state=a-c"), Some("a-b")),
            (format!("{uri}?state=a-b&state=a-c"), Some("a-b")),
            (format!("{uri}/more?state=a-b"), Some("a-b")),
        ] {
            assert!(!returns(&return_to, state), "{return_to} {state:?}");
        }
        assert!(returns_to(&format!("{uri}?app=1&state=x"), &format!("{uri}?app=1"), Some(&"x".to_owned())));
    }
}
