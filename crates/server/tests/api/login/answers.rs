//! Answers of providers, and what looks like one: of another browser, another flow, another provider, changed, too
//! late, or once more. None of these leads to a code, or to anywhere else.

use daypass_core::ground::clock::SignedDuration;
use daypass_core::ground::outbound::ProviderHttpError;
use http::Request;

use crate::harness::{APP_REDIRECT_URI, Answer, BrokenAnswer, Browser, Daypass, TOKEN, Wishes, parameter};

#[track_caller]
fn assert_lost(answer: &Answer) {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.header("location"), "");
    assert!(answer.body.contains("<code>login_not_found</code>"), "{answer:?}");
}

#[tokio::test]
async fn a_login_that_another_browser_started_is_nobodys() {
    let daypass = Daypass::start().await;
    let (mut attacker, mut victim) = (Browser::new(&daypass), Browser::new(&daypass));
    let callback = attacker.come_back(&Wishes::new()).await;
    assert_lost(&victim.get(&callback).await);

    // A login of their own under way does not help.
    victim.start("snapchat", &Wishes::new()).await;
    assert_lost(&victim.get(&callback).await);

    // Neither does the victim's cookie under the name of the attacker's.
    let name = attacker.cookies.keys().next().unwrap().clone();
    let own = victim.cookies.values().next().unwrap().clone();
    victim.cookies.insert(name, own);
    assert_lost(&victim.get(&callback).await);
}

#[tokio::test]
async fn to_look_ahead_spends_nothing() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    for path in [callback.as_str(), "/login/snapchat", "/?Action=GetCallerIdentity&Version=2011-06-15"] {
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let head = Request::head(path).header("cookie", cookies.join("; ")).body(String::new()).unwrap();
        assert_eq!(daypass.send(head).await.status, 405, "{path}");
    }
    assert_eq!(browser.get(&callback).await.status, 303, "the login is still there");
}

#[tokio::test]
async fn a_code_of_one_login_does_not_end_another() {
    let daypass = Daypass::start().await;
    let (mut attacker, mut victim) = (Browser::new(&daypass), Browser::new(&daypass));
    let stolen = parameter(&attacker.come_back(&Wishes::new()).await, "code");
    let state = parameter(&victim.come_back(&Wishes::new()).await, "state");
    let answer = victim.get(&format!("/login/snapchat/callback?state={state}&code={stolen}")).await;
    // The provider refuses the code, because it hears this login's verifier.
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.body.contains("<code>proof_refused</code>"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_at_another_providers_address_is_lost() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    let mixed_up = callback.replace("/login/snapchat/", "/login/snapchat-token/");
    assert_lost(&browser.get(&mixed_up).await);
    assert_eq!(browser.get(&callback).await.status, 303);
}

#[tokio::test]
async fn a_changed_cookie_or_state_opens_nothing() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    let (name, good) = browser.cookies.iter().next().map(|(n, v)| (n.clone(), v.clone())).unwrap();
    for at in [0, 20, good.len() / 2, good.len() - 2] {
        let mut changed = good.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        browser.cookies.insert(name.clone(), String::from_utf8(changed).unwrap());
        assert_lost(&browser.get(&callback).await);
    }
    browser.cookies.insert(name, good);
    let state = parameter(&callback, "state");
    // The name of the cookie is the beginning of the state; the seal holds it to the rest.
    let other_end = format!("{}{}", &state[..42], if state.ends_with('A') { 'B' } else { 'A' });
    assert_lost(&browser.get(&callback.replace(&state, &other_end)).await);
    assert_eq!(browser.get(&callback).await.status, 303);
}

#[tokio::test]
async fn an_answer_counts_once_even_with_the_cookie_it_had() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    let cookies = browser.cookies.clone();
    assert_eq!(browser.get(&callback).await.status, 303);
    assert_lost(&browser.get(&callback).await);
    browser.cookies = cookies;
    assert_lost(&browser.get(&callback).await);
}

#[tokio::test]
async fn an_answer_that_takes_ten_minutes_is_too_late() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &Wishes::new()).await;
    daypass.advance(SignedDuration::from_secs(599));
    let callback = browser.consent(&location, "ada", "allow").await;
    daypass.advance(SignedDuration::from_secs(1));
    assert_lost(&browser.get(&callback).await);
}

#[tokio::test]
async fn an_answer_without_a_state_of_ours() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    browser.start("snapchat", &Wishes::new()).await;
    for query in
        ["", "code=x", "state=&code=x", "state=ü&code=x", &format!("state={}&code=x", "s".repeat(43))]
    {
        assert_lost(&browser.get(&format!("/login/snapchat/callback?{query}")).await);
    }
}

