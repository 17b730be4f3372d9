//! Databases of earlier versions: what they keep when they are brought to this one. Those of later versions are left alone.

use std::fs;

use daypass_core::audit::{AuditEvent, AuditSubject};
use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{AccessKeyId, ActorId, IdentityId, RequestId, RoleName, UserName};
use daypass_core::ground::seal::Sealed;
use daypass_core::records::identity::{IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings};
use daypass_core::store::{
    AuditEvents, AuditSink, Identities, Keys, LinkOutcome, Page, Pools, Revocations, SignInSessions,
    StoredAccessKey, UnprovedRefusals,
};
use daypass_store::SqliteOpenError;
use rusqlite::Connection;

use super::{Database, identity_id, login, logins_of, pool};

impl Database {
    /// Makes what a Daypass of this version made.
    fn migrate_to(&self, version: usize) {
        MIGRATIONS[..version].iter().for_each(|migration| self.tamper(migration));
        self.tamper(&format!("PRAGMA application_id = 0x64706173; PRAGMA user_version = {version}"));
    }
}

/// What the first Daypass made and kept: a pool with a role mapping in a form of its own, the user `ada`, the
/// guest 2, revocations, and an audit event about her.
const WRITTEN_BY_VERSION_1: &str = r#"
    INSERT INTO identity_pool VALUES
        ('us-east-1:01', '{"name": "app"}', '{"authenticated": "arn:a", "mappings": {"x": {"Type": 7}}}');
    INSERT INTO configured_pool VALUES ('app', 'us-east-1:01');
    INSERT INTO identity VALUES ('us-east-1:01', 'us-east-1:01', 1, 0, 0, 0);
    INSERT INTO identity VALUES ('us-east-1:02', 'us-east-1:01', 0, 0, 0, 0);
    INSERT INTO developer_login VALUES ('us-east-1:01', 'ada', 'us-east-1:01');
    INSERT INTO session_revocation VALUES ('identity', 'us-east-1:01', 7), ('role', 'reader', 8);
    INSERT INTO audit_event VALUES
        (1, 0, '00000000-0000-7000-8000-000000000000', 'exchange', 'refused', 'nobody may', 'snapchat', 'ada',
         'us-east-1:01', NULL, NULL);
"#;

#[tokio::test]
async fn a_database_of_version_1_keeps_everything() {
    let database = Database::new();
    database.migrate_to(1);
    database.tamper(WRITTEN_BY_VERSION_1);
    drop(database.open());

    let store = database.open();
    let settings = PoolSettings { name: "app".to_owned(), ..PoolSettings::default() };
    let roles = PoolRoles { authenticated: Some("arn:a".to_owned()), ..PoolRoles::default() };
    let pool = IdentityPool::new(pool().id, settings, roles);
    assert_eq!(store.find_or_add_configured_pool("app", &self::pool()).await.unwrap(), pool);
    let outcome = store.link_logins(&login("ada", 3)).await.unwrap();
    assert!(matches!(outcome, LinkOutcome::Known(ada) if ada.id == identity_id(1)));
    assert_eq!(logins_of(&store, 1).await, [Login::developer("ada")]);
    assert!(!store.lookup_identity(&identity_id(2)).await.unwrap().unwrap().authenticated);
    for (role, until) in [("writer", 7), ("reader", 8)] {
        let standing =
            store.standing(&identity_id(1), Some(&RoleName::parse(role).unwrap()), None).await.unwrap();
        assert_eq!(standing.revoked_until, Some(Timestamp::from_millisecond(until).unwrap()));
    }
    let about = AuditSubject::Identity(identity_id(1));
    let [event] = &store.list_audit_events(&about, 10).await.unwrap()[..] else { panic!("one event") };
    assert_eq!((event.login.as_deref(), event.developer_user_identifier.as_deref()), (None, Some("ada")));
    assert_eq!((event.reason.as_deref(), event.detail.as_deref()), (Some("nobody may"), None));
}

