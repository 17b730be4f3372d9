//! How a login finds, makes or takes over an identity. Several logins at once are in `linking.rs`.

use crate::ground::clock::{SignedDuration, Timestamp};
use crate::ground::ids::IdentityId;
use crate::ground::random::{Random, SeededRandom};
use crate::records::identity::{Identity, Login};
use crate::records::identity_record::IdentityRecord;
use crate::records::linking::{LinkRefusal, LinkRequest};
use crate::store::LinkOutcome::Refused;
use crate::store::contract::fixture::{Fixture, ODD_TEXT, instant, last_millisecond, plain_pool, public};
use crate::store::{LinkOutcome as Outcome, Page, SharedStore};

pub async fn a_first_login_creates_an_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let login = fixture.login("ada");
    let created = Identity {
        id: login.new_identity_id.clone(),
        pool_id: fixture.pool_id.clone(),
        authenticated: true,
        disabled: false,
        created_at: login.now,
        modified_at: login.now,
    };
    assert_eq!(fixture.link(&login).await, Outcome::Created(created.clone()));
    assert_eq!(fixture.find("ada").await, Some(created.id.clone()));
    assert_eq!(fixture.store.lookup_identity(&created.id).await.unwrap(), Some(created));
}

pub async fn a_second_login_is_known(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let before = fixture.store.lookup_identity(&ada).await.unwrap().unwrap();
    let login = LinkRequest { now: instant(9_999), ..fixture.login("ada") };
    assert_eq!(fixture.link(&login).await, Outcome::Known(before));
    assert_eq!(fixture.store.lookup_identity(&login.new_identity_id).await.unwrap(), None);
}

pub async fn a_login_that_names_its_own_identity_is_known(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let before = fixture.store.lookup_identity(&ada).await.unwrap().unwrap();
    assert_eq!(fixture.link(&fixture.login_to("ada", &ada)).await, Outcome::Known(before));
}

pub async fn an_identity_comes_with_its_logins_whoever_asks(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let store = &fixture.store;
    let logins = [Login::developer("ada"), public("snap", "1")];
    let ada = fixture.add_person(&logins).await;
    let with_logins = async |id: &IdentityId, logins: &[Login]| {
        Some(IdentityRecord { identity: fixture.identity(id).await, logins: logins.to_vec() })
    };
    let expected = with_logins(&ada, &logins).await;
    assert_eq!(store.lookup_identity_with_logins(&ada).await.unwrap(), expected);
    for login in &logins {
        let found = store.find_identity_by_login(&fixture.pool_id, login).await.unwrap();
        assert_eq!(found, expected);
    }
    let page = Page { after: None, limit: 60 };
    let listed = store.list_identities(&fixture.pool_id, false, page).await.unwrap();
    assert_eq!(listed, Vec::from_iter(expected));
    let guest = fixture.add_guest().await;
    let expected = with_logins(&guest, &[]).await;
    assert_eq!(store.lookup_identity_with_logins(&guest).await.unwrap(), expected);
    let nobody = fixture.draw_identity_id();
    assert_eq!(store.lookup_identity_with_logins(&nobody).await.unwrap(), None);
    let several = store.lookup_identities(&[guest.clone(), nobody, ada.clone()]).await.unwrap();
    assert_eq!(
        several.into_iter().map(|it| it.map(|it| it.id)).collect::<Vec<_>>(),
        [Some(guest), None, Some(ada)]
    );
    assert!(store.lookup_identities(&[]).await.unwrap().is_empty());
}

pub async fn a_guest_that_logs_in_keeps_its_id(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let login = fixture.login_to("ada", &guest);
    let linked = Identity {
        id: guest.clone(),
        pool_id: fixture.pool_id.clone(),
        authenticated: true,
        disabled: false,
        created_at: instant(0),
        modified_at: login.now,
    };
    assert_eq!(fixture.link(&login).await, linked_to(&linked));
    assert_eq!(fixture.store.lookup_identity(&guest).await.unwrap(), Some(linked));
    assert_eq!(fixture.store.lookup_identity(&login.new_identity_id).await.unwrap(), None);
}

