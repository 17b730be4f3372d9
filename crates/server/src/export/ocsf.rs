//! An event of the trail as one of the Open Cybersecurity Schema Framework, in its version 1.3.0 (schema.ocsf.io/1.3.0): the words
//! that systems which collect security events have in common. Our own event is in it, whole, under `unmapped`.

mod activity;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use aws_lc_rs::digest::{Context, SHA256};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use daypass_core::audit::{AuditAction, AuditEvent, AuditOutcome};
use daypass_core::ground::ids::{AccessKeyId, ActorId, IdentityId};
use daypass_core::store::{EventPosition, KeptEvent};
use serde::Serialize;

use self::activity::{Activity, Class};

const VERSION: &str = "1.3.0";
const PRODUCT: &str = "Daypass";

/// What stands where the schema wants a name, and the event has none.
const UNKNOWN: &str = "unknown";

/// The event that was kept in a trail, as JSON.
pub(super) fn json(trail: &str, kept: &KeptEvent) -> String {
    serde_json::to_string(&event(trail, kept)).expect("an event is plain data")
}

#[derive(Serialize)]
struct Event<'a> {
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    activity_id: u32,
    activity_name: &'static str,
    type_uid: u32,
    time: i64,
    severity_id: u32,
    severity: &'static str,
    status_id: u32,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_detail: Option<&'a str>,
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<Actor<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Named>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Entity<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    api: Option<Api<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<[Resource<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    src_endpoint: Option<Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request: Option<HttpRequest<'a>>,
    unmapped: &'a AuditEvent,
}

#[derive(Serialize)]
struct Metadata<'a> {
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    profiles: Option<[&'static str; 1]>,
    product: Product,
    uid: String,
    sequence: u64,
    correlation_uid: &'a str,
    event_code: &'static str,
    /// The trail's ID.
    log_name: &'a str,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Named {
    name: &'static str,
}

/// A person.
#[derive(Serialize)]
struct User<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// The provider that vouched.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_uid: Option<&'a str>,
}

#[derive(Serialize)]
struct Actor<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<User<'a>>,
    /// Whoever acted for the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    app_name: Option<&'a str>,
}

#[derive(Serialize)]
struct Entity<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Api<'a> {
    operation: &'static str,
    service: Named,
    request: Request<'a>,
}

#[derive(Serialize)]
struct Request<'a> {
    uid: &'a str,
}

#[derive(Serialize)]
struct Resource<'a> {
    name: &'a str,
}

#[derive(Serialize)]
struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct HttpRequest<'a> {
    uid: &'a str,
    user_agent: &'a str,
}

fn event<'a>(trail: &'a str, kept: &'a KeptEvent) -> Event<'a> {
    let event = &kept.event;
    let Activity { class, id, name } = activity::of(event.action);
    let ((category_uid, category_name), (class_uid, class_name)) = (class.category(), class.uid());
    let (severity_id, severity, status_id, status) = match event.outcome {
        AuditOutcome::Allowed => (1, "Informational", 1, "Success"),
        AuditOutcome::Refused => (2, "Low", 2, "Failure"),
    };
    let is_about_somebody = matches!(class, Class::AccountChange | Class::Authentication);
    let is_call = class == Class::ApiActivity;
    let actor = actor(event, class);
    Event {
        category_uid,
        category_name,
        class_uid,
        class_name,
        activity_id: id,
        activity_name: name,
        type_uid: class_uid * 100 + id,
        time: event.time.as_millisecond(),
        severity_id,
        severity,
        status_id,
        status,
        status_code: event.reason.as_deref(),
        status_detail: event.detail.as_deref(),
        metadata: metadata(trail, kept, actor.as_ref().and(class.profile_of_actors())),
        user: is_about_somebody.then(|| user(event).unwrap_or_else(nobody)),
        actor,
        service: (class == Class::Authentication).then_some(Named { name: PRODUCT }),
        entity: (class == Class::EntityManagement).then(|| entity(event)),
        api: is_call.then(|| api(event)),
        resources: event.resource.as_deref().filter(|_| is_call).map(|name| [Resource { name }]),
        src_endpoint: endpoint(event, is_call),
        http_request: http_request(event),
        unmapped: event,
    }
}

