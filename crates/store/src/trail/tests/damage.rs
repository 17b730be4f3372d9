//! What somebody did to the files of a trail is told, and where.

use super::*;

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
