//! The marks of identity providers, for the sign-in page and, as `sdk/src/marks.js`, for the buttons of the browser SDK. Those
//! of one path are from Simple Icons 13 (CC0); Google's, Microsoft's and Slack's are the owners' own, in their colours. They
//! are trademarks: a page that shows one has that provider.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A mark, in a square of 24 or of `box`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mark {
    #[cfg_attr(not(test), expect(dead_code, reason = "the SDK has it"))]
    name: String,
    r#box: Option<f64>,
    /// What its owner wants behind it, where it is not to be seen without.
    pub(super) tile: Option<Tile>,
    paths: Vec<(String, String)>,
}

/// A ground of its own colour.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tile {
    pub(super) ground: String,
    mark: String,
    pub(super) outline: String,
}

/// The mark of another provider, or one.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Entry {
    Same { same_as: String },
    Own(Mark),
}

const TEXT: &str = include_str!("marks.json");

static MARKS: LazyLock<BTreeMap<String, Entry>> =
    LazyLock::new(|| serde_json::from_str(TEXT).expect("a test reads the marks"));

/// The mark of a provider, by its ID in the catalogue, if there is one.
pub(super) fn find(provider: &str) -> Option<&'static Mark> {
    match MARKS.get(provider)? {
        Entry::Own(mark) => Some(mark),
        Entry::Same { same_as } => find(same_as),
    }
}

impl Mark {
    /// The square that it is drawn in, with a margin.
    pub(super) fn view_box(&self) -> String {
        format!("-1 -1 {0} {0}", self.r#box.unwrap_or(24.0) + 2.0)
    }

    /// Its paths, and what each is filled with: without a colour of its own that of the text.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        let fill = |color| match &self.tile {
            Some(tile) => tile.mark.as_str(),
            None if str::is_empty(color) => "currentColor",
            None => color,
        };
        self.paths.iter().map(move |(color, d)| (fill(color), d.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use daypass_core::login::provider::catalogue;

    use super::*;

    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/src/marks.js");

    #[test]
    fn every_mark_is_of_a_provider_of_the_catalogue_and_can_be_drawn() {
        let known = catalogue::names();
        for id in MARKS.keys() {
            assert!(known.contains(&id.as_str()), "{id}");
            let mark = find(id).unwrap();
            let is_color = |text: &str| text.len() == 7 && text.starts_with('#');
            for (fill, d) in mark.paths() {
                assert!(fill == "currentColor" || is_color(fill), "{id}: {fill}");
                assert!(d.starts_with(['M', 'm']), "{id}");
            }
        }
        assert!(MARKS.len() >= 30 && find("an in-house login").is_none());
    }

    #[test]
    fn the_sdk_has_the_same_marks() {
        let made = module();
        if std::env::var_os("DAYPASS_REGENERATE").is_some() {
            std::fs::write(FILE, &made).unwrap();
        }
        assert!(
            std::fs::read_to_string(FILE).unwrap() == made,
            "run `cargo xtask gen marks`: marks.js is stale"
        );
    }

    /// The module of the browser SDK. A mark of two providers stands there once.
    fn module() -> String {
        let mut text = "// @ts-check
/**
 * The marks of identity providers, made from `crates/server/src/routes/login/marks.json` by `cargo xtask gen marks`. Those of one
 * path are from Simple Icons 13 (CC0); Google's, Microsoft's and Slack's are the owners' own, in their colours. An empty colour
 * is the text's. They are trademarks: a page that shows one has that provider.
 */

/** @typedef {{name: string, box?: number, paths: [color: string, d: string][]}} Mark in a square of 24, or of `box` */

/** By the provider's ID in Daypass's catalogue. @type {Record<string, Mark>} */
export const MARKS = {
"
        .to_owned();
        let mut same = String::new();
        for (id, entry) in MARKS.iter() {
            match entry {
                Entry::Own(mark) => text.push_str(&entry_of(id, mark)),
                Entry::Same { same_as } => {
                    writeln!(same, "MARKS['{id}'] = /** @type {{Mark}} */ (MARKS['{same_as}']);").unwrap();
                }
            }
        }
        text + "};\n\n" + &same
    }

    fn entry_of(id: &str, mark: &Mark) -> String {
        let is_word = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let key = if is_word { id.to_owned() } else { format!("'{id}'") };
        let size = mark.r#box.map(|size| format!(" box: {size},")).unwrap_or_default();
        let mut text = format!("  {key}: {{ name: '{}',{size} paths: [\n", mark.name);
        for (color, d) in &mark.paths {
            writeln!(text, "    ['{color}', '{d}'],").unwrap();
        }
        text + "  ] },\n"
    }
}
