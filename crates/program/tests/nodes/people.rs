//! People at two nodes: the same everywhere, and signed out everywhere.

use serde_json::{Value, json};

use crate::database::store;
use crate::nodes::{Nodes, published, within_the_bound};
use crate::server::{Installation, Server};

/// With an app, whose people stay signed in.
fn nodes_with_an_app() -> Nodes {
    Nodes::of(with_an_app(Installation::new(&store())))
}

pub fn with_an_app(installation: Installation) -> Installation {
    let app =
        "[[app]]\nid = \"web\"\norigins = []\nredirect_uris = [\"https://app.example.com/signed-in\"]\n";
    installation.change("[[role]]", &format!("{app}[[role]]"));
    installation
}

fn form(node: &Server, path: &str, members: &[(&str, &str)]) -> (u16, Value) {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    node.post(path, "application/x-www-form-urlencoded", &body)
}

/// A session of somebody at an app.
pub fn sign_in(node: &Server, person: &str) -> Value {
    let (status, session) = form(
        node,
        "/oauth2/token",
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", "web"),
            ("subject_token", person),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_issuer", "fake"),
        ],
    );
    assert_eq!(status, 200, "{session}");
    session
}

pub fn refresh(node: &Server, refresh_token: &Value) -> (u16, Value) {
    let token = refresh_token.as_str().unwrap();
    form(
        node,
        "/oauth2/token",
        &[("grant_type", "refresh_token"), ("client_id", "web"), ("refresh_token", token)],
    )
}

/// What the access token of a session is answered.
pub fn credentials(node: &Server, session: &Value) -> u16 {
    node.credentials(&json!({"identity_id": session["identity_id"], "token": session["access_token"]})).0
}

#[test]
fn a_person_is_the_same_at_every_node_and_a_token_counts_at_every_node() {
    let nodes = Nodes::new(&store());
    let (status, here) = nodes.one.log_in("ada");
    assert_eq!(status, 200, "{here}");
    let (_, there) = nodes.two.log_in("ada");
    assert_eq!(
        (&there["identity_id"], &there["identity_pool_id"]),
        (&here["identity_id"], &here["identity_pool_id"])
    );
    for node in nodes.both() {
        assert_eq!((node.credentials(&here).0, node.credentials(&there).0), (200, 200));
    }
    assert_ne!(nodes.one.log_in("grace").1["identity_id"], here["identity_id"]);
    assert_eq!(published(&nodes.one).len(), 1, "who began at once made one key");
    assert_eq!(published(&nodes.one), published(&nodes.two));
}

#[test]
fn what_a_pool_is_set_to_counts_at_once_where_it_was_set_and_soon_elsewhere() {
    let nodes = Nodes::new(&store());
    let backend = nodes.backend();
    let pool = nodes.one.log_in("ada").1["identity_pool_id"].clone();
    let is_guest = |node: &Server| {
        let target = "application/x-amz-json-1.1\r\nX-Amz-Target: AWSCognitoIdentityService.GetId";
        match node.post("/", target, &json!({"IdentityPoolId": pool}).to_string()) {
            (200, _) => true,
            (400, refused) if refused["__type"] == "NotAuthorizedException" => false,
            other => panic!("{other:?}"),
        }
    };
    let set = |guests: bool| {
        let settings = json!({"IdentityPoolId": pool, "IdentityPoolName": "my-app", "AllowUnauthenticatedIdentities": guests,
                              "DeveloperProviderName": "login.example.com"});
        let set = backend.ask(nodes.one.address, "UpdateIdentityPool", &settings).unwrap();
        assert_eq!(set.status, 200, "{set:?}");
    };
    // Each node has read it in the other state just before.
    for guests in [true, false, true] {
        set(guests);
        assert_eq!(is_guest(&nodes.one), guests);
        within_the_bound(|| is_guest(&nodes.two) == guests);
    }
}

#[test]
fn whoever_is_revoked_at_one_node_is_it_at_the_other_at_once() {
    let nodes = Nodes::new(&store());
    for _ in 0..5 {
        let (_, ada) = nodes.one.log_in("ada");
        let (_, grace) = nodes.one.log_in("grace");
        for node in nodes.both() {
            assert_eq!(node.credentials(&ada).0, 200);
        }
        nodes.run(&["revoke", ada["identity_id"].as_str().unwrap()]);
        for node in nodes.both() {
            let (status, refused) = node.credentials(&ada);
            assert_eq!((status, &refused["__type"]), (400, &"NotAuthorizedException".into()), "{refused}");
            assert_eq!(node.credentials(&grace).0, 200, "nobody else is");
        }
    }
    // A token is as old as the second that it was issued in.
    let back = (0..100).any(|_| nodes.one.credentials(&nodes.two.log_in("ada").1).0 == 200);
    assert!(back, "no login counts after the revocation");
}

#[test]
fn who_signs_out_at_one_node_is_signed_out_at_the_other_at_once() {
    let nodes = nodes_with_an_app();
    let (one, two) = (&nodes.one, &nodes.two);
    let (phone, laptop) = (sign_in(one, "ada"), sign_in(two, "ada"));
    let grace = sign_in(one, "grace");
    for session in [&phone, &laptop] {
        assert_eq!((credentials(one, session), credentials(two, session)), (200, 200));
    }
    // This device, and then everywhere.
    let token = phone["refresh_token"].as_str().unwrap();
    assert_eq!(form(two, "/oauth2/revoke", &[("client_id", "web"), ("token", token)]).0, 200);
    assert_eq!((credentials(one, &phone), credentials(two, &phone)), (400, 400));
    assert_eq!((credentials(one, &laptop), credentials(two, &laptop)), (200, 200));
    let sessions = |node: &Server, method: &str, session: &Value| {
        let bearer = format!("Bearer {}", session["refresh_token"].as_str().unwrap());
        let request = http::Request::builder().method(method).uri("/v1/sessions");
        let request = request.header("host", "localhost").header("authorization", bearer);
        crate::asking::ask(node.address, &request.body(String::new()).unwrap()).unwrap()
    };
    let listed = sessions(two, "GET", &laptop).body;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(sessions(one, "DELETE", &laptop).status, 204);
    assert_eq!((credentials(one, &laptop), credentials(two, &laptop)), (400, 400));
    assert_eq!(refresh(two, &laptop["refresh_token"]).0, 400);
    assert_eq!((credentials(one, &grace), credentials(two, &grace)), (200, 200));
}

#[test]
fn a_session_goes_on_at_any_node_and_both_give_the_same_successor() {
    let nodes = nodes_with_an_app();
    let mut token = sign_in(&nodes.one, "ada")["refresh_token"].clone();
    for _ in 0..10 {
        let refreshed = std::thread::scope(|scope| {
            let asking = [0, 1, 0, 1].map(|node| {
                scope.spawn({
                    let (node, token) = (nodes.both()[node], &token);
                    move || refresh(node, token)
                })
            });
            asking.map(|asking| asking.join().unwrap())
        });
        for (status, session) in &refreshed {
            assert_eq!(
                (*status, &session["refresh_token"]),
                (200, &refreshed[0].1["refresh_token"]),
                "{session}"
            );
        }
        token = refreshed[0].1["refresh_token"].clone();
    }
}
