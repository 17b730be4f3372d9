//! The yardstick: one bare RSA-2048 signature by aws-lc-rs, without anything around it.

use std::thread;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::RSA_PKCS1_SHA512;

use crate::{Outcome, cpu};

/// About as long as the signed part of an OpenID token.
const MESSAGE: [u8; 600] = [b'x'; 600];

/// A key to sign with, whose making is not measured.
pub(crate) struct Yardstick(KeyPair);

impl Yardstick {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self(KeyPair::generate(KeySize::Rsa2048)?))
    }

    /// CPU seconds of one signature, measured over `count` of them. Every core signs at the same time, as every
    /// core is busy while the server is measured: a lone thread would have caches and clock rate to itself.
    pub(crate) fn measure(&self, count: u32) -> Outcome<f64> {
        let threads = u32::try_from(thread::available_parallelism()?.get())?;
        let each = count.div_ceil(threads);
        let before = cpu::seconds_of(std::process::id())?;
        thread::scope(|scope| {
            let signers: Vec<_> = (0..threads).map(|_| scope.spawn(|| self.sign(each))).collect();
            signers.into_iter().try_for_each(|signer| signer.join().map_err(|_| "a signer panicked")?)
        })?;
        let used = cpu::seconds_since(std::process::id(), before)?;
        Ok(used / f64::from(each * threads))
    }

    fn sign(&self, count: u32) -> Outcome<()> {
        let (random, mut signature) = (SystemRandom::new(), vec![0; self.0.public_modulus_len()]);
        for _ in 0..count {
            self.0.sign(&RSA_PKCS1_SHA512, &random, &MESSAGE, &mut signature)?;
        }
        Ok(())
    }
}
