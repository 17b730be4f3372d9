use std::sync::atomic::AtomicU32;

use daypass_core::ground::random::SeededRandom;
use futures::future::{join_all, poll_immediate};

use super::*;
use crate::crowd::Crowd;
use crate::metrics::Metrics;

fn queue(quota: u32) -> Arc<QuotaQueue> {
    let region = daypass_core::ground::ids::Region::parse("us-east-1").unwrap();
    Arc::new(QuotaQueue::new(quota, Arc::new(SeededRandom::new(1)), Metrics::default().of_region(&region)))
}

fn somebody() -> Presence {
    Crowd::default().enter("somebody").unwrap()
}

/// Each time somebody else.
async fn pass(queue: &QuotaQueue) -> Result<Instant, Failure> {
    pass_as(queue, &somebody()).await
}

/// Many at once, each a task of its own, as requests are.
async fn pass_many(queue: &Arc<QuotaQueue>, count: usize) -> Vec<Result<Instant, Failure>> {
    let one = |_| {
        let queue = queue.clone();
        tokio::spawn(async move { pass(&queue).await })
    };
    join_all((0..count).map(one)).await.into_iter().map(Result::unwrap).collect()
}

async fn pass_as(queue: &QuotaQueue, who: &Presence) -> Result<Instant, Failure> {
    queue.pass(&mut Stand::of(who), || false, async || Ok(Instant::now())).await
}

async fn sleep(duration: Duration) {
    tokio::time::advance(duration).await;
}

