//! Medians and spreads. A machine that does other things at the same time disturbs some rounds upwards;
//! the median forgets them and the spread shows them.

use serde::{Deserialize, Serialize};

/// What a number of rounds measured, in order of size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub(crate) struct Sample(Vec<f64>);

/// How sure an interval of [`Sample::interval`] is.
const CONFIDENCE: f64 = 0.95;
/// The digits of a figure that are kept in a file. No measurement here is as good.
const DIGITS: usize = 5;

impl Sample {
    /// A sample of at least one measurement.
    pub(crate) fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        assert!(!sorted.is_empty(), "a sample has measurements");
        Self(sorted)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[middle] } else { f64::midpoint(self.0[middle - 1], self.0[middle]) }
    }

    /// The distance between the extremes, in percent of the median.
    pub(crate) fn spread(&self) -> f64 {
        (self.0[self.0.len() - 1] - self.0[0]) / self.median().abs() * 100.0
    }

    /// The value that so many of a thousand measurements do not exceed (nearest rank). `None` where the sample is too small
    /// for anything to lie above it.
    pub(crate) fn permille(&self, rank: usize) -> Option<f64> {
        let at = (self.0.len() * rank).div_ceil(1_000);
        (at < self.0.len()).then(|| self.0[at.saturating_sub(1)])
    }

    /// Where the true median lies, by as much of the sample's ends as can be left out. It asks for no distribution: each
    /// measurement is above the median as often as below. Small samples are taken whole.
    pub(crate) fn interval(&self) -> (f64, f64) {
        let count = self.0.len();
        let (mut outside, mut chance) = (0.0, 0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX)));
        let mut left_out = 0;
        // Of `count` coins, the chance that `left_out` or fewer show heads; twice, for the other end.
        while left_out < count / 2 {
            outside += 2.0 * chance;
            if outside > 1.0 - CONFIDENCE {
                break;
            }
            chance *= as_float(count - left_out) / as_float(left_out + 1);
            left_out += 1;
        }
        // What is left out at an end are the measurements before the first that may not be.
        let first = left_out.saturating_sub(1);
        (self.0[first], self.0[count - 1 - first])
    }
}

#[expect(clippy::cast_precision_loss, reason = "no sample has as many measurements")]
pub(crate) fn as_float(count: usize) -> f64 {
    count as f64
}

impl TryFrom<Vec<f64>> for Sample {
    type Error = &'static str;

    fn try_from(measurements: Vec<f64>) -> Result<Self, Self::Error> {
        if measurements.is_empty() { Err("a sample has measurements") } else { Ok(Self::of(measurements)) }
    }
}

impl From<Sample> for Vec<f64> {
    fn from(sample: Sample) -> Self {
        let digits = DIGITS - 1;
        let short = |figure: f64| format!("{figure:.digits$e}").parse().unwrap_or(figure);
        sample.0.into_iter().map(short).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(Sample::of([3.0, 1.0, 2.0]).median().to_bits(), 2.0_f64.to_bits());
        assert_eq!(Sample::of([4.0, 1.0, 2.0, 3.0]).median().to_bits(), 2.5_f64.to_bits());
    }

    #[test]
    fn a_sample_shows_its_spread() {
        assert_eq!(Sample::of([1.0, 3.0, 2.0]).spread().to_bits(), 100.0_f64.to_bits());
        assert_eq!(Sample::of([-1.0, -3.0, -2.0]).spread().to_bits(), 100.0_f64.to_bits());
    }

    #[test]
    fn a_rank_needs_something_above_it() {
        let sample = Sample::of((1..=1_000).map(f64::from));
        assert_eq!(sample.permille(500), Some(500.0));
        assert_eq!(sample.permille(990), Some(990.0));
        assert_eq!(sample.permille(999), Some(999.0));
        assert_eq!(Sample::of((1..=100).map(f64::from)).permille(999), None);
    }

    /// The chances are those of tables for the sign test: of nine, one may be left out at each end, of five none.
    #[test]
    fn the_interval_of_a_median_leaves_the_ends_out_that_chance_explains() {
        let whole = |count: u32| Sample::of((1..=count).map(f64::from)).interval();
        assert_eq!(whole(1), (1.0, 1.0));
        assert_eq!(whole(5), (1.0, 5.0));
        assert_eq!(whole(9), (2.0, 8.0));
        assert_eq!(whole(15), (4.0, 12.0));
    }

    #[test]
    fn a_file_keeps_what_digits_mean() {
        let written = serde_json::to_string(&Sample::of([1_234_567.0, 0.123_456_7])).unwrap();
        assert_eq!(written, "[0.12346,1234600.0]");
        assert!(serde_json::from_str::<Sample>("[]").is_err());
    }
}