/// What brought a database to versions 1 to 19, in their order.
const MIGRATIONS: [&str; 19] = [
    include_str!("../../migrations/sqlite/0001_first.sql"),
    include_str!("../../migrations/sqlite/0002_logins.sql"),
    include_str!("../../migrations/sqlite/0003_access_keys.sql"),
    include_str!("../../migrations/sqlite/0004_used_once.sql"),
    include_str!("../../migrations/sqlite/0005_login_grants.sql"),
    include_str!("../../migrations/sqlite/0006_audit_by_user.sql"),
    include_str!("../../migrations/sqlite/0007_unproved_refusals.sql"),
    include_str!("../../migrations/sqlite/0008_revoke_everybody.sql"),
    include_str!("../../migrations/sqlite/0009_incarnations.sql"),
    include_str!("../../migrations/sqlite/0010_audit_detail.sql"),
    include_str!("../../migrations/sqlite/0011_audit_callers.sql"),
    include_str!("../../migrations/sqlite/0012_sign_in_sessions.sql"),
    include_str!("../../migrations/sqlite/0013_audit_actors.sql"),
    include_str!("../../migrations/sqlite/0014_device_authorizations.sql"),
    include_str!("../../migrations/sqlite/0015_key_ring.sql"),
    include_str!("../../migrations/sqlite/0016_trail_of_files.sql"),
    include_str!("../../migrations/sqlite/0017_master_keys.sql"),
    include_str!("../../migrations/sqlite/0018_audit_exports.sql"),
    include_str!("../../migrations/sqlite/0019_unfinished_copy.sql"),
];

/// The last whose events did not say where requests came from.
#[tokio::test]
async fn a_database_of_version_10_keeps_its_events_and_has_room_for_callers() {
    let database = Database::new();
    database.migrate_to(10);
    let columns = "(time, request_id, action, outcome) VALUES (0, '00000000-0000-7000-8000-000000000000', 'exchange', 'refused')";
    database.tamper(&format!("INSERT INTO audit_event {columns}; INSERT INTO unproved_refusal {columns};"));
    let store = database.open();
    let about = AuditSubject::Request(RequestId::parse("00000000-0000-7000-8000-000000000000").unwrap());
    let [event] = &store.list_audit_events(&about, 10).await.unwrap()[..] else { panic!("one event") };
    let [sampled] = &store.list_unproved_refusals(&about, 10).await.unwrap()[..] else { panic!("one event") };
    assert_eq!((event.source_ip, event.user_agent.as_deref()), (None, None));
    assert_eq!(event, sampled);
    let known = AuditEvent {
        source_ip: "203.0.113.9".parse().ok(),
        user_agent: Some("curl/8.5".into()),
        actor: ActorId::parse("mailer").ok(),
        ..event.clone()
    };
    store.add_audit_event(&known).await.unwrap();
    store.add_unproved_refusals(std::slice::from_ref(&known)).await.unwrap();
    assert_eq!(store.list_audit_events(&about, 1).await.unwrap(), std::slice::from_ref(&known));
    assert_eq!(store.list_unproved_refusals(&about, 1).await.unwrap(), [known]);
}

/// The last whose identities and logins belonged to a pool, and to no incarnation of it.
#[tokio::test]
async fn a_database_of_version_8_keeps_everybody_until_their_pool_is_deleted() {
    let database = Database::new();
    database.migrate_to(8);
    database.tamper(
        "INSERT INTO identity_pool (id, settings, roles) VALUES ('us-east-1:01', '{}', '{}'), ('us-east-1:02', '{}', '{}');
         INSERT INTO configured_pool VALUES ('app', 'us-east-1:01');
         INSERT INTO identity VALUES ('us-east-1:01', 'us-east-1:01', 1, 0, 0, 0), ('us-east-1:02', 'us-east-1:02', 1, 0, 0, 0);
         INSERT INTO login VALUES ('us-east-1:01', '', 'ada', 'us-east-1:01'), ('us-east-1:02', 'x', '1', 'us-east-1:02')",
    );
    let store = database.open();
    assert_eq!(store.find_or_add_configured_pool("app", &pool()).await.unwrap(), pool());
    let outcome = store.link_logins(&login("ada", 3)).await.unwrap();
    assert!(
        matches!(outcome, LinkOutcome::Known(ada) if ada.id == identity_id(1) && ada.pool_id == pool().id)
    );
    store.link_logins(&login("bob", 3)).await.unwrap();

    assert!(store.delete_pool(&pool().id).await.unwrap());
    while store.purge_deleted_pools(1).await.unwrap().more {}
    assert_eq!(store.lookup_identity(&identity_id(1)).await.unwrap(), None);
    let x = Login { provider: LoginProvider::Public("x".into()), user: "1".into() };
    assert_eq!(logins_of(&store, 2).await, [x]);
    assert_eq!(database.counts(), (1, 1, 1));
}

