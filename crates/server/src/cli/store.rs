//! `daypass store`: makes what a store needs, says how others make it, and copies one into another.

mod copy;

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use daypass_core::audit::{AuditAction, AuditDraft, Grounds};
use daypass_store::{DynamoUrl, Open, StoreUrl, TakenOver};

pub use self::copy::Arguments as Copying;
use super::place::Place;
use super::{operator, print, tell};
use crate::installation::Installation;

/// What to do with the store.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Make what the store of a configuration needs
    ///
    /// A table of DynamoDB's is made by nobody else: on demand, protected against
    /// deletion, with TTL and point-in-time recovery. Of the other stores the first
    /// start makes what is missing, too. What is there already stays; a store of an older
    /// version is brought to this one, also where the configuration says migrate = false.
    Create(Create),
    /// Copy everything of one store into another
    ///
    /// From SQLite to PostgreSQL or DynamoDB, and back: people, keys, sessions and the
    /// audit trail, as they are. End every server first. The store to copy into has
    /// nothing in it; no server starts on it until everything is there and was compared.
    /// A copy that was cut off is begun again by the same command.
    Copy(Copying),
    /// Have the DynamoDB table of a configuration be written in its Region from now on
    ///
    /// One Region writes a global table, and servers in another one do not start. When
    /// that Region is lost, say the new one in the URL of the store, and ask this there.
    /// Servers of the former Region stop within ten seconds of hearing of it. What they
    /// wrote last may be lost: end everybody's sessions then, by `revoke --everybody`.
    TakeOver(TakeOver),
    /// Print what makes the DynamoDB table of a configuration, or what may use it
    Describe(Describe),
}

/// Whose store to make.
#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    place: Place,
}

/// Whose table to write from here.
#[derive(Debug, Args)]
pub struct TakeOver {
    #[command(flatten)]
    place: Place,
}

/// How to describe it.
#[derive(Debug, Args)]
pub struct Describe {
    /// For whom: CloudFormation, Terraform, or IAM, whose policy lets Daypass use the table
    #[arg(long = "as", value_name = "FORM")]
    form: Form,
    #[command(flatten)]
    place: Place,
}

/// The forms of a description.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// A resource of an AWS CloudFormation template
    Cloudformation,
    /// A resource of Terraform's AWS provider
    Terraform,
    /// The least that the credentials of Daypass must be allowed; `store copy` needs
    /// dynamodb:Scan as well
    Policy,
}

pub async fn run(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Create(Create { place }) => create(&place.find()?).await,
        Task::TakeOver(TakeOver { place }) => take_over(&place.find()?).await,
        Task::Copy(copying) => Box::pin(copying.run()).await,
        Task::Describe(Describe { form, place }) => describe(form, &place.find()?),
    }
}

async fn create(installation: &Installation) -> anyhow::Result<()> {
    if let StoreUrl::Dynamo(_) = installation.config().store()? {
        tell("Making the table, or waiting until it is there: some seconds.");
    }
    installation.create_store().await?;
    Ok(print(&format!("{} is there, and has a store in it.", installation.config().store()?))?)
}

async fn take_over(installation: &Installation) -> anyhow::Result<()> {
    let url = installation.opening_url().await?;
    let TakenOver::Now { from, to } = daypass_store::take_over(&url).await? else {
        return Ok(print(&format!("{url} is written here already."))?);
    };
    let was = from.as_ref().map(|from| format!(" was written in {from}, and")).unwrap_or_default();
    // Not before: the trail is in the table, where nothing may be written from here until then.
    let recorded = record_take_over(installation, &url, from.as_deref(), &to).await;
    print(&format!("{url}{was} is written here from now on."))?;
    recorded.context("the table is written here now, but its audit trail could not keep that")
}

async fn record_take_over(
    installation: &Installation,
    url: &StoreUrl,
    from: Option<&str>,
    to: &str,
) -> anyhow::Result<()> {
    let store = installation.store(Open::Existing).await?;
    let mut draft = AuditDraft::by(AuditAction::TakeOver, &operator());
    draft.resource = Some(url.to_string());
    let was = from.map(|from| format!(", and in {from} before")).unwrap_or_default();
    let detail = format!("written in {to} from now on{was}");
    Ok(installation.trail(&store)?.noted(draft, Grounds::new("taken_over", detail)).await?)
}

fn describe(form: Form, installation: &Installation) -> anyhow::Result<()> {
    match installation.config().store()? {
        StoreUrl::Dynamo(url) => Ok(print(&form.describe(url))?),
        other => {
            anyhow::bail!("{other} is no table of DynamoDB's: nobody but Daypass has to make anything of it")
        }
    }
}

impl Form {
    fn describe(self, url: &DynamoUrl) -> String {
        let text = match self {
            Self::Cloudformation => include_str!("store/table.yaml"),
            Self::Terraform => include_str!("store/table.tf"),
            Self::Policy => include_str!("store/policy.json"),
        };
        let region = url.region().unwrap_or("*");
        text.trim_end().replace("TABLE_NAME", url.table()).replace("REGION", region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_the_table_and_leaves_nothing_open() {
        let url = DynamoUrl::try_from("dynamodb:people?region=eu-west-1".to_owned()).unwrap();
        for form in Form::value_variants() {
            let text = form.describe(&url);
            assert!(text.contains("people") && !text.contains("TABLE_NAME"), "{text}");
        }
        let policy: serde_json::Value = serde_json::from_str(&Form::Policy.describe(&url)).unwrap();
        let arn = "arn:aws:dynamodb:eu-west-1:*:table/people";
        assert_eq!(policy["Statement"][0]["Resource"], arn);
        let anywhere = DynamoUrl::try_from("dynamodb:people".to_owned()).unwrap();
        assert!(Form::Policy.describe(&anywhere).contains("arn:aws:dynamodb:*:*:table/people"));
    }
}
