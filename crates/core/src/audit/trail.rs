//! Where decisions are recorded. A grant, and a refusal of somebody who proved who they are, is kept for good. What
//! somebody is refused who proved nothing is cut, counted, and kept as a sample in a place of limited size: else
//! anybody could fill the disk by asking.

use std::sync::Arc;

use super::{AuditAction, AuditDraft, AuditEvent, AuditOutcome, Grounds, Reason};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::sample::Sampler;
use crate::store::{AuditSink, StoreError, UnprovedRefusals};

/// So many refusals of nobody are kept in a second of each action.
const UNPROVED_EACH_SECOND: u64 = 10;

/// Hears of refusals of people who proved nothing, which are no events of the trail.
pub trait Strangers: Send + Sync {
    /// One was refused. `sampled` are those that are kept for a while.
    fn refused(&self, event: &AuditEvent, sampled: bool);
}

/// The audit trail. An event is kept before the decision takes effect: what cannot be recorded is not granted. Whoever
/// proved who they are and is refused while nothing can be recorded hears that, and may come again.
pub struct AuditTrail {
    sink: Arc<dyn AuditSink>,
    sample: Arc<dyn UnprovedRefusals>,
    strangers: Arc<dyn Strangers>,
    clock: Arc<dyn Clock>,
    unproved: Sampler<AuditAction>,
    callers: bool,
}

impl AuditTrail {
    /// A trail that ends in `sink`; what nobody proved, in `sample`.
    #[must_use]
    pub fn new(
        sink: Arc<dyn AuditSink>,
        sample: Arc<dyn UnprovedRefusals>,
        strangers: Arc<dyn Strangers>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let unproved = Sampler::new(UNPROVED_EACH_SECOND, clock.clone());
        Self { sink, sample, strangers, clock, unproved, callers: true }
    }

    /// The same, whose events say neither where requests came from nor what by, unless `kept`.
    #[must_use]
    pub fn with_callers(self, kept: bool) -> Self {
        Self { callers: kept, ..self }
    }

    /// Whether it is kept where requests come from.
    #[must_use]
    pub fn keeps_callers(&self) -> bool {
        self.callers
    }

    /// Records how a decision fell and passes its result on.
    ///
    /// # Errors
    /// The result's own, or the store's if a grant could not be kept.
    pub async fn conclude<T, E>(&self, draft: AuditDraft, result: Result<T, E>) -> Result<T, E>
    where
        E: Reason + From<StoreError>,
    {
        match &result {
            Ok(_) => self.allowed(draft).await?,
            Err(error) => self.refused(draft, Grounds::of(error)).await?,
        }
        result
    }

    /// Records a grant.
    ///
    /// # Errors
    /// The store's.
    pub async fn allowed(&self, draft: AuditDraft) -> Result<(), StoreError> {
        self.record(&[self.event(draft, AuditOutcome::Allowed, None)]).await
    }

    /// Records several grants that one request led to, all of them or none.
    ///
    /// # Errors
    /// The store's.
    pub async fn all_allowed(&self, drafts: impl IntoIterator<Item = AuditDraft>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let events = drafts.into_iter().map(|draft| self.event_at(now, draft, AuditOutcome::Allowed, None));
        self.record(&events.collect::<Vec<_>>()).await
    }

    /// Records something that happened because of a grant, and what was special about it.
    ///
    /// # Errors
    /// The store's.
    pub async fn noted(&self, draft: AuditDraft, what: Grounds) -> Result<(), StoreError> {
        self.record(&[self.event(draft, AuditOutcome::Allowed, Some(what))]).await
    }

    /// Records a refusal: for good if somebody proved who they are, else in the sample.
    ///
    /// # Errors
    /// The store's, of a refusal that is to be kept for good.
    pub async fn refused(&self, draft: AuditDraft, grounds: Grounds) -> Result<(), StoreError> {
        let proved = draft.is_proved();
        let event = self.event(draft, AuditOutcome::Refused, Some(grounds));
        if proved {
            self.record(&[event]).await
        } else {
            self.sample(&event).await;
            Ok(())
        }
    }

    fn event(&self, draft: AuditDraft, outcome: AuditOutcome, grounds: Option<Grounds>) -> AuditEvent {
        self.event_at(self.clock.now(), draft, outcome, grounds)
    }

    fn event_at(
        &self,
        now: Timestamp,
        draft: AuditDraft,
        outcome: AuditOutcome,
        grounds: Option<Grounds>,
    ) -> AuditEvent {
        let draft = if self.callers { draft } else { draft.without_caller() };
        draft.conclude(now, outcome, grounds)
    }

    async fn record(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.sink.add_audit_events(events).await
    }

