//! A load as the world makes it: requests come by a schedule that nobody slows down because an answer is late, and each waits from
//! the instant it was due. Clients that wait for an answer before they ask again would leave out just the requests that
//! would have waited longest (coordinated omission).

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use crate::Outcome;
use crate::http::Connection;
use crate::requests::Request;

/// Connections, each with a client that takes the next request as soon as it has nothing to do. A request that finds all of
/// them waiting waits, too, and that counts.
const CLIENTS: usize = 128;
/// A client's thread holds little.
const STACK: usize = 128 * 1024;

/// In nanoseconds. The kernel lets a sleeper lie for 50 µs longer than it asked for, unless it hears otherwise.
const LEAST_SLACK: NonZeroU64 = NonZeroU64::MIN;

/// What became of the requests of a schedule.
pub(crate) struct Answered {
    /// Of those that were served, the seconds from the instant they were due.
    pub(crate) waited: Vec<f64>,
    /// How many were sent away.
    pub(crate) refused: usize,
    /// From the first instant to the last answer.
    pub(crate) seconds: f64,
}

/// Sends the requests at so many a second in the mean.
pub(crate) fn send(url: &str, requests: &[Request], rate: f64) -> Outcome<Answered> {
    let (due, next) = (schedule(requests.len(), rate), AtomicUsize::new(0));
    // One for all: whoever woke up late would otherwise have a schedule of its own.
    let (start, first_instant) = (Barrier::new(CLIENTS + 1), OnceLock::new());
    let client = || -> Outcome<Vec<Option<f64>>> {
        set_current_timer_slack(Some(LEAST_SLACK))?;
        let connection = Connection::open(url);
        start.wait();
        let (mut connection, began, mut answers) =
            (connection?, *first_instant.get_or_init(Instant::now), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some((request, due)) = requests.get(number).zip(due.get(number)) else { return Ok(answers) };
            wait_until(began + *due);
            let served = request.is_served(&mut connection)?;
            answers.push(served.then(|| (began + *due).elapsed().as_secs_f64()));
        }
    };
    thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().stack_size(STACK).spawn_scoped(scope, client);
        let clients = (0..CLIENTS).map(spawn).collect::<Result<Vec<_>, _>>()?;
        start.wait();
        let began = *first_instant.get_or_init(Instant::now);
        let mut answers = Vec::new();
        for client in clients {
            answers.extend(client.join().map_err(|_| "a client panicked")??);
        }
        let seconds = began.elapsed().as_secs_f64();
        let waited: Vec<f64> = answers.iter().flatten().copied().collect();
        Ok(Answered { refused: answers.len() - waited.len(), waited, seconds })
    })
}

/// When each request is due: arrivals of people who know nothing of each other, so the pauses are exponential. The same ones
/// each time, or two runs would have had different luck.
fn schedule(count: usize, rate: f64) -> Vec<Duration> {
    let (mut numbers, mut due) = (SplitMix64(0x9E37_79B9), Duration::ZERO);
    let pauses = std::iter::repeat_with(|| -numbers.fraction().ln() / rate);
    let next = |pause| {
        due += Duration::from_secs_f64(pause);
        due
    };
    pauses.take(count).map(next).collect()
}

/// Numbers that look random and are the same each time (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Above 0, up to 1, in steps that a floating-point number has.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

/// Waits until it is time.
#[expect(clippy::disallowed_methods, reason = "the clients of a benchmark keep the real time")]
pub(crate) fn wait_until(due: Instant) {
    thread::sleep(due.saturating_duration_since(Instant::now()));
}

#[cfg(test)]
mod tests {
    use super::{SplitMix64, schedule, send};
    use crate::far_end;
    use crate::requests::Request;

    /// The first numbers of seed 0, as other implementations have them.
    #[test]
    fn the_numbers_are_those_of_everybody() {
        let mut numbers = SplitMix64(0);
        assert_eq!(numbers.next(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(numbers.next(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn a_schedule_keeps_its_rate_and_is_the_same_each_time() {
        let due = schedule(20_000, 500.0);
        let lasts = due[due.len() - 1].as_secs_f64();
        assert!((38.0..42.0).contains(&lasts), "{lasts}");
        assert!(due.is_sorted());
        assert_eq!(due, schedule(20_000, 500.0));
    }

    /// More are due than the far end answers: who waits for a client counts from when they should have been sent.
    #[test]
    fn what_waits_for_its_turn_counts_from_its_instant() {
        let turn = std::sync::Mutex::new(());
        let slow = move |_| {
            let _one_at_a_time = turn.lock();
            let began = std::time::Instant::now();
            while began.elapsed().as_micros() < 500 {
                std::hint::spin_loop();
            }
            (String::new(), Vec::new())
        };
        let url = format!("http://{}/", far_end::start(slow).unwrap());
        let requests: Vec<_> = (0..400).map(|_| Request::json("GetId", &serde_json::Value::Null)).collect();
        let answered = send(&url, &requests, 100_000.0).unwrap();
        assert_eq!((answered.waited.len(), answered.refused), (400, 0));
        let longest = answered.waited.iter().copied().fold(0.0, f64::max);
        assert!(longest >= 0.2 && longest <= answered.seconds, "{longest} of {}", answered.seconds);
    }
}
