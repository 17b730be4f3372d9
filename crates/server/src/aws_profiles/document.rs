//! A file of AWS profiles, as text whose sections and keys can be found and changed. Everything else of it, comments
//! and blank lines too, stays as it stands.

/// A file, line by line.
#[derive(Debug)]
pub struct Document {
    lines: Vec<String>,
}

/// A key with its value, which may be a block of keys of its own.
#[derive(Debug)]
pub struct Entry {
    key: String,
    lines: Vec<String>,
}

impl Entry {
    /// A key on a line.
    #[must_use]
    pub fn line(key: &str, value: &str) -> Self {
        Self { key: key.into(), lines: vec![format!("{key} = {value}\n")] }
    }

    /// A key with keys of its own.
    #[must_use]
    pub fn block(key: &str, values: &[(&str, &str)]) -> Self {
        let inner = values.iter().map(|(key, value)| format!("  {key} = {value}\n"));
        Self { key: key.into(), lines: std::iter::once(format!("{key} =\n")).chain(inner).collect() }
    }
}

impl Document {
    /// What stands in a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        if let Some(last) = lines.last_mut().filter(|last| !last.ends_with('\n')) {
            last.push('\n');
        }
        Self { lines }
    }

    /// The text, as the file has it.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.concat()
    }

    /// Whether there is such a section.
    #[must_use]
    pub fn has(&self, section: &str) -> bool {
        self.heading(section).is_some()
    }

    /// The value of a key, as far as it stands on the key's line.
    #[must_use]
    pub fn get(&self, section: &str, key: &str) -> Option<String> {
        let (start, _) = self.find(section, key)?;
        let (_, value) = self.lines[start].split_once('=')?;
        Some(value.trim().to_owned())
    }

    /// Has a section say this of a key, where it said something else before, or at its end.
    pub fn set(&mut self, section: &str, entry: &Entry) {
        let at = match self.find(section, &entry.key) {
            Some((start, end)) => {
                self.lines.drain(start..end);
                start
            }
            None => self.end_of(section),
        };
        self.lines.splice(at..at, entry.lines.iter().cloned());
    }

    /// Has a section say this and nothing else. Comments behind its last key are of what comes next, and stay.
    pub fn put(&mut self, section: &str, entries: &[Entry]) {
        let start = self.heading_or_new(section);
        let said = &self.lines[start..self.section_end(start)];
        let last = said.iter().rposition(|line| !is_silent(line)).unwrap_or_default();
        let lines = entries.iter().flat_map(|entry| entry.lines.iter().cloned());
        self.lines.splice(start + 1..=start + last, lines);
    }

    /// Takes a key away, with all that belongs to it.
    pub fn take(&mut self, section: &str, key: &str) {
        if let Some((start, end)) = self.find(section, key) {
            self.lines.drain(start..end);
        }
    }

    /// Behind the last line that says something in a section, which is made if it is not there.
    fn end_of(&mut self, section: &str) -> usize {
        let start = self.heading_or_new(section);
        let end = self.section_end(start);
        let blank = self.lines[start..end].iter().rev().take_while(|line| line.trim().is_empty()).count();
        end - blank
    }

    fn heading(&self, section: &str) -> Option<usize> {
        self.lines.iter().position(|line| heading(line).is_some_and(|found| found == section))
    }

    fn heading_or_new(&mut self, section: &str) -> usize {
        self.heading(section).unwrap_or_else(|| {
            if self.lines.last().is_some_and(|last| !last.trim().is_empty()) {
                self.lines.push("\n".into());
            }
            self.lines.push(format!("[{section}]\n"));
            self.lines.len() - 1
        })
    }

    fn section_end(&self, start: usize) -> usize {
        let rest = &self.lines[start + 1..];
        rest.iter()
            .position(|line| heading(line).is_some())
            .map_or(self.lines.len(), |length| start + 1 + length)
    }

    /// The lines of a key: its own, and the indented ones below it.
    fn find(&self, section: &str, key: &str) -> Option<(usize, usize)> {
        let heading = self.heading(section)?;
        let end = self.section_end(heading);
        let is_key = |line: &String| line.split_once('=').is_some_and(|(found, _)| found.trim_end() == key);
        let start = heading + 1 + self.lines[heading + 1..end].iter().position(is_key)?;
        let inner = self.lines[start + 1..end].iter().take_while(|line| is_inner(line)).count();
        Some((start, start + 1 + inner))
    }
}

/// The name of a section, with the white space as AWS's clients compare it: one space.
fn heading(line: &str) -> Option<String> {
    let name = line.trim().strip_prefix('[')?.split(']').next()?;
    Some(name.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn is_inner(line: &str) -> bool {
    line.starts_with([' ', '\t']) && !line.trim().is_empty()
}

/// Blank lines and comments.
fn is_silent(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with(['#', ';'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "# A comment\n[default]\nregion = eu-west-1\n\n[profile  work] ; mine\ns3 =\n  addressing_style = virtual\n\
                          \tmax_bandwidth = 1MB/s\noutput=json\n\n[profile other]\nregion = us-west-2";

    #[test]
    fn a_file_is_the_same_but_for_what_is_set() {
        let mut document = Document::of(BEFORE);
        assert_eq!(document.get("profile work", "output").unwrap(), "json");
        assert_eq!(document.get("profile work", "addressing_style"), None);
        document.set("profile work", &Entry::line("region", "us-east-1"));
        document.set("profile work", &Entry::line("output", "text"));
        document.set("profile work", &Entry::block("s3", &[("addressing_style", "path")]));
        document.set("services new", &Entry::line("x", "y"));
        let expected = "# A comment\n[default]\nregion = eu-west-1\n\n[profile  work] ; mine\ns3 =\n  addressing_style = path\n\
                        output = text\nregion = us-east-1\n\n[profile other]\nregion = us-west-2\n\n[services new]\nx = y\n";
        assert_eq!(document.text(), expected);
    }

    #[test]
    fn what_is_taken_takes_its_block_along() {
        let mut document = Document::of(BEFORE);
        document.take("profile work", "s3");
        document.take("profile work", "nothing");
        document.take("profile nobody", "output");
        let (before, after) = BEFORE.split_once("s3 =\n").unwrap();
        let (_, after) = after.split_once("1MB/s\n").unwrap();
        assert_eq!(document.text(), format!("{before}{after}\n"));
    }

    #[test]
    fn a_section_is_put_in_its_own_place_and_moves_nobody_elses_words() {
        let mut document = Document::of(
            "# A comment\n[profile work]\n# old\nregion = eu-west-1\ns3 =\n  x = y\n\n# of the other\n[profile other]\nregion=us-west-2\n; last",
        );
        let entries = [Entry::line("region", "us-east-1"), Entry::block("s3", &[("x", "z")])];
        document.put("profile work", &entries);
        document.put("services new", &entries[..1]);
        let expected = "# A comment\n[profile work]\nregion = us-east-1\ns3 =\n  x = z\n\n# of the other\n[profile other]\nregion=us-west-2\n\
                        ; last\n\n[services new]\nregion = us-east-1\n";
        assert_eq!(document.text(), expected);
        document.put("profile work", &entries);
        document.put("services new", &entries[..1]);
        assert_eq!(document.text(), expected, "once more changes nothing");
    }

    #[test]
    fn nothing_is_a_file_too() {
        let mut document = Document::of("");
        assert!(!document.has("default"));
        document.set("default", &Entry::line("region", "us-east-1"));
        assert_eq!(document.text(), "[default]\nregion = us-east-1\n");
    }
}
