use std::sync::mpsc::{self, RecvTimeoutError};

use super::*;

/// A disk or a pipe in a test: it takes so many bytes, fails, or waits.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Inside>>);

#[derive(Default)]
struct Inside {
    text: Vec<u8>,
    room: Option<usize>,
}

impl Place {
    fn with_room(bytes: usize) -> Self {
        let place = Self::default();
        place.set_room(Some(bytes));
        place
    }

    fn set_room(&self, bytes: Option<usize>) {
        self.0.lock().unwrap().room = bytes;
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().text.clone()).unwrap()
    }

    fn lines(&self, name: &'static str) -> Lines {
        Lines::start(name, Output::Stream(Box::new(self.clone()))).unwrap()
    }
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        let mut inside = self.0.lock().unwrap();
        let count = inside.room.unwrap_or(usize::MAX).min(bytes.len());
        if count == 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        inside.room = inside.room.map(|room| room - count);
        inside.text.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A pipe that nobody reads until the gate opens.
struct Shut(mpsc::Receiver<()>, Place);

impl Write for Shut {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        // A gate that is gone is open.
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

fn shut(name: &'static str) -> (Lines, mpsc::Sender<()>, Place) {
    let ((gate, waiting), place) = (mpsc::channel(), Place::default());
    let output = Output::Stream(Box::new(Shut(waiting, place.clone())));
    (Lines::start(name, output).unwrap(), gate, place)
}

/// A pipe whose reader hears each write.
struct Told(mpsc::Sender<Vec<u8>>);

impl Write for Told {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        self.0.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// Lines that wait for others for so long, whoever flushes all lines of the process meanwhile, and what is written.
fn told(gathering: Duration) -> (Lines, mpsc::Receiver<Vec<u8>>) {
    let (tell, told) = mpsc::channel();
    (Lines::gathering(gathering, "test", Output::Stream(Box::new(Told(tell)))).unwrap(), told)
}

const LONG: Duration = Duration::from_mins(1);
/// Longer than any test takes.
const FOR_EVER: Duration = Duration::from_hours(1);

#[test]
fn lines_that_come_together_are_one_write_whole_and_in_their_order() {
    let (lines, told) = told(FOR_EVER);
    let text: Vec<_> = (0..500).map(|number| format!("{number} {}\n", "x".repeat(number))).collect();
    for line in &text {
        lines.push(line.clone().into_bytes());
    }
    lines.flush(LONG);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [text.concat().into_bytes()]);
}

#[test]
fn a_line_alone_is_written_though_no_other_comes() {
    let (lines, told) = told(GATHERING);
    lines.push("a\n".into());
    assert_eq!(told.recv_timeout(LONG).unwrap(), b"a\n");
}

#[test]
fn lines_that_are_much_wait_for_no_more() {
    let (lines, told) = told(FOR_EVER);
    let long = vec![b'x'; MAX_BATCH / 4];
    (0..4).for_each(|_| lines.push(long.clone()));
    assert_eq!(told.recv_timeout(LONG).unwrap().len(), MAX_BATCH);
}

/// Else a login would wait with its event.
#[tokio::test]
async fn who_has_to_know_waits_for_no_other_lines() {
    let (lines, told) = told(FOR_EVER);
    lines.push("a\n".into());
    assert_eq!(lines.write("b\n".into()).await, Ok(()));
    // What comes after that waits for others again.
    lines.push("c\n".into());
    lines.push("d\n".into());
    lines.flush(LONG);
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [b"a\nb\n", b"c\nd\n"]);
}

/// Has another line follow each.
struct Echo(Arc<Mutex<Option<Lines>>>);

