//! Where decisions are recorded. A grant, and a refusal of somebody who proved who they are, is kept for good. What
//! somebody is refused who proved nothing is cut, counted, and kept as a sample in a place of limited size: else
//! anybody could fill the disk by asking.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{AuditAction, AuditDraft, AuditEvent, AuditOutcome, Grounds, Reason};
use crate::ground::clock::{Clock, Timestamp};
use crate::ground::sample::Sampler;
use crate::store::{AuditEvents, StoreError};

/// So many refusals of nobody are kept in a second of each action.
const UNPROVED_EACH_SECOND: u64 = 10;

/// Why a grant is taken back whose line could not be written.
const NOT_WRITTEN: (&str, &str) =
    ("audit_not_written", "nothing was handed out: the audit lines could not be written");

/// Where events go besides the store, one line of JSON each.
pub trait AuditLines: Send + Sync {
    /// Hands events over, in their order; that does not wait. Who waits for what comes back hears, before long,
    /// whether they are all written.
    fn append(&self, events: &[AuditEvent]) -> BoxFuture<'static, Result<(), AuditLinesError>>;

    /// Hears of a refusal of somebody who proved nothing, which becomes no line. `sampled` are those that the store
    /// keeps for a while.
    fn unproved(&self, event: &AuditEvent, sampled: bool) {
        let _ = (event, sampled);
    }
}

/// The audit lines could not be written, or not in time; the text is for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the audit lines cannot be written: {0}")]
pub struct AuditLinesError(pub String);

