//! `daypass pool copy`: a pool's whole configuration, to another Region or from and to a running Daypass.

mod apply;
mod configuration;
mod end;
mod plan;

use std::path::PathBuf;

use anyhow::{bail, ensure};
use clap::Args;

use self::end::{End, Place, Pool, Way};
use self::plan::Plan;
use crate::cli::{print, tell};
use daypass_core::ground::counting::counted;

/// From where to where, and how far.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The pool to copy: its ID, or a Region with a single pool
    #[arg(long, value_name = "REGION[:POOL]", value_parser = Place::parse)]
    from: Place,
    /// Where to: a Region, or the ID of a pool that is to become the same
    #[arg(long, value_name = "REGION[:POOL]", value_parser = Place::parse)]
    to: Place,
    /// Make the changes after showing them
    #[arg(long)]
    apply: bool,
    /// At the end, compare both; any difference is a failure
    #[arg(long)]
    verify: bool,
    /// Leave out roles, role mappings and principal tag maps
    #[arg(long)]
    settings_only: bool,
    /// The source's URL, if it is not AWS
    #[arg(long, value_name = "URL")]
    from_endpoint: Option<String>,
    /// The source's AWS profile
    #[arg(long, value_name = "NAME")]
    from_profile: Option<String>,
    /// The source is the `daypass up` of this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["from_endpoint", "from_profile"])]
    from_dir: Option<PathBuf>,
    /// The target's URL, if it is not AWS
    #[arg(long, value_name = "URL")]
    to_endpoint: Option<String>,
    /// The target's AWS profile
    #[arg(long, value_name = "NAME")]
    to_profile: Option<String>,
    /// The target is the `daypass up` of this directory
    #[arg(long, value_name = "DIR", conflicts_with_all = ["to_endpoint", "to_profile"])]
    to_dir: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { from, to, apply, verify, settings_only, .. } = &arguments;
    let (from_way, to_way) = arguments.ways();
    let source = End::connect(&from.region, &from_way).await;
    let target = End::connect(&to.region, &to_way).await;
    let id = source.choose(from.pool.as_deref()).await?;
    ensure!(
        from_way != to_way || to.pool.as_ref() != Some(&id),
        "{id} is source and target at once: name another target"
    );
    tell(&format!("reading {id}"));
    let pool = source.read(&id, *settings_only).await?;
    let plan = Plan::new(pool, find_target(&target, to, &id, *settings_only).await?)?;
    print(&plan.page(&source.to_string(), &target.to_string()))?;
    let plan = if *apply && !plan.is_done() { carry_out(plan, &target, *settings_only).await? } else { plan };
    say_what_is_left(&plan, &target).await?;
    if *verify {
        return compare(&plan, &source, &target, *settings_only).await;
    }
    if !apply && !plan.is_done() {
        tell("\nNothing was changed. --apply makes the changes.");
    }
    Ok(())
}

impl Arguments {
    fn ways(&self) -> (Way, Way) {
        let way = |endpoint: &Option<String>, profile: &Option<String>, dir: &Option<PathBuf>| Way {
            endpoint: endpoint.clone(),
            profile: profile.clone(),
            dir: dir.clone(),
        };
        (
            way(&self.from_endpoint, &self.from_profile, &self.from_dir),
            way(&self.to_endpoint, &self.to_profile, &self.to_dir),
        )
    }
}

/// The pool that is named, or the one that an interrupted run made.
async fn find_target(
    target: &End,
    to: &Place,
    source: &str,
    settings_only: bool,
) -> anyhow::Result<Option<Pool>> {
    if let Some(id) = &to.pool {
        return target.read(id, settings_only).await.map(Some);
    }
    let copy = target.find_copy(source, settings_only).await?;
    if let Some(copy) = &copy {
        tell(&format!("found {}, which was copied from {source}", copy.id));
    }
    Ok(copy)
}

/// Makes the changes, and answers what is left of the plan: nothing, unless the target keeps less than it is
/// told.
async fn carry_out(plan: Plan, target: &End, settings_only: bool) -> anyhow::Result<Plan> {
    let applied = apply::apply(&plan, target).await;
    let id = applied.map_err(|error| error.context("the copy is not complete; the same command goes on"))?;
    let left = Plan::new(plan.source, Some(target.read(&id, settings_only).await?))?;
    if left.is_done() {
        tell(&format!("{id} is set to the same."));
    } else {
        tell(&format!("{id} does not show all of it yet:\n{}", plan::list(&left.differences)));
    }
    Ok(left)
}

async fn say_what_is_left(plan: &Plan, target: &End) -> anyhow::Result<()> {
    if let Some(trust) = plan.trust() {
        print(&format!("\n{trust}"))?;
    }
    // Who must not ask for it can copy all the same.
    let account = target.partition_and_account().await.ok().map(|(_, account)| account);
    plan.warnings(account.as_deref()).iter().for_each(|warning| tell(&format!("\nNote: {warning}")));
    Ok(())
}

/// Reads both anew and compares.
async fn compare(plan: &Plan, source: &End, target: &End, settings_only: bool) -> anyhow::Result<()> {
    let Some(pool) = &plan.target else { bail!("there is no copy of {} in {target}", plan.source.id) };
    let now = source.read(&plan.source.id, settings_only).await?;
    let differences = {
        let copy = target.read(&pool.id, settings_only).await?;
        now.configuration.differences(&copy.configuration)
    };
    if differences.is_empty() {
        tell(&format!("\n{} and {} are set to the same.", now.id, pool.id));
        return Ok(());
    }
    print(&format!("\n{}", plan::list(&differences)))?;
    let places = counted(differences.len() as u64, "place", "places");
    bail!("{} and {} differ in {places}", now.id, pool.id)
}
