//! `daypass audit who`: from an identity, an access key or a request to the person behind it.

use std::collections::BTreeSet;
use std::fmt;

use clap::{Args, Subcommand};
use daypass_core::audit::{AuditEvent, AuditOutcome, AuditSubject};
use daypass_core::ground::ids::{AccessKeyId, IdentityId, RequestId};
use daypass_core::records::identity::{Login, LoginProvider};
use daypass_core::store::Store;

use super::place::Place;
use super::{print, printable};

/// The newest events that are shown.
const SHOWN: usize = 20;
/// The newest events that are read: somebody who is active in one Region may have been in another one long ago.
const READ: usize = 1_000;

/// What the audit trail can be asked.
#[derive(Debug, Subcommand)]
pub enum Question {
    /// Name the person behind an identity, an access key or a request
    Who(Who),
    /// List the identities of a person, in every Region, and what they did last
    User(User),
}

/// List the identities of a person, in every Region, and what they did last.
#[derive(Debug, Args)]
pub struct User {
    /// The developer user identifier: the provider's ID, a colon and the external ID
    #[arg(value_name = "IDENTIFIER")]
    identifier: String,
    #[command(flatten)]
    place: Place,
}

/// Name the person behind an identity, an access key or a request, and what they did last.
#[derive(Debug, Args)]
pub struct Who {
    /// An identity ID, an access key ID or a request ID, as it stands in a log or a bucket
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    place: Place,
}

pub async fn run(question: Question) -> anyhow::Result<()> {
    let (asked, subject, place) = match question {
        Question::Who(who) => (who.id.clone(), subject(&who.id)?, who.place),
        Question::User(user) => {
            (user.identifier.clone(), AuditSubject::DeveloperUser(user.identifier), user.place)
        }
    };
    let store = place.open()?.store;
    let events = store.list_audit_events(&subject, READ).await?;
    let unproved = store.list_unproved_refusals(&subject, SHOWN).await?;
    let identities = identities(&subject, &events);
    let people = people(&*store, &identities, &events).await?;
    anyhow::ensure!(
        !(events.is_empty() && people.is_empty() && unproved.is_empty()),
        "the audit trail knows nothing of {asked}; of refusals of requests that proved nothing it keeps a sample, in \
         which the newest take the places of the oldest"
    );
    Ok(print(&report(&identities, &people, &events[..events.len().min(SHOWN)], &unproved))?)
}

fn subject(text: &str) -> anyhow::Result<AuditSubject> {
    if let Ok(id) = AccessKeyId::parse(text) {
        Ok(AuditSubject::AccessKey(id))
    } else if let Ok(id) = RequestId::parse(text) {
        Ok(AuditSubject::Request(id))
    } else if let Ok(id) = IdentityId::parse(text) {
        Ok(AuditSubject::Identity(id))
    } else {
        anyhow::bail!(
            "{text:?} is no identity ID (REGION:GUID), access key ID (ASIA…, AKIA…) or request ID (GUID)"
        )
    }
}

fn identities(subject: &AuditSubject, events: &[AuditEvent]) -> BTreeSet<IdentityId> {
    let asked = if let AuditSubject::Identity(id) = subject { Some(id) } else { None };
    events.iter().filter_map(|event| event.identity_id.as_ref()).chain(asked).cloned().collect()
}

/// Whoever a line names. A developer user identifier can be any text, so it stands for nobody's public login.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Person {
    DeveloperUser(String),
    /// As it stands in `amr`, or as it is linked: the provider, which holds no space, and its user.
    Public(String),
}

impl fmt::Display for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeveloperUser(user) => write!(f, "person    {}", printable(user)),
            Self::Public(login) => write!(f, "login     {}", printable(login)),
        }
    }
}

/// Everybody whose login is linked to the identities now, and whom the events name.
async fn people(
    store: &dyn Store,
    identities: &BTreeSet<IdentityId>,
    events: &[AuditEvent],
) -> anyhow::Result<BTreeSet<Person>> {
    let users = events.iter().filter_map(|event| event.developer_user_identifier.clone());
    let logins = events.iter().filter_map(|event| event.login.clone());
    let mut people: BTreeSet<Person> =
        users.map(Person::DeveloperUser).chain(logins.map(Person::Public)).collect();
    for id in identities {
        people.extend(store.list_logins(id).await?.into_iter().map(person));
    }
    Ok(people)
}

fn person(login: Login) -> Person {
    match login.provider {
        LoginProvider::Developer => Person::DeveloperUser(login.user),
        LoginProvider::Public(provider) => Person::Public(format!("{provider} {}", login.user)),
    }
}

fn report(
    identities: &BTreeSet<IdentityId>,
    people: &BTreeSet<Person>,
    events: &[AuditEvent],
    unproved: &[AuditEvent],
) -> String {
    let mut lines: Vec<String> = Vec::new();
    lines.extend(people.iter().map(ToString::to_string));
    if people.is_empty() {
        lines.push("person    unknown: nobody was signed in".into());
    }
    lines.extend(identities.iter().map(|id| format!("identity  {id}")));
    lines.push(String::new());
    lines.extend(events.iter().map(line));
    if !unproved.is_empty() {
        lines.extend((!events.is_empty()).then(String::new));
        lines.push("Refused to whoever sent this, who proved nothing:".into());
        lines.extend(unproved.iter().map(unproved_line));
    }
    lines.join("\n")
}

/// The identity that was asked about is not that of whoever asked, as far as anybody knows.
fn unproved_line(event: &AuditEvent) -> String {
    let about = event.identity_id.as_ref().map(|id| format!("\n  about     {id}"));
    line(event) + &about.unwrap_or_default()
}

fn line(event: &AuditEvent) -> String {
    let outcome = if event.outcome == AuditOutcome::Allowed { "allowed" } else { "refused" };
    let head = format!("{:.0}  {:<11}  {outcome}", event.time, event.action.name());
    let details = [
        ("reason", event.reason.as_deref()),
        ("provider", event.provider.as_deref()),
        ("resource", event.resource.as_deref()),
        ("key", event.access_key_id.as_ref().map(AccessKeyId::as_str)),
        ("request", Some(event.request_id.as_str())),
    ];
    let known = details.into_iter().filter_map(|(name, value)| Some((name, printable(value?))));
    known.fold(head, |lines, (name, value)| format!("{lines}\n  {name:<9} {value}"))
}