impl From<AuditLinesError> for StoreError {
    fn from(error: AuditLinesError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

/// The audit trail. An event is in the store, and in the lines besides, before the decision takes effect: what cannot
/// be recorded is not granted. A refusal stays a refusal.
pub struct AuditTrail {
    store: Arc<dyn AuditEvents>,
    lines: Arc<dyn AuditLines>,
    clock: Arc<dyn Clock>,
    unproved: Sampler<AuditAction>,
    callers: bool,
}

impl AuditTrail {
    /// A trail that ends in `store` and `lines`.
    #[must_use]
    pub fn new(store: Arc<dyn AuditEvents>, lines: Arc<dyn AuditLines>, clock: Arc<dyn Clock>) -> Self {
        let unproved = Sampler::new(UNPROVED_EACH_SECOND, clock.clone());
        Self { store, lines, clock, unproved, callers: true }
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
            self.keep_refusals(&[event]).await
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
        self.store.add_audit_events(events).await?;
        if let Err(error) = self.lines.append(events).await {
            self.take_back(events).await;
            return Err(error.into());
        }
        Ok(())
    }

    /// Nobody waits for the lines of a refusal: it takes nothing from anybody if they are not written, and whoever
    /// writes them tells the operator.
    async fn keep_refusals(&self, events: &[AuditEvent]) -> Result<(), StoreError> {
        self.store.add_audit_events(events).await?;
        drop(self.lines.append(events));
        Ok(())
    }

    /// The store says already that something was granted which will not be handed out.
    async fn take_back(&self, events: &[AuditEvent]) {
        let granted = events.iter().filter(|event| event.action.takes_effect_by_its_answer());
        let taken_back = granted.map(|event| AuditEvent {
            outcome: AuditOutcome::Refused,
            reason: Some(NOT_WRITTEN.0.into()),
            detail: Some(NOT_WRITTEN.1.into()),
            ..event.clone()
        });
        // That it fails, too, makes nothing worse: nothing is handed out.
        let _ = self.keep_refusals(&taken_back.collect::<Vec<_>>()).await;
    }

    /// Whether the sample can be kept changes nothing for whoever is refused.
    async fn sample(&self, event: &AuditEvent) {
        let sampled = self.unproved.admits(event.action);
        self.lines.unproved(event, sampled);
        if sampled {
            let _ = self.store.add_unproved_refusals(std::slice::from_ref(event)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::FutureExt;
    use futures::future::ready;

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
    #[error("nobody may")]
    struct No;

    impl Reason for No {
        fn reason(&self) -> &'static str {
            "no"
        }
    }

    /// Lines that can break.
    #[derive(Default)]
    struct Lines {
        broken: bool,
        written: Mutex<Vec<AuditEvent>>,
        unproved: Mutex<Vec<bool>>,
    }

    impl AuditLines for Lines {
        fn append(&self, events: &[AuditEvent]) -> BoxFuture<'static, Result<(), AuditLinesError>> {
            if self.broken {
                return ready(Err(AuditLinesError("Broken pipe".into()))).boxed();
            }
            self.written.lock().unwrap().extend_from_slice(events);
            ready(Ok(())).boxed()
        }

        fn unproved(&self, _: &AuditEvent, sampled: bool) {
            self.unproved.lock().unwrap().push(sampled);
        }
    }

    struct Fixture {
        trail: AuditTrail,
        store: Arc<MemoryStore>,
        lines: Arc<Lines>,
        clock: Arc<ManualClock>,
        request_id: RequestId,
    }

    fn fixture(broken: bool) -> Fixture {
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::at_second(1_700_000_000)));
        let lines = Arc::new(Lines { broken, ..Lines::default() });
        let trail = AuditTrail::new(store.clone(), lines.clone(), clock.clone());
        let request_id = RequestId::generate(clock.now(), &SeededRandom::new(1));
        Fixture { trail, store, lines, clock, request_id }
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
    async fn what_nobody_proved_is_a_sample_and_no_line() {
        let fixture = fixture(false);
        for _ in 0..25 {
            fixture.trail.refused(fixture.draft(AuditAction::Assume), Grounds::of(&No)).await.unwrap();
        }
        fixture.clock.advance(SignedDuration::from_secs(1));
        fixture.trail.refused(fixture.draft(AuditAction::Assume), Grounds::of(&No)).await.unwrap();
        assert_eq!(fixture.sampled().await.len(), 11);
        assert_eq!(fixture.kept().await, []);
        assert_eq!(*fixture.lines.written.lock().unwrap(), []);
        let heard = fixture.lines.unproved.lock().unwrap();
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
            fixture.trail.refused(draft, Grounds::of(&No)).await.unwrap();
        }
        assert_eq!(fixture.kept().await.len(), 25);
        assert_eq!(fixture.lines.written.lock().unwrap().len(), 25);
        assert_eq!(fixture.sampled().await, []);
    }

    #[tokio::test]
    async fn a_trail_without_callers_says_of_none_where_they_were() {
        let Fixture { trail, store, lines, request_id, .. } = fixture(false);
        let trail = trail.with_callers(false);
        let origin = Origin { source_ip: "203.0.113.9".parse().ok(), secure_transport: None };
        let by = Requester { user_agent: Some("curl/8".into()), ..Requester::anonymous(&request_id, origin) };
        let draft = || AuditDraft::by(AuditAction::Token, &by);
        trail.allowed(draft()).await.unwrap();
        trail.all_allowed([draft()]).await.unwrap();
        trail.noted(draft(), Grounds::of(&No)).await.unwrap();
        trail.refused(draft(), Grounds::of(&No)).await.unwrap();
        let about = AuditSubject::Request(request_id);
        let kept = store.list_audit_events(&about, 100).await.unwrap();
        let sampled = store.list_unproved_refusals(&about, 100).await.unwrap();
        assert_eq!((kept.len(), sampled.len()), (3, 1));
        for event in kept.iter().chain(&sampled).chain(&*lines.written.lock().unwrap()) {
            assert_eq!((event.source_ip, event.user_agent.as_deref()), (None, None));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_written_is_not_granted_and_the_trail_says_so() {
        let fixture = fixture(true);
        let granted = fixture.trail.conclude(fixture.draft(AuditAction::Credentials), Ok::<_, StoreError>(7));
        assert!(matches!(granted.await, Err(StoreError::Unavailable(_))));
        let kept = fixture.kept().await;
        let outcomes: Vec<_> = kept.iter().map(|event| (event.outcome, event.reason.as_deref())).collect();
        let expected = [(AuditOutcome::Refused, Some(NOT_WRITTEN.0)), (AuditOutcome::Allowed, None)];
        assert_eq!(outcomes, expected);
    }

    /// What was changed is changed: nothing says that it was not.
    #[tokio::test]
    async fn a_change_that_cannot_be_written_is_no_success_and_stays_in_the_trail() {
        let fixture = fixture(true);
        assert!(fixture.trail.allowed(fixture.draft(AuditAction::Delete)).await.is_err());
        let [event] = &fixture.kept().await[..] else { panic!("one event") };
        assert_eq!(event.outcome, AuditOutcome::Allowed);
    }

    #[tokio::test]
    async fn a_refusal_stays_what_it_is_if_it_cannot_be_written() {
        let fixture = fixture(true);
        let mut draft = fixture.draft(AuditAction::Credentials);
        draft.developer_user_identifier = Some("ada".into());
        fixture.trail.refused(draft, Grounds::of(&No)).await.unwrap();
        assert_eq!(fixture.kept().await.len(), 1);
    }
}
