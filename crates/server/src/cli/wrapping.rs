//! Lines that fit into a terminal. They are broken between words, and never within a command, which somebody will copy.

/// How many characters fit into a line of stderr, if it is a terminal.
pub fn width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stderr()).ok()?;
    // A terminal without a size says 0.
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// A text with its lines broken, each of them below its own beginning.
pub fn wrapped(text: &str, width: usize) -> String {
    let lines = text.split('\n').flat_map(|line| {
        if line.chars().count() <= width {
            return vec![line.to_owned()];
        }
        let indent = line.len() - line.trim_start_matches(' ').len();
        let parts = broken(line, width.saturating_sub(indent)).into_iter();
        parts.map(|part| format!("{:indent$}{part}", "").trim_end().to_owned()).collect()
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The words of a text in lines of so many characters at most, as far as its words let them. What is between backticks is one word.
pub fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words(text) {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(&word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(&word);
        } else {
            lines.push(word);
        }
    }
    lines
}

/// A backtick that none follows is one like any other sign.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start_matches(' ');
    while !rest.is_empty() {
        let end = end_of_word(rest);
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start_matches(' ');
    }
    words
}

fn end_of_word(text: &str) -> usize {
    let mut end = 0;
    while let Some(sign) = text[end..].chars().next().filter(|sign| *sign != ' ') {
        let behind = end + sign.len_utf8();
        let closed = if sign == '`' { text[behind..].find('`').map(|at| behind + at + 1) } else { None };
        end = closed.unwrap_or(behind);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three four", 9), "one two\nthree\nfour");
        assert_eq!(wrapped("äöü äöü äöü", 7), "äöü äöü\näöü", "characters count, not bytes");
        assert_eq!(wrapped("a-word-that-fits-nowhere and more", 10), "a-word-that-fits-nowhere\nand more");
        assert_eq!(wrapped("", 10), "");
    }

    #[test]
    fn a_command_stays_whole() {
        let text = "type `daypass login https://login.example.com`, or `daypass logout`: so it ends";
        assert_eq!(
            wrapped(text, 20),
            "type\n`daypass login https://login.example.com`,\nor `daypass logout`:\nso it ends"
        );
    }

    #[test]
    fn what_fits_and_what_is_to_be_copied_stay_as_they_are() {
        assert_eq!(wrapped("  a  b.toml  ", 13), "  a  b.toml  ");
        assert_eq!(wrapped("type `x --dir 'a  b'` then", 24), "type `x --dir 'a  b'`\nthen");
        assert_eq!(
            wrapped("cannot read a`b.toml: it is a folder", 20),
            "cannot read\na`b.toml: it is a\nfolder"
        );
    }

    #[test]
    fn what_is_indented_goes_on_indented() {
        assert_eq!(
            wrapped("it has 2 mistakes:\n  line 1: unknown key\n\n  line 2", 18),
            "it has 2 mistakes:\n  line 1: unknown\n  key\n\n  line 2"
        );
    }
}
