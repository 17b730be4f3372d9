//! Refresh tokens: the name of a session and a generation, and a seal over both, so that nobody makes one but us (RFC 9700
//! section 4.14.2, "encoded in the refresh token"). Whether one counts, its session says.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::ground::authenticator::Authenticator;
use crate::ground::ids::SignInSessionId;
use crate::ground::master_keys::MasterKeys;
use crate::ground::secret::Secret;

/// What every refresh token begins with, so that who finds one in the wrong place knows what it is.
const PREFIX: &str = "dpr_";
/// The form of what follows.
const VERSION: u8 = 1;

const NAME_LENGTH: usize = 1 + SignInSessionId::LENGTH + 4;

/// What a refresh token of ours says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The session.
    pub session: SignInSessionId,
    /// Which of its tokens it is.
    pub generation: u32,
}

/// Makes refresh tokens and recognises them again.
pub struct RefreshTokens(Authenticator);

impl RefreshTokens {
    /// The refresh tokens of all nodes with these master keys.
    #[must_use]
    pub fn new(master_keys: &MasterKeys) -> Self {
        Self(master_keys.authenticator("refresh token"))
    }

    /// The token of a generation: the same one every time, while the same master key is current.
    #[must_use]
    pub fn write(&self, token: &RefreshToken) -> Secret {
        let mut bytes = vec![VERSION];
        bytes.extend(token.session.to_bytes());
        bytes.extend(token.generation.to_be_bytes());
        let seal = self.0.tag(&bytes);
        bytes.extend_from_slice(seal.as_ref());
        let mut text = PREFIX.to_owned();
        BASE64_URL_SAFE_NO_PAD.encode_string(&bytes, &mut text);
        Secret::new(text)
    }

    /// What a token says, if it is one of ours.
    #[must_use]
    pub fn read(&self, shown: &Secret) -> Option<RefreshToken> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(shown.expose().strip_prefix(PREFIX)?).ok()?;
        let (name, seal) = bytes.split_at_checked(NAME_LENGTH)?;
        if !self.0.verifies(name, seal) {
            return None;
        }
        let (&version, name) = name.split_first()?;
        let (session, generation) = name.split_at_checked(SignInSessionId::LENGTH)?;
        let session = SignInSessionId::of_bytes(session.try_into().ok()?);
        let generation = u32::from_be_bytes(generation.try_into().ok()?);
        (version == VERSION).then_some(RefreshToken { session, generation })
    }
}

impl std::fmt::Debug for RefreshTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshTokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::master_keys::MasterKey;
    use crate::ground::random::SeededRandom;

    fn token(generation: u32) -> RefreshToken {
        RefreshToken { session: SignInSessionId::of_bytes([9; 16]), generation }
    }

    fn tokens(seed: u64) -> RefreshTokens {
        RefreshTokens::new(&MasterKeys::generate(&SeededRandom::new(seed)))
    }

    #[test]
    fn a_token_is_made_the_same_again_and_says_what_went_into_it() {
        let tokens = tokens(1);
        for generation in [0, 1, u32::MAX] {
            let written = tokens.write(&token(generation));
            assert_eq!(written, tokens.write(&token(generation)));
            assert_eq!(tokens.read(&written), Some(token(generation)));
            assert_eq!(written.expose().len(), 4 + 71);
        }
        assert_ne!(tokens.write(&token(0)), tokens.write(&token(1)));
    }

    #[test]
    fn what_another_key_made_or_anybody_changed_is_none_of_ours() {
        let (ours, theirs) = (tokens(1), tokens(2));
        let written = ours.write(&token(1));
        assert_eq!(theirs.read(&written), None);
        let text = written.expose();
        for at in 0..text.len() {
            let other = if &text[at..=at] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            assert_eq!(ours.read(&Secret::new(changed)), None, "character {at}");
            assert_eq!(ours.read(&Secret::new(&text[..at])), None, "cut at {at}");
        }
        for other in ["", "dpr_", &format!("{text}A"), &format!("{text}="), &text[4..], &text.to_uppercase()]
        {
            assert_eq!(ours.read(&Secret::new(other)), None, "{other}");
        }
    }

    #[test]
    fn a_seal_of_another_purpose_is_none() {
        let master_keys = MasterKeys::generate(&SeededRandom::new(1));
        let other = RefreshTokens(master_keys.authenticator("another purpose"));
        assert_eq!(RefreshTokens::new(&master_keys).read(&other.write(&token(0))), None);
    }

    #[test]
    fn a_token_counts_by_the_master_key_of_its_time() {
        let key = |byte: u8| MasterKey::new([byte; 32]);
        let before = RefreshTokens::new(&key(1).into());
        let after = RefreshTokens::new(&MasterKeys::new(key(2), vec![key(1)]));
        let shown = before.write(&token(3));
        assert_eq!(after.read(&shown), Some(token(3)));
        assert_ne!(after.write(&token(3)), shown);
        assert_eq!(before.read(&after.write(&token(3))), None);
    }
}
