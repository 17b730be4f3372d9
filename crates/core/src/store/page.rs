//! Pages of listings, and the tokens by which callers ask for the next one.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::store::StoreError;

/// A page of a listing: what comes strictly after `after` in its order, `limit` items at most.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The last item of the page before.
    pub after: Option<T>,
    /// At least 1.
    pub limit: usize,
}

/// One page of a listing, and the token that asks for the next.
#[derive(Debug)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Absent on the last page.
    pub next_token: Option<String>,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ListingError {
    /// No page of this listing gave the token.
    #[error("the token for the next page is of no listing")]
    Token,
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<T> Listed<T> {
    /// Makes a page of at most `limit` items out of what the store found, which was asked for one more. The
    /// token is the last item's key, encoded so that nobody leans on its form.
    pub(crate) fn new(mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_token = items.last().filter(|_| more).map(|last| BASE64_URL_SAFE_NO_PAD.encode(key(last)));
        Self { items, next_token }
    }

    /// The same page of what is made of each item.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(make).collect(), next_token: self.next_token }
    }
}

/// The question to the store behind a page: what comes after the token's item, and one more than fits, which
/// tells whether there is a next page.
pub(crate) fn page_after<T>(
    token: Option<&str>,
    limit: usize,
    read: fn(&str) -> Option<T>,
) -> Result<Page<T>, ListingError> {
    let limit = limit + 1;
    let Some(token) = token else { return Ok(Page { after: None, limit }) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| read(&text));
    after.map(|after| Page { after: Some(after), limit }).ok_or(ListingError::Token)
}
