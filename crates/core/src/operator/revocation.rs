//! Ending sessions: OpenID tokens that were issued until now are worth nothing any more, and neither are credentials that
//! were or will be made of them.

use std::sync::Arc;

use crate::audit::{AuditAction, AuditDraft, AuditTrail, Requester};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::ids::{IdentityId, RoleName};
use crate::store::{RevocationTarget, SharedStore, StoreError};

/// Whose sessions an operator ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sessions {
    /// Those of one identity, whatever the role.
    OfIdentity(IdentityId),
    /// Those of one role, whoever took it on.
    OfRole(RoleName),
    /// Those of everybody: an older copy of the store may have taken its place.
    OfEverybody,
}

impl Sessions {
    fn target(&self) -> RevocationTarget {
        match self {
            Self::OfIdentity(id) => RevocationTarget::Identity(id.clone()),
            Self::OfRole(role) => RevocationTarget::Role(role.clone()),
            Self::OfEverybody => RevocationTarget::Everybody,
        }
    }

    fn draft(&self, by: &Requester) -> AuditDraft {
        let mut draft = AuditDraft::by(AuditAction::Revoke, by);
        match self {
            Self::OfIdentity(id) => draft.identity_id = Some(id.clone()),
            Self::OfRole(role) => draft.resource = Some(format!("role {role}")),
            Self::OfEverybody => draft.resource = Some("everybody".to_owned()),
        }
        draft
    }
}

/// Sessions that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// Those that began until then are over.
    pub until: Timestamp,
    /// What the operator should know about whose they were.
    pub hint: Option<Hint>,
}

/// What the store says of an identity whose sessions ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// There is none of that ID. Sessions of one that was deleted end too, but the ID may be misspelt.
    NoIdentity,
    /// It was merged into another one, whose sessions go on: those that began with this one and were refreshed since, too.
    Merged,
}

/// Why sessions did not end, or what went wrong when they did.
#[derive(Debug, thiserror::Error)]
pub enum RevocationError {
    /// A misspelt role must not pass for one whose sessions have ended. Nothing happened.
    #[error("there is no role {role}: there are {}", names(.known))]
    UnknownRole {
        /// The role.
        role: RoleName,
        /// Those there are.
        known: Vec<RoleName>,
    },
    /// The sessions did not end, as far as the store can tell.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The sessions are over: that must not wait for the trail.
    #[error("the sessions are over, but the audit trail could not keep that you ended them")]
    NotRecorded {
        /// Those that began until then.
        until: Timestamp,
        /// Why the trail could not keep it.
        source: StoreError,
    },
}

fn names(roles: &[RoleName]) -> String {
    roles.iter().map(RoleName::as_str).collect::<Vec<_>>().join(", ")
}

/// Ends sessions.
pub struct Revoker {
    /// Keeps what has ended.
    pub store: SharedStore,
    /// Hears of it.
    pub trail: Arc<AuditTrail>,
    /// The roles that the installation has.
    pub roles: Vec<RoleName>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

impl Revoker {
    /// Ends all sessions of an identity, of a role or of everybody that began until now. The end itself is one change of the store,
    /// which draws its instant; nothing that is read here decides about it, but for the roles, which do not change.
    ///
    /// # Errors
    /// [`RevocationError`].
    pub async fn revoke(&self, sessions: &Sessions, by: &Requester) -> Result<Revoked, RevocationError> {
        self.check_role(sessions)?;
        let until = self.store.revoke_sessions(&sessions.target(), self.clock.clone()).await?;
        let recorded = self.trail.allowed(sessions.draft(by)).await;
        recorded.map_err(|source| RevocationError::NotRecorded { until, source })?;
        Ok(Revoked { until, hint: self.hint(sessions).await })
    }

    fn check_role(&self, sessions: &Sessions) -> Result<(), RevocationError> {
        match sessions {
            Sessions::OfRole(role) if !self.roles.contains(role) => {
                Err(RevocationError::UnknownRole { role: role.clone(), known: self.roles.clone() })
            }
            Sessions::OfRole(_) | Sessions::OfIdentity(_) | Sessions::OfEverybody => Ok(()),
        }
    }