/// The last whose IDs were text.
#[tokio::test]
async fn a_database_of_version_19_keeps_everybody_in_fewer_bytes() {
    let database = Database::new();
    database.migrate_to(19);
    let ids = [
        "us-east-1:00112233-4455-6677-8899-aabbccddeeff",
        "us-east-1:10112233-4455-6677-8899-aabbccddeeff",
        "somewhere:20112233-4455-6677-8899-aabbccddeeff",
        "us-east-1:01",
    ];
    database.tamper("INSERT INTO identity_pool (id, incarnation, settings, roles) VALUES ('us-east-1:01', 'p', '{}', '{}')");
    for (user, id) in ids.iter().enumerate() {
        database.tamper(&format!(
            "INSERT INTO identity VALUES ('{id}', 'p', 1, {user} % 2, 1, 2);
             INSERT INTO login VALUES ('p', '', '{user}', '{id}'), ('p', 'x', '{user}', '{id}');
             INSERT INTO sign_in_session VALUES (randomblob(16), 'app', 'us-east-1:01', '{id}', 'snapchat', NULL, 'subject',
                 NULL, x'00', 'openid', NULL, 1, NULL, NULL, 1, 1, 1, NULL, 1000, 1000, NULL, NULL, 1000)"
        ));
    }
    let store = database.open();
    let ids = ids.map(|id| IdentityId::parse(id).unwrap());
    let everybody = Page { after: None, limit: 10 };
    let listed = store.list_identities(&pool().id, false, everybody).await.unwrap();
    assert_eq!(listed.into_iter().map(|record| record.identity.id).collect::<Vec<_>>(), ids);
    for (user, id) in ids.iter().enumerate() {
        let found = store.lookup_identity_with_logins(id).await.unwrap().unwrap();
        let login = |provider| Login { provider, user: user.to_string() };
        assert_eq!(found.logins, [LoginProvider::Developer, LoginProvider::Public("x".into())].map(login));
        assert_eq!(found.identity.disabled, user % 2 == 1);
        assert_eq!(found.identity.created_at, Timestamp::from_millisecond(1).unwrap());
        let sessions = store.list_sign_in_sessions(id, Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(sessions.iter().map(|session| &session.identity_id).collect::<Vec<_>>(), [id]);
    }

    let connection = Connection::open(&database.path).unwrap();
    let text = |sql| connection.query_one(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(text("SELECT group_concat(length(id), ' ' ORDER BY length(id)) FROM identity"), "12 17 17 26");
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert!(connection.query_one("PRAGMA foreign_key_check", [], |_| Ok(())).is_err());
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    assert!(connection.execute("DELETE FROM identity", []).is_err(), "logins refer to identities");
}

#[tokio::test]
async fn the_access_key_of_a_first_version_stays_and_may_do_everything() {
    let database = Database::new();
    database.migrate_to(1);
    database.tamper("INSERT INTO access_key VALUES ('AKIAAAAAAAAAAAAAAAAA', 'up', x'0102', 7)");

    let key = StoredAccessKey {
        id: AccessKeyId::parse("AKIAAAAAAAAAAAAAAAAA").unwrap(),
        name: UserName::parse("up").unwrap(),
        policy: ALLOW_ALL.to_owned(),
        sealed_secret: Sealed(vec![1, 2]),
        created_at: Timestamp::from_millisecond(7).unwrap(),
        enabled: true,
    };
    assert_eq!(database.open().list_access_keys().await.unwrap(), [key]);
}

#[test]
fn a_database_of_a_newer_version_is_refused_and_left_alone() {
    let database = Database::new();
    drop(database.open());
    database.tamper("PRAGMA user_version = 99");
    let before = fs::read(&database.path).unwrap();

    let refusal = database.refusal();
    assert!(matches!(refusal, SqliteOpenError::Newer { found: 99, .. }), "{refusal}");
    assert!(refusal.to_string().contains(&*database.path.to_string_lossy()));
    assert_eq!(fs::read(&database.path).unwrap(), before);
}
