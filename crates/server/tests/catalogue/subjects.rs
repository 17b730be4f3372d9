//! What may stand for a person, and what may not, wherever an answer names one.

use daypass_core::login::provider::UnverifiedProof;
use daypass_core::login::provider::definition::{Binding, ProofKind};
use daypass_core::login::provider::pointer::{Value as Wanted, ValueType};
use serde_json::{Value, json};

use crate::bench::{Bench, id_token_proof, signed_fields_proof, variant};
use crate::entries::for_entries_that;
use crate::fixture::Reply;
use crate::server::Step;

/// Beyond what floating point can tell apart from its neighbour.
const EXACT: u64 = 9_007_199_254_740_993;
/// Stands for digits that a JSON writer would not write, until the text is made.
const RAW: &str = "@raw@";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    Profile,
    Binding,
    IdToken,
    SignedFields,
}

fn places(bench: &Bench) -> Vec<(Place, Wanted)> {
    let definition = bench.definition();
    let accepted = bench.provider.accepted_proofs();
    let mut places = Vec::new();
    let asks_profile = accepted.contains(&ProofKind::AccessToken)
        || bench.accepts(ProofKind::Code) && !bench.reads_id_token();
    if let (true, Some(profile)) = (asks_profile, &definition.profile) {
        places.extend(profile.subject.0.iter().map(|it| (Place::Profile, it.clone())));
    }
    if let (true, Binding::Endpoint(it) | Binding::ClientAuthEndpoint(it)) =
        (accepted.contains(&ProofKind::AccessToken), &definition.binding)
    {
        places.extend(it.user.iter().map(|it| (Place::Binding, it.clone())));
    }
    if let Some(id_token) = &definition.id_token {
        places.extend(id_token.subject.0.iter().map(|it| (Place::IdToken, it.clone())));
    }
    if let Some(signed) = &definition.signed_fields {
        places.extend(signed.subject.0.iter().map(|it| (Place::SignedFields, it.clone())));
    }
    places
}

/// Whether an entry reads a subject that a test is about; OpenID 2.0 has none of its own to change.
fn reads(bench: &Bench, concerned: impl Fn(&(Place, Wanted)) -> bool) -> bool {
    places(bench).iter().any(concerned)
}

/// Values that are nobody, whatever type a definition wants.
fn nobodies(wanted: &Wanted) -> Vec<Value> {
    let prefix = wanted.strip_prefix.clone().unwrap_or_default();
    let text = |text: &str| json!(format!("{prefix}{text}"));
    let mut values = vec![
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!(["1"]),
        json!([1]),
        json!({"id": "1"}),
        json!(""),
        json!(-1),
        json!(1.5),
        json!(format!("{RAW}1e3")),
        json!(format!("{RAW}-0.0")),
        json!(format!("{RAW}18446744073709551616")),
        json!(format!("{RAW}{}", "9".repeat(400))),
        text(""),
        text(&"1".repeat(513)),
        text(&"1".repeat(70_000)),
        text("1\u{0}"),
        text("1\n2"),
        text("1\u{7f}"),
        text("1\u{85}"),
    ];
    match wanted.r#type {
        ValueType::Integer => values.extend([text("1"), text("x")]),
        ValueType::String => values.push(json!(1)),
        // `sub` of an ID token: its number is tried in `sub_claims.rs` of the API's tests, at both doors.
        ValueType::TextOrInteger => values.extend([text("1\u{9f}"), json!({"sub": 1})]),
        ValueType::Digits => {
            values.extend([
                json!(1),
                text("12a"),
                text("-1"),
                text("+1"),
                text(" 1"),
                text("1.0"),
                text("１"),
                text("0x1"),
            ]);
        }
    }
    if wanted.strip_prefix.is_some() {
        values.extend([json!("1"), json!(format!("x{prefix}1"))]);
    }
    values
}

#[test]
fn what_is_nobodys_id_signs_nobody_in() {
    for_entries_that(
        |bench| reads(bench, |_| true),
        |bench| async move {
            for (place, wanted) in places(&bench) {
                for value in nobodies(&wanted) {
                    for proof in with_subject(&bench, place, &wanted, Some(value.clone())) {
                        let shown: String = value.to_string().chars().take(40).collect();
                        bench.refuses(proof, &format!("{place:?} {} = {shown}", wanted.at.as_str())).await;
                    }
                }
            }
        },
    );
}

#[test]
fn an_id_that_is_not_where_it_should_be_is_looked_for_nowhere_else() {
    for_entries_that(
        |bench| reads(bench, |_| true),
        |bench| async move {
            for (place, wanted) in places(&bench) {
                for proof in with_subject(&bench, place, &wanted, None) {
                    bench.refuses(proof, &format!("{place:?} without {}", wanted.at.as_str())).await;
                }
            }
        },
    );
}

#[test]
fn parts_of_an_id_cannot_move_what_stands_between_them() {
    for_entries_that(
        |bench| !parts(bench).is_empty(),
        |bench| async move {
            for (place, wanted) in parts(&bench) {
                for proof in with_subject(&bench, place, &wanted, Some(json!("a:b"))) {
                    bench.refuses(proof, &format!("{} = a:b", wanted.at.as_str())).await;
                }
            }
        },
    );
}

