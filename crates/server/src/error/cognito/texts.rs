//! The words of the exceptions (docs/reference/cognito-identity.md, 9.1). Where none of AWS's are known, they are ours.

use daypass_core::login::public::PublicLoginError;
use daypass_core::pool::{Conflict, Denial, Invalid, Missing};
use daypass_core::records::limits::MAX_LOGINS;
use daypass_core::token::openid_token::TokenError;

const ISSUER_MISMATCH: &str = "Invalid login token. Issuer doesn't match providerName";
const BAD_SIGNATURE: &str = "Invalid login token. Couldn't verify signed token.";
const UNSUPPORTED_PROVIDER: &str = "Token is not from a supported provider of this identity pool.";

pub(super) fn missing(missing: Missing) -> String {
    match missing {
        Missing::Pool(id) => format!("IdentityPool '{id}' not found."),
        Missing::Identity(id) => format!("Identity '{id}' not found."),
        Missing::DeveloperUser => "Developer user identifier not found.".to_owned(),
        Missing::LoginToRemove => "The identity has no login of a provider in LoginsToRemove.".to_owned(),
        Missing::Reported(text) => text,
    }
}

pub(super) fn denial(denial: Denial) -> String {
    match denial {
        Denial::Forbidden(id) => format!("Access to Identity '{id}' is forbidden."),
        Denial::LoginsDoNotMatch => {
            "Logins don't match. Please include at least one valid login for this identity or identity pool."
                .to_owned()
        }
        Denial::NoGuests => "Unauthenticated access is not supported for this identity pool.".to_owned(),
        Denial::OwnToken => "Invalid login token. Can't pass in a Cognito token.".to_owned(),
        Denial::UnsupportedProvider => UNSUPPORTED_PROVIDER.to_owned(),
        Denial::WrongProvider => ISSUER_MISMATCH.to_owned(),
        Denial::Token(error) => own_token(&error),
        Denial::CustomRole => "The custom role is not among the roles of this login.".to_owned(),
        Denial::NoRole => "The role mapping of this identity pool gives this login no role.".to_owned(),
        Denial::Reported(text) => text,
    }
}

fn own_token(error: &TokenError) -> String {
    match error {
        TokenError::Malformed => "Invalid login token. Not a Cognito token.".to_owned(),
        TokenError::BadSignature => BAD_SIGNATURE.to_owned(),
        TokenError::WrongIssuer => ISSUER_MISMATCH.to_owned(),
        TokenError::Expired { now, expired_at } => expired(*now, *expired_at),
    }
}

fn expired(now: i64, expired_at: i64) -> String {
    format!("Invalid login token. Token expired: {now} >= {expired_at}")
}

pub(super) fn public_login(error: &PublicLoginError) -> String {
    match error {
        PublicLoginError::UnsupportedProvider => UNSUPPORTED_PROVIDER.to_owned(),
        PublicLoginError::Malformed => {
            "Invalid login token. Not a valid OpenId Connect identity token.".to_owned()
        }
        PublicLoginError::MissingClaim(name) => {
            format!("Invalid login token. Missing a required claim: {name}")
        }
        PublicLoginError::IssuerMismatch => ISSUER_MISMATCH.to_owned(),
        PublicLoginError::BadSignature => BAD_SIGNATURE.to_owned(),
        PublicLoginError::Expired { now, expired_at } => expired(*now, *expired_at),
        PublicLoginError::NotYetValid { now, valid_from } => {
            format!("Invalid login token. Token is not valid yet: {now} < {valid_from}")
        }
        PublicLoginError::Refused => "Invalid login token. The provider refused it.".to_owned(),
        PublicLoginError::Unverifiable(text) => (*text).to_owned(),
        PublicLoginError::Unavailable { provider, .. } => {
            format!("{provider} cannot be asked about the login token.")
        }
        PublicLoginError::NotAsDefined { provider, .. } => {
            format!("{provider} is not what this server's configuration says.")
        }
    }
}

pub(super) fn invalid(invalid: Invalid) -> String {
    let classic_flow = |why: &str| format!("Basic (classic) flow is not {why}, please use enhanced flow.");
    match invalid {
        Invalid::NoPublicProvider => "Please provide a valid public provider.".to_owned(),
        Invalid::UnsupportedDeveloperProvider => {
            "This identity pool does not support the specified developer provider".to_owned()
        }
        Invalid::ClassicFlowDisabled => classic_flow("enabled"),
        Invalid::ClassicFlowWithMappings => classic_flow("supported with RoleMappings"),
        Invalid::TooManyLogins => format!("An identity has at most {MAX_LOGINS} linked logins."),
        Invalid::NextToken => "Invalid NextToken.".to_owned(),
        Invalid::Value(text) | Invalid::Reported(text) => text,
    }
}

pub(super) fn conflict(conflict: Conflict) -> String {
    match conflict {
        Conflict::UserOfAnotherIdentity => {
            "The developer user identifier belongs to another identity.".to_owned()
        }
        Conflict::TwoUsersOfOneProvider => {
            "The identity is already linked to another login of the same provider.".to_owned()
        }
        Conflict::Reported(text) => text,
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::ids::{IdentityId, IdentityPoolId};

    use super::*;

    /// Letter by letter: AWS's own.
    #[test]
    fn the_words_that_clients_compare_are_those_of_aws() {
        let identity = IdentityId::parse("us-east-1:01").unwrap();
        for (text, expected) in [
            (
                missing(Missing::Pool(IdentityPoolId::parse("us-east-1:02").unwrap())),
                "IdentityPool 'us-east-1:02' not found.",
            ),
            (missing(Missing::Identity(identity.clone())), "Identity 'us-east-1:01' not found."),
            (denial(Denial::Forbidden(identity)), "Access to Identity 'us-east-1:01' is forbidden."),
            (
                denial(Denial::LoginsDoNotMatch),
                "Logins don't match. Please include at least one valid login for this identity or identity pool.",
            ),
            (denial(Denial::NoGuests), "Unauthenticated access is not supported for this identity pool."),
            (denial(Denial::OwnToken), "Invalid login token. Can't pass in a Cognito token."),
            (denial(Denial::WrongProvider), "Invalid login token. Issuer doesn't match providerName"),
            (denial(Denial::Token(TokenError::Malformed)), "Invalid login token. Not a Cognito token."),
            (
                public_login(&PublicLoginError::UnsupportedProvider),
                "Token is not from a supported provider of this identity pool.",
            ),
            (
                public_login(&PublicLoginError::Malformed),
                "Invalid login token. Not a valid OpenId Connect identity token.",
            ),
            (
                public_login(&PublicLoginError::MissingClaim("aud")),
                "Invalid login token. Missing a required claim: aud",
            ),
            (
                public_login(&PublicLoginError::IssuerMismatch),
                "Invalid login token. Issuer doesn't match providerName",
            ),
            (
                public_login(&PublicLoginError::BadSignature),
                "Invalid login token. Couldn't verify signed token.",
            ),
            (
                public_login(&PublicLoginError::Expired { now: 2, expired_at: 1 }),
                "Invalid login token. Token expired: 2 >= 1",
            ),
            (invalid(Invalid::NoPublicProvider), "Please provide a valid public provider."),
            (
                invalid(Invalid::ClassicFlowDisabled),
                "Basic (classic) flow is not enabled, please use enhanced flow.",
            ),
            (
                invalid(Invalid::ClassicFlowWithMappings),
                "Basic (classic) flow is not supported with RoleMappings, please use enhanced flow.",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }
}
