//! Trust policies: who may take on a role with an OpenID token of an identity pool.
//!
//! Every pool of an installation shares one issuer, so a trust policy that does not check `aud` hands
//! its role to the people of every pool, and one that does not check `amr` hands it to guests. Such a
//! policy cannot be constructed.

use super::condition::Line;
use super::context::Context;
use super::error::PolicyError;
use super::glob::{Case, Glob};
use super::json::Json;
use super::key::Key;
use super::operator::{Comparison, Operand, Operator, Quantifier};
use super::statement::{Effect, Statement, decide, parse_document, parse_trust_statement};
use super::template::Wildcards;
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
        parse_document(json, |members| {
            let statement = parse_trust_statement(members, check_principal, parse_action)?;
            if statement.effect == Effect::Allow && statement.covers_action(ASSUME) != Truth::No {
                demand(&statement, checks_aud, AUD_UNCHECKED)?;
                demand(&statement, checks_amr, AMR_UNCHECKED)?;
            }
            Ok(statement)
        })
        .map(Self)
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

fn demand(statement: &Statement, check: fn(&Line) -> bool, problem: &str) -> Result<(), PolicyError> {
    if statement.conditions.iter().any(check) { Ok(()) } else { Err(PolicyError::new(problem)) }
}

/// Whether the line lets in nobody but people of the pools it names.
fn checks_aud(line: &Line) -> bool {
    let exact = Operator::Compare {
        quantifier: Quantifier::Single,
        comparison: Comparison::Text(Wildcards::Literal, Case::Exact),
        negated: false,
        if_exists: false,
    };
    line.key == Key::CognitoAud && line.operator == exact && line.operands.iter().all(names_a_pool)
}

/// A `*` here is no wildcard, but whoever wrote it thought it was one.
fn names_a_pool(operand: &Operand) -> bool {
    let literal = fixed(operand).and_then(Glob::as_literal);
    literal.is_some_and(|text| !text.is_empty() && !text.contains(['*', '?']))
}

/// Whether the line tells people from guests. The values are alternatives, so each of them has to.
fn checks_amr(line: &Line) -> bool {
    let any_value = matches!(
        line.operator,
        Operator::Compare {
            quantifier: Quantifier::Any,
            comparison: Comparison::Text(_, Case::Exact),
            negated: false,
            if_exists: false,
        }
    );
    line.key == Key::CognitoAmr && any_value && line.operands.iter().all(tells_people_from_guests)
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

fn check_principal(json: Json) -> Result<(), PolicyError> {
    let mut principal = json.into_object().map_err(|_| foreign_principal())?;
    let names = principal.require("Federated")?.into_texts()?;
    principal.finish("Federated")?;
    if names.iter().all(|name| name == COGNITO_IDENTITY) { Ok(()) } else { Err(foreign_principal()) }
}

fn foreign_principal() -> PolicyError {
    PolicyError::new(format!(
        "must be {{\"Federated\": \"{COGNITO_IDENTITY}\"}}, whose tokens Daypass issues"
    ))
}

/// Wildcards are refused: what a trust policy can grant are these two and nothing else.
fn parse_action(text: &str) -> Result<Glob, PolicyError> {
    if [ASSUME, TAG].iter().any(|known| known.eq_ignore_ascii_case(text)) {
        return Ok(Glob::parse(text));
    }
    Err(PolicyError::new(format!("{text:?} is not what a trust policy grants; write {ASSUME} or {TAG}")))
}
