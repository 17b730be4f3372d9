//! `sub` of an ID token at both doors: at `/v1/exchange`, of a `[[provider]]`, and in `Logins` of the pool, of an
//! `[[oidc_provider]]`. Whoever is somebody at one is the same somebody at the other.

use serde_json::{Value, json};

use crate::harness::{CLIENT, Daypass, OIDC, OIDC_ARN};

const OWN: &str = "[[provider]]\nid = \"own\"\nclient_id = \"our-client\"\nname = \"Own\"\nregister = \"Here.\"\n\
                   id_scope = \"global\"\naccept = [\"id_token\"]\nbinding.kind = \"id_token\"\npkce = \"never\"\n\
                   [provider.id_token]\nissuers = [\"https://login.example.com\"]\n\
                   keys = { discovery = \"https://login.example.com\" }\nnonce = \"none\"\n\
                   subject = { at = \"/sub\" }\n";

/// What a token says, and who that is.
const SUBJECTS: [(&str, Option<&str>); 29] = [
    ("\"alice\"", Some("alice")),
    ("\"Alice\"", Some("Alice")),
    ("\"1\"", Some("1")),
    ("1", Some("1")),
    ("0", Some("0")),
    ("\"01\"", Some("01")),
    ("\"-1\"", Some("-1")),
    ("\"1.0\"", Some("1.0")),
    ("\"1e3\"", Some("1e3")),
    ("9007199254740993", Some("9007199254740993")),
    ("18446744073709551615", Some("18446744073709551615")),
    // Beyond 64 bits, or not written as its digits alone: such a number may have been rounded on its way.
    ("18446744073709551616", None),
    ("100000000000000000000000000000", None),
    ("-1", None),
    ("-0", None),
    ("-9223372036854775808", None),
    ("1.0", None),
    ("1.5", None),
    ("1e3", None),
    ("1E0", None),
    ("1e400", None),
    // No JSON at all.
    ("+1", None),
    ("01", None),
    ("\"\"", None),
    ("\"a\\u0000\"", None),
    ("null", None),
    ("true", None),
    ("[1]", None),
    ("{\"id\": 1}", None),
];

fn token(daypass: &Daypass, sub: &str) -> Value {
    let mut claims: Value = json!({"iss": format!("https://{OIDC}"), "aud": CLIENT, "sub": "@"});
    claims["iat"] = 1_790_000_000.into();
    claims["exp"] = 1_790_003_600.into();
    daypass.issuer(OIDC).sign(&claims.to_string().replace("\"@\"", sub)).expose().into()
}

/// Whom the newest event names, in this member.
fn named(daypass: &Daypass, member: &str, prefix: &str) -> String {
    let event = daypass.audit_events().pop().unwrap();
    let name = event[member].as_str().unwrap_or_else(|| panic!("{event}")).to_owned();
    name.strip_prefix(prefix).unwrap_or_else(|| panic!("{name}")).to_owned()
}

#[tokio::test]
async fn a_subject_is_the_same_person_at_both_doors_or_nobody_at_both() {
    let daypass = Daypass::start().with_tables(OWN).await;
    daypass.accept_public_logins().await;
    for (sub, person) in SUBJECTS {
        let exchanged = daypass.exchange(&json!({"provider": "own", "id_token": token(&daypass, sub)})).await;
        assert_eq!(exchanged.status == 200, person.is_some(), "{sub}: {exchanged:?}");
        if let Some(person) = person {
            assert_eq!(named(&daypass, "developer_user_identifier", "own:"), person, "{sub}");
        }
        let logins = json!({"IdentityPoolId": daypass.pool_id(), "Logins": {OIDC: token(&daypass, sub)}});
        let found = daypass.public("GetId", logins).await;
        assert_eq!(found.status == 200, person.is_some(), "{sub}: {found:?}");
        if let Some(person) = person {
            let id = &found.json()["IdentityId"];
            let token = json!({"IdentityId": id, "Logins": {OIDC: token(&daypass, sub)}});
            assert_eq!(daypass.public("GetOpenIdToken", token).await.status, 200);
            assert_eq!(named(&daypass, "login", &format!("{OIDC_ARN}:OIDC:")), person, "{sub}");
        }
    }
}
