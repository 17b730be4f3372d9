//! A malicious app. People sign in to it with the same provider, so it holds their access tokens and ID tokens
//! and knows who they are; it also owns a client at the provider, and reads this source. Nothing that it can
//! make of this may sign it in here as one of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use daypass_core::ground::secret::Secret;
use daypass_core::login::provider::definition::{IdTokenKeys, NonceMode, ProofKind};
use daypass_core::login::provider::{ProofError, UnverifiedProof};
use serde_json::{Map, Value, json};

use crate::bench::{Bench, CODE, NOW, TOKEN, id_token_proof, signed_fields_proof, text};
use crate::entries::{for_each_entry, for_entries_that};
use crate::fixture::Reply;
use crate::server::Step;
use crate::signer::{KEY_ID, Signer, hs256, unsigned};
use crate::stolen::{check_id_token, has_id_token, speaks_openid2};

/// The victim's ID token at the malicious app, where the provider makes ID tokens.
fn stolen_id_token(bench: &Bench) -> Option<String> {
    bench.definition().id_token.as_ref()?;
    let mut claims = bench.claims();
    claims.insert("aud".into(), "the malicious app".into());
    Some(match bench.definition().id_token.as_ref()?.keys {
        IdTokenKeys::ClientSecret => hs256(b"the secret of the malicious app", &text(&claims)),
        IdTokenKeys::Discovery(_) | IdTokenKeys::Jwks(_) | IdTokenKeys::JwksOrClientSecret(_) => {
            bench.signer.sign(&text(&claims))
        }
    })
}

#[test]
fn no_token_of_another_app_passes_for_any_kind_of_proof() {
    for_each_entry(|bench| async move {
        bench.be_asked_by_a_thief();
        for loot in [Some(TOKEN.to_owned()), stolen_id_token(&bench)].into_iter().flatten() {
            bench.refuses(bench.code(&loot), "loot as a code").await;
            bench.refuses(UnverifiedProof::AccessToken(Secret::new(&*loot)), "loot as an access token").await;
            bench.refuses(id_token_proof(&loot), "loot as an ID token").await;
            for name in ["token", "access_token", "hash", "hmac", "id", "openid.sig"] {
                let fields = BTreeMap::from([(name.to_owned(), loot.clone())]);
                bench.refuses(signed_fields_proof(fields), "loot among signed fields").await;
            }
        }
        bench.refuses(signed_fields_proof(BTreeMap::new()), "no fields at all").await;
    });
}

#[test]
fn nothing_in_a_token_can_step_out_of_its_place_in_a_request() {
    for_each_entry(|bench| async move {
        bench.be_asked_by_a_thief();
        let id = bench.provider.client_id.clone();
        for token in [
            "",
            ".",
            "..",
            "../../me",
            "x\r\nX-Client: ours",
            "x\u{0}",
            "x y",
            "é",
            "{client_secret}",
            "{token}",
            &format!("{TOKEN}&client_id={id}"),
            &format!("{TOKEN}?client_id={id}#"),
            &format!("{TOKEN}\",\"client_id\":\"{id}"),
        ] {
            bench.refuses(UnverifiedProof::AccessToken(Secret::new(token)), "an odd access token").await;
            bench.refuses(bench.code(token), "an odd code").await;
            bench.refuses(id_token_proof(token), "an odd ID token").await;
        }
    });
}

#[test]
fn a_token_that_our_own_binding_answers_for_cannot_lend_its_answer_to_another() {
    for_entries_that(
        |bench| bench.asks_at(&[Step::Binding]),
        |bench| async move {
            // The binding says no in every voice, and the profile, which anybody's token opens, says yes.
            let stolen = bench.fixture.stolen.binding.clone().unwrap();
            let odd = [401, 403, 404, 500, 204, 302].map(|status| Reply::new(status, stolen.body.clone()));
            for reply in
                odd.into_iter().chain([stolen, Reply::new(200, json!({})), Reply::new(200, json!([]))])
            {
                bench.be_honest();
                bench.server.reply(Step::Binding, reply.clone());
                let (verdict, seen) = bench.verify(bench.proof(ProofKind::AccessToken)).await;
                assert!(verdict.is_err(), "a login beside the binding's {reply:?}");
                assert!(seen.iter().all(|it| it.step != Some(Step::Profile)), "nobody is asked after a no");
            }
        },
    );
}

