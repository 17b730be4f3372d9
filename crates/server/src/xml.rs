//! The little XML that STS answers with.

use std::borrow::Cow;

/// Text for between tags. Characters that XML 1.0 cannot hold become U+FFFD.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let plain = |c: char| !matches!(c, '&' | '<' | '>' | '"' | '\'') && holds(c);
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            c if holds(c) => escaped.push(c),
            _ => escaped.push('\u{FFFD}'),
        }
    }
    Cow::Owned(escaped)
}

fn holds(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || !(c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_and_characters_that_xml_cannot_hold_are_escaped() {
        assert_eq!(
            escape("a <b> & \"c\" 'd'\u{0}\u{1f}é"),
            "a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;\u{FFFD}\u{FFFD}é"
        );
        assert_eq!(escape("plain"), "plain");
    }
}
