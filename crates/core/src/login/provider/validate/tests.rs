//! Contradictions and weak proofs, each refused with its cure.

use super::*;

fn mistake(block: &str) -> String {
    let usual = "name = \"A\"\nregister = \"Ask.\"\nid_scope = \"global\"\n";
    let block = format!("{usual}{block}").parse().unwrap();
    let refused = Definition::from_catalogue("of-our-own", block).err();
    refused.map(|error| error.to_string()).unwrap_or_default()
}

/// A provider of access tokens with this binding.
fn bound(binding: &str) -> String {
    mistake(&format!(
        "accept = [\"access_token\"]\n[profile]\nurl = \"https://a.example/me\"\nsubject = {{ at = \"/id\" }}\n\
         [binding]\n{binding}"
    ))
}

const INTROSPECT: &str = "kind = \"client_auth_endpoint\"\nauth = \"client_basic\"\nmethod = \"POST\"\n";

#[test]
fn a_binding_that_binds_nothing_is_refused() {
    let active = "success = [{ at = \"/active\", is = { equal = true } }]";
    let client = "client = { at = \"/client_id\" }";
    let user = "user = { at = \"/sub\" }";
    let url = "url = \"https://a.example/introspect\"";
    let form = "form = { token = \"{token}\" }";
    assert_eq!(bound(&format!("{INTROSPECT}{url}\n{form}\n{client}")), "");
    let of_our_client = "url = \"https://a.example/applications/{client_id}/token\"";
    let json = "json = { access_token = \"{token}\" }";
    assert_eq!(bound(&format!("{INTROSPECT}{of_our_client}\n{json}\n{user}")), "");

    let in_query = "url = \"https://a.example/introspect?client={client_id}\"";
    for says_nothing in [
        format!("{INTROSPECT}{url}\n{form}"),
        format!("{INTROSPECT}{url}\n{form}\n{active}"),
        format!("{INTROSPECT}{url}\n{form}\n{active}\n{user}"),
        format!("{INTROSPECT}{in_query}\n{form}\n{user}"),
        format!("{INTROSPECT}{of_our_client}\n{json}"),
    ] {
        assert!(
            bound(&says_nothing).contains("nothing says that the token is our client's"),
            "{says_nothing}"
        );
    }
    assert_ne!(bound(&format!("kind = \"endpoint\"\n{url}\n{user}")), "", "it names no client");
    for token_not_shown in [
        format!("{INTROSPECT}{url}\n{client}"),
        format!("kind = \"endpoint\"\nauth = \"none\"\n{url}\n{client}"),
    ] {
        assert!(bound(&token_not_shown).contains("binding: never shows the token"), "{token_not_shown}");
    }
}

#[test]
fn a_profile_is_asked_for_with_the_token() {
    let block = "accept = [\"access_token\"]\nbinding = { kind = \"none\" }\n[profile]\nauth = \"none\"\n\
                 url = \"https://a.example/me\"\nsubject = { at = \"/id\" }";
    assert!(mistake(block).contains("profile: never shows the token"));
}

#[test]
fn our_client_is_named_letter_by_letter() {
    let kakao = Definition::from_catalogue("kakao", toml::Table::new()).unwrap();
    let check = |client_id: &str, others: &[&str], app_id| {
        let others: Vec<String> = others.iter().map(|&id| id.to_owned()).collect();
        check_client(&kakao, client_id, &others, app_id).err().unwrap_or_default()
    };
    assert_eq!(check("ours", &["android"], Some("12")), "");
    for client_id in ["", " ", "*"] {
        assert!(check(client_id, &[], Some("12")).starts_with("client_id: "), "{client_id:?}");
        assert!(check("ours", &["android", client_id], Some("12")).starts_with("other_client_ids: "));
        assert!(check("ours", &[], Some(client_id)).starts_with("app_id: "));
    }
    assert!(check("ours", &[], None).contains("set app_id"));
}

const BY_CODE: &str = "accept = [\"code\"]\npkce = \"required\"\nbinding = { kind = \"none\" }\n[profile]\nurl = \"https://a.example/me\"\nsubject = { at = \"/id\" }\n";

#[test]
fn nothing_that_is_set_for_each_login_stands_in_the_block() {
    let start = |authorize: &str| {
        mistake(&format!(
            "{BY_CODE}[exchange]\nurl = \"https://a.example/token\"\nclient_auth = \"basic\"\n[authorize]\n{authorize}"
        ))
    };
    let url = "url = \"https://a.example/authorize?prompt=login#wechat\"";
    assert_eq!(start(&format!("{url}\nparameters = {{ response_mode = \"query\" }}")), "");
    for (name, rename) in
        [("client_id", ""), ("state", ""), ("appid", "\nrename = { client_id = \"appid\" }")]
    {
        let told = start(&format!("{url}\nparameters = {{ {name} = \"x\" }}{rename}"));
        assert!(told.contains(&format!("authorize.parameters: {name} is set for each login")), "{told}");
        let told = start(&format!("url = \"https://a.example/authorize?a=b&{name}=x\"{rename}"));
        assert!(told.contains(&format!("authorize.url: {name} is set for each login")), "{told}");
    }
    assert_eq!(
        start(&format!("{url}\nparameters = {{ client_id = \"x\" }}\nrename = {{ client_id = \"appid\" }}")),
        ""
    );
}

#[test]
fn what_servers_are_asked_has_no_fragment_and_no_secret_in_the_file() {
    let exchange = |exchange: &str| {
        mistake(&format!(
            "{BY_CODE}[authorize]\nurl = \"https://a.example/authorize\"\n[exchange]\nclient_auth = \"basic\"\n{exchange}"
        ))
    };
    let told = exchange("url = \"https://a.example/token#f\"");
    assert!(told.contains("exchange.url: must have no fragment"), "{told}");
    let url = "url = \"https://a.example/token\"";
    let told = exchange(&format!("{url}\nparameters = {{ client_secret = \"hunter2\" }}"));
    assert!(told.contains("a secret never stands in the file") && !told.contains("hunter2"), "{told}");
    assert_eq!(exchange(&format!("{url}\nparameters = {{ client_secret = \"{{client_secret}}\" }}")), "");
}

#[test]
fn what_is_wrong_with_a_subject_is_told() {
    for (subject, expected) in [("{ at = \"id\" }", "/"), ("{ at = \"/id\", type = \"int\" }", "integer")] {
        let told = mistake(&format!(
            "accept = [\"access_token\"]\nbinding = {{ kind = \"none\" }}\n[profile]\nurl = \"https://a.example/me\"\nsubject = {subject}"
        ));
        assert!(told.contains(expected) && !told.contains("untagged"), "{told}");
    }
}
