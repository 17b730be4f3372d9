//! The tables of an installation.

use std::collections::BTreeMap;

use daypass_core::broker::login_tags::LoginTags;
use daypass_core::ground::ids::{AccountId, ActorId, IdentityPoolId, Region, RoleName};
use daypass_core::login::public::{OidcProvider, UserPool};
use daypass_core::records::limits::MAX_MAPPING_RULES;
use daypass_core::records::signing_algorithm::Algorithm;
use daypass_core::token::id_token::IdTokenSubject;
use toml::Value;

use super::audit::AUDIT;
use super::limits::LIMITS;
use super::secret::{master_key, master_keys, secret};
use super::store::STORE;
use super::traces::TRACES;
use super::{Key, Kind, PROVIDER, Table, duration};
use crate::config::pool::{MAX_QUOTA, PoolConfig, RegionConfig};
use crate::config::{
    ActorConfig, AppConfig, AuditConfig, Givers, LimitsConfig, LogConfig, MasterKeyReference, NetworkConfig,
    OpenIdConfig, Pkcs11Config, RoleConfig, SecretsConfig, TokensConfig, TracesConfig, urls,
};
use crate::foreign_sts::CredentialsConfig;
use crate::origin::TrustedProxy;
use crate::provider_http::{AllowedHost, UserAgent};
use crate::secrets::Interval;
use crate::telemetry::{Format, Level};

/// A whole configuration.
pub static FILE: Table = Table::of(
    "What an operator decides about an installation.",
    &[
        Key::new::<String>(
            "public_url",
            Kind::Text,
            "Where browsers and clients reach the server: the issuer of its tokens. No slash at the end.",
        )
        .read_by(public_url)
        .for_production()
        .required_as("write `public_url = \"https://…\"`, the address that people sign in at"),
        Key::new::<MasterKeyReference>(
            "master_key",
            Kind::MasterKey,
            "The root of all sealing: 32 bytes in base64. What it sealed cannot be opened without it.",
        )
        .read_by(master_key)
        .for_production()
        .required_by_production(
            "write `master_key = { file = \"…\" }` above all tables, and into that file what `openssl rand -base64 32` \
             prints",
        )
        .read_again(),
        Key::new::<Vec<MasterKeyReference>>(
            "other_master_keys",
            Kind::MasterKeys,
            "Master keys that only open: one that sealed before, as long as something is sealed under it, and one that is to \
             seal next.",
        )
        .read_by(master_keys)
        .for_production()
        .read_again(),
        Key::new::<Value>("store", Kind::Table(&STORE), "Where everything is kept.")
            .for_production()
            .required_by_production("write `[store]`, and below it `url = \"sqlite:daypass.db\"`"),
        Key::new::<PoolConfig>("pool", Kind::Table(&POOL), "The identity pool that logins lead to.").required_by_production(
            "write `[pool]`, and below it name, developer_provider, region and account_id, or driver = \"cognito\"",
        ),
        Key::new::<NetworkConfig>(
            "network",
            Kind::Table(&NETWORK),
            "What of the network providers may be in, who stands in front, and how patient the server is.",
        ),
        Key::new::<LimitsConfig>("limits", Kind::Table(&LIMITS), "How often somebody may ask.").read_again(),
        Key::new::<Value>("metrics", Kind::Table(&METRICS), "Who may read the metrics.").read_again(),
        Key::new::<TracesConfig>("traces", Kind::Table(&TRACES), "Who gets traces of requests.").read_again(),
        Key::new::<LogConfig>("log", Kind::Table(&LOG), "What the log has.").read_again(),
        Key::new::<AuditConfig>("audit", Kind::Table(&AUDIT), "What the audit trail has."),
        Key::new::<TokensConfig>("tokens", Kind::Table(&TOKENS), "What signs tokens, and for how long."),
        Key::new::<OpenIdConfig>("openid", Kind::Table(&OPENID), "What apps learn of people by ID tokens."),
        Key::new::<SecretsConfig>("secrets", Kind::Table(&SECRETS), "How secrets that AWS keeps are handled.")
            .read_again(),
        Key::new::<CredentialsConfig>(
            "credentials",
            Kind::Table(&CREDENTIALS),
            "Who gives credentials to the people of the embedded pool.",
        ),
        Key::new::<Value>("provider", Kind::Tables(&PROVIDER), "The providers whose logins are accepted.")
            .read_again(),
        Key::new::<OidcProvider>(
            "oidc_provider",
            Kind::Tables(&OIDC_PROVIDER),
            "OpenID Connect providers that the embedded pool may accept logins of, each under its ARN.",
        )
        .read_again(),
        Key::new::<UserPool>(
            "user_pool",
            Kind::Tables(&USER_POOL),
            "Cognito user pools that are not where their names say: those of an emulator.",
        )
        .read_again(),
        Key::new::<AppConfig>("app", Kind::Tables(&APP), "Who may call from where.").read_again(),
        Key::new::<ActorConfig>("actor", Kind::Tables(&ACTOR), "Agents and services that may act for people.")
            .read_again(),
        Key::new::<RoleConfig>("role", Kind::Tables(&ROLE), "The roles that the embedded pool may give.")
            .read_again(),
    ],
);

