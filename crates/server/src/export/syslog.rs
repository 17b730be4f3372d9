//! Delivery by syslog, over TCP or TLS. The protocol has no answer: a batch counts as taken when the receiver, which was told that
//! there is nothing more to come, has read to the end and closes the connection. Whether it kept what it read nobody can know.

mod connection;
mod message;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

pub(super) use self::connection::{Peer, tls_of_the_system};
use super::batch::Batch;
use super::receiver::{Answer, Receiver};
use crate::error::chain;

/// For a batch, from the connection to its end.
const LIMIT: Duration = Duration::from_secs(10);

/// A receiver of syslog.
pub(super) struct Syslog {
    pub(super) peer: Peer,
    /// Whose events they are: the host of the installation.
    pub(super) installation: String,
}

#[async_trait]
impl Receiver for Syslog {
    async fn deliver(&self, batch: &Batch) -> Answer {
        let frames = batch.events.iter().map(|exported| message::frame(&self.installation, exported));
        let frames: String = frames.collect();
        match timeout(LIMIT, self.peer.hand_over(frames.as_bytes())).await {
            Ok(Ok(())) => Answer::Taken { refused: 0 },
            Ok(Err(error)) => Answer::Away(format!("unreachable: {}", chain(&error))),
            Err(_) => Answer::Away("timed out".into()),
        }
    }
}
