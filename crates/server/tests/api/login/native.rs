//! Apps that are no pages: those that the system hands their own scheme to, and those that listen on their own machine
//! (RFC 8252 section 7).

use serde_json::json;

use crate::harness::{Browser, Daypass, Wishes, parameter};

const APP: &str = "[[app]]\nid = \"native\"\nname = \"Native Notes\"\norigins = []\n\
                   redirect_uris = [\"com.example.notes:/signed-in\", \"http://127.0.0.1/cb\"]\n";
const OWN_SCHEME: &str = "com.example.notes:/signed-in";

fn wishes(redirect_uri: &str) -> Wishes {
    Wishes::new().with("app", "native").with("redirect_uri", redirect_uri)
}

#[tokio::test]
async fn a_login_comes_back_to_an_apps_own_scheme() {
    let daypass = Daypass::start().with_tables(APP).await;
    let wishes = wishes(OWN_SCHEME);
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&wishes).await;
    let back = browser.get(&callback).await.header("location").to_owned();
    assert!(back.starts_with("com.example.notes:/signed-in?code="), "{back}");
    let answer = daypass.exchange(&wishes.redemption(&parameter(&back, "code"))).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[tokio::test]
async fn a_person_who_says_no_goes_back_to_an_apps_own_scheme() {
    let daypass = Daypass::start().with_tables(APP).await;
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &wishes(OWN_SCHEME)).await;
    let callback = browser.consent(&location, "ada", "deny").await;
    let answer = browser.get(&callback).await;
    assert!(
        answer.body.contains("href=\"com.example.notes:/signed-in?error=access_denied&#38;"),
        "{answer:?}"
    );
    assert!(answer.body.contains(">Back to Native Notes</a>"), "{answer:?}");
}

#[tokio::test]
async fn a_program_listens_at_the_port_that_it_got_and_its_code_is_bound_to_it() {
    let daypass = Daypass::start().with_tables(APP).await;
    let wishes = wishes("http://127.0.0.1:49152/cb");
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    assert_eq!(daypass.exchange(&wishes.redemption(&code)).await.status, 200);
    let code = Browser::new(&daypass).sign_in(&wishes).await;
    let at_another = wishes.with("redirect_uri", "http://127.0.0.1:49153/cb");
    let answer = daypass.exchange(&at_another.redemption(&code)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.json()["code"].clone()),
        (401, "login_code_refused".into()),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_code_of_a_providers_own_may_come_from_every_port() {
    let daypass = Daypass::start().with_tables(APP).await;
    for (uri, expected) in [
        ("http://127.0.0.1:49152/cb", "proof_refused"),
        (OWN_SCHEME, "proof_refused"),
        ("http://127.0.0.1:49152/other", "redirect_uri_not_registered"),
        ("http://localhost:49152/cb", "redirect_uri_not_registered"),
    ] {
        let proof = json!({"provider": "snapchat", "code": "c", "code_verifier": "v".repeat(43), "redirect_uri": uri});
        assert_eq!(daypass.exchange(&proof).await.json()["code"], expected, "{uri}");
    }
}

#[tokio::test]
async fn an_app_without_a_window_gets_no_message() {
    let daypass = Daypass::start().with_tables(APP).await;
    let wishes = wishes(OWN_SCHEME).with("response_mode", "web_message");
    let answer = Browser::new(&daypass).get(&format!("/login?{}", wishes.query())).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("needs a redirect_uri of http or https"), "{answer:?}");
}
