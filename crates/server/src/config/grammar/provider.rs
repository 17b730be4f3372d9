//! The tables of a provider: what is the operator's to say, and the vocabulary of definitions, of which whatever an
//! operator writes is laid over the catalogue's block.

use std::collections::BTreeMap;

use daypass_core::login::provider::Identifier;
use daypass_core::login::provider::definition::{
    Authorize, Binding, CallAuthentication, CallMethod, ChallengeForm, ClientAuthentication, ClientErrors,
    ClientName, Comparison, Condition, Decode, Exchange, IdScope, IdToken, IdTokenKeys, NonceMode, OpenId2,
    ParametersIn, Pkce, Profile, ProofKind, ScopeSeparator, SignedFields, SignedFieldsKey, Variable,
};
use daypass_core::login::provider::picture::Picture;
use daypass_core::login::provider::pointer::{OneOrMore, Pointer, Subject, Value as Answer, ValueType};
use daypass_core::login::provider::template::Template;
use toml::Value;

use super::secret::secret;
use super::{Key, Kind, More, Table, duration};
use crate::config::provider::AppleConfig;

/// What an operator says about a provider.
pub static PROVIDER: Table = Table {
    about: "A provider whose logins are accepted: a block of the catalogue, and whatever you lay over it. \
            `daypass provider add ID` prints the lines that are yours to fill in.",
    keys: &[
        Key::new::<String>(
            "id",
            Kind::Text,
            "Its name here, part of every developer user identifier: letters, digits, `-` and `_`.",
        )
        .required(),
        Key::new::<String>("catalogue", Kind::Text, "The block of the catalogue.").or("`id`"),
        Key::new::<String>("client_id", Kind::Text, "Your client there.")
            .or("a mistake, but at Steam, which knows no clients"),
        Key::new::<Vec<String>>(
            "other_client_ids",
            Kind::Texts,
            "Other clients of the same app there, whose tokens count too.",
        )
        .or("none"),
        Key::new::<String>(
            "app_id",
            Kind::Text,
            "The number of the app, at providers that know it beside the client ID.",
        ),
        secret("client_secret", "That client's secret; at Apple, the private key.")
            .or("a mistake where anything is confirmed with it"),
        Key::new::<AppleConfig>(
            "apple",
            Kind::Table(&APPLE),
            "What Apple's portal says about the key in `client_secret`.",
        ),
        Key::new::<bool>(
            "accept_unbound_access_tokens",
            Kind::Flag,
            "Whether access tokens count that may have been issued to any app.",
        )
        .or("false"),
        Key::new::<bool>(
            "hidden",
            Kind::Flag,
            "Whether the sign-in page does not offer it. Whoever names it can use it.",
        )
        .or("false"),
        Key::new::<bool>(
            "only_actors",
            Kind::Flag,
            "Whether it vouches for actors alone, and nobody signs in by it.",
        )
        .or("false"),
        Key::new::<Identifier>(
            "identifier",
            Kind::Choice(&["{provider}:{subject}", "{subject}"]),
            "How its people are named in the pool; one provider at most may be bare.",
        )
        .or("{provider}:{subject}"),
        Key::new::<String>(
            "cache_verified",
            Kind::Duration,
            "How long a yes is repeated without asking again; at most `5m`.",
        )
        .read_by(duration)
        .or("never"),
        Key::new::<String>(
            "recheck",
            Kind::Duration,
            "How often it is asked whether a login still stands that a session rests on, if it gave a refresh token.",
        )
        .read_by(duration)
        .or("1d"),
    ],
    more: More::Over(&DEFINITION),
};

static APPLE: Table = Table::of(
    "The key of Sign in with Apple.",
    &[
        Key::new::<String>("team_id", Kind::Text, "The developer team.").required(),
        Key::new::<String>("key_id", Kind::Text, "The key.").required(),
    ],
);

const SCOPES_OF_IDS: &[&str] = &["app", "developer", "tenant", "global", "unknown"];
const DECODE: &[&str] = &["json", "jsonp", "form"];

