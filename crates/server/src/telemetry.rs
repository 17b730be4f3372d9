//! The log: one JSON object a line, or a text, to a file for `up`, to stderr for `serve`; and the audit trail's lines, where they go to the log. Nothing that
//! is logged holds a token, a code or a secret; the types that carry them print a placeholder.
//!
//! Whoever logs never waits and never fails: [`Lines`] takes the line, and a thread of its own writes it, with others. Of what can
//! come too often, the log has a sample (`sampling.rs`).

mod audit;
mod counted;
mod line;
mod lines;
mod sampling;
mod shape;

use std::io::{Error, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use daypass_core::ground::clock::{Clock, SystemClock};
use serde::Deserialize;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Registry, reload};

pub use self::audit::{AuditOutput, LoggedStrangers};
pub(crate) use self::counted::COUNTED;
pub use self::lines::Lines;
use self::lines::Output;
use self::sampling::Sampling;
pub use self::shape::Format;
use self::shape::{Choice, FORMAT, Shape};

/// What is waiting to be written at the end of a process has so long: whoever does not read it has to do without.
const AT_THE_END: Duration = Duration::from_secs(1);

/// A line for a person has so long to be written, so that it stands there before whatever is written next.
const FOR_A_PERSON: Duration = Duration::from_secs(1);

/// The process's log, once it has one.
static LOG: OnceLock<Sampling> = OnceLock::new();

type Filter = reload::Handle<EnvFilter, Registry>;

/// What lets lines into the process's log, once it has one.
static FILTER: OnceLock<Filter> = OnceLock::new();

/// From where up the log has what we do ourselves. Libraries are heard from `warn` up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What somebody should look at.
    Warn,
    /// Each request as well.
    #[default]
    Info,
    /// Why a request was refused as well, and connections that broke off.
    Debug,
}

impl Level {
    /// The library of the S3 endpoint says what stands in a document that it cannot read; what matters of it, our own lines say.
    fn filter(self) -> EnvFilter {
        EnvFilter::new(match self {
            Self::Warn => "warn,s3s=off",
            Self::Info => "warn,s3s=off,daypass=info",
            Self::Debug => "warn,s3s=off,daypass=debug",
        })
    }
}

/// Sends the process's log somewhere.
pub fn log_to(lines: Lines) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // A second start within one process, as in the tour, keeps the first log.
    let sampling = LOG.get_or_init(|| Sampling::new(lines.clone(), clock)).clone();
    let (subscriber, filter) = subscriber(sampling, lines, FORMAT.clone());
    let _ = FILTER.set(filter);
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Has the process's log begin at this level, and be written so, from now on.
pub fn log_from(level: Level, format: Format) {
    FORMAT.becomes(format);
    // A process without a log has nothing to let in.
    let _ = FILTER.get().map(|filter| filter.reload(level.filter()));
}

fn subscriber(
    sampling: Sampling,
    lines: Lines,
    format: Choice,
) -> (impl tracing::Subscriber + Send + Sync, Filter) {
    let (filter, handle) = reload::Layer::new(Level::default().filter());
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .event_format(Shape::new(format))
        .log_internal_errors(false)
        .with_writer(Log(lines));
    (tracing_subscriber::registry().with(filter).with(layer).with(sampling), handle)
}

/// Has a panic leave a line in the log instead of waiting until somebody reads stderr.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let text = daypass_core::audit::cut(panic.payload_as_str().unwrap_or_default(), 1_000);
        tracing::error!(place, text, "a panic");
    }));
}

/// The process's stdout.
///
/// # Errors
/// If no thread can be started.
pub fn stdout() -> Result<Lines, Error> {
    static STDOUT: OnceLock<Lines> = OnceLock::new();
    of_process(&STDOUT, "audit", || std::io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from))
}

/// The process's stderr.
///
/// # Errors
/// If no thread can be started.
pub fn stderr() -> Result<Lines, Error> {
    static STDERR: OnceLock<Lines> = OnceLock::new();
    of_process(&STDERR, "log", || std::io::stderr().as_fd().try_clone_to_owned().map(std::fs::File::from))
}

/// Not by way of the standard library's handle, which is locked while somebody writes: whoever else wants to write, or to
/// end, would wait with them.
fn of_process(
    place: &OnceLock<Lines>,
    name: &'static str,
    open: impl FnOnce() -> Result<std::fs::File, Error>,
) -> Result<Lines, Error> {
    if let Some(lines) = place.get() {
        return Ok(lines.clone());
    }
    let lines = Lines::start(name, Output::Stream(Box::new(open()?)))?;
    Ok(place.get_or_init(|| lines).clone())
}

/// A file of lines that only its owner can read, appended to and made where it is missing.
///
/// # Errors
/// The file system's.
pub fn file(name: &'static str, path: &Path) -> Result<Lines, Error> {
    Lines::start(name, Output::open(path)?)
}

/// A line for a person, on stderr. If nobody reads it, that keeps nobody from going on.
pub fn tell(line: &str) {
    if let Ok(stderr) = stderr() {
        stderr.push(format!("{line}\n").into_bytes());
        stderr.flush(FOR_A_PERSON);
    }
}

/// Has every file of lines opened anew under its name, by which somebody may have put another one in its place.
pub fn reopen() {
    for lines in lines::all() {
        lines.reopen();
    }
}

/// Has everything written when it is dropped, though not for long: at the end of a process, by a panic as well.
#[must_use]
pub struct Flushing;

impl Drop for Flushing {
    fn drop(&mut self) {
        flush_within(AT_THE_END);
    }
}

/// Waits until everything is written that was logged before, though not for longer than this.
pub fn flush_within(limit: Duration) {
    if let Some(sampling) = LOG.get() {
        sampling.tell_all();
    }
    for lines in lines::all() {
        lines.flush(limit);
    }
}

/// Takes a line of the log from its subscriber, which could do nothing about an error.
struct Log(Lines);

struct LogLine<'a>(&'a Lines);

impl<'a> MakeWriter<'a> for Log {
    type Writer = LogLine<'a>;

    fn make_writer(&'a self) -> LogLine<'a> {
        LogLine(&self.0)
    }
}

impl Write for LogLine<'_> {
    fn write(&mut self, line: &[u8]) -> Result<usize, Error> {
        self.0.push(line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
