//! `/login`: what people see.

use super::super::operation::{Answer, Body, Caller, Form, Operation, Parameter};
use super::super::refusals::{self as refused, Speech};
use super::Section;

pub(super) static SECTION: Section = Section {
    name: "Pages for people",
    about: "The hosted login under names of its own, as [`/oauth2/authorize`](#get-oauth2authorize) is it \
            under the standard's. A refusal is a page, with its `code` on it. The story: [sign-in \
            page](sign-in-page.md).",
    operations: &[
        Operation {
            name: "chooseProvider",
            method: "GET",
            path: "/login",
            summary: "A button for each provider",
            about: "",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[APP.needed(), REDIRECT_URI.needed(), CODE_CHALLENGE.needed()], OTHER_WISHES],
            body: Body::Nothing,
            answers: &[Answer::page("The page.")],
            refusals: &[&refused::APPS, &refused::PARAMETERS, &refused::NOTHING_LASTS, &refused::ANY_REQUEST],
            example: "",
        },
        Operation {
            name: "startLogin",
            method: "GET",
            path: "/login/{provider}",
            summary: "To a provider at once",
            about: "",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[PROVIDER, DEVICE, APP, REDIRECT_URI, CODE_CHALLENGE], OTHER_WISHES],
            body: Body::Nothing,
            answers: &[Answer::redirect("To the provider, with a cookie for the way back.")],
            refusals: &[
                &refused::APPS,
                &refused::PROVIDERS,
                &refused::REDIRECTS,
                &refused::DECISIONS,
                &refused::PARAMETERS,
                &refused::NOTHING_LASTS,
                &refused::ANY_REQUEST,
            ],
            example: "",
        },
        Operation {
            name: "finishLogin",
            method: "GET",
            path: "/login/{provider}/callback",
            summary: "Back from a provider",
            about: "What to register at the provider as the client's redirect URI. No app calls it.",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[
                PROVIDER,
                Parameter::query("state", "What the login was started with. All else is the provider's."),
            ]],
            body: Body::Nothing,
            answers: ANSWERS,
            refusals: REFUSALS,
            example: "",
        },
        Operation {
            name: "finishPostedLogin",
            method: "POST",
            path: "/login/{provider}/callback",
            summary: "Back from a provider whose page posts",
            about: "The same for providers that answer with a form.",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[PROVIDER]],
            body: Body::Nothing,
            answers: ANSWERS,
            refusals: REFUSALS,
            example: "",
        },
        Operation {
            name: "enterDevice",
            method: "GET",
            path: "/device",
            summary: "Where the code of a device is typed",
            about: "",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[Parameter::query(
                "user_code",
                "Stands in the field, and is sent by the person alone.",
            )]],
            body: Body::Nothing,
            answers: &[Answer::page("The page.")],
            refusals: DEVICE_REFUSALS,
            example: "",
        },
        Operation {
            name: "findDevice",
            method: "POST",
            path: "/device",
            summary: "The code was typed",
            about: "Pages of ours send it, and no others may.",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[],
            body: Body::Forms(&[Form {
                name: "UserCode",
                about: "The code",
                fields: &[&[Parameter::field("user_code", "As the device shows it.").needed()]],
            }]),
            answers: &[Answer::redirect("To what the code is about.")],
            refusals: DEVICE_REFUSALS,
            example: "",
        },
        Operation {
            name: "reviewDevice",
            method: "GET",
            path: "/device/login",
            summary: "What a code is about, and where to sign in",
            about: "",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[&[Parameter::query("device", "What the page before has found.").needed()]],
            body: Body::Nothing,
            answers: &[Answer::page("The page.")],
            refusals: DEVICE_REFUSALS,
            example: "",
        },
        Operation {
            name: "decideDevice",
            method: "POST",
            path: "/device/decision",
            summary: "Whoever signed in has decided",
            about: "Pages of ours send it, and no others may.",
            caller: Caller::Person,
            speech: Speech::Page,
            parameters: &[],
            body: Body::Forms(&[Form {
                name: "DeviceDecision",
                about: "The decision",
                fields: &[&[
                    Parameter::field("verdict", "").needed().of(&["allow", "deny"]),
                    Parameter::field("question", "What the page asked.").needed(),
                ]],
            }]),
            answers: &[Answer::page("That it is done.")],
            refusals: DEVICE_REFUSALS,
            example: "",
        },
    ],
};

const DEVICE_REFUSALS: &[&refused::Refusals] = &[
    &refused::DECISIONS,
    &refused::OWN_FORMS,
    &refused::PARAMETERS,
    &refused::POSTED,
    &refused::NOTHING_LASTS,
    &refused::ANY_REQUEST,
];

const PROVIDER: Parameter = Parameter::path("provider", "The `id` of the `[[provider]]`.");

const DEVICE: Parameter = Parameter::query(
    "device",
    "A sign-in for [a device](#get-device), in place of all else, of which an app needs the first three.",
);

const APP: Parameter = Parameter::query("app", "The `id` of the `[[app]]`.");

const REDIRECT_URI: Parameter = Parameter::query(
    "redirect_uri",
    "One of its `redirect_uris`, letter by letter; only the port of `127.0.0.1` and `[::1]` is free.",
);

const CODE_CHALLENGE: Parameter =
    Parameter::query("code_challenge", "base64url(SHA-256(verifier)) without padding: 43 characters.");

/// What an app asks for besides.
const OTHER_WISHES: &[Parameter] = &[
    Parameter::query("code_challenge_method", "`S256`, which it is anyway.").of(&["S256"]),
    Parameter::query("response_type", "`code`, which it is anyway.").of(&["code"]),
    Parameter::query(
        "response_mode",
        "`web_message`: the code comes as a message [from a popup](sign-in-page.md#in-a-popup).",
    )
    .of(&["query", "web_message"]),
    Parameter::query("state", "Up to 512 bytes, which come back unchanged. Compare them."),
    Parameter::query("scope", "As at `/oauth2/authorize`."),
    Parameter::query("nonce", "As there."),
];

const ANSWERS: &[Answer] = &[
    Answer::redirect("To the app's `redirect_uri`, with `code`, `state` and `iss`."),
    Answer::page("The end of a popup, which gives the window that opened it the same as a message."),
];

const REFUSALS: &[&refused::Refusals] = &[
    &refused::DECISIONS,
    &refused::ANSWERS,
    &refused::PROVIDERS,
    &refused::PARAMETERS,
    &refused::POSTED,
    &refused::LOGINS,
    &refused::POOLS,
    &refused::NOTHING_LASTS,
    &refused::ANY_REQUEST,
];
