//! The form of STS, in the query and in the body. Credentials come of one only if it shows a token, and says all
//! once.
//!
//! Input: `q` for the query or anything else for the body, and the form. In it `TOKEN` stands for somebody's
//! token, and `ROLE` for the role that it may have.

#![no_main]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use daypass_core::credentials::access_key::ALLOW_ALL;
use daypass_core::ground::clock::ManualClock;
use fuzz_support::NOW;
use fuzz_support::world::{ROLE_ARN, World};
use http::{Request, Uri};
use libfuzzer_sys::fuzz_target;

/// An installation, somebody's token in it, and how many more inputs it is for.
struct State {
    world: World,
    token: String,
    left: usize,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::new(fresh());
}

fn fresh() -> State {
    let world = World::new(Arc::new(ManualClock::at_second(NOW)), ALLOW_ALL);
    let (_, token) = world.somebody();
    State { world, token, left: 2_000 }
}

fuzz_target!(|input: &[u8]| {
    let Some((place, form)) = input.split_first() else { return };
    STATE.with_borrow_mut(|state| {
        if state.left == 0 {
            *state = fresh();
        }
        state.left -= 1;
        let form = String::from_utf8_lossy(form).replace("TOKEN", &state.token).replace("ROLE", ROLE_ARN);
        let mut sent = form.clone();
        let request = match place {
            b'q' => {
                let Ok(uri) = format!("/?{form}").parse::<Uri>() else { return };
                sent = uri.query().unwrap_or_default().to_owned();
                Request::get(uri).header("host", "login.fuzzed").body(Vec::new()).unwrap()
            }
            _ => Request::post("/")
                .header("host", "login.fuzzed")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form.into_bytes())
                .unwrap(),
        };
        let answer = state.world.ask(request);
        let (status, said) = (answer.status().as_u16(), String::from_utf8_lossy(answer.body()));
        assert!(status < 500, "{status} {said}");
        assert!(!said.contains(&state.token), "{said}");
        if status == 200 {
            let members: Vec<_> = form_urlencoded::parse(sent.as_bytes()).into_owned().collect();
            let names: BTreeSet<_> = members.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), members.len(), "a member that stands twice has two meanings: {sent}");
            let has = |name: &str, value: &str| members.contains(&(name.to_owned(), value.to_owned()));
            assert!(has("Action", "AssumeRoleWithWebIdentity"), "{sent}");
            assert!(has("WebIdentityToken", &state.token) && has("RoleArn", ROLE_ARN), "{sent}");
            assert!(said.contains("<SecretAccessKey>"), "{said}");
        }
    });
});
