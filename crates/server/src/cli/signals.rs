//! What a server hears from outside: that it is to end, or that its files were put aside.

use std::io::{IsTerminal, stderr, stdin};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::telemetry;

/// SIGINT, SIGTERM and SIGHUP, none of which ends the process by itself any more.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    /// Whether somebody started it at a terminal.
    at_terminal: bool,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the operating system does not let it.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            at_terminal: is_at_terminal(),
        })
    }

    /// Waits for the end. SIGHUP has files of lines opened anew, as log rotation asks; but if it says that the terminal
    /// is gone at which somebody started the process, it is the end, too.
    pub async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => {
                    if self.at_terminal && !is_at_terminal() {
                        return;
                    }
                    telemetry::reopen();
                }
            }
        }
    }
}

/// A terminal that hung up is none any more.
fn is_at_terminal() -> bool {
    stdin().is_terminal() || stderr().is_terminal()
}
