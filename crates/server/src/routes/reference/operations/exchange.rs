//! `/v1/exchange`, and what goes with it.

use super::super::super::{exchange, providers};
use super::super::operation::{Answer, Body, Caller, Operation, of};
use super::super::refusals::{self as refused, Speech};
use super::super::schemas;
use super::{DAYPASS_APP, DPOP, Section};

pub(super) static SECTION: Section = Section {
    name: "Logins without a session",
    about: "One login in, one token out, as JSON, and nothing to be refreshed: for backends, and for apps \
            whose people sign in each time. The story: [exchange](exchange.md).",
    operations: &[
        Operation {
            name: "exchange",
            method: "POST",
            path: "/v1/exchange",
            summary: "A login in, an identity and its token out",
            about: "Exactly one proof stands in the body, with the members that belong to it: \
                    `login_code`, or `provider` with `code`, `id_token`, `access_token` or \
                    `signed_fields`. Unknown members are refused.",
            caller: Caller::App,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Json(of::<schemas::Exchange>),
            answers: &[Answer::json("The identity.", of::<exchange::Answer<'static>>, IDENTITY)],
            refusals: &[
                &refused::LOGINS,
                &refused::POOLS,
                &refused::JSON_BODIES,
                &refused::PAGES_OF_OTHERS,
                &refused::ANY_REQUEST,
            ],
            example: "\
$ CODE=…
$ curl -sS \"$DAYPASS/v1/exchange\" -H 'content-type: application/json' \\
    -d '{\"login_code\":\"'$CODE'\",\"app\":\"terminal\",
         \"redirect_uri\":\"http://127.0.0.1:9/callback\",
         \"code_verifier\":\"'$VERIFIER'\",\"credentials\":true}'",
        },
        Operation {
            name: "link",
            method: "POST",
            path: "/v1/link",
            summary: "A second login for the same identity",
            about: "The members of an exchange for the second login, and in `first` the login whose \
                    identity stays. From then on both lead to it; if the second had an identity already, \
                    that one ends. Asking again changes nothing.",
            caller: Caller::App,
            speech: Speech::Problem,
            parameters: &[&[DPOP, DAYPASS_APP]],
            body: Body::Json(of::<schemas::Link>),
            answers: &[Answer::json(
                "The identity of the first login.",
                of::<exchange::Answer<'static>>,
                IDENTITY,
            )],
            refusals: &[
                &refused::SESSIONS,
                &refused::LOGINS,
                &refused::POOLS,
                &refused::JSON_BODIES,
                &refused::PAGES_OF_OTHERS,
                &refused::ANY_REQUEST,
            ],
            example: "\
$ REFRESH=… CODE=…
$ curl -sS \"$DAYPASS/v1/link\" -H 'content-type: application/json' \\
    -d '{\"login_code\":\"'$CODE'\",\"app\":\"terminal\",
         \"redirect_uri\":\"http://127.0.0.1:9/callback\",
         \"code_verifier\":\"'$VERIFIER'\",
         \"first\":{\"refresh_token\":\"'$REFRESH'\"}}'",
        },
        Operation {
            name: "listProviders",
            method: "GET",
            path: "/v1/providers",
            summary: "What a login page may offer",
            about: "The providers of the configuration, and the pool that logins lead to.",
            caller: Caller::App,
            speech: Speech::Problem,
            parameters: &[],
            body: Body::Nothing,
            answers: &[Answer::json("What there is to choose from.", of::<providers::Listing>, PROVIDERS)],
            refusals: &[&refused::ANY_REQUEST],
            example: "\
$ curl -sS \"$DAYPASS/v1/providers\"",
        },
    ],
};

const IDENTITY: &str = r#"{"identity_id":"us-east-1:2f1f392d-…","token":"eyJ…",
 "expires_at":"2026-11-23T11:43:19Z","identity_pool_id":"us-east-1:d56f0c4d-…",
 "region":"us-east-1","provider":"snapchat","user":{"name":"Ada Lovelace"},
 "credentials":{"access_key_id":"ASIA…","secret_access_key":"…",
 "session_token":"…","expiration":"2026-11-23T12:28:19Z"}}"#;

const PROVIDERS: &str = r#"{"identity_pool_id":"us-east-1:d56f0c4d-…","region":"us-east-1",
 "identity_pool_endpoint":"http://127.0.0.1:9400","guests":false,
 "providers":[{"id":"snapchat","name":"Snapchat",
 "authorization_endpoint":"http://127.0.0.1:9402/accounts/oauth2/auth",
 "client_id":"6d1f0a52-…",
 "scope":"https://auth.snapchat.com/oauth2/api/user.external_id",
 "pkce":"required","login_url":"http://127.0.0.1:9400/login/snapchat",
 "grade":"N","accepts":["code"]}]}"#;
