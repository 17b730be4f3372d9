//! `daypass audit exports`: how far each exporter has come.

use clap::Args;
use daypass_core::ground::clock::Timestamp;
use daypass_core::ground::counting::counted;
use daypass_core::store::{ExportPosition, Page, SharedStore, StoreError, TrailExtent};
use daypass_store::Open;
use indicatif::HumanCount;

use super::super::place::Place;
use super::super::{print, tell};
use super::ensure_kept;

/// Whose exporters to show.
#[derive(Debug, Args)]
pub struct Exports {
    #[command(flatten)]
    place: Place,
}

impl Exports {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let installation = self.place.find()?;
        ensure_kept(&installation)?;
        let exports = &installation.config().audit.exports;
        if exports.is_empty() {
            tell("Nothing is exported: the configuration has no [[audit.export]].");
            return Ok(());
        }
        let store = installation.store(Open::Existing).await?;
        for export in exports {
            let name = export.name.as_str();
            let position = store.find_export_position(name).await?;
            let extent = store.audit_trail_extent().await?;
            let oldest = oldest_left(&store, position.as_ref(), &extent).await?;
            print(&report(name, position.as_ref(), &extent, oldest).join("\n"))?;
        }
        Ok(())
    }
}

/// When the oldest event was decided that an exporter is not done with.
async fn oldest_left(
    store: &SharedStore,
    position: Option<&ExportPosition>,
    extent: &TrailExtent,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(position) = position else { return Ok(None) };
    let after = (position.trail == extent.trail).then_some(position.line);
    let next = store.audit_events_after(Page { after, limit: 1 }).await?;
    Ok(next.first().map(|next| next.event.time))
}

fn report(
    name: &str,
    position: Option<&ExportPosition>,
    extent: &TrailExtent,
    oldest: Option<Timestamp>,
) -> Vec<String> {
    let Some(position) = position else {
        return vec![name.to_owned(), "  has not begun: it does when a server starts with it".to_owned()];
    };
    let is_of_another = position.trail != extent.trail;
    let done = if is_of_another { 0 } else { position.line.0 };
    let (last, left) = (extent.last.0, extent.last.0.saturating_sub(done));
    let mut lines = vec![
        name.to_owned(),
        format!(
            "  done      up to line {} of {}, at {:.0}",
            HumanCount(done),
            HumanCount(last),
            position.moved_at
        ),
        match oldest {
            Some(oldest) => format!("  behind    {}, from {oldest:.0} on", counted(left, "line", "lines")),
            None => "  behind    nothing".to_owned(),
        },
    ];
    if is_of_another {
        lines.push("  trail     another one than was exported until now".to_owned());
    }
    if position.refused > 0 {
        let refused = counted(position.refused, "event", "events");
        lines.push(format!("  refused   {refused}, which the receiver never got"));
    }
    if position.dropped > 0 {
        let dropped = counted(position.dropped, "line", "lines");
        lines.push(format!("  dropped   {dropped}, before they were exported"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use daypass_core::store::EventPosition;

    use super::*;

    fn position() -> ExportPosition {
        ExportPosition {
            trail: "a".into(),
            line: EventPosition(1_000),
            moved_at: Timestamp::UNIX_EPOCH,
            refused: 0,
            dropped: 0,
        }
    }

    fn extent() -> TrailExtent {
        TrailExtent { trail: "a".into(), first: EventPosition(1), last: EventPosition(1_042) }
    }

    #[test]
    fn an_exporter_is_shown_with_what_it_is_behind_and_what_was_never_got() {
        let oldest = Timestamp::from_second(60).ok();
        let behind = ExportPosition { refused: 3, dropped: 1_700, ..position() };
        assert_eq!(
            report("siem", Some(&behind), &extent(), oldest),
            [
                "siem",
                "  done      up to line 1,000 of 1,042, at 1970-01-01T00:00:00Z",
                "  behind    42 lines, from 1970-01-01T00:01:00Z on",
                "  refused   3 events, which the receiver never got",
                "  dropped   1,700 lines, before they were exported",
            ]
        );
        let other = TrailExtent { trail: "b".into(), ..extent() };
        let told = report("siem", Some(&position()), &other, oldest);
        assert_eq!(told[1], "  done      up to line 0 of 1,042, at 1970-01-01T00:00:00Z");
        assert_eq!(told[3], "  trail     another one than was exported until now");
    }

    #[test]
    fn lines_about_the_trail_itself_are_nothing_that_is_left() {
        let told = report("siem", Some(&position()), &extent(), None);
        assert_eq!(told[2], "  behind    nothing");
        assert_eq!(told.len(), 3);
    }

    #[test]
    fn one_that_never_ran_says_so() {
        let told = report("siem", None, &extent(), None);
        assert_eq!(told, ["siem", "  has not begun: it does when a server starts with it"]);
    }
}