pub async fn a_linked_login_is_known_from_then_on(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    fixture.link(&fixture.login_to("ada", &guest)).await;
    let linked = fixture.store.lookup_identity(&guest).await.unwrap().unwrap();
    assert_eq!(fixture.link(&fixture.login("ada")).await, Outcome::Known(linked.clone()));
    assert_eq!(fixture.link(&fixture.login_to("ada", &guest)).await, Outcome::Known(linked));
}

pub async fn a_login_of_another_identity_is_already_registered(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let [guest, bob] = [fixture.add_guest().await, fixture.add_user("bob").await];
    assert_eq!(fixture.link(&fixture.login_to("ada", &guest)).await, Refused(LinkRefusal::AlreadyRegistered));
    assert_eq!(fixture.link(&fixture.login_to("ada", &bob)).await, Refused(LinkRefusal::AlreadyRegistered));
    assert_eq!(fixture.find("ada").await, Some(ada));
    assert!(!fixture.store.lookup_identity(&guest).await.unwrap().unwrap().authenticated);
}

pub async fn an_identity_with_a_login_takes_no_second_one(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    assert_eq!(fixture.link(&fixture.login_to("eve", &ada)).await, Refused(LinkRefusal::NotAmongItsLogins));
    assert_eq!(fixture.find("eve").await, None);
}

pub async fn an_identity_nobody_made_is_unknown(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let nobody = fixture.draw_identity_id();
    assert_eq!(fixture.link(&fixture.login_to("ada", &nobody)).await, unknown(&nobody));
    assert_eq!(fixture.store.lookup_identity(&nobody).await.unwrap(), None);
}

pub async fn an_identity_of_another_pool_is_unknown(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let login = LinkRequest { pool_id: fixture.other_pool_id.clone(), ..fixture.login_to("ada", &guest) };
    assert_eq!(fixture.link(&login).await, unknown(&guest));
    assert!(!fixture.store.lookup_identity(&guest).await.unwrap().unwrap().authenticated);
}

pub async fn an_unknown_identity_is_refused_even_to_a_known_login(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    fixture.add_user("ada").await;
    let nobody = fixture.draw_identity_id();
    assert_eq!(fixture.link(&fixture.login_to("ada", &nobody)).await, unknown(&nobody));
}

pub async fn a_refused_login_leaves_nothing_behind(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let login = fixture.login_to("eve", &ada);
    fixture.link(&login).await;
    assert_eq!(fixture.find("eve").await, None);
    assert_eq!(fixture.store.lookup_identity(&login.new_identity_id).await.unwrap(), None);
    assert_eq!(fixture.logins_of(&ada).await, [Login::developer("ada")]);
}

pub async fn no_login_without_a_pool(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let nowhere = plain_pool(&SeededRandom::new(2)).id;
    let login = LinkRequest { pool_id: nowhere.clone(), ..fixture.login("ada") };
    fixture.store.link_logins(&login).await.unwrap_err();
    assert_eq!(
        fixture
            .store
            .find_identity_by_login(&nowhere, &Login::developer("ada"))
            .await
            .unwrap()
            .map(|it| it.identity.id),
        None
    );
    assert_eq!(fixture.store.lookup_identity(&login.new_identity_id).await.unwrap(), None);
}

pub async fn a_new_login_cannot_take_an_identity_id_that_is_taken(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let login = LinkRequest { new_identity_id: ada, ..fixture.login("eve") };
    fixture.store.link_logins(&login).await.unwrap_err();
    assert_eq!(fixture.find("eve").await, None);
}

