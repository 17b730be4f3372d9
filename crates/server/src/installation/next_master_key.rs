//! A new master key for the directory of `up`, where Daypass makes it itself. It is drawn into a file beside the one that
//! seals, which is kept under its ID before the new one takes its place: whoever is stopped in between goes on there, and at
//! no moment a key is nowhere.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::prelude::{BASE64_STANDARD, Engine};
use daypass_core::ground::master_keys::MasterKey;
use daypass_core::ground::random::Random;
use daypass_core::ground::seal::MasterKeyId;
use daypass_core::ground::secret::Secret;

use super::folder::is_there;
use super::private_file::write_private;
use crate::config::development::{MASTER_KEY, NEXT_MASTER_KEY, OTHER_MASTER_KEY, other_master_keys};
use crate::config::parse_master_key;
use crate::folder_lock;

/// Puts a new master key in the place of the one that seals, unless one did that something is still to be sealed anew under,
/// as `is_settled` says of the one that seals. Answers where the one before is kept then.
///
/// # Errors
/// In words for the developer. Begun again, it goes on.
pub(super) fn take_over(
    dir: &Path,
    random: &dyn Random,
    is_settled: impl Fn(MasterKeyId) -> bool,
) -> anyhow::Result<Option<PathBuf>> {
    let held = folder_lock::lock(dir);
    let held = held.with_context(|| format!("cannot change the master key in {}", dir.display()))?;
    let (current, text) = read(dir, MASTER_KEY)?;
    if !is_there(&dir.join(NEXT_MASTER_KEY))? {
        if !other_master_keys(dir).is_empty() && !is_settled(current.id()) {
            return Ok(None);
        }
        write_private(dir, NEXT_MASTER_KEY, &BASE64_STANDARD.encode(MasterKey::generate(random).expose()))?;
    }
    read(dir, NEXT_MASTER_KEY)?;
    let kept = write_private(dir, &format!("{OTHER_MASTER_KEY}{}", current.id()), text.expose())?;
    // A disk that loses power keeps the names in the order in which they were given.
    let renamed = held
        .sync_all()
        .and_then(|()| fs::rename(dir.join(NEXT_MASTER_KEY), dir.join(MASTER_KEY)))
        .and_then(|()| held.sync_all());
    renamed.with_context(|| format!("cannot write {}", dir.join(MASTER_KEY).display()))?;
    Ok(Some(kept))
}

fn read(dir: &Path, name: &str) -> anyhow::Result<(MasterKey, Secret)> {
    let file = dir.join(name);
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = Secret::new(text.trim());
    let key = parse_master_key(&text).with_context(|| format!("{} is not a master key", file.display()))?;
    Ok((key, text))
}

#[cfg(test)]
mod tests {
    use daypass_core::ground::random::SeededRandom;

    use super::*;

    const FIRST: [u8; 32] = [7; 32];

    fn directory() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        write_private(dir.path(), MASTER_KEY, &BASE64_STANDARD.encode(FIRST)).unwrap();
        dir
    }

    fn keys(dir: &Path) -> Vec<MasterKeyId> {
        let others = other_master_keys(dir).into_iter();
        let names = others.map(|file| file.file_name().unwrap().to_str().unwrap().to_owned());
        std::iter::once(MASTER_KEY.to_owned())
            .chain(names)
            .map(|name| read(dir, &name).unwrap().0.id())
            .collect()
    }

    #[test]
    fn the_key_before_is_kept_under_its_id() {
        let (dir, random) = (directory(), SeededRandom::new(1));
        let first = MasterKey::new(FIRST).id();
        // Of a first key nothing has to be settled.
        let kept = take_over(dir.path(), &random, |_| false).unwrap();
        assert_eq!(kept, Some(dir.path().join(format!("master-key-{first}"))));
        let [second, other] = keys(dir.path())[..] else { panic!() };
        assert!(second != first && other == first);
        assert!(!dir.path().join(NEXT_MASTER_KEY).exists());

        assert_eq!(
            take_over(dir.path(), &random, |_| false).unwrap(),
            None,
            "something is under the first key"
        );
        assert_eq!(keys(dir.path()), [second, first]);
        assert!(take_over(dir.path(), &random, |id| id == second).unwrap().is_some());
        let kept = keys(dir.path());
        assert!(kept.len() == 3 && kept[1..].contains(&first) && kept[1..].contains(&second));
    }

    /// What lies in the directory after each step that can be the last one.
    #[test]
    fn whoever_was_stopped_goes_on_and_no_key_is_lost() {
        let first = MasterKey::new(FIRST).id();
        let next = BASE64_STANDARD.encode([8; 32]);
        let old = BASE64_STANDARD.encode(FIRST);
        let named = format!("master-key-{first}");
        for steps in [
            &[("next-master-key.new", "half of i")][..],
            &[("next-master-key", &*next)],
            &[("next-master-key", &*next), ("master-key-.new", "half")],
            &[("next-master-key", &*next), (&*named, &*old)],
        ] {
            let dir = directory();
            for (name, text) in steps {
                write_private(dir.path(), name, text).unwrap();
            }
            assert_eq!(keys(dir.path())[0], first, "{steps:?}");
            assert!(take_over(dir.path(), &SeededRandom::new(1), |_| false).unwrap().is_some());
            let [second, other] = keys(dir.path())[..] else { panic!("{steps:?}") };
            assert_eq!(other, first);
            let was_drawn = steps.iter().any(|(name, _)| *name == "next-master-key");
            assert_eq!(second == MasterKey::new([8; 32]).id(), was_drawn, "{steps:?}");
        }
    }

    #[test]
    fn what_is_no_key_takes_nobodys_place() {
        let dir = directory();
        write_private(dir.path(), NEXT_MASTER_KEY, "c2hvcnQ=").unwrap();
        let refused = take_over(dir.path(), &SeededRandom::new(1), |_| true).unwrap_err().to_string();
        assert!(
            refused.contains("next-master-key is not a master key") && !refused.contains("c2hvcnQ"),
            "{refused}"
        );
        assert_eq!(keys(dir.path()), [MasterKey::new(FIRST).id()]);
    }
}
