//! A keyring in memory, and what leads to those of systems.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A keyring that does what the test says.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) entries: Mutex<HashMap<String, Key>>,
    /// What is the matter with it.
    pub(crate) trouble: Mutex<Option<NoKeyring>>,
    /// Whether it says yes and keeps nothing.
    pub(crate) is_forgetful: bool,
    pub(crate) asked: AtomicU32,
    /// How often its owner would have been asked, had it been locked.
    pub(crate) prompted: AtomicU32,
    pub(crate) written: AtomicU32,
}

impl Memory {
    pub(crate) fn be(&self, trouble: Option<NoKeyring>) {
        *self.trouble.lock().unwrap() = trouble;
    }

    pub(crate) fn clear(&self) {
        self.entries.lock().unwrap().clear();
    }

    /// Has all entries hold this key.
    pub(crate) fn replace(&self, key: &Key) {
        self.entries.lock().unwrap().values_mut().for_each(|kept| *kept = key.clone());
    }

    pub(crate) fn keys(&self) -> Vec<Key> {
        self.entries.lock().unwrap().values().cloned().collect()
    }

    fn prompt(&self, manner: Manner) {
        self.prompted.fetch_add(u32::from(manner == Manner::MayPrompt), Ordering::SeqCst);
    }

    fn answer(&self) -> Result<(), NoKeyring> {
        self.trouble.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl Keyring for Memory {
    fn find(&self, account: &str, manner: Manner) -> Result<Option<Key>, NoKeyring> {
        self.prompt(manner);
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer().map(|()| self.entries.lock().unwrap().get(account).cloned())
    }

    fn put(&self, account: &str, _: &str, key: &Key) -> Result<(), NoKeyring> {
        self.prompt(Manner::MayPrompt);
        self.answer()?;
        self.written.fetch_add(1, Ordering::SeqCst);
        if !self.is_forgetful {
            self.entries.lock().unwrap().insert(account.to_owned(), key.clone());
        }
        Ok(())
    }

    fn remove(&self, account: &str) -> Result<(), NoKeyring> {
        self.answer().map(|()| drop(self.entries.lock().unwrap().remove(account)))
    }
}

#[test]
fn a_key_is_read_as_it_was_written_and_shown_to_nobody() {
    let key = Key::draw();
    let text = key.text();
    assert_eq!(Key::parse(text.expose()).unwrap(), key);
    assert!(!format!("{key:?}").contains(text.expose()));
    let long = format!("{}0", text.expose());
    for wrong in ["", "00", &text.expose()[1..], &long, &"+1".repeat(32), &"ä".repeat(32), &"zz".repeat(32)]
    {
        let error = Key::parse(wrong).unwrap_err().to_string();
        assert_eq!(error, "its entry holds no key of Daypass's", "{wrong}");
    }
}

#[test]
fn a_program_without_the_feature_says_so_and_a_system_without_a_keyring() {
    let why = |system, is_built| of(system, is_built).find("a", Manner::Silent).unwrap_err();
    assert_eq!(why("linux", false), NoKeyring::NotBuilt);
    assert_eq!(why("windows", true), NoKeyring::NotHere);
    assert!(why("linux", false).to_string().contains("the feature `keyring` of daypass-client"));
}

#[cfg(all(unix, feature = "keyring"))]
mod programs {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::{Duration, Instant};

    use crate::keyring::program::Program;
    use crate::keyring::secret_tool::SecretTool;
    use crate::keyring::security::Security;
    use crate::keyring::{Key, Keyring, Manner, NoKeyring};

    /// A program that stands in for one of the system's, with a directory of its own.
    fn stand_in(dir: &Path, script: &str) -> PathBuf {
        let path = dir.join(script);
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stand-in");
        symlink(scripts.join(script), &path).unwrap();
        path
    }

    /// What it is asked has the form that macOS' own program takes, as far as its manual says. The real one is on no machine here.
    #[test]
    fn the_keychain_is_told_no_key_where_others_could_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let security = Security(Program::new("security", stand_in(dir.path(), "security")));
        let (key, other) = (Key::draw(), Key::draw());
        assert_eq!(security.find("ab12", Manner::Silent).unwrap(), None);
        security.remove("ab12").unwrap();
        for key in [&key, &other] {
            security.put("ab12", "Daypass", key).unwrap();
            assert_eq!(security.find("ab12", Manner::Silent).unwrap().as_ref(), Some(key));
        }
        security.remove("ab12").unwrap();
        assert_eq!(security.find("ab12", Manner::Silent).unwrap(), None);
        let arguments = fs::read_to_string(dir.path().join("arguments")).unwrap();
        assert!(arguments.contains("find-generic-password -s daypass -a ab12 -w"), "{arguments}");
        assert!(!arguments.contains(key.text().expose()), "{arguments}");
    }

    /// Whatever it does with its outputs and whoever has them: it is waited for once, and nothing of it is left.
    #[test]
    fn a_program_that_does_not_end_is_ended() {
        const PATIENCE: Duration = Duration::from_secs(1);
        for script in ["endless", "closed", "wrapped", "left-behind"] {
            let dir = tempfile::tempdir().unwrap();
            let mut program = Program::new("secret-tool", stand_in(dir.path(), script));
            program.patience = [PATIENCE; 2];
            let alive = alive(dir.path());
            let begun = Instant::now();
            let tool = SecretTool(program);
            assert_eq!(tool.find("ab12", Manner::Silent).unwrap_err(), NoKeyring::TooLong(1), "{script}");
            // Who signs out asks for the key twice, and then has it taken away.
            assert_eq!(tool.find("ab12", Manner::Silent).unwrap_err(), NoKeyring::TooLong(1), "{script}");
            assert_eq!(tool.remove("ab12").unwrap_err(), NoKeyring::TooLong(1), "{script}");
            assert!(begun.elapsed() < 2 * PATIENCE, "{script}");
            alive.recv_timeout(Duration::from_secs(30)).expect(script);
        }
    }

    /// Says when the last process is gone that has this pipe.
    fn alive(dir: &Path) -> Receiver<()> {
        let path = dir.join("alive");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let (sender, receiver) = channel();
        thread::spawn(move || {
            fs::read(path).unwrap();
            sender.send(())
        });
        receiver
    }

    #[test]
    fn a_program_that_is_not_there_is_told_with_where_to_get_it() {
        let tool = SecretTool(Program::new("secret-tool", "/nowhere/secret-tool"));
        let error = tool.find("ab12", Manner::Silent).unwrap_err().to_string();
        assert!(error.contains("there is no `secret-tool` on the PATH: install it"), "{error}");
    }

    #[test]
    fn words_of_a_program_do_nothing_to_a_terminal() {
        let dir = tempfile::tempdir().unwrap();
        let tool = SecretTool(Program::new("secret-tool", stand_in(dir.path(), "refusing")));
        let error = tool.find("ab12", Manner::Silent).unwrap_err().to_string();
        assert!(error.starts_with("none answers (secret-tool: Cannot [2J autolaunch): start one"), "{error}");
    }

    #[test]
    fn who_has_no_keyring_yet_hears_how_to_make_one() {
        let dir = tempfile::tempdir().unwrap();
        let tool = SecretTool(Program::new("secret-tool", stand_in(dir.path(), "empty")));
        let error = tool.put("ab12", "a label", &Key::draw()).unwrap_err().to_string();
        assert!(error.starts_with("there is none yet (secret-tool: Object does not exist"), "{error}");
        assert!(error.contains("make one"), "{error}");
    }
}
