//! Every event has what its class requires in OCSF 1.3.0 (schema.ocsf.io/1.3.0/classes), whatever our own event lacks.

use daypass_core::ground::ids::{AccessKeyId, ActorId, IdentityId};
use serde_json::Value;

use super::super::testing::event as plain;
use super::*;

/// What the schema requires of every event.
const OF_EVENTS: [&str; 8] = [
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata.product.vendor_name",
    "metadata.version",
    "severity_id",
    "time",
    "type_uid",
];

/// What it requires of a class besides, with what one of which has to be there.
fn required(class_uid: i64) -> (&'static [&'static str], &'static [&'static [&'static str]]) {
    const USER: &[&str] = &["user.uid", "user.name"];
    const ACTOR: &[&str] = &["actor.user.uid", "actor.user.name"];
    match class_uid {
        3001 => (&["user"], &[USER]),
        3002 => (&["user"], &[USER, &["service.name", "dst_endpoint"]]),
        3004 => (&["entity"], &[&["entity.name", "entity.uid"]]),
        6003 => {
            (&["actor", "api.operation", "src_endpoint"], &[ACTOR, &["src_endpoint.ip", "src_endpoint.name"]])
        }
        other => panic!("{other} is no class of ours"),
    }
}

/// The words that the classes have for activities.
fn activities(class_uid: i64) -> &'static [(i64, &'static str)] {
    match class_uid {
        3001 => &[(1, "Create"), (2, "Enable"), (5, "Disable"), (6, "Delete")],
        3002 => &[(1, "Logon"), (2, "Logoff")],
        3004 => &[(1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete"), (8, "Enable"), (9, "Disable")],
        6003 => &[(1, "Create"), (2, "Read"), (3, "Update"), (4, "Delete")],
        other => panic!("{other} is no class of ours"),
    }
}

fn full() -> AuditEvent {
    AuditEvent {
        reason: Some("proof_refused".into()),
        detail: Some("the provider refused the proof".into()),
        provider: Some("snapchat".into()),
        developer_user_identifier: Some("snapchat:ada".into()),
        actor: ActorId::parse("mailer").ok(),
        login: Some("login.example.com:7".into()),
        identity_id: IdentityId::parse("us-east-1:aa").ok(),
        access_key_id: AccessKeyId::parse("ASIAIOSFODNN7EXAMPLE").ok(),
        resource: Some("something".into()),
        source_ip: "203.0.113.9".parse().ok(),
        user_agent: Some("curl/8".into()),
        ..plain(1)
    }
}

fn written(event: AuditEvent) -> Value {
    serde_json::from_str(&json("trail", &KeptEvent { position: EventPosition(7), event, damaged: 0 }))
        .unwrap()
}

fn has(event: &Value, path: &str) -> bool {
    let found = event.pointer(&format!("/{}", path.replace('.', "/")));
    found.is_some_and(|value| value.as_str() != Some("") && !value.is_null())
}

#[test]
fn every_event_has_what_its_class_requires() {
    for action in AuditAction::ALL {
        for outcome in [AuditOutcome::Allowed, AuditOutcome::Refused] {
            for event in [plain(1), full()] {
                let event = written(AuditEvent { action, outcome, ..event });
                let class_uid = event["class_uid"].as_i64().unwrap();
                let (attributes, one_of) = required(class_uid);
                for path in OF_EVENTS.iter().chain(attributes) {
                    assert!(has(&event, path), "{path} is not in {event:#}");
                }
                for paths in one_of {
                    assert!(paths.iter().any(|path| has(&event, path)), "{paths:?}: {event:#}");
                }
                let category = if class_uid == 6003 { 6 } else { 3 };
                assert_eq!(event["category_uid"], category);
                let activity = event["activity_id"].as_i64().unwrap();
                assert_eq!(event["type_uid"], class_uid * 100 + activity);
                let name = event["activity_name"].as_str().unwrap();
                let is_other = activity == 99 && name == action.name();
                assert!(is_other || activities(class_uid).contains(&(activity, name)), "{activity} {name}");
                assert_eq!(event["status_id"], if outcome == AuditOutcome::Allowed { 1 } else { 2 });
            }
        }
    }
}

/// One event of each kind, for a validator that is not ours: tests/clients/test_export.py holds them against the published schema.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/export/ocsf/examples.jsonl");

#[test]
fn the_examples_are_what_is_exported() {
    let kinds = AuditAction::ALL.into_iter().flat_map(|action| {
        let refused = AuditEvent { action, outcome: AuditOutcome::Refused, ..full() };
        [AuditEvent { action, ..plain(1) }, refused]
    });
    let examples: String = kinds
        .map(|event| json("trail", &KeptEvent { position: EventPosition(7), event, damaged: 0 }) + "\n")
        .collect();
    if std::env::var_os("DAYPASS_REGENERATE").is_some() {
        std::fs::write(EXAMPLES, &examples).unwrap();
    }
    let written = std::fs::read_to_string(EXAMPLES).unwrap_or_default();
    assert!(written == examples, "{EXAMPLES} is stale: run `cargo xtask gen`");
}

#[test]
fn our_own_event_is_in_it_whole() {
    for action in AuditAction::ALL {
        for event in [plain(1), full()] {
            let event = AuditEvent { action, ..event };
            assert_eq!(written(event.clone())["unmapped"], serde_json::to_value(&event).unwrap());
        }
    }
}

#[test]
fn the_page_has_a_row_for_each_action() {
    let page = include_str!("../../../../../docs/export-the-trail.md");
    for action in AuditAction::ALL {
        let event = written(AuditEvent { action, ..plain(1) });
        let told = |row: &str| {
            let mut cells = row.split('|').map(str::trim).skip(1);
            let names = cells.next().unwrap_or_default().split('`').any(|word| word == action.name());
            let class = format!(
                "{} ({})",
                event["class_name"].as_str().unwrap_or_default(),
                event["class_uid"].as_i64().unwrap_or_default()
            );
            let activity = match event["activity_id"].as_i64() {
                Some(99) => "Other (99)".to_owned(),
                id => format!(
                    "{} ({})",
                    event["activity_name"].as_str().unwrap_or_default(),
                    id.unwrap_or_default()
                ),
            };
            names && cells.next() == Some(&class) && cells.next() == Some(&activity)
        };
        assert!(page.lines().any(told), "docs/export-the-trail.md has no row for {}", action.name());
    }
}

#[test]
fn whoever_signed_in_is_the_user_and_whoever_called_is_the_actor() {
    let event = written(full());
    assert_eq!(
        event["user"],
        serde_json::json!({"uid": "us-east-1:aa", "name": "snapchat:ada", "domain": "snapchat", "credential_uid": "ASIAIOSFODNN7EXAMPLE"})
    );
    assert_eq!(event["actor"], serde_json::json!({"app_name": "mailer"}));
    assert_eq!(event["src_endpoint"], serde_json::json!({"ip": "203.0.113.9"}));
    assert_eq!((&event["status_code"], &event["metadata"]["sequence"]), (&"proof_refused".into(), &7.into()));

    let call = written(AuditEvent { action: AuditAction::Credentials, ..full() });
    assert_eq!(call["user"], Value::Null);
    assert_eq!(call["actor"]["user"]["uid"], "us-east-1:aa");
    assert_eq!(call["resources"], serde_json::json!([{"name": "something"}]));

    let key = written(AuditEvent { action: AuditAction::DisableKey, actor: None, ..full() });
    assert_eq!(
        key["entity"],
        serde_json::json!({"name": "something", "uid": "ASIAIOSFODNN7EXAMPLE", "type": "access key"})
    );
    assert_eq!(key["actor"], Value::Null, "the key that was changed is not who changed it");
}

#[test]
fn an_event_has_one_uid_however_often_it_is_delivered_and_no_other_has_it() {
    let uid = |trail: &str, line: u64, event: &AuditEvent| {
        uid(trail, &KeptEvent { position: EventPosition(line), event: event.clone(), damaged: 0 })
    };
    let one = uid("a", 7, &plain(1));
    assert_eq!(one, uid("a", 7, &plain(1)));
    for other in [uid("b", 7, &plain(1)), uid("a", 8, &plain(1)), uid("a", 7, &plain(2))] {
        assert_ne!(one, other);
    }
}
