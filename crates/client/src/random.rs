//! Randomness of the machine.

/// So many random bytes, fit for secrets.
#[expect(clippy::disallowed_methods, reason = "the one place that draws from the machine's generator")]
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("aws-lc aborts rather than run without entropy");
    bytes
}
