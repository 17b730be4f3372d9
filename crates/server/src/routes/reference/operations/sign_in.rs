//! `/oauth2`: what a standard client needs.

use axum::http::StatusCode;

use super::super::super::oauth::{device_authorization, token};
use super::super::operation::{Answer, Body, Caller, Form, Operation, Parameter, of};
use super::super::refusals::{self as refused, Speech};
use super::{DAYPASS_APP, DPOP, Section};

pub(super) static SECTION: Section = Section {
    name: "Sign in",
    about: "OAuth 2.0 for public clients, with PKCE: `client_id` is the `id` of an `[[app]]`, and there \
            is no secret. Libraries for OAuth and OpenID Connect find it by [the \
            metadata](#get-well-knownoauth-authorization-server). The story: [sign-in \
            page](sign-in-page.md), [sessions](sessions.md).",
    operations: &[
        Operation {
            name: "authorize",
            method: "GET",
            path: "/oauth2/authorize",
            summary: "Where the browser goes to sign in",
            about: "The person chooses a provider, or is sent to the one that you name, and comes back to \
                    `redirect_uri` with `code`, your `state`, and `iss`. In place of `code` comes `error` \
                    where the login came to nothing (`access_denied`, `temporarily_unavailable`, \
                    `server_error`), and at once where the request has a mistake (`invalid_request`, \
                    `unsupported_response_type`, `request_not_supported`, `login_required`): unless it is \
                    about the address itself, which is told to the person.",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[
                Parameter::query("client_id", "The `id` of the `[[app]]`.").needed(),
                Parameter::query(
                    "redirect_uri",
                    "One of its `redirect_uris`, letter by letter; only the port of `127.0.0.1` and \
                     `[::1]` is free.",
                )
                .needed(),
                Parameter::query("response_type", "Always `code`.").needed().of(&["code"]),
                Parameter::query(
                    "code_challenge",
                    "base64url(SHA-256(verifier)) without padding: 43 characters.",
                )
                .needed(),
                Parameter::query("code_challenge_method", "Always `S256`.").needed().of(&["S256"]),
                Parameter::query("state", "Up to 512 bytes, which come back unchanged. Compare them."),
                Parameter::query(
                    "scope",
                    "With `openid`, an [ID token](openid-provider.md) comes with the code's tokens; with \
                     `profile`, it has a name and a picture.",
                ),
                Parameter::query("nonce", "What the ID token is to repeat."),
                Parameter::query("provider", "The `id` of a `[[provider]]`, to go there at once."),
                Parameter::query(
                    "response_mode",
                    "`web_message`: the code comes as a message [from a \
                     popup](sign-in-page.md#in-a-popup).",
                )
                .of(&["query", "web_message"]),
            ]],
            body: Body::Nothing,
            answers: &[
                Answer::page("The page with a button for each provider."),
                Answer::redirect(
                    "To the provider that was named; or to the app, which learns what is wrong with its \
                     request.",
                ),
            ],
            refusals: &[&refused::APPS, &refused::PARAMETERS, &refused::NOTHING_LASTS, &refused::ANY_REQUEST],
            example: "\
$ DAYPASS=http://127.0.0.1:9400
$ VERIFIER=$(openssl rand -base64 48 | tr '+/' '-_')
$ CHALLENGE=$(printf %s \"$VERIFIER\" | openssl dgst -sha256 -binary \\
    | openssl base64 | tr '+/' '-_' | tr -d '=')
$ QUERY=\"client_id=terminal&redirect_uri=http://127.0.0.1:9/callback\"
$ QUERY=\"$QUERY&response_type=code&code_challenge_method=S256\"
$ QUERY=\"$QUERY&code_challenge=$CHALLENGE&state=xyzzy\"
$ echo \"Open $DAYPASS/oauth2/authorize?$QUERY\"",
        },
        Operation {
            name: "token",
            method: "POST",
            path: "/oauth2/token",
            summary: "A grant in, tokens and a session out",
            about: "What is granted is said by `grant_type`. Whoever signs in gets a `refresh_token`, and each \
                    refresh brings the next one. Lost answers are no harm: [the same request \
                    again](sessions.md#begin-go-on-end) brings the same successor for 30 seconds. One \
                    refresh at a time, and write the new token down before anything else.",
            caller: Caller::App,
            speech: Speech::OAuth,
            parameters: &[&[DPOP, DAYPASS_APP]],
            body: Body::Forms(&[
                Form {
                    name: "AuthorizationCodeGrant",
                    about: "A code of the hosted login, within 60 seconds",
                    fields: &[
                        &[
                            Parameter::field("grant_type", "").needed().of(&["authorization_code"]),
                            Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                            Parameter::field("code", "What came back.").needed(),
                            Parameter::field("redirect_uri", "Where it came back to, letter by letter.")
                                .needed(),
                            Parameter::field(
                                "code_verifier",
                                "The verifier of the challenge: 43 to 128 characters of `A-Z a-z 0-9 - . \
                                 _ ~`.",
                            )
                            .needed(),
                        ],
                        BEGINNING,
                    ],
                },
                Form {
                    name: "RefreshTokenGrant",
                    about: "A session goes on",
                    fields: &[&[
                        Parameter::field("grant_type", "").needed().of(&["refresh_token"]),
                        Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                        Parameter::field("refresh_token", "The newest one. Without it, it is in the cookie."),
                        Parameter::field("scope", "Less than was granted; more is refused."),
                        CREDENTIALS,
                    ]],
                },
                Form {
                    name: "TokenExchangeGrant",
                    about: "What a provider's own SDK gave to the app (RFC 8693)",
                    fields: &[
                        &[
                            Parameter::field("grant_type", "")
                                .needed()
                                .of(&["urn:ietf:params:oauth:grant-type:token-exchange"]),
                            Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                            Parameter::field("subject_token", "What the provider gave.").needed(),
                            SUBJECT_TOKEN_TYPE,
                            SUBJECT_ISSUER,
                            NONCE,
                            REQUESTED_TOKEN_TYPE,
                            Parameter::field(
                                "scope",
                                "With `openid`, an ID token comes along; with `profile`, it has a name \
                                 and a picture.",
                            ),
                        ],
                        BEGINNING,
                    ],
                },
                Form {
                    name: "DeviceCodeGrant",
                    about: "[A device without a browser](sessions.md#on-a-device-without-a-browser) asks whether \
                            somebody has let it (RFC 8628)",
                    fields: &[&[
                        Parameter::field("grant_type", "")
                            .needed()
                            .of(&["urn:ietf:params:oauth:grant-type:device_code"]),
                        Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                        Parameter::field("device_code", "What the device was given.").needed(),
                        CREDENTIALS,
                        GUEST,
                    ]],
                },
                Form {
                    name: "ActorTokenGrant",
                    about: "An agent or a service [acts for a person](act-for-a-person.md), without a session",
                    fields: &[&[
                        Parameter::field("grant_type", "")
                            .needed()
                            .of(&["urn:ietf:params:oauth:grant-type:token-exchange"]),
                        Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                        Parameter::field(
                            "subject_token",
                            "Who the person is: the ID token that the app was given here, or a token of their \
                             provider.",
                        )
                        .needed(),
                        SUBJECT_TOKEN_TYPE,
                        SUBJECT_ISSUER,
                        NONCE,
                        Parameter::field("actor_token", "Who acts: an ID token of an `[[actor]]`.").needed(),
                        Parameter::field("actor_token_type", "What it is.").needed().of(&[
                            "urn:ietf:params:oauth:token-type:id_token",
                            "urn:ietf:params:oauth:token-type:jwt",
                        ]),
                        CREDENTIALS,
                    ]],
                },
            ]),
            answers: &[Answer::json("What was granted.", of::<token::Answer<'static>>, TOKENS)],
            refusals: &[
                &refused::GRANTS,
                &refused::ACTORS,
                &refused::POLLS,
                &refused::CLIENTS,
                &refused::SESSIONS,
                &refused::LOGINS,
                &refused::SUBJECT_TOKENS,
                &refused::POOLS,
                &refused::SUBJECT_POOLS,
                &refused::FORM_BODIES,
                &refused::PAGES_OF_OTHERS,
                &refused::NOTHING_LASTS,
                &refused::ANY_REQUEST,
            ],
            example: "\
$ CODE=…
$ curl -sS \"$DAYPASS/oauth2/token\" -d grant_type=authorization_code \\
    -d client_id=terminal -d redirect_uri=http://127.0.0.1:9/callback \\
    -d code=\"$CODE\" -d code_verifier=\"$VERIFIER\" -d device='My laptop'
$ REFRESH=…
$ curl -sS \"$DAYPASS/oauth2/token\" -d grant_type=refresh_token \\
    -d client_id=terminal -d refresh_token=\"$REFRESH\" -d credentials=true",
        },
        Operation {
            name: "authorizeDevice",
            method: "POST",
            path: "/oauth2/device_authorization",
            summary: "A device without a browser begins",
            about: "It shows `user_code` and `verification_uri`, and asks at `/oauth2/token` every `interval` \
                    seconds. The app says `device_authorization = true`. The story: \
                    [sessions](sessions.md#on-a-device-without-a-browser).",
            caller: Caller::App,
            speech: Speech::OAuth,
            parameters: &[],
            body: Body::Forms(&[Form {
                name: "DeviceAuthorizationRequest",
                about: "A device",
                fields: &[&[
                    Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                    Parameter::field("scope", "As at `/oauth2/authorize`."),
                    DEVICE,
                ]],
            }]),
            answers: &[Answer::json("What it shows.", of::<device_authorization::Answer<'static>>, DEVICE_CODES)],
            refusals: &[
                &refused::DEVICES,
                &refused::CLIENTS,
                &refused::STORE,
                &refused::FORM_BODIES,
                &refused::PAGES_OF_OTHERS,
                &refused::NOTHING_LASTS,
                &refused::ANY_REQUEST,
            ],
            example: "",
        },
        Operation {
            name: "revoke",
            method: "POST",
            path: "/oauth2/revoke",
            summary: "Sign out of this device",
            about: "The session of the refresh token ends, and with it what was issued in it (RFC 7009). \
                    A token that is none, another app's or no refresh token answers alike, and nothing \
                    happens. A key that the token is bound to is not asked for: whoever finds a copy \
                    should be able to end it.",
            caller: Caller::App,
            speech: Speech::OAuth,
            parameters: &[&[DAYPASS_APP]],
            body: Body::Forms(&[Form {
                name: "Revocation",
                about: "A refresh token",
                fields: &[&[
                    Parameter::field("client_id", "The `id` of the `[[app]]`.").needed(),
                    Parameter::field(
                        "token",
                        "The session's refresh token. Without it, it is in the cookie.",
                    ),
                ]],
            }]),
            answers: &[Answer::nothing(StatusCode::OK, "The token is good for nothing any more.")],
            refusals: &[
                &refused::CLIENTS,
                &refused::COOKIES,
                &refused::STORE,
                &refused::FORM_BODIES,
                &refused::PAGES_OF_OTHERS,
                &refused::NOTHING_LASTS,
                &refused::ANY_REQUEST,
            ],
            example: "\
$ REFRESH=…
$ curl -sS --fail \"$DAYPASS/oauth2/revoke\" -d client_id=terminal \\
    -d token=\"$REFRESH\"",
        },
    ],
};

const CREDENTIALS: Parameter =
    Parameter::field("credentials", "`true`: temporary AWS credentials come along.").of(&["true", "false"]);

/// What goes with every grant that begins a session.
const BEGINNING: &[Parameter] = &[CREDENTIALS, DEVICE, GUEST];

const DEVICE: Parameter =
    Parameter::field("device", "What the person calls the device: 100 characters, on one line.");

const GUEST: Parameter =
    Parameter::field("identity_id", "A guest who is to become the login's identity, unless it has one.");

const SUBJECT_TOKEN_TYPE: Parameter = Parameter::field("subject_token_type", "What it is.").needed().of(&[
    "urn:ietf:params:oauth:token-type:access_token",
    "urn:ietf:params:oauth:token-type:id_token",
    "urn:ietf:params:oauth:token-type:jwt",
]);

const SUBJECT_ISSUER: Parameter = Parameter::field(
    "subject_issuer",
    "The `id` of the `[[provider]]` that gave it. It may be left out where `iss` of an ID token tells.",
);

const NONCE: Parameter = Parameter::field("nonce", "That of the ID token, if it has one.");

const REQUESTED_TOKEN_TYPE: Parameter =
    Parameter::field("requested_token_type", "What to call the token that comes; an access token if absent.")
        .of(&["urn:ietf:params:oauth:token-type:access_token", "urn:ietf:params:oauth:token-type:id_token"]);

const TOKENS: &str = r#"{"access_token":"eyJ…","token_type":"Bearer","expires_in":900,
 "scope":"offline_access","refresh_token":"dpr_…","refresh_expires_in":2592000,
 "session_id":"czA3ITIw2eR61e1hBBCm6Q","identity_id":"us-east-1:2f1f392d-…",
 "identity_pool_id":"us-east-1:d56f0c4d-…","region":"us-east-1",
 "provider":"snapchat","user":{"name":"Ada Lovelace"}}"#;

const DEVICE_CODES: &str = r#"{"device_code":"dpd_…","user_code":"WDJB-MJHT",
 "verification_uri":"http://127.0.0.1:9400/device",
 "verification_uri_complete":"http://127.0.0.1:9400/device?user_code=WDJB-MJHT",
 "expires_in":600,"interval":5}"#;
