//! What the log has of kinds of lines that come too often: the first of each second, and how many more there were. The
//! kinds are all of the program's own making: the place in the code, the route, the method, the status and the code of an
//! error. So nobody fills a disk by being refused.

use std::fmt::Debug;
use std::sync::Arc;

use daypass_core::ground::clock::Clock;
use daypass_core::ground::sample::Sampler;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber, callsite};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use super::counted::COUNTED;
use super::line::line;
use super::lines::Lines;

/// So many lines of each kind are written in a second.
const LINES_EACH_SECOND: u64 = 20;

/// Decides which lines the log has.
#[derive(Clone)]
pub(super) struct Sampling {
    sampler: Arc<Sampler<Kind>>,
    lines: Lines,
}

/// What makes two lines of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    place: callsite::Identifier,
    about: About,
    target: &'static str,
}

/// The fields that have few values.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct About {
    method: String,
    route: String,
    action: String,
    code: String,
    status: Option<u64>,
}

impl Visit for About {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "route" => value.clone_into(&mut self.route),
            "action" => value.clone_into(&mut self.action),
            "code" => value.clone_into(&mut self.code),
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "method" {
            self.method = format!("{value:?}");
        }
    }
}

impl About {
    /// What somebody achieved, once they proved who they are, is logged however often it happens. A GET proves nothing.
    fn is_always_told(&self) -> bool {
        self.method == "POST" && self.status.is_some_and(|status| status < 400)
    }

    fn words(&self) -> String {
        let status = self.status.map(|status| status.to_string()).unwrap_or_default();
        let words = [&self.method, &self.route, &self.action, &self.code, &status];
        words.into_iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

impl Sampling {
    pub fn new(lines: Lines, clock: Arc<dyn Clock>) -> Self {
        Self { sampler: Arc::new(Sampler::new(LINES_EACH_SECOND, clock)), lines }
    }

    fn admits(&self, event: &Event<'_>) -> bool {
        let mut about = About::default();
        event.record(&mut about);
        let metadata = event.metadata();
        let admitted = about.is_always_told()
            || self.sampler.admits(Kind { place: metadata.callsite(), about, target: metadata.target() });
        self.tell(self.sampler.take_left_out());
        admitted
    }

    /// Tells what was left out until now.
    pub fn tell_all(&self) {
        self.tell(self.sampler.take_all_left_out());
    }

    fn tell(&self, left_out: Vec<(Kind, u64)>) {
        for (kind, count) in left_out {
            COUNTED.left_out.inc_by(count);
            let (target, about) = (kind.target, kind.about.words());
            let message = format!("{count} more lines like those before were left out: {target} {about}");
            self.lines.push(line("INFO", message.trim_end(), &[("left_out", count)]));
        }
    }
}

impl<S: Subscriber> Layer<S> for Sampling {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        self.admits(event)
    }
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::clock::{ManualClock, SignedDuration};

    use serde_json::Value;

    use super::super::{lines::Output, shape::Choice, subscriber};
    use super::*;

    struct Log {
        clock: Arc<ManualClock>,
        sampling: Sampling,
        file: tempfile::NamedTempFile,
    }

    impl Log {
        fn new() -> Self {
            let file = tempfile::NamedTempFile::new().unwrap();
            let lines = Lines::start("test", Output::open(file.path()).unwrap()).unwrap();
            let clock = Arc::new(ManualClock::at_second(1_700_000_000));
            Self { sampling: Sampling::new(lines, clock.clone()), clock, file }
        }

        fn during(&self, logging: impl FnOnce()) -> Vec<Value> {
            let before = self.lines().len();
            tracing::subscriber::with_default(
                subscriber(self.sampling.clone(), self.sampling.lines.clone(), Choice::default()).0,
                logging,
            );
            self.sampling.lines.flush(std::time::Duration::from_mins(1));
            self.lines().split_off(before)
        }

        fn lines(&self) -> Vec<Value> {
            let text = std::fs::read_to_string(self.file.path()).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    fn answered(method: &str, route: &str, status: u16) {
        tracing::info!(target: "daypass::test", %method, route, status, "answered {status}");
    }

    #[test]
    fn refusals_are_a_sample_and_a_number() {
        let log = Log::new();
        let refused = || (0..5_000).for_each(|_| answered("POST", "/v1/exchange", 401));
        assert_eq!(log.during(refused).len(), 20);
        log.clock.advance(SignedDuration::from_secs(1));
        let next = log.during(|| answered("POST", "/v1/exchange", 401));
        let [left_out, whole] = &next[..] else { panic!("{next:?}") };
        assert_eq!(left_out["left_out"], 4_980);
        let message = "4980 more lines like those before were left out: daypass::test POST /v1/exchange 401";
        assert_eq!(left_out["message"], message);
        assert_eq!((&whole["status"], &whole["message"]), (&401.into(), &"answered 401".into()));
    }

    #[test]
    fn each_kind_has_a_sample_of_its_own() {
        let log = Log::new();
        let lines = log.during(|| {
            for _ in 0..30 {
                answered("POST", "/v1/exchange", 401);
                answered("POST", "/v1/exchange", 503);
                answered("POST", "/v1/link", 401);
                answered("GET", "/healthz", 200);
                tracing::warn!(target: "daypass::test", "something else");
            }
        });
        assert_eq!(lines.len(), 100);
    }

    #[test]
    fn what_somebody_achieved_is_always_told() {
        let log = Log::new();
        let lines = log.during(|| (0..100).for_each(|_| answered("POST", "/v1/exchange", 200)));
        assert_eq!(lines.len(), 100);
    }

    #[test]
    fn at_the_end_the_number_is_told_as_well() {
        let log = Log::new();
        log.during(|| (0..50).for_each(|_| answered("GET", "/healthz", 200)));
        let told = log.during(|| log.sampling.tell_all());
        assert_eq!((told.len(), &told[0]["left_out"]), (1, &30.into()));
    }
}
