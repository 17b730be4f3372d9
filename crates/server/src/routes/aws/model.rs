//! The operations of the identity pool API: who may call each, which pools it is about, what its members have to look like,
//! and what it does. docs/reference/cognito-identity.md, 2 and 3 as data.

use daypass_core::ground::ids::IdentityId;
use daypass_core::records::limits::{
    MAX_DEVELOPER_USER, MAX_MAPPING_RULES, MAX_PRINCIPAL_TAGS, MAX_TOKEN_SECONDS,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::Access;
use super::operations::{self, Answer, Call};
use super::pool::{About, MAX_IDENTITIES};
use super::validation::{Member, Shape, Text};

/// An operation: whatever has to be said about one, so that none can be without any of it.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Its name in the API, and in policies.
    pub name: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Which pools the policy of whoever signs is asked about.
    pub(super) about: About,
    /// What it takes.
    pub(super) input: &'static [Member],
    /// What it does.
    pub(super) perform: Perform,
}

/// What an operation does with a request that may be performed.
type Perform = for<'a> fn(Call<'a>) -> BoxFuture<'a, Answer>;

/// All operations, in the order of their names. Those are public that are so in Amazon's model, and no other is.
pub const OPERATIONS: &[Operation] = &[
    signed("CreateIdentityPool", About::NoPool, CREATE_IDENTITY_POOL, |call| {
        operations::create_identity_pool(call).boxed()
    }),
    signed("DeleteIdentities", About::Identities, DELETE_IDENTITIES, |call| {
        operations::delete_identities(call).boxed()
    }),
    signed("DeleteIdentityPool", About::PoolId, POOL_ONLY, |call| {
        operations::delete_identity_pool(call).boxed()
    }),
    signed("DescribeIdentity", About::Identity, IDENTITY_ONLY, |call| {
        operations::describe_identity(call).boxed()
    }),
    signed("DescribeIdentityPool", About::PoolId, POOL_ONLY, |call| {
        operations::describe_identity_pool(call).boxed()
    }),
    public("GetCredentialsForIdentity", GET_CREDENTIALS_FOR_IDENTITY, |call| {
        operations::get_credentials_for_identity(call).boxed()
    }),
    public("GetId", GET_ID, |call| operations::get_id(call).boxed()),
    signed("GetIdentityPoolRoles", About::PoolId, POOL_ONLY, |call| {
        operations::get_identity_pool_roles(call).boxed()
    }),
    public("GetOpenIdToken", GET_OPEN_ID_TOKEN, |call| operations::get_open_id_token(call).boxed()),
    signed(
        "GetOpenIdTokenForDeveloperIdentity",
        About::PoolId,
        GET_OPEN_ID_TOKEN_FOR_DEVELOPER_IDENTITY,
        |call| operations::get_open_id_token_for_developer_identity(call).boxed(),
    ),
    signed("GetPrincipalTagAttributeMap", About::PoolId, GET_PRINCIPAL_TAG_ATTRIBUTE_MAP, |call| {
        operations::get_principal_tag_attribute_map(call).boxed()
    }),
    signed("ListIdentities", About::PoolId, LIST_IDENTITIES, |call| {
        operations::list_identities(call).boxed()
    }),
    signed("ListIdentityPools", About::NoPool, LIST_IDENTITY_POOLS, |call| {
        operations::list_identity_pools(call).boxed()
    }),
    signed("ListTagsForResource", About::PoolArn, LIST_TAGS_FOR_RESOURCE, |call| {
        operations::list_tags_for_resource(call).boxed()
    }),
    signed("LookupDeveloperIdentity", About::PoolId, LOOKUP_DEVELOPER_IDENTITY, |call| {
        operations::lookup_developer_identity(call).boxed()
    }),
    signed("MergeDeveloperIdentities", About::PoolId, MERGE_DEVELOPER_IDENTITIES, |call| {
        operations::merge_developer_identities(call).boxed()
    }),
    signed("SetIdentityPoolRoles", About::PoolId, SET_IDENTITY_POOL_ROLES, |call| {
        operations::set_identity_pool_roles(call).boxed()
    }),
    signed("SetPrincipalTagAttributeMap", About::PoolId, SET_PRINCIPAL_TAG_ATTRIBUTE_MAP, |call| {
        operations::set_principal_tag_attribute_map(call).boxed()
    }),
    signed("TagResource", About::PoolArn, TAG_RESOURCE, |call| operations::tag_resource(call).boxed()),
    signed("UnlinkDeveloperIdentity", About::PoolId, UNLINK_DEVELOPER_IDENTITY, |call| {
        operations::unlink_developer_identity(call).boxed()
    }),
    public("UnlinkIdentity", UNLINK_IDENTITY, |call| operations::unlink_identity(call).boxed()),
    signed("UntagResource", About::PoolArn, UNTAG_RESOURCE, |call| operations::untag_resource(call).boxed()),
    signed("UpdateIdentityPool", About::PoolId, UPDATE_IDENTITY_POOL, |call| {
        operations::update_identity_pool(call).boxed()
    }),
];

