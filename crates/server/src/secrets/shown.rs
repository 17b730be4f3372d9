//! What may be repeated of a reference that leads nowhere. Whoever typed the secret itself where its place belongs must not
//! find it in the log, so a name is repeated only if it is made of plain words.

use std::path::{Component, Path, PathBuf};

/// So many characters has the longest word of a name; secrets have no words.
const MAX_WORD: usize = 16;

/// A path as far as its parts are there, or are words.
pub(super) fn path(path: &Path) -> String {
    let mut shown = PathBuf::new();
    for part in path.components() {
        let whole = shown.join(part);
        let is_name = matches!(part, Component::Normal(name) if !is_words(name.to_str(), is_lower));
        if is_name && whole.symlink_metadata().is_err() {
            return shown.join("…").display().to_string();
        }
        shown = whole;
    }
    shown.display().to_string()
}

/// The name of an environment variable, as they are usually written.
pub(super) fn variable(name: &str) -> &str {
    let usual = is_words(Some(name), |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if usual && name.starts_with(|c: char| c.is_ascii_uppercase()) { name } else { "that is named there" }
}

fn is_lower(byte: u8) -> bool {
    byte.is_ascii_lowercase()
}

fn is_words(text: Option<&str>, is_letter: fn(u8) -> bool) -> bool {
    let mut words = text.unwrap_or_default().split(['_', '-', '.']);
    words.all(|word| word.len() <= MAX_WORD && word.bytes().all(is_letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_typed_for_its_place_is_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let here = dir.path();
        for secret in ["GOCSPX-4uHgPq", "hunter2", "abcdefghijklmnopqrst", "0a1b2c", "s3/cr3t", "a\nb"] {
            assert_eq!(path(&here.join(secret)), here.join("…").display().to_string());
            assert_eq!(variable(secret), "that is named there");
        }
        assert_eq!(variable("AKIAIOSFODNN7EXAMPLE"), "that is named there");
    }

    #[test]
    fn a_name_is_repeated() {
        for name in
            ["/run/credentials/daypass.service/secret_snap", "snapchat-client-secret", "/nowhere/at/all"]
        {
            assert_eq!(path(Path::new(name)), name);
        }
        let dir = tempfile::tempdir().unwrap();
        let there = dir.path().join("AuthKey_ABC123DEFG.p8");
        std::fs::write(&there, "").unwrap();
        assert_eq!(path(&there), there.display().to_string());
        for name in ["E", "SNAP_CLIENT_SECRET", "SECRET_2"] {
            assert_eq!(variable(name), name);
        }
    }
}
