//! Which class of OCSF each action is one of, and which of its activities. `docs/export-the-trail.md` has the table for whoever
//! searches.

use daypass_core::audit::AuditAction;

/// A class of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    AccountChange,
    Authentication,
    EntityManagement,
    ApiActivity,
}

impl Class {
    /// The category's number, and its name.
    pub(super) fn category(self) -> (u32, &'static str) {
        match self {
            Self::AccountChange | Self::Authentication | Self::EntityManagement => {
                (3, "Identity & Access Management")
            }
            Self::ApiActivity => (6, "Application Activity"),
        }
    }

    /// Its number, and its name.
    pub(super) fn uid(self) -> (u32, &'static str) {
        match self {
            Self::AccountChange => (3001, "Account Change"),
            Self::Authentication => (3002, "Authentication"),
            Self::EntityManagement => (3004, "Entity Management"),
            Self::ApiActivity => (6003, "API Activity"),
        }
    }

    /// The profile by which an event of the class has an actor, where it has none by itself.
    pub(super) fn profile_of_actors(self) -> Option<&'static str> {
        (self == Self::EntityManagement).then_some("host")
    }
}

/// What happened, in the words of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Activity {
    pub class: Class,
    pub id: u32,
    pub name: &'static str,
}

/// The number of what a class has no word for: the name is then the source's own.
const OTHER: u32 = 99;

/// The activity that an action is.
pub(super) fn of(action: AuditAction) -> Activity {
    use AuditAction as Action;
    use Class::{AccountChange, ApiActivity, Authentication, EntityManagement};
    let (class, id, name) = match action {
        Action::SignIn | Action::Exchange => (Authentication, 1, "Logon"),
        Action::SignOut | Action::Revoke => (Authentication, 2, "Logoff"),
        Action::Device | Action::Refresh => (Authentication, OTHER, action.name()),
        Action::Link | Action::Logins => (AccountChange, OTHER, action.name()),
        Action::Delete => (AccountChange, 6, "Delete"),
        Action::Token | Action::Credentials | Action::Assume => (ApiActivity, 1, "Create"),
        Action::ApiRequest | Action::S3Request => (ApiActivity, OTHER, action.name()),
        Action::Pool | Action::Role => (EntityManagement, OTHER, action.name()),
        Action::CreateKey | Action::RotateKey | Action::RotateSigningKey => (EntityManagement, 1, "Create"),
        Action::Backup => (EntityManagement, 2, "Read"),
        Action::Restore | Action::RotateMasterKey | Action::TakeOver => (EntityManagement, 3, "Update"),
        Action::DeleteKey => (EntityManagement, 4, "Delete"),
        Action::EnableKey => (EntityManagement, 8, "Enable"),
        Action::DisableKey => (EntityManagement, 9, "Disable"),
    };
    Activity { class, id, name }
}
