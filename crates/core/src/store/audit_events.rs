//! What a store keeps of decisions.

use std::slice;
use std::sync::Arc;

use async_trait::async_trait;

use crate::ground::clock::{Clock, SignedDuration};
use crate::records::audit_event::{AuditEvent, AuditSubject};
use crate::records::audit_question::AuditQuestion;
use crate::records::trail_head::{TrailDropped, TrailHead};
use crate::store::{Page, StoreError};

/// So many refusals of people who proved nothing are kept, the newest.
pub const MAX_UNPROVED_REFUSALS: usize = 2_000;

/// Where an audit event stands among all of its store: of two, the greater one was kept later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPosition(pub u64);

/// An audit event where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptEvent {
    /// Where.
    pub position: EventPosition,
    /// The event.
    pub event: AuditEvent,
    /// How many lines right before it are missing, or are not as they were written, for whoever reads on. Whoever asks a
    /// question hears of none.
    pub damaged: u64,
}

/// From where to where a trail goes. Its lines have numbers without a gap, and an event's position is the number of its line;
/// between events are lines about the trail itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailExtent {
    /// The trail's ID, drawn when it began.
    pub trail: String,
    /// The first line that is left: what is older was dropped.
    pub first: EventPosition,
    /// The last line; before the first, if there is none.
    pub last: EventPosition,
}

/// The one place where audit events are kept.
#[async_trait]
pub trait AuditSink: Send + Sync {
    /// Keeps audit events in their order, all of them or none.
    async fn add_audit_events(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Keeps one audit event.
    async fn add_audit_event(&self, event: &AuditEvent) -> Result<(), StoreError> {
        self.add_audit_events(slice::from_ref(event)).await
    }
}

/// The audit trail, in the order in which its events were kept.
#[async_trait]
pub trait AuditEvents: AuditSink {
    /// The events that answer a question, the one kept last first.
    async fn page_audit_events(
        &self,
        question: &AuditQuestion,
        page: Page<EventPosition>,
    ) -> Result<Vec<KeptEvent>, StoreError>;

    /// The events that were kept after one, or all of them, the one kept first first: `page.limit` at most.
    async fn audit_events_after(&self, page: Page<EventPosition>) -> Result<Vec<KeptEvent>, StoreError>;

    /// From where to where the trail goes now.
    async fn audit_trail_extent(&self) -> Result<TrailExtent, StoreError>;

    /// The newest events about an identity, an access key, a developer user or a request.
    async fn list_audit_events(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        self.find_audit_events(&AuditQuestion::about(about.clone()), limit).await
    }

    /// The newest events that answer a question.
    async fn find_audit_events(
        &self,
        question: &AuditQuestion,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError> {
        let kept = self.page_audit_events(question, Page { after: None, limit }).await?;
        Ok(kept.into_iter().map(|kept| kept.event).collect())
    }

    /// Takes care of the trail from now on, if it is one that wants care: it is done by the server, and by no command.
    fn attend(&self, care: AuditCare) {
        drop(care);
    }

    /// Drops at once what of the trail need not be kept; with [care](Self::attend) a server does it by and by. `tell` hears what
    /// was dropped. Where something is not as it was written nothing is dropped, and that is an error.
    async fn drop_surplus(&self, care: &AuditCare) -> Result<(), StoreError> {
        let _ = care;
        Ok(())
    }

    /// Lines of the trail as they stand in it, from the one behind this or from one before it on, and none at its end. `None`
    /// where it is kept in files.
    async fn audit_lines_after(&self, line: EventPosition) -> Result<Option<Vec<u8>>, StoreError> {
        let _ = line;
        Ok(None)
    }
}

/// What a trail needs besides its events: heads are signed, and what is too old goes.
#[derive(Clone)]
pub struct AuditCare {
    /// Who signs heads.
    pub signer: Arc<dyn HeadSigner>,
    /// How much is kept.
    pub keep: Retention,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Hears what an operator should know.
    pub tell: Arc<dyn Fn(&str) + Send + Sync>,
}

/// Who signs heads of a trail.
pub trait HeadSigner: Send + Sync {
    /// What its key is called, as a head says it.
    fn key_id(&self) -> &str;

    /// Whether a head is signed by this key, by what it says of itself.
    fn is_of_now(&self, jws: &str) -> bool;

    /// The head, signed: a JWS (RFC 7515 section 7.1) over its JSON.
    fn sign(&self, head: &TrailHead) -> String;

    /// What goes, signed the same way.
    fn sign_dropped(&self, dropped: &TrailDropped) -> String;

    /// What goes, as it was signed by this key; or by the one that signed `head`, the last of the trail, as long as it has still to be
    /// vouched for. Whoever got hold of a key that signed longer ago signs nothing that counts.
    fn read_dropped(&self, jws: &str, head: Option<&str>) -> Option<TrailDropped>;

    /// What a head says that was signed by a key that signed before.
    fn read_of_before(&self, jws: &str) -> Option<TrailHead>;

    /// The key that signed `head`, which is of before, signed: whoever believes this one believes what that signed before a place.
    /// It vouched for those before it.
    fn vouch(&self, before: &TrailHead, head: &str) -> String;
}

/// How much of a trail is kept. Whatever is dropped is dropped from the old end, and the trail says what it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Events that are older go, where everything before them goes as well.
    pub age: Option<SignedDuration>,
    /// So many bytes are kept at most, and what is being written.
    pub bytes: Option<u64>,
}

/// The sample of what people were refused who proved nothing.
#[async_trait]
pub trait UnprovedRefusals: Send + Sync {
    /// Keeps refusals of people who proved nothing, apart from the audit events, in the place of the oldest of
    /// [`MAX_UNPROVED_REFUSALS`]. Of several that are brought at once, the last are the newest.
    async fn add_unproved_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Those that are left, the one kept last first.
    async fn list_unproved_refusals(
        &self,
        about: &AuditSubject,
        limit: usize,
    ) -> Result<Vec<AuditEvent>, StoreError>;
}
