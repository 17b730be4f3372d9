//! Lines on their way to a file or a pipe. A queue with an end takes them, and one thread writes them: a full disk, a
//! reader that died and a pipe that nobody reads cost lines and nothing else. What is lost is counted, and told as soon as
//! something can be written again. Lines that nobody waits for are written with those that come right after them: to wake the thread,
//! and to have it write, costs whoever logs more than the line.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::oneshot;

use super::counted::COUNTED;
use super::line::line;

/// So many bytes wait to be written. Whoever logs more meanwhile loses it.
const MAX_WAITING: usize = 4 << 20;
/// So many are written at once, and wait for no more.
const MAX_BATCH: usize = 256 << 10;
/// A line waits so long for others. It is less than anybody at a terminal notices.
const GATHERING: Duration = Duration::from_millis(5);
/// Whoever has to know that a line is written waits so long.
const PATIENCE: Duration = Duration::from_secs(1);

static ALL: Mutex<Vec<Weak<Queue>>> = Mutex::new(Vec::new());

/// Where lines go.
pub(super) enum Output {
    /// A file, which has a name.
    File(PathBuf, File),
    /// A pipe, a terminal, or whatever stdout and stderr are.
    Stream(Box<dyn Write + Send>),
}

impl Output {
    pub fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self::File(path.to_owned(), append_to(path)?))
    }

    fn reopen(&mut self) -> Result<(), Error> {
        if let Self::File(path, file) = self {
            *file = append_to(path)?;
        }
        Ok(())
    }

    fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::File(_, file) => file,
            Self::Stream(stream) => stream,
        }
    }

    /// Writes all of it. An error comes with how much was written before.
    fn write_all(&mut self, text: &[u8]) -> (usize, Result<(), Error>) {
        let mut written = 0;
        while written < text.len() {
            match self.writer().write(&text[written..]) {
                Ok(0) => return (written, Err(ErrorKind::WriteZero.into())),
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return (written, Err(error)),
            }
        }
        (written, self.writer().flush())
    }
}

/// A file to append to that only its owner can read.
fn append_to(path: &Path) -> Result<File, Error> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The way to the thread that writes. It ends when nobody can send it anything any more.
#[derive(Clone)]
pub struct Lines(Arc<Sender>);

struct Sender(Arc<Queue>);

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_all();
    }
}

pub(super) struct Queue {
    name: &'static str,
    gathering: Duration,
    state: Mutex<State>,
    changed: Condvar,
    lost: Counter,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Line>,
    /// How long all of them are, with those that are being written.
    bytes: usize,
    /// Lost since it was told last.
    lost: u64,
    /// How many lines were ever taken in, and how many of them are done with, written or not.
    taken: u64,
    done: u64,
    /// Somebody waits until so many are.
    wanted: u64,
    /// Somebody waited in vain, and nothing has moved since.
    stalled: bool,
    reopen: bool,
    closed: bool,
}

struct Line {
    text: Vec<u8>,
    /// Who has to know whether it is written.
    written: Option<oneshot::Sender<Result<(), String>>>,
}

impl State {
    /// Whether there is something to do that waits for no more lines.
    fn is_due(&self) -> bool {
        self.wanted > self.done || self.reopen || self.closed || self.bytes >= MAX_BATCH
    }
}

/// What the thread does next.
struct Work {
    lines: Vec<Line>,
    lost: u64,
    reopen: bool,
}

impl Lines {
    /// Starts the thread that writes. `name` says what the lines are.
    pub(super) fn start(name: &'static str, output: Output) -> Result<Self, Error> {
        let lines = Self::gathering(GATHERING, name, output)?;
        let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|queue| queue.strong_count() > 0);
        all.push(Arc::downgrade(&lines.0.0));
        Ok(lines)
    }

    fn gathering(gathering: Duration, name: &'static str, output: Output) -> Result<Self, Error> {
        let queue = Arc::new(Queue {
            name,
            gathering,
            state: Mutex::default(),
            changed: Condvar::new(),
            lost: COUNTED.lost(name),
        });
        let served = queue.clone();
        thread::Builder::new().name(format!("daypass-{name}")).spawn(move || served.serve(output))?;
        Ok(Self(Arc::new(Sender(queue))))
    }

    /// Hands a line over, its end included. It is lost if too much is waiting.
    pub fn push(&self, text: Vec<u8>) {
        let _ = self.0.0.enqueue(Line { text, written: None });
    }

    /// Hands lines over at once; what comes back waits until they are written, though not for long.
    pub fn write(&self, text: Vec<u8>) -> impl Future<Output = Result<(), String>> + Send + 'static {
        let (sender, written) = oneshot::channel();
        let queue = self.0.0.clone();
        let queued = queue.enqueue(Line { text, written: Some(sender) });
        async move {
            queued?;
            if let Ok(written) = tokio::time::timeout(PATIENCE, written).await {
                return written.unwrap_or_else(|_| Err("the thread that writes has ended".into()));
            }
            queue.state().stalled = true;
            Err(NOBODY_READS.into())
        }
    }

    /// Waits until everything is written that was handed over before.
    pub fn flush(&self, limit: Duration) {
        self.0.0.flush(limit);
    }
}

