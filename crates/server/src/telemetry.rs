//! The log: one JSON object a line, to a file for `up`, to stderr for `serve`. Nothing that is logged holds a token, a
//! code or a secret; the types that carry them print a placeholder.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use daypass_core::audit::{AuditEvent, AuditLines};
use tracing_subscriber::EnvFilter;

/// Opens a file to append to that only its owner can read.
///
/// # Errors
/// The file system's.
pub fn open_log(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Sends the process's log somewhere. Libraries are heard from `warn` up.
pub fn log_to(output: impl Write + Send + 'static) {
    let filter = EnvFilter::new("warn,daypass=info");
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(Mutex::new(output))
        .finish();
    // A second start within one process, as in the tour, keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// The audit trail as JSON lines.
pub struct AuditOutput(Mutex<Box<dyn Write + Send>>);

impl AuditOutput {
    /// Appends to `output`.
    #[must_use]
    pub fn new(output: impl Write + Send + 'static) -> Self {
        Self(Mutex::new(Box::new(output)))
    }
}

impl AuditLines for AuditOutput {
    /// The store holds the event already, so a full disk is only logged.
    fn append(&self, events: &[AuditEvent]) {
        let mut lines = Vec::new();
        for event in events {
            serde_json::to_writer(&mut lines, event).expect("an event is plain data");
            lines.push(b'\n');
        }
        let mut output = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Err(error) = output.write_all(&lines).and_then(|()| output.flush()) {
            tracing::error!(%error, "cannot write the audit lines");
        }
    }
}