#[tokio::test]
async fn an_answer_as_a_form_is_held_to_the_same_cookie() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    let (path, form) = callback.split_once('?').unwrap();
    let (name, value) = browser.cookies.iter().next().unwrap();
    let post = |cookie: &str| {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        request.header("cookie", cookie).body(form.to_owned()).unwrap()
    };
    assert_lost(&daypass.send(post("a=b")).await);
    let answer = daypass.send(post(&format!("{name}={value}"))).await;
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[tokio::test]
async fn a_form_that_is_too_long() {
    let daypass = Daypass::start().await;
    let request =
        Request::post("/login/snapchat/callback").body(format!("x={}", "y".repeat(8 * 1024))).unwrap();
    assert_eq!(daypass.send(request).await.status, 413);
}

#[tokio::test]
async fn a_person_who_says_no_may_try_again_or_go_back() {
    let daypass = Daypass::start().await;
    let wishes = Wishes::new();
    let mut browser = Browser::new(&daypass);
    let location = browser.start("snapchat", &wishes).await;
    let callback = browser.consent(&location, "ada", "deny").await;
    let answer = browser.get(&callback).await;

    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(answer.body.contains("<h1>You are not signed in</h1>"), "{answer:?}");
    let back = format!(
        "{APP_REDIRECT_URI}?error=access_denied&#38;iss=http%3A%2F%2F127.0.0.1%3A9400&#38;state=the%20app%27s%20%26%20own"
    );
    assert!(answer.body.contains(&format!("href=\"{back}\"")), "{answer:?}");
    assert!(answer.body.contains("href=\"/login/snapchat?app=shop&#38;redirect_uri="), "{answer:?}");
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn the_words_of_a_providers_error_are_not_repeated() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let state = parameter(&browser.start("snapchat", &Wishes::new()).await, "state");
    let markup = "%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    let query =
        format!("state={state}&error={markup}&error_description={markup}&error_uri=https://evil.example");
    let answer = browser.get(&format!("/login/snapchat/callback?{query}")).await;
    assert_eq!(answer.status, 502, "{answer:?}");
    assert!(answer.body.contains("error=server_error"), "{answer:?}");
    for word in ["alert", "evil.example", "<script"] {
        assert!(!answer.body.contains(word), "{word}: {answer:?}");
    }
}

#[tokio::test]
async fn a_provider_that_is_down_is_not_the_persons_fault() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    daypass.provider.break_with(BrokenAnswer { path: TOKEN, answer: || Err(ProviderHttpError::TimedOut) });
    let answer = browser.get(&callback).await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{answer:?}");
    assert!(answer.body.contains("Snapchat does not answer"), "{answer:?}");
    assert!(answer.body.contains("error=temporarily_unavailable"), "{answer:?}");
}

#[tokio::test]
async fn an_answer_with_neither_code_nor_error() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let state = parameter(&browser.start("snapchat", &Wishes::new()).await, "state");
    for query in [format!("state={state}"), format!("state={state}&code=")] {
        let answer = browser.get(&format!("/login/snapchat/callback?{query}")).await;
        assert_ne!(answer.status, 303, "{answer:?}");
    }
}

#[tokio::test]
async fn a_code_of_the_hosted_login_is_not_taken_past_it() {
    let daypass = Daypass::start().await;
    let callback = Browser::new(&daypass).come_back(&Wishes::new()).await;
    let body = serde_json::json!({"provider": "snapchat", "code": parameter(&callback, "code"),
        "code_verifier": "v".repeat(43), "redirect_uri": format!("{}/login/snapchat/callback", crate::harness::SERVER)});
    daypass.exchange(&body).await.assert_problem(400, "redirect_uri_not_registered");
}

#[tokio::test]
async fn no_refusal_repeats_a_code_a_state_or_a_cookie() {
    let daypass = Daypass::start().await;
    let mut browser = Browser::new(&daypass);
    let callback = browser.come_back(&Wishes::new()).await;
    let (code, state) = (parameter(&callback, "code"), parameter(&callback, "state"));
    let cookie = browser.cookies.values().next().unwrap().clone();
    browser.get(&callback.replace("snapchat", "snapchat-token")).await;
    browser.get(&format!("{callback}x")).await;
    for refusal in daypass.refusals() {
        for secret in [&code, &state, &cookie] {
            assert!(!refusal.contains(secret.as_str()), "{refusal}");
        }
    }
}
