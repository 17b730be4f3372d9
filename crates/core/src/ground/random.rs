//! Randomness as an argument. Identifiers, secrets and nonces are drawn from a [`Random`], so that a
//! test can decide what is drawn; in production it is the operating system's generator.

use uuid::Builder;

/// Draws random bytes fit for secrets.
pub trait Random: Send + Sync {
    /// Fills `bytes`, every one of them.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Random + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random GUID in its usual spelling, lower case: `8-4-4-4-12`, version 4.
    pub fn guid(&self) -> String {
        Builder::from_random_bytes(self.bytes()).into_uuid().to_string()
    }
}

/// The generator of aws-lc, seeded by the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(clippy::disallowed_methods, reason = "the one place that draws from the machine's generator")]
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("aws-lc aborts rather than run without entropy");
    }
}

/// A generator that repeats itself from a seed.
#[cfg(any(test, feature = "testing"))]
#[derive(Debug)]
pub struct SeededRandom(std::sync::Mutex<u64>);

#[cfg(any(test, feature = "testing"))]
impl SeededRandom {
    /// A generator whose whole sequence follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(std::sync::Mutex::new(seed))
    }
}

#[cfg(any(test, feature = "testing"))]
impl Random for SeededRandom {
    /// SplitMix64: plenty to make test values differ from each other.
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no thread panics while it draws");
        for chunk in bytes.chunks_mut(8) {
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = *state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            chunk.copy_from_slice(&z.to_le_bytes()[..chunk.len()]);
        }
    }
}
