//! How people are named in a pool: the developer user identifier.

use serde::Deserialize;

use super::error::ProofError;

/// What stands between a provider's ID and an external ID. No provider's ID holds it.
const SEPARATOR: char = ':';

/// How the developer user identifier of a provider's people is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Identifier {
    /// The provider's ID before the external ID, so that several providers share the one developer provider that a
    /// pool has.
    #[default]
    #[serde(rename = "{provider}:{subject}")]
    Prefixed,
    /// The external ID alone, as pools have it that were filled by somebody else. One provider of a configuration
    /// may be written so: two could have one ID for two people.
    #[serde(rename = "{subject}")]
    Bare,
}

impl Identifier {
    /// The identifier of a person. A bare one never holds what stands in every other one, so that no provider, be it
    /// configured today, before or later, can name another one's people.
    pub(super) fn write(self, provider: &str, external_id: &str) -> Result<String, ProofError> {
        match self {
            Self::Prefixed => Ok(format!("{provider}{SEPARATOR}{external_id}")),
            Self::Bare if external_id.contains(SEPARATOR) => Err(ProofError::SubjectAmbiguous),
            Self::Bare => Ok(external_id.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_identifier_is_nobody_elses() {
        assert_eq!(Identifier::Prefixed.write("slack", "U1:T1").unwrap(), "slack:U1:T1");
        assert_eq!(Identifier::Bare.write("snapchat", "aB+/9w==").unwrap(), "aB+/9w==");
        for of_another in ["slack:U1", "a:b", ":", "slack:"] {
            let refused = Identifier::Bare.write("snapchat", of_another);
            assert!(matches!(refused, Err(ProofError::SubjectAmbiguous)), "{of_another}");
        }
    }
}
