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
    let appender = place.appender(None, limits).unwrap();
    let trail = Trail::start(appender, Box::new(Heads(Arc::default()))).unwrap();
    let lock = fs::File::open(Folder::at(&place.path()).lock()).unwrap();
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

/// Whoever runs knows what they wrote.
#[tokio::test]
async fn nothing_is_written_behind_lines_that_were_written_anew_under_a_server() {
    let place = Place::new();
    let trail = place.open();
    trail.add(&[place.event(0), place.event(1)]).await.unwrap();
    let file = place.files()[0].clone();
    let other = Place::new();
    other.open().add(&[other.event(0), other.event(7)]).await.unwrap();
    let id =
        |place: &Place| fs::read_to_string(&place.files()[0]).unwrap().split('"').nth(7).unwrap().to_owned();
    let ids = (id(&other), id(&place));
    damage::write_anew(&other, &ids.0, &ids.1);
    let before = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::copy(&other.files()[0], &file).unwrap();
    let anew = fs::read(&file).unwrap();
    for _ in 0..2 {
        let refused = trail.add(&[place.event(2)]).await.unwrap_err();
        assert!(matches!(refused, TrailTrouble::Cut { number: 3, .. }), "{refused}");
    }
    assert_eq!(fs::read(&file).unwrap(), anew, "it stays, for whoever looks at it");
    fs::write(&file, before).unwrap();
    trail.add(&[place.event(2)]).await.unwrap();
}

/// Two with a lock each would write over each other.
#[tokio::test]
async fn a_lock_that_was_deleted_is_nobodys() {
    let place = Place::new();
    let trails = [(); 2].map(|()| place.open());
    for (number, trail) in trails.iter().enumerate() {
        fs::remove_file(Folder::at(&place.path()).lock()).unwrap();
        trail.add(&[place.event(0)]).await.unwrap();
        let lock = fs::File::open(Folder::at(&place.path()).lock()).unwrap();
        lock.lock().unwrap();
        let limits = Limits { patience: Duration::ZERO, ..SMALL };
        assert!(matches!(place.appender(None, limits), Err(TrailTrouble::Locked(_))), "{number}");
    }
    assert_eq!(place.faults(), []);
}

struct Broken;

impl Anchor for Broken {
    fn keep(&self, _: &TrailHead, _: Option<&TrailHead>) {
        panic!("on purpose")
    }

    fn kept(&self) -> Option<TrailHead> {
        None
    }
}

/// A thread that is gone keeps nobody waiting.
#[tokio::test]
async fn whoever_waits_for_a_thread_that_panics_hears_of_it() {
    let place = Place::new();
    let trail = Trail::start(place.appender(None, SMALL).unwrap(), Box::new(Broken)).unwrap();
    trail.add(&[place.event(0)]).await.unwrap();
    trail
        .attend(AuditCare { keep: Retention { age: None, bytes: Some(0) }, ..care(Retention::default(), 0) });
    let added = async {
        loop {
            trail.add(&[place.event(1)]).await?;
        }
    };
    let ended: Result<(), TrailTrouble> = added.await;
    assert!(matches!(ended, Err(TrailTrouble::Ended)), "{ended:?}");
}

#[tokio::test]
async fn two_that_find_a_file_full_begin_one_after_it() {
    let place = Place::new();
    let mut appenders = [(); 2].map(|()| place.appender(None, SMALL).unwrap());
    for appender in &mut appenders {
        appender.begin_next_file().unwrap();
    }
    assert_eq!((place.files().len(), place.faults()), (2, vec![]));
}
