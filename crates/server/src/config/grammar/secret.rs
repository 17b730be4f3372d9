//! Keys that say where a secret is.

use toml::Value;

use super::{Key, Kind};
use crate::config::MasterKeyReference;
use crate::secrets::SecretReference;

/// A key whose value says where a secret is, and never is one.
pub(super) const fn secret(name: &'static str, about: &'static str) -> Key {
    Key::new::<SecretReference>(name, Kind::Secret, about).read_by(reference)
}

/// Whoever writes the secret itself where its reference belongs must not find it in a log.
pub(super) fn reference(value: &Value) -> Result<(), String> {
    let read = value.as_table().and_then(|_| value.clone().try_into::<SecretReference>().ok());
    read.map(drop).ok_or_else(|| {
        "say where the secret is: { file = \"…\" }, { env = \"…\" }, { ssm = \"…\" } or { secrets_manager = \"…\" }; \
         the secret itself never stands here"
            .into()
    })
}

pub(super) fn master_key(value: &Value) -> Result<(), String> {
    // A text that stands here may be the key itself: the type of what was expected is all that is told.
    let table = value.as_table().cloned().unwrap_or_default();
    super::can_be::<MasterKeyReference>(&Value::Table(table))
}

pub(super) fn master_keys(value: &Value) -> Result<(), String> {
    value.as_array().ok_or("must be references to secrets, in brackets")?.iter().try_for_each(master_key)
}