    /// If the identity cannot be looked up, the sessions are over all the same.
    async fn hint(&self, sessions: &Sessions) -> Option<Hint> {
        let Sessions::OfIdentity(id) = sessions else { return None };
        match self.store.lookup_identity(id).await.ok()? {
            None => Some(Hint::NoIdentity),
            Some(identity) => identity.disabled.then_some(Hint::Merged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::testing::Disk;
    use crate::audit::{AuditEvent, AuditOutcome, AuditSubject};
    use crate::ground::clock::ManualClock;
    use crate::ground::ids::{AccessKeyId, IdentityPoolId, RequestId};
    use crate::ground::random::SeededRandom;
    use crate::iam::Origin;
    use crate::records::identity::{IdentityPool, Login, PoolRoles, PoolSettings};
    use crate::records::linking::{LinkRequest, MergeRequest};
    use crate::store::memory::MemoryStore;
    use crate::store::{AuditEvents, Identities, Pools, Revocations};

    fn revoker(full: bool) -> (Revoker, Arc<MemoryStore>) {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::at_second(1_700_000_000)));
        let trail = Disk::new(&store, full).trail(clock.clone());
        let roles = vec![role("reader"), role("writer")];
        (Revoker { store: store.clone(), trail: Arc::new(trail), roles, clock }, store)
    }

    fn role(name: &str) -> RoleName {
        RoleName::parse(name).unwrap()
    }

    fn ada() -> IdentityId {
        IdentityId::parse("us-east-1:ad").unwrap()
    }

    fn operator() -> Requester {
        let request_id = RequestId::generate(Timestamp::UNIX_EPOCH, &SeededRandom::new(1));
        Requester {
            access_key_id: Some(AccessKeyId::parse("AKIAOPERATOR00000000").unwrap()),
            ..Requester::anonymous(&request_id, Origin::default())
        }
    }

    async fn events(store: &MemoryStore) -> Vec<AuditEvent> {
        let about = AuditSubject::Request(operator().request_id);
        store.list_audit_events(&about, 10).await.unwrap()
    }

    async fn revoked_until(store: &MemoryStore, role_name: &str) -> Option<Timestamp> {
        store.standing(&ada(), Some(&role(role_name)), None).await.unwrap().revoked_until
    }

    #[tokio::test]
    async fn the_sessions_of_an_identity_end_and_the_trail_says_who_ended_them() {
        let (revoker, store) = revoker(false);
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        store.add_guest(&pool_id, &ada(), Timestamp::UNIX_EPOCH).await.unwrap();
        let revoked = revoker.revoke(&Sessions::OfIdentity(ada()), &operator()).await.unwrap();
        assert_eq!(revoked, Revoked { until: revoker.clock.now(), hint: None });
        assert_eq!(revoked_until(&store, "reader").await, Some(revoked.until));
        let [event] = &events(&store).await[..] else { panic!("one event") };
        assert_eq!((event.action, event.outcome), (AuditAction::Revoke, AuditOutcome::Allowed));
        assert_eq!((&event.identity_id, &event.access_key_id), (&Some(ada()), &operator().access_key_id));
    }

    #[tokio::test]
    async fn the_sessions_of_a_role_end_and_those_of_another_do_not() {
        let (revoker, store) = revoker(false);
        let revoked = revoker.revoke(&Sessions::OfRole(role("reader")), &operator()).await.unwrap();
        assert_eq!(revoked_until(&store, "reader").await, Some(revoked.until));
        assert_eq!(revoked_until(&store, "writer").await, None);
        assert_eq!(events(&store).await[0].resource.as_deref(), Some("role reader"));
    }

    #[tokio::test]
    async fn the_sessions_of_everybody_end() {
        let (revoker, store) = revoker(false);
        let revoked = revoker.revoke(&Sessions::OfEverybody, &operator()).await.unwrap();
        for role in ["reader", "writer"] {
            assert_eq!(revoked_until(&store, role).await, Some(revoked.until));
        }
        assert_eq!(events(&store).await[0].resource.as_deref(), Some("everybody"));
    }

    /// Its sessions may outlive the look-up, and an ID may be misspelt.
    #[tokio::test]
    async fn an_identity_that_is_not_there_is_revoked_and_told() {
        let (revoker, store) = revoker(false);
        let revoked = revoker.revoke(&Sessions::OfIdentity(ada()), &operator()).await.unwrap();
        assert_eq!(revoked.hint, Some(Hint::NoIdentity));
        assert_eq!(revoked_until(&store, "reader").await, Some(revoked.until));
    }

    #[tokio::test]
    async fn whose_identity_was_merged_into_another_is_told() {
        let (revoker, store) = revoker(false);
        let pool_id = IdentityPoolId::parse("us-east-1:aa").unwrap();
        let pool = IdentityPool::new(pool_id.clone(), PoolSettings::default(), PoolRoles::default());
        store.add_pool(&pool).await.unwrap();
        for (user, id) in [("ada", "us-east-1:ad"), ("lovelace", "us-east-1:10")] {
            let link = LinkRequest {
                pool_id: pool_id.clone(),
                logins: vec![Login::developer(user)],
                identity_id: None,
                new_identity_id: IdentityId::parse(id).unwrap(),
                now: Timestamp::UNIX_EPOCH,
            };
            store.link_logins(&link).await.unwrap();
        }
        let (source, destination) = ("ada".to_owned(), "lovelace".to_owned());
        let merge = MergeRequest { pool_id, source, destination, now: Timestamp::UNIX_EPOCH };
        store.merge_developer_users(&merge).await.unwrap();
        let revoked = revoker.revoke(&Sessions::OfIdentity(ada()), &operator()).await.unwrap();
        assert_eq!(revoked.hint, Some(Hint::Merged));
    }

    #[tokio::test]
    async fn a_role_that_is_not_there_is_told_with_those_that_are_and_nothing_happens() {
        let (revoker, store) = revoker(false);
        let refused = revoker.revoke(&Sessions::OfRole(role("raeder")), &operator()).await.unwrap_err();
        assert_eq!(refused.to_string(), "there is no role raeder: there are reader, writer");
        assert_eq!(revoked_until(&store, "raeder").await, None);
        assert_eq!(events(&store).await, []);
    }

    #[tokio::test]
    async fn sessions_end_though_the_event_cannot_be_kept_and_that_is_told() {
        let (revoker, store) = revoker(true);
        let sessions = Sessions::OfIdentity(ada());
        let RevocationError::NotRecorded { until, .. } =
            revoker.revoke(&sessions, &operator()).await.unwrap_err()
        else {
            panic!("the disk is full")
        };
        assert_eq!(revoked_until(&store, "reader").await, Some(until));
    }
}
