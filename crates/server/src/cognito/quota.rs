//! The queue before a quota of Amazon's. Each call waits for its turn; the turns come as fast as the quota allows.
//! Somebody else may use the same quota, so a call that is throttled all the same gets into the queue again, at the
//! front, and everything goes slower for a while.
//!
//! The queue goes round among developer users: one who asks for much has one call in it at a time, and
//! the others of theirs wait beside it.
//!
//! Whoever waits moves the queue along themselves: nothing runs in the background.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::random::Random;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use crate::crowd::Presence;
use crate::metrics::RegionMetrics;
use crate::peers::{PeerPlace, Peers};

/// Whoever would wait longer is sent away before their login is verified. It is well below the longest wait, because
/// a queue may turn out to be slower than it promised to be.
pub(super) const LONGEST_QUEUE: Duration = Duration::from_secs(12);
/// Nobody waits longer. A request has 30 seconds: this leaves some for the provider and for the call itself.
const LONGEST_WAIT: Duration = Duration::from_secs(22);
/// From one address of the public internet, the fourth part of the longest queue may be on the way.
const SHARE: usize = 4;
/// Half the quota is regained in this time. Amazon counts by the second, so soon is soon enough.
const RECOVERY: Duration = Duration::from_secs(5);
/// What is left of the rate when a call was throttled.
const SLOWDOWN: f64 = 0.7;
/// Throttled calls slow the queue down once in this time, because those under way together fail together.
const ONE_SLOWDOWN: Duration = Duration::from_secs(1);

/// How somebody stands in a queue: whoever had a turn and needs another one is in front.
pub(super) struct Stand<'a> {
    who: &'a Presence,
    joined: Instant,
    in_front: bool,
}

impl<'a> Stand<'a> {
    /// At the end, from now on.
    pub(super) fn of(who: &'a Presence) -> Self {
        Self { who, joined: Instant::now(), in_front: false }
    }

    /// Whether it is too late for another turn.
    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.until()
    }

    fn until(&self) -> Instant {
        self.joined + LONGEST_WAIT
    }
}

/// The calls that wait for their turn within a quota.
pub(super) struct QuotaQueue {
    bucket: Mutex<Bucket>,
    /// Whose turn is next. Both locks are handed on in the order in which they were asked for.
    back: tokio::sync::Mutex<()>,
    /// The next of the queue, and those who were throttled.
    front: tokio::sync::Mutex<()>,
    waiting: Arc<AtomicUsize>,
    coming: Arc<AtomicUsize>,
    coming_of: Peers,
    random: Arc<dyn Random>,
    metrics: RegionMetrics,
}

/// A place for somebody who is on the way, until it is dropped.
pub(super) struct Reserved {
    _coming: Counted,
    _of_peer: Option<PeerPlace>,
}

