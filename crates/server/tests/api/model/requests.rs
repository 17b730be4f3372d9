//! The steps of the model as requests: which operation asks for what, and what its answer means.

use daypass_core::ground::clock::{Clock, SignedDuration, Timestamp};
use daypass_core::ground::ids::{IdentityId, IdentityPoolId};
use daypass_core::records::identity::{Login, LoginProvider};
use daypass_core::records::linking::{LinkRefusal, LinkRequest, MergeRequest, UnlinkRefusal, Unlinked};
use daypass_core::store::contract::model::{Answer as Expected, Step, all_logins};
use daypass_core::store::{LinkOutcome, UnlinkOutcome};
use serde_json::{Map, Value, json};

use crate::cognito::LOGINS_DO_NOT_MATCH;
use crate::harness::{Answer, Backend, DEVELOPER_PROVIDER, Daypass, oidc_arn};

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It led to this identity.
    Identity(IdentityId),
    /// It was done.
    Done,
    /// It was refused with this exception and this text.
    Refused(String, String),
}

/// A token that was handed out, to whom, and on which logins: a guest's on none.
#[derive(Debug, Clone)]
pub struct Issued {
    pub identity_id: IdentityId,
    pub token: Value,
    pub logins: Vec<Login>,
}

/// An installation with the two pools that the steps are about. The roles trust the first one only.
pub struct World {
    pub daypass: Daypass,
    pub pool_ids: [IdentityPoolId; 2],
}

impl World {
    pub async fn new(backend: Backend) -> Self {
        let hosts = public_providers();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let daypass = Daypass::start().on(backend).with_oidc_hosts(&hosts).await;
        daypass.accept_public_logins().await;
        let arns: Vec<String> = hosts.iter().map(|host| oidc_arn(host)).collect();
        let input = json!({"IdentityPoolName": "other", "AllowUnauthenticatedIdentities": true,
            "DeveloperProviderName": DEVELOPER_PROVIDER, "OpenIdConnectProviderARNs": arns});
        let other = daypass.call("CreateIdentityPool", input).await;
        let pool_ids = [daypass.pool_id(), other["IdentityPoolId"].as_str().unwrap()];
        Self { pool_ids: pool_ids.map(|id| IdentityPoolId::parse(id).unwrap()), daypass }
    }

    /// Moves the clock by at most a millisecond, so that some steps fall into the same one.
    pub fn tick(&self, number: usize) -> Timestamp {
        self.daypass.advance(SignedDuration::from_millis(i64::from(number.is_multiple_of(2))));
        self.daypass.clock.now()
    }

