//! Names that can change hands, and therefore identify nobody.

use crate::login::provider::definition::Definition;

/// What people choose for themselves, and may pass on, identifies nobody (docs/reference/providers.md, 1-6).
pub(super) fn never_a_mutable_name(definition: &Definition) -> Result<(), String> {
    let subjects = [
        definition.profile.as_ref().map(|profile| &profile.subject),
        definition.id_token.as_ref().map(|id_token| &id_token.subject),
        definition.signed_fields.as_ref().map(|signed| &signed.subject),
    ];
    for value in subjects.into_iter().flatten().flat_map(|subject| &subject.0) {
        let word = last_word(value.at.as_str());
        if is_mutable(word) {
            return Err(format!("subject: `{word}` can change hands; name the provider's stable ID"));
        }
    }
    Ok(())
}

/// The member that a pointer leads to: `emails` of `/emails/0/value`.
fn last_word(pointer: &str) -> &str {
    let says_nothing = |word: &str| {
        word.bytes().all(|byte| byte.is_ascii_digit())
            || ["value", "address", "text", "primary"].contains(&word.to_lowercase().as_str())
    };
    pointer.rsplit('/').find(|word| !says_nothing(word)).unwrap_or_default()
}

/// Whether a member is called like something that its owner can change, however it is spelled.
fn is_mutable(word: &str) -> bool {
    const WHOLE: [&str; 13] = [
        "login",
        "handle",
        "nick",
        "mail",
        "mails",
        "upn",
        "uniquename",
        "principal",
        "vanity",
        "slug",
        "alias",
        "name",
        "msisdn",
    ];
    const PARTS: [&str; 12] = [
        "email",
        "username",
        "screenname",
        "displayname",
        "nickname",
        "phone",
        "mobile",
        "principalname",
        "loginname",
        "vanityname",
        "fullname",
        "handlename",
    ];
    let folded: String = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WHOLE.contains(&folded.as_str()) || PARTS.iter().any(|part| folded.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_change_hands_identifies_nobody() {
        for pointer in [
            "/email",
            "/Email",
            "/emails/0/value",
            "/data/emailAddress",
            "/mail",
            "/upn",
            "/unique_name",
            "/uniqueName",
            "/phone",
            "/phone_number",
            "/phoneNumbers/0",
            "/principal",
            "/userPrincipalName",
            "/vanity",
            "/vanityName",
            "/slug",
            "/display name",
            "/displayName",
            "/preferredUsername",
            "/preferred_username",
            "/user-name",
            "/login",
            "/handle",
            "/nickName",
            "/data/screen_name",
            "/name",
        ] {
            assert!(is_mutable(last_word(pointer)), "{pointer}");
        }
        for pointer in
            ["/id", "/sub", "/data/user/id", "/login/uuid", "/emails/0/id", "/open_id", "/0/uid", ""]
        {
            assert!(!is_mutable(last_word(pointer)), "{pointer}");
        }
    }
}
