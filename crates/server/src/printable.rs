//! Text of somebody else's, for a terminal or a log: it can hold anything, and a terminal obeys what it is shown.

/// The text, with nothing in it that is obeyed.
#[must_use]
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if is_obeyed(c) { '\u{FFFD}' } else { c }).collect()
}

/// Whether a terminal does something about a character in place of showing it. Some have what stands beside them shown
/// elsewhere (Unicode Standard Annex 9, "Directional Formatting Characters").
pub(crate) fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
