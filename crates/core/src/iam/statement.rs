//! Policy documents and their statements, read into a compiled form that only has to be asked.

use super::arn::ArnPattern;
use super::condition::{Line, check_form, parse_condition, refuse_vacuous_grants};
use super::error::PolicyError;
use super::glob::{Case, Glob};
use super::json::{Json, Object};
use super::key::{Document, Key};
use super::request::{Decision, Request};
use super::template::Template;
use super::truth::Truth;

/// The version of the language that knows policy variables.
const VERSION: &str = "2012-10-17";
/// What IAM takes a document for that names no version. Here `${…}` is plain text, and a policy that looks confined would not
/// be (IAM User Guide, "IAM JSON policy elements: Version").
const OLD_VERSION: &str = "2008-10-17";

/// IAM's own limit for the policies of a role, white space aside (IAM User Guide, "IAM and AWS STS quotas").
const MAX_CHARACTERS: usize = 10_240;
/// The longest document that IAM reads at all (IAM API Reference, `PolicyDocument`).
const MAX_TEXT: usize = 131_072;

/// The services that are answered here. What a statement says of no other action than another service's is never asked.
const SERVED: &[&str] = &["cognito-identity", "iam", "s3", "sts"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Allow,
    Deny,
}

#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub(super) effect: Effect,
    actions: Selection<Action>,
    resources: Selection<ArnPattern>,
    pub(super) conditions: Vec<Line>,
}

/// What `Action` or `Resource` names; or with the `Not…` form, everything else.
#[derive(Debug, Clone)]
struct Selection<P> {
    patterns: Vec<P>,
    inverted: bool,
}

/// An action with wildcards, and whether it may be one of those that are answered here.
#[derive(Debug, Clone)]
pub(super) struct Action {
    glob: Glob,
    served: bool,
}

impl Selection<Action> {
    /// Whether an action that is answered here may be among them.
    fn are_served(&self) -> bool {
        self.inverted || self.patterns.iter().any(|action| action.served)
    }
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

    /// The condition keys that it asks for and that are never filled in, if anybody ever asks it.
    pub(super) fn unfilled(&self) -> impl Iterator<Item = &str> {
        let resources =
            self.resources.patterns.iter().filter_map(ArnPattern::resource).flat_map(Template::keys);
        resources
            .chain(self.conditions.iter().flat_map(Line::keys))
            .filter_map(Key::unfilled_name)
            .filter(|_| self.actions.are_served())
    }

    /// Whether it asks where requests come from.
    pub(super) fn asks_for_origin(&self) -> bool {
        self.conditions.iter().any(|line| matches!(line.key, Key::SourceIp | Key::SecureTransport))
    }

