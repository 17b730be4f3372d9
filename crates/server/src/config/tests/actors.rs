//! What an `[[actor]]` may say.

use super::{complaint, load};

const PROVIDER: &str = "id = \"google\"\nclient_id = \"ours\"\nclient_secret = { file = \"SECRET\" }";

/// The good configuration with a provider of services and these tables behind it.
fn with(tables: &str) -> (String, String) {
    let place = "[[app]]\n    id = \"web\"";
    (place.to_owned(), format!("[[provider]]\n{PROVIDER}\n{tables}\n{place}"))
}

fn actor(id: &str, provider: &str, subject: &str, apps: &str) -> String {
    format!("[[actor]]\nid = {id:?}\nprovider = {provider:?}\nsubject = {subject:?}\napps = [{apps}]\n")
}

const TAG: &str = "[pool.principal_tags]\nacting = \"{actor}\"\n";

#[test]
fn an_actor_is_a_login_of_a_provider_and_acts_for_people_of_some_apps() {
    let two = actor("mailer", "google", "1", "\"web\"") + &actor("cron-2", "google", "2", "\"web\"");
    let (from, to) = with(&(TAG.to_owned() + &two));
    load(&from, &to).unwrap();
}

#[test]
fn an_actor_that_could_be_none_is_refused() {
    let good = actor("mailer", "google", "1", "\"web\"");
    for (tables, expected) in [
        (TAG.to_owned() + &actor("mailer", "nobody", "1", "\"web\""), "\"nobody\" is no [[provider]]"),
        (TAG.to_owned() + &actor("mailer", "snapchat", "1", "\"web\""), "\"snapchat\" has no ID tokens"),
        (TAG.to_owned() + &actor("mailer", "google", "", "\"web\""), "subject: is empty"),
        (TAG.to_owned() + &actor("mailer", "google", "1", ""), "apps: is empty"),
        (TAG.to_owned() + &actor("mailer", "google", "1", "\"app\""), "\"app\" is no [[app]]"),
        (TAG.to_owned() + &actor("The Mailer", "google", "1", "\"web\""), "must match [a-z0-9._-]{1,64}"),
        (TAG.to_owned() + &good + &actor("mailer", "google", "2", "\"web\""), "id: stands there twice"),
        (TAG.to_owned() + &good + &actor("other", "google", "1", "\"web\""), "subject: stands there twice"),
        (good.clone(), "add actor = \"{actor}\" to [pool.principal_tags]"),
    ] {
        let (from, to) = with(&tables);
        let complaint = complaint(&from, &to);
        assert!(complaint.contains(expected), "{complaint}");
    }
}

#[test]
fn a_provider_for_actors_alone_has_one() {
    let only = PROVIDER.replace("client_id", "only_actors = true\nclient_id");
    let (from, to) = with(&(TAG.to_owned() + &actor("mailer", "google", "1", "\"web\"")));
    load(&from, &to.replace(PROVIDER, &only)).unwrap();
    let (from, to) = with("");
    let complaint = complaint(&from, &to.replace(PROVIDER, &only));
    assert!(complaint.contains("only_actors: no [[actor]] names this provider"), "{complaint}");
}
