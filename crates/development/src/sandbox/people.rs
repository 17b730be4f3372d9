//! The people who have an account at the sandbox. They and their IDs are the same after every restart,
//! so that an identity made yesterday is found again today.

use aws_lc_rs::digest::{SHA256, digest};
use base64::prelude::{BASE64_STANDARD, Engine};

/// Somebody with an account.
#[derive(Debug)]
pub struct Person {
    /// What a form calls this person.
    pub id: &'static str,
    /// The display name.
    pub name: &'static str,
    /// Whether the profile query works. An app that awaits review may read the profiles of its demo
    /// users only; for anybody else the sign-in succeeds and the query answers with an error.
    pub is_demo_user: bool,
    pub(super) portrait: Portrait,
}

/// The colours and the hair of an avatar.
#[derive(Debug)]
pub(super) struct Portrait {
    pub(super) background: &'static str,
    pub(super) skin: &'static str,
    pub(super) hair: &'static str,
    pub(super) shirt: &'static str,
    pub(super) has_long_hair: bool,
}

/// Everybody.
pub static PEOPLE: [Person; 5] = [
    Person {
        id: "ada",
        name: "Ada",
        is_demo_user: true,
        portrait: Portrait {
            background: "#ffd34d",
            skin: "#f4c9a4",
            hair: "#4a2c20",
            shirt: "#6a4fb3",
            has_long_hair: true,
        },
    },
    Person {
        id: "grace",
        name: "Grace",
        is_demo_user: true,
        portrait: Portrait {
            background: "#9ad9c0",
            skin: "#f0c09a",
            hair: "#8f8f99",
            shirt: "#1f3a68",
            has_long_hair: true,
        },
    },
    Person {
        id: "alan",
        name: "Alan",
        is_demo_user: true,
        portrait: Portrait {
            background: "#a9c8f5",
            skin: "#f6d2b3",
            hair: "#2f2a28",
            shirt: "#7a3b2e",
            has_long_hair: false,
        },
    },
    // A name beyond ASCII, for whoever would put it in a header or a file name.
    Person {
        id: "zoe",
        name: "Zoë Đặng",
        is_demo_user: true,
        portrait: Portrait {
            background: "#f6b6c3",
            skin: "#c98f63",
            hair: "#1d1a1f",
            shirt: "#0f7a6c",
            has_long_hair: true,
        },
    },
    Person {
        id: "oscar",
        name: "Oscar",
        is_demo_user: false,
        portrait: Portrait {
            background: "#cfcbd6",
            skin: "#8d5b3c",
            hair: "#161214",
            shirt: "#b3372f",
            has_long_hair: false,
        },
    },
];

impl Person {
    pub(super) fn find(id: &str) -> Option<&'static Self> {
        PEOPLE.iter().find(|person| person.id == id)
    }

    /// The ID that one app knows this person by: base64 with padding, so `+`, `/` and `=` occur in it,
    /// and another for each app.
    #[must_use]
    pub fn external_id(&self, client_id: &str) -> String {
        // Of all labels this one puts both `+` and `/` into Ada's ID at the app under development.
        let source = format!("snap external id 3\0{client_id}\0{}", self.id);
        BASE64_STANDARD.encode(digest(&SHA256, source.as_bytes()))
    }

    pub(super) fn bitmoji_id(&self) -> String {
        format!("bitmoji-{}", self.id)
    }

    pub(super) fn avatar_path(&self) -> String {
        format!("/avatars/{}.svg", self.id)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::client::{DAYPASS_DEMO_CLIENT_ID, OTHER_GAMES_CLIENT_ID};
    use super::*;

    #[test]
    fn every_person_has_another_id_at_each_app() {
        let ids: HashSet<String> = PEOPLE
            .iter()
            .flat_map(|person| {
                [DAYPASS_DEMO_CLIENT_ID, OTHER_GAMES_CLIENT_ID].map(|app| person.external_id(app))
            })
            .collect();
        assert_eq!(ids.len(), 2 * PEOPLE.len());
    }

    #[test]
    fn ids_never_change_and_hold_the_awkward_characters_of_base64() {
        let id = PEOPLE[0].external_id(DAYPASS_DEMO_CLIENT_ID);
        assert_eq!(id, "6Wb4xAG6hQwofI5BVIXN7lap+SdaluC/4JjlCAe2kPs=");
    }
}
