//! How much of something there may be, where several rooms have to know it (docs/reference/cognito-identity.md, 2): a
//! limit that only one place enforces stands there.

/// The most logins that one identity has (API documentation of MergeDeveloperIdentities).
pub const MAX_LOGINS: usize = 20;
/// The longest developer user identifier, in characters.
pub const MAX_DEVELOPER_USER: usize = 1024;
/// The most tags of a pool.
pub const MAX_POOL_TAGS: usize = 50;
/// The most session tags that one token carries.
pub const MAX_PRINCIPAL_TAGS: usize = 50;
/// The most rules that the API's shape lets the role mapping of one provider have. Cognito's quota is far lower.
pub const MAX_MAPPING_RULES: u16 = 400;
/// The longest life of a token, in seconds (API documentation of GetOpenIdTokenForDeveloperIdentity, TokenDuration).
pub const MAX_TOKEN_SECONDS: i64 = 24 * 60 * 60;
