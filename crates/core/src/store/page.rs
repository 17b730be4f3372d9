//! Pages of listings, and the tokens by which callers ask for the next one.

use aws_lc_rs::digest::{Context, SHA256};
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

/// Enough to tell one listing from another: who makes up a token misses items of their own.
const MARK: usize = 6;

/// What is listed, and of whom. Its tokens are of no other listing, which they would have skip what comes before.
pub(crate) struct Listing([u8; MARK]);

impl Listing {
    /// The listing of a kind, of whatever is named.
    pub(crate) fn of(kind: &str, whose: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [kind].iter().chain(whose) {
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut mark = [0; MARK];
        mark.copy_from_slice(&context.finish().as_ref()[..MARK]);
        Self(mark)
    }

    /// The question to the store behind a page: what comes after the token's item, and one more than fits, which
    /// tells whether there is a next page.
    pub(crate) fn question<T>(
        &self,
        token: Option<&str>,
        limit: usize,
        read: fn(&str) -> Option<T>,
    ) -> Result<Page<T>, ListingError> {
        let limit = limit + 1;
        let Some(token) = token else { return Ok(Page { after: None, limit }) };
        let after = self.key_in(token).and_then(|key| read(&key));
        after.map(|after| Page { after: Some(after), limit }).ok_or(ListingError::Token)
    }

    fn key_in(&self, token: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        String::from_utf8(bytes.strip_prefix(&self.0)?.to_vec()).ok()
    }

    /// Makes a page of at most `limit` items out of what the store found, which was asked for one more. The
    /// token is the last item's key, encoded so that nobody leans on its form.
    pub(crate) fn page<T>(&self, mut items: Vec<T>, limit: usize, key: impl Fn(&T) -> String) -> Listed<T> {
        let more = items.len() > limit;
        items.truncate(limit);
        let token = |last| BASE64_URL_SAFE_NO_PAD.encode([&self.0[..], key(last).as_bytes()].concat());
        let next_token = items.last().filter(|_| more).map(token);
        Listed { items, next_token }
    }
}

impl<T> Listed<T> {
    /// The same page of what is made of each item.
    pub(crate) fn map<U>(self, make: impl FnMut(T) -> U) -> Listed<U> {
        Listed { items: self.items.into_iter().map(make).collect(), next_token: self.next_token }
    }
}
