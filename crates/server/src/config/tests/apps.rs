//! What an `[[app]]` may say of its sessions.

use super::{complaint, load};

#[test]
fn a_session_is_in_a_cookie_only_where_a_browser_sends_it() {
    let app = |id: &str, origins: &str| {
        let end = "\nsession_cookie = true\nredirect_uris = []\n[[app]]\nid = \"other\"\norigins = []";
        load(
            "id = \"web\"\n    origins = [\"https://app.example.com\"]",
            &format!("id = {id:?}\norigins = [{origins}]{end}"),
        )
    };
    app("web", "\"https://app.example.com\", \"https://example.com:8443\"").unwrap();
    for (id, origins, expected) in [
        (
            "web",
            "\"https://app.example.com\", \"https://app.example.net\"",
            "\"https://app.example.net\" is another site",
        ),
        ("web", "\"http://localhost:3000\"", "is another site"),
        ("web", "", "must name the pages that send the cookie"),
        ("the web", "\"https://app.example.com\"", "stands in the cookie's name"),
        ("", "\"https://app.example.com\"", "stands in the cookie's name"),
    ] {
        let complaint = app(id, origins).unwrap_err().to_string();
        assert!(complaint.contains(expected), "{id:?} {origins}: {complaint}");
    }
}

#[test]
fn what_there_may_be_several_of_has_two_brackets() {
    for list in ["app", "provider"] {
        let refused = complaint(&format!("[[{list}]]"), &format!("[{list}]"));
        assert!(refused.contains(&format!("{list}: must be tables: write [[{list}]]")), "{refused}");
    }
    for list in ["role", "oidc_provider", "actor", "audit.export"] {
        let refused = complaint("[[app]]", &format!("[{list}]\nname = \"a\"\n[[app]]"));
        assert!(
            refused.contains(&format!("must be tables: write [[{}]]", list.rsplit('.').next().unwrap())),
            "{refused}"
        );
    }
}

#[test]
fn an_app_has_an_id() {
    assert!(complaint("id = \"web\"", "id = \"\"").contains("is empty"));
}
