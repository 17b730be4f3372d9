//! Pages of what is sorted by key, where keys with the same beginning up to a delimiter count as one entry
//! (S3 User Guide, "Organizing objects using prefixes").

/// Which page of which keys.
#[derive(Debug, Clone, Default)]
pub struct Paging {
    /// What keys begin with.
    pub prefix: String,
    /// What ends the common beginning of keys; empty for none.
    pub delimiter: String,
    /// The page begins after this key.
    pub after: String,
    /// It is the name of an entry, which may be a common beginning that was told already.
    pub is_entry: bool,
    /// How many entries it has at most.
    pub limit: usize,
}

/// One entry of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<T> {
    /// What has this key.
    Item(String, T),
    /// The common beginning of keys.
    Prefix(String),
}

impl<T> Entry<T> {
    /// The key, or the common beginning of keys.
    pub fn name(&self) -> &str {
        match self {
            Self::Item(name, _) | Self::Prefix(name) => name,
        }
    }
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub entries: Vec<Entry<T>>,
    /// There is more after it.
    pub is_truncated: bool,
}

/// What to do after a key was seen.
pub(super) enum Step {
    /// Look at the next one.
    Next,
    /// Go to the first key that is not before this one.
    GoTo(Vec<u8>),
    /// The page is full.
    Full,
}

/// A page as it fills.
pub(super) struct Filling<'a, T> {
    paging: &'a Paging,
    page: Page<T>,
}

impl<'a, T> Filling<'a, T> {
    pub fn new(paging: &'a Paging) -> Self {
        Self { paging, page: Page { entries: Vec::new(), is_truncated: false } }
    }

    /// The first key that may be on the page, and the first after all that may.
    pub fn bounds(&self) -> (Vec<u8>, Vec<u8>) {
        let (prefix, after) = (self.paging.prefix.as_bytes(), self.paging.after.as_bytes());
        // No key is between another and the same with a zero after it.
        let start = if after < prefix { prefix.to_vec() } else { [after, &[0]].concat() };
        let start = if after.is_empty() { prefix.to_vec() } else { start };
        (start, successor(prefix))
    }

    /// Takes the next key there is.
    pub fn see(&mut self, key: &[u8], item: impl FnOnce() -> T) -> Step {
        let Some(common) = self.common(key) else {
            return self.add(Entry::Item(text(key), item())).unwrap_or(Step::Next);
        };
        let beyond = Step::GoTo(successor(&common));
        if self.paging.is_entry && common.as_slice() == self.paging.after.as_bytes() {
            return beyond;
        }
        self.add(Entry::Prefix(text(&common))).unwrap_or(beyond)
    }

    /// The beginning of a key that others have as well: to the end of the first delimiter after the prefix.
    fn common(&self, key: &[u8]) -> Option<Vec<u8>> {
        let delimiter = self.paging.delimiter.as_bytes();
        let rest = key.get(self.paging.prefix.len()..).filter(|_| !delimiter.is_empty())?;
        let at = rest.windows(delimiter.len()).position(|window| window == delimiter)?;
        key.get(..self.paging.prefix.len() + at + delimiter.len()).map(<[u8]>::to_vec)
    }

    fn add(&mut self, entry: Entry<T>) -> Option<Step> {
        if self.page.entries.len() == self.paging.limit {
            self.page.is_truncated = self.paging.limit > 0;
            return Some(Step::Full);
        }
        self.page.entries.push(entry);
        None
    }

    pub fn finish(self) -> Page<T> {
        self.page
    }
}

/// What comes after everything that begins with these bytes. UTF-8 has no byte that could not be one more.
fn successor(prefix: &[u8]) -> Vec<u8> {
    let mut after = prefix.to_vec();
    match after.last_mut() {
        Some(last) => *last += 1,
        None => after.push(u8::MAX),
    }
    after
}

fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}
