//! A session that `daypass-client` keeps, as the SDK's credentials. Its login goes the way of a browser, whose person allows
//! everything that is asked for.

use std::path::Path;
use std::sync::Arc;

use daypass_client::{Clock, Home, SessionName, TERMINAL};
use form_urlencoded::Serializer;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};

use crate::server::Daypass;

const REDIRECT_URI: &str = "http://127.0.0.1:1/callback";

/// The session of whoever uses this directory.
pub fn session(daypass: &Daypass, dir: &Path, clock: Arc<dyn Clock>) -> daypass_client::Daypass {
    let name = SessionName::new(daypass.says("server_url"), TERMINAL).unwrap();
    daypass_client::Daypass::of(name, Home::at(dir), clock)
}

/// Signs one of the sandbox's people in; their identity.
pub async fn sign_in(session: &daypass_client::Daypass, person: &str) -> String {
    let sign_in = session.begin_sign_in(REDIRECT_URI, Some("snapchat")).await.unwrap();
    let back = Browser::new().go_through(&sign_in.address(), person).await;
    let code = sign_in.code_of_query(back.query().unwrap()).unwrap();
    session.finish_sign_in(&sign_in, &code, "a test").await.unwrap().session.identity_id
}

struct Browser {
    http: Client,
    cookies: Vec<String>,
}

impl Browser {
    fn new() -> Self {
        Self {
            http: Client::builder().redirect(Policy::none()).no_proxy().build().unwrap(),
            cookies: Vec::new(),
        }
    }

    /// From the app's address to the one that the app has its answer at.
    async fn go_through(&mut self, address: &str, person: &str) -> Url {
        let mut address = Url::parse(address).unwrap();
        while !address.as_str().starts_with(REDIRECT_URI) {
            let answer = self.ask(&address, person).await;
            let location = answer.headers().get(LOCATION).expect("it leads on").to_str().unwrap();
            address = address.join(location).unwrap();
        }
        address
    }

    async fn ask(&mut self, address: &Url, person: &str) -> Response {
        let request = if address.path() == "/accounts/oauth2/auth" {
            consent(&self.http, address, person)
        } else {
            self.http.get(address.clone()).header(COOKIE, self.cookies.join("; "))
        };
        let answer = request.send().await.unwrap();
        let set = answer.headers().get_all(SET_COOKIE).iter();
        self.cookies.extend(set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap().to_owned()));
        answer
    }
}

/// The form of the consent page, filled in.
fn consent(http: &Client, address: &Url, person: &str) -> reqwest::RequestBuilder {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(address.query_pairs()).append_pair("person", person).append_pair("decision", "allow");
    let scope = address.query_pairs().find(|(name, _)| name == "scope").unwrap().1;
    form.extend_pairs(scope.split(' ').map(|scope| ("share", scope)));
    let post = http.post(address.as_str().split('?').next().unwrap());
    post.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
}
