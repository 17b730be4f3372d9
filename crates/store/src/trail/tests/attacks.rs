//! What somebody tries who can write to the folder, and has neither the database nor the key.

use std::os::unix::fs::symlink;
use std::process::Command;

use daypass_core::records::trail_line as line;

use super::*;
use daypass_core::records::trail_line::{Beginning, Chain, Note, members};

/// A file of events whose chain is whole, and begins where it likes.
fn forged(place: &Place, first: u64, trail: &str, events: i64) -> Vec<u8> {
    let beginning = Beginning { id: trail.to_owned(), previous: None };
    let mut text = Vec::new();
    let mut chain = line::write(&mut text, first, &members(&Note::Trail(beginning)), Chain::START);
    for (number, second) in (first + 1..).zip(0..events) {
        chain = line::write(&mut text, number, &members(&place.event(second)), chain);
    }
    text
}

impl Place {
    fn newest(&self) -> TrailHead {
        self.heads.lock().unwrap().last().unwrap().clone()
    }

    fn serve(&self, keep: Retention) -> Trail {
        let trail = self.open_knowing(Some(&self.newest())).unwrap();
        trail.attend(care(keep, 0));
        trail
    }
}

#[tokio::test]
async fn a_trail_in_the_place_of_all_that_was_there_begins_too_late() {
    let place = Place::new();
    place.signed(40).await;
    let running = place.serve(Retention::default());
    running.add(&[place.event(40)]).await.unwrap();
    let head = place.newest();
    place.files().iter().for_each(|file| fs::remove_file(file).unwrap());
    let first = head.n + 100;
    fs::write(Folder::at(&place.path()).file(first).path, forged(&place, first, &head.trail, 3)).unwrap();
    let is_told = || place.faults().contains(&(first, What::BeginsTooLate));
    assert!(is_told());
    drop(running);
    place.serve(Retention::default()).add(&[place.event(99)]).await.unwrap();
    assert!(is_told(), "{:?}", place.faults());
}

/// Longer than before, and in the same file.
#[tokio::test]
async fn a_server_goes_on_behind_nothing_that_does_not_follow_what_it_wrote() {
    let place = Place::new();
    let trail =
        Trail::start(place.appender(None, Limits::default()).unwrap(), Box::new(Heads(place.heads.clone())));
    let trail = trail.unwrap();
    trail.add(&[place.event(0), place.event(1)]).await.unwrap();
    let file = place.files()[0].clone();
    let (before, id) = (fs::read(&file).unwrap(), trail.extent().await.unwrap().trail);
    let anew = forged(&place, 1, &id, 40);
    fs::write(&file, &anew).unwrap();
    for _ in 0..2 {
        let refused = trail.add(&[place.event(2)]).await.unwrap_err();
        assert!(matches!(refused, TrailTrouble::Damaged(_) | TrailTrouble::Cut { .. }), "{refused}");
    }
    assert_eq!(fs::read(&file).unwrap(), anew, "it stays, for whoever looks at it");
    fs::write(&file, before).unwrap();
    trail.add(&[place.event(2)]).await.unwrap();
    assert_eq!(place.faults(), []);
}

type Attack = fn(&[TrailFile]);

/// What the key has signed to be dropped is missed by nobody.
#[tokio::test]
async fn nothing_is_signed_to_be_dropped_that_somebody_made_seem_old_or_large_or_took_away() {
    let much = Retention { age: None, bytes: Some(1 << 24) };
    let old = Retention { age: Some(SignedDuration::from_secs(1_000)), bytes: None };
    let all = Retention { age: None, bytes: Some(0) };
    let attacks: [(Retention, Attack); 5] = [
        (old, |files| {
            for file in files {
                let mut index = fs::read(file.index()).unwrap();
                index[40..56].fill(0x80);
                fs::write(file.index(), index).unwrap();
            }
        }),
        (much, |files| {
            fs::File::options().write(true).open(files[1].index()).unwrap().set_len(2 << 30).unwrap();
        }),
        (much, |files| {
            fs::File::options().write(true).open(&files[1].path).unwrap().set_len(1 << 25).unwrap();
        }),
        (all, |files| fs::remove_file(&files[0].path).unwrap()),
        (all, |files| edit(&files[0].path, |lines| lines[2] = lines[2].replace("allowed", "refused"))),
    ];
    for (number, (keep, attack)) in attacks.into_iter().enumerate() {
        let place = Place::new();
        place.signed(40).await;
        let folder = Folder::at(&place.path());
        index::make_missing(&folder).unwrap();
        let files = folder.files().unwrap();
        attack(&files[..files.len() - 1]);
        let (before, faults) = (place.files(), place.faults());
        assert!(!faults.is_empty(), "{number}");
        place.serve(keep).add(&[place.event(40)]).await.unwrap();
        assert!(place.files().starts_with(&before), "{number}");
        assert_eq!(place.faults()[..faults.len()], faults, "{number}");
    }
}

