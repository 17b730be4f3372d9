//! Known answers: every signed request of AWS's public test suite, in both forms, must verify; and no more so
//! after one character of it was changed.

use std::sync::LazyLock;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Request};
use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::secret::Secret;
use serde::Deserialize;

use super::SignatureError;
use super::claim::Claim;
use super::verify::verify;

#[derive(Deserialize)]
struct Suite {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    secret: String,
    token: Option<String>,
    normalize: bool,
    token_after_signing: bool,
    header: SignedRequest,
    query: SignedRequest,
}

#[derive(Clone, Deserialize)]
struct SignedRequest {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What our services make of a case.
#[derive(Debug, PartialEq, Eq)]
enum Promise {
    Verifies,
    /// S3 alone signs paths as they are; some services let the session token be added after signing, and ours
    /// are not among them.
    IsRefused,
    /// A space in the target, or a header folded over lines (RFC 9112, 5.2): no such request can be read.
    CannotArrive,
}

static SUITE: LazyLock<Suite> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../tests/vectors/sigv4-suite.json")).unwrap());

impl Case {
    fn forms(&self) -> [(&'static str, &SignedRequest); 2] {
        [("header", &self.header), ("query", &self.query)]
    }

    fn promise(&self, request: &SignedRequest) -> Promise {
        let folded = request.headers.iter().any(|(_, value)| value.contains('\n'));
        if folded || request.target.contains(' ') {
            Promise::CannotArrive
        } else if !self.normalize || self.token_after_signing {
            Promise::IsRefused
        } else {
            Promise::Verifies
        }
    }

    fn check(&self, request: &SignedRequest) -> Result<(), SignatureError> {
        let parts = request.parts().expect("it can arrive");
        let claim = Claim::read(&parts)?;
        let token = claim.session_token.as_ref().map(Secret::expose);
        assert_eq!(token, self.token.as_deref(), "{}", self.name);
        verify(&claim, &parts, request.body.as_bytes(), &Secret::new(self.secret.clone()))
    }
}

impl SignedRequest {
    fn parts(&self) -> Option<Parts> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.target);
        for (name, value) in &self.headers {
            let value = HeaderValue::from_bytes(value.trim_matches(' ').as_bytes()).ok()?;
            request = request.header(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        Some(request.body(()).ok()?.into_parts().0)
    }

    /// The same request with one thing changed, and what that is: each parameter and each header in turn.
    fn changed(&self) -> Vec<(String, Self)> {
        let mut all = Vec::new();
        let mut add = |what: String, change: &dyn Fn(&mut Self)| {
            let mut request = self.clone();
            change(&mut request);
            all.push((what, request));
        };
        add("body".into(), &|request| match request.body.pop() {
            Some(last) => request.body.push(other(last)),
            None => request.body.push('x'),
        });
        add("method".into(), &|request| request.method = "PUT".into());
        // At its end, where no normalisation takes it away again.
        let end = self.target.find('?').unwrap_or(self.target.len());
        add("path".into(), &|request| request.target.insert(end, 'x'));
        add("query".into(), &|request| {
            request.target.push_str(if request.target.contains('?') { "&x" } else { "?x" });
        });
        for (at, _) in self.target.match_indices(['=']) {
            add(format!("parameter at {at}"), &|request| change_at(&mut request.target, at + 1));
        }
        for (index, (name, value)) in self.headers.iter().enumerate() {
            let at = if name == "Authorization" { value.len() - 1 } else { 0 };
            add(format!("header {index} {name}"), &|request| change_at(&mut request.headers[index].1, at));
        }
        all
    }
}

/// Changes the character at this place, or the one before where there is none.
fn change_at(text: &mut String, at: usize) {
    match text[at..].chars().next() {
        Some(character) if character != '&' => {
            text.replace_range(at..at + character.len_utf8(), &other(character).to_string());
        }
        _ => text.insert(at, 'x'),
    }
}

fn other(character: char) -> char {
    if character == '1' { '2' } else { '1' }
}

#[test]
fn every_signature_of_the_suite_verifies_or_is_one_that_our_services_refuse() {
    let mut verified = 0;
    for case in &SUITE.cases {
        for (form, request) in case.forms() {
            let promise = case.promise(request);
            if promise == Promise::CannotArrive {
                assert!(request.parts().is_none(), "{} in the {form}", case.name);
                continue;
            }
            let found = case.check(request);
            let expected = promise == Promise::Verifies;
            assert_eq!(found.is_ok(), expected, "{} in the {form}: {promise:?}, {found:?}", case.name);
            verified += usize::from(expected);
        }
    }
    assert_eq!((SUITE.cases.len(), verified), (38, 56));
}

#[test]
fn no_signature_of_the_suite_verifies_after_one_change() {
    let cases = SUITE.cases.iter().flat_map(|case| case.forms().map(|(form, request)| (case, form, request)));
    for (case, form, request) in cases.filter(|(case, _, request)| case.promise(request) == Promise::Verifies)
    {
        for (what, changed) in request.changed() {
            let parts = changed.parts().expect("it can arrive");
            let found = Claim::read(&parts).and_then(|claim| {
                verify(&claim, &parts, changed.body.as_bytes(), &Secret::new(case.secret.clone()))
            });
            assert!(found.is_err(), "{} in the {form}, other {what}", case.name);
        }
    }
}

#[test]
fn a_presigned_request_of_the_suite_is_good_from_fifteen_minutes_before_its_date_until_it_expires() {
    let case = SUITE.cases.iter().find(|case| case.name == "get-vanilla").unwrap();
    let claim = Claim::read(&case.query.parts().unwrap()).unwrap_or_else(|error| panic!("{error}"));
    let at = |seconds: i64| claim.check_time(claim.signed_at + SignedDuration::from_secs(seconds));
    for good in [-900, 0, 901, 3600] {
        assert!(at(good).is_ok(), "{good}");
    }
    let refused = |seconds| at(seconds).unwrap_err().to_string();
    assert_eq!(refused(3601), "Signature expired: 20150830T133600Z is now earlier than 20150830T133601Z");
    let early = "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z \
                 (20150830T122059Z + 15 min.)";
    assert_eq!(refused(-901), early);
}
