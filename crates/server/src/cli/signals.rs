//! What a server hears from outside: that it is to end, or that its files were put aside or changed.

use std::io::{IsTerminal, stderr, stdin};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::telemetry;

/// SIGINT, SIGTERM and SIGHUP, none of which ends the process by itself any more.
pub struct Signals {
    ending: Ending,
    hang_up: Signal,
    /// Whether somebody started it at a terminal.
    at_terminal: bool,
}

struct Ending {
    interrupt: Signal,
    terminate: Signal,
}

impl Ending {
    async fn comes(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// If the operating system does not let it.
    pub fn listen() -> std::io::Result<Self> {
        let ending = Ending {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        };
        Ok(Self { ending, hang_up: signal(SignalKind::hangup())?, at_terminal: is_at_terminal() })
    }

    /// What a start comes to, unless the process is told to end before. A SIGHUP meanwhile counts afterwards.
    pub async fn unless_ended<T>(&mut self, start: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            () = self.ending.comes() => None,
            started = start => Some(started),
        }
    }

    /// Waits for the end. At each SIGHUP files of lines are opened anew, as log rotation asks, and `reread` has the
    /// configuration read again; but if it says that the terminal is gone at which somebody started the process, it is
    /// the end, too.
    pub async fn end_rereading(&mut self, mut reread: impl AsyncFnMut()) {
        loop {
            tokio::select! {
                () = self.ending.comes() => return,
                _ = self.hang_up.recv() => {}
            }
            if self.at_terminal && !is_at_terminal() {
                return;
            }
            telemetry::reopen();
            // A SIGHUP that comes meanwhile counts afterwards.
            tokio::select! {
                () = self.ending.comes() => return,
                () = reread() => {}
            }
        }
    }

    /// Waits for the end, when nothing is read again any more.
    pub async fn end(&mut self) {
        self.end_rereading(async || ()).await;
    }
}

/// A terminal that hung up is none any more.
fn is_at_terminal() -> bool {
    stdin().is_terminal() || stderr().is_terminal()
}
