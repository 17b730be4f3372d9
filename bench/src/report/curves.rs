//! Curves over a few places, each with its name at its end.

use super::svg::{LINE, MARGIN, Svg, WIDTH};
use crate::statistics::as_float;

const HEIGHT: f64 = 200.0;
/// For the figures at the side, and for the names at the ends.
const LEFT: f64 = 52.0;
const RIGHT: f64 = 66.0;
/// Of the first and the last place from the sides.
const INDENT: f64 = 14.0;

pub(super) struct Curve {
    pub(super) name: String,
    /// At each place, or nothing.
    pub(super) values: Vec<Option<f64>>,
    pub(super) class: &'static str,
}

pub(super) struct Axes<'a> {
    /// The places below, and what they are.
    pub(super) places: &'a [String],
    pub(super) below: &'a str,
    /// What the figures at the side are.
    pub(super) unit: &'a str,
    /// Whether each step at the side is a multiple of the one before.
    pub(super) logarithmic: bool,
}

/// The side of a chart: from the least to the most, with the figures that are written there.
struct Side {
    least: f64,
    most: f64,
    ticks: Vec<f64>,
    logarithmic: bool,
}

pub(super) fn chart(title: &str, axes: &Axes<'_>, curves: &[Curve], described: &str) -> String {
    let (mut svg, top) = Svg::titled(title);
    svg.text(MARGIN, top + LINE * 0.6, "quiet", axes.unit);
    let (top, values) =
        (top + 1.6 * LINE, curves.iter().flat_map(|curve| curve.values.iter().flatten().copied()));
    let side = Side::of(&values.collect::<Vec<_>>(), axes.logarithmic);
    let y = |value: f64| top + HEIGHT * (1.0 - side.share(value));
    for tick in &side.ticks {
        svg.line([LEFT, y(*tick)], [WIDTH - RIGHT, y(*tick)], "grid");
        svg.text(LEFT - 6.0, y(*tick) + 5.0, "quiet end", &short(*tick));
    }
    let last = as_float(axes.places.len().max(2) - 1);
    let step = (WIDTH - LEFT - RIGHT - 2.0 * INDENT) / last;
    let x = |place: usize| LEFT + INDENT + step * as_float(place);
    for (place, name) in axes.places.iter().enumerate() {
        svg.text(x(place), top + HEIGHT + LINE, "quiet middle", name);
    }
    svg.text((LEFT + WIDTH - RIGHT) / 2.0, top + HEIGHT + 2.0 * LINE, "quiet middle", axes.below);
    let mut ends = Vec::new();
    for curve in curves {
        let points =
            curve.values.iter().enumerate().filter_map(|(place, value)| Some([x(place), y((*value)?)]));
        let points: Vec<[f64; 2]> = points.collect();
        svg.curve(&points, curve.class);
        ends.extend(points.last().map(|[x, y]| (*x, *y, curve.name.as_str())));
    }
    for (x, y, name) in apart(ends) {
        svg.text(x + 8.0, y + 5.0, "", name);
    }
    svg.finish(top + HEIGHT + 2.5 * LINE, described)
}

/// A round figure, without what its form in bits adds.
fn short(figure: f64) -> String {
    let digits = format!("{figure:.4}");
    digits.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Names that do not cover each other: each at least a line below the one above.
fn apart(mut ends: Vec<(f64, f64, &str)>) -> Vec<(f64, f64, &str)> {
    ends.sort_by(|one, other| one.1.total_cmp(&other.1));
    let mut above = f64::NEG_INFINITY;
    for (_, y, _) in &mut ends {
        *y = y.max(above + LINE * 0.8);
        above = *y;
    }
    ends
}

impl Side {
    fn of(values: &[f64], logarithmic: bool) -> Self {
        let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        if logarithmic {
            let least = values.iter().copied().fold(most, f64::min);
            let ticks: Vec<f64> = steps().skip_while(|tick| tick * 2.5 <= least).collect();
            let end = ticks.iter().position(|tick| *tick >= most).map_or(ticks.len(), |at| at + 1);
            let ticks = ticks[..end].to_vec();
            return Self { least: ticks[0], most: ticks[end - 1], ticks, logarithmic };
        }
        let step = steps().find(|step| step * 5.0 >= most).unwrap_or(most);
        let ticks: Vec<f64> = (0..=5).map(|number| f64::from(number) * step).collect();
        Self { least: 0.0, most: ticks[5], ticks, logarithmic }
    }

    /// How far up a value is, of 1.
    fn share(&self, value: f64) -> f64 {
        if self.logarithmic {
            return (value / self.least).ln() / (self.most / self.least).ln().max(f64::MIN_POSITIVE);
        }
        (value - self.least) / (self.most - self.least)
    }
}

/// Round figures: 1, 2 and 5 of each power of ten.
fn steps() -> impl Iterator<Item = f64> {
    const ROUND: [f64; 3] = [1.0, 2.0, 5.0];
    (-4..=8).flat_map(|power| {
        ROUND.map(|round| {
            // Divided, as a power of a tenth has no exact form.
            if power < 0 { round / 10_f64.powi(-power) } else { round * 10_f64.powi(power) }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{Axes, Curve, Side, apart, chart, short};

    #[test]
    fn the_side_has_round_figures_around_the_values() {
        assert_eq!(Side::of(&[0.7, 31.0], true).ticks, [0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0]);
        assert_eq!(Side::of(&[1.02, 0.99], false).ticks, [0.0, 0.5, 1.0, 1.5, 2.0, 2.5]);
        assert!((Side::of(&[0.7, 31.0], true).share(5.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn figures_at_the_side_are_short() {
        assert_eq!([0.6 + 1e-9, 0.0, 500.0, 0.05].map(short), ["0.6", "0", "500", "0.05"]);
    }

    #[test]
    fn names_stand_apart() {
        let ends = apart(vec![(0.0, 50.0, "b"), (0.0, 49.0, "a"), (0.0, 90.0, "c")]);
        assert_eq!(
            ends.iter().map(|end| (end.1, end.2)).collect::<Vec<_>>(),
            [(49.0, "a"), (65.0, "b"), (90.0, "c")]
        );
    }

    #[test]
    fn a_curve_leaves_out_what_is_not_known() {
        let places = ["20 %".to_owned(), "50 %".to_owned()];
        let axes = Axes { places: &places, below: "load", unit: "ms", logarithmic: true };
        let curve = Curve { name: "p99".into(), values: vec![None, Some(2.0)], class: "first" };
        let picture = chart("Waiting", &axes, &[curve], "waiting");
        assert_eq!(picture.matches("<circle").count(), 1);
        assert!(picture.contains(">p99</text>") && picture.contains(">50 %</text>"), "{picture}");
    }
}
