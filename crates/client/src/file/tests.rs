//! What is in a sealed file, and who can read it.

use std::sync::atomic::Ordering;

use super::*;
use crate::keyring::tests::Memory;
use crate::session::tests::session;

const SECRETS: [&str; 3] = ["dpr_1", "secret-key", "session-token"];
const ADDRESS: &str = "https://login.example.com";

/// A directory and a keyring.
struct Desk {
    dir: tempfile::TempDir,
    keyring: Arc<Memory>,
}

impl Desk {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), keyring: Arc::default() }
    }

    /// As another process would have it.
    fn file_at(&self, url: &str) -> SessionFile {
        SessionFile::new(self.dir.path(), &SessionName::new(url, "terminal").unwrap(), self.keyring.clone())
    }

    fn file(&self) -> SessionFile {
        self.file_at(ADDRESS)
    }

    /// With a sealed session in it.
    async fn sealed() -> Self {
        let desk = Self::new();
        desk.seal(&desk.file()).await;
        desk
    }

    async fn seal(&self, file: &SessionFile) {
        let sealed_by = Some(file.key().await.unwrap());
        file.draft().unwrap().put(&Session { sealed_by, ..session(0, 3600) }).unwrap();
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file().path()).unwrap()
    }
}

#[tokio::test]
async fn a_sealed_file_shows_neither_the_session_nor_its_key() {
    let desk = Desk::sealed().await;
    let text = desk.text();
    let key = desk.keyring.keys().remove(0);
    for secret in SECRETS.into_iter().chain([key.text().expose(), "us-east-1:1", "ASIA1"]) {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert!(text.contains(ADDRESS) && name_in(&desk.file().path()).is_some(), "whose it is, is told: {text}");
    let opened = desk.file().read().await.unwrap();
    assert_eq!(opened, Session { sealed_by: Some(key), ..session(0, 3600) });
}

#[tokio::test]
async fn a_process_asks_the_keyring_once_and_writes_nothing_there() {
    let desk = Desk::sealed().await;
    let (asked, written) = (&desk.keyring.asked, &desk.keyring.written);
    asked.store(0, Ordering::SeqCst);
    let file = desk.file();
    for _ in 0..5 {
        let session = file.read().await.unwrap();
        file.draft().unwrap().put(&session.failed(0, "no answer", None)).unwrap();
    }
    assert_eq!((asked.load(Ordering::SeqCst), written.load(Ordering::SeqCst)), (1, 1));
    assert_eq!(file.read().await.unwrap().failure.unwrap().times, 5);
    desk.keyring.be(Some(NoKeyring::Locked));
    file.read().await.expect("who has the key needs no keyring");
}

#[tokio::test]
async fn two_sealings_of_one_session_have_nothing_in_common() {
    let desk = Desk::sealed().await;
    let before = desk.text();
    desk.seal(&desk.file()).await;
    assert_ne!(desk.text(), before);
    assert_eq!(
        desk.keyring.written.load(Ordering::SeqCst),
        1,
        "the key stays, so that a login that fails costs nothing"
    );
}

#[tokio::test]
async fn a_byte_that_was_changed_gives_an_error_or_the_same_session() {
    let desk = Desk::sealed().await;
    let whole = fs::read(desk.file().path()).unwrap();
    let expected = desk.file().read().await.unwrap();
    for at in 0..whole.len() {
        for flip in [0x01, 0x15] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            fs::write(desk.file().path(), changed).unwrap();
            match desk.file().read().await {
                Ok(opened) => assert_eq!(opened, expected, "{at}"),
                Err(error) => assert!(matches!(error, Error::Damaged { .. }), "{at}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let desk = Desk::sealed().await;
    desk.keyring.replace(&Key::draw());
    let error = desk.file().read().await.unwrap_err().to_string();
    assert!(
        error.ends_with("type `daypass login https://login.example.com --keyring` to write it anew"),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_counts_in_its_own_place_only() {
    const OTHER: &str = "https://login.example.org";
    let desk = Desk::sealed().await;
    desk.seal(&desk.file_at(OTHER)).await;
    // Even if both had the same key, and whoever swaps them changes what stands there in clear.
    desk.keyring.replace(&Key::draw());
    for url in [ADDRESS, OTHER] {
        desk.seal(&desk.file_at(url)).await;
    }
    fs::write(desk.file_at(OTHER).path(), desk.text().replace(ADDRESS, OTHER)).unwrap();
    let error = desk.file_at(OTHER).read().await.unwrap_err();
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn each_directory_has_a_key_of_its_own() {
    let (desk, dir) = (Desk::sealed().await, tempfile::tempdir().unwrap());
    let name = SessionName::new(ADDRESS, "terminal").unwrap();
    let file = SessionFile::new(dir.path(), &name, desk.keyring.clone());
    desk.seal(&file).await;
    assert_eq!(desk.keyring.keys().len(), 2);
    file.forget_key().await.unwrap();
    desk.file().read().await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_form_is_damaged() {
    let desk = Desk::sealed().await;
    let text = desk.text();
    for (from, to) in
        [("\"version\": 1", "\"version\": 0"), ("\"sealed\"", "\"signed_in\""), ("\"sealed\"", "\"closed\"")]
    {
        assert!(text.contains(from), "{text}");
        fs::write(desk.file().path(), text.replace(from, to)).unwrap();
        let error = desk.file().read().await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
    }
}

/// Somebody puts a plain file in the place of a sealed one: it is theirs, and nothing of ours gets into it.
#[tokio::test]
async fn what_came_sealed_goes_sealed_whatever_lies_there() {
    let desk = Desk::sealed().await;
    let file = desk.file();
    let ours = file.read().await.unwrap();
    let theirs = Session { refresh_token: crate::secret::Secret::new("dpr_theirs"), ..session(0, 3600) };
    file.draft().unwrap().put(&theirs).unwrap();
    assert_eq!(file.read().await.unwrap(), theirs);
    file.draft().unwrap().put(&ours).unwrap();
    assert!(SECRETS.iter().all(|secret| !desk.text().contains(secret)), "{}", desk.text());
}

#[tokio::test]
async fn a_keyring_that_gives_nothing_is_told_with_the_cure() {
    let desk = Desk::sealed().await;
    let text = desk.text();
    for (trouble, cure) in [
        (NoKeyring::Locked, "unlock it"),
        (NoKeyring::NotBuilt, "adds the feature `keyring`"),
        (NoKeyring::TooLong(8), "see whether it waits for you"),
        (NoKeyring::NoProgram("secret-tool"), "install it"),
    ] {
        desk.keyring.be(Some(trouble));
        let error = desk.file().read().await.unwrap_err().to_string();
        assert!(error.contains(cure) && error.contains("or type `daypass login https://"), "{error}");
        assert!(desk.file().key().await.is_err());
    }
    desk.keyring.be(None);
    assert_eq!(desk.text(), text);
    desk.file().read().await.unwrap();
    desk.keyring.clear();
    let error = desk.file().read().await.unwrap_err().to_string();
    assert!(error.contains("has no key") && error.contains("login.example.com --keyring`"), "{error}");
}

#[tokio::test]
async fn a_key_counts_once_the_keyring_gave_it_back() {
    let keyring = Arc::new(Memory { is_forgetful: true, ..Memory::default() });
    let desk = Desk { keyring, ..Desk::new() };
    let error = desk.file().key().await.unwrap_err().to_string();
    assert_eq!(error, "it did not keep what it was given");
}

#[tokio::test]
async fn a_session_that_is_over_still_says_that_the_keyring_was_wanted() {
    let desk = Desk::sealed().await;
    desk.file().write_over("revoked").unwrap();
    let error = desk.file().read().await.unwrap_err().to_string();
    assert!(error.ends_with("type `daypass login https://login.example.com --keyring`"), "{error}");
    desk.file().draft().unwrap().put(&session(0, 3600)).unwrap();
    desk.file().write_over("revoked").unwrap();
    let error = desk.file().read().await.unwrap_err().to_string();
    assert!(error.ends_with("type `daypass login https://login.example.com`"), "{error}");
}