const CREATE_IDENTITY_POOL: &[Member] = &[
    required("IdentityPoolName", POOL_NAME),
    required("AllowUnauthenticatedIdentities", Shape::Flag),
    optional("AllowClassicFlow", Shape::Flag),
    optional("SupportedLoginProviders", LOGIN_PROVIDERS),
    optional("DeveloperProviderName", DEVELOPER_PROVIDER),
    optional("OpenIdConnectProviderARNs", ARNS),
    optional("CognitoIdentityProviders", USER_POOLS),
    optional("SamlProviderARNs", ARNS),
    optional("IdentityPoolTags", TAGS),
];

const UPDATE_IDENTITY_POOL: &[Member] = &[
    required("IdentityPoolId", ID),
    required("IdentityPoolName", POOL_NAME),
    required("AllowUnauthenticatedIdentities", Shape::Flag),
    optional("AllowClassicFlow", Shape::Flag),
    optional("SupportedLoginProviders", LOGIN_PROVIDERS),
    optional("DeveloperProviderName", DEVELOPER_PROVIDER),
    optional("OpenIdConnectProviderARNs", ARNS),
    optional("CognitoIdentityProviders", USER_POOLS),
    optional("SamlProviderARNs", ARNS),
    optional("IdentityPoolTags", TAGS),
];

const POOL_ONLY: &[Member] = &[required("IdentityPoolId", ID)];
const IDENTITY_ONLY: &[Member] = &[required("IdentityId", ID)];

const DELETE_IDENTITIES: &[Member] =
    &[required("IdentityIdsToDelete", Shape::List { of: &ID, min: 1, max: MAX_IDENTITIES })];

const GET_ID: &[Member] = &[
    optional("AccountId", Shape::Text(pattern(1, 15, r"\d+", |text| all(text, |c| c.is_ascii_digit())))),
    required("IdentityPoolId", ID),
    optional("Logins", LOGINS),
];

const GET_OPEN_ID_TOKEN: &[Member] = &[required("IdentityId", ID), optional("Logins", LOGINS)];

const GET_CREDENTIALS_FOR_IDENTITY: &[Member] =
    &[required("IdentityId", ID), optional("Logins", LOGINS), optional("CustomRoleArn", ARN)];

const GET_OPEN_ID_TOKEN_FOR_DEVELOPER_IDENTITY: &[Member] = &[
    required("IdentityPoolId", ID),
    optional("IdentityId", ID),
    required("Logins", LOGINS),
    optional("PrincipalTags", PRINCIPAL_TAGS),
    optional("TokenDuration", Shape::Integer { min: 1, max: MAX_TOKEN_SECONDS }),
];

const UNLINK_IDENTITY: &[Member] = &[
    required("IdentityId", ID),
    required("Logins", LOGINS),
    required("LoginsToRemove", Shape::List { of: &Shape::Text(PROVIDER), min: 0, max: usize::MAX }),
];

