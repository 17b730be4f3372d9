//! What has to succeed, and with which requests.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine as _};
use daypass_core::login::provider::definition::{
    Binding, Call, CallAuthentication, ChallengeForm, ClientAuthentication, Definition, Exchange, IdScope,
    ParametersIn, Pkce, Profile, ProofKind,
};
use daypass_core::login::provider::template::Name;
use daypass_core::login::provider::{AuthorizeRequest, catalogue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;

use crate::bench::{Bench, CODE, NOW, REDIRECT_URI, TOKEN, VERIFIER, definition, hex};
use crate::entries::{for_each_entry, for_entries_that};
use crate::fixture::{self, Fixture};
use crate::server::{Seen, Step};

/// The challenge of RFC 7636, appendix B.
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn every_entry_has_a_fixture_that_puts_each_promise_to_the_test() {
    let gap = |name: &&str| match Fixture::load(name) {
        Err(error) => Some(error),
        Ok(fixture) => {
            let gaps = fixture.gaps(&definition(name, &fixture));
            (!gaps.is_empty()).then(|| format!("fixtures/{name}.json lacks {}", gaps.join(", ")))
        }
    };
    let gaps: Vec<String> = catalogue::names().iter().filter_map(gap).collect();
    assert!(gaps.is_empty(), "{}", gaps.join("\n"));
}

#[test]
fn every_fixture_belongs_to_an_entry() {
    let files = std::fs::read_dir(fixture::dir()).unwrap();
    let files: BTreeSet<String> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    let entries: BTreeSet<String> = catalogue::names().iter().map(|name| format!("{name}.json")).collect();
    assert_eq!(files, entries);
}

#[test]
fn every_accepted_kind_of_proof_signs_the_same_person_in() {
    for_each_entry(|bench| async move {
        let expected = &bench.fixture.expected;
        let mut names = BTreeSet::new();
        let mut avatars = BTreeSet::new();
        for kind in bench.definition().accept.clone() {
            if bench.takes(kind) {
                let login =
                    bench.verify(bench.proof(kind)).await.0.unwrap_or_else(|error| panic!("{kind}: {error}"));
                let id = format!("{}:{}", bench.name, expected.external_id);
                assert_eq!(login.developer_user_identifier(), id, "{kind}");
                names.extend(login.user().name.clone());
                avatars.extend(login.user().avatar.clone());
            }
        }
        assert_eq!(names, expected.name.clone().into_iter().collect(), "name");
        assert_eq!(avatars, expected.avatar.clone().into_iter().collect(), "avatar");
    });
}

#[test]
fn a_code_arrives_with_everything_that_ties_it_to_our_client_and_this_browser() {
    let concerned = |bench: &Bench| bench.accepts(ProofKind::Code);
    for_entries_that(concerned, |bench| async move {
        let seen = bench.verify(bench.proof(ProofKind::Code)).await.1;
        let request = seen.iter().find(|it| it.step == Some(Step::Exchange)).unwrap();
        check_exchange(&bench, bench.definition().exchange.as_ref().unwrap(), request);
    });
}

fn check_exchange(bench: &Bench, exchange: &Exchange, request: &Seen) {
    let parameters = match exchange.parameters_in {
        ParametersIn::Json => {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let members = body.as_object().unwrap().iter();
            members.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
        }
        ParametersIn::Form | ParametersIn::Query => request.parameters(),
    };
    let named = |name: &str| exchange.rename.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let all = |name: &str| {
        let values = parameters.iter().filter(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>()
    };
    assert_eq!(all(&named("code")), [CODE]);
    assert_eq!(all(&named("redirect_uri")), [REDIRECT_URI]);
    assert_eq!(all(&named("grant_type")), ["authorization_code"]);
    let verifier: &[&str] = if bench.definition().pkce == Pkce::Required { &[VERIFIER] } else { &[] };
    assert_eq!(all(&named("code_verifier")), verifier);
    for name in &exchange.callback {
        assert_eq!(all(name), [format!("the {name}")]);
    }
    assert!(all("uninvited").is_empty(), "only what the definition names goes along");
    let (id, secret) = (bench.provider.client_id.as_str(), bench.secret());
    let id_stands = all(&named("client_id")) == [id];
    match &exchange.client_auth {
        ClientAuthentication::Basic => assert_eq!(request.header("authorization"), basic(id, secret)),
        ClientAuthentication::BasicAndId => {
            assert!(id_stands);
            assert_eq!(request.header("authorization"), basic(id, secret));
        }
        ClientAuthentication::Parameters => {
            assert!(id_stands);
            assert_eq!(all(&named("client_secret")), [secret]);
        }
        ClientAuthentication::Header(name) => {
            assert!(id_stands);
            assert_eq!(request.header(name), secret);
        }
        ClientAuthentication::None => {
            assert!(id_stands);
            assert!(all(&named("client_secret")).is_empty() && request.header("authorization").is_empty());
        }
        ClientAuthentication::AppleJwt => {
            assert!(id_stands);
            check_made_secret(bench, all("client_secret")[0]);
        }
    }
}

/// RFC 6749 section 2.3.1, with nothing encoded that need not be.
fn basic(id: &str, secret: &str) -> String {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    let encode = |text| utf8_percent_encode(text, RESERVED).to_string();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

/// Sign in with Apple, "Creating a client secret".
fn check_made_secret(bench: &Bench, secret: &str) {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    let (message, signature) = secret.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, bench.apple.point());
    key.verify(message.as_bytes(), &signature).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(message.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["sub"], bench.provider.client_id);
    assert!(claims["exp"].as_i64().unwrap() > NOW);
}

#[test]
fn every_call_shows_the_token_the_way_the_provider_wants_it() {
    let concerned = |bench: &Bench| bench.asks_at(&[Step::Binding, Step::Profile]);
    for_entries_that(concerned, |bench| async move {
        let issued = bench.issued_token();
        let mut checked = 0;
        for (kind, token) in [(ProofKind::Code, issued.as_deref()), (ProofKind::AccessToken, Some(TOKEN))] {
            if bench.takes(kind) {
                let seen = bench.verify(bench.proof(kind)).await.1;
                checked += check_calls(&bench, &seen, token.unwrap());
            }
        }
        assert!(checked > 0, "no call showed a token");
    });
}

/// Checks the calls among what the provider has seen, and counts them.
fn check_calls(bench: &Bench, seen: &[Seen], token: &str) -> usize {
    let mut checked = 0;
    for request in seen {
        let call = match (request.step, &bench.definition().binding, &bench.definition().profile) {
            (Some(Step::Binding), Binding::Endpoint(it) | Binding::ClientAuthEndpoint(it), _) => &it.call,
            (Some(Step::Profile), _, Some(profile)) => &profile.call,
            _ => continue,
        };
        check_call(bench, call, request, token);
        checked += 1;
    }
    checked
}

fn check_call(bench: &Bench, call: &Call, request: &Seen, token: &str) {
    let (id, secret) = (&bench.provider.client_id, bench.secret());
    let authorization = request.header("authorization");
    match &call.auth {
        CallAuthentication::Bearer => assert_eq!(authorization, format!("Bearer {token}")),
        CallAuthentication::Oauth => assert_eq!(authorization, format!("OAuth {token}")),
        CallAuthentication::Header(name) => assert_eq!(request.header(name), token),
        CallAuthentication::ClientBasic => {
            assert_eq!(authorization, basic(id, secret));
            assert!(carries(request, token), "the token has to stand somewhere");
        }
        CallAuthentication::None => assert!(carries(request, token), "the token has to stand somewhere"),
    }
}

#[test]
fn a_call_that_has_to_prove_itself_the_apps_own_does() {
    let proves_itself = |profile: &Profile| profile.call.url.names().any(|it| *it == Name::AppsecretProof);
    let concerned = |bench: &Bench| bench.definition().profile.as_ref().is_some_and(proves_itself);
    for_entries_that(concerned, |bench| async move {
        let seen = bench.verify(bench.proof(ProofKind::AccessToken)).await.1;
        let request = seen.iter().find(|it| it.step == Some(Step::Profile)).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, bench.secret().as_bytes());
        let proof = hex(hmac::sign(&key, TOKEN.as_bytes()).as_ref());
        assert!(carries(request, &proof), "{proof}");
    });
}

/// Whether a value stands in a parameter, a step of the path or a member of a JSON body.
fn carries(request: &Seen, value: &str) -> bool {
    let decode = |step: &str| percent_decode_str(step).decode_utf8_lossy().into_owned();
    let in_json = serde_json::from_str::<Value>(&request.body)
        .is_ok_and(|body| body.as_object().is_some_and(|body| body.values().any(|member| member == value)));
    in_json
        || request.parameters().iter().any(|(_, found)| found == value)
        || request.uri.path().split('/').any(|step| decode(step) == value)
}

#[test]
fn a_flow_starts_with_the_state_and_the_challenge_that_will_end_it() {
    let starts = |definition: &Definition| definition.authorize.is_some() || definition.openid2.is_some();
    let concerned = |bench: &Bench| bench.accepts(ProofKind::Code) || starts(bench.definition());
    for_entries_that(concerned, |bench| async move {
        let request = AuthorizeRequest {
            redirect_uri: REDIRECT_URI,
            state: "the-state",
            nonce: "the-nonce",
            code_challenge: CHALLENGE,
        };
        let definition = bench.definition();
        let url = bench.authorization_url(&request).expect("a flow has to start somewhere");
        assert!(url.starts_with("https://"), "{url}");
        assert!(!url.contains(bench.secret()), "the secret is not the browser's");
        if let Some(authorize) = &definition.authorize {
            let query = url.split_once('?').unwrap().1;
            let query = query.split('#').next().unwrap();
            let all: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
            let value = |name: &str| {
                let name = authorize.rename.get(name).map_or(name, String::as_str);
                let values: Vec<&str> =
                    all.iter().filter(|it| it.0 == name).map(|it| it.1.as_str()).collect();
                assert!(values.len() <= 1, "{name} stands there twice");
                values.first().copied()
            };
            assert_eq!(value("client_id"), Some(bench.provider.client_id.as_str()));
            assert_eq!(value("redirect_uri"), Some(REDIRECT_URI));
            assert_eq!(value("state"), Some("the-state"));
            let challenge = match authorize.code_challenge {
                ChallengeForm::Base64url => CHALLENGE.to_owned(),
                ChallengeForm::Hex => hex(&BASE64_URL_SAFE_NO_PAD.decode(CHALLENGE).unwrap()),
            };
            let challenge = (definition.pkce == Pkce::Required).then_some(&*challenge);
            assert_eq!(value("code_challenge"), challenge);
        }
    });
}

#[test]
fn a_name_in_the_catalogue_promises_words_for_the_operator() {
    for name in catalogue::names() {
        let definition = definition(name, &Fixture::load(name).unwrap());
        assert!(definition.register.ends_with('.'), "{name}: register: whole sentences");
        let admits_doubt = definition.unverified.iter().any(|fact| !fact.is_empty());
        let knows = definition.id_scope != IdScope::Unknown;
        assert!(knows || admits_doubt, "{name}: an unknown scope is a doubt to name");
    }
}