    /// Asks for a step. A token that comes of it is kept with the others.
    pub async fn ask(&self, step: &Step, tokens: &mut Vec<Issued>) -> Outcome {
        match step {
            Step::Guest(pool_id, ..) => {
                let answer = self.daypass.public("GetId", json!({"IdentityPoolId": pool_id})).await;
                outcome(&answer)
            }
            Step::Link(request) => self.link(request, tokens).await,
            Step::Merge(request) => {
                let input = json!({"IdentityPoolId": request.pool_id,
                    "DeveloperProviderName": DEVELOPER_PROVIDER, "SourceUserIdentifier": request.source,
                    "DestinationUserIdentifier": request.destination});
                outcome(&self.daypass.signed("MergeDeveloperIdentities", input).await)
            }
            Step::Unlink(request) => outcome(&self.unlink(&request.identity_id, &request.logins).await),
            Step::Delete(ids) => {
                let input = json!({"IdentityIdsToDelete": ids});
                let answer = self.daypass.signed("DeleteIdentities", input).await;
                assert_eq!(answer.body, r#"{"UnprocessedIdentityIds":[]}"#);
                Outcome::Done
            }
        }
    }

    async fn link(&self, request: &LinkRequest, tokens: &mut Vec<Issued>) -> Outcome {
        let LinkRequest { pool_id, logins, identity_id, .. } = request;
        let mut input = json!({"Logins": self.logins(logins)});
        let developer = has_developer(logins);
        if let Some(id) = identity_id {
            input["IdentityId"] = json!(id);
        }
        if developer || identity_id.is_none() {
            input["IdentityPoolId"] = json!(pool_id);
        }
        let answer = match identity_id {
            _ if developer => self.daypass.signed("GetOpenIdTokenForDeveloperIdentity", input).await,
            None => self.daypass.public("GetId", input).await,
            // Both link alike. The other pool has no role to give credentials of.
            Some(_) if *pool_id == self.pool_ids[0] && logins.len() % 2 == 0 => {
                self.daypass.public("GetCredentialsForIdentity", input).await
            }
            Some(_) => self.daypass.public("GetOpenIdToken", input).await,
        };
        tokens.extend(issued(&answer, logins));
        outcome(&answer)
    }

    async fn unlink(&self, identity_id: &IdentityId, logins: &Unlinked) -> Answer {
        match logins {
            Unlinked::DeveloperUser { pool_id, user } => {
                let input = json!({"IdentityPoolId": pool_id, "IdentityId": identity_id,
                    "DeveloperProviderName": DEVELOPER_PROVIDER, "DeveloperUserIdentifier": user});
                self.daypass.signed("UnlinkDeveloperIdentity", input).await
            }
            Unlinked::Public { providers, proof } => {
                let input = json!({"IdentityId": identity_id, "Logins": self.logins(proof),
                    "LoginsToRemove": providers});
                self.daypass.public("UnlinkIdentity", input).await
            }
        }
    }

    /// Logins as the API takes them: a fresh token of each public provider.
    pub fn logins(&self, logins: &[Login]) -> Value {
        let entry = |login: &Login| match &login.provider {
            LoginProvider::Developer => (DEVELOPER_PROVIDER.to_owned(), json!(login.user)),
            LoginProvider::Public(host) => (host.clone(), self.daypass.id_token(host, &login.user)),
        };
        logins.iter().map(entry).collect::<Map<_, _>>().into()
    }

    /// GetOpenIdToken with nothing but the ID.
    pub async fn ask_as_guest(&self, id: &IdentityId, tokens: &mut Vec<Issued>) -> Outcome {
        let answer = self.daypass.public("GetOpenIdToken", json!({"IdentityId": id})).await;
        tokens.extend(issued(&answer, &[]));
        outcome(&answer)
    }

    /// GetCredentialsForIdentity with a token, and whether STS takes it too.
    pub async fn show(&self, token: &Issued, role_arn: &str) -> (Outcome, bool) {
        let entered = json!({"identity_id": token.identity_id, "token": token.token});
        let answer = self.daypass.get_credentials(&entered).await;
        let assumed = self.daypass.assume(&token.token, role_arn).await;
        if assumed.status != 200 {
            assumed.assert_sts_error(403, "AccessDenied");
        }
        (outcome(&answer), assumed.status == 200)
    }

    /// The owner of a developer user identifier.
    pub async fn look_up(&self, pool_id: &IdentityPoolId, user: &str) -> Option<IdentityId> {
        let input = json!({"IdentityPoolId": pool_id, "DeveloperUserIdentifier": user});
        match outcome(&self.daypass.signed("LookupDeveloperIdentity", input).await) {
            Outcome::Identity(id) => Some(id),
            refused => {
                assert_eq!(refused, not_found("Developer user identifier not found."));
                None
            }
        }
    }

    /// Everybody in a pool, as listed in pages.
    pub async fn list(&self, pool_id: &IdentityPoolId, hide_disabled: bool, page: usize) -> Vec<Value> {
        let mut listed = Vec::new();
        let mut input = json!({"IdentityPoolId": pool_id, "MaxResults": page, "HideDisabled": hide_disabled});
        loop {
            let answer = self.daypass.call("ListIdentities", input.clone()).await;
            listed.extend(answer["Identities"].as_array().unwrap().iter().cloned());
            let Some(next) = answer.get("NextToken") else { return listed };
            input["NextToken"] = next.clone();
        }
    }
}

/// The identity whose pool the step is about, whatever pool the step names: the API is shown public logins
/// for an identity, and not told the pool.
pub fn named(step: &Step) -> Option<&IdentityId> {
    match step {
        Step::Link(request) if !has_developer(&request.logins) => request.identity_id.as_ref(),
        _ => None,
    }
}

/// The step as the API can be asked for it at this time, given the pool of the identity that is [`named`].
/// `Logins` holds one login of a provider, and public ones only where something is unlinked.
pub fn as_asked(step: Step, now: Timestamp, pool_id: Option<IdentityPoolId>) -> Step {
    match step {
        Step::Guest(pool_id, id, _) => Step::Guest(pool_id, id, now),
        Step::Link(request) => {
            let pool_id = pool_id.unwrap_or(request.pool_id);
            Step::Link(LinkRequest { now, pool_id, ..request })
        }
        Step::Merge(request) => Step::Merge(MergeRequest { now, ..request }),
        Step::Unlink(mut request) => {
            request.now = now;
            if let Unlinked::Public { proof, .. } = &mut request.logins {
                proof.retain(|login| login.provider != LoginProvider::Developer);
                proof.reverse();
                proof.dedup_by(|a, b| a.provider == b.provider);
            }
            Step::Unlink(request)
        }
        Step::Delete(ids) => Step::Delete(ids),
    }
}

fn has_developer(logins: &[Login]) -> bool {
    logins.iter().any(|login| login.provider == LoginProvider::Developer)
}

/// The step, with the ID that the server drew for a new identity.
pub fn with_drawn(step: Step, drawn: &IdentityId) -> Step {
    match step {
        Step::Guest(pool_id, _, now) => Step::Guest(pool_id, drawn.clone(), now),
        Step::Link(request) => Step::Link(LinkRequest { new_identity_id: drawn.clone(), ..request }),
        other => other,
    }
}

/// What the API says of an answer of the model.
pub fn told(expected: Expected, step: &Step) -> Outcome {
    match expected {
        Expected::Guest(_) => Outcome::Identity(step.new_identity_id().unwrap().clone()),
        Expected::Linked(
            LinkOutcome::Known(identity)
            | LinkOutcome::Created(identity)
            | LinkOutcome::Linked { identity, .. },
        ) => Outcome::Identity(identity.id),
        Expected::Linked(LinkOutcome::Refused(refusal)) => link_refused(refusal),
        Expected::Unlinked(UnlinkOutcome::Unlinked) | Expected::Deleted => Outcome::Done,
        Expected::Unlinked(UnlinkOutcome::Refused(refusal)) => unlink_refused(refusal, step),
    }
}

fn link_refused(refusal: LinkRefusal) -> Outcome {
    match refusal {
        LinkRefusal::UnknownIdentity(id) => no_identity(&id),
        LinkRefusal::Disabled(id) => forbidden(&id),
        LinkRefusal::UnknownUser => not_found("Developer user identifier not found."),
        LinkRefusal::AlreadyRegistered => refused(
            "DeveloperUserAlreadyRegisteredException",
            "This developer user identifier is already registered with Cognito.",
        ),
        LinkRefusal::NotAmongItsLogins => refused("NotAuthorizedException", LOGINS_DO_NOT_MATCH),
        LinkRefusal::TwoUsersOfOneProvider => refused(
            "ResourceConflictException",
            "The identity is already linked to another login of the same provider.",
        ),
        LinkRefusal::TooManyLogins => {
            refused("InvalidParameterException", "An identity has at most 20 linked logins.")
        }
    }
}

fn unlink_refused(refusal: UnlinkRefusal, step: &Step) -> Outcome {
    let Step::Unlink(request) = step else { panic!("{step:?} unlinks nothing") };
    match refusal {
        UnlinkRefusal::UnknownIdentity => no_identity(&request.identity_id),
        UnlinkRefusal::Disabled => forbidden(&request.identity_id),
        UnlinkRefusal::NotAmongItsLogins => refused("NotAuthorizedException", LOGINS_DO_NOT_MATCH),
        UnlinkRefusal::NotLinked => not_found(match &request.logins {
            Unlinked::DeveloperUser { .. } => "Developer user identifier not found.",
            Unlinked::Public { .. } => "The identity has no login of a provider in LoginsToRemove.",
        }),
        UnlinkRefusal::OfAnotherIdentity => {
            refused("ResourceConflictException", "The developer user identifier belongs to another identity.")
        }
    }
}

pub fn forbidden(id: &IdentityId) -> Outcome {
    refused("NotAuthorizedException", &format!("Access to Identity '{id}' is forbidden."))
}

pub fn no_identity(id: &IdentityId) -> Outcome {
    not_found(&format!("Identity '{id}' not found."))
}

fn not_found(message: &str) -> Outcome {
    refused("ResourceNotFoundException", message)
}

fn refused(code: &str, message: &str) -> Outcome {
    Outcome::Refused(code.to_owned(), message.to_owned())
}

fn outcome(answer: &Answer) -> Outcome {
    if answer.status == 200 {
        return identity_of(answer).map_or(Outcome::Done, Outcome::Identity);
    }
    assert_eq!(answer.status, 400, "{answer:?}");
    let (body, text) = (answer.json(), |name: &str, body: &Value| body[name].as_str().unwrap().to_owned());
    Outcome::Refused(text("__type", &body), text("message", &body))
}

fn identity_of(answer: &Answer) -> Option<IdentityId> {
    let body: Value = serde_json::from_str(&answer.body).ok()?;
    Some(IdentityId::parse(body["IdentityId"].as_str()?).unwrap())
}

fn issued(answer: &Answer, logins: &[Login]) -> Option<Issued> {
    let body: Value = serde_json::from_str(&answer.body).ok()?;
    let token = body.get("Token")?.clone();
    Some(Issued { identity_id: identity_of(answer)?, token, logins: logins.to_vec() })
}

/// The hosts of all public providers.
fn public_providers() -> Vec<String> {
    let mut hosts: Vec<String> = all_logins()
        .into_iter()
        .filter_map(|login| match login.provider {
            LoginProvider::Developer => None,
            LoginProvider::Public(host) => Some(host),
        })
        .collect();
    hosts.sort();
    hosts.dedup();
    hosts
}
