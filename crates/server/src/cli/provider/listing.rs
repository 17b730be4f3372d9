//! The catalogue, for people at a terminal of 80 columns.

use daypass_core::login::provider::catalogue;
use daypass_core::login::provider::definition::{Binding, BindingCall, Definition, IdScope, Pkce, ProofKind};

use super::super::wrapping::broken;
use super::block;

const WIDTH: usize = 80;
/// Where the second column of `show` begins.
const INDENT: usize = 13;

/// One line for each provider.
pub(super) fn list() -> String {
    let known: Vec<(&str, Definition)> =
        catalogue::names().into_iter().filter_map(|id| Some((id, Definition::of_catalogue(id)?))).collect();
    let ids = known.iter().map(|(id, _)| id.len()).max().unwrap_or_default().max(2);
    let names = known.iter().map(|(_, it)| it.name.chars().count()).max().unwrap_or_default().clamp(4, 22);
    let line = |id: &str, name: &str, grade: &str, pkce: &str, proofs: &str| {
        let name: String = name.chars().take(names).collect();
        format!("{id:ids$}  {name:names$}  {grade:5}  {pkce:4}  {proofs}")
    };
    let mut lines = vec![line("ID", "NAME", "GRADE", "PKCE", "PROOFS")];
    lines.extend(
        known.iter().map(|(id, it)| line(id, &it.name, &it.grade().to_string(), pkce(it), &proofs(it))),
    );
    lines.push(String::new());
    lines.push("How a provider shows that a token was issued to your client:".into());
    lines.push("A ID token, B named by an answer, C by your client's credentials, D signed,".into());
    lines.push("N not at all: only codes count. `daypass provider show ID` says more.".into());
    lines.join("\n")
}

/// PKCE ties a code to the browser, so it means something only where codes are taken.
fn pkce(definition: &Definition) -> &'static str {
    let used = definition.pkce == Pkce::Required && definition.accept.contains(&ProofKind::Code);
    if used { "yes" } else { "no" }
}

fn proofs(definition: &Definition) -> String {
    let short = |kind: &ProofKind| match kind {
        ProofKind::Code => "code",
        ProofKind::AccessToken if matches!(definition.binding, Binding::None) => "(token)",
        ProofKind::AccessToken => "token",
        ProofKind::IdToken => "ID token",
        ProofKind::SignedFields => "signed",
    };
    definition.accept.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// Everything that an operator needs for one provider.
pub(super) fn show(id: &str, definition: &Definition) -> String {
    let mut lines = vec![format!("{} ({id})", definition.name), String::new()];
    let mut field = |name: &str, text: &str| lines.extend(wrapped(name, text));
    field("register", &definition.register);
    field("proofs", &accepted(definition));
    field("PKCE", if pkce(definition) == "yes" { "always, with S256" } else { "not used" });
    field("scopes", &if definition.scopes.is_empty() { "none".into() } else { definition.scopes.join(" ") });
    field("external ID", id_scope(definition.id_scope));
    field("grade", &format!("{}: {}", definition.grade(), definition.grade().about()));
    field("binding", &binding(definition));
    for (name, variable) in &definition.variables {
        let given = variable.value.as_deref().filter(|value| !value.starts_with("YOUR_"));
        let value =
            given.map_or("yours to give".to_owned(), |value| format!("{value} unless you say otherwise"));
        field("variable", &format!("{name}, {value}. {}", variable.about));
    }
    if let Some(checked) = &definition.checked {
        field("checked", checked);
    }
    for fact in &definition.unverified {
        field("unverified", fact);
    }
    lines.extend(["", "For the configuration:", ""].map(str::to_owned));
    lines.push(block::of(id, definition));
    if let Some(proof) = trial(definition) {
        lines.extend([String::new(), format!("Then: daypass provider try {id} --config FILE {proof}")]);
    }
    lines.join("\n")
}

/// What a trial begins with. Signed fields come back to a page, and only that page has them.
fn trial(definition: &Definition) -> Option<&'static str> {
    let accepts = |kind| definition.accept.contains(&kind);
    if accepts(ProofKind::Code) {
        Some("--redirect-uri URI")
    } else if accepts(ProofKind::IdToken) {
        Some("--id-token TOKEN")
    } else {
        accepts(ProofKind::AccessToken).then_some("--access-token TOKEN")
    }
}

/// The proofs, and what the operator's word would add.
pub(super) fn accepted(definition: &Definition) -> String {
    let name = |kind: &ProofKind| match kind {
        ProofKind::AccessToken if matches!(definition.binding, Binding::None) => {
            format!("{kind} (only with accept_unbound_access_tokens)")
        }
        kind => kind.to_string(),
    };
    definition.accept.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// For whom a person has the same ID, in words.
pub(super) fn id_scope(scope: IdScope) -> &'static str {
    match scope {
        IdScope::App => "another one for each client",
        IdScope::Developer => "the same for all clients of one developer",
        IdScope::Tenant => "the same within one tenant, workspace, host or shop",
        IdScope::Global => "the same for everybody",
        IdScope::Unknown => "nobody has confirmed who else sees the same",
    }
}

fn binding(definition: &Definition) -> String {
    let asks = |binding: &BindingCall| {
        let address = binding.call.url.beginning();
        let address = address.split('?').next().unwrap_or_default();
        let client = binding
            .client
            .as_ref()
            .map(|client| format!(", which has to name your client at {}", client.at.as_str()));
        let user = binding
            .user
            .as_ref()
            .map(|user| format!("; the person at {} has to be the profile's", user.at.as_str()));
        format!("asks {address}{}{}", client.unwrap_or_default(), user.unwrap_or_default())
    };
    match &definition.binding {
        Binding::None => "none; a code is redeemed with your secret, which is enough".into(),
        Binding::IdToken => "the audience of the ID token has to be your client".into(),
        Binding::Signature => "the provider signs for your client alone".into(),
        Binding::Profile(client) => format!("the profile has to name your client at {}", client.at.as_str()),
        Binding::Endpoint(binding) | Binding::ClientAuthEndpoint(binding) => asks(binding),
    }
}

/// A name and a text beside it, broken between words.
fn wrapped(name: &str, text: &str) -> Vec<String> {
    let names = std::iter::once(name).chain(std::iter::repeat(""));
    let lines = broken(text, WIDTH - INDENT).into_iter().zip(names);
    lines.map(|(line, name)| format!("{name:INDENT$}{line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_fits_a_terminal() {
        for line in list().lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
    }

    #[test]
    fn the_list_has_every_provider_with_its_grade() {
        let list = list();
        assert_eq!(list.lines().take_while(|line| !line.is_empty()).count(), catalogue::names().len() + 1);
        let line = list.lines().find(|line| line.starts_with("snapchat ")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words, ["snapchat", "Snapchat", "N", "yes", "code,", "(token)"]);
    }

    #[test]
    fn every_provider_is_shown_with_what_it_wants() {
        for id in catalogue::names() {
            let definition = Definition::of_catalogue(id).unwrap();
            let shown = show(id, &definition);
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
            let shown = words(&shown);
            for fact in definition.unverified.iter().chain([&definition.register]).chain(&definition.scopes) {
                assert!(shown.contains(&words(fact)), "{id}: {fact}");
            }
            assert!(shown.contains(&format!("[[provider]] id = \"{id}\"")), "{id}");
        }
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        let lines = wrapped("register", &"word ".repeat(40));
        assert!(lines.len() == 4 && lines.iter().all(|line| line.len() <= WIDTH && line.ends_with("word")));
    }
}