/// Root runs commands in a folder of the server's user.
#[tokio::test]
async fn no_link_is_followed_and_no_pipe_is_waited_for() {
    let place = Place::new();
    place.signed(9).await;
    let (folder, elsewhere) = (Folder::at(&place.path()), place.directory.path().join("elsewhere"));
    let pipe = |path: &Path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    // Those that are no files of lines are nothing.
    pipe(&folder.file(999_999).path);
    let index = folder.files().unwrap()[0].index();
    drop(fs::remove_file(&index));
    pipe(&index);
    symlink("/dev/zero", folder.file(888_888).path).unwrap();
    let trail = place.serve(Retention::default());
    trail.add(&[place.event(9)]).await.unwrap();
    let user = AuditQuestion::about(AuditSubject::DeveloperUser("user 3".into()));
    assert_eq!(trail.page(&user, Page { after: None, limit: 9 }).await.unwrap().len(), 1);
    drop(trail);
    assert!(place.faults().iter().all(|(_, what)| *what == What::OtherIndex), "{:?}", place.faults());

    fs::remove_file(folder.lock()).unwrap();
    symlink(&elsewhere, folder.lock()).unwrap();
    assert!(place.appender(None, SMALL).is_err());
    assert!(!elsewhere.exists());
    fs::remove_file(folder.lock()).unwrap();
    fs::write(&elsewhere, "root's own").unwrap();
    let mut appender = place.appender(None, Limits::default()).unwrap();
    let mut last = 0;
    appender
        .append(|end| {
            last = end.number;
            Vec::new()
        })
        .unwrap();
    symlink(&elsewhere, folder.file(last + 2).path).unwrap();
    assert!(appender.begin_next_file().is_err());
    assert_eq!(fs::read_to_string(elsewhere).unwrap(), "root's own");
}

/// An index that is read as far as it goes, and compared with nothing.
#[tokio::test]
async fn an_index_of_any_length_is_compared() {
    let place = Place::new();
    place.signed(40).await;
    let folder = Folder::at(&place.path());
    index::make_missing(&folder).unwrap();
    let index = folder.files().unwrap()[1].index();
    let whole = fs::read(&index).unwrap();
    for length in [1 << 42, whole.len() as u64 + 1, whole.len() as u64 - 1] {
        fs::File::options().write(true).open(&index).unwrap().set_len(length).unwrap();
        assert!(matches!(place.faults()[..], [(_, What::OtherIndex)]), "{length}");
        fs::write(&index, &whole).unwrap();
    }
    assert_eq!(place.faults(), []);
}

/// A line without an end takes neither all memory nor all day.
#[tokio::test]
async fn a_line_without_an_end_is_passed_over() {
    let place = Place::new();
    place.signed(40).await;
    let folder = Folder::at(&place.path());
    let file = &folder.files().unwrap()[1];
    fs::File::options().write(true).open(&file.path).unwrap().set_len(1 << 25).unwrap();
    let question = AuditQuestion::default();
    let found = search::page(&folder, &question, &Page { after: None, limit: 99 }).unwrap();
    assert_eq!(found.len(), 40);
    assert!(!place.faults().is_empty());
}

/// Pages of a write that nobody was answered for reach the disk in any order.
#[tokio::test]
async fn what_a_loss_of_power_left_out_of_the_last_write_is_torn() {
    for hole in [4_096..8_192, 4_096..usize::MAX] {
        let place = Place::new();
        place.open().add(&[place.event(0)]).await.unwrap();
        let lines = (1..100).map(|second| members(&place.event(second))).collect();
        place.appender(None, Limits::default()).unwrap().append(|_| lines).unwrap();
        let file = place.files()[0].clone();
        let mut text = fs::read(&file).unwrap();
        let end = hole.end.min(text.len() - 10);
        text[hole.start..end].fill(0);
        fs::write(&file, text).unwrap();
        place.open().add(&[place.event(200)]).await.unwrap();
        let found = place.verified();
        assert_eq!((&found.faults[..], found.noted.len()), (&[][..], 1), "{hole:?}");
        let kept = all(&place.open()).await;
        assert_eq!((kept[0].time.as_second(), kept.last().unwrap().time.as_second()), (0, 200));
    }
}

#[tokio::test]
async fn what_is_missing_is_said_once_though_files_end() {
    let place = Place::new();
    place.signed(20).await;
    let head = place.newest();
    place.files().iter().skip(1).for_each(|file| fs::remove_file(file).unwrap());
    let mut knowing = place.appender(Some(&head), Limits::default()).unwrap();
    knowing.append(|_| vec![members(&place.event(1))]).unwrap();
    place.appender(None, Limits::default()).unwrap().begin_next_file().unwrap();
    knowing.append(|_| vec![members(&place.event(1))]).unwrap();
    let faults = verify(&place.path(), &by(key()), None, &mut |_, _| {}).unwrap().faults;
    assert_eq!(faults.iter().filter(|fault| matches!(fault.what, What::FoundMissing { .. })).count(), 1);
}

/// What goes by its age is no damage, for whoever was about to read it.
#[tokio::test]
async fn what_is_dropped_while_it_is_read_is_missed_by_nobody() {
    let place = Place::new();
    place.signed(40).await;
    let folder = Folder::at(&place.path());
    let first = &folder.files().unwrap()[0];
    fs::remove_file(&first.path).unwrap();
    let page = Page { after: Some(EventPosition(2)), limit: 5 };
    assert_eq!(search::after(&folder, &page).unwrap()[0].damaged, 0);
}
