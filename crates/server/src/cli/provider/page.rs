//! `docs/providers.md`, which says of the catalogue what the catalogue says. `cargo xtask gen` writes it.

use std::fmt::Write;

use daypass_core::login::provider::catalogue;
use daypass_core::login::provider::definition::Definition;

use super::listing::{accepted, id_scope};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers.md");
/// Set by `cargo xtask gen`.
const REGENERATE: &str = "DAYPASS_REGENERATE";

const HEAD: &str = "\
# Providers

Made from `crates/core/catalogue/*.toml` by `cargo xtask gen`; a test fails when it is stale. The same at a terminal, with a block
to fill in: `daypass provider list`, `daypass provider show ID`. A provider that is not here: [add-a-provider.md](add-a-provider.md).
What is known of each, with its sources: [the reference](reference/providers.md#5-the-providers); the tags behind \"Last checked\" are
explained [there](reference/providers.md#0-sources). Addresses move: one that is gone is told as `provider_not_as_defined`, and a definition of
yours replaces ours.

The grade says how a provider shows that a proof was issued to *your* client and to no other:

- **A**: an ID token, whose audience is your client.
- **B**: an answer to the access token itself, which names your client.
- **C**: a call with your client's credentials, which turns other clients' tokens away.
- **D**: a signature made with your client's secret.
- **N**: nothing but the redemption of a code. Bare access tokens are refused unless you write `accept_unbound_access_tokens`:
  [access-tokens-without-binding.md](access-tokens-without-binding.md).

";

const TAIL: &str = "
## Not here

- **Bluesky** (AT Protocol): each person has an authorization server of their own, and its tokens are bound to a key by DPoP.
- **Mastodon** anywhere: the entry is for one instance, where you registered an app. Daypass registers none by itself.
- **Odnoklassniki**: its calls are signed with MD5.
- **Twitter** by OAuth 1.0a, and **SAML** providers. X by OAuth 2.0 is here, as `x`.
";

fn page() -> String {
    let known: Vec<(&str, Definition)> =
        catalogue::names().into_iter().filter_map(|id| Some((id, Definition::of_catalogue(id)?))).collect();
    let mut page = HEAD.to_owned();
    page.push_str("| ID | Provider | Grade | Proofs | External ID of a person |\n|---|---|---|---|---|\n");
    for (id, it) in &known {
        let (grade, proofs, scope) = (it.grade(), accepted(it), id_scope(it.id_scope));
        let _ = writeln!(page, "| `{id}` | {} | {grade} | {proofs} | {scope} |", it.name);
    }
    page.push_str("\n## What to register, and what nobody has confirmed\n");
    for (id, it) in &known {
        let _ = write!(page, "\n### {} (`{id}`)\n\n{}\n", it.name, it.register);
        let mut facts: Vec<String> =
            it.variables.iter().map(|(name, it)| format!("`variables.{name}`: {}", it.about)).collect();
        facts.extend(it.checked.iter().map(|checked| format!("Last checked {checked}.")));
        facts.extend(it.unverified.iter().map(|fact| format!("Not confirmed: {fact}.")));
        if !facts.is_empty() {
            let _ = write!(page, "\n- {}\n", facts.join("\n- "));
        }
    }
    page.push_str(TAIL);
    page
}

#[test]
fn the_page_about_providers_says_what_the_catalogue_says() {
    let page = page();
    if std::env::var_os(REGENERATE).is_some() {
        std::fs::write(FILE, &page).unwrap();
    }
    let written = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(written == page, "docs/providers.md is stale: run `cargo xtask gen`");
}