impl Write for Echo {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if let Some(lines) = &*self.0.lock().unwrap() {
            lines.push("and another\n".into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn who_waits_for_what_was_handed_over_waits_for_nothing_that_comes_after() {
    let again = Arc::default();
    let lines = Lines::start("test", Output::Stream(Box::new(Echo(Arc::clone(&again))))).unwrap();
    *again.lock().unwrap() = Some(lines.clone());
    lines.push("a\n".into());
    let (tell, told) = mpsc::channel();
    let flushing = thread::spawn(move || {
        lines.flush(FOR_EVER);
        tell.send(()).unwrap();
    });
    told.recv_timeout(LONG).unwrap();
    *again.lock().unwrap() = None;
    flushing.join().unwrap();
}

#[test]
fn lines_are_written_in_their_order() {
    let place = Place::default();
    let lines = place.lines("test");
    for line in ["a\n", "b\n", "c\n"] {
        lines.push(line.into());
    }
    lines.flush(LONG);
    assert_eq!(place.text(), "a\nb\nc\n");
}

#[test]
fn what_is_lost_is_told_when_there_is_room_again() {
    let place = Place::with_room(5);
    let lines = place.lines("log");
    for line in ["abc\n", "def\n", "ghi\n"] {
        lines.push(line.into());
        lines.flush(LONG);
    }
    assert_eq!(place.text(), "abc\nd");
    place.set_room(None);
    lines.push("jkl\n".into());
    lines.flush(LONG);
    let text = place.text();
    let [first, torn, told, last] = text.lines().collect::<Vec<_>>()[..] else { panic!("{text}") };
    assert_eq!([first, torn, last], ["abc", "d", "jkl"]);
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!((&told["lost"], &told["level"]), (&2.into(), &"WARN".into()));
}

#[tokio::test]
async fn who_has_to_know_hears_what_became_of_their_lines() {
    let place = Place::with_room(6);
    let lines = place.lines("test");
    assert_eq!(lines.write("abc\n".into()).await, Ok(()));
    let failed = lines.write("def\n".into()).await.unwrap_err();
    assert_eq!(failed, Error::from(ErrorKind::StorageFull).to_string());
    place.set_room(None);
    assert_eq!(lines.write("ghi\n".into()).await, Ok(()));
    assert_eq!(place.text(), "abc\nde\nghi\n");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_long_where_nobody_reads() {
    let (lines, gate, place) = shut("test");
    let begun = tokio::time::Instant::now();
    assert_eq!(lines.write("a\n".into()).await, Err(NOBODY_READS.into()));
    let waited = begun.elapsed();
    assert!(waited >= PATIENCE && waited < 2 * PATIENCE, "{waited:?}");
    // From then on nobody waits at all, until something moves.
    assert_eq!(lines.write("b\n".into()).await, Err(NOBODY_READS.into()));
    assert_eq!(begun.elapsed(), waited);
    drop(gate);
    lines.flush(LONG);
    tokio::time::resume();
    assert_eq!(lines.write("c\n".into()).await, Ok(()));
    assert_eq!(place.text(), "a\nc\n");
}

#[test]
fn the_queue_has_an_end() {
    let (lines, gate, place) = shut("log");
    let long = "x".repeat(1 << 20) + "\n";
    for _ in 0..10 {
        lines.push(long.clone().into_bytes());
    }
    drop(gate);
    lines.flush(LONG);
    lines.push("y\n".into());
    lines.flush(LONG);
    let text = place.text();
    let (told, whole): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with('{'));
    assert_eq!(whole, [long.trim_end(), long.trim_end(), long.trim_end(), "y"]);
    // The first may be lost before anything is written, and are told then.
    let lost =
        told.iter().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["lost"].as_u64());
    assert_eq!(lost.sum::<Option<u64>>(), Some(7), "{told:?}");
}

#[test]
fn a_pipe_that_nobody_reads_keeps_nobody_from_ending() {
    let (lines, _gate, place) = shut("test");
    lines.push("a\n".into());
    lines.flush(Duration::ZERO);
    assert_eq!(place.text(), "");
}

#[test]
fn a_file_that_was_put_aside_is_made_anew_and_no_line_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("log"), folder.path().join("log.1"));
    let lines = Lines::start("test", Output::open(&path).unwrap()).unwrap();
    lines.push("a\n".into());
    lines.flush(LONG);
    std::fs::rename(&path, &aside).unwrap();
    lines.push("b\n".into());
    lines.flush(LONG);
    lines.0.0.reopen();
    lines.push("c\n".into());
    lines.flush(LONG);
    let read = |path| std::fs::read_to_string(path).unwrap();
    assert_eq!((read(&aside), read(&path)), ("a\nb\n".into(), "c\n".into()));
}

#[test]
fn a_file_that_cannot_be_opened_anew_stays_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    let lines = Lines::start("test", Output::open(&inner.join("log")).unwrap()).unwrap();
    let moved = folder.path().join("moved");
    std::fs::rename(&inner, &moved).unwrap();
    lines.0.0.reopen();
    lines.push("a\n".into());
    lines.flush(LONG);
    assert_eq!(std::fs::read_to_string(moved.join("log")).unwrap(), "a\n");
}

#[test]
fn what_was_handed_over_is_written_before_the_thread_ends() {
    let (lines, told) = told(FOR_EVER);
    lines.push("a\n".into());
    drop(lines);
    assert_eq!(told.recv_timeout(LONG).unwrap(), b"a\n");
    assert_eq!(told.recv_timeout(LONG), Err(RecvTimeoutError::Disconnected), "the thread has ended");
}
