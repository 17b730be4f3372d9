//! How text stands on the page.

use std::fmt::Write;

/// As wide as a terminal.
const WIDTH: usize = 80;

/// Where a heading is, as GitHub names it.
pub(super) fn anchor(heading: &str) -> String {
    let named = heading.to_lowercase().replace(' ', "-");
    format!("#{}", named.replace(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'), ""))
}

/// A page below `docs/reference/`, of text that is written for `docs/`.
pub(super) fn from_here(markdown: &str) -> String {
    let here = markdown.replace("](", "](../");
    here.replace("](../#", "](#").replace("](../http", "](http").replace("](../reference/", "](")
}

/// Links lead from a page, and not from a document that is read elsewhere.
pub(super) fn without_links(markdown: &str) -> String {
    let mut text = markdown.to_owned();
    while let Some(middle) = text.find("](") {
        let begin = text[..middle].rfind('[').unwrap();
        let end = middle + text[middle..].find(')').unwrap();
        text.replace_range(middle..=end, "");
        text.remove(begin);
    }
    text
}

/// A paragraph.
pub(super) fn paragraph(markdown: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in from_here(markdown).split_whitespace() {
        let long = word.chars().count();
        let gap = if width + 1 + long > WIDTH { "\n" } else { " " };
        width = if gap == " " { width + 1 + long } else { long };
        text.push_str(gap);
        text.push_str(word);
    }
    format!("\n{}\n", text.trim())
}

/// What a computer reads or wrote, if there is anything.
pub(super) fn block(language: &str, text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("\n```{language}\n{text}\n```\n") }
}

/// A table of three columns.
pub(super) fn table(headings: [&str; 3], rows: &[[String; 3]]) -> String {
    let mut text = format!("\n| {} |\n|---|---|---|\n", headings.join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
