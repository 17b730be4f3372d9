//! The reference: that it has every route and every parameter, and that what holds it against the server notices what is
//! not so. Each request that another test sends to [`Daypass`] is held against it, too.

use std::collections::BTreeSet;
use std::path::Path;

use http::Request;
use serde_json::{Value, json};

use crate::harness::reference::{Asked, DOCUMENT, PARTS_OF_PAGES};
use crate::harness::schema::faults;
use crate::harness::{Answer, Daypass, exchange_request};
use crate::matrix::routes;

/// Parameters that are read to be refused.
const REFUSED: [&str; 7] =
    ["audience", "dpop_jkt", "max_age", "prompt", "request", "request_uri", "resource"];

fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

#[test]
fn every_route_is_in_the_document_and_every_operation_is_a_route() {
    let mut routes = routes(include_str!("../../src/routes.rs"));
    // The AWS API is in Amazon's models.
    for other in ["GET /", "POST /"]
        .map(str::to_owned)
        .into_iter()
        .chain(PARTS_OF_PAGES.map(|path| format!("GET {path}")))
    {
        assert!(routes.remove(&other), "{other} is no route");
    }
    let described = operations().map(|(method, path, _)| {
        let path = path.replace("/sdk/{version}/{file}", "/sdk/{*path}");
        format!("{} {path}", method.to_uppercase())
    });
    assert_eq!(described.collect::<BTreeSet<_>>(), routes);
}

#[test]
fn every_parameter_that_is_read_is_in_the_document_and_the_other_way_round() {
    let sources = sources();
    let read: BTreeSet<&str> = sources.iter().flat_map(|source| read_parameters(source)).collect();
    let mut known: BTreeSet<&str> =
        operations().flat_map(|(_, _, operation)| parameters(operation)).collect();
    assert!(REFUSED.iter().all(|name| known.insert(name)), "what is refused is offered");
    assert_eq!(read, known);
}