static TOKENS: Table = Table::of(
    "What signs tokens, and for how long.",
    &[
        Key::new::<Algorithm>(
            "algorithm",
            Kind::Choice(&["RS512", "ES256"]),
            "How the OpenID tokens of the embedded pool are signed. ID tokens are always RS512.",
        )
        .or("RS512"),
        Key::new::<BTreeMap<IdentityPoolId, Algorithm>>(
            "pools",
            Kind::TextByName,
            "The same of some pools: a pool's ID, and `RS512` or `ES256`.",
        ),
        Key::new::<String>("rotate", Kind::Duration, "How long a key signs before another one does.")
            .read_by(duration)
            .or("until `daypass key rotate-signing`"),
        Key::new::<String>(
            "publish",
            Kind::Duration,
            "How long a key is published before it signs: `15m` at least.",
        )
        .read_by(duration)
        .or("24h"),
        Key::new::<Pkcs11Config>(
            "pkcs11",
            Kind::Table(&PKCS11),
            "The hardware security module that makes the keys, holds them and signs with them.",
        )
        .or("this process does"),
    ],
);

static PKCS11: Table = Table::of(
    "The hardware security module that makes the keys that sign tokens, holds them and signs with them, by PKCS #11.",
    &[
        Key::new::<String>(
            "module",
            Kind::Text,
            "The file of the PKCS #11 library, which the HSM's vendor has.",
        )
        .required(),
        Key::new::<String>("token", Kind::Text, "The label of the token that the keys are in.").required(),
        secret("pin", "The PIN of the token's user.").required(),
    ],
);

static POOL: Table = Table::of(
    "The identity pool that logins lead to: the embedded one, or one of Amazon Cognito.",
    &[
        Key::new::<String>("driver", Kind::Choice(&["embedded", "cognito"]), "Whose pool it is.")
            .for_production()
            .or("embedded"),
        Key::new::<String>(
            "developer_provider",
            Kind::Text,
            "The developer provider name: the key in `Logins` that stands for this broker.",
        )
        .for_production()
        .required(),
        Key::new::<LoginTags>(
            "principal_tags",
            Kind::TextByName,
            "Session tags of everybody who logs in: a text, or `{provider}` or `{subject}` of the login, or `{actor}` where somebody acts for them.",
        ),
        Key::new::<String>(
            "max_token_duration",
            Kind::Duration,
            "The longest life of an OpenID token that a client may ask for; at most `24h`.",
        )
        .read_by(duration)
        .or("1h"),
        Key::new::<String>(
            "name",
            Kind::Text,
            "The name of the embedded pool, which is made under it at the first start.",
        )
        .for_production()
        .for_driver("embedded")
        .required(),
        Key::new::<Value>(
            "region",
            Kind::TextOrTables(&REGION),
            "The Region in the IDs and ARNs of the embedded pool; or, with `driver = \"cognito\"`, `[[pool.region]]` tables.",
        )
        .read_by(region)
        .for_production()
        .required(),
        Key::new::<AccountId>("account_id", Kind::Text, "The account in the ARNs of the embedded pool.")
            .for_production()
            .for_driver("embedded")
            .required(),
        Key::new::<u16>(
            "role_mapping_rules",
            Kind::Number(1, MAX_MAPPING_RULES as i64),
            "How many rules the role mapping of one provider may have in the embedded pool.",
        )
        .for_driver("embedded")
        .or("25"),
    ],
);

