//! Policy documents and their statements, read into a compiled form that only has to be asked.

use super::arn::ArnPattern;
use super::condition::{Line, parse_condition, refuse_vacuous_grants};
use super::error::PolicyError;
use super::glob::{Case, Glob};
use super::json::{Json, Object};
use super::key::{Document, Key};
use super::request::{Decision, Request};
use super::truth::Truth;

/// The only version of the language that knows policy variables. Under the older one `${…}` is plain
/// text, and a policy that looks confined would not be.
const VERSION: &str = "2012-10-17";

/// IAM's own limit for the policies of a role.
const MAX_CHARACTERS: usize = 10_240;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    actions: Selection<Glob>,
    resources: Selection<ArnPattern>,
    pub(super) conditions: Vec<Line>,
}

/// What `Action` or `Resource` names; or with the `Not…` form, everything else.
#[derive(Debug, Clone)]
struct Selection<P> {
    patterns: Vec<P>,
    inverted: bool,
}

impl<P> Selection<P> {
    fn covers(&self, matches: impl Fn(&P) -> Truth) -> Truth {
        let named = Truth::any(self.patterns.iter().map(matches));
        if self.inverted { named.not() } else { named }
    }
}

impl Statement {
    /// Whether the statement speaks about the request.
    fn applies(&self, request: &Request<'_>) -> Truth {
        self.covers_action(request.action)
            .and(|| self.resources.covers(|pattern| pattern.covers(request.resource, request.context)))
            .and(|| Truth::all(self.conditions.iter().map(|line| line.holds(request.context))))
    }

    /// Whether it asks where requests come from.
    pub(super) fn asks_for_origin(&self) -> bool {
        self.conditions.iter().any(|line| matches!(line.key, Key::SourceIp | Key::SecureTransport))
    }

    pub(super) fn covers_action(&self, action: &str) -> Truth {
        self.actions.covers(|pattern| pattern.matches(action, Case::Ignored).into())
    }
}

/// What the statements of one or several documents, taken together, say about a request.
pub(super) fn decide<'s>(
    statements: impl IntoIterator<Item = &'s Statement>,
    request: &Request<'_>,
) -> Decision {
    let mut decision = Decision::NotAllowed;
    for statement in statements {
        match (statement.effect, statement.applies(request)) {
            (Effect::Deny, Truth::Yes | Truth::Unknown) => return Decision::ExplicitlyDenied,
            (Effect::Allow, Truth::Yes) => decision = Decision::Allowed,
            (Effect::Deny, Truth::No) | (Effect::Allow, Truth::Unknown | Truth::No) => {}
        }
    }
    decision
}

/// Reads a document with `parse` for each of its statements.
pub(super) fn parse_document(
    json: &str,
    parse: impl Fn(Object) -> Result<Statement, PolicyError>,
) -> Result<Vec<Statement>, PolicyError> {
    if json.chars().count() > MAX_CHARACTERS {
        return Err(PolicyError::new(format!("longer than {MAX_CHARACTERS} characters; split it")));
    }
    let mut document = Json::parse(json)?.into_object()?;
    check_version(&mut document)?;
    check_text(&mut document, "Id")?;
    let statements = document.require("Statement")?;
    document.finish("Version, Id, Statement")?;
    statements
        .into_list()
        .map_err(|error| error.within("Statement"))?
        .into_iter()
        .enumerate()
        .map(|(index, statement)| {
            statement.into_object().and_then(&parse).map_err(|error| error.in_statement(index + 1))
        })
        .collect()
}

/// A statement of a policy that says what a session may do.
pub(super) fn parse_identity_statement(mut members: Object) -> Result<Statement, PolicyError> {
    for name in ["Principal", "NotPrincipal"] {
        if members.take(name).is_some() {
            return Err(PolicyError::new(format!(
                "{name} does not belong here: a role's policy speaks about whoever has the role; \
                 who may take it on stands in the trust policy"
            )));
        }
    }
    let statement = Statement {
        effect: take_effect(&mut members)?,
        actions: take_selection(&mut members, ["Action", "NotAction"], parse_action)?,
        resources: take_selection(&mut members, ["Resource", "NotResource"], |text| {
            ArnPattern::parse(text, Document::Identity)
        })?,
        conditions: take_conditions(&mut members, Document::Identity)?,
    };
    finish(statement, members, "Sid, Effect, Action, NotAction, Resource, NotResource, Condition")
}