pub async fn developer_user_identifiers_differ_if_a_byte_does(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [composed, decomposed] = ["zo\u{eb}", "zoe\u{308}"];
    let users = [
        "ada", "Ada", "ada ", " ada", "ada\0", "ada\0b", "ada\n", "1", "1.0", "01", "%", "_", composed,
        decomposed, "ﬁ", "fi", "ß", "ss", ODD_TEXT,
    ];
    let mut identities = Vec::new();
    for user in &users {
        identities.push(fixture.add_user(user).await);
    }
    for (user, identity) in users.iter().zip(&identities) {
        assert_eq!(fixture.find(user).await.as_ref(), Some(identity), "{user:?}");
        assert_eq!(fixture.logins_of(identity).await, [Login::developer(*user)]);
    }
    assert_eq!(fixture.find("ADA").await, None);
}

pub async fn developer_user_identifiers_may_have_1024_characters(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let longest = "🦊".repeat(1024);
    let nearly = "🦊".repeat(1023);
    let [long_id, nearly_id] = [fixture.add_user(&longest).await, fixture.add_user(&nearly).await];
    assert_eq!(fixture.find(&longest).await, Some(long_id));
    assert_eq!(fixture.find(&nearly).await, Some(nearly_id));
}

/// Nothing of them can be compressed, and an index of a database may have no room for as much.
pub async fn the_longest_identifiers_may_be_any_characters(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let random = SeededRandom::new(4_096);
    let mut characters = vec![0; 4 * 1024];
    random.fill(&mut characters);
    let code = |bytes: &[u8]| u32::from_be_bytes([0, 1 + bytes[0] % 16, bytes[1], bytes[2]]);
    let odd: String = characters.chunks(4).filter_map(|bytes| char::from_u32(code(bytes))).collect();
    assert_eq!((odd.chars().count(), odd.len()), (1024, 4096));
    let with_nul = format!("\0{}", &odd[4..]);
    let identities = [fixture.add_user(&odd).await, fixture.add_user(&with_nul).await];
    for (user, identity) in [&odd, &with_nul].into_iter().zip(&identities) {
        assert_eq!(fixture.find(user).await.as_ref(), Some(identity));
        assert_eq!(fixture.logins_of(identity).await, [Login::developer(user.as_str())]);
    }
}

pub async fn the_same_identifier_in_two_pools_is_two_identities(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let here = fixture.add_user("ada").await;
    let there = LinkRequest { pool_id: fixture.other_pool_id.clone(), ..fixture.login("ada") };
    let Outcome::Created(identity) = fixture.link(&there).await else { panic!("ada is new there") };
    assert_ne!(identity.id, here);
    assert_eq!(identity.pool_id, fixture.other_pool_id);
    assert_eq!(fixture.find("ada").await, Some(here));
}

pub async fn the_answer_to_a_login_is_what_a_lookup_finds(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let guest = fixture.add_guest().await;
    let finer_than_a_millisecond = instant(1000) + SignedDuration::from_nanos(123_456);
    for login in [fixture.login("ada"), fixture.login_to("bob", &guest)] {
        let login = LinkRequest { now: finer_than_a_millisecond, ..login };
        let (Outcome::Created(answer) | Outcome::Linked { identity: answer, .. }) =
            fixture.link(&login).await
        else {
            panic!("a new login")
        };
        assert_eq!(fixture.store.lookup_identity(&answer.id).await.unwrap(), Some(answer));
    }
}

pub async fn instants_of_any_age_are_kept_to_the_millisecond(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ages = [Timestamp::MIN, Timestamp::UNIX_EPOCH, before_1970(), instant(999), last_millisecond()];
    for now in ages {
        let id = fixture.draw_identity_id();
        fixture.store.add_guest(&fixture.pool_id, &id, now).await.unwrap();
        assert_eq!(fixture.store.lookup_identity(&id).await.unwrap().unwrap().created_at, now);
    }
}

/// A guest who logged in.
fn linked_to(identity: &Identity) -> Outcome {
    Outcome::Linked { identity: identity.clone(), disabled: vec![] }
}

fn unknown(id: &IdentityId) -> Outcome {
    Refused(LinkRefusal::UnknownIdentity(id.clone()))
}

fn before_1970() -> Timestamp {
    Timestamp::from_millisecond(-1).unwrap()
}
