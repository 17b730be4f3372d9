//! What an `[[app]]` may say of its sessions.

use super::load;

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
