//! `/v1/sessions`.

use axum::http::StatusCode;

use super::super::super::sessions;
use super::super::operation::{Answer, Body, Caller, Operation, Parameter, of};
use super::super::refusals::{self as refused, Speech};
use super::{DAYPASS_APP, DPOP, Section};

pub(super) static SECTION: Section = Section {
    name: "The person's devices",
    about: "Who asks shows the refresh token of a session of theirs, which is not spent by that. The \
            story: [sessions](sessions.md#the-persons-devices).",
    operations: &[
        Operation {
            name: "listSessions",
            method: "GET",
            path: "/v1/sessions",
            summary: "Where the person is signed in",
            about: "All sessions of the identity, at whichever app.",
            caller: Caller::Session,
            speech: Speech::Problem,
            parameters: &[&[DPOP, DAYPASS_APP]],
            body: Body::Nothing,
            answers: &[Answer::json("The sessions.", of::<sessions::Sessions<'static>>, SESSIONS)],
            refusals: REFUSALS,
            example: "\
$ REFRESH=…
$ curl -sS \"$DAYPASS/v1/sessions\" -H \"authorization: Bearer $REFRESH\"",
        },
        Operation {
            name: "endSession",
            method: "DELETE",
            path: "/v1/sessions/{id}",
            summary: "Sign one device out",
            about: "That session ends, with what was issued in it, at once. It may be the one that asks.",
            caller: Caller::Session,
            speech: Speech::Problem,
            parameters: &[&[Parameter::path("id", "The session's `id` in the list."), DPOP, DAYPASS_APP]],
            body: Body::Nothing,
            answers: &[Answer::nothing(StatusCode::NO_CONTENT, "It is over.")],
            refusals: &[
                &refused::NOT_THERE,
                &refused::STORE,
                &refused::SESSIONS,
                &refused::PAGES_OF_OTHERS,
                &refused::NOTHING_LASTS,
                &refused::ANY_REQUEST,
            ],
            example: "\
$ REFRESH=… SESSION=…
$ curl -sS --fail -X DELETE \"$DAYPASS/v1/sessions/$SESSION\" \\
    -H \"authorization: Bearer $REFRESH\"",
        },
        Operation {
            name: "endAllSessions",
            method: "DELETE",
            path: "/v1/sessions",
            summary: "Sign the person out everywhere",
            about: "All sessions of the identity end, this one too, with what was issued in them.",
            caller: Caller::Session,
            speech: Speech::Problem,
            parameters: &[&[DPOP, DAYPASS_APP]],
            body: Body::Nothing,
            answers: &[Answer::nothing(StatusCode::NO_CONTENT, "They are over.")],
            refusals: REFUSALS,
            example: "\
$ REFRESH=…
$ curl -sS --fail -X DELETE \"$DAYPASS/v1/sessions\" \\
    -H \"authorization: Bearer $REFRESH\"",
        },
    ],
};

const REFUSALS: &[&refused::Refusals] = &[
    &refused::STORE,
    &refused::SESSIONS,
    &refused::PAGES_OF_OTHERS,
    &refused::NOTHING_LASTS,
    &refused::ANY_REQUEST,
];

const SESSIONS: &str = r#"{"sessions":[{"id":"czA3ITIw2eR61e1hBBCm6Q","current":true,"app":"terminal",
 "provider":"snapchat","device":"My laptop","created_at":"2026-11-28T21:04:11Z",
 "last_used_at":"2026-11-28T21:54:10Z","expires_at":"2026-12-28T21:54:10Z"}]}"#;
