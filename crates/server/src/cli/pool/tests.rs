//! What is exported and imported again is the same, and a file that is not as it was written changes nothing.

use std::io::Cursor;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{
    Identity, IdentityPool, Login, LoginProvider, PoolRoles, PoolSettings, PrincipalTagMap,
};
use daypass_core::records::identity_record::IdentityRecord;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::transfer::{Imported, PoolImport};
use daypass_core::store::{Identities, Page, Pools, Store};
use daypass_store::SqliteStore;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

use super::{export, file, import};
use crate::cli::progress::{Progress, Unit};

fn sqlite() -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    (SqliteStore::open(&directory.path().join("daypass.db")).unwrap(), directory)
}

fn pool() -> IdentityPool {
    let settings = PoolSettings {
        name: "app 🦊".into(),
        developer_provider_name: Some("login.app".into()),
        tags: [("team".to_owned(), "a\n\u{2028}".to_owned())].into(),
        ..PoolSettings::default()
    };
    let roles = PoolRoles { authenticated: Some("arn:aws:iam::1:role/a".into()), ..PoolRoles::default() };
    let mut pool = IdentityPool::new(IdentityPoolId::parse("us-east-1:aa").unwrap(), settings, roles);
    pool.tag_maps.insert("x".into(), PrincipalTagMap { use_defaults: true, ..PrincipalTagMap::default() });
    pool
}

fn record(number: usize, state: (bool, bool), created: i64, logins: Vec<Login>) -> IdentityRecord {
    let (authenticated, disabled) = state;
    let identity = Identity {
        id: IdentityId::parse(format!("us-east-1:{number:08x}")).unwrap(),
        pool_id: pool().id,
        authenticated,
        disabled,
        created_at: Timestamp::from_millisecond(created).unwrap(),
        modified_at: Timestamp::from_millisecond(created / 2).unwrap(),
    };
    IdentityRecord { identity, logins }
}

async fn put(store: &dyn Store, records: Vec<IdentityRecord>) -> Imported {
    let records = Box::new(records.into_iter().map(Ok));
    store.import_pool(PoolImport::new(pool(), Some("app".into()), records)).await.unwrap()
}

async fn export(store: &dyn Store) -> Vec<u8> {
    let snapshot = store.snapshot_pool(&pool().id).await.unwrap().unwrap();
    export::write(snapshot, Vec::new()).await.unwrap()
}

async fn import(store: &dyn Store, file: &[u8]) -> Result<Imported, String> {
    let opened = file::open(Cursor::new(file.to_vec())).map_err(|error| error.to_string())?;
    let import = import::pool_import(opened, Progress::new(Unit::Identities, None));
    store.import_pool(import).await.map_err(|error| error.to_string())
}

/// A user as a provider may name one: whatever Unicode has.
fn user() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(any::<char>(), 1..20).prop_map(String::from_iter),
        "[\u{0}-\u{7f}]{1,8}",
        Just("é".repeat(1024)),
    ]
}

/// A flag, an instant, and for each login a kind of provider and a user.
type Drawn = (bool, i32, Vec<(u8, String)>);

/// A guest, somebody who lost a merge, somebody without a login left, or somebody with a few; no login twice.
fn people() -> impl Strategy<Value = Vec<IdentityRecord>> {
    let logins = proptest::collection::vec((0..4_u8, user()), 0..6);
    proptest::collection::vec((any::<bool>(), any::<i32>(), logins), 0..12).prop_map(|people| {
        let mut taken = std::collections::BTreeSet::new();
        let person = |(number, (flag, created, drawn)): (usize, Drawn)| {
            let mut logins: Vec<Login> = Vec::new();
            for (provider, user) in drawn {
                let provider = match provider {
                    0 | 1 => LoginProvider::Developer,
                    other => LoginProvider::Public(format!("provider {other}")),
                };
                let public = provider != LoginProvider::Developer;
                let twice = public && logins.iter().any(|login| login.provider == provider);
                let login = Login { provider, user };
                if !twice && taken.insert(login.clone()) {
                    logins.push(login);
                }
            }
            logins.sort();
            let state = if logins.is_empty() { (flag, created % 2 == 0) } else { (true, false) };
            record(number, state, i64::from(created) * 1000 + 7, logins)
        };
        people.into_iter().enumerate().map(person).collect()
    })
}

