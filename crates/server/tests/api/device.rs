//! Devices without a browser: `/oauth2/device_authorization`, `/device`, and the grant at `/oauth2/token`.

mod begin;
mod decisions;
mod guesses;
mod pages;
mod polling;
mod sessions;

use http::Request;
use serde_json::Value;

use crate::harness::{Answer, Browser, Daypass, SERVER, parameter};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Two apps for devices: one with a name, and one that has none.
const APPS: &str = "[[app]]\nid = \"tv\"\nname = \"Films & <b>more</b>\"\norigins = []\nredirect_uris = []\n\
                    device_authorization = true\n\
                    [[app]]\nid = \"radio\"\norigins = []\nredirect_uris = []\ndevice_authorization = true\n";

async fn start() -> Daypass {
    Daypass::start().with_tables(APPS).await
}

fn form(path: &str, members: &[(&str, &str)]) -> Request<String> {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    request.body(body).unwrap()
}

async fn begin_with(daypass: &Daypass, members: &[(&str, &str)]) -> Answer {
    daypass.send(form("/oauth2/device_authorization", members)).await
}

/// A device of the app `tv` begins.
async fn begin(daypass: &Daypass) -> Value {
    let answer = begin_with(daypass, &[("client_id", "tv"), ("device", "Kitchen <tv>")]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

/// What a device asks with.
fn question<'a>(begun: &'a Value, client: &'a str) -> Vec<(&'static str, &'a str)> {
    let device_code = begun["device_code"].as_str().unwrap();
    vec![("grant_type", GRANT), ("client_id", client), ("device_code", device_code)]
}

async fn poll(daypass: &Daypass, begun: &Value) -> Answer {
    daypass.send(form("/oauth2/token", &question(begun, "tv"))).await
}

/// A device that was let signs its person in.
async fn redeem(daypass: &Daypass, begun: &Value) -> Value {
    let answer = poll(daypass, begun).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[track_caller]
fn assert_told(answer: &Answer, error: &str) {
    assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some(error)), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// A page on which the person is told why they get no further.
#[track_caller]
fn assert_page(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    assert!(answer.body.contains(&format!("<code>{code}</code>")), "{answer:?}");
}

/// Somebody with a browser.
struct Person<'a> {
    browser: Browser<'a>,
}

impl<'a> Person<'a> {
    fn new(daypass: &'a Daypass) -> Self {
        Self { browser: Browser::new(daypass) }
    }

    /// Sends a form of a page of ours.
    async fn send(&mut self, path: &str, members: &[(&str, &str)]) -> Answer {
        let mut request = form(path, members);
        request.headers_mut().insert("origin", SERVER.parse().unwrap());
        self.browser.send(request).await
    }

    async fn enter(&mut self, code: &str) -> Answer {
        self.send("/device", &[("user_code", code)]).await
    }

    /// Types the code of a device; answers the page with the providers.
    async fn review(&mut self, begun: &Value) -> Answer {
        let entered = self.enter(begun["user_code"].as_str().unwrap()).await;
        assert_eq!(entered.status, 303, "{entered:?}");
        let location = entered.header("location");
        assert!(location.starts_with("/device/login?device="), "{location}");
        self.browser.get(location).await
    }

    /// Goes to a provider; answers the address there.
    async fn start(&mut self, begun: &Value) -> String {
        let page = self.review(begun).await;
        let link = page.body.split("href=\"/login/snapchat?").nth(1).unwrap().split('"').next().unwrap();
        let answer = self.browser.get(&format!("/login/snapchat?{link}")).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Signs in; answers the page that asks.
    async fn sign_in(&mut self, begun: &Value) -> Answer {
        let location = self.start(begun).await;
        let callback = self.browser.consent(&location, "ada", "allow").await;
        let page = self.browser.get(&callback).await;
        assert_eq!(page.status, 200, "{page:?}");
        page
    }

    async fn decide(&mut self, page: &Answer, verdict: &str) -> Answer {
        self.send("/device/decision", &[("question", asked(page)), ("verdict", verdict)]).await
    }

    /// The whole way.
    async fn allow(&mut self, begun: &Value) {
        let page = self.sign_in(begun).await;
        let done = self.decide(&page, "allow").await;
        assert_eq!(done.status, 200, "{done:?}");
    }
}

/// What a page sends back with a decision.
fn asked(page: &Answer) -> &str {
    page.body.split("name=\"question\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// The ID that a page's address has.
async fn id_of(daypass: &Daypass, begun: &Value) -> String {
    let entered = Person::new(daypass).enter(begun["user_code"].as_str().unwrap()).await;
    parameter(entered.header("location"), "device")
}
