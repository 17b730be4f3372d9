//! As much of SVG as the charts take. A picture brings its own background and both its colours of ink: it is an image in a page
//! whose colours it cannot know, and follows what the reader has asked of the system.

use std::fmt::{Display, Write};

/// As wide as a column of text on a phone, where it is drawn smaller by a quarter and can still be read.
pub(super) const WIDTH: f64 = 480.0;
pub(super) const MARGIN: f64 = 16.0;
/// Of a line of text.
pub(super) const LINE: f64 = 20.0;

/// Text has a seam of the ground's colour, so that it can be read where it crosses a line.
const STYLE: &str = "\
text{font:15px system-ui,sans-serif;fill:#0b0b0b;stroke:#fcfcfb;stroke-width:3px;stroke-linejoin:round;paint-order:stroke}\
.title{font-weight:600;font-size:16px}.quiet{fill:#52514e}.end{text-anchor:end}.middle{text-anchor:middle}\
.ground{fill:#fcfcfb}.grid{stroke:#e1e0d9}.mark{stroke:#52514e;stroke-dasharray:4 3}\
.first{fill:#2a78d6;stroke:#2a78d6}.second{fill:#eb6834;stroke:#eb6834}.third{fill:#4a3aa7;stroke:#4a3aa7}\
.curve{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#fff;stroke:#1a1a19}.quiet{fill:#c3c2b7}.ground{fill:#1a1a19}\
.grid{stroke:#383835}.mark{stroke:#c3c2b7}.first{fill:#3987e5;stroke:#3987e5}.second{fill:#d95926;stroke:#d95926}\
.third{fill:#9085e9;stroke:#9085e9}.curve{fill:none}}";
/// Characters of a title, which is bold, that fit in a line.
const TITLE: usize = 46;

pub(super) struct Svg {
    body: String,
}

impl Svg {
    /// One that begins with its title, and the height of that.
    pub(super) fn titled(title: &str) -> (Self, f64) {
        let mut svg = Self { body: String::new() };
        let mut y = MARGIN;
        for line in wrapped(title, TITLE) {
            y += LINE;
            svg.text(MARGIN, y, "title", &line);
        }
        (svg, y + LINE / 2.0)
    }

    pub(super) fn text(&mut self, x: f64, y: f64, class: &str, text: &str) {
        self.element(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{}</text>",
            escaped(text)
        ));
    }

    pub(super) fn bar(&mut self, x: f64, y: f64, width: f64, height: f64, class: &str) {
        let width = width.max(1.0);
        self.element(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"2\" class=\"{class}\"/>"
        ));
    }

    pub(super) fn line(&mut self, [x, y]: [f64; 2], [to_x, to_y]: [f64; 2], class: &str) {
        self.element(format_args!(
            "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{to_x:.1}\" y2=\"{to_y:.1}\" class=\"{class}\"/>"
        ));
    }

    /// A line through points, each of which is marked.
    pub(super) fn curve(&mut self, points: &[[f64; 2]], class: &str) {
        let place = |[x, y]: &[f64; 2]| format!("{x:.1},{y:.1}");
        let places: Vec<String> = points.iter().map(place).collect();
        self.element(format_args!("<polyline points=\"{}\" class=\"{class} curve\"/>", places.join(" ")));
        for [x, y] in points {
            self.element(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" class=\"{class}\"/>"));
        }
    }

    fn element(&mut self, element: impl Display) {
        // Writing to a string does not fail.
        let _ = writeln!(self.body, "{element}");
    }

    /// The whole picture. Who hears pages hears `described`.
    pub(super) fn finish(self, height: f64, described: &str) -> String {
        let (described, body) = (escaped(described), self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">\n<title>{described}</title>\n<style>{STYLE}</style>\n\
             <rect width=\"{WIDTH}\" height=\"{height:.0}\" rx=\"6\" class=\"ground\"/>\n{body}</svg>\n"
        )
    }
}

/// Lines of words, none of which is longer than so many characters unless a word is.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < width);
        match line {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => line.extend([" ", word]),
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::{Svg, wrapped};

    #[test]
    fn a_picture_is_whole_and_says_what_it_shows() {
        let (mut svg, height) = Svg::titled("A < B & C");
        svg.bar(0.0, 0.0, 10.0, 10.0, "first");
        let picture = svg.finish(height + 20.0, "\"A\" is less");
        assert!(picture.contains(">A &lt; B &amp; C</text>"), "{picture}");
        assert!(picture.contains("<title>&quot;A&quot; is less</title>"), "{picture}");
        assert!(picture.contains("prefers-color-scheme:dark"), "{picture}");
        assert_eq!(picture.matches("<svg").count(), picture.matches("</svg>").count());
    }

    #[test]
    fn words_stay_whole() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensibilities", 8), ["", "incomprehensibilities"]);
    }
}
