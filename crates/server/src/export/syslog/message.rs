//! A message of syslog (RFC 5424), framed for a stream by its length (RFC 6587 section 3.4.1, as RFC 5425 has it over TLS).

use daypass_core::audit::AuditOutcome;

use crate::export::batch::Exported;

/// The facility of audits, by its number (RFC 5424 section 6.2.1).
const LOG_AUDIT: u32 = 13;
const INFORMATIONAL: u32 = 6;
const NOTICE: u32 = 5;

/// An event as a frame, said by a host.
pub(super) fn frame(host: &str, exported: &Exported) -> String {
    let Exported { event, ocsf, .. } = exported;
    let severity = match event.outcome {
        AuditOutcome::Allowed => INFORMATIONAL,
        AuditOutcome::Refused => NOTICE,
    };
    let (priority, action) = (LOG_AUDIT * 8 + severity, event.action.name());
    // Six digits of a second, and no more, may be said.
    let message = format!("<{priority}>1 {:.6} {host} daypass - {action} - {ocsf}", event.time);
    format!("{} {message}", message.len())
}

#[cfg(test)]
mod tests {
    use daypass_core::store::{EventPosition, KeptEvent};

    use super::super::super::batch::Batch;
    use super::super::super::testing::event;
    use super::*;

    #[test]
    fn a_message_has_its_length_in_bytes_and_its_parts() {
        let mut event = event(1);
        event.outcome = AuditOutcome::Refused;
        event.user_agent = Some("Zoë\n<13>1 - - - - - -".into());
        let kept = KeptEvent { position: EventPosition(7), event, damaged: 0 };
        let batch = Batch::of("trail", vec![kept], usize::MAX).unwrap();
        let frame = frame("login.example.com", &batch.events[0]);
        let (length, message) = frame.split_once(' ').unwrap();
        assert_eq!(length.parse(), Ok(message.len()));
        let head = "<109>1 1970-01-01T00:00:01.000000Z login.example.com daypass - exchange - ";
        assert_eq!(message, format!("{head}{}", batch.events[0].ocsf));
        assert!(!message.contains('\n') && message.contains("Zoë"), "no event begins a line of its own");
    }
}
