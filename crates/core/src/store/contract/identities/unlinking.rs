//! Developer users who turn out to be one, and logins that are taken away again.

use std::slice;

use crate::records::identity::{Identity, Login};
use crate::records::limits::MAX_LOGINS;
use crate::records::linking::{LinkRefusal, MergeRequest, UnlinkRefusal, Unlinked};
use crate::store::LinkOutcome::{Known, Linked, Refused};
use crate::store::contract::fixture::{Fixture, instant, public};
use crate::store::{SharedStore, UnlinkOutcome};

const GOOGLE: &str = "accounts.google.com";
const APPLE: &str = "appleid.apple.com";

pub async fn merged_developer_users_are_the_destination(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    // The destination stays although it is the younger.
    let source = fixture.add_person_at(1, &[Login::developer("ada"), public(GOOGLE, "1")]).await;
    let destination = fixture.add_person_at(2, &[Login::developer("bob"), public(APPLE, "2")]).await;
    let outcome = fixture.merge("ada", "bob").await;
    let survivor = Identity {
        id: destination.clone(),
        pool_id: fixture.pool_id.clone(),
        authenticated: true,
        disabled: false,
        created_at: instant(2),
        modified_at: instant(2000),
    };
    assert_eq!(outcome, Linked { identity: survivor.clone(), disabled: vec![source.clone()] });
    assert_eq!(fixture.identity(&destination).await, survivor);
    let loser = fixture.identity(&source).await;
    assert_eq!((loser.disabled, loser.modified_at), (true, instant(2000)));
    let all = [Login::developer("ada"), Login::developer("bob"), public(GOOGLE, "1"), public(APPLE, "2")];
    assert_eq!(fixture.logins_of(&destination).await, all);
    assert_eq!(fixture.logins_of(&source).await, []);
    assert_eq!(fixture.link(&fixture.login("ada")).await, Known(survivor));
}

pub async fn a_merge_of_one_identity_with_itself_changes_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let [ada, bob] = [fixture.add_user("ada").await, fixture.add_user("bob").await];
    fixture.merge("ada", "bob").await;
    let before = fixture.state_of(&[&ada, &bob]).await;
    for [source, destination] in [["ada", "bob"], ["bob", "ada"], ["ada", "ada"]] {
        let request = MergeRequest { now: instant(9_999), ..fixture.merge_request(source, destination) };
        let outcome = fixture.store.merge_developer_users(&request).await.unwrap();
        assert_eq!(outcome, Known(fixture.identity(&bob).await));
        assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
    }
}

pub async fn a_merge_with_an_unknown_user_is_refused(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    fixture.add_person(&[public(GOOGLE, "eve")]).await;
    let before = fixture.state_of(&[&ada]).await;
    for [source, destination] in [["ada", "eve"], ["eve", "ada"], ["eve", "eve"]] {
        assert_eq!(fixture.merge(source, destination).await, Refused(LinkRefusal::UnknownUser));
    }
    assert_eq!(fixture.state_of(&[&ada]).await, before);
}

pub async fn developer_users_of_two_pools_are_not_merged(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    let mut there = fixture.login("bob");
    there.pool_id = fixture.other_pool_id.clone();
    fixture.link(&there).await;
    let before = fixture.state_of(&[&ada, &there.new_identity_id]).await;
    for pool_id in [&fixture.pool_id, &fixture.other_pool_id] {
        for [source, destination] in [["ada", "bob"], ["bob", "ada"]] {
            let request =
                MergeRequest { pool_id: pool_id.clone(), ..fixture.merge_request(source, destination) };
            let outcome = fixture.store.merge_developer_users(&request).await.unwrap();
            assert_eq!(outcome, Refused(LinkRefusal::UnknownUser));
        }
    }
    assert_eq!(fixture.state_of(&[&ada, &there.new_identity_id]).await, before);
}

pub async fn a_merge_that_breaks_a_sum_changes_nothing(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let many: Vec<Login> = (0..MAX_LOGINS - 1).map(|number| public(&number.to_string(), "ada")).collect();
    let ada = fixture.add_person(&[&[Login::developer("ada")], &many[..]].concat()).await;
    let bob = fixture.add_person(&[Login::developer("bob")]).await;
    let eve = fixture.add_person(&[Login::developer("eve"), public("0", "eve")]).await;
    let before = fixture.state_of(&[&ada, &bob, &eve]).await;
    for (other, refusal) in [("bob", LinkRefusal::TooManyLogins), ("eve", LinkRefusal::TwoUsersOfOneProvider)]
    {
        assert_eq!(fixture.merge("ada", other).await, Refused(refusal.clone()));
        assert_eq!(fixture.merge(other, "ada").await, Refused(refusal));
        assert_eq!(fixture.state_of(&[&ada, &bob, &eve]).await, before);
    }
}

pub async fn an_unlinked_developer_user_is_free_again(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let google = public(GOOGLE, "1");
    let ada = fixture.add_person(&[Login::developer("ada"), google.clone()]).await;
    assert_eq!(fixture.unlink(&ada, fixture.developer_user("ada")).await, UnlinkOutcome::Unlinked);
    assert_eq!(fixture.logins_of(&ada).await, [google]);
    let left = fixture.identity(&ada).await;
    assert_eq!((left.authenticated, left.disabled, left.modified_at), (true, false, instant(3000)));
    assert_ne!(fixture.add_user("ada").await, ada);
}

