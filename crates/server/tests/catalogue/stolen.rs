//! What was issued to another client signs nobody in here.

use daypass_core::login::provider::definition::{Binding, ProofKind};
use serde_json::json;

use crate::bench::{Bench, id_token_proof, signed_fields_proof, text, variant};
use crate::entries::{for_each_entry, for_entries_that};
use crate::server::Step;
use crate::signer::hs256;

#[test]
fn the_code_of_another_client_is_refused() {
    for_entries_that(
        |bench| bench.accepts(ProofKind::Code),
        |bench| async move {
            bench.be_asked_by_a_thief();
            let error = bench.refuses(bench.proof(ProofKind::Code), "another client's code").await;
            assert_eq!(variant(&error), bench.fixture.stolen.exchange_error, "{error}");
        },
    );
}

#[test]
fn the_access_token_of_another_client_is_refused_in_the_providers_own_words() {
    for_each_entry(|bench| async move {
        bench.be_asked_by_a_thief();
        let (verdict, seen) = bench.verify(bench.proof(ProofKind::AccessToken)).await;
        let error = variant(&verdict.unwrap_err());
        if bench.takes(ProofKind::AccessToken) {
            assert_eq!(error, bench.fixture.stolen.error);
        } else {
            assert!(["KindNotAccepted", "UnboundAccessToken"].contains(&error.as_str()), "{error}");
            assert!(seen.is_empty(), "nobody need be asked");
        }
    });
}

#[test]
fn an_answer_that_does_not_name_our_client_outright_names_another() {
    for_entries_that(
        |bench| named_client(bench).is_some(),
        |bench| async move {
            let (step, client) = named_client(&bench).unwrap();
            let fixture = &bench.fixture;
            let good =
                if step == Step::Binding { &fixture.binding } else { &fixture.profile }.clone().unwrap();
            let ours = good.body.pointer(&client).unwrap().clone();
            let text = ours.as_str().map_or_else(|| ours.to_string(), str::to_owned);
            for name in [
                json!(null),
                json!(true),
                json!(""),
                json!([ours]),
                json!({"client_id": ours}),
                json!(format!("{text}x")),
                json!(format!(" {text}")),
                json!(format!("{text}\u{0}")),
                json!(text[..text.len() - 1]),
                json!(format!("{text},{text}")),
                json!(-1),
                json!(1.5),
            ] {
                let mut reply = good.clone();
                *reply.body.pointer_mut(&client).unwrap() = name.clone();
                bench.server.reply(step, reply);
                bench
                    .refuses(bench.proof(ProofKind::AccessToken), &format!("a token of the client {name}"))
                    .await;
            }
        },
    );
}

/// Where an answer names the client of an access token.
fn named_client(bench: &Bench) -> Option<(Step, String)> {
    if !bench.takes(ProofKind::AccessToken) {
        return None;
    }
    match &bench.definition().binding {
        Binding::Endpoint(it) | Binding::ClientAuthEndpoint(it) => {
            it.client.as_ref().map(|client| (Step::Binding, client.at.as_str().to_owned()))
        }
        Binding::Profile(client) => Some((Step::Profile, client.at.as_str().to_owned())),
        Binding::None | Binding::IdToken | Binding::Signature => None,
    }
}

#[test]
fn the_id_token_of_another_client_is_refused_in_every_way_it_can_come() {
    for_entries_that(has_id_token, |bench| async move {
        let shared = bench.definition().id_token.as_ref().unwrap().keys.are_shared();
        let ours = bench.provider.client_id.clone();
        for (aud, azp) in [
            (json!("another client"), None),
            (json!(["another client"]), None),
            (json!(["another client", ours]), None),
            (json!([ours, "another client"]), Some("another client")),
            (json!(ours), Some("another client")),
            (json!([]), None),
            (json!(null), None),
            (json!({"client": ours}), None),
        ] {
            let mut claims = bench.claims();
            claims.remove("azp");
            claims.insert("aud".into(), aud.clone());
            claims.extend(azp.map(|azp| ("azp".to_owned(), azp.into())));
            check_id_token(&bench, &bench.sign(&claims), &format!("an ID token for {aud} of {azp:?}")).await;
        }
        if shared {
            let forged = hs256(b"the secret of another client", &text(&bench.claims()));
            check_id_token(&bench, &forged, "an ID token signed with another client's secret").await;
        }
    });
}

/// A token is refused on its own, and as the one that an exchange brings.
pub async fn check_id_token(bench: &Bench, token: &str, what: &str) {
    bench.refuses(id_token_proof(token), what).await;
    if let (true, Some(exchange)) = (bench.reads_id_token(), &bench.fixture.exchange) {
        bench.server.reply(Step::Exchange, bench.with_id_token(exchange, Some(token.to_owned())));
        bench.refuses(bench.proof(ProofKind::Code), &format!("{what}, out of an exchange")).await;
        bench.be_honest();
    }
}

#[test]
fn fields_that_were_signed_for_another_client_are_refused() {
    let concerned = |bench: &Bench| bench.definition().signed_fields.is_some();
    for_entries_that(concerned, |bench| async move {
        let fields = bench.sign_fields(&bench.signed_fields(), "the secret of another client");
        let error = bench.refuses(signed_fields_proof(fields), "another client's fields").await;
        assert_eq!(variant(&error), "Refused");
    });
}

#[test]
fn an_assertion_that_was_made_for_another_site_is_refused() {
    for_entries_that(speaks_openid2, |bench| async move {
        for elsewhere in ["https://evil.example/signed-in", "https://app.example.com.evil.example/signed-in"]
        {
            let mut fields = bench.signed_fields();
            fields.insert("openid.return_to".into(), elsewhere.into());
            let (verdict, seen) = bench.verify(signed_fields_proof(fields)).await;
            assert_eq!(variant(&verdict.unwrap_err()), "Refused");
            assert!(seen.is_empty(), "an assertion for another site is not worth a question");
        }
    });
}

pub fn has_id_token(bench: &Bench) -> bool {
    bench.definition().id_token.is_some()
}

pub fn speaks_openid2(bench: &Bench) -> bool {
    bench.definition().openid2.is_some()
}
