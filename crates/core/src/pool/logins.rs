//! Reading a `Logins` map: the developer's own word, tokens of public providers, or a token of ours, each
//! where it belongs and nowhere else (docs/reference/cognito-identity.md, 4.1 and 9.1).

use super::{Denial, IdentityPools, Invalid, Logins, PoolError};
use crate::credentials::sts::FEDERATED_PROVIDER;
use crate::login::provider::VerifiedLogin;
use crate::login::public::PublicLogin;
use crate::records::identity::{IdentityPool, Login, LoginProvider};
use crate::records::limits::MAX_DEVELOPER_USER;

/// A person, with somebody's word for who they are.
#[derive(Debug, Clone)]
pub struct DeveloperUser {
    pub(super) identifier: String,
}

impl DeveloperUser {
    /// The person whose login a provider confirmed.
    #[must_use]
    pub fn of(login: &VerifiedLogin) -> Self {
        Self { identifier: login.developer_user_identifier().to_owned() }
    }

    /// The person that the holder of a developer access key names. The caller has verified the request's
    /// signature: it is the only proof there is.
    #[must_use]
    pub fn named_by_developer(identifier: String) -> Self {
        Self { identifier }
    }
}

/// Where a token of a public provider is refused before anybody looks at it, because its key is not one of a
/// public provider. Each operation has its own text.
pub(super) enum Refuse {
    /// `GetId`, `GetOpenIdToken` and `UnlinkIdentity`.
    Identity,
    /// `GetCredentialsForIdentity`.
    Credentials,
}

impl IdentityPools {
    /// Verifies every token of a map of public logins. One that is not valid fails them all.
    pub(super) async fn verify_public(
        &self,
        pool: &IdentityPool,
        logins: &Logins,
        refuse: &Refuse,
    ) -> Result<Vec<PublicLogin>, PoolError> {
        if logins.contains_key(FEDERATED_PROVIDER) {
            return Err(Denial::OwnToken.into());
        }
        let developer = pool.settings.developer_provider_name.as_ref();
        if developer.is_some_and(|provider| logins.contains_key(provider)) {
            return Err(match refuse {
                Refuse::Identity => Denial::WrongProvider.into(),
                Refuse::Credentials => Invalid::NoPublicProvider.into(),
            });
        }
        if logins.values().any(|token| self.sts.tokens.is_of_a_pool(token)) {
            return Err(Denial::OwnToken.into());
        }
        self.public_logins.verify(&pool.settings, logins).await.map_err(PoolError::from)
    }

    /// Takes the developer user out of a map, and verifies the public logins beside it.
    pub(super) async fn verify_developer(
        &self,
        pool: &IdentityPool,
        mut logins: Logins,
    ) -> Result<(DeveloperUser, Vec<PublicLogin>), PoolError> {
        let identifier =
            logins.remove(developer_provider(pool)?).ok_or(Invalid::UnsupportedDeveloperProvider)?;
        if identifier.expose().chars().count() > MAX_DEVELOPER_USER {
            let text = format!("A developer user identifier has at most {MAX_DEVELOPER_USER} characters.");
            return Err(Invalid::Value(text).into());
        }
        let public = self.verify_public(pool, &logins, &Refuse::Identity).await?;
        Ok((DeveloperUser::named_by_developer(identifier.expose().to_owned()), public))
    }
}

/// The name of the pool's developer provider.
pub(super) fn developer_provider(pool: &IdentityPool) -> Result<&str, PoolError> {
    Ok(pool.settings.developer_provider_name.as_deref().ok_or(Invalid::UnsupportedDeveloperProvider)?)
}

/// Whether `name` is the pool's developer provider, for the operations that name it.
pub(super) fn check_developer_provider(pool: &IdentityPool, name: &str) -> Result<(), PoolError> {
    if developer_provider(pool)? == name { Ok(()) } else { Err(Invalid::UnsupportedDeveloperProvider.into()) }
}

/// A verified public login as it is linked.
pub(super) fn linked(login: &PublicLogin) -> Login {
    Login { provider: LoginProvider::Public(login.provider().to_owned()), user: login.user().to_owned() }
}