/// Whatever reads a form or a query.
fn sources() -> Vec<String> {
    let routes = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes");
    let of_oauth = std::fs::read_dir(routes.join("oauth")).unwrap().map(|entry| entry.unwrap().path());
    of_oauth
        .chain([routes.join("login.rs"), routes.join("device.rs")])
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

/// The names that stand in calls which read a parameter.
fn read_parameters(source: &str) -> impl Iterator<Item = &str> {
    let calls = ["take(\"", "perhaps(\"", "has(\"", "session_token(\"", "remove(\"", "form.get(\""];
    calls.into_iter().flat_map(move |call| {
        source.match_indices(call).map(move |(at, _)| source[at + call.len()..].split('"').next().unwrap())
    })
}

/// The names of an operation's parameters in query and form.
fn parameters(operation: &'static Value) -> Vec<&'static str> {
    let in_query = operation["parameters"].as_array().into_iter().flatten();
    let in_query =
        in_query.filter(|parameter| parameter["in"] == "query").map(|parameter| &parameter["name"]);
    let form = &operation["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    let forms = form["anyOf"].as_array().into_iter().flatten().chain([form]);
    let schemas =
        forms.filter_map(|form| form["$ref"].as_str()).map(|path| DOCUMENT.pointer(&path[1..]).unwrap());
    let in_forms =
        schemas.flat_map(|schema| schema["properties"].as_object().unwrap().keys().map(String::as_str));
    in_query.map(|name| name.as_str().unwrap()).chain(in_forms).collect()
}

#[test]
fn the_examples_are_what_they_are_examples_of() {
    let mut seen = 0;
    for (method, path, operation) in operations() {
        let answers = operation["responses"].as_object().unwrap().values();
        for content in
            answers.filter_map(|answer| answer["content"].as_object()).flat_map(|content| content.values())
        {
            let Some(example) = content.get("example") else { continue };
            assert_eq!(faults(&DOCUMENT, &content["schema"], example), [""; 0], "{method} {path}");
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

#[test]
#[should_panic(expected = "`maxLength` is not known here")]
fn a_rule_that_nobody_looks_at_is_none() {
    faults(&DOCUMENT, &json!({"type": "string", "maxLength": 1}), &json!("text"));
}

async fn an_exchange(daypass: &Daypass) -> (Value, Answer) {
    let body = daypass.sign_in("ada").await.proof();
    let answer = daypass.exchange(&body).await;
    (body, answer)
}

fn found(request: &Request<String>, answer: &Answer) -> Vec<String> {
    Asked::of(request).unwrap().faults(answer)
}

#[tokio::test]
async fn an_answer_that_is_not_as_the_document_says_is_noticed() {
    let daypass = Daypass::start().await;
    let (body, answer) = an_exchange(&daypass).await;
    let request = exchange_request(body.to_string());
    assert_eq!(found(&request, &answer), [""; 0]);
    let edited = |edit: &dyn Fn(&mut Value)| {
        let mut body = answer.json();
        edit(&mut body);
        Answer { status: answer.status, headers: answer.headers.clone(), body: body.to_string() }
    };
    for (what, told) in [
        (edited(&|body| body["more"] = 1.into()), ": more is not declared"),
        (edited(&|body| body["user"]["email"] = "a@b".into()), "/user: email is not declared"),
        (edited(&|body| body["token"] = Value::Null), "/token: null is not type \"string\""),
        (
            edited(&|body| body["expires_at"] = "soon".into()),
            "/expires_at: \"soon\" is not format \"date-time\"",
        ),
        (edited(&|body| drop(body.as_object_mut().unwrap().remove("region"))), ": no \"region\""),
    ] {
        assert_eq!(found(&request, &what), [told]);
    }
}

const PROBLEM: &str = "application/problem+json";

#[tokio::test]
async fn a_refusal_that_is_not_as_the_document_says_is_noticed() {
    let daypass = Daypass::start().await;
    let request = exchange_request("{}".to_owned());
    let refused = daypass.send(exchange_request("{}".to_owned())).await;
    assert_eq!(found(&request, &refused), [""; 0]);
    let edited = |status: u16, media_type: &'static str, code: &str| {
        let mut headers = refused.headers.clone();
        headers.insert("content-type", media_type.parse().unwrap());
        let mut body = refused.json();
        body["code"] = code.into();
        Answer { status: status.try_into().unwrap(), headers, body: body.to_string() }
    };
    for (what, told) in [
        (edited(402, PROBLEM, "malformed_request"), "status 402 Payment Required is not declared"),
        (
            edited(400, "application/json", "malformed_request"),
            "content of the type application/json is not declared",
        ),
        (edited(503, PROBLEM, "server_busy"), "no Retry-After"),
    ] {
        assert_eq!(found(&request, &what), [told]);
    }
    let [told] = &found(&request, &edited(400, PROBLEM, "something_new"))[..] else { panic!("one fault") };
    assert!(told.starts_with("/code: \"something_new\" is not enum ["), "{told}");
}

#[tokio::test]
async fn a_request_that_is_granted_and_not_in_the_document_is_noticed() {
    let daypass = Daypass::start().await;
    let (mut body, answer) = an_exchange(&daypass).await;
    body["wish"] = 1.into();
    assert_eq!(found(&exchange_request(body.to_string()), &answer), [": wish is not declared"]);

    let granted = Answer { body: json!({}).to_string(), ..answer };
    let form = "grant_type=refresh_token&refresh_token=dpr_";
    let told = found(&Request::post("/oauth2/token").body(form.to_owned()).unwrap(), &granted);
    assert!(told.iter().any(|fault| fault.contains("no \\\"client_id\\\"")), "{told:?}");
    let told = found(&Request::get("/login?app=shop").body(String::new()).unwrap(), &granted);
    assert!(told.contains(&"redirect_uri was not needed".to_owned()), "{told:?}");
}