/// The vocabulary of definitions.
pub static DEFINITION: Table = Table::of(
    "The vocabulary of the catalogue. All of it may be laid over a block, or make a provider that no catalogue has.",
    &[
        Key::new::<String>("name", Kind::Text, "What people call it.").required(),
        Key::new::<String>(
            "register",
            Kind::Text,
            "Where a client is registered, and what is entered there.",
        )
        .required(),
        Key::new::<String>(
            "checked",
            Kind::Text,
            "When its facts were last held against others', and against whose: a month, and where they stand.",
        ),
        Key::new::<Vec<String>>("unverified", Kind::Texts, "Facts in the block that nobody has confirmed.")
            .or("none"),
        Key::new::<IdScope>(
            "id_scope",
            Kind::Choice(SCOPES_OF_IDS),
            "For whom a person has the same external ID.",
        )
        .required(),
        Key::new::<Vec<ProofKind>>(
            "accept",
            Kind::Texts,
            "The kinds of proof that count: `code`, `access_token`, `id_token`, `signed_fields`.",
        )
        .required(),
        Key::new::<BTreeMap<String, Variable>>(
            "variables",
            Kind::TableByName(&VARIABLE),
            "Parts of URLs that differ between installations of the provider.",
        ),
        Key::new::<Vec<String>>("scopes", Kind::Texts, "What a login asks for.").or("none"),
        Key::new::<ScopeSeparator>(
            "scope_separator",
            Kind::Choice(&["space", "comma", "semicolon"]),
            "What stands between scopes.",
        )
        .or("space"),
        Key::new::<Pkce>(
            "pkce",
            Kind::Choice(&["required", "never"]),
            "Whether its flow uses PKCE (RFC 7636).",
        )
        .or("required"),
        Key::new::<Authorize>(
            "authorize",
            Kind::Table(&AUTHORIZE),
            "Where a login starts (RFC 6749 section 3.1).",
        ),
        Key::new::<Exchange>(
            "exchange",
            Kind::Table(&EXCHANGE),
            "Where a code is redeemed (RFC 6749 section 3.2).",
        ),
        Key::new::<Profile>("profile", Kind::Table(&PROFILE), "The call that says whose an access token is."),
        Key::new::<IdToken>(
            "id_token",
            Kind::Table(&ID_TOKEN),
            "How its ID tokens are believed (OpenID Connect Core section 3.1.3.7).",
        ),
        Key::new::<SignedFields>(
            "signed_fields",
            Kind::Table(&SIGNED_FIELDS),
            "How fields that it signed with a secret of yours are believed.",
        ),
        Key::new::<OpenId2>("openid2", Kind::Table(&OPENID2), "How its OpenID 2.0 assertions are believed."),
        Key::new::<Binding>(
            "binding",
            Kind::Table(&BINDING),
            "How it is known that an access token was issued to your client.",
        )
        .required(),
    ],
);

static VARIABLE: Table = Table::of(
    "A part of URLs, such as the host of an installation.",
    &[
        Key::new::<String>("about", Kind::Text, "What it is.").required(),
        Key::new::<String>("value", Kind::Text, "Its value, if it is not the operator's to give."),
    ],
);

static AUTHORIZE: Table = Table::of(
    "The authorization endpoint.",
    &[
        Key::new::<Template>("url", Kind::Text, "Its URL.").required(),
        Key::new::<BTreeMap<String, String>>(
            "parameters",
            Kind::TextByName,
            "Parameters that are always the same.",
        ),
        Key::new::<BTreeMap<String, String>>(
            "rename",
            Kind::TextByName,
            "A standard parameter, and what this provider calls it.",
        ),
        Key::new::<bool>(
            "form_post",
            Kind::Flag,
            "Whether the answer comes as a form post instead of a query.",
        )
        .or("false"),
        Key::new::<ChallengeForm>(
            "code_challenge",
            Kind::Choice(&["base64url", "hex"]),
            "How the code challenge of PKCE is written.",
        )
        .or("base64url"),
    ],
);

