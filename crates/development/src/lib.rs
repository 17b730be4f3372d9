//! What only development needs: S3, the sandbox identity provider and the playground, in one process with the server.
//! Whoever serves an installation builds without it; `docs/architecture.md` has the map.

pub mod cli;
pub mod iam;
pub mod playground;
pub mod s3;
pub mod sandbox;
pub mod up;
