use std::sync::atomic::AtomicU32;

use daypass_core::random::SeededRandom;
use futures::future::{join_all, poll_immediate};

use super::*;
use crate::metrics::Metrics;

fn line(quota: u32) -> Arc<Line> {
    let region = daypass_core::ids::Region::parse("us-east-1").unwrap();
    Arc::new(Line::new(quota, Arc::new(SeededRandom::new(1)), Metrics::default().of_region(&region)))
}

async fn pass(line: &Line) -> Result<Instant, Failure> {
    line.pass(|| false, async || Ok(Instant::now())).await
}

async fn sleep(duration: Duration) {
    tokio::time::advance(duration).await;
}

#[tokio::test(start_paused = true)]
async fn turns_come_at_the_rate_of_the_quota_after_a_seconds_worth_at_once() {
    let (line, start) = (line(50), Instant::now());
    let turns = join_all((0..150).map(|_| pass(&line))).await;
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
    let line = line(1);
    pass(&line).await.unwrap();
    let start = Instant::now();
    let mut waiting: Vec<_> = (0..4).map(|_| Box::pin(pass(&line))).collect();
    for one in &mut waiting {
        assert!(poll_immediate(one).await.is_none());
    }
    assert_eq!(line.waiting(), 4);
    drop(waiting.remove(1));
    assert_eq!(line.waiting(), 3);
    let turns = join_all(waiting).await;
    let after: Vec<u64> =
        turns.into_iter().map(|turn| turn.unwrap().duration_since(start).as_secs()).collect();
    assert_eq!(after, [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn who_would_wait_too_long_is_sent_away_and_told_when_to_come_back() {
    let line = line(50);
    let passing = join_all((0..2_000).map(|_| pass(&line))).await;
    let (let_in, sent_away): (Vec<_>, Vec<_>) = passing.into_iter().partition(Result::is_ok);
    assert!(
        (1_140..=1_160).contains(&let_in.len()),
        "{}: those of the first moment, and a line",
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
    let line = line(10);
    for _ in 0..10 {
        pass(&line).await.unwrap();
    }
    let attempts = AtomicU32::new(0);
    let call = async || match attempts.fetch_add(1, Ordering::Relaxed) {
        0 => Err(Failure::Throttled),
        _ => Ok(Instant::now()),
    };
    let throttled = line.pass(|| false, call);
    let (throttled, later) = tokio::join!(throttled, join_all((0..5).map(|_| pass(&line))));
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
    let line = line(1);
    pass(&line).await.unwrap();
    let start = Instant::now();
    let down = || line.pass(|| true, async || Err::<(), _>(Failure::Down("down".into())));
    let answers = join_all((0..10).map(|_| down())).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Failure::Down(_)))), "{answers:?}");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn places_run_out_when_the_line_is_half_full_and_not_before() {
    let line = line(10);
    let hanging: Vec<_> = (0..1_000).map(|_| line.reserve().unwrap()).collect();
    assert_eq!(hanging.len(), 1_000, "a provider that hangs keeps nobody out of a short line");
    let mut waiting: Vec<_> = (0..10 + 100).map(|_| Box::pin(pass(&line))).collect();
    for one in &mut waiting {
        let _ = poll_immediate(one).await;
    }
    assert!(matches!(line.reserve(), Err(Failure::Busy { .. })));
    drop(hanging);
    let places: Vec<_> = (0..200).map_while(|_| line.reserve().ok()).collect();
    assert!((15..=25).contains(&places.len()), "{}: as many as the line still takes", places.len());
    drop(places);
    assert!(line.reserve().is_ok());
}
