//! Events that are delivered together.

use daypass_core::audit::AuditEvent;
use daypass_core::store::{EventPosition, KeptEvent};

use super::ocsf;

/// An event on its way.
pub(super) struct Exported {
    pub(super) line: EventPosition,
    /// How many lines before it are missing, or are not as they were written.
    pub(super) damaged: u64,
    pub(super) event: AuditEvent,
    /// The event in the words of OCSF, as JSON.
    pub(super) ocsf: String,
}

/// Some events in a row, one at least.
pub(super) struct Batch {
    pub(super) trail: String,
    pub(super) events: Vec<Exported>,
}

impl Batch {
    /// As many of these events as have so many bytes together, and one at least. Nothing, if there are none.
    pub(super) fn of(trail: &str, kept: Vec<KeptEvent>, max_bytes: usize) -> Option<Self> {
        let (mut events, mut bytes) = (Vec::new(), 0);
        for kept in kept {
            let ocsf = ocsf::json(trail, &kept);
            bytes += ocsf.len();
            if bytes > max_bytes && !events.is_empty() {
                break;
            }
            events.push(Exported { line: kept.position, damaged: kept.damaged, event: kept.event, ocsf });
        }
        (!events.is_empty()).then(|| Self { trail: trail.to_owned(), events })
    }

    /// Where the last of them stands.
    pub(super) fn last(&self) -> EventPosition {
        self.events.last().expect("a batch has an event").line
    }
}
