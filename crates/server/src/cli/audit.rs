//! `daypass audit`: from an identity, an access key, a request or a user to the person behind it, what was decided, and whether
//! the trail is as it was written.

mod exports;
mod list;
mod verify;

use anyhow::{Context, ensure};
use clap::{Args, Subcommand};
use daypass_core::audit::{AuditEvent, AuditOutcome, AuditSubject};
use daypass_core::ground::ids::{AccessKeyId, ActorId, IdentityId};
use daypass_core::operator::people::{self, Findings, Person};
use daypass_core::store::SharedStore;
use daypass_store::Open;

pub use self::exports::Exports;
pub use self::list::List;
pub use self::verify::{Key, Verify};
use super::place::Place;
use super::print;
use crate::installation::Installation;
use crate::printable::{is_obeyed, printable};

/// The newest events that are shown of one person.
const SHOWN: usize = 20;

/// What the audit trail can be asked.
#[derive(Debug, Subcommand)]
pub enum Question {
    /// Name the person behind an identity, an access key or a request, and what they did last
    Who(Who),
    /// List the identities of a person, in every Region, and what they did last
    User(User),
    /// List what was decided last, whoever asked: by requests, and by commands
    List(List),
    /// Find out whether the trail is as it was written: nothing changed, taken out or cut off
    Verify(Verify),
    /// Show how far each exporter of the trail has come, and what its receiver never got
    Exports(Exports),
    /// Print the key that verifies the signed heads of the trail, for whoever verifies a copy elsewhere
    Key(Key),
}

/// How to print.
#[derive(Debug, Args)]
struct Form {
    /// Print the events alone, as the audit lines have them: a line of JSON each
    #[arg(long)]
    json: bool,
}

/// Whose identities to list.
#[derive(Debug, Args)]
pub struct User {
    /// The developer user identifier: the provider's ID, a colon and the external ID
    #[arg(value_name = "IDENTIFIER")]
    identifier: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
}

/// Whom to name.
#[derive(Debug, Args)]
pub struct Who {
    /// An identity ID, an access key ID or a request ID, as it stands in a log or a bucket
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    form: Form,
    #[command(flatten)]
    place: Place,
}

pub async fn run(question: Question) -> anyhow::Result<()> {
    match question {
        Question::Who(Who { id, form, place }) => find(&id, &subject(&id)?, &form, &place).await,
        Question::User(User { identifier, form, place }) => {
            find(&identifier, &AuditSubject::DeveloperUser(identifier.clone()), &form, &place).await
        }
        Question::List(list) => list.run().await,
        Question::Verify(verify) => verify.run().await,
        Question::Exports(exports) => exports.run().await,
        Question::Key(key) => key.run().await,
    }
}

/// The store of an installation whose events are kept.
async fn store(place: &Place) -> anyhow::Result<SharedStore> {
    let installation = place.find()?;
    ensure_kept(&installation)?;
    installation.store(Open::Existing).await
}

fn ensure_kept(installation: &Installation) -> anyhow::Result<()> {
    ensure!(
        installation.config().audit_destination().is_kept(),
        "nothing is kept here: [audit] to = \"log\" has whoever collects the log keep the events; ask there"
    );
    Ok(())
}

async fn find(asked: &str, subject: &AuditSubject, form: &Form, place: &Place) -> anyhow::Result<()> {
    let findings = people::find(&*store(place).await?, subject, SHOWN).await?;
    ensure!(
        !findings.is_empty(),
        "the audit trail knows nothing of {asked}; of refusals of requests that proved nothing it keeps a sample, in \
         which the newest take the places of the oldest"
    );
    if form.json {
        return findings.events.iter().try_for_each(|event| Ok(print(&json(event))?));
    }
    Ok(print(&report(&findings))?)
}

