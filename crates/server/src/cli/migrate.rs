//! `daypass migrate`: brings the store to the version of this program.

use clap::Args;
use daypass_core::ground::counting::counted;

use super::place::Place;
use super::{print, tell};

/// What to bring there, and whether.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Say each step, and make none
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

pub async fn run(Arguments { dry_run, place }: Arguments) -> anyhow::Result<()> {
    let installation = place.find()?;
    let store = installation.config().store()?;
    let steps = if dry_run {
        let due = installation.steps_due().await?;
        for step in &due {
            print(step)?;
        }
        due.len()
    } else {
        // Whoever does not read the steps has them made all the same.
        installation.migrate(&mut |step| drop(print(step))).await?
    };
    let made = counted(steps as u64, "step", "steps");
    tell(&match (steps, dry_run) {
        (0, _) => format!("Nothing is to be done: {store} has the version of this program."),
        (_, true) => format!("{store} lacks {made}. Nothing was done."),
        (_, false) => format!("{store} has the version of this program now: {made} made."),
    });
    Ok(())
}
