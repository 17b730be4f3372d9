//! Schemas of what has no type of its own here: what core names, and what one type reads at several doors.

use std::borrow::Cow;

use daypass_core::login::provider::definition::{Pkce, ProofKind};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::super::exchange::{Body, NOT_AT_EXCHANGE, NOT_AT_LINK};
use super::refusals::reasons;

fn words(all: &[impl Serialize]) -> Schema {
    let all = serde_json::to_value(all).unwrap();
    json_schema!({"type": "string", "enum": all})
}

pub(crate) fn pkce(_: &mut SchemaGenerator) -> Schema {
    words(&[Pkce::Required, Pkce::Never])
}

pub(crate) fn proof_kinds(_: &mut SchemaGenerator) -> Schema {
    let all = [ProofKind::Code, ProofKind::AccessToken, ProofKind::IdToken, ProofKind::SignedFields];
    json_schema!({"type": "array", "items": words(&all)})
}

pub(crate) fn reason(_: &mut SchemaGenerator) -> Schema {
    words(&reasons())
}

/// A document that anybody knows by its standard.
pub(super) struct JwkSet;

impl JsonSchema for JwkSet {
    fn schema_name() -> Cow<'static, str> {
        "JwkSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text = |about: &str| json_schema!({"type": "string", "description": about});
        json_schema!({
            "description": "A JWK set (RFC 7517 section 5).",
            "type": "object",
            "properties": {"keys": {
                "description": "Those whose tokens count, or soon will.",
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "kty": text("`RSA` or `EC`."),
                        "alg": text("What is signed with it: `RS512`, `RS256` or `ES256`."),
                        "use": text("Always `sig`."),
                        "kid": text("Its name, as in the header of a token."),
                        "n": text("Of RSA: the modulus, in base64url."),
                        "e": text("Of RSA: the exponent, in base64url."),
                        "crv": text("Of EC: the curve."),
                        "x": text("Of EC: the point, in base64url."),
                        "y": text("Of EC: the same."),
                    },
                    "required": ["kty", "alg", "use", "kid"],
                },
            }},
            "required": ["keys"],
        })
    }
}

/// What `/v1/exchange` takes of a [`Body`].
pub(super) struct Exchange;

impl JsonSchema for Exchange {
    fn schema_name() -> Cow<'static, str> {
        "Exchange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        part_of_body("One proof, and what is wanted besides.", &NOT_AT_EXCHANGE)
    }
}

/// What `/v1/link` takes of it.
pub(super) struct Link;

impl JsonSchema for Link {
    fn schema_name() -> Cow<'static, str> {
        "Link".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let about = "The proof of the second login, and what is wanted besides.";
        let mut schema = part_of_body(about, &[&["refresh_token"][..], &NOT_AT_LINK].concat());
        let first = generator.subschema_for::<First>();
        schema.pointer_mut("/properties").unwrap()["first"] = first.into();
        schema.insert("required".into(), ["first"].as_slice().into());
        schema
    }
}

/// What stands there in `first`.
struct First;

impl JsonSchema for First {
    fn schema_name() -> Cow<'static, str> {
        "FirstLogin".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let about = "The login whose identity stays: a proof with its members; or `refresh_token` alone, \
                     of a session, which is not spent by it; or nothing at all, where the session is in a \
                     cookie.";
        let besides = ["first", "identity_id", "token_duration", "region", "credentials", "scope"];
        part_of_body(about, &besides)
    }
}

fn part_of_body(about: &str, without: &[&str]) -> Schema {
    let mut schema =
        Body::json_schema(&mut SchemaSettings::draft2020_12().for_deserialize().into_generator());
    let members = schema.pointer_mut("/properties").and_then(Value::as_object_mut).unwrap();
    members.retain(|name, _| !without.contains(&&**name));
    schema.insert("description".into(), about.into());
    schema
}
