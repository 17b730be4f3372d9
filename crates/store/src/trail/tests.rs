//! What becomes of a trail that is torn, changed, shared, cut off or too large.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use daypass_core::audit::head_key::{HeadKey, HeadKeys, HeadPublicKey};
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};
use daypass_core::ground::clock::{ManualClock, SignedDuration, Timestamp};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, RequestId};
use daypass_core::ground::master_keys::{MasterKey, MasterKeys};
use daypass_core::ground::random::{Random, SeededRandom};
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::records::trail_head::TrailHead;
use daypass_core::store::memory::MemoryStore;
use daypass_core::store::{AuditCare, AuditEvents, AuditSink, EventPosition, Page, Retention};
use tempfile::TempDir;

use super::appender::Limits;
use super::verify::What;
use super::*;

/// Files end after a few lines.
const SMALL: Limits = Limits { file: 2_000, patience: Duration::from_mins(1) };

/// A folder for a trail, and what its heads were.
struct Place {
    directory: TempDir,
    heads: Arc<Mutex<Vec<TrailHead>>>,
    random: SeededRandom,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, heads: Arc::default(), random: SeededRandom::new(1) }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("trail")
    }

    fn open(&self) -> Trail {
        self.open_knowing(None).unwrap()
    }

    fn open_knowing(&self, signed: Option<&TrailHead>) -> Result<Trail, TrailTrouble> {
        let appender = Appender::open(&self.path(), signed, SMALL)?;
        let heads = self.heads.clone();
        Trail::start(appender, Box::new(move |head| heads.lock().unwrap().push(head.clone())))
    }

    /// With a server's care.
    fn attended(&self, keep: Retention, now: i64) -> Trail {
        let trail = self.open();
        trail.attend(care(keep, now));
        trail
    }

    fn event(&self, second: i64) -> AuditEvent {
        event(second, &self.random)
    }

    /// A trail with so many events under heads, in several files.
    async fn signed(&self, events: i64) {
        let trail = self.attended(Retention::default(), 0);
        for second in 0..events {
            trail.add(&[self.event(second)]).await.unwrap();
        }
    }

    fn files(&self) -> Vec<PathBuf> {
        Folder::at(&self.path()).files().unwrap().into_iter().map(|file| file.path).collect()
    }

    fn verified(&self) -> Verified {
        let heads = self.heads.lock().unwrap();
        verify(&self.path(), &[key()], heads.last(), &mut |_, _| {}).unwrap()
    }

    /// What is wrong, and with which line.
    fn faults(&self) -> Vec<(u64, What)> {
        self.verified().faults.into_iter().map(|fault| (fault.line, fault.what)).collect()
    }
}

fn key() -> HeadPublicKey {
    HeadKey::of(&MasterKey::new([7; 32]).into()).public().clone()
}

fn care(keep: Retention, now: i64) -> AuditCare {
    AuditCare {
        signer: Arc::new(HeadKeys::of(&MasterKey::new([7; 32]).into())),
        keep,
        clock: Arc::new(ManualClock::at_second(now)),
        tell: Arc::new(|_| {}),
    }
}

fn event(second: i64, random: &dyn Random) -> AuditEvent {
    let time = Timestamp::from_second(second).unwrap();
    AuditEvent {
        time,
        request_id: RequestId::generate(time, random),
        action: AuditAction::Token,
        outcome: AuditOutcome::Allowed,
        reason: None,
        detail: None,
        provider: None,
        developer_user_identifier: Some(format!("user {second}")),
        actor: None,
        login: None,
        identity_id: None,
        access_key_id: None,
        resource: None,
        source_ip: None,
        user_agent: None,
    }
}

async fn all(trail: &Trail) -> Vec<AuditEvent> {
    let kept = trail.after(Page { after: None, limit: usize::MAX }).await.unwrap();
    kept.into_iter().map(|kept| kept.event).collect()
}

/// Changes the lines of a file.
fn edit(file: &Path, edit: impl FnOnce(&mut Vec<String>)) {
    let mut lines: Vec<String> = fs::read_to_string(file).unwrap().lines().map(str::to_owned).collect();
    edit(&mut lines);
    lines.push(String::new());
    fs::write(file, lines.join("\n")).unwrap();
}

