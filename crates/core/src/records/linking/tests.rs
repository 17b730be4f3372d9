//! The decisions one by one, and what holds of all of them.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn id(number: usize) -> IdentityId {
    IdentityId::parse(format!("us-east-1:{number:02}")).unwrap()
}

fn pool_id(number: usize) -> IdentityPoolId {
    IdentityPoolId::parse(format!("us-east-1:{number:02}")).unwrap()
}

fn at(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap()
}

/// `ada` is a developer user, `google:ada` somebody at a public provider.
fn login(text: &str) -> Login {
    match text.split_once(':') {
        None => Login::developer(text),
        Some((provider, user)) => {
            Login { provider: LoginProvider::Public(provider.to_owned()), user: user.to_owned() }
        }
    }
}

fn logins<L: FromIterator<Login>>(texts: &[&str]) -> L {
    texts.iter().map(|text| login(text)).collect()
}

/// Somebody of pool 1, as old as the number is small.
fn person(number: usize, texts: &[&str]) -> Candidate {
    let created_at = at(i64::try_from(number).unwrap());
    let identity = Identity {
        id: id(number),
        pool_id: pool_id(1),
        authenticated: true,
        disabled: false,
        created_at,
        modified_at: created_at,
    };
    Candidate { identity, logins: logins(texts) }
}

fn guest(number: usize) -> Candidate {
    let Candidate { identity, logins } = person(number, &[]);
    Candidate { identity: Identity { authenticated: false, ..identity }, logins }
}

fn disabled(Candidate { identity, logins }: Candidate) -> Candidate {
    Candidate { identity: Identity { disabled: true, ..identity }, logins }
}

fn request(texts: &[&str], named: Option<usize>) -> LinkRequest {
    LinkRequest {
        pool_id: pool_id(1),
        logins: logins(texts),
        identity_id: named.map(id),
        new_identity_id: id(99),
        now: at(1000),
    }
}

fn linked(survivor: usize, added: &[&str], disabled: &[usize]) -> Change {
    let disabled = disabled.iter().copied().map(id).collect();
    Change::Link { survivor: id(survivor), added: logins(added), disabled }
}

#[test]
fn where_logins_lead() {
    let people = || [person(1, &["ada", "google:1"]), person(2, &["apple:2"]), guest(3)];
    let only = |wanted: &[usize]| -> Vec<Candidate> {
        people().into_iter().filter(|it| wanted.iter().any(|number| it.identity.id == id(*number))).collect()
    };
    for (texts, named, candidates, expected) in [
        (&["new"][..], None, only(&[]), Change::Create(id(99), logins(&["new"]))),
        (&["new", "google:9"], None, only(&[]), Change::Create(id(99), logins(&["new", "google:9"]))),
        (&["ada"], None, only(&[1]), Change::Nothing(id(1))),
        (&["google:1", "ada"], Some(1), only(&[1]), Change::Nothing(id(1))),
        (&["google:1", "apple:9"], None, only(&[1]), linked(1, &["apple:9"], &[])),
        (&["google:1", "bob"], Some(1), only(&[1]), linked(1, &["bob"], &[])),
        (&["bob"], Some(3), only(&[3]), linked(3, &["bob"], &[])),
        (&["google:1", "apple:2"], None, only(&[1, 2]), linked(1, &[], &[2])),
        (&["google:1", "apple:2"], Some(2), only(&[1, 2]), linked(1, &[], &[2])),
        (&["ada", "apple:2", "x:1"], None, only(&[2, 1]), linked(1, &["x:1"], &[2])),
        (&["apple:2"], Some(3), only(&[2, 3]), linked(2, &[], &[3])),
        (&["apple:2", "google:1"], Some(3), people().into(), linked(1, &[], &[2, 3])),
    ] {
        assert_eq!(link(&request(texts, named), &candidates), Ok(expected), "{texts:?} to {named:?}");
    }
}

