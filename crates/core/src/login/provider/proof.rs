//! What a client hands over, of which nothing is believed yet.

use std::collections::BTreeMap;

use super::definition::ProofKind;
use super::signed::Fields;
use crate::ground::secret::Secret;

/// What a client hands over to show that somebody signed in. Nothing in it is believed yet.
#[derive(Debug)]
pub enum UnverifiedProof {
    /// An authorization code (RFC 6749 section 4.1).
    Code {
        /// The code.
        code: Secret,
        /// The verifier whose challenge started the flow (RFC 7636): it ties the code to the browser.
        code_verifier: Option<Secret>,
        /// Exactly the URI that the flow was started with.
        redirect_uri: String,
        /// The nonce that the flow was started with.
        nonce: Option<Secret>,
        /// What the callback brought besides; only what the definition names is passed on.
        callback: BTreeMap<String, Secret>,
    },
    /// A bare access token, issued to whomever.
    AccessToken(Secret),
    /// An ID token.
    IdToken {
        /// The token.
        token: Secret,
        /// The nonce that it was asked for with, if it was.
        nonce: Option<Secret>,
    },
    /// Fields that the provider signed.
    SignedFields {
        /// All of them.
        fields: Fields,
        /// The URI that they came back to.
        redirect_uri: String,
    },
}

impl UnverifiedProof {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> ProofKind {
        match self {
            Self::Code { .. } => ProofKind::Code,
            Self::AccessToken(_) => ProofKind::AccessToken,
            Self::IdToken { .. } => ProofKind::IdToken,
            Self::SignedFields { .. } => ProofKind::SignedFields,
        }
    }

    /// The URI that the login came back to, which has to be one of a registered app's.
    #[must_use]
    pub fn redirect_uri(&self) -> Option<&str> {
        match self {
            Self::Code { redirect_uri, .. } | Self::SignedFields { redirect_uri, .. } => Some(redirect_uri),
            Self::AccessToken(_) | Self::IdToken { .. } => None,
        }
    }
}
