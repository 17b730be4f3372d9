//! The operations, in the order of the page. To add one is to write down what it takes and answers, in the file of its
//! section; a route that has none fails a test of the API.

mod devices;
mod documents;
mod exchange;
mod pages;
mod sign_in;

use super::operation::{Operation, Parameter};

/// Operations that belong together.
pub(super) struct Section {
    pub name: &'static str,
    /// In Markdown, with links as they are in `docs/`.
    pub about: &'static str,
    pub operations: &'static [Operation],
}

pub(super) static SECTIONS: [&Section; 5] =
    [&sign_in::SECTION, &devices::SECTION, &exchange::SECTION, &pages::SECTION, &documents::SECTION];

pub(super) fn operations() -> impl Iterator<Item = (&'static Section, &'static Operation)> {
    SECTIONS
        .into_iter()
        .flat_map(|section| section.operations.iter().map(move |operation| (section, operation)))
}

/// A proof that the request comes from the key that its refresh token is bound to.
const DPOP: Parameter = Parameter::header(
    "DPoP",
    "A proof of possession (RFC 9449), where the session is [bound to a key](sessions.md#bound-to-a-key).",
);

/// Where the session is.
const DAYPASS_APP: Parameter = Parameter::header(
    "Daypass-App",
    "The `id` of an `[[app]]` whose sessions are [in a cookie](sessions.md#in-a-cookie), which then comes \
     along. The header makes browsers ask first.",
);