const LOOKUP_DEVELOPER_IDENTITY: &[Member] = &[
    required("IdentityPoolId", ID),
    optional("IdentityId", ID),
    optional("DeveloperUserIdentifier", DEVELOPER_USER),
    optional("MaxResults", MAX_RESULTS),
    optional("NextToken", NEXT_TOKEN),
];

const MERGE_DEVELOPER_IDENTITIES: &[Member] = &[
    required("SourceUserIdentifier", DEVELOPER_USER),
    required("DestinationUserIdentifier", DEVELOPER_USER),
    required("DeveloperProviderName", DEVELOPER_PROVIDER),
    required("IdentityPoolId", ID),
];

const UNLINK_DEVELOPER_IDENTITY: &[Member] = &[
    required("IdentityId", ID),
    required("IdentityPoolId", ID),
    required("DeveloperProviderName", DEVELOPER_PROVIDER),
    required("DeveloperUserIdentifier", DEVELOPER_USER),
];

const LIST_IDENTITIES: &[Member] = &[
    required("IdentityPoolId", ID),
    required("MaxResults", MAX_RESULTS),
    optional("NextToken", NEXT_TOKEN),
    optional("HideDisabled", Shape::Flag),
];

const LIST_IDENTITY_POOLS: &[Member] =
    &[required("MaxResults", MAX_RESULTS), optional("NextToken", NEXT_TOKEN)];

const SET_IDENTITY_POOL_ROLES: &[Member] = &[
    required("IdentityPoolId", ID),
    required("Roles", Shape::Map { key: ROLE_TYPE, value: &ARN, max: 2 }),
    optional("RoleMappings", Shape::Map { key: PROVIDER, value: &Shape::Structure(ROLE_MAPPING), max: 10 }),
];

const ROLE_MAPPING: &[Member] = &[
    required("Type", Shape::Choice(&["Token", "Rules"])),
    optional("AmbiguousRoleResolution", Shape::Choice(&["AuthenticatedRole", "Deny"])),
    optional("RulesConfiguration", Shape::Structure(RULES)),
];

/// The shape lets 400 rules pass, and the quota that core enforces far fewer.
const RULES: &[Member] = &[required(
    "Rules",
    Shape::List { of: &Shape::Structure(MAPPING_RULE), min: 1, max: MAX_MAPPING_RULES as usize },
)];