#[tokio::test(start_paused = true)]
async fn turns_come_at_the_rate_of_the_quota_after_a_seconds_worth_at_once() {
    let (queue, start) = (queue(50), Instant::now());
    let turns = pass_many(&queue, 150).await;
    let after: Vec<f64> =
        turns.into_iter().map(|turn| turn.unwrap().duration_since(start).as_secs_f64()).collect();
    assert!(after[..50].iter().all(|after| *after == 0.0), "{after:?}");
    for (index, after) in after.iter().enumerate().skip(50) {
        let due = f64::from(u32::try_from(index - 49).unwrap()) / 50.0;
        assert!((after - due).abs() < 0.01, "{index}: {after} instead of {due}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_came_first_goes_first_and_who_gives_up_leaves_no_gap() {
    let queue = queue(1);
    pass(&queue).await.unwrap();
    let start = Instant::now();
    let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(pass(&queue))).collect();
    for one in &mut waiting {
        assert!(poll_immediate(one).await.is_none());
    }
    assert_eq!(queue.waiting(), 4);
    drop(waiting.remove(1));
    assert_eq!(queue.waiting(), 3);
    let turns = join_all(waiting).await;
    let after: Vec<u64> =
        turns.into_iter().map(|turn| turn.unwrap().duration_since(start).as_secs()).collect();
    assert_eq!(after, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_queue_goes_round_among_persons() {
    let (queue, crowd, start) = (queue(1), Crowd::default(), Instant::now());
    pass(&queue).await.unwrap();
    let enter = |name| crowd.enter(name).unwrap();
    let persons = ["ada", "ada", "ada", "ada", "grace", "alan"].map(enter);
    let turns = join_all(persons.iter().map(|who| pass_as(&queue, who))).await;
    let after: Vec<u64> =
        turns.into_iter().map(|turn| turn.unwrap().duration_since(start).as_secs()).collect();
    assert_eq!(after, [1, 4, 5, 6, 2, 3], "Ada's second comes after everybody's first");
}

#[tokio::test(start_paused = true)]
async fn who_needs_another_turn_is_in_front_and_their_time_goes_on() {
    let queue = queue(1);
    let (who, others) = (somebody(), [somebody(), somebody()]);
    let mut stand = Stand::of(&who);
    queue.pass(&mut stand, || false, async || Ok(())).await.unwrap();
    let start = Instant::now();
    let mut waiting: Vec<_> = others.iter().map(|who| Box::pin(pass_as(&queue, who))).collect();
    for one in &mut waiting[1..] {
        assert!(poll_immediate(one).await.is_none());
    }
    let again = queue.pass(&mut stand, || false, async || Ok(Instant::now()));
    let (again, others) = tokio::join!(again, join_all(waiting));
    assert!(again.unwrap().duration_since(start).as_secs() <= 2, "at most one was before");
    assert!(others.into_iter().all(|turn| turn.is_ok()));
    assert!(!stand.is_over());
    sleep(LONGEST_WAIT).await;
    assert!(stand.is_over());
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_sent_away_and_told_when_to_come_back() {
    let queue = queue(50);
    let passing = pass_many(&queue, 2_000).await;
    let (let_in, sent_away): (Vec<_>, Vec<_>) = passing.into_iter().partition(Result::is_ok);
    assert!(
        (1_140..=1_160).contains(&let_in.len()),
        "{}: those of the first moment, and a queue",
        let_in.len()
    );
    let seconds: Vec<i64> = sent_away
        .into_iter()
        .map(|sent_away| match sent_away {
            Err(Failure::Busy { retry_after }) => retry_after.as_secs(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(seconds.iter().all(|seconds| (10..=34).contains(seconds)), "{seconds:?}");
    assert!(seconds.iter().any(|it| *it < 15) && seconds.iter().any(|it| *it > 29), "they are spread");
}

#[tokio::test(start_paused = true)]
async fn a_throttled_call_is_made_again_before_those_who_wait() {
    let queue = queue(10);
    for _ in 0..10 {
        pass(&queue).await.unwrap();
    }
    let attempts = AtomicU32::new(0);
    let call = async || match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Failure::Throttled),
        _ => Ok(Instant::now()),
    };
    let (who, mut others) = (somebody(), Vec::new());
    others.resize_with(5, somebody);
    let mut stand = Stand::of(&who);
    let throttled = queue.pass(&mut stand, || false, call);
    let (throttled, later) = tokio::join!(throttled, join_all(others.iter().map(|who| pass_as(&queue, who))));
    let throttled = throttled.unwrap();
    let before = later.into_iter().filter(|turn| *turn.as_ref().unwrap() < throttled).count();
    assert!(before <= 1, "{before}: only the one whose turn it was already");
    assert_eq!(attempts.into_inner(), 2);
}

#[tokio::test(start_paused = true)]
async fn throttling_lowers_the_rate_once_and_it_comes_back() {
    let mut bucket = Bucket::full(50.0, Instant::now());
    let sent = Instant::now();
    for _ in 0..20 {
        bucket.slow_down(sent, Instant::now());
    }
    assert!((bucket.rate - 35.0).abs() < 0.01, "{}", bucket.rate);
    assert!(bucket.take(Instant::now()).is_err());
    sleep(Duration::from_secs(2)).await;
    bucket.slow_down(Instant::now(), Instant::now());
    assert!((bucket.rate - 31.5).abs() < 0.01, "{}", bucket.rate);
    sleep(RECOVERY * 2).await;
    bucket.refill(Instant::now());
    assert!((bucket.rate - 50.0).abs() < 0.01, "{}", bucket.rate);
    for _ in 0..100 {
        sleep(ONE_SLOWDOWN).await;
        bucket.slow_down(Instant::now(), Instant::now());
    }
    assert!(bucket.rate >= 5.0, "a tenth is left at least");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_turn_that_leads_nowhere() {
    let queue = queue(1);
    pass(&queue).await.unwrap();
    let start = Instant::now();
    let down = async |who: Presence| {
        queue.pass(&mut Stand::of(&who), || true, async || Err::<(), _>(Failure::Down("down".into()))).await
    };
    let answers = join_all((0..10).map(|_| down(somebody()))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Failure::Down(_)))), "{answers:?}");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn places_run_out_when_the_queue_is_half_full_and_not_before() {
    let queue = queue(10);
    let hanging: Vec<_> = (0..1_000).map(|_| queue.reserve(None).unwrap()).collect();
    assert_eq!(hanging.len(), 1_000, "a provider that hangs keeps nobody out of a short queue");
    let mut waiting: Vec<_> = (0..10 + 100).map(|_| Box::pin(pass(&queue))).collect();
    for one in &mut waiting {
        let _ = poll_immediate(one).await;
    }
    assert!(matches!(queue.reserve(None), Err(Failure::Busy { .. })));
    drop(hanging);
    let places: Vec<_> = (0..200).map_while(|_| queue.reserve(None).ok()).collect();
    assert!((15..=25).contains(&places.len()), "{}: as many as the queue still takes", places.len());
    drop(places);
    assert!(queue.reserve(None).is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_address_does_not_keep_every_place() {
    let queue = queue(10);
    let [ada, grace] = ["8.8.8.8", "9.9.9.9"].map(|address| address.parse().ok());
    let places: Vec<_> = (0..200).map_while(|_| queue.reserve(ada).ok()).collect();
    assert_eq!(places.len(), 12 * 10 / 4);
    let mut waiting: Vec<_> = (0..10 + 80).map(|_| Box::pin(pass(&queue))).collect();
    for one in &mut waiting {
        let _ = poll_immediate(one).await;
    }
    assert!(matches!(queue.reserve(ada), Err(Failure::Busy { .. })));
    assert!(queue.reserve(grace).is_ok(), "also when the queue is long");
}