static REGION: Table = Table::of(
    "A pool of Amazon Cognito in one Region. The first is asked first.",
    &[
        Key::new::<Region>("region", Kind::Text, "The Region.").required(),
        Key::new::<IdentityPoolId>("pool_id", Kind::Text, "The identity pool.").required(),
        Key::new::<u32>(
            "quota",
            Kind::Number(1, MAX_QUOTA as i64),
            "How many tokens a second the account may ask for there.",
        )
        .or("50"),
        Key::new::<String>(
            "endpoint_url",
            Kind::Text,
            "Where the API answers, if it is not where the AWS SDK says.",
        )
        .read_by(endpoint_url),
    ],
);

static NETWORK: Table = Table::of(
    "What of the network providers may be in, who stands in front, and how patient the server is.",
    &[
        Key::new::<Vec<AllowedHost>>(
            "allow_private",
            Kind::Texts,
            "Hosts of providers, issuers and receivers of the audit trail that may have a private address: names or addresses, no ports.",
        )
        .or("none"),
        Key::new::<UserAgent>(
            "user_agent",
            Kind::Text,
            "What providers are told that asks them. Some want the name of an app, and whom to write to.",
        )
        .or("`daypass/` and the version"),
        Key::new::<Vec<TrustedProxy>>(
            "trusted_proxies",
            Kind::Texts,
            "Proxies that are believed when they say who is behind them: addresses or networks.",
        )
        .or("none"),
        Key::new::<String>(
            "idle_timeout",
            Kind::Duration,
            "How long a connection is kept on which nobody asks.",
        )
        .read_by(duration)
        .or("75s"),
        Key::new::<String>(
            "drain_timeout",
            Kind::Duration,
            "How long requests under way may take when the server is told to end.",
        )
        .read_by(duration)
        .or("35s"),
    ],
);

static METRICS: Table = Table::of(
    "Who may read the metrics: nobody, unless there is a token.",
    &[secret("token", "The bearer token that `/metrics` asks for.")],
);

static SECRETS: Table = Table::of(
    "How secrets that AWS keeps are handled.",
    &[Key::new::<Interval>(
        "refresh",
        Kind::Text,
        "How old they may become before they are fetched again: a duration, or `never`.",
    )
    .or("15m")],
);

static LOG: Table = Table::of(
    "What the log has of what Daypass does itself.",
    &[
        Key::new::<Level>(
            "level",
            Kind::Choice(&["warn", "info", "debug"]),
            "`warn`: what somebody should look at. `info`: each request as well. `debug`: why one was refused as well, and \
             connections that broke off.",
        )
        .or("info"),
        Key::new::<Format>(
            "format",
            Kind::Choice(&["json", "text"]),
            "How a line is written: as an object of JSON, for programs, or as a text for somebody who reads along. Audit events \
             are JSON everywhere.",
        )
        .or("json"),
    ],
);

static OPENID: Table = Table::of(
    "What apps learn of people by ID tokens.",
    &[Key::new::<IdTokenSubject>(
        "subject",
        Kind::Choice(&["identity", "login"]),
        "Whom `sub` names: the identity, whichever of its logins it was, or the login, by its developer user identifier. \
         Apps keep data by it, so it stays what it is.",
    )
    .or("identity")],
);

static CREDENTIALS: Table = Table::of(
    "Who gives credentials to the people of the embedded pool: Daypass itself, or another STS.",
    &[
        Key::new::<String>("source", Kind::Choice(&["embedded", "sts"]), "Who gives them.").or("embedded"),
        Key::new::<String>(
            "url",
            Kind::Text,
            "Where the other STS answers: `https://`, or a host of `allow_private`.",
        ),
        Key::new::<String>(
            "duration",
            Kind::Duration,
            "How long its credentials are to last: `15m` to `12h`.",
        )
        .read_by(duration)
        .or("1h"),
        Key::new::<std::collections::BTreeMap<String, String>>(
            "roles",
            Kind::TextByName,
            "ARN of a role of the pool, and the ARN of the role there that its holders get.",
        ),
    ],
);

static OIDC_PROVIDER: Table = Table::of(
    "An OpenID Connect provider, as IAM has them.",
    &[
        Key::new::<String>(
            "arn",
            Kind::Text,
            "`arn:aws:iam::ACCOUNT:oidc-provider/`, and the issuer without `https://`.",
        )
        .required(),
        Key::new::<String>("issuer", Kind::Text, "Exactly what stands in `iss` of its ID tokens.").required(),
        Key::new::<Vec<String>>("audiences", Kind::Texts, "The client IDs whose ID tokens count: 1 to 100.")
            .required(),
        Key::new::<String>(
            "jwks_uri",
            Kind::Text,
            "Where its keys are, if its discovery document is not to say so.",
        ),
    ],
);