#[test]
fn a_token_of_another_apps_code_does_not_come_out_of_ours() {
    for_entries_that(
        |bench| bench.accepts(ProofKind::Code),
        |bench| async move {
            let stolen = bench.fixture.stolen.exchange.clone().unwrap();
            for reply in [stolen.clone(), Reply::new(400, bench.fixture.exchange.clone().unwrap().body)] {
                bench.be_honest();
                bench.server.reply(Step::Exchange, reply);
                let (verdict, seen) = bench.verify(bench.proof(ProofKind::Code)).await;
                assert!(verdict.is_err(), "a login out of a refused code");
                assert_eq!(seen.len(), 1, "nothing is asked after a failed redemption");
            }
        },
    );
}

#[test]
fn an_id_token_that_the_provider_did_not_sign_is_refused() {
    for_entries_that(has_id_token, |bench| async move {
        let claims = text(&bench.claims());
        for alg in ["none", "None", "NONE", "", "HS256", "ES256", "RS256"] {
            check_id_token(&bench, &unsigned(alg, &claims), &format!("an unsigned ID token ({alg:?})")).await;
        }
        for key in bench.signer.public_spellings() {
            check_id_token(&bench, &hs256(&key, &claims), "an HMAC under the public key").await;
        }
        for known in [bench.provider.client_id.as_str(), KEY_ID, TOKEN] {
            check_id_token(&bench, &hs256(known.as_bytes(), &claims), "an HMAC under what everybody knows")
                .await;
        }
        let own = Signer::new();
        for header in [
            json!({"alg": "ES256", "kid": KEY_ID}),
            json!({"alg": "ES256"}),
            json!({"alg": "ES256", "kid": "another"}),
            json!({"alg": "ES256", "kid": KEY_ID, "jwk": own.jwk()}),
            json!({"alg": "ES256", "kid": KEY_ID, "jku": "https://evil.example/keys"}),
            json!({"alg": "RS256", "kid": KEY_ID}),
        ] {
            let forged = own.sign_with_header(&header, &claims);
            check_id_token(&bench, &forged, &format!("a forger's key under {header}")).await;
        }
    });
}