    pub(super) fn covers_action(&self, action: &str) -> Truth {
        self.actions.covers(|pattern| pattern.glob.matches(action, Case::Ignored).into())
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

/// Reads a document with `parse` for each of its statements, which may find that one is about nothing that is ever asked here.
pub(super) fn parse_document(
    json: &str,
    parse: impl Fn(Object) -> Result<Option<Statement>, PolicyError>,
) -> Result<Vec<Statement>, PolicyError> {
    check_length(json)?;
    let mut document = Json::parse(json)?.into_object()?;
    check_version(&mut document, json)?;
    check_text(&mut document, "Id")?;
    let statements = document.require("Statement")?;
    document.finish("Version, Id, Statement")?;
    statements
        .into_list()
        .map_err(|error| error.within("Statement"))?
        .into_iter()
        .enumerate()
        .filter_map(|(index, statement)| {
            let parsed = statement.into_object().and_then(&parse);
            parsed.map_err(|error| error.in_statement(index + 1)).transpose()
        })
        .collect()
}

fn check_length(json: &str) -> Result<(), PolicyError> {
    if json.len() > MAX_TEXT || json.chars().filter(|c| !c.is_whitespace()).count() > MAX_CHARACTERS {
        let problem = format!("longer than {MAX_CHARACTERS} characters, white space aside; split it");
        return Err(PolicyError::new(problem));
    }
    Ok(())
}

/// A statement of a policy that says what a session may do. One that speaks of actions of other services alone, which nobody
/// asks for here, has to be well formed, and may say what only those services understand.
pub(super) fn parse_identity_statement(mut members: Object) -> Result<Option<Statement>, PolicyError> {
    for name in ["Principal", "NotPrincipal"] {
        if members.take(name).is_some() {
            return Err(PolicyError::new(format!(
                "{name} does not belong here: a role's policy speaks about whoever has the role; \
                 who may take it on stands in the trust policy"
            )));
        }
    }
    let effect = take_effect(&mut members)?;
    let actions = take_selection(&mut members, ["Action", "NotAction"], parse_action)?;
    if actions.are_served() {
        return judged(effect, actions, members).map(Some);
    }
    if let Ok(statement) = judged(effect, actions, members.clone()) {
        return Ok(Some(statement));
    }
    take_selection(&mut members, RESOURCE, check_resource)?;
    pass_over(members, IDENTITY_MEMBERS)
}

/// The rest of a statement, of which everything counts.
fn judged(effect: Effect, actions: Selection<Action>, mut members: Object) -> Result<Statement, PolicyError> {
    let statement = Statement {
        effect,
        actions,
        resources: take_selection(&mut members, RESOURCE, |text| {
            ArnPattern::parse(text, Document::Identity)
        })?,
        conditions: take_conditions(&mut members, Document::Identity)?,
    };
    finish(statement, members, IDENTITY_MEMBERS)
}

const RESOURCE: [&str; 2] = ["Resource", "NotResource"];
const IDENTITY_MEMBERS: &str = "Sid, Effect, Action, NotAction, Resource, NotResource, Condition";
const TRUST_MEMBERS: &str = "Sid, Effect, Principal, Action, Condition; a trust policy has no Resource";

/// A statement of a policy that says who may take on a role. `concerns` says whether it is about anybody who comes here; a
/// statement about others has to be well formed, and nothing else of it counts.
pub(super) fn parse_trust_statement(
    mut members: Object,
    concerns: impl Fn(Json, Effect) -> Result<bool, PolicyError>,
    check_action: impl Fn(&str) -> Result<Glob, PolicyError>,
) -> Result<Option<Statement>, PolicyError> {
    let (principal, effect) = (members.require("Principal")?, take_effect(&mut members)?);
    let concerned = concerns(principal, effect).map_err(|error| error.within("Principal"))?;
    let actions = members.require("Action")?.into_texts().map_err(|error| error.within("Action"))?;
    if !concerned {
        return pass_over(members, TRUST_MEMBERS);
    }
    let action = |name: &String| Ok(Action { glob: check_action(name)?, served: true });
    let patterns = actions.iter().map(action).collect::<Result<_, PolicyError>>();
    let statement = Statement {
        effect,
        actions: Selection { patterns: patterns.map_err(|error| error.within("Action"))?, inverted: false },
        // The resource is the role that the policy is attached to.
        resources: Selection { patterns: vec![ArnPattern::Anything], inverted: false },
        conditions: take_conditions(&mut members, Document::Trust)?,
    };
    finish(statement, members, TRUST_MEMBERS).map(Some)
}

fn finish(statement: Statement, mut members: Object, known: &str) -> Result<Statement, PolicyError> {
    check_text(&mut members, "Sid")?;
    members.finish(known)?;
    match statement.effect {
        _ if !statement.actions.are_served() => {}
        Effect::Allow => {
            refuse_vacuous_grants(&statement.conditions).map_err(|error| error.within("Condition"))?;
        }
        Effect::Deny => refuse_blind_denials(&statement)?,
    }
    Ok(statement)
}

/// The end of a statement that is never asked.
fn pass_over(mut members: Object, known: &str) -> Result<Option<Statement>, PolicyError> {
    if let Some(json) = members.take("Condition") {
        check_form(json).map_err(|error| error.within("Condition"))?;
    }
    check_text(&mut members, "Sid")?;
    members.finish(known)?;
    Ok(None)
}

/// Whether a Deny takes hold must not depend on what nobody here knows: it would deny everything, or nothing.
fn refuse_blind_denials(statement: &Statement) -> Result<(), PolicyError> {
    let Some(key) = statement.unfilled().next() else { return Ok(()) };
    Err(PolicyError::new(format!(
        "denies by {key:?}, for which no request here has a value that is known; leave that out, which denies more, or let the \
         statement speak of the actions of other services alone (here are {})",
        SERVED.join(", ")
    )))
}

fn check_version(document: &mut Object, json: &str) -> Result<(), PolicyError> {
    let version = document.take("Version").map_or_else(|| Ok(OLD_VERSION.to_owned()), Json::into_text);
    let version = version.map_err(|error| error.within("Version"))?;
    let problem = match version.as_str() {
        VERSION => return Ok(()),
        OLD_VERSION if !json.contains("${") => return Ok(()),
        OLD_VERSION => {
            format!(
                "Version {OLD_VERSION:?}, which is that of a document without one, has no policy variables"
            )
        }
        _ => format!("Version {version:?} is not supported"),
    };
    Err(PolicyError::new(format!("{problem}; write {VERSION:?}, which has policy variables")))
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

/// A resource of another service.
fn check_resource(text: &str) -> Result<(), PolicyError> {
    if text == "*" || text.starts_with("arn:") {
        return Ok(());
    }
    Err(PolicyError::new(format!("{text:?} is neither `*` nor an ARN")))
}

/// `*`, or `service:Name` with wildcards in the name.
fn parse_action(text: &str) -> Result<Action, PolicyError> {
    let well_formed = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            !service.is_empty()
                && service.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'*' | b'?'))
        });
    if well_formed {
        let service = text.split_once(':').map(|(service, _)| service);
        let served = service.is_none_or(|service| SERVED.iter().any(|it| it.eq_ignore_ascii_case(service)));
        return Ok(Action { glob: Glob::parse(text), served });
    }
    Err(PolicyError::new(format!("{text:?} is no action; write it like s3:GetObject, s3:Get* or *")))
}
