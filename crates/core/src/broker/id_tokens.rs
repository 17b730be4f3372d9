//! ID tokens for apps: what an app learns of whoever signed in, if it asks for the scope `openid`.

use std::sync::Arc;

use crate::broker::developer_pool::Issued;
use crate::ground::clock::Timestamp;
use crate::ground::ids::SignInSessionId;
use crate::ground::secret::Secret;
use crate::login::provider::VerifiedLogin;
use crate::pool::token_terms::DEFAULT_TOKEN_DURATION;
use crate::records::scope::Scope;
use crate::token::id_token::{IdTokenClaims, IdTokenSubject};
use crate::token::openid_token::TokenIssuer;
use crate::token::signer::SignerError;

/// What signs them.
#[derive(Clone)]
pub struct IdTokens {
    /// Whose name they bear.
    pub issuer: Arc<TokenIssuer>,
    /// Whom their `sub` names.
    pub subject: IdTokenSubject,
}

/// A login, and the app that wants to know of it.
#[derive(Debug, Clone)]
pub struct ToldApp<'a> {
    /// The app, by its ID in the configuration.
    pub app: &'a str,
    /// What it asks for.
    pub scope: Scope,
    /// What it wants to find in the token.
    pub nonce: Option<String>,
    /// When the person came back from their provider, if that is known.
    pub signed_in_at: Option<Timestamp>,
    /// The session that the login began.
    pub session: Option<SignInSessionId>,
    /// The login.
    pub login: &'a VerifiedLogin,
    /// What the pool gave for it.
    pub issued: &'a Issued,
}

impl IdTokens {
    /// The ID token of a login, for an app that asks for one. It lives no longer than what the pool gave, and a quarter of an
    /// hour at most: nobody can take it back.
    ///
    /// # Errors
    /// [`SignerError`], if whoever holds the key does not answer.
    pub async fn tell(&self, told: ToldApp<'_>, now: Timestamp) -> Result<Option<Secret>, SignerError> {
        let ToldApp { app, scope, nonce, signed_in_at, session, login, issued } = told;
        let user = Some(login.user()).filter(|_| scope.profile);
        if !scope.openid {
            return Ok(None);
        }
        let claims = IdTokenClaims {
            iss: self.issuer.issuer().to_owned(),
            sub: self.subject.of(&issued.token.identity_id, login.developer_user_identifier()),
            aud: app.to_owned(),
            exp: issued.token.expires_at.min(now + DEFAULT_TOKEN_DURATION).as_second(),
            iat: now.as_second(),
            auth_time: signed_in_at.map(Timestamp::as_second),
            nonce,
            sid: session,
            idp: login.provider().to_owned(),
            name: user.and_then(|user| user.name.clone()),
            picture: user.and_then(|user| user.avatar.clone()),
        };
        self.issuer.sign_id_token(&claims).await.map(Some)
    }
}