#[test]
fn a_genuine_id_token_is_refused_when_anything_about_it_was_changed() {
    for_entries_that(has_id_token, |bench| async move {
        let token = bench.id_token();
        let [header, claims, signature]: [&str; 3] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
        let mut others = bench.claims();
        others.insert("sub".into(), "somebody else".into());
        let other = bench.sign(&others);
        let other_claims = other.split('.').nth(1).unwrap();
        for changed in [
            format!("{header}.{other_claims}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!("{header}.{claims}.{}", &signature[..signature.len() - 4]),
            format!("{token} "),
        ] {
            check_id_token(&bench, &changed, "an ID token that was changed").await;
        }
    });
}

#[test]
fn an_id_token_of_another_time_issuer_or_login_is_refused() {
    for_entries_that(has_id_token, |bench| async move {
        let definition = bench.definition().id_token.clone().unwrap();
        let genuine = bench.claims();
        let issuer = genuine["iss"].as_str().unwrap();
        let mut changes = vec![
            ("exp", json!(NOW)),
            ("exp", json!(null)),
            ("exp", json!(1e300)),
            ("iat", json!(NOW + 301)),
            ("nbf", json!(NOW + 301)),
            ("iss", json!("https://evil.example")),
            ("iss", json!(format!("{issuer}.evil.example"))),
            ("iss", json!(format!("{issuer}@evil.example"))),
            ("iss", json!([issuer])),
            ("iss", json!(null)),
        ];
        if definition.nonce != NonceMode::None {
            changes.extend([
                ("nonce", json!("another login's")),
                ("nonce", json!(null)),
                ("nonce", json!("")),
            ]);
        }
        if let Some(age) = definition.max_age {
            changes.push(("iat", json!(NOW - age - 1)));
        }
        for (name, value) in changes {
            let claims = with(&genuine, name, &value);
            check_id_token(&bench, &bench.sign(&claims), &format!("an ID token with {name} = {value}")).await;
        }
        for (name, wanted) in &definition.claims {
            for value in [json!(null), json!("x"), json!(false), json!(wanted)] {
                let claims = with(&genuine, name, &value);
                check_id_token(&bench, &bench.sign(&claims), &format!("an ID token with {name} = {value}"))
                    .await;
            }
        }
    });
}

#[test]
fn a_code_is_shown_with_the_nonce_that_its_id_token_has() {
    for_entries_that(
        |bench| bench.reads_id_token() && has_nonce(bench),
        |bench| async move {
            let UnverifiedProof::Code { code, code_verifier, redirect_uri, callback, .. } = bench.code(CODE)
            else {
                panic!("it is a code")
            };
            let proof = UnverifiedProof::Code { code, code_verifier, redirect_uri, callback, nonce: None };
            let refused = bench.verify(proof).await.0;
            assert!(matches!(refused, Err(ProofError::NonceMissing)), "{refused:?}");
        },
    );
}

/// A token without a nonce comes without one, and one that has a nonce with it, unless the operator says that nobody can name
/// it.
#[test]
fn an_id_token_is_shown_with_the_nonce_that_it_has() {
    let concerned = |bench: &Bench| has_nonce(bench) && bench.accepts(ProofKind::IdToken);
    for_entries_that(concerned, |mut bench| async move {
        let bare = |token: String| UnverifiedProof::IdToken { token: Secret::new(token), nonce: None };
        let mut claims = bench.claims();
        let refused = bench.refuses(bare(bench.sign(&claims)), "an ID token without its nonce").await;
        assert!(matches!(refused, ProofError::NonceMissing), "{refused:?}");
        claims.insert("nonce".into(), "that the SDK keeps".into());
        let of_sdk = bench.sign(&claims);
        claims.remove("nonce");
        bench.verify(bare(bench.sign(&claims))).await.0.unwrap();
        let provider = Arc::get_mut(&mut bench.provider).unwrap();
        Arc::make_mut(&mut provider.definition).id_token.as_mut().unwrap().nonce = NonceMode::None;
        bench.verify(bare(of_sdk)).await.0.unwrap();
    });
}

fn has_nonce(bench: &Bench) -> bool {
    bench.definition().id_token.as_ref().is_some_and(|it| it.nonce != NonceMode::None)
}

fn with(claims: &Map<String, Value>, name: &str, value: &Value) -> Map<String, Value> {
    let mut claims = claims.clone();
    claims.insert(name.to_owned(), value.clone());
    claims
}

#[test]
fn signed_fields_are_good_as_they_were_signed_and_once() {
    for_entries_that(
        |bench| bench.accepts(ProofKind::SignedFields),
        |bench| async move {
            let fields = bench.signed_fields();
            let mut names = Vec::new();
            for _ in 0..2 {
                let login = bench.verify(signed_fields_proof(fields.clone())).await.0.unwrap();
                names.push(login.use_once().cloned().unwrap());
            }
            assert_eq!(names[0], names[1], "the second showing has to be told from another login");
            for name in fields.keys() {
                let mut changed = fields.clone();
                changed.entry(name.clone()).and_modify(|value| value.push('1'));
                bench.refuses(signed_fields_proof(changed), &format!("another {name}")).await;
                let mut less = fields.clone();
                less.remove(name);
                bench.refuses(signed_fields_proof(less), &format!("no {name}")).await;
            }
            bench.wait(names[0].until.as_second() - NOW);
            bench.refuses(signed_fields_proof(fields), "fields whose name may have been forgotten").await;
        },
    );
}

#[test]
fn a_field_that_was_not_signed_says_nothing() {
    for_entries_that(
        |bench| bench.definition().signed_fields.is_some(),
        |bench| async move {
            let mut more = bench.signed_fields();
            more.insert("role".into(), "admin".into());
            bench.refuses(signed_fields_proof(more), "a further field").await;
        },
    );
}

#[test]
fn an_assertion_of_another_flow_is_refused() {
    for_entries_that(speaks_openid2, |bench| async move {
        let good = bench.signed_fields();
        bench.verify(signed_fields_proof(good.clone())).await.0.unwrap();
        for (state, why) in [(Some("ours"), "of another flow"), (None, "of a flow that nobody shows")] {
            let mut fields = good.clone();
            fields.remove("state");
            fields.extend(state.map(|state| ("state".to_owned(), state.to_owned())));
            bench.refuses(signed_fields_proof(fields), &format!("an assertion {why}")).await;
        }
    });
}

/// The provider signs lines, and whoever checks with it sends fields: a line break in one of them could have been signed
/// as two.
#[test]
fn an_assertion_that_could_be_split_anew_is_refused() {
    for_entries_that(speaks_openid2, |bench| async move {
        for (name, value) in [
            ("openid.assoc_handle", "1\nclaimed_id:https://steamcommunity.com/openid/id/1"),
            ("openid.claimed_id:1", "1"),
            ("openid.\nclaimed_id", "1"),
        ] {
            let mut fields = bench.signed_fields();
            fields.insert(name.into(), value.into());
            bench.refuses(signed_fields_proof(fields), &format!("{name:?}: {value:?}")).await;
        }
    });
}
