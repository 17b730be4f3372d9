//! What is refused, on the page.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::markdown::{anchor, block, paragraph, table};
use super::super::operation::Operation;
use super::super::operations::operations;
use super::super::refusals::{KINDS, Kind, Speech};
use super::super::told::{Told, told};
use super::Page;

const FORMS: [(&str, &str, &str, &str); 2] = [
    (
        "At `/v1`, and wherever there is nothing",
        "Problem details (RFC 9457), of the type `application/problem+json`.",
        "Problem",
        r#"{"type":"about:blank","title":"Unauthorized","status":401,
 "detail":"The provider refused the proof: …","code":"proof_refused",
 "request_id":"0663359f-…"}"#,
    ),
    (
        "At `/oauth2`",
        "Errors of RFC 6749, as JSON.",
        "OAuthError",
        r#"{"error":"invalid_grant",
 "error_description":"The session was signed out. Sign in anew.",
 "code":"refresh_token_refused","reason":"signed_out"}"#,
    ),
];

impl Page<'_> {
    /// What an operation refuses: its own table, and where the rest stands.
    pub(super) fn refusals(&self, operation: &Operation) -> String {
        let own = operation.refusals.iter().filter(|refusals| refusals.kind.is_none());
        let own: Vec<Told> = own.flat_map(|refusals| told(operation, refusals)).collect();
        let mut text = String::new();
        if !own.is_empty() {
            text += &self.table_of(&own, operation.speech == Speech::Page);
        }
        let kinds =
            KINDS.iter().filter(|kind| operation.refusals.iter().any(|refusals| refusals.is_of(kind)));
        let linked: Vec<String> =
            kinds.map(|kind| format!("[{}]({})", kind.name.to_lowercase(), anchor(kind.name))).collect();
        let also = if own.is_empty() { "Refused" } else { "Refused as well" };
        text + &paragraph(&format!("{also}, as at other paths: {}.", linked.join(", ")))
    }

    /// How it is told, and what many operations refuse, each kind once.
    pub(super) fn all_refusals(&self) -> String {
        let mut text = "\n## How it is refused\n".to_owned();
        text += &paragraph(
            "`code` says what is wrong, and keeps its meaning; [errors](errors.md) has all codes in one table. Every 429 and 503 \
             comes with `Retry-After`, in seconds: what else is refused is refused again.",
        );
        for (heading, about, schema, example) in FORMS {
            let _ = write!(text, "\n### {heading}\n{}", paragraph(about));
            text += &self.members_of(&self.schemas[schema]);
            text += &block("json", example);
        }
        text += "\n## What is refused at several paths\n";
        for kind in KINDS {
            let _ = write!(
                text,
                "\n### {}\n{}{}",
                kind.name,
                paragraph(kind.about),
                self.table_of(&all_of(kind), false)
            );
        }
        text
    }

    fn table_of(&self, all: &[Told], on_page: bool) -> String {
        let mut by_code: BTreeMap<&str, Vec<&Told>> = BTreeMap::new();
        for told in all {
            by_code.entry(&told.code).or_default().push(told);
        }
        let rows: Vec<[String; 3]> = by_code
            .into_iter()
            .map(|(code, told)| {
                let mut words: Vec<String> = told.iter().map(|told| self.words.of(told, on_page)).collect();
                [format!("`{code}`"), statuses(&told), words.remove(0)]
            })
            .collect();
        table(["Code", "Status", "What is wrong → what to do"], &rows)
    }
}

fn all_of(kind: &Kind) -> Vec<Told> {
    operations()
        .flat_map(|(_, operation)| operation.refusals.iter().map(move |refusals| (operation, refusals)))
        .filter(|(_, refusals)| refusals.is_of(kind))
        .flat_map(|(operation, refusals)| told(operation, refusals))
        .collect()
}

/// The statuses of one code, and what `/oauth2` calls it.
fn statuses(told: &[&Told]) -> String {
    let mut plain: Vec<String> =
        told.iter().filter(|told| told.error.is_none()).map(|told| told.status.to_string()).collect();
    plain.sort();
    plain.dedup();
    let mut named: BTreeMap<u16, Vec<String>> = BTreeMap::new();
    for told in told {
        let Some(error) = &told.error else { continue };
        let names = named.entry(told.status).or_default();
        let name = format!("`{error}`");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let named: Vec<String> =
        named.into_iter().map(|(status, names)| format!("{status} {}", names.join(" or "))).collect();
    match (plain.join(", "), named.join(", ")) {
        (plain, named) if named.is_empty() => plain,
        (plain, named) if plain.is_empty() => named,
        (plain, named) => format!("{plain}; at `/oauth2` {named}"),
    }
}