    /// Whether the sample can be kept changes nothing for whoever is refused.
    async fn sample(&self, event: &AuditEvent) {
        let sampled = self.unproved.admits(event.action);
        self.strangers.refused(event, sampled);
        if sampled {
            let _ = self.sample.add_unproved_refusals(std::slice::from_ref(event)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::audit::{AuditSubject, Requester};
    use crate::ground::clock::{ManualClock, SignedDuration};
    use crate::ground::ids::{AccessKeyId, RequestId};
    use crate::ground::random::SeededRandom;
    use crate::iam::Origin;
    use crate::store::AuditEvents;
    use crate::store::memory::MemoryStore;

    /// A refusal.
    #[derive(Debug, thiserror::Error)]
    enum No {
        #[error("nobody may")]
        Nobody,
        #[error(transparent)]
        Store(#[from] StoreError),
    }

    impl Reason for No {
        fn reason(&self) -> &'static str {
            "no"
        }
    }

    /// A disk that is full.
    struct Full;

    #[async_trait]
    impl AuditSink for Full {
        async fn add_audit_events(&self, _: &[AuditEvent]) -> Result<(), StoreError> {
            Err(StoreError::Unavailable("disk full".into()))
        }
    }

    #[derive(Default)]
    struct Heard(Mutex<Vec<bool>>);

    impl Strangers for Heard {
        fn refused(&self, _: &AuditEvent, sampled: bool) {
            self.0.lock().unwrap().push(sampled);
        }
    }

    struct Fixture {
        trail: AuditTrail,
        store: Arc<MemoryStore>,
        heard: Arc<Heard>,
        clock: Arc<ManualClock>,
        request_id: RequestId,
    }

    fn fixture(full: bool) -> Fixture {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::at_second(1_700_000_000)));
        let heard = Arc::new(Heard::default());
        let sink: Arc<dyn AuditSink> = if full { Arc::new(Full) } else { store.clone() };
        let trail = AuditTrail::new(sink, store.clone(), heard.clone(), clock.clone());
        let request_id = RequestId::generate(clock.now(), &SeededRandom::new(1));
        Fixture { trail, store, heard, clock, request_id }
    }

    impl Fixture {
        fn draft(&self, action: AuditAction) -> AuditDraft {
            AuditDraft::new(action, &self.request_id)
        }

        async fn kept(&self) -> Vec<AuditEvent> {
            let about = AuditSubject::Request(self.request_id.clone());
            self.store.list_audit_events(&about, 100).await.unwrap()
        }

        async fn sampled(&self) -> Vec<AuditEvent> {
            let about = AuditSubject::Request(self.request_id.clone());
            self.store.list_unproved_refusals(&about, 100).await.unwrap()
        }
    }

    #[tokio::test]
    async fn what_nobody_proved_is_a_sample_and_no_event() {
        let fixture = fixture(false);
        for _ in 0..25 {
            fixture
                .trail
                .refused(fixture.draft(AuditAction::Assume), Grounds::of(&No::Nobody))
                .await
                .unwrap();
        }
        fixture.clock.advance(SignedDuration::from_secs(1));
        fixture.trail.refused(fixture.draft(AuditAction::Assume), Grounds::of(&No::Nobody)).await.unwrap();
        assert_eq!(fixture.sampled().await.len(), 11);
        assert_eq!(fixture.kept().await, []);
        let heard = fixture.heard.0.lock().unwrap();
        assert_eq!((heard.len(), heard.iter().filter(|sampled| **sampled).count()), (26, 11));
    }

    #[tokio::test]
    async fn what_somebody_proved_is_kept_for_good_though_it_is_refused() {
        let fixture = fixture(false);
        let signed = Requester {
            access_key_id: AccessKeyId::parse("AKIAHDLRFNWOPJBKY6Z3").ok(),
            request_id: fixture.request_id.clone(),
            origin: Origin::default(),
            user_agent: None,
        };
        for _ in 0..25 {
            let draft = AuditDraft::by(AuditAction::ApiRequest, &signed);
            fixture.trail.refused(draft, Grounds::of(&No::Nobody)).await.unwrap();
        }
        assert_eq!(fixture.kept().await.len(), 25);
        assert_eq!(fixture.sampled().await, []);
    }

    #[tokio::test]
    async fn a_trail_without_callers_says_of_none_where_they_were() {
        let Fixture { trail, store, request_id, .. } = fixture(false);
        let trail = trail.with_callers(false);
        let origin = Origin { source_ip: "203.0.113.9".parse().ok(), secure_transport: None };
        let by = Requester { user_agent: Some("curl/8".into()), ..Requester::anonymous(&request_id, origin) };
        let draft = || AuditDraft::by(AuditAction::Token, &by);
        trail.allowed(draft()).await.unwrap();
        trail.all_allowed([draft()]).await.unwrap();
        trail.noted(draft(), Grounds::of(&No::Nobody)).await.unwrap();
        trail.refused(draft(), Grounds::of(&No::Nobody)).await.unwrap();
        let about = AuditSubject::Request(request_id);
        let kept = store.list_audit_events(&about, 100).await.unwrap();
        let sampled = store.list_unproved_refusals(&about, 100).await.unwrap();
        assert_eq!((kept.len(), sampled.len()), (3, 1));
        for event in kept.iter().chain(&sampled) {
            assert_eq!((event.source_ip, event.user_agent.as_deref()), (None, None));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_not_granted_and_a_refusal_of_somebody_is_an_error() {
        let fixture = fixture(true);
        let granted = fixture.trail.conclude(fixture.draft(AuditAction::Credentials), Ok::<_, StoreError>(7));
        assert!(matches!(granted.await, Err(StoreError::Unavailable(_))));
        assert!(fixture.trail.allowed(fixture.draft(AuditAction::Delete)).await.is_err());
        let mut draft = fixture.draft(AuditAction::Credentials);
        draft.developer_user_identifier = Some("ada".into());
        let refused = fixture.trail.conclude(draft, Err::<(), _>(No::Nobody)).await;
        assert!(matches!(refused, Err(No::Store(_))), "whoever asks may come again");
        let stranger = fixture.draft(AuditAction::Credentials);
        let refused = fixture.trail.conclude(stranger, Err::<(), _>(No::Nobody)).await;
        assert!(matches!(refused, Err(No::Nobody)), "nobody waits for the trail of a stranger");
    }
}