const NOBODY_READS: &str = "nobody reads them, or the disk does not answer";

/// Every queue of the process.
pub(super) fn all() -> Vec<Arc<Queue>> {
    let all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter_map(Weak::upgrade).collect()
}

impl Queue {
    /// Nothing that can panic or wait happens while it is locked.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enqueue(&self, line: Line) -> Result<(), String> {
        let mut state = self.state();
        if state.stalled && line.written.is_some() {
            self.lose(&mut state, 1);
            return Err(NOBODY_READS.into());
        }
        if state.bytes + line.text.len() > MAX_WAITING {
            self.lose(&mut state, 1);
            return Err("too many are waiting to be written".into());
        }
        let (was_idle, was_due) = (state.waiting.is_empty(), state.is_due());
        state.bytes += line.text.len();
        state.taken += 1;
        if line.written.is_some() {
            state.wanted = state.taken;
        }
        state.waiting.push_back(line);
        let is_news = was_idle || (state.is_due() && !was_due);
        drop(state);
        if is_news {
            self.changed.notify_all();
        }
        Ok(())
    }

    fn lose(&self, state: &mut State, lines: u64) {
        state.lost += lines;
        self.lost.inc_by(lines);
    }

    pub fn reopen(&self) {
        self.state().reopen = true;
        self.changed.notify_all();
    }

    pub fn flush(&self, limit: Duration) {
        let mut state = self.state();
        let last = state.taken;
        state.wanted = last;
        self.changed.notify_all();
        let waited = self.changed.wait_timeout_while(state, limit, |state| state.done < last);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits for something to do; `None` at the end.
    fn next(&self) -> Option<Work> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.reopen && !state.closed;
        let waited = self.changed.wait_while(self.state(), idle);
        let state = waited.unwrap_or_else(PoisonError::into_inner);
        let gathered = self.changed.wait_timeout_while(state, self.gathering, |state| !state.is_due());
        let (mut state, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() && !state.reopen {
            return None;
        }
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while bytes < MAX_BATCH
            && let Some(line) = state.waiting.pop_front()
        {
            bytes += line.text.len();
            lines.push(line);
        }
        let lost = std::mem::take(&mut state.lost);
        Some(Work { lines, lost, reopen: std::mem::take(&mut state.reopen) })
    }

    fn serve(&self, mut output: Output) {
        // Whether the last thing that was written is a piece of a line.
        let mut torn = false;
        while let Some(work) = self.next() {
            if work.reopen {
                match output.reopen() {
                    Ok(()) => torn = false,
                    Err(error) => {
                        tracing::error!(%error, of = self.name, "the file cannot be opened anew; the old one stays in use");
                    }
                }
            }
            self.write(work, &mut output, &mut torn);
        }
    }

    fn write(&self, work: Work, output: &mut Output, torn: &mut bool) {
        let Work { lines, lost, .. } = work;
        let told = if lines.is_empty() { Vec::new() } else { self.preamble(*torn, lost) };
        let mut text = told.clone();
        let mut ends = Vec::with_capacity(lines.len());
        for line in &lines {
            text.extend_from_slice(&line.text);
            ends.push(text.len());
        }
        let (written, outcome) = output.write_all(&text);
        if !text.is_empty() {
            *torn = if written == 0 { *torn } else { text[written - 1] != b'\n' };
        }
        let whole = ends.iter().filter(|end| **end <= written).count();
        let failed = outcome.err().map(|error| error.to_string());
        let mut state = self.state();
        state.done += u64::try_from(lines.len()).unwrap_or(u64::MAX);
        state.stalled = false;
        state.bytes -= lines.iter().map(|line| line.text.len()).sum::<usize>();
        // What was lost before is told with the next lines, unless it has been.
        if lines.is_empty() || written < told.len() {
            state.lost += lost;
        }
        self.lose(&mut state, u64::try_from(lines.len() - whole).unwrap_or(u64::MAX));
        drop(state);
        self.changed.notify_all();
        for (line, end) in lines.into_iter().zip(ends) {
            if let Some(sender) = line.written {
                let failed = failed.clone().filter(|_| end > written).map_or(Ok(()), Err);
                // Whoever asked may have gone away.
                let _ = sender.send(failed);
            }
        }
        if let Some(error) = failed.filter(|_| self.name != LOG) {
            tracing::error!(error, of = self.name, "lines cannot be written");
        }
    }

    /// What has to stand before the next lines: the end of a torn one, and, in the log, how many are missing.
    fn preamble(&self, torn: bool, lost: u64) -> Vec<u8> {
        let mut text = Vec::new();
        if torn {
            text.push(b'\n');
        }
        if lost > 0 && self.name == LOG {
            let message = "lines of the log were lost here: they could not be written, or nobody read them";
            text.extend_from_slice(&line("WARN", message, &[("lost", lost)]));
        }
        text
    }
}

/// The name of the lines that are the log, which tells by itself what it lacks.
const LOG: &str = "log";