#[tokio::test]
async fn a_trail_of_several_files_is_as_it_was_written() {
    let place = Place::new();
    place.signed(40).await;
    assert!(place.files().len() > 3, "{:?}", place.files());
    let found = place.verified();
    assert_eq!((&found.faults[..], found.events, found.first, found.unsigned), (&[][..], 40, 1, 0));
    assert_eq!(found.newest_head.as_ref(), place.heads.lock().unwrap().last());
    let without = verify(&place.path(), &[], None, &mut |_, _| {}).unwrap();
    assert_eq!((&without.faults[..], without.heads), (&[][..], 0));
}

type Edit = Box<dyn FnOnce(&mut Vec<String>)>;

#[tokio::test]
async fn a_line_that_is_changed_taken_out_put_elsewhere_or_no_line_is_told_with_its_place() {
    let (place, at) = (Place::new(), 2);
    place.signed(40).await;
    let file = place.files()[1].clone();
    let whole = fs::read(&file).unwrap();
    let first = Folder::at(&place.path()).files().unwrap()[1].first;
    let number = first + at as u64;
    let cases: [(Edit, Vec<(u64, What)>); 5] = [
        (
            Box::new(move |lines| lines[at] = lines[at].replace("allowed", "refused")),
            vec![(number, What::Changed)],
        ),
        (Box::new(move |lines| drop(lines.remove(at))), vec![(number, What::Missing { before: number + 1 })]),
        (
            Box::new(move |lines| lines.swap(at, at + 1)),
            vec![
                (number, What::Missing { before: number + 1 }),
                (number, What::Displaced { expected: number + 2 }),
                (number + 1, What::Missing { before: number + 2 }),
            ],
        ),
        (
            Box::new(move |lines| lines[at] = "x".into()),
            vec![(number, What::NoLine), (number, What::Missing { before: number + 1 })],
        ),
        (Box::new(move |lines| lines.truncate(at)), vec![(number - 1, What::CutOff)]),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        edit(&file, change);
        let faults = place.faults();
        assert!(faults.len() <= expected.len() + 1, "{number}: {faults:?}");
        assert_eq!(faults[..expected.len()], expected, "{number}");
        fs::write(&file, &whole).unwrap();
    }
    assert_eq!(place.faults(), []);
}

/// Whoever has the time writes every later line anew. The heads tell.
#[tokio::test]
async fn a_chain_that_was_written_anew_meets_the_next_head() {
    let place = Place::new();
    place.signed(40).await;
    let files = place.files();
    let (mut before, mut number) = (line::Chain::START, 0);
    for file in &files {
        let text = fs::read_to_string(file).unwrap();
        let mut anew = Vec::new();
        for text in text.lines() {
            let forged = text.replace("user 3\"", "user 4\"");
            number += 1;
            let line = line::Line::parse(forged.as_bytes()).unwrap();
            let mut members = members_of(&forged);
            if let Some(line::Content::Note(line::Note::Trail(mut beginning))) = line.content() {
                beginning.previous = (number > 1).then(|| before.text());
                members = line::members(&line::Note::Trail(beginning));
            }
            before = line::write(&mut anew, number, &members, before);
        }
        fs::write(file, anew).unwrap();
    }
    let faults = place.faults();
    assert!(matches!(faults[0].1, What::Rewritten { since: 0 }), "{faults:?}");
    assert!(faults.iter().all(|(_, what)| matches!(what, What::Rewritten { .. })), "{faults:?}");
    let without = verify(&place.path(), &[], None, &mut |_, _| {}).unwrap();
    assert_eq!(without.faults, [], "without heads nobody could tell");
}

/// What stands between the number and the link.
fn members_of(line: &str) -> Vec<u8> {
    let start = line.find(',').unwrap() + 1;
    let end = line.rfind(",\"chain\":").unwrap();
    line.as_bytes()[start..end].to_vec()
}

