//! What clients, verifiers and monitors read.

use super::super::super::oauth::metadata;
use super::super::operation::{Answer, Body, Caller, Operation, Parameter, of};
use super::super::refusals::{self as refused, Speech};
use super::super::schemas;
use super::Section;

pub(super) static SECTION: Section = Section {
    name: "Documents",
    about: "What clients, verifiers and monitors read. Pages of any origin may read those at \
            `/.well-known` and `/sdk`.",
    operations: &[
        Operation {
            name: "authorizationServer",
            method: "GET",
            path: "/.well-known/oauth-authorization-server",
            summary: "What OAuth clients find the endpoints by",
            about: "RFC 8414. It may be kept for five minutes.",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::json(
                "The metadata.",
                of::<metadata::AuthorizationServer>,
                AUTHORIZATION_SERVER,
            )],
            refusals: &[&refused::NOTHING_LASTS, &refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/.well-known/oauth-authorization-server\"",
        },
        Operation {
            name: "openidProvider",
            method: "GET",
            path: "/.well-known/openid-configuration",
            summary: "The same for clients of OpenID Connect, and for verifiers of tokens",
            about: "OpenID Connect Discovery 1.0. In front of Amazon Cognito, whose tokens are Amazon's, \
                    there is none.",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::json("The metadata.", of::<metadata::OpenIdProvider>, OPENID_PROVIDER)],
            refusals: &[&refused::NOT_THERE, &refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/.well-known/openid-configuration\"",
        },
        Operation {
            name: "keys",
            method: "GET",
            path: "/.well-known/jwks.json",
            summary: "The keys that tokens are verified with",
            about: "",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::json("The keys.", of::<schemas::JwkSet>, JWK_SET)],
            refusals: &[&refused::NOT_THERE, &refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/.well-known/jwks.json\"",
        },
        Operation {
            name: "keysAtCognitosPath",
            method: "GET",
            path: "/.well-known/jwks_uri",
            summary: "The same at Amazon Cognito's path",
            about: "",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::json("The keys.", of::<schemas::JwkSet>, JWK_SET)],
            refusals: &[&refused::NOT_THERE, &refused::ANY_REQUEST],
            example: "",
        },
        Operation {
            name: "sdk",
            method: "GET",
            path: "/sdk/{version}/{file}",
            summary: "The browser SDK, for pages without a build step",
            about: "What stands under a version never changes. The story: \
                    [browser](browser.md#without-npm-and-a-build).",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[&[
                Parameter::path("version", "That of this server's SDK. A refusal names it."),
                Parameter::path("file", "A module: `index.js`."),
            ]],
            body: Body::Nothing,
            answers: &[Answer::text("The module.", "text/javascript; charset=utf-8")],
            refusals: &[&refused::FILES, &refused::NOTHING_LASTS, &refused::ANY_REQUEST],
            example: "",
        },
        Operation {
            name: "health",
            method: "GET",
            path: "/healthz",
            summary: "The process answers",
            about: "",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::text("`ok`.", PLAIN)],
            refusals: &[&refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/healthz\"",
        },
        Operation {
            name: "readiness",
            method: "GET",
            path: "/readyz",
            summary: "The server can do its work",
            about: "The store takes a write, and the pool lets people in.",
            caller: Caller::Anybody,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::text("`ready`.", PLAIN)],
            refusals: &[&refused::READINESS, &refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/readyz\"",
        },
        Operation {
            name: "metrics",
            method: "GET",
            path: "/metrics",
            summary: "What a monitoring system asks about",
            about: "Without `[metrics]` in the configuration there is nothing here ([what is \
                    counted](self-host.md#metrics)).",
            caller: Caller::Monitor,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::text("The numbers, in OpenMetrics.", crate::metrics::CONTENT_TYPE)],
            refusals: &[&refused::METRICS, &refused::NOT_THERE, &refused::ANY_REQUEST],
            example: "",
        },
    ],
};

const PLAIN: &str = "text/plain; charset=utf-8";

const AUTHORIZATION_SERVER: &str = r#"{"issuer":"http://127.0.0.1:9400",
 "authorization_endpoint":"http://127.0.0.1:9400/oauth2/authorize",
 "token_endpoint":"http://127.0.0.1:9400/oauth2/token",
 "revocation_endpoint":"http://127.0.0.1:9400/oauth2/revoke",
 "response_modes_supported":["query","web_message"],
 "grant_types_supported":["authorization_code","refresh_token",
 "urn:ietf:params:oauth:grant-type:token-exchange"],
 "scopes_supported":["openid","profile","offline_access"],
 "code_challenge_methods_supported":["S256"],
 "token_endpoint_auth_methods_supported":["none"],
 "revocation_endpoint_auth_methods_supported":["none"],
 "dpop_signing_alg_values_supported":["ES256"],
 "authorization_response_iss_parameter_supported":true,
 "response_types_supported":["code"]}"#;

const OPENID_PROVIDER: &str = r#"{"issuer":"http://127.0.0.1:9400","response_types_supported":["id_token"],
 "id_token_signing_alg_values_supported":["RS512"],
 "jwks_uri":"http://127.0.0.1:9400/.well-known/jwks_uri",
 "subject_types_supported":["public"],"claims_supported":["sub","aud","iss",
 "exp"]}"#;

const JWK_SET: &str =
    r#"{"keys":[{"kty":"RSA","alg":"RS512","use":"sig","kid":"us-east-1-1","n":"wJb…","e":"AQAB"}]}"#;
