//! Who signs, and whose heads are believed.

use daypass_core::records::trail_line as line;

use super::*;

#[tokio::test]
async fn what_commands_wrote_is_signed_by_the_server_beside_them() {
    let place = Place::new();
    let server = place.attended(Retention::default(), 0);
    server.add(&[place.event(0)]).await.unwrap();
    place.open().add(&[place.event(1)]).await.unwrap();
    drop(server);
    let found = place.verified();
    assert_eq!((&found.faults[..], found.events, found.unsigned), (&[][..], 2, 0));
}

#[tokio::test]
async fn heads_of_another_key_are_nobodys() {
    let place = Place::new();
    place.signed(9).await;
    let other = HeadKey::of(&MasterKey::new([8; 32]).into()).public().clone();
    let found = verify(&place.path(), &by(other.clone()), None, &mut |_, _| {}).unwrap();
    assert!(found.faults.iter().all(|fault| fault.what == What::ForgedHead) && !found.faults.is_empty());
    let both = verify(&place.path(), &vec![other, key()].into(), None, &mut |_, _| {}).unwrap();
    assert_eq!((both.faults, both.signed_by), (vec![], Some(key().kid)));
}

/// A key that leaked is rotated away. Whoever has it must not sign what comes behind.
#[tokio::test]
async fn a_key_that_is_vouched_for_signs_nothing_behind_that() {
    let place = Place::new();
    let keys = |current: u8, before: Option<u8>| {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        HeadKeys::of(&MasterKeys::new(key(current), before.map(key).into_iter().collect()))
    };
    for signer in [keys(1, None), keys(7, Some(1))] {
        let trail = place.open();
        trail.attend(AuditCare { signer: Arc::new(signer), ..care(Retention::default(), 0) });
        trail.add(&[place.event(0)]).await.unwrap();
    }
    assert_eq!(place.faults(), []);
    let mut appender = place.appender(None, SMALL).unwrap();
    let time = Timestamp::UNIX_EPOCH;
    let mut at = 0;
    appender
        .append(|end| {
            at = end.number + 1;
            let head = TrailHead { trail: end.trail.clone(), n: end.number, chain: end.chain.text(), time };
            vec![line::members(&line::Note::Head(keys(1, None).sign(&head)))]
        })
        .unwrap();
    assert_eq!(place.faults(), [(at, What::ForgedHead)]);
    // What is said of another place vouches for nothing.
    let elsewhere = TrailHead { trail: "other".into(), n: at, chain: String::new(), time };
    let vouched = keys(7, Some(1)).vouch(&elsewhere, &keys(1, None).sign(&elsewhere));
    appender.append(|_| vec![line::members(&line::Note::Keys(vouched))]).unwrap();
    let faults = place.faults();
    assert!(matches!(faults[..], [(_, What::ForgedHead), (_, What::Rewritten { .. })]), "{faults:?}");
    // Nor does the server vouch for what was not kept, however often it signs.
    for second in 1..4 {
        let trail = place.open();
        trail.attend(AuditCare { signer: Arc::new(keys(7, Some(1))), ..care(Retention::default(), 0) });
        trail.add(&[place.event(second)]).await.unwrap();
    }
    assert_eq!(place.faults().iter().filter(|(_, what)| *what == What::ForgedHead).count(), 1);
    // As long as the old key stands in the configuration, too.
    let configured =
        Keys { current: vec![key()], before: vec![HeadKey::of(&master_key(1).into()).public().clone()] };
    let found = verify(&place.path(), &configured, None, &mut |_, _| {}).unwrap();
    assert!(found.faults.iter().any(|fault| fault.what == What::ForgedHead), "{:?}", found.faults);
}

fn master_key(byte: u8) -> MasterKey {
    MasterKey::new([byte; 32])
}

/// Nobody has signed by the new key yet, or two servers change over one after the other.
#[tokio::test]
async fn heads_of_the_key_of_before_are_believed_until_the_new_one_has_signed_and_where_that_vouches() {
    let place = Place::new();
    let keys = |current: u8, before: Option<u8>| {
        let master_keys = MasterKeys::new(master_key(current), before.map(master_key).into_iter().collect());
        AuditCare { signer: Arc::new(HeadKeys::of(&master_keys)), ..care(Retention::default(), 0) }
    };
    let public = |byte: u8| HeadKey::of(&master_key(byte).into()).public().clone();
    let [slow, quick] = [(); 2].map(|()| place.open());
    slow.attend(keys(1, None));
    slow.add(&[place.event(0)]).await.unwrap();
    drop(place.attended(Retention::default(), 0));
    let slow_again = place.open();
    slow_again.attend(keys(1, None));
    slow_again.add(&[place.event(1)]).await.unwrap();
    drop((slow, slow_again));
    quick.attend(keys(7, Some(1)));
    quick.add(&[place.event(2)]).await.unwrap();
    drop(quick);
    let configured = Keys { current: vec![public(7)], before: vec![public(1)] };
    let faults = verify(&place.path(), &configured, None, &mut |_, _| {}).unwrap().faults;
    assert_eq!(faults, [], "told in time");
    assert_eq!(place.faults(), [], "also when the old one is gone");
}