#[test]
fn which_logins_are_refused() {
    use LinkRefusal::{
        AlreadyRegistered, Disabled, NotAmongItsLogins, TwoUsersOfOneProvider, UnknownIdentity,
    };
    let ada = || person(1, &["ada", "google:1"]);
    let bob = || person(2, &["bob", "apple:2"]);
    let other_google = || person(4, &["google:4"]);
    for (texts, named, candidates, expected) in [
        (&["new"][..], Some(9), vec![], UnknownIdentity(id(9))),
        (&["ada"], Some(9), vec![ada()], UnknownIdentity(id(9))),
        (&["new"], Some(1), vec![disabled(ada())], Disabled(id(1))),
        (&["new"], Some(3), vec![disabled(guest(3))], Disabled(id(3))),
        (&["ada"], None, vec![disabled(ada())], Disabled(id(1))),
        (&["google:1", "apple:2"], None, vec![ada(), disabled(bob())], Disabled(id(2))),
        (&["ada"], Some(3), vec![ada(), guest(3)], AlreadyRegistered),
        (&["ada", "apple:2"], Some(2), vec![ada(), bob()], AlreadyRegistered),
        (&["new"], Some(1), vec![ada()], NotAmongItsLogins),
        (&["apple:2", "new"], Some(1), vec![ada(), bob()], NotAmongItsLogins),
        (&["new"], Some(4), vec![person(4, &[])], NotAmongItsLogins),
        (&["ada", "google:9"], None, vec![ada()], TwoUsersOfOneProvider),
        (&["ada", "google:4"], None, vec![ada(), other_google()], TwoUsersOfOneProvider),
    ] {
        assert_eq!(link(&request(texts, named), &candidates), Err(expected), "{texts:?} to {named:?}");
    }
}

#[test]
fn the_identity_of_another_pool_is_unknown_even_with_a_login_of_the_same_text() {
    let mut elsewhere = person(1, &["ada"]);
    elsewhere.identity.pool_id = pool_id(2);
    let refusal = LinkRefusal::UnknownIdentity(id(1));
    assert_eq!(link(&request(&["ada"], Some(1)), &[elsewhere]), Err(refusal));
}

#[test]
fn of_two_of_one_age_the_smaller_id_survives_in_any_order() {
    let mut same_age = [person(1, &["google:1"]), person(2, &["apple:2"])];
    same_age[1].identity.created_at = same_age[0].identity.created_at;
    for _ in 0..2 {
        let request = request(&["apple:2", "google:1"], None);
        assert_eq!(link(&request, &same_age), Ok(linked(1, &[], &[2])));
        same_age.reverse();
    }
}

#[test]
fn twenty_logins_are_allowed_and_not_one_more() {
    let texts: Vec<String> = (0..MAX_LOGINS).map(|number| format!("{number}:ada")).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let created = Change::Create(id(99), logins(&texts));
    assert_eq!(link(&request(&texts, None), &[]), Ok(created));
    let full = person(1, &texts);
    assert_eq!(link(&request(&texts[..2], None), std::slice::from_ref(&full)), Ok(Change::Nothing(id(1))));
    let one_more = link(&request(&["0:ada", "one more"], None), &[full]);
    assert_eq!(one_more, Err(LinkRefusal::TooManyLogins));
    texts.push("one more");
    assert_eq!(link(&request(&texts, None), &[]), Err(LinkRefusal::TooManyLogins));
}

#[test]
fn what_becomes_of_two_developer_users() {
    let [ada, bob] = [person(1, &["ada", "google:1"]), person(2, &["bob"])];
    let merged = |source: &Candidate, destination: &Candidate| merge(Some(source), Some(destination));
    assert_eq!(merged(&ada, &bob), Ok(linked(2, &[], &[1])));
    assert_eq!(merged(&bob, &ada), Ok(linked(1, &[], &[2])));
    assert_eq!(merged(&ada, &ada), Ok(Change::Nothing(id(1))));
    assert_eq!(merge(None, Some(&ada)), Err(LinkRefusal::UnknownUser));
    assert_eq!(merge(Some(&ada), None), Err(LinkRefusal::UnknownUser));
    assert_eq!(merge(None, None), Err(LinkRefusal::UnknownUser));
    assert_eq!(merged(&ada, &disabled(bob.clone())), Err(LinkRefusal::Disabled(id(2))));
    assert_eq!(merged(&disabled(ada.clone()), &bob), Err(LinkRefusal::Disabled(id(1))));
    let rival = person(3, &["eve", "google:3"]);
    assert_eq!(merged(&ada, &rival), Err(LinkRefusal::TwoUsersOfOneProvider));
}

