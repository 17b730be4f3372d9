//! `daypass provider`: what providers there are, what each of them takes, and whether one works.

mod block;
mod listing;
#[cfg(test)]
mod page;
mod trial;

use clap::Subcommand;
use daypass_core::login::provider::catalogue;
use daypass_core::login::provider::definition::Definition;

use super::{print, tell};

/// What can be done with providers.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// List the catalogue: names, grades, accepted proofs
    List,
    /// Show all that an operator has to know about one provider
    Show {
        /// Its ID, as `list` has it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Print the block of a provider, to be filled in and put into the configuration
    Add {
        /// An ID of `list`, or one of your own for a provider that is not there
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Have a provider of your configuration confirm a real login, and watch each step
    ///
    /// Without a proof it starts one: it prints the address to sign in at.
    Try(Box<trial::Arguments>),
}

pub async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::List => Ok(print(&listing::list())?),
        Task::Show { id } => Ok(print(&listing::show(&id, &known(&id)?))?),
        Task::Add { id } => add(&id),
        Task::Try(arguments) => trial::run(*arguments).await,
    }
}

fn known(id: &str) -> anyhow::Result<Definition> {
    Definition::of_catalogue(id).ok_or_else(|| {
        let guess = catalogue::nearest(id).map(|near| format!(" Did you mean {near}?")).unwrap_or_default();
        anyhow::anyhow!(
            "the catalogue has no provider {id:?}.{guess} `daypass provider list` has all of them."
        )
    })
}

/// A name that is nearly one of the catalogue's is more likely misspelt than new.
fn add(id: &str) -> anyhow::Result<()> {
    if let Some(definition) = Definition::of_catalogue(id) {
        return Ok(print(&block::of(id, &definition))?);
    }
    if let Some(near) = catalogue::nearest(id) {
        tell(&format!("The catalogue has no {id:?}, but {near:?}. This is the block of a new provider:"));
    }
    Ok(print(&block::new(id)?)?)
}
