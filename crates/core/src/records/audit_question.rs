//! What one can ask the audit trail.

use std::net::IpAddr;

use crate::ground::clock::Timestamp;
use crate::records::audit_event::{AuditAction, AuditEvent, AuditOutcome, AuditSubject};

/// Which events to find: those to which all of it applies, or every one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuestion {
    /// What they are about.
    pub about: Option<AuditSubject>,
    /// The earliest instant.
    pub since: Option<Timestamp>,
    /// The instant before which they are.
    pub until: Option<Timestamp>,
    /// What was asked.
    pub action: Option<AuditAction>,
    /// How it fell.
    pub outcome: Option<AuditOutcome>,
    /// The provider that vouched.
    pub provider: Option<String>,
    /// Where the request came from.
    pub address: Option<IpAddr>,
}

impl AuditQuestion {
    /// Everything about something.
    #[must_use]
    pub fn about(subject: AuditSubject) -> Self {
        Self { about: Some(subject), ..Self::default() }
    }

    /// Whether an event is an answer.
    #[must_use]
    pub fn matches(&self, event: &AuditEvent) -> bool {
        self.about.as_ref().is_none_or(|subject| subject.is_of(event))
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
            && self.action.is_none_or(|action| event.action == action)
            && self.outcome.is_none_or(|outcome| event.outcome == outcome)
            && self.provider.as_ref().is_none_or(|provider| event.provider.as_ref() == Some(provider))
            && self.address.is_none_or(|address| event.source_ip == Some(address.to_canonical()))
    }
}
