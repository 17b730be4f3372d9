//! Trust policies: who may take on a role with an OpenID token of an identity pool.
//!
//! Every pool of an installation shares one issuer, so a trust policy that does not check `aud` hands
//! its role to the people of every pool, and one that does not check `amr` hands it to guests. Such a
//! policy cannot be constructed.

use std::collections::BTreeSet;

use super::condition::Line;
use super::context::Context;
use super::error::PolicyError;
use super::glob::{Case, Glob};
use super::json::Json;
use super::key::Key;
use super::operator::{Comparison, Operand, Operator, Quantifier};
use super::statement::{Effect, Statement, decide, parse_document, parse_trust_statement};
use super::truth::Truth;
use super::{Decision, Request};

/// The name under which IAM knows identity pools as a provider of identities.
pub const COGNITO_IDENTITY: &str = "cognito-identity.amazonaws.com";

const ASSUME: &str = "sts:AssumeRoleWithWebIdentity";
const TAG: &str = "sts:TagSession";

/// A role's trust policy, compiled.
#[derive(Debug, Clone)]
pub struct TrustPolicy(Vec<Statement>);

/// Somebody asks to take on a role with a verified OpenID token.
#[derive(Debug, Clone, Copy)]
pub struct TrustRequest<'a> {
    /// Who issued the token, by the name that IAM knows it by.
    pub provider: &'a str,
    /// Whether the session is to bear tags, because the token carries some.
    pub tags_session: bool,
    /// The token's claims and whatever else is known.
    pub context: &'a Context,
}

impl TrustPolicy {
    /// Reads and checks a trust policy.
    ///
    /// # Errors
    /// [`PolicyError`] if anything in it is unknown or malformed, or if it grants the role without
    /// checking both the pool (`aud`) and the kind of login (`amr`).
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        let statements = parse_document(json, |members| {
            let statement = parse_trust_statement(members, concerns_cognito, parse_action)?;
            if let Some(statement) = &statement
                && statement.effect == Effect::Allow
                && statement.covers_action(ASSUME) != Truth::No
            {
                demand(statement, checks_aud, AUD_UNCHECKED)?;
                demand(statement, checks_amr, AMR_UNCHECKED)?;
            }
            Ok(statement)
        })?;
        if statements.is_empty() { Err(foreign_principals()) } else { Ok(Self(statements)) }
    }

    /// The condition keys that it asks for and that are never filled in, see [`Policy`](super::Policy::unfilled_keys).
    #[must_use]
    pub fn unfilled_keys(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(Statement::unfilled).collect()
    }

    /// Whether a condition asks where requests come from, see [`Policy`](super::Policy::asks_for_origin).
    #[must_use]
    pub fn asks_for_origin(&self) -> bool {
        self.0.iter().any(Statement::asks_for_origin)
    }

    /// Whether the role may be taken on. With tags, tagging must be allowed too.
    pub fn evaluate(&self, request: &TrustRequest<'_>) -> Decision {
        if request.provider != COGNITO_IDENTITY {
            return Decision::NotAllowed;
        }
        let decide = |action| decide(&self.0, &Request { action, resource: "", context: request.context });
        if request.tags_session { decide(ASSUME).max(decide(TAG)) } else { decide(ASSUME) }
    }
}

const AUD_UNCHECKED: &str = "allows the role without checking the identity pool; add to Condition \
    \"StringEquals\": {\"cognito-identity.amazonaws.com:aud\": \"<identity pool ID>\"}, \
    where every value is a plain pool ID, without wildcards or variables";

const AMR_UNCHECKED: &str = "allows the role without checking the kind of login; add to Condition \
    \"ForAnyValue:StringLike\": {\"cognito-identity.amazonaws.com:amr\": \"authenticated\"}, \
    where no value has variables or matches both \"authenticated\" and \"unauthenticated\"";

fn demand(
    statement: &Statement,
    check: fn(&Line, &[Line]) -> bool,
    problem: &str,
) -> Result<(), PolicyError> {
    let lines = &statement.conditions;
    if lines.iter().any(|line| check(line, lines)) { Ok(()) } else { Err(PolicyError::new(problem)) }
}

/// Whether the line lets in nobody but people of the pools it names.
fn checks_aud(line: &Line, beside: &[Line]) -> bool {
    line.key == Key::CognitoAud
        && demands_equal_text(line)
        && (quantifier(line) != Some(Quantifier::All) || is_there(&line.key, beside))
        && line.operands.iter().all(names_a_pool)
}