pub async fn an_identity_whose_last_login_is_gone_is_out_of_reach(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_user("ada").await;
    fixture.unlink(&ada, fixture.developer_user("ada")).await;
    let left = fixture.identity(&ada).await;
    assert_eq!((left.authenticated, left.disabled), (true, false));
    assert_eq!(fixture.logins_of(&ada).await, []);
    let outcome = fixture.link(&fixture.login_to("ada", &ada)).await;
    assert_eq!(outcome, Refused(LinkRefusal::NotAmongItsLogins));
}

pub async fn only_a_developer_user_of_the_named_identity_is_unlinked(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_person(&[Login::developer("ada"), public(GOOGLE, "google")]).await;
    let [bob, nobody] = [fixture.add_user("bob").await, fixture.draw_identity_id()];
    let before = fixture.state_of(&[&ada, &bob]).await;
    let elsewhere =
        Unlinked::DeveloperUser { pool_id: fixture.other_pool_id.clone(), user: "ada".to_owned() };
    for (id, logins, refusal) in [
        (&ada, fixture.developer_user("bob"), UnlinkRefusal::OfAnotherIdentity),
        (&ada, fixture.developer_user("eve"), UnlinkRefusal::NotLinked),
        (&ada, fixture.developer_user("google"), UnlinkRefusal::NotLinked),
        (&nobody, fixture.developer_user("ada"), UnlinkRefusal::UnknownIdentity),
        (&ada, elsewhere, UnlinkRefusal::UnknownIdentity),
    ] {
        assert_eq!(fixture.unlink(id, logins.clone()).await, UnlinkOutcome::Refused(refusal), "{logins:?}");
        assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
    }
}

pub async fn unlinking_in_one_pool_leaves_the_other_alone(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let here = fixture.add_user("ada").await;
    let mut there = fixture.login("ada");
    there.pool_id = fixture.other_pool_id.clone();
    fixture.link(&there).await;
    assert_eq!(fixture.unlink(&here, fixture.developer_user("ada")).await, UnlinkOutcome::Unlinked);
    assert_eq!(fixture.logins_of(&there.new_identity_id).await, [Login::developer("ada")]);
}

pub async fn public_logins_are_unlinked_by_provider(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let logins = [Login::developer("ada"), public(GOOGLE, "1"), public(APPLE, "2"), public("other", "3")];
    let ada = fixture.add_person(&logins).await;
    let outcome = fixture.unlink(&ada, of_providers(&[APPLE, GOOGLE], &logins[2..3])).await;
    assert_eq!(outcome, UnlinkOutcome::Unlinked);
    assert_eq!(fixture.logins_of(&ada).await, [logins[0].clone(), logins[3].clone()]);
    assert_eq!(fixture.identity(&ada).await.modified_at, instant(3000));
    assert_ne!(fixture.add_person(&logins[1..2]).await, ada);
}

pub async fn public_logins_are_unlinked_all_or_none(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let google = public(GOOGLE, "1");
    let ada = fixture.add_person(&[Login::developer("ada"), google.clone()]).await;
    let before = fixture.state_of(&[&ada]).await;
    for providers in [&[GOOGLE, APPLE][..], &[APPLE, GOOGLE], &[APPLE], &[""]] {
        let outcome = fixture.unlink(&ada, of_providers(providers, slice::from_ref(&google))).await;
        assert_eq!(outcome, UnlinkOutcome::Refused(UnlinkRefusal::NotLinked), "{providers:?}");
        assert_eq!(fixture.state_of(&[&ada]).await, before);
    }
}

pub async fn public_logins_are_unlinked_only_by_a_login_of_the_identity(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_person(&[Login::developer("ada"), public(GOOGLE, "ada")]).await;
    let eve = fixture.add_person(&[public(GOOGLE, "eve")]).await;
    let before = fixture.state_of(&[&ada, &eve]).await;
    for proof in [&[][..], &[public(GOOGLE, "eve")], &[public(APPLE, "ada")], &[public("", "ada")]] {
        let outcome = fixture.unlink(&ada, of_providers(&[GOOGLE], proof)).await;
        assert_eq!(outcome, UnlinkOutcome::Refused(UnlinkRefusal::NotAmongItsLogins), "{proof:?}");
        assert_eq!(fixture.state_of(&[&ada, &eve]).await, before);
    }
    let proof = [public(GOOGLE, "eve"), public(GOOGLE, "ada")];
    assert_eq!(fixture.unlink(&ada, of_providers(&[GOOGLE], &proof)).await, UnlinkOutcome::Unlinked);
}

pub async fn nothing_is_unlinked_from_an_identity_that_is_disabled_or_unknown(store: SharedStore) {
    let fixture = Fixture::new(store).await;
    let ada = fixture.add_person(&[Login::developer("ada"), public(GOOGLE, "ada")]).await;
    let [bob, nobody] = [fixture.add_user("bob").await, fixture.draw_identity_id()];
    fixture.merge("ada", "bob").await;
    let before = fixture.state_of(&[&ada, &bob]).await;
    let google = of_providers(&[GOOGLE], &[public(GOOGLE, "ada")]);
    for logins in [google, fixture.developer_user("ada")] {
        let disabled = UnlinkOutcome::Refused(UnlinkRefusal::Disabled);
        assert_eq!(fixture.unlink(&ada, logins.clone()).await, disabled);
        let unknown = UnlinkOutcome::Refused(UnlinkRefusal::UnknownIdentity);
        assert_eq!(fixture.unlink(&nobody, logins).await, unknown);
    }
    assert_eq!(fixture.state_of(&[&ada, &bob]).await, before);
}

fn of_providers(providers: &[&str], proof: &[Login]) -> Unlinked {
    let providers = providers.iter().copied().map(str::to_owned).collect();
    Unlinked::Public { providers, proof: proof.to_vec() }
}
