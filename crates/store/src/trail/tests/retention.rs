//! What is too old or too much goes, and the trail says so.

use super::*;

#[tokio::test]
async fn what_is_too_old_goes_and_the_trail_says_so() {
    let place = Place::new();
    place.signed(40).await;
    let before = place.files();
    let keep = Retention { age: Some(SignedDuration::from_secs(20)), bytes: None };
    // It is 39: those from 19 on are kept, with whatever shares a file with them.
    place.attended(keep, 39).add(&[place.event(40)]).await.unwrap();
    let found = place.verified();
    assert_eq!(found.faults, []);
    let (line, until) = found.dropped.unwrap();
    assert!(line + 1 == found.first && until.unwrap().as_second() < 19, "{line} {until:?}");
    assert!(place.files().len() < before.len() && place.files()[0] != before[0]);
    let kept = all(&place.open()).await;
    assert!((13..=19).contains(&kept[0].time.as_second()), "{:?}", kept[0].time);
    // Once more than the trail says is a fault.
    fs::remove_file(&place.files()[0]).unwrap();
    assert!(matches!(place.faults()[..], [(_, What::BeginsTooLate)]));
}

/// Clocks are set, forward and back.
#[tokio::test]
async fn a_clock_that_was_wrong_keeps_nothing_for_good_and_drops_nothing_that_is_new() {
    let place = Place::new();
    let far = 4_000_000_000;
    for second in (0..20).chain([far]).chain(20..40).chain([0]) {
        place.open().add(&[place.event(second)]).await.unwrap();
    }
    let keep = Retention { age: Some(SignedDuration::from_secs(10)), bytes: None };
    place.attended(keep, 39).add(&[place.event(40)]).await.unwrap();
    let kept: Vec<_> = all(&place.open()).await.iter().map(|event| event.time.as_second()).collect();
    assert!(!kept.contains(&far) && !kept.contains(&20) && kept.ends_with(&[38, 39, 0, 40]), "{kept:?}");
    assert_eq!(place.faults(), []);
}

#[tokio::test]
async fn what_is_too_much_goes_but_for_what_is_written() {
    let place = Place::new();
    place.signed(40).await;
    let keep = Retention { age: None, bytes: Some(6_000) };
    place.attended(keep, 0).add(&[place.event(40)]).await.unwrap();
    let found = place.verified();
    assert_eq!(found.faults, []);
    let size: u64 = place.files().iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!((2_000..8_000).contains(&size), "{size}");
    let keep = Retention { age: None, bytes: Some(0) };
    place.attended(keep, 0).add(&[place.event(41)]).await.unwrap();
    assert_eq!((place.files().len(), place.faults()), (1, vec![]));
}

#[tokio::test]
async fn a_trail_goes_from_the_first_line_that_is_left_to_the_last() {
    let place = Place::new();
    place.signed(40).await;
    let before = place.open().extent().await.unwrap();
    let keep = Retention { age: None, bytes: Some(0) };
    place.attended(keep, 0).add(&[place.event(41)]).await.unwrap();
    // The one before may have been the last of its file, and gone with it.
    place.open().add(&[place.event(42)]).await.unwrap();
    let trail = place.open();
    let after = trail.extent().await.unwrap();
    assert_eq!(after.trail, before.trail);
    assert!(before.first == EventPosition(1) && after.first > before.last.min(EventPosition(30)));
    assert!(after.last > before.last);
    let next = trail.after(Page { after: Some(EventPosition(1)), limit: 1 }).await.unwrap();
    assert!(next[0].position >= after.first);

    // Whoever was killed while they began a file left nothing in it.
    let folder = Folder::at(&place.path());
    folder.create(&folder.file(after.last.0 + 1)).unwrap();
    assert_eq!(extent::find(&folder).unwrap(), after);
}

/// What a key has signed to be dropped is believed when that is gone, and the next one too.
#[tokio::test]
async fn keys_are_rotated_and_taken_away_and_what_is_too_old_goes() {
    let place = Place::new();
    place.signed(20).await;
    let keeping = |seconds| Retention { age: Some(SignedDuration::from_secs(seconds)), bytes: None };
    place.attended(keeping(10), 20).add(&[place.event(20)]).await.unwrap();
    let mut begins = place.verified().first;
    let mut second = 20;
    for (current, before, keep) in [(8, Some(7), 100), (8, None, 10), (9, Some(8), 100), (9, None, 10)] {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let keys = MasterKeys::new(key(current), before.map(key).into_iter().collect());
        let signer: Arc<dyn HeadSigner> = Arc::new(HeadKeys::of(&keys));
        let attended = |keep, now| {
            let trail = place.open();
            trail.attend(AuditCare { signer: signer.clone(), ..care(keep, now) });
            trail
        };
        for _ in 0..20 {
            second += 1;
            attended(Retention::default(), second).add(&[place.event(second)]).await.unwrap();
        }
        second += 1;
        attended(keeping(keep), second).add(&[place.event(second)]).await.unwrap();
        let public = HeadKey::of(&keys).public().clone();
        let found = verify(&place.path(), &by(public), None, &mut |_, _| {}).unwrap();
        assert_eq!(found.faults, [], "with {current} and {before:?}");
        assert_eq!(found.first > begins, before.is_none(), "with {current} and {before:?}");
        begins = found.first;
    }
}
