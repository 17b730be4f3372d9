//! What is spoken here over HTTP, for people and for programs: `docs/reference/http.md`, and `openapi.json` beside it, made of
//! the very types that are read and written. `cargo xtask gen` writes them; `tests/api/` holds each request and answer of
//! its own against the document.

mod document;
mod markdown;
mod operation;
mod operations;
mod page;
mod refusals;
pub(crate) mod schemas;
mod tidy;
mod told;
mod typescript;
mod words;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Set by `cargo xtask gen`.
const REGENERATE: &str = "DAYPASS_REGENERATE";

fn is_current(file: &str, content: &str) {
    let path = format!("{REPOSITORY}/{file}");
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(&path, content).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == content, "run `cargo xtask gen http`: {file} is stale");
}

#[test]
fn the_document_says_what_the_routes_say() {
    is_current("docs/reference/openapi.json", &format!("{:#}\n", document::document()));
}

#[test]
fn the_page_says_what_the_document_says() {
    is_current("docs/reference/http.md", &page::page(&document::document()));
}

/// What is counted of exchanges is there from the beginning. What befalls any request is counted by its route, and whoever waits for
/// somebody has exchanged nothing yet.
#[test]
fn every_code_of_an_exchange_is_counted_from_zero_on() {
    use self::refusals::{PAGES_OF_OTHERS, REQUEST};
    use crate::metrics::CODES_OF_EXCHANGES;
    let exchanges = operations::operations().map(|(_, operation)| operation);
    let exchanges = exchanges.filter(|operation| ["exchange", "link", "token"].contains(&operation.name));
    let mut codes = std::collections::BTreeSet::from(["ok".to_owned()]);
    for operation in exchanges {
        let own = |refusals: &&&refusals::Refusals| {
            !refusals.is_of(&REQUEST) && !std::ptr::eq(**refusals, &raw const PAGES_OF_OTHERS)
        };
        let told = operation.refusals.iter().filter(own).flat_map(|it| told::told(operation, it));
        codes.extend(told.map(|told| told.code));
    }
    for uncounted in ["authorization_pending", "slow_down", "server_busy", "not_found"] {
        assert!(codes.remove(uncounted), "{uncounted}");
    }
    let counted: std::collections::BTreeSet<_> = CODES_OF_EXCHANGES.map(str::to_owned).into();
    assert_eq!(counted, codes);
}

#[test]
fn the_types_of_the_sdk_say_what_the_document_says() {
    is_current("sdk/wire.d.ts", &typescript::types(&document::document()));
}