static EXCHANGE: Table = Table::of(
    "The token endpoint.",
    &[
        Key::new::<Template>("url", Kind::Text, "Its URL.").required(),
        Key::new::<ClientAuthentication>(
            "client_auth",
            Kind::TextOrWord(&["basic", "basic_and_id", "parameters", "apple_jwt", "none"], &["header"]),
            "How your client shows who it is.",
        )
        .required(),
        Key::new::<ParametersIn>(
            "parameters_in",
            Kind::Choice(&["form", "json", "query"]),
            "Where the parameters stand.",
        )
        .or("form"),
        Key::new::<BTreeMap<String, Template>>(
            "parameters",
            Kind::TextByName,
            "Parameters that are always the same.",
        ),
        Key::new::<BTreeMap<String, String>>(
            "rename",
            Kind::TextByName,
            "A standard parameter, and what this provider calls it.",
        ),
        HEADERS,
        Key::new::<Vec<String>>("callback", Kind::Texts, "Parameters of the callback that go along.")
            .or("none"),
        decode(),
        SUCCESS,
        Key::new::<ClientErrors>(
            "client_errors",
            Kind::Table(&CLIENT_ERRORS),
            "How the answer says that it is your client that is wrong, in other words than the standard's.",
        ),
        Key::new::<Pointer>("access_token", Kind::Text, "Where the access token stands (RFC 6901).")
            .or("/access_token"),
        TAKE,
        Key::new::<bool>(
            "reads_id_token",
            Kind::Flag,
            "Whether the person is read from the ID token that comes along, rather than from the profile.",
        )
        .or("false"),
        Key::new::<Pointer>("id_token", Kind::Text, "Where that ID token stands (RFC 6901).").or("/id_token"),
    ],
);

static CLIENT_ERRORS: Table = Table::of(
    "A provider's own words for a client that it does not accept.",
    &[
        Key::new::<Pointer>("at", Kind::Text, "Where an answer has its error.").required(),
        Key::new::<Vec<String>>("are", Kind::Texts, "The words.").required(),
    ],
);

const HEADERS: Key = Key::new::<BTreeMap<String, Template>>("headers", Kind::TextByName, "Further headers.");
const SUCCESS: Key = Key::new::<Condition>(
    "success",
    Kind::Tables(&CONDITION),
    "What must hold for the answer to be a success: all of these.",
);
const TAKE: Key = Key::new::<BTreeMap<String, Answer>>(
    "take",
    Kind::TableByName(&VALUE),
    "Values for later calls, by name.",
);

const fn decode() -> Key {
    Key::new::<Decode>("decode", Kind::Choice(DECODE), "How the answer is written.").or("json")
}

/// The keys of a call, which `profile` and `binding` have beside their own.
static CALL: Table = Table::of(
    "A question to a provider.",
    &[
        Key::new::<CallMethod>("method", Kind::Choice(&["GET", "POST"]), "How to ask.").or("GET"),
        Key::new::<Template>("url", Kind::Text, "Where to ask."),
        Key::new::<CallAuthentication>(
            "auth",
            Kind::TextOrWord(&["bearer", "oauth", "client_basic", "none"], &["header"]),
            "What shows that we may ask.",
        )
        .or("bearer"),
        HEADERS,
        Key::new::<BTreeMap<String, Template>>("form", Kind::TextByName, "The fields of a form body."),
        Key::new::<Value>(
            "json",
            Kind::Other,
            "A JSON body. A text that is nothing but `{name}` stands for that value.",
        ),
        decode(),
        SUCCESS,
        Key::new::<Condition>(
            "refused",
            Kind::Tables(&CONDITION),
            "What says no to the proof with status 200: one of these is enough.",
        ),
        Key::new::<bool>(
            "refuses_by_404",
            Kind::Flag,
            "Whether status 404 says no to the token, rather than that the address is gone.",
        )
        .or("false"),
        TAKE,
    ],
);

static PROFILE: Table = Table {
    about: "The call that says whose an access token is.",
    keys: &[SUBJECT, NAME, AVATAR],
    more: More::Of(&CALL),
};

const SUBJECT: Key = Key::new::<Subject>(
    "subject",
    Kind::Other,
    "The external ID: a value, or several in brackets that make one only together.",
)
.required();
const NAME: Key = Key::new::<OneOrMore<Pointer>>(
    "name",
    Kind::OneOrMoreTexts,
    "A name for screens: the first of these that is there.",
);
const AVATAR: Key = Key::new::<Picture>(
    "avatar",
    Kind::Text,
    "A picture for screens: where it stands, or how its URL is made.",
);