/// A statement of a policy that says who may take on a role. `check_principal` looks at whom it names.
pub(super) fn parse_trust_statement(
    mut members: Object,
    check_principal: impl Fn(Json) -> Result<(), PolicyError>,
    check_action: impl Fn(&str) -> Result<Glob, PolicyError>,
) -> Result<Statement, PolicyError> {
    check_principal(members.require("Principal")?).map_err(|error| error.within("Principal"))?;
    let actions = members.require("Action")?.into_texts();
    let patterns = actions.and_then(|names| names.iter().map(|name| check_action(name)).collect());
    let statement = Statement {
        effect: take_effect(&mut members)?,
        actions: Selection {
            patterns: patterns.map_err(|error: PolicyError| error.within("Action"))?,
            inverted: false,
        },
        // The resource is the role that the policy is attached to.
        resources: Selection { patterns: vec![ArnPattern::Anything], inverted: false },
        conditions: take_conditions(&mut members, Document::Trust)?,
    };
    finish(statement, members, "Sid, Effect, Principal, Action, Condition; a trust policy has no Resource")
}

fn finish(statement: Statement, mut members: Object, known: &str) -> Result<Statement, PolicyError> {
    check_text(&mut members, "Sid")?;
    members.finish(known)?;
    if statement.effect == Effect::Allow {
        refuse_vacuous_grants(&statement.conditions).map_err(|error| error.within("Condition"))?;
    }
    Ok(statement)
}

fn check_version(document: &mut Object) -> Result<(), PolicyError> {
    let version = document.require("Version")?.into_text().map_err(|error| error.within("Version"))?;
    if version == VERSION {
        return Ok(());
    }
    let problem =
        format!("Version {version:?} is not supported; write {VERSION:?}, which has policy variables");
    Err(PolicyError::new(problem))
}

/// `Id` and `Sid` are notes to people.
fn check_text(members: &mut Object, name: &str) -> Result<(), PolicyError> {
    match members.take(name) {
        None => Ok(()),
        Some(json) => json.into_text().map(drop).map_err(|error| error.within(name)),
    }
}

fn take_effect(members: &mut Object) -> Result<Effect, PolicyError> {
    match members.require("Effect")?.into_text().as_deref() {
        Ok("Allow") => Ok(Effect::Allow),
        Ok("Deny") => Ok(Effect::Deny),
        _ => Err(PolicyError::new("Effect is neither \"Allow\" nor \"Deny\"")),
    }
}

fn take_conditions(members: &mut Object, document: Document) -> Result<Vec<Line>, PolicyError> {
    match members.take("Condition") {
        None => Ok(Vec::new()),
        Some(json) => parse_condition(json, document).map_err(|error| error.within("Condition")),
    }
}

fn take_selection<P>(
    members: &mut Object,
    [name, inverse]: [&str; 2],
    parse: impl Fn(&str) -> Result<P, PolicyError>,
) -> Result<Selection<P>, PolicyError> {
    let (name, json, inverted) = match (members.take(name), members.take(inverse)) {
        (Some(json), None) => (name, json, false),
        (None, Some(json)) => (inverse, json, true),
        (Some(_), Some(_)) => return Err(PolicyError::new(format!("has {name} and {inverse}; keep one"))),
        (None, None) => return Err(PolicyError::new(format!("has neither {name} nor {inverse}; add one"))),
    };
    let texts = json.into_texts();
    let patterns = texts.and_then(|texts| texts.iter().map(|text| parse(text)).collect());
    Ok(Selection { patterns: patterns.map_err(|error: PolicyError| error.within(name))?, inverted })
}

/// `*`, or `service:Name` with wildcards in the name.
fn parse_action(text: &str) -> Result<Glob, PolicyError> {
    let well_formed = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty()
                && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?'))
        });
    if well_formed {
        return Ok(Glob::parse(text));
    }
    Err(PolicyError::new(format!("{text:?} is no action; write it like s3:GetObject, s3:Get* or *")))
}