/// One more somewhere, until it is dropped.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn among(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl QuotaQueue {
    /// The queue of a quota, in calls a second.
    pub(super) fn new(quota: u32, random: Arc<dyn Random>, metrics: RegionMetrics) -> Self {
        Self {
            bucket: Mutex::new(Bucket::full(f64::from(quota), Instant::now())),
            back: tokio::sync::Mutex::default(),
            front: tokio::sync::Mutex::default(),
            waiting: Arc::default(),
            coming: Arc::default(),
            coming_of: Peers::default(),
            random,
            metrics,
        }
    }

    /// Keeps a place for somebody who will want a turn soon. While the queue is short, nearly everybody finds one: those
    /// whose provider hangs are not to keep the others out. From one address come no more than a part: nobody knows yet
    /// whether they have a login at all.
    pub(super) fn reserve(&self, peer: Option<IpAddr>) -> Result<Reserved, Failure> {
        let (waiting, coming) = (self.waiting(), self.coming.load(Ordering::Relaxed));
        let half = self.wait_of(waiting) > LONGEST_QUEUE / 2;
        if half && self.wait_of(waiting + coming) > LONGEST_QUEUE {
            return Err(self.busy());
        }
        let share = (self.turns_in(LONGEST_QUEUE) / SHARE).max(1);
        let of_peer = match peer {
            Some(peer) => Some(self.coming_of.take(peer, share).ok_or_else(|| self.busy())?),
            None => None,
        };
        Ok(Reserved { _coming: Counted::among(&self.coming), _of_peer: of_peer })
    }

    /// Makes a call when its turn comes, and again if it is throttled. Where the call has no chance, nobody has to
    /// wait for a turn.
    pub(super) async fn pass<T, F>(
        &self,
        stand: &mut Stand<'_>,
        hopeless: impl Fn() -> bool,
        call: impl Fn() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        if !stand.in_front && self.wait_of(self.waiting() + 1) >= LONGEST_WAIT {
            return Err(self.busy());
        }
        loop {
            let turn = timeout_at(stand.until(), self.turn(stand, &hopeless)).await;
            if turn.is_err() {
                return Err(self.busy());
            }
            if !stand.in_front {
                self.metrics.queued(stand.joined.elapsed());
            }
            stand.in_front = true;
            let sent = Instant::now();
            match call().await {
                Err(Failure::Throttled) => self.bucket().slow_down(sent, Instant::now()),
                answer => return answer,
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the wait is for Amazon's quota, which has a clock of its own"
    )]
    async fn turn(&self, stand: &Stand<'_>, hopeless: &impl Fn() -> bool) {
        let _shown = self.metrics.waiting();
        let _alone = if stand.in_front { None } else { Some(stand.who.alone().await) };
        let _waiting = Counted::among(&self.waiting);
        let _back = if stand.in_front { None } else { Some(self.back.lock().await) };
        let _front = self.front.lock().await;
        while !hopeless() {
            let taken = self.bucket().take(Instant::now());
            match taken {
                Ok(()) => return,
                Err(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    fn busy(&self) -> Failure {
        Failure::Busy { retry_after: self.retry_after() }
    }

    /// When half to one and a half of those who wait now have had their turn: whoever is sent away together does
    /// not come back together.
    fn retry_after(&self) -> SignedDuration {
        let [share] = self.random.bytes();
        let wait = self.wait_of(self.waiting().max(1)).mul_f64(0.5 + f64::from(share) / f64::from(u8::MAX));
        SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX)
    }

    fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How many have their turn in a time.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a quota is a number of calls a second, and fits"
    )]
    fn turns_in(&self, time: Duration) -> usize {
        (time.as_secs_f64() * self.bucket().rate) as usize
    }

    /// How long it takes until so many had their turn.
    fn wait_of(&self, count: usize) -> Duration {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Duration::from_secs_f64(f64::from(count) / self.bucket().rate)
    }

    /// No code that holds the lock can leave the bucket half written, so a poisoned lock is as good.
    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bucket of turns: a second's worth at most, and as many a second.
struct Bucket {
    quota: f64,
    rate: f64,
    turns: f64,
    at: Instant,
    slowed: Option<Instant>,
}

impl Bucket {
    fn full(quota: f64, now: Instant) -> Self {
        Self { quota, rate: quota, turns: quota, at: now, slowed: None }
    }

    /// Takes a turn, or says when there will be one.
    fn take(&mut self, now: Instant) -> Result<(), Duration> {
        self.refill(now);
        if self.turns >= 1.0 {
            self.turns -= 1.0;
            return Ok(());
        }
        // A nanosecond more, because a duration is rounded and a turn that is almost there is none.
        Err(Duration::from_secs_f64((1.0 - self.turns) / self.rate) + Duration::from_nanos(1))
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.turns = (self.turns + passed * self.rate).min(self.quota);
        self.rate = (self.rate + passed * self.quota / (2.0 * RECOVERY.as_secs_f64())).min(self.quota);
        self.at = now;
    }

    /// Notes that a call was throttled: whoever counts is ahead of us.
    fn slow_down(&mut self, sent: Instant, now: Instant) {
        self.refill(now);
        self.turns = 0.0;
        if self.slowed.is_none_or(|slowed| sent >= slowed + ONE_SLOWDOWN) {
            self.rate = (self.rate * SLOWDOWN).max(self.quota / 10.0);
            self.slowed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
