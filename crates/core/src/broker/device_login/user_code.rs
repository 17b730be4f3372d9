//! What a person types (RFC 8628 section 6.1): eight letters, of which none makes a word or is taken for another.

use crate::ground::random::Random;

const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// The letters of a code, which are 34 bits.
const LENGTH: usize = 8;

/// A code without its hyphen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserCode(String);

impl UserCode {
    pub(super) fn draw(random: &dyn Random) -> Self {
        let mut letters = String::new();
        while letters.len() < LENGTH {
            let [byte] = random.bytes();
            // The last bytes would make some letters likelier than others.
            if byte < 240 {
                letters.push(char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
            }
        }
        Self(letters)
    }

    /// What somebody typed, in whatever case, with hyphens and spaces wherever they like.
    pub(super) fn read(typed: &str) -> Option<Self> {
        let letters: String =
            typed.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase()).collect();
        let fits = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
        fits.then_some(Self(letters))
    }

    pub(super) fn letters(&self) -> &str {
        &self.0
    }

    /// As a device shows it.
    pub(super) fn shown(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ground::random::SeededRandom;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = UserCode::read("WDJBMJHT").unwrap();
        for typed in ["WDJB-MJHT", "wdjb mjht", " w.d.j.b–m_j_h_t\n", "WdJbMjHt"] {
            assert_eq!(UserCode::read(typed).as_ref(), Some(&code), "{typed:?}");
        }
        assert_eq!(code.shown(), "WDJB-MJHT");
    }

    #[test]
    fn what_no_device_shows_is_no_code() {
        for typed in
            ["", "WDJB", "WDJB-MJHTX", "WDJB-MJHA", "WDJB-MJH1", "ẂDJB-MJHT", "ｗDJBMJHT", "WDJB-MJHß"]
        {
            assert_eq!(UserCode::read(typed), None, "{typed:?}");
        }
    }

    #[test]
    fn every_letter_comes_as_often_as_the_others() {
        let random = SeededRandom::new(1);
        let mut seen = [0; 256];
        for _ in 0..5_000 {
            let code = UserCode::draw(&random);
            assert_eq!(UserCode::read(&code.shown()), Some(code.clone()));
            code.letters().bytes().for_each(|letter| seen[usize::from(letter)] += 1);
        }
        for letter in LETTERS {
            let times: i32 = seen[usize::from(*letter)];
            assert!((1_800..2_200).contains(&times), "{letter}: {times}");
        }
    }
}
