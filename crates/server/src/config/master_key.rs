//! Where a master key is: a secret like any other, or one that AWS KMS wrapped.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::secrets::{KmsKey, SecretReference};

/// As it stands in a configuration: the place, and beside it perhaps the KMS key that it is wrapped under.
#[derive(Debug, Clone)]
pub struct MasterKeyReference(pub SecretReference);

impl<'de> Deserialize<'de> for MasterKeyReference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut table = toml::Table::deserialize(deserializer)?;
        let kms = table.remove("kms");
        let at: SecretReference = table.try_into().map_err(|_| D::Error::custom(SAY_WHERE))?;
        let Some(kms) = kms else { return Ok(Self(at)) };
        // Somebody may have typed the key itself here, so it is not repeated.
        let kms = kms.as_str().and_then(KmsKey::parse).ok_or_else(|| D::Error::custom(NO_ARN))?;
        Ok(Self(SecretReference::Wrapped { at: Box::new(at), kms }))
    }
}

const SAY_WHERE: &str = "say where the secret is: { file = \"…\" }, { env = \"…\" }, { ssm = \"…\" } or \
                         { secrets_manager = \"…\" }, each with kms = \"…\" beside it if AWS KMS wrapped it; the secret itself \
                         never stands here";
const NO_ARN: &str =
    "kms must be the ARN of a KMS key or of an alias: arn:aws:kms:REGION:ACCOUNT:key/… or …:alias/…";
