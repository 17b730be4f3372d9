//! The providers that Daypass brings along, one TOML file each.

/// Declares the files, each of which is named after its provider.
macro_rules! catalogue {
    ($($name:literal),* $(,)?) => {
        /// Name and block of every provider, in the order of the names.
        const CATALOGUE: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../catalogue/", $name, ".toml")))),*];
    };
}

catalogue! {
    "42-school",
    "amazon",
    "apple",
    "atlassian",
    "battle-net",
    "bitbucket",
    "coinbase",
    "discord",
    "dropbox",
    "epic",
    "eve-online",
    "facebook",
    "figma",
    "github",
    "gitlab",
    "google",
    "hubspot",
    "hugging-face",
    "instagram",
    "kakao",
    "kick",
    "snapchat",
}

/// The block of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    CATALOGUE.iter().find(|(known, _)| *known == name).map(|(_, block)| *block)
}

/// All names, in order.
#[must_use]
pub fn names() -> Vec<&'static str> {
    CATALOGUE.iter().map(|(name, _)| *name).collect()
}

/// The name that a misspelt one probably stands for.
#[must_use]
pub fn nearest(name: &str) -> Option<String> {
    let distance = |known: &&str| edits(name, known);
    names().into_iter().min_by_key(distance).filter(|known| edits(name, known) <= 2).map(str::to_owned)
}

/// How many characters have to be added, left out or replaced (Levenshtein's distance).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::definition::Definition;

    #[test]
    fn every_block_of_the_catalogue_loads() {
        for name in names() {
            // A variable without a value is the operator's to give.
            let mut block: toml::Table = find(name).unwrap().parse().unwrap();
            for (_, variable) in
                block.get_mut("variables").and_then(toml::Value::as_table_mut).into_iter().flatten()
            {
                variable.as_table_mut().unwrap().entry("value").or_insert("example.com".into());
            }
            let overrides =
                block.get("variables").cloned().map(|variables| ("variables".to_owned(), variables));
            let definition = Definition::from_catalogue(name, overrides.into_iter().collect());
            assert!(definition.is_ok(), "{name}: {}", definition.unwrap_err());
        }
    }

    #[test]
    fn the_catalogue_lists_every_file_in_order() {
        let dir = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue")).unwrap();
        let mut files: Vec<String> =
            dir.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        let listed: Vec<String> = names().into_iter().map(|name| format!("{name}.toml")).collect();
        assert_eq!(listed, files);
    }

    #[test]
    fn a_misspelt_name_is_guessed_and_a_strange_one_is_not() {
        assert_eq!(nearest("snapcat").as_deref(), Some("snapchat"));
        assert_eq!(nearest("login.example.com"), None);
    }
}
