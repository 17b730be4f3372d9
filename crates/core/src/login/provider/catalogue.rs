//! The providers that Daypass brings along, one TOML file each. What is known of them, with its sources, is in
//! docs/reference/providers.md, 5.

/// Declares the files, each of which is named after its provider.
macro_rules! catalogue {
    ($($name:literal),* $(,)?) => {
        /// Name and block of every provider, in the order of the names.
        const CATALOGUE: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../../catalogue/", $name, ".toml")))),*];
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
    "line",
    "linear",
    "linkedin",
    "mastodon",
    "microsoft",
    "naver",
    "notion",
    "patreon",
    "paypal",
    "pinterest",
    "qq",
    "reddit",
    "roblox",
    "salesforce",
    "shopify",
    "slack",
    "snapchat",
    "spotify",
    "steam",
    "strava",
    "telegram-oidc",
    "telegram-widget",
    "threads",
    "tiktok",
    "twitch",
    "vk-id",
    "wechat",
    "weibo",
    "x",
    "yahoo-japan",
    "yahoo",
    "yandex",
    "zalo",
    "zoom",
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
    nearest_of(name, names()).map(str::to_owned)
}

/// The one of these words that a misspelt one probably stands for.
pub fn nearest_of<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let nearest = known.into_iter().min_by_key(|known| edits(word, known));
    nearest.filter(|known| edits(word, known) <= 2.min(word.chars().count() / 2))
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
    use crate::login::provider::definition::{Definition, ProofKind};
    use crate::login::provider::load::DefinitionError;

    /// A block, with a value for every variable that is the operator's to give.
    fn load(name: &str, value: &str) -> Result<Definition, DefinitionError> {
        let mut block: toml::Table = find(name).unwrap().parse().unwrap();
        for (_, variable) in
            block.get_mut("variables").and_then(toml::Value::as_table_mut).into_iter().flatten()
        {
            variable.as_table_mut().unwrap().entry("value").or_insert(value.into());
        }
        let overrides = block.get("variables").cloned().map(|variables| ("variables".to_owned(), variables));
        Definition::from_catalogue(name, overrides.into_iter().collect())
    }

    #[test]
    fn every_block_of_the_catalogue_loads() {
        for name in names() {
            let definition = load(name, "example.com");
            assert!(definition.is_ok(), "{name}: {}", definition.unwrap_err());
        }
    }

    /// Facts about others age, so every block says how old they are.
    #[test]
    fn every_block_of_the_catalogue_says_when_it_was_checked_and_against_what() {
        for name in names() {
            let checked = load(name, "example.com").unwrap().checked.unwrap_or_default();
            let (month, against) = checked.split_once(": ").unwrap_or_default();
            let number =
                |text: Option<&str>| text.and_then(|text| text.parse::<u16>().ok()).unwrap_or_default();
            let (year, month) = (number(month.get(..4)), number(month.get(5..)));
            let good = (2025..2100).contains(&year) && (1..=12).contains(&month) && !against.is_empty();
            assert!(good, "{name}: checked = {checked:?}");
        }
    }

    /// Nothing that anybody has confirmed says whose client their tokens were issued to (docs/reference/providers.md, 2.2).
    #[test]
    fn providers_that_cannot_say_whose_client_a_token_is_of_take_codes_only() {
        for name in [
            "atlassian",
            "bitbucket",
            "coinbase",
            "figma",
            "hubspot",
            "instagram",
            "linear",
            "naver",
            "notion",
            "patreon",
            "paypal",
            "pinterest",
            "reddit",
            "spotify",
            "strava",
            "threads",
            "tiktok",
            "vk-id",
            "wechat",
            "weibo",
            "x",
            "zalo",
            "zoom",
        ] {
            assert_eq!(load(name, "example.com").unwrap().accept, [ProofKind::Code], "{name}");
        }
    }

    #[test]
    fn an_operator_who_names_a_tenant_of_microsoft_lets_no_other_in() {
        let id_token = load("microsoft", "our-tenant").unwrap().id_token.unwrap();
        assert_eq!(id_token.issuers, ["https://login.microsoftonline.com/our-tenant/v2.0"]);
    }

    /// Tokens about customers of a shop are signed with the same secret.
    #[test]
    fn a_shop_lets_only_its_own_admin_in() {
        let id_token = load("shopify", "our-shop").unwrap().id_token.unwrap();
        assert_eq!(id_token.issuers, ["https://our-shop.myshopify.com/admin"]);
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