#[test]
fn which_developer_user_is_taken() {
    let ada = person(1, &["ada", "google:1"]);
    let unlinked = |pool, candidate: Option<&Candidate>, owner: Option<usize>| {
        let logins = Unlinked::DeveloperUser { pool_id: pool_id(pool), user: "ada".to_owned() };
        let request = UnlinkRequest { identity_id: id(1), logins, now: at(1000) };
        unlink(&request, candidate, owner.map(id).as_ref())
    };
    assert_eq!(unlinked(1, Some(&ada), Some(1)), Ok(logins(&["ada"])));
    assert_eq!(unlinked(1, Some(&ada), Some(2)), Err(UnlinkRefusal::OfAnotherIdentity));
    assert_eq!(unlinked(1, Some(&ada), None), Err(UnlinkRefusal::NotLinked));
    assert_eq!(unlinked(1, None, Some(2)), Err(UnlinkRefusal::UnknownIdentity));
    assert_eq!(unlinked(2, Some(&ada), None), Err(UnlinkRefusal::UnknownIdentity));
    assert_eq!(unlinked(1, Some(&disabled(ada.clone())), None), Err(UnlinkRefusal::Disabled));
    // Nobody learns through another pool that an identity is disabled.
    assert_eq!(unlinked(2, Some(&disabled(ada)), None), Err(UnlinkRefusal::UnknownIdentity));
}

#[test]
fn which_public_logins_are_taken() {
    let ada = person(1, &["ada", "google:1", "apple:2"]);
    let unlinked = |candidate: Option<&Candidate>, providers: &[&str], proof: &[&str]| {
        let providers = providers.iter().copied().map(str::to_owned).collect();
        let logins = Unlinked::Public { providers, proof: logins(proof) };
        unlink(&UnlinkRequest { identity_id: id(1), logins, now: at(1000) }, candidate, None)
    };
    let proven = |providers: &[&str]| unlinked(Some(&ada), providers, &["google:1"]);
    assert_eq!(proven(&["google"]), Ok(logins(&["google:1"])));
    assert_eq!(proven(&["apple"]), Ok(logins(&["apple:2"])));
    assert_eq!(proven(&["apple", "google"]), Ok(logins(&["apple:2", "google:1"])));
    assert_eq!(proven(&["apple", "other"]), Err(UnlinkRefusal::NotLinked));
    for proof in [&[][..], &["google:2"], &["apple:1"], &["eve"]] {
        let refused = unlinked(Some(&ada), &["google"], proof);
        assert_eq!(refused, Err(UnlinkRefusal::NotAmongItsLogins), "{proof:?}");
    }
    assert_eq!(unlinked(None, &["google"], &["google:1"]), Err(UnlinkRefusal::UnknownIdentity));
    let disabled = disabled(ada.clone());
    assert_eq!(unlinked(Some(&disabled), &["google"], &["google:1"]), Err(UnlinkRefusal::Disabled));
}

/// Few users of few providers, so that they meet, and enough of them that 21 come together.
fn universe() -> Vec<Login> {
    let developers = (0..12).map(|number| Login::developer(number.to_string()));
    let public = (0..24).map(|number| login(&format!("{}:{}", number % 16, number / 16)));
    developers.chain(public).collect()
}