#[test]
fn any_pool_comes_back_as_it_was() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    let outcome = runner.run(&people(), |people| {
        runtime.block_on(async {
            let (memory, (database, _directory)) = (MemoryStore::new(), sqlite());
            put(&memory, people.clone()).await;
            let file = export(&memory).await;
            let imported = import(&database, &file).await.unwrap();
            assert_eq!((imported.changed, imported.identities), (true, people.len() as u64));
            assert_eq!(export(&database).await, file);
            let again = import(&database, &file).await.unwrap();
            assert_eq!(again, Imported { changed: people.is_empty(), ..imported });
            assert_eq!(database.lookup_pool(&pool().id).await.unwrap().unwrap().settings, pool().settings);
            for record in people {
                let found = database.lookup_identity_with_logins(&record.identity.id).await.unwrap();
                assert_eq!(found, Some(record));
            }
        });
        Ok(())
    });
    outcome.unwrap();
}

async fn small_file() -> Vec<u8> {
    let store = MemoryStore::new();
    let public = Login { provider: LoginProvider::Public("x".into()), user: "1".into() };
    put(
        &store,
        vec![
            record(1, (true, false), 1, vec![Login::developer("ada"), public]),
            record(2, (false, false), 2, vec![]),
            record(3, (true, true), 3, vec![]),
        ],
    )
    .await;
    export(&store).await
}

async fn assert_refused(store: &dyn Store, file: &[u8], what: &str) -> String {
    let refused = import(store, file).await.expect_err(what);
    let page = Page { after: None, limit: 10 };
    assert_eq!(store.list_pools(page).await.unwrap(), [], "{what} left something behind: {refused}");
    refused
}

#[tokio::test]
async fn a_file_with_any_byte_changed_is_refused() {
    let (file, store) = (small_file().await, MemoryStore::new());
    for position in 0..file.len() {
        for bit in [0x01, 0x20] {
            let mut changed = file.clone();
            changed[position] ^= bit;
            assert_refused(&store, &changed, &format!("byte {position} with {bit} turned")).await;
        }
    }
}

#[tokio::test]
async fn a_file_cut_off_anywhere_is_refused() {
    let (file, store) = (small_file().await, MemoryStore::new());
    for length in 0..file.len() {
        assert_refused(&store, &file[..length], &format!("{length} bytes")).await;
    }
}

/// With the right sum, so that nothing else gives them away.
fn with_sum(lines: &[&[u8]]) -> Vec<u8> {
    let body = lines.concat();
    let mut sum = Context::new(&SHA256);
    sum.update(&body);
    let sum = file::hex(sum);
    let trailer = format!("{{\"identities\":{},\"sha256\":\"{sum}\"}}\n", lines.len() - 1);
    [body, trailer.into_bytes()].concat()
}

#[tokio::test]
async fn lines_out_of_place_are_refused() {
    let (file, store) = (small_file().await, Arc::new(MemoryStore::new()));
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let [header, one, two, three, trailer] = lines[..] else { panic!("five lines") };
    assert_eq!(with_sum(&[header, one, two, three]), file);
    for (what, file, why) in [
        ("two swapped lines", with_sum(&[header, two, one, three]), "out of order"),
        ("a line twice", with_sum(&[header, one, one, two, three]), "there twice"),
        ("a line less", [header, one, three, trailer].concat(), "has 2 identities and should have 3"),
        ("something behind the end", [&file[..], b"{}\n"].concat(), "line 6 stands behind the end"),
        ("no pool", [one, two, trailer].concat(), "no file of `daypass pool export`"),
        ("two pools", [header, header, trailer].concat(), "line 2 is damaged"),
        ("no end", [header, one].concat(), "cut off in line 3"),
        ("nothing", Vec::new(), "cut off in line 1"),
    ] {
        let refused = assert_refused(&*store, &file, what).await;
        assert!(refused.contains(why), "{what}: {refused}");
    }
}

#[tokio::test]
async fn a_login_of_two_identities_is_refused() {
    let store = MemoryStore::new();
    let file = small_file().await;
    let lines: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').collect();
    let again = String::from_utf8(lines[1].to_vec()).unwrap().replace("us-east-1:00000001", "us-east-1:09");
    let refused = assert_refused(&store, &with_sum(&[lines[0], lines[1], again.as_bytes()]), "a login").await;
    assert!(refused.contains("us-east-1:09 brings a login that us-east-1:00000001 has"), "{refused}");
}

#[tokio::test]
async fn a_file_says_before_it_is_read_how_many_it_has() {
    let file = small_file().await;
    assert_eq!(file::announced(&mut Cursor::new(&file)), Some(3));
    assert_eq!(file::announced(&mut Cursor::new(&file[..file.len() - 1])), None);
    assert_eq!(file::announced(&mut Cursor::new(b"short")), None);
}

#[tokio::test]
async fn a_file_of_another_format_is_told_by_its_number() {
    let text = String::from_utf8(small_file().await).unwrap();
    let later = text.replace("\"daypass_pool\":1", "\"daypass_pool\":2,\"what_came_later\":{}");
    let refused = assert_refused(&MemoryStore::new(), later.as_bytes(), "format 2").await;
    assert!(refused.contains("has format 2"), "{refused}");
}