static USER_POOL: Table = Table::of(
    "A Cognito user pool of an emulator.",
    &[
        Key::new::<String>(
            "name",
            Kind::Text,
            "`cognito-idp.REGION.amazonaws.com/ID`, as pools and `Logins` spell it.",
        )
        .required(),
        Key::new::<String>("issuer", Kind::Text, "Exactly what stands in `iss` of its ID tokens.").required(),
        Key::new::<String>("jwks_uri", Kind::Text, "Where its keys are.")
            .or("`/.well-known/jwks.json` under the issuer"),
    ],
);

static APP: Table = Table::of(
    "An app that may call the broker.",
    &[
        Key::new::<String>("id", Kind::Text, "What you call it; each has its own.").required(),
        Key::new::<String>("name", Kind::Text, "What people call it, on the sign-in page.")
            .or("the host of the redirect URI, or its scheme"),
        Key::new::<Vec<String>>(
            "origins",
            Kind::Texts,
            "The origins that its pages are served from, as a browser writes them.",
        )
        .required(),
        Key::new::<Vec<String>>(
            "redirect_uris",
            Kind::Texts,
            "The redirect URIs that its logins return to; each is compared letter by letter, but for the port of `127.0.0.1` and `[::1]`.",
        )
        .required(),
        Key::new::<bool>(
            "session_cookie",
            Kind::Flag,
            "Whether its sessions are in a cookie, where no script reads them: for pages of the same site as `public_url`.",
        )
        .or("false"),
        Key::new::<bool>(
            "device_authorization",
            Kind::Flag,
            "Whether it signs people in on devices without a browser, by a code that they type elsewhere.",
        )
        .or("false"),
        Key::new::<String>("session_idle", Kind::Duration, "How long somebody stays signed in who does not come back.")
            .read_by(duration)
            .or("7d; 30d without `origins`"),
        Key::new::<String>("session_lifetime", Kind::Duration, "How long somebody stays signed in; at most `366d`.")
            .read_by(duration)
            .or("30d; 90d without `origins`"),
    ],
);

static ACTOR: Table = Table::of(
    "An agent or a service that may act for people, for a quarter of an hour at a time.",
    &[
        Key::new::<ActorId>(
            "id",
            Kind::Text,
            "What you call it: lowercase letters, digits, `.`, `_` and `-`. It stands in `act` of its tokens, in the audit trail, \
             and where `[pool.principal_tags]` says `{actor}`, which has to be somewhere.",
        )
        .required(),
        Key::new::<String>(
            "provider",
            Kind::Text,
            "The `id` of the `[[provider]]` whose ID tokens say who it is.",
        )
        .required(),
        Key::new::<String>("subject", Kind::Text, "Who it is there: the provider's own external ID.").required(),
        Key::new::<Vec<String>>("apps", Kind::Texts, "The apps for whose people it may act.").required(),
    ],
);

static ROLE: Table = Table::of(
    "A role, by the files of its policies. Relative paths start from the configuration.",
    &[
        Key::new::<RoleName>("name", Kind::Text, "Its name, the last part of its ARN.").required(),
        Key::new::<String>("policy", Kind::Text, "The file of an IAM policy: what its holders may do.")
            .required(),
        Key::new::<String>("trust", Kind::Text, "The file of an IAM trust policy: who may take it on.")
            .or("whoever logged in at the pool and gets the role from it"),
        Key::new::<Givers>(
            "pools",
            Kind::Choice(&["configured", "naming"]),
            "Without `trust`, whose to give it is: the pool's of `[pool]`, or that of every pool that names it by \
             SetIdentityPoolRoles.",
        )
        .or("configured"),
    ],
);

fn public_url(value: &Value) -> Result<(), String> {
    urls::check_public_url(text(value)?).map_err(ToString::to_string)
}

fn endpoint_url(value: &Value) -> Result<(), String> {
    urls::check_endpoint(text(value)?).map_err(ToString::to_string)
}

fn region(value: &Value) -> Result<(), String> {
    match value {
        Value::Table(_) => super::read::<RegionConfig>(value)?.check(),
        Value::String(_) => super::can_be::<Region>(value),
        _ => Err("must be the name of a Region, or [[pool.region]] tables".into()),
    }
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be a text in quotes".into())
}