/// In the middle of an exchange some servers sign by one key, and some by the other. Whoever has a key that leaked, and not the store,
/// has nothing kept.
#[tokio::test]
async fn heads_of_the_key_of_before_are_believed_at_the_end_as_far_as_they_are_kept() {
    let place = Place::new();
    let by = |current: u8, other: u8| {
        let master_keys = MasterKeys::new(master_key(current), vec![master_key(other)]);
        AuditCare { signer: Arc::new(HeadKeys::of(&master_keys)), ..care(Retention::default(), 0) }
    };
    let public = |byte: u8| HeadKey::of(&master_key(byte).into()).public().clone();
    let configured = Keys { current: vec![public(7)], before: vec![public(1)] };
    let faults = || {
        let heads = place.heads.lock().unwrap();
        verify(&place.path(), &configured, heads.last(), &mut |_, _| {}).unwrap().faults
    };
    for (second, care) in (0..).zip([by(1, 7), by(7, 1), by(1, 7)]) {
        let trail = place.open();
        trail.attend(care);
        trail.add(&[place.event(second)]).await.unwrap();
        drop(trail);
        assert_eq!(faults(), [], "{second}");
    }
    assert!(!place.faults().is_empty(), "who has not got the key of before does not believe it");
    let mut appender = place.appender(None, SMALL).unwrap();
    let mut forged = 0;
    appender
        .append(|end| {
            forged = end.number + 1;
            let (trail, chain) = (end.trail.clone(), end.chain.text());
            let head = TrailHead { trail, n: end.number, chain, time: Timestamp::UNIX_EPOCH };
            vec![line::members(&line::Note::Head(by(1, 7).signer.sign(&head)))]
        })
        .unwrap();
    let found = faults();
    assert!(found.len() == 1 && found[0].line == forged && found[0].what == What::ForgedHead, "{found:?}");
}

/// Nobody comes, and the key of before is taken away.
#[tokio::test]
async fn whoever_takes_over_vouches_for_the_last_head_at_once() {
    let place = Place::new();
    let keys = |current: u8, before: Option<u8>| {
        let master_keys = MasterKeys::new(master_key(current), before.map(master_key).into_iter().collect());
        AuditCare { signer: Arc::new(HeadKeys::of(&master_keys)), ..care(Retention::default(), 0) }
    };
    let trail = place.open();
    trail.attend(keys(1, None));
    trail.add(&[place.event(0)]).await.unwrap();
    drop(trail);
    let heads = || place.verified().heads;
    drop((place.attended_by(keys(7, Some(1))), place.attended_by(keys(7, Some(1)))));
    assert_eq!((place.faults(), heads()), (vec![], 2), "once");
    drop(place.attended_by(keys(7, None)));
    assert_eq!((place.faults(), heads()), (vec![], 2));
}

/// Else two that have nothing to do would sign each other's heads for ever.
#[tokio::test]
async fn a_head_alone_is_signed_by_nobody() {
    let place = Place::new();
    let servers = [(); 2].map(|()| place.attended(Retention::default(), 0));
    servers[0].add(&[place.event(0)]).await.unwrap();
    for server in servers {
        drop(server);
    }
    drop(place.attended(Retention::default(), 0));
    assert_eq!((place.verified().heads, place.faults()), (1, vec![]));
}

/// The key follows from the master key, which is rotated now and then.
#[tokio::test]
async fn the_key_of_now_vouches_for_those_that_signed_before() {
    let place = Place::new();
    let master_key = |byte: u8| MasterKey::new([byte; 32]);
    for (current, before) in [(1, None), (2, Some(1)), (2, Some(1)), (3, Some(2)), (3, None)] {
        let master_keys = MasterKeys::new(master_key(current), before.map(master_key).into_iter().collect());
        let trail = place.open();
        trail.attend(AuditCare {
            signer: Arc::new(HeadKeys::of(&master_keys)),
            ..care(Retention::default(), 0)
        });
        trail.add(&[place.event(0)]).await.unwrap();
    }
    let by = |key: u8| {
        let key = HeadKey::of(&master_key(key).into()).public().clone();
        verify(&place.path(), &by(key), None, &mut |_, _| {}).unwrap()
    };
    let found = by(3);
    assert_eq!((&found.faults[..], found.unsigned), (&[][..], 0));
    let lines: Vec<String> = place
        .files()
        .iter()
        .flat_map(|file| fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    assert_eq!(
        lines.iter().filter(|line| line.contains("\"keys\":")).count(),
        2,
        "said once for each change"
    );
    let forged = |key| by(key).faults.into_iter().filter(|fault| fault.what == What::ForgedHead).count();
    let (all, of_one) = (usize::try_from(found.heads).unwrap(), forged(4) - forged(1));
    assert!(all >= 5 && forged(4) == all && of_one > 0, "{all} {of_one}");
    assert!(0 < forged(2) && forged(2) < forged(1), "none vouches for those that came later");
}
