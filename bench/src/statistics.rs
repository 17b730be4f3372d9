//! Medians and spreads. A machine that does other things at the same time disturbs some rounds upwards;
//! the median forgets them and the spread shows them.

use std::fmt;

/// What a number of rounds measured.
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    /// A sample of at least one measurement.
    pub(crate) fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        assert!(!sorted.is_empty(), "a sample has measurements");
        Self(sorted)
    }

    /// The middle one, or the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let middle = self.0.len() / 2;
        if self.0.len() % 2 == 1 { self.0[middle] } else { f64::midpoint(self.0[middle - 1], self.0[middle]) }
    }

    /// The distance between the extremes, in percent of the median.
    pub(crate) fn spread(&self) -> f64 {
        (self.0[self.0.len() - 1] - self.0[0]) / self.median() * 100.0
    }
}

/// Median, extremes and number of rounds, with the precision that the caller asks for.
impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(1);
        let (least, most) = (self.0[0], self.0[self.0.len() - 1]);
        write!(f, "{:.digits$} (from {least:.digits$} to {most:.digits$} in {})", self.median(), self.0.len())
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
    fn a_sample_shows_its_extremes() {
        assert_eq!(format!("{:.2}", Sample::of([1.0, 3.0, 2.0])), "2.00 (from 1.00 to 3.00 in 3)");
        assert_eq!(Sample::of([1.0, 3.0, 2.0]).spread().to_bits(), 100.0_f64.to_bits());
    }
}