/// Up to four identities, no two of which have a login in common, and none of which breaks a rule already.
fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
    let people = vec((0_i64..3, select(&["person", "guest", "disabled"][..])), 0..=4);
    (people, vec(0_usize..8, 36)).prop_map(|(people, owners)| {
        let people = people.into_iter().enumerate().map(|(number, (age, kind))| {
            let mut candidate = person(number, &[]);
            candidate.identity.created_at = at(age);
            candidate.identity.authenticated = kind != "guest";
            candidate.identity.disabled = kind == "disabled";
            candidate
        });
        let mut people: Vec<Candidate> = people.collect();
        for (login, owner) in universe().into_iter().zip(owners) {
            if let Some(owner) = people.get_mut(owner).filter(|it| it.identity.authenticated)
                && may_have(&owner.logins, &login)
            {
                owner.logins.insert(login);
            }
        }
        people
    })
}

fn may_have(logins: &BTreeSet<Login>, login: &Login) -> bool {
    let developer = login.provider == LoginProvider::Developer;
    logins.len() < MAX_LOGINS && (developer || logins.iter().all(|other| other.provider != login.provider))
}

/// Logins as they come in a request: at most one of each provider.
fn shown() -> impl Strategy<Value = Vec<Login>> {
    subsequence(universe(), 1..=10).prop_shuffle().prop_map(|mut logins| {
        let mut providers = BTreeSet::new();
        logins.retain(|login| providers.insert(login.provider.clone()));
        logins
    })
}

/// What a store gathers: the named identity and the owners.
fn gather(request: &LinkRequest, everybody: &[Candidate]) -> Vec<Candidate> {
    let takes_part = |candidate: &&Candidate| {
        request.identity_id.as_ref() == Some(&candidate.identity.id)
            || request.logins.iter().any(|login| candidate.logins.contains(login))
    };
    everybody.iter().filter(takes_part).cloned().collect()
}

/// The logins that the survivor of a change has.
fn logins_after(change: &Change, candidates: &[Candidate]) -> Vec<Login> {
    let of = |wanted: &[&IdentityId]| -> Vec<Login> {
        let wanted = candidates.iter().filter(|it| wanted.contains(&&it.identity.id));
        wanted.flat_map(|it| it.logins.iter().cloned()).collect()
    };
    match change {
        Change::Nothing(id) => of(&[id]),
        Change::Create(_, logins) => logins.clone(),
        Change::Link { survivor, added, disabled } => {
            let involved: Vec<&IdentityId> = disabled.iter().chain([survivor]).collect();
            [of(&involved), added.clone()].concat()
        }
    }
}

