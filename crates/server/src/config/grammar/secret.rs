//! Keys that say where a secret is.

use toml::Value;

use super::{Key, Kind};
use crate::config::MasterKeyReference;
use crate::config::store::StorePassword;
use crate::secrets::SecretReference;

/// A key whose value says where a secret is, and never is one.
pub(super) const fn secret(name: &'static str, about: &'static str) -> Key {
    Key::new::<SecretReference>(name, Kind::Secret, about).read_by(reference)
}

/// Whoever writes the secret itself where its reference belongs must not find it in a log.
pub(super) fn reference(value: &Value) -> Result<(), String> {
    let read = value.as_table().and_then(|_| value.clone().try_into::<SecretReference>().ok());
    read.map(drop).ok_or_else(|| PLACES.into())
}

const PLACES: &str = "say where the secret is: { file = \"…\" }, { env = \"…\" }, { ssm = \"…\" } or { secrets_manager = \"…\" }; the secret \
                      itself never stands here";

/// The same, or `{ aws = "iam" }`.
pub(super) fn store_password(value: &Value) -> Result<(), String> {
    let read = value.as_table().and_then(|_| value.clone().try_into::<StorePassword>().ok());
    read.map(drop).ok_or_else(|| {
        format!(
            "{PLACES}; for tokens of IAM to Amazon RDS and Aurora, and to DSQL, write {{ aws = \"iam\" }}"
        )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_writes_a_password_itself_does_not_find_it_in_a_log() {
        let told = |text: &str| store_password(&text.parse::<toml::Table>().unwrap()["password"]);
        for good in ["{ aws = \"iam\" }", "{ file = \"a\" }", "{ env = \"A\" }"] {
            assert_eq!(told(&format!("password = {good}")), Ok(()), "{good}");
        }
        for wrong in [
            "\"hunter2\"",
            "{ aws = \"hunter2\" }",
            "{ hunter2 = \"iam\" }",
            "{ aws = \"iam\", env = \"hunter2\" }",
        ] {
            let told = told(&format!("password = {wrong}")).unwrap_err();
            assert!(told.contains("{ aws = \"iam\" }") && !told.contains("hunter2"), "{told}");
        }
    }
}
