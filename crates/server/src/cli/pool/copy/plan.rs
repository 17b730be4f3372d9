//! What a copy would change, as people read it, and what it cannot change.

use std::collections::BTreeSet;

use anyhow::{bail, ensure};
use daypass_core::records::limits::MAX_POOL_TAGS;

use super::configuration::{Configuration, Difference, Part};
use super::end::Pool;
use crate::printable::printable;

/// What stands for the ID of a pool that is not there yet.
const NEW_POOL: &str = "the ID of the new pool";

/// A copy that was thought through and not yet begun.
pub struct Plan {
    pub source: Pool,
    /// `None` if the copy makes the pool.
    pub target: Option<Pool>,
    pub differences: Vec<Difference>,
}

impl Plan {
    /// Compares, and refuses what no call can bring about.
    pub fn new(source: Pool, target: Option<Pool>) -> anyhow::Result<Self> {
        match &target {
            Some(target) => check_developer_provider(&source.configuration, target)?,
            None => ensure!(
                source.configuration.tags.len() < MAX_POOL_TAGS,
                "{} has {MAX_POOL_TAGS} tags, and the copy needs one more by which it is found again: make the target \
                 by hand, and name it with --to",
                source.id
            ),
        }
        let nothing = Configuration::default();
        let there = target.as_ref().map_or(&nothing, |target| &target.configuration);
        let differences = source.configuration.differences(there);
        Ok(Self { source, target, differences })
    }

    /// Whether nothing has to be done.
    pub fn is_done(&self) -> bool {
        self.target.is_some() && self.differences.is_empty()
    }

    /// Whether anything has to be done about a part.
    pub fn touches(&self, part: Part) -> bool {
        self.differences.iter().any(|difference| difference.part == part)
    }

    /// The plan on a page.
    pub fn page(&self, from: &str, to: &str) -> String {
        let Pool { id, configuration, .. } = &self.source;
        let target = self.target.as_ref().map_or("a new pool", |target| &target.id);
        let mut lines = vec![
            format!("copy  {id} ({}) in {from}", printable(&configuration.name)),
            format!("to    {target} in {to}"),
            String::new(),
        ];
        match &self.differences[..] {
            [] => lines.push("Both are set to the same.".to_owned()),
            differences => lines.push(list(differences)),
        }
        lines.join("\n")
    }

    /// What the roles have to trust, without which nobody gets credentials of them from the copy.
    pub fn trust(&self) -> Option<String> {
        let roles = self.source.configuration.role_arns();
        let target = self.target.as_ref().map_or(NEW_POOL, |target| target.id.as_str());
        (!roles.is_empty() && target != self.source.id).then(|| trust(&roles, &self.source.id, target))
    }

    /// What does not come along, in words.
    pub fn warnings(&self, account: Option<&str>) -> Vec<String> {
        let configuration = &self.source.configuration;
        let mut warnings = vec![format!(
            "Identities and logins are not copied: their IDs belong to {} alone. People get new IDs \
             in the copy, and what is kept under the old ones stays there. Between embedded pools, \
             `daypass pool export` and `import` take them along.",
            self.source.id
        )];
        let by_token = configuration.role_mappings.iter();
        let by_token = by_token.filter(|(_, mapping)| mapping.rules_configuration.is_none());
        warnings.extend(by_token.map(|(provider, _)| {
            format!(
                "Tokens of {} name roles by themselves: each of these has to trust the new pool too.",
                printable(provider)
            )
        }));
        let roles = configuration.role_arns().into_iter();
        let foreign = roles.filter(|arn| account.is_some_and(|account| account_of(arn) != Some(account)));
        warnings.extend(foreign.map(|arn| {
            format!(
                "{} is a role of another account than {}, the target's, which can make no sessions of it.",
                printable(&arn),
                account.unwrap_or_default()
            )
        }));
        warnings
    }
}

fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4)
}

/// Identities hang on the name of the developer provider, so it is given once
/// (docs/reference/cognito-identity.md, 3.4).
fn check_developer_provider(source: &Configuration, target: &Pool) -> anyhow::Result<()> {
    let theirs = &target.configuration.developer_provider;
    if theirs.is_none() || *theirs == source.developer_provider {
        return Ok(());
    }
    let name = |provider: &Option<String>| provider.clone().unwrap_or_else(|| "none".to_owned());
    bail!(
        "the developer provider of {} is {}, that of the source is {}, and it cannot be changed once it is \
         set: name another pool with --to, or none and a new one is made",
        target.id,
        printable(&name(theirs)),
        printable(&name(&source.developer_provider))
    )
}

/// Differences, each in a line or, where that would be long, in several.
pub fn list(differences: &[Difference]) -> String {
    differences.iter().map(entry).collect::<Vec<_>>().join("\n")
}

fn entry(difference: &Difference) -> String {
    let Difference { path, source, target, .. } = difference;
    let show = |value: &Option<String>| value.as_deref().map(|value| printable(&shown(path, value)));
    let (sign, values) = match (show(target), show(source)) {
        (Some(old), Some(new)) => ('~', vec![old, format!("-> {new}")]),
        (None, Some(new)) => ('+', vec![new]),
        (Some(old), None) => ('-', vec![old]),
        (None, None) => (' ', vec![]),
    };
    let values = values.into_iter().filter(|value| !value.is_empty());
    let (path, values) = (printable(path), values.collect::<Vec<_>>());
    let in_a_line = format!("  {sign} {path}  {}", values.join(" "));
    if in_a_line.chars().count() <= 80 {
        return in_a_line.trim_end().to_owned();
    }
    values.iter().fold(format!("  {sign} {path}"), |lines, value| format!("{lines}\n      {value}"))
}

