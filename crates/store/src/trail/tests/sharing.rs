//! Several processes with one trail, and files that are taken away under them.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_share_a_trail_take_turns_and_lose_nothing() {
    let place = Arc::new(Place::new());
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let place = place.clone();
            tokio::spawn(async move {
                let trail = place.open();
                for number in 0..50 {
                    let event = event(writer * 100 + number, &SeededRandom::new(number.unsigned_abs()));
                    trail.add(&[event]).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let found = place.verified();
    assert_eq!((&found.faults[..], &found.noted[..], found.events), (&[][..], &[][..], 200));
    let trail = place.open();
    let events = all(&trail).await;
    for writer in 0..4 {
        let own = events.iter().map(|event| event.time.as_second()).filter(|second| second / 100 == writer);
        assert!(own.eq(writer * 100..writer * 100 + 50), "their order is kept");
    }
}

/// Whoever has a file open that is not the one at its path would write to nobody.
#[tokio::test]
async fn nothing_is_kept_in_a_file_that_was_moved_away_and_everything_when_it_is_back() {
    let place = Place::new();
    let trail = place.open();
    trail.add(&[place.event(0)]).await.unwrap();
    let (file, aside) = (place.files()[0].clone(), place.directory.path().join("aside"));
    fs::rename(&file, &aside).unwrap();
    for _ in 0..2 {
        assert!(trail.add(&[place.event(1)]).await.is_err());
    }
    fs::copy(&aside, &file).unwrap();
    edit(&file, |lines| lines.truncate(1));
    let cut = trail.add(&[place.event(2)]).await.unwrap_err();
    assert!(matches!(cut, TrailTrouble::Cut { number: 2, .. }), "{cut}");
    fs::rename(&aside, &file).unwrap();
    trail.add(&[place.event(3)]).await.unwrap();
    assert!(trail.ping().await.is_ok());
    assert_eq!(all(&trail).await.last().map(|event| event.time.as_second()), Some(3));
    fs::remove_dir_all(place.path()).unwrap();
    assert!(trail.add(&[place.event(4)]).await.is_err());
}

#[tokio::test]
async fn whoever_was_stopped_with_the_lock_keeps_nobody_waiting_for_good() {
    let place = Place::new();
    let limits = Limits { patience: Duration::from_millis(20), ..SMALL };
    let appender = Appender::open(&place.path(), None, limits).unwrap();
    let trail = Trail::start(appender, Box::new(|_| {})).unwrap();
    let lock = Folder::at(&place.path()).lock().unwrap();
    lock.lock().unwrap();
    let refused = trail.add(&[place.event(0)]).await;
    assert!(matches!(refused, Err(TrailTrouble::Locked(_))), "{refused:?}");
    lock.unlock().unwrap();
    trail.add(&[place.event(1)]).await.unwrap();
}

/// Another server may have ended and dropped the file that this one wrote to last.
#[tokio::test]
async fn a_server_that_slept_while_its_file_was_dropped_goes_on() {
    let place = Place::new();
    let slept = place.open();
    slept.add(&[place.event(0)]).await.unwrap();
    place.signed(40).await;
    let keep = Retention { age: None, bytes: Some(0) };
    place.attended(keep, 0).add(&[place.event(41)]).await.unwrap();
    assert_eq!(place.files().len(), 1);
    slept.add(&[place.event(42)]).await.unwrap();
    assert_eq!(
        (place.faults(), all(&slept).await.last().map(|event| event.time.as_second())),
        (vec![], Some(42))
    );
}

#[tokio::test]
async fn two_that_find_a_file_full_begin_one_after_it() {
    let place = Place::new();
    let mut appenders = [(); 2].map(|()| Appender::open(&place.path(), None, SMALL).unwrap());
    for appender in &mut appenders {
        appender.begin_next_file().unwrap();
    }
    assert_eq!((place.files().len(), place.faults()), (2, vec![]));
}