/// The texts that are an ID together with others of the same answer.
fn parts(bench: &Bench) -> Vec<(Place, Wanted)> {
    let all = places(bench);
    let together = |place| all.iter().filter(|it| it.0 == place).count() > 1;
    let parts = all
        .iter()
        .filter(|it| together(it.0) && matches!(it.1.r#type, ValueType::String | ValueType::TextOrInteger));
    parts.cloned().collect()
}

#[test]
fn large_numbers_keep_every_digit() {
    let is_number =
        |(place, wanted): &(Place, Wanted)| wanted.r#type == ValueType::Integer && *place != Place::Binding;
    for_entries_that(
        |bench| reads(bench, is_number),
        |bench| async move {
            let places = places(&bench);
            let bound = places.iter().find(|it| it.0 == Place::Binding).cloned();
            for (place, wanted) in places.into_iter().filter(is_number) {
                for proof in with_subject(&bench, place, &wanted, Some(json!(EXACT))) {
                    if let Some((_, bound)) = &bound {
                        let value = if bound.r#type == ValueType::Integer {
                            json!(EXACT)
                        } else {
                            json!(EXACT.to_string())
                        };
                        bench
                            .server
                            .reply(Step::Binding, changed(&bench, Place::Binding, bound, Some(value)));
                    }
                    let login = bench.verify(proof).await.0.unwrap();
                    let id = login.developer_user_identifier();
                    assert!(id.split(':').any(|part| part == EXACT.to_string()), "{id}");
                }
            }
        },
    );
}

#[test]
fn two_people_for_one_token_are_one_too_many() {
    let is_bound = |it: &(Place, Wanted)| it.0 == Place::Binding;
    for_entries_that(
        |bench| reads(bench, is_bound),
        |bench| async move {
            for (place, wanted) in places(&bench).into_iter().filter(is_bound) {
                let somebody_else = match wanted.r#type {
                    ValueType::Integer => json!(EXACT),
                    ValueType::String | ValueType::Digits | ValueType::TextOrInteger => {
                        json!(format!("{}7777777", wanted.strip_prefix.clone().unwrap_or_default()))
                    }
                };
                bench.server.reply(Step::Binding, changed(&bench, place, &wanted, Some(somebody_else)));
                let error = bench.refuses(bench.proof(ProofKind::AccessToken), "two people").await;
                assert_eq!(variant(&error), "TwoPeople");
            }
        },
    );
}

/// The proofs that read a place, after the value there was replaced, or moved to another name.
fn with_subject(bench: &Bench, place: Place, wanted: &Wanted, value: Option<Value>) -> Vec<UnverifiedProof> {
    bench.be_honest();
    let accepted = bench.provider.accepted_proofs();
    match place {
        Place::Profile | Place::Binding => {
            let step = if place == Place::Profile { Step::Profile } else { Step::Binding };
            bench.server.reply(step, changed(bench, place, wanted, value));
            let code = place == Place::Profile && !bench.reads_id_token();
            let kinds = [(code, ProofKind::Code), (true, ProofKind::AccessToken)];
            let kinds = kinds.into_iter().filter(|(reads, kind)| *reads && accepted.contains(kind));
            kinds.map(|(_, kind)| bench.proof(kind)).collect()
        }
        Place::IdToken => {
            let mut claims = Value::Object(bench.claims());
            put(&mut claims, wanted.at.as_str(), value);
            let token = bench.sign_text(&raw(&claims.to_string()));
            let mut proofs = vec![id_token_proof(&token)];
            if !bench.accepts(ProofKind::IdToken) {
                proofs.clear();
            }
            if bench.reads_id_token() {
                let exchange = bench.fixture.exchange.as_ref().unwrap();
                bench.server.reply(Step::Exchange, bench.with_id_token(exchange, Some(token)));
                proofs.push(bench.proof(ProofKind::Code));
            }
            assert!(!proofs.is_empty(), "no proof brings an ID token");
            proofs
        }
        Place::SignedFields => {
            let mut fields = bench.signed_fields();
            let name = wanted.at.as_str().trim_start_matches('/');
            let good = fields.remove(name);
            match value {
                Some(Value::String(text)) if !text.starts_with(RAW) => fields.insert(name.to_owned(), text),
                // Fields are texts: what is none has no counterpart here.
                Some(_) => None,
                None => good.and_then(|good| fields.insert(format!("{name}2"), good)),
            };
            vec![signed_fields_proof(bench.sign_fields(&fields, bench.secret()))]
        }
    }
}

fn changed(bench: &Bench, place: Place, wanted: &Wanted, value: Option<Value>) -> Reply {
    let fixture = &bench.fixture;
    let reply = if place == Place::Profile { &fixture.profile } else { &fixture.binding };
    let mut body = reply.clone().unwrap().body;
    assert!(!body.is_string(), "a subject stands in JSON");
    put(&mut body, wanted.at.as_str(), value);
    Reply::new(200, Value::String(raw(&body.to_string())))
}

/// Replaces a value, or moves it to a name that nobody asked for.
fn put(body: &mut Value, at: &str, value: Option<Value>) {
    if let Some(value) = value {
        *body.pointer_mut(at).unwrap_or_else(|| panic!("the fixture has nothing at {at}")) = value;
        return;
    }
    let (parent, name) = at.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = body.pointer_mut(parent).and_then(Value::as_object_mut).unwrap();
    let moved = parent.remove(&name).unwrap_or_else(|| panic!("the fixture has nothing at {at}"));
    parent.insert(format!("{name}2"), moved);
}

/// `"@raw@1e3"` → `1e3`.
fn raw(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&format!("\"{RAW}")) {
        let (digits, after) = after.split_once('"').unwrap();
        out.push_str(before);
        out.push_str(digits);
        rest = after;
    }
    out + rest
}
