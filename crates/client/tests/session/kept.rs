//! What is kept of a session, and what becomes of it when it is damaged.

use super::*;

#[tokio::test]
async fn what_is_kept_is_the_owners_alone() {
    let setting = Setting::signed_in().await;
    setting.advance(3600);
    setting.daypass().session().await.unwrap();
    assert_eq!(mode(setting.home().path()), 0o700);
    assert_eq!(setting.files().len(), 2);
    for file in setting.files() {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

/// A process that ended between writing and renaming leaves its draft.
#[tokio::test]
async fn a_crash_before_the_rename_changes_nothing() {
    let setting = Setting::signed_in().await;
    let before = fs::read(setting.file(".json")).unwrap();
    let stem = setting.file(".json").file_stem().unwrap().to_str().unwrap().to_owned();
    for number in 0..20 {
        let draft = format!("{stem}.{}-{number}.new", std::process::id());
        fs::write(setting.home().path().join(draft), "{\"half").unwrap();
    }
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA1");
    assert_eq!(fs::read(setting.file(".json")).unwrap(), before);
    setting.advance(3600);
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA2");
    assert_eq!(setting.files().len(), 2, "{:?}", setting.files());
}

#[tokio::test]
async fn a_damaged_file_is_an_error_that_names_the_cure_and_shows_nothing() {
    let setting = Setting::signed_in().await;
    let (file, daypass) = (setting.file(".json"), setting.daypass());
    let whole = fs::read(&file).unwrap();
    let assert_refused = async |text: &[u8]| {
        fs::write(&file, text).unwrap();
        let error = daypass.session().await.unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("is damaged: type `daypass login http"), "{error}");
        assert_no_secret(&format!("{error} {error:?}"));
    };
    for length in 0..whole.len() {
        assert_refused(&whole[..length]).await;
    }
    let text = String::from_utf8(whole.clone()).unwrap();
    for (from, to) in [
        (setting.broker.url.as_str(), "https://login.example.org"),
        ("\"terminal\"", "\"web\""),
        ("\"version\": 1", "\"version\": 2"),
        ("\"expires_at\": 1", "\"expires_at\": -1"),
        ("\"dpr_1\"", "[\"dpr_1\"]"),
    ] {
        assert!(text.contains(from), "{from}: {text}");
        assert_refused(text.replace(from, to).as_bytes()).await;
    }
    assert_refused(&vec![0xff; 1 << 20]).await;
    setting.sign_in().await.unwrap();
    assert_eq!(setting.daypass().session().await.unwrap().access_key_id(), "ASIA2");
}

#[tokio::test]
async fn a_byte_that_was_changed_stops_nobody() {
    let setting = Setting::signed_in().await;
    let (file, daypass) = (setting.file(".json"), setting.daypass());
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0x15;
        fs::write(&file, changed).unwrap();
        if let Err(error) = daypass.kept().await {
            assert_no_secret(&format!("{error} {error:?}"));
        }
    }
}

#[tokio::test]
async fn nothing_that_prints_shows_a_secret() {
    let setting = Setting::signed_in().await;
    let daypass = setting.daypass();
    let session = daypass.session().await.unwrap();
    assert_no_secret(&format!("{daypass:?} {session:?}"));
}
