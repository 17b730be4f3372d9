//! Pages of listings and the tokens that ask for the next one.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use super::PoolError;
use crate::store::Page;

/// One page of a listing, and the token that asks for the next.
#[derive(Debug)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Absent on the last page.
    pub next_token: Option<String>,
}

impl<T> Listed<T> {
    /// Makes a page of at most `limit` items out of what the store found, which was asked for one more. The
    /// token is the last item's key, encoded so that nobody leans on its form.
    pub(super) fn new(mut items: Vec<T>, limit: usize, key: fn(&T) -> &str) -> Self {
        let more = items.len() > limit;
        items.truncate(limit);
        let next_token = items.last().filter(|_| more).map(|last| BASE64_URL_SAFE_NO_PAD.encode(key(last)));
        Self { items, next_token }
    }
}

/// The question to the store behind a page: what comes after the token's item, and one more than fits, which
/// tells whether there is a next page.
pub(super) fn page_after<T>(
    token: Option<&str>,
    limit: usize,
    read: fn(&str) -> Option<T>,
) -> Result<Page<T>, PoolError> {
    let limit = limit + 1;
    let Some(token) = token else { return Ok(Page { after: None, limit }) };
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let after = bytes.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| read(&text));
    match after {
        Some(after) => Ok(Page { after: Some(after), limit }),
        None => Err(PoolError::InvalidParameter("Invalid NextToken.".into())),
    }
}
