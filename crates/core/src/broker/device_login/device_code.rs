//! What a device keeps and asks with: the ID of its device authorization, and 256 random bits that nobody else has.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::ground::random::Random;
use crate::ground::secret::Secret;

/// What every device code begins with, so that who finds one in the wrong place knows what it is.
const PREFIX: &str = "dpd_";

/// The bytes of an ID.
pub(super) const ID_LENGTH: usize = 16;
const LENGTH: usize = ID_LENGTH + 32;

/// The ID as the store has it.
pub(super) fn id_text(id: [u8; ID_LENGTH]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(id)
}

/// A new code.
pub(super) fn draw(id: [u8; ID_LENGTH], random: &dyn Random) -> Secret {
    let mut text = PREFIX.to_owned();
    BASE64_URL_SAFE_NO_PAD.encode_string([&id[..], &random.bytes::<32>()].concat(), &mut text);
    Secret::new(text)
}

/// The ID in a code, if it has the form of one. Whether it is one, its hash says.
pub(super) fn id_in(shown: &Secret) -> Option<String> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(shown.expose().strip_prefix(PREFIX)?).ok()?;
    let (id, _) = bytes.split_first_chunk().filter(|_| bytes.len() == LENGTH)?;
    Some(id_text(*id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn a_code_leads_to_its_id_and_is_another_each_time() {
        let random = SeededRandom::new(1);
        let [one, other] = [(); 2].map(|()| draw([7; ID_LENGTH], &random));
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 4 + 64);
        for code in [one, other] {
            assert_eq!(id_in(&code), Some(id_text([7; ID_LENGTH])));
        }
    }

    #[test]
    fn what_has_another_form_leads_nowhere() {
        let code = draw([7; ID_LENGTH], &SeededRandom::new(1));
        let text = code.expose();
        for other in ["", "dpd_", &text[4..], &text[..67], &format!("{text}A"), &text.replace("dpd", "dpr")] {
            assert_eq!(id_in(&Secret::new(other)), None, "{other}");
        }
    }
}