/// Whether a line compares text, in its case, and fails where no value is like one of its own.
fn demands_equal_text(line: &Line) -> bool {
    matches!(
        line.operator,
        Operator::Compare {
            comparison: Comparison::Text(_, Case::Exact),
            negated: false,
            if_exists: false,
            ..
        }
    )
}

fn quantifier(line: &Line) -> Option<Quantifier> {
    match line.operator {
        Operator::Compare { quantifier, .. } => Some(quantifier),
        Operator::Null => None,
    }
}

/// Whether another line wants the key to have a value. Without a value, `ForAllValues:` holds.
fn is_there(key: &Key, lines: &[Line]) -> bool {
    lines.iter().any(|line| line.demands_presence_of(key))
}

/// A `*` here is no wildcard, but whoever wrote it thought it was one.
fn names_a_pool(operand: &Operand) -> bool {
    let literal = fixed(operand).and_then(Glob::as_literal);
    literal.is_some_and(|text| !text.is_empty() && !text.contains(['*', '?']))
}

/// Whether the line tells people from guests. The values are alternatives, so each of them has to. That all methods of a login
/// are among them is more than that one is, if there is one.
fn checks_amr(line: &Line, beside: &[Line]) -> bool {
    let of_several = match quantifier(line) {
        Some(Quantifier::Any) => true,
        Some(Quantifier::All) => is_there(&line.key, beside),
        Some(Quantifier::Single) | None => false,
    };
    line.key == Key::CognitoAmr
        && of_several
        && demands_equal_text(line)
        && line.operands.iter().all(tells_people_from_guests)
}

/// A variable does not: the caller chooses `${sts:RoleSessionName}` and may call it `unauthenticated`.
fn tells_people_from_guests(operand: &Operand) -> bool {
    let covers = |glob: &Glob, text| glob.matches(text, Case::Exact);
    fixed(operand).is_some_and(|glob| {
        glob.as_literal() != Some("") && !(covers(glob, "authenticated") && covers(glob, "unauthenticated"))
    })
}

fn fixed(operand: &Operand) -> Option<&Glob> {
    match operand {
        Operand::Text(template, _) => template.as_fixed(),
        _ => None,
    }
}

/// Whether a statement is about people whom Cognito vouches for, as everybody does who comes here. Roles of AWS are often
/// open to services and accounts as well, which never come.
fn concerns_cognito(principal: Json, effect: Effect) -> Result<bool, PolicyError> {
    let mut concerns = false;
    for (kind, names) in principals(principal)? {
        if !["AWS", "CanonicalUser", "Federated", "Service"].contains(&&*kind) {
            return Err(PolicyError::new(format!("{kind:?} is no kind of principal")));
        }
        let names = names.into_texts()?;
        let everybody = names.iter().any(|name| name == "*");
        if everybody && effect == Effect::Allow {
            return Err(PolicyError::new(format!("opens the role to everybody; write {OURS}")));
        }
        concerns |= everybody || kind == "Federated" && names.iter().any(|name| name == COGNITO_IDENTITY);
    }
    Ok(concerns)
}

/// The principals by their kinds. `*` is everybody.
fn principals(json: Json) -> Result<Vec<(String, Json)>, PolicyError> {
    match json {
        Json::Text(name) if name == "*" => Ok(vec![("AWS".into(), Json::Text(name))]),
        Json::Object(object) => object.into_members(),
        Json::Text(_) | Json::List(_) => Err(PolicyError::new(format!("must be an object, such as {OURS}"))),
    }
}

const OURS: &str = "{\"Federated\": \"cognito-identity.amazonaws.com\"}";

fn foreign_principals() -> PolicyError {
    PolicyError::new(format!("no statement is about whoever comes here; add one with the Principal {OURS}"))
}

/// Wildcards are refused: what a trust policy can grant are these two and nothing else.
fn parse_action(text: &str) -> Result<Glob, PolicyError> {
    if [ASSUME, TAG].iter().any(|known| known.eq_ignore_ascii_case(text)) {
        return Ok(Glob::parse(text));
    }
    Err(PolicyError::new(format!("{text:?} is not what a trust policy grants; write {ASSUME} or {TAG}")))
}
