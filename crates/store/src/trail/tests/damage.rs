//! What somebody did to the files of a trail is told, and where.

use daypass_core::records::trail_line as line;

use super::*;

#[tokio::test]
async fn a_trail_of_several_files_is_as_it_was_written() {
    let place = Place::new();
    place.signed(40).await;
    assert!(place.files().len() > 3, "{:?}", place.files());
    let found = place.verified();
    assert_eq!((&found.faults[..], found.events, found.first, found.unsigned), (&[][..], 40, 1, 0));
    assert_eq!(found.newest_head.as_ref(), place.heads.lock().unwrap().last());
    let without = verify(&place.path(), &Keys::default(), None, &mut |_, _| {}).unwrap();
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
    write_anew(&place, "user 3\"", "user 4\"");
    let faults = place.faults();
    assert!(matches!(faults[0].1, What::Rewritten { since: 0 }), "{faults:?}");
    assert!(faults.iter().all(|(_, what)| matches!(what, What::Rewritten { .. })), "{faults:?}");
    for file in Folder::at(&place.path()).files().unwrap() {
        drop(fs::remove_file(file.index()));
    }
    let without = verify(&place.path(), &Keys::default(), None, &mut |_, _| {}).unwrap();
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
    let found = verify(&place.path(), &by(key()), None, &mut |_, _| {}).unwrap().faults;
    let [Fault { what: What::FoundMissing { trail: of, until }, .. }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((of, *until), (&newest.trail, newest.n));
}

/// Whatever was signed and kept elsewhere is held against the files before anything is written behind them.
#[tokio::test]
async fn a_server_that_finds_signed_lines_written_anew_has_the_trail_say_so_and_forgets_nothing() {
    let place = Place::new();
    place.signed(20).await;
    let newest = place.heads.lock().unwrap().last().unwrap().clone();
    write_anew(&place, "user 3\"", "user 4\"");
    // Whoever asks, or starts and ends, adds nothing, and takes nothing away.
    let before = place.verified().last;
    assert_eq!(all(&place.open_knowing(Some(&newest)).unwrap()).await.len(), 20);
    assert_eq!(place.verified().last, before);
    for second in [98, 99] {
        place.open_knowing(Some(&newest)).unwrap().add(&[place.event(second)]).await.unwrap();
    }
    let trail = place.open_knowing(Some(&newest)).unwrap();
    trail.attend(care(Retention::default(), 0));
    drop(trail);
    let found = verify(&place.path(), &by(key()), None, &mut |_, _| {}).unwrap().faults;
    let missed = found.iter().filter(|fault| matches!(fault.what, What::FoundMissing { .. }));
    assert_eq!(missed.count(), 1, "said once: {found:?}");
    let said = What::FoundMissing { trail: newest.trail, until: newest.n };
    assert!(found.iter().any(|fault| fault.what == said && fault.line == before + 1), "{found:?}");
}

/// Writes all lines anew, with links that fit.
pub(super) fn write_anew(place: &Place, old: &str, new: &str) {
    let (mut before, mut number) = (line::Chain::START, 0);
    for file in &place.files() {
        let text = fs::read_to_string(file).unwrap();
        let mut anew = Vec::new();
        for text in text.lines() {
            let forged = text.replace(old, new);
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
}

/// Else whoever could put in a line could have the trail say that what they take away was dropped.
#[tokio::test]
async fn what_was_dropped_is_believed_of_the_key_alone() {
    let place = Place::new();
    place.signed(40).await;
    let files = Folder::at(&place.path()).files().unwrap();
    let dropped = first_of(&place, &files);
    let sign = |key: u8| HeadKeys::of(&MasterKey::new([key; 32]).into()).sign_dropped(&dropped);
    fs::remove_file(&files[0].path).unwrap();
    let mut appender = place.appender(None, SMALL).unwrap();
    for (key, is_believed) in [(8, false), (7, true)] {
        appender.append(|_| vec![line::members(&line::Note::Dropped(sign(key)))]).unwrap();
        let expected = if is_believed { vec![] } else { vec![(files[1].first, What::BeginsTooLate)] };
        assert_eq!(place.faults(), expected, "{key}");
    }
}

/// A key that leaked was rotated away, and still opens what it sealed. Neither what is too old nor the next turn makes true what its
/// finder says.
#[tokio::test]
async fn what_a_key_says_was_dropped_is_nobodys_once_it_was_vouched_for() {
    let place = Place::new();
    place.signed(40).await;
    let attend = async |current: u8, before: &[u8], keep| {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let keys = MasterKeys::new(key(current), before.iter().copied().map(key).collect());
        let told = Arc::new(Mutex::new(String::new()));
        let hearing = told.clone();
        let trail = place.open();
        trail.attend(AuditCare {
            signer: Arc::new(HeadKeys::of(&keys)),
            tell: Arc::new(move |what: &str| hearing.lock().unwrap().push_str(what)),
            ..care(keep, 100)
        });
        trail.add(&[place.event(100)]).await.unwrap();
        drop(trail);
        let public = HeadKey::of(&keys).public().clone();
        let faults = verify(&place.path(), &by(public), None, &mut |_, _| {}).unwrap().faults;
        let told = told.lock().unwrap().clone();
        (faults.into_iter().map(|fault| fault.what).collect::<Vec<_>>(), told)
    };
    assert_eq!(attend(8, &[7], Retention::default()).await, (vec![], String::new()));
    let files = Folder::at(&place.path()).files().unwrap();
    let dropped = first_of(&place, &files);
    let said = HeadKeys::of(&MasterKey::new([7; 32]).into()).sign_dropped(&dropped);
    fs::remove_file(&files[0].path).unwrap();
    let mut appender = place.appender(None, SMALL).unwrap();
    appender.append(|_| vec![line::members(&line::Note::Dropped(said))]).unwrap();
    let keep = Retention { age: Some(SignedDuration::from_secs(10)), bytes: None };
    let (faults, told) = attend(8, &[7], keep).await;
    assert_eq!(faults, [What::BeginsTooLate]);
    assert!(told.contains("nothing is dropped"), "{told}");
    assert_eq!(attend(9, &[8, 7], Retention::default()).await.0, [What::BeginsTooLate]);
}

/// What says that the first file was dropped.
fn first_of(place: &Place, files: &[TrailFile]) -> TrailDropped {
    TrailDropped {
        trail: place.heads.lock().unwrap()[0].trail.clone(),
        first: 1,
        last: files[1].first - 1,
        chain: beginning_of(&files[1].path).previous.unwrap(),
        until: None,
    }
}

fn beginning_of(file: &Path) -> line::Beginning {
    let text = fs::read_to_string(file).unwrap();
    match line::Line::parse(text.lines().next().unwrap().as_bytes()).unwrap().content() {
        Some(line::Content::Note(line::Note::Trail(beginning))) => beginning,
        other => panic!("{other:?}"),
    }
}

/// Else whoever can write lines has them escape the heads by a word.
#[tokio::test]
async fn events_count_as_taken_over_before_others_and_heads_alone() {
    let of = |events: &[Option<i64>]| {
        let place = Place::new();
        let mut appender = place.appender(None, Limits::default()).unwrap();
        let lines = events.iter().map(|from| match from {
            Some(from) => taken_over(&place.event(0), *from),
            None => line::members(&place.event(0)),
        });
        appender.append(|_| lines.collect()).unwrap();
        place.verified().unsigned - 1
    };
    assert_eq!(of(&[Some(1), Some(2), Some(7)]), 0);
    assert_eq!(of(&[Some(1), None, Some(7), Some(8)]), 3);
    assert_eq!(of(&[Some(3), Some(2), Some(4)]), 2);
    assert_eq!(of(&[None, Some(1)]), 2);
}

#[tokio::test]
async fn more_lines_than_a_server_leaves_without_a_head_are_told() {
    let place = Place::new();
    let lines = |count: usize| vec![line::members(&place.event(0)); count];
    for _ in 0..9 {
        place.appender(None, Limits::default()).unwrap().append(|_| lines(1_100)).unwrap();
    }
    assert_eq!(place.faults(), []);
    place.appender(None, Limits::default()).unwrap().append(|_| lines(100)).unwrap();
    assert_eq!(place.faults(), [(10_001, What::Unsigned { lines: 10_001 })]);
}

/// An index leads to lines, so one that names fewer hides the others.
#[tokio::test]
async fn an_index_that_names_less_than_its_file_has_is_told() {
    let place = Place::new();
    place.signed(40).await;
    let folder = Folder::at(&place.path());
    index::make_missing(&folder).unwrap();
    assert_eq!(place.faults(), []);
    let file = &folder.files().unwrap()[1];
    let mut index = fs::read(file.index()).unwrap();
    let end = index.len();
    index[end - 12..].fill(0);
    fs::write(file.index(), index).unwrap();
    let last = folder.files().unwrap()[2].first - 1;
    assert_eq!(place.faults(), [(last, What::OtherIndex)]);
    fs::remove_file(file.index()).unwrap();
    index::make_missing(&folder).unwrap();
    assert_eq!(place.faults(), []);
}

/// Whoever reads on hears of what they do not get, once.
#[tokio::test]
async fn whoever_reads_on_is_told_of_lines_that_are_missing_or_were_changed() {
    let place = Place::new();
    for second in 0..4 {
        place
            .appender(None, Limits::default())
            .unwrap()
            .append(|_| vec![line::members(&place.event(second))])
            .unwrap();
    }
    // Line 1 is the trail's own; the events are in lines 2 to 5.
    let file = &place.files()[0];
    let whole = fs::read(file).unwrap();
    let cases: [(Edit, [u64; 4]); 5] = [
        (Box::new(|_| ()), [0, 0, 0, 0]),
        (Box::new(|lines| drop(lines.remove(2))), [0, 1, 0, 0]),
        (Box::new(|lines| drop(lines.drain(1..3))), [2, 0, 0, 0]),
        (Box::new(|lines| lines[2] = "x".into()), [0, 1, 0, 0]),
        (Box::new(|lines| lines[2] = lines[2].replace("allowed", "refused")), [0, 1, 0, 0]),
    ];
    for (number, (change, expected)) in cases.into_iter().enumerate() {
        edit(file, change);
        for at_once in [1, 2, 9] {
            let trail = search_all(&place, at_once);
            let damaged: Vec<u64> = trail.iter().map(|kept| kept.damaged).collect();
            assert_eq!(damaged, expected[..damaged.len()], "{number}, {at_once}");
            assert_eq!(damaged.iter().sum::<u64>(), expected.iter().sum::<u64>(), "{number}, {at_once}");
        }
        fs::write(file, &whole).unwrap();
    }
    // The line that was read last is gone, and what is dropped as it should be is missed by nobody.
    edit(file, |lines| drop(lines.remove(2)));
    let page = Page { after: Some(EventPosition(3)), limit: 9 };
    assert_eq!(search::after(&Folder::at(&place.path()), &page).unwrap()[0].damaged, 1);
    fs::write(file, &whole).unwrap();
    place.signed(40).await;
    let keep = Retention { age: None, bytes: Some(0) };
    place.attended(keep, 0).add(&[place.event(41)]).await.unwrap();
    assert!(search_all(&place, 9).iter().all(|kept| kept.damaged == 0));
}

/// Everything, so many at once.
fn search_all(place: &Place, limit: usize) -> Vec<KeptEvent> {
    let mut all: Vec<KeptEvent> = Vec::new();
    loop {
        let after = all.last().map(|last| last.position);
        let found = search::after(&Folder::at(&place.path()), &Page { after, limit }).unwrap();
        if found.is_empty() {
            return all;
        }
        all.extend(found);
    }
}