static ID_TOKEN: Table = Table::of(
    "How ID tokens are believed.",
    &[
        Key::new::<Vec<String>>("issuers", Kind::Texts, "Each a spelling of its issuer.").required(),
        Key::new::<IdTokenKeys>(
            "keys",
            Kind::TextOrWord(&["client_secret"], &["discovery", "jwks", "jwks_or_client_secret"]),
            "Whose keys sign them: those that an issuer's discovery document names, those at a URL, your client's secret (HS256), or, as its algorithm says, either.",
        )
        .required(),
        Key::new::<String>("max_age", Kind::Duration, "The oldest that one may be, from its `iat`.").read_by(duration),
        Key::new::<NonceMode>("nonce", Kind::Choice(&["exact", "sha256", "none"]), "How the nonce of the login stands in it.").or("exact"),
        Key::new::<Value>("claims", Kind::Other, "Claims that must have one of these values: a name, and values in brackets."),
        SUBJECT,
        Key::new::<Vec<Pointer>>("name", Kind::Texts, "A name for screens: the first of these that is there."),
        AVATAR,
    ],
);

static SIGNED_FIELDS: Table = Table::of(
    "Fields signed with a key that follows from your client's secret.",
    &[
        Key::new::<String>("signature", Kind::Text, "The field that holds the signature.").required(),
        Key::new::<String>("joiner", Kind::Text, "What stands between fields.").required(),
        Key::new::<SignedFieldsKey>(
            "key",
            Kind::Choice(&["secret", "sha256_of_secret"]),
            "How the key follows from the secret.",
        )
        .required(),
        Key::new::<String>(
            "signed_at",
            Kind::Text,
            "The field that says when it was signed, in seconds since 1970.",
        )
        .required(),
        Key::new::<i64>(
            "max_age_seconds",
            Kind::Number(1, i64::MAX),
            "The oldest that it may be, in seconds.",
        )
        .required(),
        SUBJECT,
        Key::new::<Vec<Pointer>>(
            "name",
            Kind::Texts,
            "A name for screens: the first of these that is there.",
        ),
        AVATAR,
    ],
);

static OPENID2: Table = Table::of(
    "OpenID Authentication 2.0, as far as Steam speaks it.",
    &[
        Key::new::<Template>("endpoint", Kind::Text, "Where logins start and assertions are checked.")
            .required(),
        Key::new::<String>("identifier_prefix", Kind::Text, "What every identifier begins with.").required(),
    ],
);

static CONDITION: Table = Table::of(
    "One thing that must hold for an answer.",
    &[
        Key::new::<Pointer>("at", Kind::Text, "Where to look (RFC 6901).").required(),
        Key::new::<Comparison>(
            "is",
            Kind::TextOrWord(&["absent_or_empty", "present"], &["equal", "absent_or", "greater"]),
            "What must be there.",
        )
        .required(),
    ],
);

static VALUE: Table = Table::of(
    "A value of an answer.",
    &[
        Key::new::<Pointer>("at", Kind::Text, "Where it stands (RFC 6901).").required(),
        Key::new::<ValueType>("type", Kind::Choice(&["string", "integer", "digits"]), "Its JSON type.")
            .or("string"),
        Key::new::<String>("strip_prefix", Kind::Text, "What it begins with, which is not part of it."),
    ],
);

static BINDING: Table = Table {
    about: "How it is known that an access token was issued to your client.",
    keys: &[
        Key::new::<String>(
            "kind",
            Kind::Choice(&["none", "id_token", "signature", "profile", "endpoint", "client_auth_endpoint"]),
            "Who says so: nobody, the ID token, the signature, the profile, a call that the token opens, or one that \
             needs your client's credentials.",
        )
        .required(),
        Key::new::<Value>("client", Kind::Table(&NAMED_CLIENT), "Where the answer names the client."),
        Key::new::<Answer>("user", Kind::Table(&VALUE), "Where the answer names the person, who has to be the profile's."),
    ],
    more: More::Of(&CALL),
};

static NAMED_CLIENT: Table = Table::of(
    "Where an answer names the client.",
    &[
        Key::new::<Pointer>("at", Kind::Text, "Where it stands (RFC 6901).").required(),
        Key::new::<ClientName>("is", Kind::Choice(&["client_id", "app_id"]), "What has to stand there.")
            .or("client_id"),
    ],
);