fn assert_sums_hold(logins: &[Login]) {
    let distinct: BTreeSet<&Login> = logins.iter().collect();
    assert_eq!(distinct.len(), logins.len(), "a login twice");
    assert!(logins.len() <= MAX_LOGINS);
    let public = logins.iter().filter(|login| login.provider != LoginProvider::Developer);
    let providers: BTreeSet<_> = public.clone().map(|login| &login.provider).collect();
    assert_eq!(providers.len(), public.count(), "two users of one provider");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn whatever_is_linked_one_enabled_identity_has_it_all_and_the_sums_hold(
        everybody in candidates(),
        logins in shown(),
        named in proptest::option::of(0_usize..5),
    ) {
        let request = LinkRequest { logins, ..request(&["replaced"], named) };
        let candidates = gather(&request, &everybody);
        let Ok(change) = link(&request, &candidates) else { return Ok(()) };

        let after = logins_after(&change, &candidates);
        assert_sums_hold(&after);
        prop_assert!(request.logins.iter().all(|login| after.contains(login)));
        prop_assert!(candidates.iter().all(|candidate| !candidate.identity.disabled));
        match change {
            Change::Nothing(survivor) => {
                prop_assert!(candidates.iter().all(|candidate| candidate.identity.id == survivor));
            }
            Change::Create(..) => prop_assert!(candidates.is_empty()),
            Change::Link { survivor, added, disabled } => {
                prop_assert!(!disabled.contains(&survivor));
                prop_assert!(added.iter().all(|login| owner(&candidates, login).is_none()));
                let mut involved = [disabled, vec![survivor]].concat();
                involved.sort();
                let all: Vec<_> = candidates.into_iter().map(|candidate| candidate.identity.id).collect();
                prop_assert_eq!(involved, all, "everybody who takes part is one afterwards");
            }
        }
    }

    #[test]
    fn nobody_reaches_an_authenticated_identity_without_a_login_of_it(
        everybody in candidates(),
        logins in shown(),
        named in 0_usize..4,
    ) {
        let request = LinkRequest { logins, ..request(&["replaced"], Some(named)) };
        let candidates = gather(&request, &everybody);
        if link(&request, &candidates).is_ok() {
            let named = candidates.iter().find(|it| it.identity.id == id(named)).unwrap();
            let shown = request.logins.iter().any(|login| named.logins.contains(login));
            prop_assert!(shown || !named.identity.authenticated);
        }
    }

    #[test]
    fn the_order_of_logins_and_candidates_does_not_matter(
        everybody in candidates(),
        (logins, shuffled) in shown().prop_flat_map(|logins| (Just(logins.clone()), Just(logins).prop_shuffle())),
        named in proptest::option::of(0_usize..5),
    ) {
        let one = LinkRequest { logins, ..request(&["replaced"], named) };
        let other = LinkRequest { logins: shuffled, ..one.clone() };
        let mut candidates = gather(&one, &everybody);
        let sorted = |change: Result<Change, LinkRefusal>| match change {
            Ok(Change::Create(id, mut logins)) => {
                logins.sort();
                Ok(Change::Create(id, logins))
            }
            Ok(Change::Link { survivor, mut added, disabled }) => {
                added.sort();
                Ok(Change::Link { survivor, added, disabled })
            }
            // Of several disabled owners, any may be named.
            Err(LinkRefusal::Disabled(_)) => Err(LinkRefusal::Disabled(id(0))),
            other => other,
        };
        let first = sorted(link(&one, &candidates));
        candidates.reverse();
        prop_assert_eq!(first, sorted(link(&other, &candidates)));
    }

    #[test]
    fn a_merge_of_developer_users_keeps_the_destination_and_the_sums(
        everybody in candidates(),
        source in 0_usize..4,
        destination in 0_usize..4,
    ) {
        let (source, destination) = (everybody.get(source), everybody.get(destination));
        match merge(source, destination) {
            Ok(change) => {
                let (source, destination) = (source.unwrap(), destination.unwrap());
                assert_sums_hold(&logins_after(&change, &everybody));
                let same = source.identity.id == destination.identity.id;
                let expected = if same {
                    Change::Nothing(destination.identity.id.clone())
                } else {
                    let disabled = vec![source.identity.id.clone()];
                    Change::Link { survivor: destination.identity.id.clone(), added: vec![], disabled }
                };
                prop_assert_eq!(change, expected);
            }
            Err(LinkRefusal::UnknownUser) => prop_assert!(source.is_none() || destination.is_none()),
            Err(_) => prop_assert!(source.is_some() && destination.is_some()),
        }
    }

    #[test]
    fn nothing_is_unlinked_that_the_identity_does_not_have(
        everybody in candidates(),
        providers in btree_set(0_usize..16, 1..4),
        proof in shown(),
    ) {
        let providers: Vec<String> = providers.iter().map(ToString::to_string).collect();
        let logins = Unlinked::Public { providers: providers.clone(), proof: proof.clone() };
        let request = UnlinkRequest { identity_id: id(0), logins, now: at(1000) };
        if let Ok(taken) = unlink(&request, everybody.first(), None) {
            prop_assert!(taken.iter().all(|login| everybody[0].logins.contains(login)));
            prop_assert!(proof.iter().any(|login| everybody[0].logins.contains(login)));
            let of: Vec<_> = taken.into_iter().map(|login| login.provider).collect();
            prop_assert_eq!(of, providers.into_iter().map(LoginProvider::Public).collect::<Vec<_>>());
        }
    }
}