/// Twitter's app ID comes with its secret behind a semicolon (docs/reference/cognito-identity.md, 4.1).
fn shown(path: &str, value: &str) -> String {
    match value.split_once(';') {
        Some((app_id, _)) if path.starts_with("SupportedLoginProviders ") => format!("{app_id};…"),
        _ => value.to_owned(),
    }
}

fn trust(roles: &BTreeSet<String>, source: &str, target: &str) -> String {
    let roles: Vec<String> = roles.iter().map(|arn| format!("  {}", printable(arn))).collect();
    format!(
        "These roles are kept, and trust the old pool alone:\n\n{}\n\n\
         In the trust policy of each, the condition has to name both pools:\n\n  \
           \"StringEquals\": {{\n    \
             \"cognito-identity.amazonaws.com:aud\": [\n      \
               \"{source}\",\n      \"{target}\"\n    \
             ]\n  \
           }}",
        roles.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str, source: Option<&str>, target: Option<&str>) -> Difference {
        let [source, target] = [source, target].map(|value| value.map(str::to_owned));
        Difference { part: Part::Settings, path: path.into(), source, target }
    }

    fn pool(id: &str, developer_provider: Option<&str>) -> Pool {
        let developer_provider = developer_provider.map(str::to_owned);
        let configuration =
            Configuration { name: "app".into(), developer_provider, ..Configuration::default() };
        Pool { id: id.into(), configuration, copied_from: None }
    }

    #[test]
    fn a_difference_takes_a_line_and_a_long_one_several() {
        let long = "arn:aws:iam::111122223333:role/a-name-that-is-rather-long-for-a-line";
        let differences = [
            difference("AllowClassicFlow", Some("true"), None),
            difference("Roles authenticated", Some(long), Some("arn:old")),
            difference("SamlProviderARNs arn:saml", None, Some("")),
        ];
        let expected = format!(
            "  + AllowClassicFlow  true\n  ~ Roles authenticated\n      arn:old\n      -> {long}\n  - \
             SamlProviderARNs arn:saml"
        );
        assert_eq!(list(&differences), expected);
    }

    #[test]
    fn a_secret_of_an_app_and_what_a_terminal_obeys_are_not_shown() {
        let path = "SupportedLoginProviders api.twitter.com";
        let listed = list(&[difference(path, Some("key;hush"), Some("key;old"))]);
        assert_eq!(listed, format!("  ~ {path}  key;… -> key;…"));
        assert!(
            !list(&[difference("IdentityPoolTags \x1b[2J", Some("\x07"), None)]).contains(['\x1b', '\x07'])
        );
    }

    #[test]
    fn a_developer_provider_is_given_and_never_changed() {
        assert!(Plan::new(pool("r:1", Some("a")), Some(pool("r:2", None))).is_ok());
        assert!(Plan::new(pool("r:1", Some("a")), Some(pool("r:2", Some("a")))).unwrap().is_done());
        for source in [None, Some("b")] {
            let refused = Plan::new(pool("r:1", source), Some(pool("r:2", Some("a")))).err().unwrap();
            assert!(refused.to_string().contains("cannot be changed"), "{refused}");
        }
    }

    #[test]
    fn a_new_pool_needs_room_for_the_tag_that_finds_it_again() {
        let mut source = pool("r:1", None);
        source.configuration.tags = (0..50).map(|key| (key.to_string(), String::new())).collect();
        assert!(Plan::new(source.clone(), None).is_err());
        assert!(Plan::new(source.clone(), Some(pool("r:2", None))).is_ok());
        source.configuration.tags.remove("7");
        assert!(Plan::new(source, None).is_ok());
    }

    #[test]
    fn roles_are_to_trust_both_pools() {
        let mut source = pool("us-east-1:0a", None);
        source.configuration.roles.insert("authenticated".into(), "arn:aws:iam::1:role/a".into());
        let trust = |target: Option<Pool>| Plan::new(source.clone(), target).unwrap().trust();
        let both = trust(Some(pool("eu-west-1:0b", None))).unwrap();
        let list = "[\n      \"us-east-1:0a\",\n      \"eu-west-1:0b\"\n    ]";
        assert!(both.contains("  arn:aws:iam::1:role/a\n") && both.contains(list), "{both}");
        assert!(trust(None).unwrap().contains("\"the ID of the new pool\""));
        assert_eq!(trust(Some(pool("us-east-1:0a", None))), None);
    }

    #[test]
    fn a_role_of_another_account_is_told() {
        let mut source = pool("us-east-1:0a", None);
        source.configuration.roles.insert("authenticated".into(), "arn:aws:iam::1:role/a".into());
        let plan = Plan::new(source, None).unwrap();
        assert_eq!(plan.warnings(Some("1")).len(), 1);
        assert_eq!(plan.warnings(None).len(), 1);
        assert!(plan.warnings(Some("2"))[1].contains("another account"));
    }
}
