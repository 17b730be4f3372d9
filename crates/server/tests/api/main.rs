//! The API through the real router, in one process and without a port: a login walks from the sandbox's
//! consent form to temporary credentials, on a clock that stands still. The modules are the URL tree.
#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test that called it")]

mod audit;
mod aws_gate;
mod cognito;
mod device;
mod documents;
mod exchange;
mod foreign_sts;
mod harness;
mod iam;
mod keys;
mod login;
mod matrix;
mod metrics;
mod model;
mod origin;
mod overload;
mod rate_limits;
mod reference;
mod reread;
mod s3;
mod sessions;
mod signers;
mod sts;
mod sub_claims;
mod traces;
