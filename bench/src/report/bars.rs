//! Bars below each other, each with its name above it, so that long names have room on a phone.

use super::svg::{LINE, MARGIN, Svg, WIDTH};

/// What stands behind the longest bar.
const FIGURE: f64 = 76.0;
const THICK: f64 = 14.0;
/// From one name to the next.
const PITCH: f64 = 44.0;
/// What a mark has above and below a bar.
const OVER: f64 = 4.0;

pub(super) struct Bar {
    pub(super) name: String,
    /// Where it begins: behind what it adds to, or at nothing.
    pub(super) from: f64,
    pub(super) value: f64,
    pub(super) figure: String,
    pub(super) class: &'static str,
}

/// What the bars are to be held against.
pub(super) struct Mark {
    pub(super) at: f64,
    pub(super) name: String,
}

pub(super) fn chart(title: &str, bars: &[Bar], mark: Option<&Mark>, described: &str) -> String {
    let (mut svg, top) = Svg::titled(title);
    let ends = bars.iter().map(|bar| bar.from + bar.value.max(0.0)).chain(mark.map(|mark| mark.at));
    let most = ends.fold(0.0, f64::max);
    let scale = (WIDTH - 2.0 * MARGIN - FIGURE) / most.max(f64::MIN_POSITIVE);
    let bottom = bars.iter().fold(top, |y, _| y + PITCH);
    if let Some(mark) = mark {
        let x = MARGIN + mark.at * scale;
        let (class, aside) = if x > WIDTH / 2.0 { ("quiet end", OVER) } else { ("quiet", -OVER) };
        svg.text(x + aside, bottom + LINE * 0.7, class, &mark.name);
    }
    let mut y = top;
    for bar in bars {
        svg.text(MARGIN, y + LINE * 0.7, "", &bar.name);
        let (x, width) = (MARGIN + bar.from * scale, bar.value.max(0.0) * scale);
        svg.bar(x, y + LINE, width, THICK, bar.class);
        if let Some(at) = mark.map(|mark| MARGIN + mark.at * scale) {
            svg.line([at, y + LINE - OVER], [at, y + LINE + THICK + OVER], "mark");
        }
        svg.text(x + width + 6.0, y + LINE + THICK * 0.85, "quiet", &bar.figure);
        y += PITCH;
    }
    svg.finish(bottom + if mark.is_some() { LINE * 1.5 } else { LINE / 2.0 }, described)
}

#[cfg(test)]
mod tests {
    use super::{Bar, Mark, chart};

    #[test]
    fn the_longest_bar_leaves_room_for_its_figure() {
        let bar = |from: f64, value: f64| Bar {
            name: format!("bar {value}"),
            from,
            value,
            figure: format!("{value} µs"),
            class: "first",
        };
        let mark = Mark { at: 1.0, name: "one".into() };
        let picture = chart("Bars", &[bar(0.0, 4.0), bar(4.0, 4.0), bar(0.0, -1.0)], Some(&mark), "bars");
        // 480 less margins and a figure are 372, of which each has a half; what is less than nothing is a line.
        assert!(picture.contains("<rect x=\"16.0\" y=\"66.0\" width=\"186.0\""), "{picture}");
        assert!(picture.contains("<rect x=\"202.0\" y=\"110.0\" width=\"186.0\""), "{picture}");
        assert!(picture.contains("width=\"1.0\""), "{picture}");
        assert!(picture.contains(">one</text>"), "{picture}");
    }
}
