//! What keeps a host that does not answer from being asked all the time: after some failures in a row it is
//! left alone, but for one request each [`REST`] that finds out whether it is back.

use daypass_core::ground::clock::{SignedDuration, Timestamp};

/// How many failures in a row open the circuit.
pub(crate) const FAILURES: u32 = 5;
/// How long a host is left alone; clients are told to come back after as long.
pub(crate) const REST: SignedDuration = SignedDuration::from_secs(5);

/// The circuit of one host.
#[derive(Debug, Default)]
pub(crate) struct Circuit {
    failures: u32,
    /// When it was opened, last failed, or last let a probe through.
    resting_since: Option<Timestamp>,
}

impl Circuit {
    /// Whether the host is left alone at this moment.
    pub(crate) fn is_resting(&self, now: Timestamp) -> bool {
        self.resting_since.is_some_and(|since| {
            let age = now.duration_since(since);
            !age.is_negative() && age < REST
        })
    }

    /// Whether a request may go out. In an open circuit it is the probe, and the next one waits for as long as
    /// the last: nothing has to be given back by a probe that nobody waits for any more.
    pub(crate) fn admit(&mut self, now: Timestamp) -> bool {
        let admitted = !self.is_resting(now);
        if admitted && self.resting_since.is_some() {
            self.resting_since = Some(now);
        }
        admitted
    }

    /// Notes how a request went. Answers whether that opened the circuit.
    pub(crate) fn note(&mut self, failed: bool, now: Timestamp) -> bool {
        if !failed {
            *self = Self::default();
            return false;
        }
        self.failures = self.failures.saturating_add(1);
        if self.failures < FAILURES {
            return false;
        }
        self.resting_since.replace(now).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn opened() -> Circuit {
        let mut circuit = Circuit::default();
        let opened: Vec<bool> = (0..FAILURES).map(|_| circuit.note(true, at(100))).collect();
        assert_eq!(opened, [false, false, false, false, true]);
        circuit
    }

    #[test]
    fn only_failures_in_a_row_open_a_circuit() {
        let mut circuit = Circuit::default();
        for _ in 0..3 {
            assert!((1..FAILURES).all(|_| !circuit.note(true, at(100))));
            assert!(circuit.admit(at(100)));
            circuit.note(false, at(100));
        }
    }

    #[test]
    fn an_open_circuit_lets_one_probe_through_in_each_rest() {
        let mut circuit = opened();
        let admitted: Vec<bool> =
            [104, 105, 105, 109, 110].into_iter().map(|second| circuit.admit(at(second))).collect();
        assert_eq!(admitted, [false, true, false, false, true]);
    }

    #[test]
    fn a_probe_that_is_answered_closes_the_circuit_and_one_that_fails_does_not() {
        let mut circuit = opened();
        assert!(circuit.admit(at(105)));
        assert!(!circuit.note(true, at(107)), "it is open already");
        assert!(!circuit.admit(at(111)));
        assert!(circuit.admit(at(112)));
        circuit.note(false, at(113));
        assert!(circuit.admit(at(113)) && circuit.admit(at(113)));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_keep_a_circuit_open() {
        assert!(opened().admit(at(50)));
    }
}