const MAPPING_RULE: &[Member] = &[
    required(
        "Claim",
        Shape::Text(pattern(1, 64, r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", |text| all(text, is_visible))),
    ),
    required("MatchType", Shape::Choice(&["Equals", "Contains", "StartsWith", "NotEqual"])),
    required("Value", Shape::Text(text(1, 128))),
    required("RoleARN", ARN),
];

const SET_PRINCIPAL_TAG_ATTRIBUTE_MAP: &[Member] = &[
    required("IdentityPoolId", ID),
    required("IdentityProviderName", Shape::Text(PROVIDER)),
    optional("UseDefaults", Shape::Flag),
    optional("PrincipalTags", PRINCIPAL_TAGS),
];

const GET_PRINCIPAL_TAG_ATTRIBUTE_MAP: &[Member] =
    &[required("IdentityPoolId", ID), required("IdentityProviderName", Shape::Text(PROVIDER))];

const TAG_RESOURCE: &[Member] = &[required("ResourceArn", ARN), required("Tags", TAGS)];
const LIST_TAGS_FOR_RESOURCE: &[Member] = &[required("ResourceArn", ARN)];
const UNTAG_RESOURCE: &[Member] = &[
    required("ResourceArn", ARN),
    required("TagKeys", Shape::List { of: &Shape::Text(text(1, 128)), min: 0, max: usize::MAX }),
];

/// Pools and identities alike.
const ID: Shape = Shape::Text(pattern(1, 55, IdentityId::PATTERN, is_id));
const POOL_NAME: Shape = Shape::Text(pattern(1, 128, r"[\w\s+=,.@-]+", |text| {
    all(text, |c| is_word(c) || is_space(c) || "+=,.@-".contains(c))
}));
const DEVELOPER_PROVIDER: Shape =
    Shape::Text(pattern(1, 128, r"[\w._-]+", |text| all(text, |c| is_word(c) || ".-".contains(c))));
const DEVELOPER_USER: Shape = Shape::Text(text(1, MAX_DEVELOPER_USER));
const PRINCIPAL_TAGS: Shape =
    Shape::Map { key: text(1, 128), value: &Shape::Text(text(1, 256)), max: MAX_PRINCIPAL_TAGS };
const PROVIDER: Text = text(1, 128);
const ROLE_TYPE: Text =
    pattern(1, 128, "(un)?authenticated", |text| matches!(text, "authenticated" | "unauthenticated"));
const ARN: Shape = Shape::Text(text(20, 2048));
const ARNS: Shape = Shape::List { of: &ARN, min: 0, max: usize::MAX };
const MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 60 };
const NEXT_TOKEN: Shape = Shape::Text(pattern(1, 65_535, r"[\S]+", |text| all(text, |c| !is_space(c))));
const TAGS: Shape = Shape::Map { key: text(1, 128), value: &Shape::Text(text(0, 256)), max: usize::MAX };
const LOGINS: Shape = Shape::Map {
    key: PROVIDER,
    value: &Shape::Text(Text { min: 1, max: 50_000, pattern: None, sensitive: true }),
    max: 10,
};
const LOGIN_PROVIDERS: Shape = Shape::Map {
    key: PROVIDER,
    value: &Shape::Text(pattern(1, 128, r"[\w.;_/-]+", |text| {
        all(text, |c| is_word(c) || ".;/-".contains(c))
    })),
    max: 10,
};
const USER_POOLS: Shape = Shape::List { of: &Shape::Structure(USER_POOL), min: 0, max: usize::MAX };
const USER_POOL: &[Member] = &[
    optional(
        "ProviderName",
        Shape::Text(pattern(1, 128, r"[\w._:/-]+", |text| all(text, |c| is_word(c) || ".:/-".contains(c)))),
    ),
    optional("ClientId", Shape::Text(pattern(1, 128, r"[\w_]+", |text| all(text, is_word)))),
    optional("ServerSideTokenCheck", Shape::Flag),
];

/// No policy is asked: the request is its own authority.
const fn public(name: &'static str, input: &'static [Member], perform: Perform) -> Operation {
    Operation { name, access: Access::Public, about: About::NoPool, input, perform }
}

const fn signed(name: &'static str, about: About, input: &'static [Member], perform: Perform) -> Operation {
    Operation { name, access: Access::Signed, about, input, perform }
}

pub(super) const fn required(name: &'static str, shape: Shape) -> Member {
    Member { name, required: true, shape }
}

pub(super) const fn optional(name: &'static str, shape: Shape) -> Member {
    Member { name, required: false, shape }
}

const fn text(min: usize, max: usize) -> Text {
    Text { min, max, pattern: None, sensitive: false }
}

const fn pattern(min: usize, max: usize, pattern: &'static str, matches: fn(&str) -> bool) -> Text {
    Text { min, max, pattern: Some((pattern, matches)), sensitive: false }
}

/// A pattern of the form `[…]+`.
pub(super) fn all(text: &str, is_one_of_them: impl FnMut(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(is_one_of_them)
}

/// `[\w-]+:[0-9a-f-]+`, whatever the length.
fn is_id(text: &str) -> bool {
    text.split_once(':').is_some_and(|(region, guid)| {
        all(region, |c| is_word(c) || c == '-') && all(guid, |c| matches!(c, '0'..='9' | 'a'..='f' | '-'))
    })
}

/// `\w` of Java, in which AWS's patterns are written.
fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `\s` of Java.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
}

/// Letters, marks, symbols, numbers and punctuation: everything but separators and the invisible. Which
/// characters Unicode has not assigned yet is not looked up.
fn is_visible(c: char) -> bool {
    let format = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    let private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    !(c.is_whitespace() || c.is_control() || format || private)
}
