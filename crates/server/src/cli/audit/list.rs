//! `daypass audit list`: what was decided, by whatever it is asked for, and what is decided from now on.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use clap::{Args, ValueEnum};
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::ground::clock::{Clock, SignedDuration, SystemClock, Timestamp};
use daypass_core::ground::counting::counted;
use daypass_core::login::provider::definition::seconds;
use daypass_core::records::audit_question::AuditQuestion;
use daypass_core::store::{AuditEvents, EventPosition, Page, StoreError};

use super::super::place::Place;
use super::super::{print, tell};
use super::{Form, json, line_of_anybody, store};

/// How often it is looked for what is new.
const POLL: Duration = Duration::from_millis(500);

/// So many new events are read at once.
const AT_ONCE: usize = 1_000;

/// What to list, and how much.
#[derive(Debug, Args)]
pub struct List {
    /// How many of the newest events
    #[arg(long, default_value = "20", value_name = "COUNT")]
    limit: NonZeroUsize,
    /// Only those since an instant, or of the last so many days: 2026-11-29T08:00:00Z, 36h, 7d
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    since: Option<Timestamp>,
    /// Only those before an instant, or until so many days ago
    #[arg(long, value_name = "WHEN", value_parser = instant)]
    until: Option<Timestamp>,
    /// Only those of one action, such as exchange, token or revoke
    #[arg(long, value_name = "ACTION", value_parser = action)]
    action: Option<AuditAction>,
    /// Only what was allowed, or only what was refused
    #[arg(long, value_enum, value_name = "OUTCOME")]
    outcome: Option<Outcome>,
    /// Only those of one provider, by its ID
    #[arg(long, value_name = "ID")]
    provider: Option<String>,
    /// Only those of requests from one address
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// Print the oldest first, and then whatever is decided, until you end it
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Outcome {
    Allowed,
    Refused,
}

impl List {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let store = store(&self.place).await?;
        let question = self.question();
        // What comes meanwhile is behind it.
        let everything = AuditQuestion::default();
        let newest = store.page_audit_events(&everything, Page { after: None, limit: 1 }).await?;
        let newest = newest.first().map(|newest| newest.position);
        let until = newest.map(|EventPosition(number)| EventPosition(number + 1));
        let found =
            store.page_audit_events(&question, Page { after: until, limit: self.limit.get() }).await?;
        if self.follow {
            found.iter().rev().try_for_each(|kept| print(&self.shown(&kept.event)))?;
            return self.follow_behind(&*store, &question, newest).await;
        }
        if found.is_empty() {
            tell(if question == everything {
                "The audit trail has no events."
            } else {
                "The audit trail has no such events."
            });
        }
        Ok(found.iter().try_for_each(|kept| print(&self.shown(&kept.event)))?)
    }

    async fn follow_behind(
        &self,
        store: &(impl AuditEvents + ?Sized),
        question: &AuditQuestion,
        mut after: Option<EventPosition>,
    ) -> anyhow::Result<()> {
        let mut is_away = false;
        loop {
            let new = match store.audit_events_after(Page { after, limit: AT_ONCE }).await {
                Err(StoreError::Unavailable(why)) => {
                    if !is_away {
                        tell(&format!("{:#}", anyhow::Error::from_boxed(why)));
                        tell("What is decided from now on is shown when the store answers again.");
                    }
                    is_away = true;
                    wait().await;
                    continue;
                }
                new => new?,
            };
            is_away = false;
            after = new.last().map(|last| last.position).or(after);
            let damaged: u64 = new.iter().map(|kept| kept.damaged).sum();
            if damaged > 0 {
                tell(&format!(
                    "Missing, or changed: {}. `daypass audit verify` says which.",
                    counted(damaged, "line", "lines")
                ));
            }
            let found = new.iter().filter(|kept| question.matches(&kept.event));
            found.clone().try_for_each(|kept| print(&self.shown(&kept.event)))?;
            if new.len() < AT_ONCE {
                wait().await;
            }
        }
    }

    fn question(&self) -> AuditQuestion {
        AuditQuestion {
            about: None,
            since: self.since,
            until: self.until,
            action: self.action,
            outcome: self.outcome.map(|outcome| match outcome {
                Outcome::Allowed => AuditOutcome::Allowed,
                Outcome::Refused => AuditOutcome::Refused,
            }),
            provider: self.provider.clone(),
            address: self.address,
        }
    }

    fn shown(&self, event: &AuditEvent) -> String {
        if self.form.json { json(event) } else { line_of_anybody(event) }
    }
}

#[expect(clippy::disallowed_methods, reason = "whoever follows waits by the clock on the wall")]
async fn wait() {
    tokio::time::sleep(POLL).await;
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let ago = seconds::parse(text).map(SignedDuration::from_secs);
    let instant = ago.and_then(|ago| SystemClock.now().checked_sub(ago).ok());
    instant.or_else(|| text.parse().ok()).ok_or_else(|| "write 2026-11-29T08:00:00Z, 36h or 7d".into())
}

fn action(text: &str) -> Result<AuditAction, String> {
    AuditAction::of_name(text)
        .ok_or_else(|| format!("there are {}", AuditAction::ALL.map(AuditAction::name).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_one_or_so_long_ago() {
        assert_eq!(instant("1970-01-01T00:00:07Z").unwrap().as_second(), 7);
        let ago = SystemClock.now().duration_since(instant("36h").unwrap());
        assert!((ago - SignedDuration::from_hours(36)).abs() < SignedDuration::from_secs(60));
        for wrong in ["", "yesterday", "2026-11-29", "-1h"] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_action_that_is_none_is_told_with_those_there_are() {
        assert_eq!(action("token"), Ok(AuditAction::Token));
        assert!(action("tokens").unwrap_err().contains("sign_in, device, exchange"));
    }
}
