//! The little XML that an STS answers with, ours or another.

use std::borrow::Cow;
use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// How deep an answer may be, how long a name in it, and how many texts it may hold: several times what any has.
const MAX_DEPTH: usize = 16;
const MAX_NAME: usize = 64;
const MAX_TEXTS: usize = 128;

/// The texts of a document that somebody else wrote, each under the names that lead to it, without prefixes:
/// `ErrorResponse/Error/Code`.
#[derive(Debug, Default)]
pub struct Elements {
    texts: BTreeMap<String, String>,
    /// The elements that are open.
    path: Vec<String>,
    /// What the innermost of them holds, as long as no other element is in it.
    text: Option<String>,
}

impl Elements {
    /// Reads a document. There is none if it is not well-formed, holds one text twice, has a document type, refers to
    /// entities that XML does not have by itself, or is larger than any honest one.
    #[must_use]
    pub fn parse(document: &str) -> Option<Self> {
        let mut reader = Reader::from_str(document);
        let mut elements = Self::default();
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) => elements.open(&start)?,
                Event::End(_) => elements.close()?,
                Event::Empty(start) => {
                    elements.open(&start)?;
                    elements.close()?;
                }
                Event::Text(text) => elements.push(&text.xml10_content().ok()?),
                Event::CData(text) => elements.push(&text.xml10_content().ok()?),
                Event::GeneralRef(reference) => elements.push(&resolve(&reference)?),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::DocType(_) => return None,
                Event::Eof => return elements.path.is_empty().then_some(elements),
            }
        }
    }

    /// The text of an element that holds nothing else, without the white space around it.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Option<()> {
        let name = std::str::from_utf8(start.local_name().into_inner()).ok()?.to_owned();
        if name.len() > MAX_NAME || self.path.len() == MAX_DEPTH {
            return None;
        }
        self.path.push(name);
        self.text = Some(String::new());
        Some(())
    }

    fn close(&mut self) -> Option<()> {
        if let Some(text) = self.text.take() {
            let twice = self.texts.insert(self.path.join("/"), text.trim().to_owned()).is_some();
            if twice || self.texts.len() > MAX_TEXTS {
                return None;
            }
        }
        self.path.pop().map(drop)
    }

    fn push(&mut self, text: &str) {
        if let Some(so_far) = &mut self.text {
            so_far.push_str(text);
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref().ok()? {
        Some(character) => Some(character.to_string()),
        None => resolve_xml_entity(&reference.decode().ok()?).map(str::to_owned),
    }
}

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

/// A document that somebody else wrote. Characters that XML 1.0 cannot hold become U+FFFD.
#[must_use]
pub fn readable(document: &str) -> Cow<'_, str> {
    if document.chars().all(is_char) {
        return Cow::Borrowed(document);
    }
    Cow::Owned(document.chars().map(|c| if is_char(c) { c } else { '\u{FFFD}' }).collect())
}

/// What we write: none of the C1 controls, which XML 1.0 advises against, either.
fn holds(c: char) -> bool {
    is_char(c) && (matches!(c, '\t' | '\n' | '\r') || !c.is_control())
}

/// `Char` of XML 1.0, section 2.2.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r') || !(c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}'))
}

#[cfg(test)]
mod tests {
    use super::{Elements, escape, readable};

    fn text(document: &str) -> Option<String> {
        Elements::parse(document)?.get("a/b").map(str::to_owned)
    }

    #[test]
    fn texts_are_found_by_the_names_that_lead_to_them() {
        for document in [
            "<a><b>c &amp; d</b></a>",
            "<?xml version=\"1.0\"?>\n<a xmlns=\"urn:x\">\n  <b>\n c &#38; d </b>\n  <c/>\n</a>\n",
            "<p:a><p:b e=\"f\"><!-- --><![CDATA[c & ]]>d</p:b><c><b>another</b></c></p:a>",
        ] {
            assert_eq!(text(document).as_deref(), Some("c & d"), "{document}");
        }
        assert_eq!(text("<a><b/></a>").as_deref(), Some(""));
        assert_eq!(text("<a><b>c<d/></b></a>"), None);
        assert_eq!(text("<b>c</b>"), None);
    }

    #[test]
    fn documents_that_nobody_should_send_are_none() {
        let deep = format!("{}{}", "<a>".repeat(20), "</a>".repeat(20));
        let many: Vec<String> = (0..200).map(|number| format!("<b{number}/>")).collect();
        for document in [
            "<a>",
            "<a></b>",
            "</a>",
            "<a><b>c</b><b>d</b></a>",
            "<!DOCTYPE a [<!ENTITY e \"c\">]><a><b>c</b></a>",
            "<a><b>&e;</b></a>",
            "<a><b>&#x110000;</b></a>",
            "<a><b>& </b></a>",
            &deep,
            &format!("<a>{}</a>", many.concat()),
            &format!("<{0}></{0}>", "n".repeat(65)),
        ] {
            assert!(Elements::parse(document).is_none(), "{document}");
        }
        assert!(Elements::parse("no markup").is_some_and(|elements| elements.get("").is_none()));
    }

    #[test]
    fn no_text_makes_the_parser_fail_in_another_way() {
        let document = "<?xml version=\"1.0\"?><a x=\"y\"><b>c &amp; &#38;<![CDATA[d]]></b><!-- e --></a>";
        for end in (0..=document.len()).filter(|end| document.is_char_boundary(*end)) {
            let _ = Elements::parse(&document[..end]);
            let _ = Elements::parse(&document[end..]);
        }
    }

    #[test]
    fn markup_and_characters_that_xml_cannot_hold_are_escaped() {
        assert_eq!(
            escape("a <b> & \"c\" 'd'\u{0}\u{1f}é"),
            "a &lt;b&gt; &amp; &quot;c&quot; &apos;d&apos;\u{FFFD}\u{FFFD}é"
        );
        assert_eq!(escape("plain"), "plain");
        assert_eq!(
            readable("<a>\t\u{1}\u{85}\u{b}é\u{FFFE}</a>"),
            "<a>\t\u{FFFD}\u{85}\u{FFFD}é\u{FFFD}</a>"
        );
        assert_eq!(readable("<a>&amp;</a>"), "<a>&amp;</a>");
    }
}