/// Bytes that somebody changed, took out, put in or cut off, anywhere.
#[tokio::test]
async fn whatever_is_done_to_the_files_is_told_and_breaks_nothing() {
    let place = Place::new();
    place.signed(12).await;
    let files = place.files();
    let whole: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    let random: &dyn Random = &SeededRandom::new(3);
    let pick = |below: usize| u32::from_le_bytes(random.bytes()) as usize % below;
    for _ in 0..400 {
        let number = pick(files.len());
        let mut text = whole[number].clone();
        let (at, length) = (pick(text.len()), 1 + pick(40));
        let end = (at + length).min(text.len());
        match pick(5) {
            0 => text[at] ^= 1 << pick(8),
            1 => drop(text.drain(at..end)),
            2 => drop(text.splice(at..at, random.bytes::<16>())),
            3 => text.truncate(at),
            _ => text.extend_from_within(at..end),
        }
        fs::write(&files[number], &text).unwrap();
        let found = place.verified();
        assert!(!found.faults.is_empty() || !found.noted.is_empty(), "{number} {at}..{end}");
        // Whoever asks gets what is left of it.
        search::page(&Folder::at(&place.path()), &AuditQuestion::default(), &Page { after: None, limit: 99 })
            .unwrap();
        search::after(&Folder::at(&place.path()), &Page { after: None, limit: 99 }).unwrap();
        fs::write(&files[number], &whole[number]).unwrap();
    }
    assert_eq!(place.faults(), []);
}

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
    let found = verify(&place.path(), std::slice::from_ref(&other), None, &mut |_, _| {}).unwrap();
    assert!(found.faults.iter().all(|fault| fault.what == What::ForgedHead) && !found.faults.is_empty());
    let both = verify(&place.path(), &[other, key()], None, &mut |_, _| {}).unwrap();
    assert_eq!(both.faults, []);
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
        verify(&place.path(), &[key], None, &mut |_, _| {}).unwrap()
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

#[tokio::test]
async fn files_that_are_missing_are_told_wherever_they_were() {
    let place = Place::new();
    place.signed(40).await;
    let files = place.files();
    let numbers: Vec<u64> =
        Folder::at(&place.path()).files().unwrap().iter().map(|file| file.first).collect();
    let newest = place.heads.lock().unwrap().last().unwrap().n;
    let expected = [
        (0, (numbers[1], What::BeginsTooLate)),
        (1, (numbers[1], What::Missing { before: numbers[2] })),
        (files.len() - 1, (numbers[files.len() - 1] - 1, What::EndsBefore { signed: newest })),
    ];
    for (file, fault) in expected {
        let whole = fs::read(&files[file]).unwrap();
        fs::remove_file(&files[file]).unwrap();
        assert_eq!(place.faults(), [fault], "{file}");
        fs::write(&files[file], whole).unwrap();
    }
}