/// JSON escapes the control characters of ASCII alone.
fn json(event: &AuditEvent) -> String {
    let text = serde_json::to_string(event).expect("an event is plain data");
    let escaped = |c: char| if is_obeyed(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn subject(text: &str) -> anyhow::Result<AuditSubject> {
    AuditSubject::of_id(text).with_context(|| {
        format!("{text:?} is no identity ID (REGION:GUID), access key ID (ASIA…, AKIA…) or request ID (GUID)")
    })
}

fn report(findings: &Findings) -> String {
    let Findings { people, identities, events, unproved } = findings;
    let mut lines: Vec<String> = Vec::new();
    lines.extend(people.iter().map(person));
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

fn person(person: &Person) -> String {
    match person {
        Person::DeveloperUser(user) => format!("person    {}", printable(user)),
        Person::PublicLogin(login) => format!("login     {}", printable(login)),
    }
}

/// The identity that was asked about is not that of whoever asked, as far as anybody knows.
fn unproved_line(event: &AuditEvent) -> String {
    let about = event.identity_id.as_ref().map(|id| format!("\n  about     {id}"));
    line(event) + &about.unwrap_or_default()
}

/// Whose it is stands with each.
fn line_of_anybody(event: &AuditEvent) -> String {
    let whose = [
        ("person", event.developer_user_identifier.as_deref()),
        ("login", event.login.as_deref()),
        ("identity", event.identity_id.as_ref().map(IdentityId::as_str)),
    ];
    with_details(line(event), whose)
}

fn line(event: &AuditEvent) -> String {
    let outcome = if event.outcome == AuditOutcome::Allowed { "allowed" } else { "refused" };
    let head = format!("{:.0}  {:<11}  {outcome}", event.time, event.action.name());
    let address = event.source_ip.map(|address| address.to_string());
    let details = [
        ("reason", event.reason.as_deref()),
        ("detail", event.detail.as_deref()),
        ("provider", event.provider.as_deref()),
        ("actor", event.actor.as_ref().map(ActorId::as_str)),
        ("resource", event.resource.as_deref()),
        ("key", event.access_key_id.as_ref().map(AccessKeyId::as_str)),
        ("address", address.as_deref()),
        ("agent", event.user_agent.as_deref()),
        ("request", Some(event.request_id.as_str())),
    ];
    with_details(head, details)
}

fn with_details<const N: usize>(lines: String, details: [(&str, Option<&str>); N]) -> String {
    let known = details.into_iter().filter_map(|(name, value)| Some((name, printable(value?))));
    known.fold(lines, |lines, (name, value)| format!("{lines}\n  {name:<9} {value}"))
}

#[cfg(test)]
mod tests {
    use daypass_core::audit::AuditAction;
    use daypass_core::ground::clock::Timestamp;
    use daypass_core::ground::ids::RequestId;

    use super::*;

    fn event(reason: &str) -> AuditEvent {
        AuditEvent {
            time: Timestamp::UNIX_EPOCH,
            request_id: RequestId::parse("01234567-89ab-4def-8123-456789abcdef").unwrap(),
            action: AuditAction::Token,
            outcome: AuditOutcome::Refused,
            reason: Some(reason.into()),
            detail: Some("not\u{7} you".into()),
            provider: None,
            developer_user_identifier: None,
            actor: ActorId::parse("mailer").ok(),
            login: None,
            identity_id: Some(IdentityId::parse("us-east-1:aa").unwrap()),
            access_key_id: None,
            resource: None,
            source_ip: "203.0.113.9".parse().ok(),
            user_agent: Some("curl\u{9b}/8\u{202e}".into()),
        }
    }

    /// What a stranger sent must not move the cursor of whoever looks at it.
    #[test]
    fn a_report_names_people_identities_and_events_and_obeys_none_of_them() {
        let findings = Findings {
            people: [Person::DeveloperUser("ada\u{1b}[2J".into()), Person::PublicLogin("x 1".into())].into(),
            identities: [IdentityId::parse("us-east-1:aa").unwrap()].into(),
            events: vec![event("no\r")],
            unproved: vec![event("nobody")],
        };
        assert_eq!(
            report(&findings),
            "person    ada\u{FFFD}[2J\n\
             login     x 1\n\
             identity  us-east-1:aa\n\
             \n\
             1970-01-01T00:00:00Z  token        refused\n  reason    no\u{FFFD}\n  detail    not\u{FFFD} you\n  \
             actor     mailer\n  address   203.0.113.9\n  agent     curl\u{FFFD}/8\u{FFFD}\n  request   01234567-89ab-4def-8123-456789abcdef\n\
             \n\
             Refused to whoever sent this, who proved nothing:\n\
             1970-01-01T00:00:00Z  token        refused\n  reason    nobody\n  detail    not\u{FFFD} you\n  \
             actor     mailer\n  address   203.0.113.9\n  agent     curl\u{FFFD}/8\u{FFFD}\n  request   01234567-89ab-4def-8123-456789abcdef\n  about     us-east-1:aa"
        );
    }

    #[test]
    fn an_event_among_those_of_others_says_whose_it_is() {
        let event = AuditEvent { developer_user_identifier: Some("ada\u{9b}".into()), ..event("no") };
        let listed = line_of_anybody(&event);
        assert!(listed.starts_with("1970-01-01T00:00:00Z  token        refused\n"), "{listed}");
        assert!(listed.ends_with("\n  person    ada\u{FFFD}\n  identity  us-east-1:aa"), "{listed}");
        let read: AuditEvent = serde_json::from_str(&json(&event)).unwrap();
        assert!(read == event && !json(&event).contains(is_obeyed), "a terminal obeys no line of JSON");
    }

    #[test]
    fn a_report_of_nobody_says_so() {
        let findings = Findings { unproved: vec![event("nobody")], ..Findings::default() };
        let report = report(&findings);
        assert!(report.starts_with("person    unknown: nobody was signed in\n\nRefused to"), "{report}");
    }
}
