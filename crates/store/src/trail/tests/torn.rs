//! What a kill or a loss of power leaves at the end of a trail.

use std::os::unix::fs::PermissionsExt;

use super::*;

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

/// Nothing that is torn has an end, so somebody changed what was acknowledged.
#[tokio::test]
async fn a_last_line_that_was_changed_is_put_away_and_told() {
    let place = Place::new();
    place.open().add(&[place.event(0), place.event(1)]).await.unwrap();
    edit(&place.files()[0], |lines| lines[2] = lines[2].replace("allowed", "refused"));
    place.open().add(&[place.event(2)]).await.unwrap();
    let kept_in = "torn-000000000002";
    assert_eq!(place.faults(), [(3, What::PutAway { lines: 1, kept_in: kept_in.into() })]);
    let kept = place.path().join(kept_in);
    assert!(fs::read_to_string(&kept).unwrap().contains("refused"));
    assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
}

/// No writer leaves so much behind, and nobody reads it into memory.
#[tokio::test]
async fn more_than_is_written_at_once_is_never_put_away() {
    let place = Place::new();
    let trail = place.open();
    trail.add(&[place.event(0)]).await.unwrap();
    let file = place.files()[0].clone();
    let whole = fs::read(&file).unwrap();
    fs::write(&file, [&whole[..], &vec![b'x'; 3 << 20]].concat()).unwrap();
    let running = trail.add(&[place.event(1)]).await;
    let starting = place.open_knowing(None).map(drop);
    for refused in [running, starting] {
        assert!(matches!(refused, Err(TrailTrouble::Damaged(_))), "{refused:?}");
    }
    fs::write(&file, &whole).unwrap();
    trail.add(&[place.event(1)]).await.unwrap();
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
        let mut appender = place.appender(None, SMALL).unwrap();
        appender.begin_next_file().unwrap();
    }
    let next = folder.file(last + 2);
    for torn in [&b""[..], b"{\"n\":"] {
        fs::write(&next.path, torn).unwrap();
        place.open().add(&[place.event(9)]).await.unwrap();
        assert_eq!(place.faults(), []);
    }
}