#[tokio::test]
async fn a_server_that_finds_signed_lines_missing_goes_on_and_has_the_trail_say_so() {
    let place = Place::new();
    place.signed(20).await;
    let newest = place.heads.lock().unwrap().last().unwrap().clone();
    place.files().iter().skip(1).for_each(|file| fs::remove_file(file).unwrap());
    let trail = place.open_knowing(Some(&newest)).unwrap();
    trail.add(&[place.event(99)]).await.unwrap();
    drop(trail);
    let found = verify(&place.path(), &[key()], None, &mut |_, _| {}).unwrap().faults;
    let [Fault { what: What::FoundMissing { trail: of, until }, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((of, *until), (&newest.trail, newest.n));
}

/// However much of the last write is on the disk when the power fails: what was answered before is there, what was not is
/// gone or whole, and the trail goes on.
#[tokio::test]
async fn a_write_that_was_torn_anywhere_loses_nothing_that_was_answered() {
    let place = Place::new();
    place.open().add(&[place.event(0), place.event(1)]).await.unwrap();
    let file = place.files()[0].clone();
    let answered = fs::read(&file).unwrap();
    place.open().add(&[place.event(2), place.event(3)]).await.unwrap();
    let written = fs::read(&file).unwrap();
    let ends = answered.len()..=written.len();
    // Each place around the ends of lines, and some between.
    let is_near = |end: &usize| written[end.saturating_sub(3)..(end + 3).min(written.len())].contains(&b'\n');
    for end in ends.filter(|end| end % 7 == 0 || is_near(end)) {
        let rest = [&written[..end], &[0; 512]].concat();
        let with_rest = (end % 14 == 0).then_some(&rest[..]);
        for torn in [Some(&written[..end]), with_rest].into_iter().flatten() {
            fs::remove_dir_all(place.path()).unwrap();
            fs::create_dir(place.path()).unwrap();
            fs::write(&file, torn).unwrap();
            let trail = place.open();
            trail.add(&[place.event(9)]).await.unwrap();
            let found = all(&trail).await;
            assert!((3..=5).contains(&found.len()), "{end}");
            let seconds: Vec<_> = found.iter().map(|event| event.time.as_second()).collect();
            assert!(seconds.starts_with(&[0, 1]) && seconds.ends_with(&[9]) && seconds.is_sorted(), "{end}");
            drop(trail);
            let verified = place.verified();
            assert_eq!(verified.faults, [], "{end}");
            let is_torn = torn.last() != Some(&b'\n');
            assert_eq!(verified.noted.len(), usize::from(is_torn), "{end}: {:?}", verified.noted);
        }
    }
}

/// A line that was changed is not taken for one that was torn: it stays, for whoever verifies.
#[tokio::test]
async fn what_was_changed_before_the_end_is_left_as_it_is() {
    let place = Place::new();
    place.open().add(&[place.event(0), place.event(1)]).await.unwrap();
    edit(&place.files()[0], |lines| lines[1] = lines[1].replace("allowed", "refused"));
    place.open().add(&[place.event(2)]).await.unwrap();
    assert_eq!(place.faults(), [(2, What::Changed)]);
    assert_eq!(all(&place.open()).await.len(), 3);
}

/// Else whoever changes a first line would have the server write over all that follows.
#[tokio::test]
async fn a_file_whose_first_line_was_changed_is_not_begun_again() {
    let place = Place::new();
    place.signed(12).await;
    let file = place.files().last().unwrap().clone();
    edit(&file, |lines| lines[0] = lines[0].replace("trail", "trial"));
    let changed = fs::read(&file).unwrap();
    let refused = place.open_knowing(None).unwrap_err();
    assert!(matches!(refused, TrailTrouble::Damaged(_)), "{refused}");
    assert_eq!(fs::read(&file).unwrap(), changed);
    assert!(!place.faults().is_empty());
}

#[tokio::test]
async fn a_file_that_was_just_begun_is_begun_again() {
    let place = Place::new();
    place.signed(9).await;
    let folder = Folder::at(&place.path());
    let last = place.verified().last;
    {
        let mut appender = Appender::open(&place.path(), None, SMALL).unwrap();
        appender.begin_next_file().unwrap();
    }
    let next = folder.file(last + 2);
    for torn in [&b""[..], b"{\"n\":"] {
        fs::write(&next.path, torn).unwrap();
        place.open().add(&[place.event(9)]).await.unwrap();
        assert_eq!(place.faults(), []);
    }
}

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

/// The memory store is the model.
#[tokio::test]
async fn every_question_has_the_same_answer_with_an_index_and_without() {
    let place = Place::new();
    let (trail, model) = (place.open(), MemoryStore::new());
    let random: &dyn Random = &SeededRandom::new(7);
    let pick = |of: usize| usize::from(random.bytes::<1>()[0]) % of;
    let id = |number: usize| IdentityId::parse(format!("us-east-1:0{number}")).unwrap();
    let access_key = |number: usize| AccessKeyId::parse(format!("AKIA000000000000000{number}")).unwrap();
    let mut requests = Vec::new();
    for second in 0..200 {
        let event = AuditEvent {
            developer_user_identifier: (pick(2) == 0).then(|| format!("\"ünï\" {}", pick(5))),
            identity_id: (pick(2) == 0).then(|| id(pick(5))),
            access_key_id: (pick(3) == 0).then(|| access_key(pick(5))),
            source_ip: (pick(2) == 0).then(|| format!("203.0.113.{}", pick(5)).parse().unwrap()),
            provider: (pick(2) == 0).then(|| format!("provider {}", pick(3))),
            action: if pick(2) == 0 { AuditAction::Token } else { AuditAction::Exchange },
            ..place.event(second * 600)
        };
        requests.push(event.request_id.clone());
        trail.add(std::slice::from_ref(&event)).await.unwrap();
        model.add_audit_event(&event).await.unwrap();
    }
    let abouts = (0..5).flat_map(|number| {
        let user = AuditSubject::DeveloperUser(format!("\"ünï\" {number}"));
        [AuditSubject::Identity(id(number)), AuditSubject::AccessKey(access_key(number)), user]
    });
    let abouts = abouts.chain(requests.into_iter().step_by(41).map(AuditSubject::Request));
    let questions: Vec<AuditQuestion> = abouts
        .map(AuditQuestion::about)
        .chain((0..5).map(|number| AuditQuestion {
            address: format!("203.0.113.{number}").parse().ok(),
            action: Some(AuditAction::Token),
            ..AuditQuestion::default()
        }))
        .chain((0..8).map(|number| AuditQuestion {
            since: Timestamp::from_second(number * 10_000).ok(),
            until: Timestamp::from_second(number * 10_000 + 25_000).ok(),
            provider: (number % 2 == 0).then(|| "provider 1".into()),
            ..AuditQuestion::default()
        }))
        .chain([AuditQuestion::default()])
        .collect();
    drop(trail);
    let (trail, folder) = (place.open(), Folder::at(&place.path()));
    let files = folder.files().unwrap();
    assert!(files.len() > 10);
    for file in &files {
        drop(fs::remove_file(file.index()));
    }
    for indexed in [false, true] {
        if indexed {
            index::make_missing(&folder).unwrap();
        }
        let indexes = folder.files().unwrap().iter().filter(|file| file.index().exists()).count();
        assert_eq!(indexes, if indexed { folder.files().unwrap().len() - 1 } else { 0 });
        for question in &questions {
            for limit in [13, 1_000] {
                assert_same_pages(&trail, &model, question, limit).await;
            }
        }
    }
    // An index that says nothing true costs time alone.
    for file in folder.files().unwrap() {
        let _ = fs::write(file.index(), vec![0; 20_000]);
    }
    for question in &questions {
        assert_same_pages(&trail, &model, question, 1_000).await;
    }
}

/// Page by page. Positions are the model's own.
async fn assert_same_pages(trail: &Trail, model: &MemoryStore, question: &AuditQuestion, limit: usize) {
    let (mut ours, mut theirs): (Option<EventPosition>, Option<EventPosition>) = (None, None);
    loop {
        let found = trail.page(question, Page { after: ours, limit }).await.unwrap();
        let expected = model.page_audit_events(question, Page { after: theirs, limit }).await.unwrap();
        assert!(
            found.iter().map(|kept| &kept.event).eq(expected.iter().map(|kept| &kept.event)),
            "{question:?}, {limit}"
        );
        if found.is_empty() {
            return;
        }
        ours = found.last().map(|kept| kept.position);
        theirs = expected.last().map(|kept| kept.position);
    }
}

#[tokio::test]
async fn whoever_reads_on_from_any_line_misses_nothing() {
    let place = Place::new();
    place.signed(40).await;
    let trail = place.open();
    let whole = trail.after(Page { after: None, limit: usize::MAX }).await.unwrap();
    assert_eq!(whole.len(), 40);
    for after in 0..=place.verified().last {
        let rest = trail.after(Page { after: Some(EventPosition(after)), limit: 5 }).await.unwrap();
        let expected = whole.iter().filter(|kept| kept.position.0 > after).take(5);
        assert!(rest.iter().eq(expected), "{after}");
    }
}

#[tokio::test]
async fn a_trail_goes_from_the_first_line_that_is_left_to_the_last() {
    let place = Place::new();
    place.signed(40).await;
    let before = place.open().extent().await.unwrap();
    let keep = Retention { age: None, bytes: Some(0) };
    place.attended(keep, 0).add(&[place.event(41)]).await.unwrap();
    let trail = place.open();
    // The one before may have been the last of its file, and gone with it.
    trail.add(&[place.event(42)]).await.unwrap();
    let after = trail.extent().await.unwrap();
    assert_eq!(after.trail, before.trail);
    assert!(before.first == EventPosition(1) && after.first > before.last.min(EventPosition(30)));
    assert!(after.last > before.last);
    let next = trail.after(Page { after: Some(EventPosition(1)), limit: 1 }).await.unwrap();
    assert!(next[0].position >= after.first);

    // Whoever was killed while they began a file left nothing in it.
    let folder = Folder::at(&place.path());
    folder.file(after.last.0 + 1).create().unwrap();
    assert_eq!(extent::find(&folder).unwrap(), after);
}