fn metadata<'a>(trail: &'a str, kept: &'a KeptEvent, profile: Option<&'static str>) -> Metadata<'a> {
    Metadata {
        version: VERSION,
        profiles: profile.map(|profile| [profile]),
        product: Product { name: PRODUCT, vendor_name: PRODUCT, version: env!("CARGO_PKG_VERSION") },
        uid: uid(trail, kept),
        sequence: kept.position.0,
        correlation_uid: kept.event.request_id.as_str(),
        event_code: kept.event.action.name(),
        log_name: trail,
    }
}

/// The same each time that an event is delivered, and another for every other event: also for one that has the number of a line
/// that was lost with the disk, or was taken away.
fn uid(trail: &str, kept: &KeptEvent) -> String {
    let (EventPosition(line), event) = (kept.position, &kept.event);
    let mut hash = Context::new(&SHA256);
    hash.update(trail.as_bytes());
    hash.update(&line.to_be_bytes());
    hash.update(&serde_json::to_vec(event).expect("an event is plain data"));
    BASE64_URL_SAFE_NO_PAD.encode(&hash.finish().as_ref()[..16])
}

/// Whom an event is about, or who asked, if it names anybody.
fn user(event: &AuditEvent) -> Option<User<'_>> {
    let user = User {
        uid: event.identity_id.as_ref().map(IdentityId::as_str),
        name: event.developer_user_identifier.as_deref().or(event.login.as_deref()),
        domain: event.provider.as_deref(),
        credential_uid: event.access_key_id.as_ref().map(AccessKeyId::as_str),
    };
    let is_named = user.uid.is_some() || user.name.is_some();
    match (is_named, user.credential_uid) {
        (true, _) => Some(user),
        // A developer's key is all that is known of whoever signed with it.
        (false, Some(_)) => Some(User { name: user.credential_uid, ..user }),
        (false, None) => None,
    }
}

fn nobody<'a>() -> User<'a> {
    User { uid: None, name: Some(UNKNOWN), domain: None, credential_uid: None }
}

/// Who did it. Where an event is about somebody, they stand beside this already, and a key of an event about keys is no actor's.
fn actor(event: &AuditEvent, class: Class) -> Option<Actor<'_>> {
    let app_name = event.actor.as_ref().map(ActorId::as_str);
    let user = match class {
        Class::ApiActivity => Some(user(event).unwrap_or_else(nobody)),
        Class::EntityManagement if key(event).is_none() => user(event),
        Class::EntityManagement | Class::AccountChange | Class::Authentication => None,
    };
    (user.is_some() || app_name.is_some()).then_some(Actor { user, app_name })
}

/// What was managed.
fn entity(event: &AuditEvent) -> Entity<'_> {
    let kind = match event.action {
        AuditAction::Pool => "identity pool",
        AuditAction::Role => "role",
        AuditAction::RotateSigningKey => "signing key",
        AuditAction::Backup | AuditAction::Restore | AuditAction::TakeOver => "store",
        _ => "access key",
    };
    Entity { name: event.resource.as_deref().unwrap_or(UNKNOWN), uid: key(event), kind }
}

/// The access key that was changed, if one was.
fn key(event: &AuditEvent) -> Option<&str> {
    let is_about_keys = matches!(
        event.action,
        AuditAction::CreateKey
            | AuditAction::RotateKey
            | AuditAction::DisableKey
            | AuditAction::EnableKey
            | AuditAction::DeleteKey
    );
    event.access_key_id.as_ref().filter(|_| is_about_keys).map(AccessKeyId::as_str)
}

/// Events do not say which of the operations it was that an action stands for.
fn api(event: &AuditEvent) -> Api<'_> {
    Api {
        operation: event.action.name(),
        service: Named { name: PRODUCT },
        request: Request { uid: event.request_id.as_str() },
    }
}

fn endpoint(event: &AuditEvent, is_needed: bool) -> Option<Endpoint> {
    match event.source_ip {
        Some(ip) => Some(Endpoint { ip: Some(ip), name: None }),
        None => is_needed.then_some(Endpoint { ip: None, name: Some(UNKNOWN) }),
    }
}

fn http_request(event: &AuditEvent) -> Option<HttpRequest<'_>> {
    let user_agent = event.user_agent.as_deref()?;
    Some(HttpRequest { uid: event.request_id.as_str(), user_agent })
}
