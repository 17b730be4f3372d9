//! Temporary credentials: who may have which role, what makes them, and what they allow. Beside them stand the keys of
//! developers, which do not expire. It uses [`audit`](crate::audit), [`token`](crate::token), [`iam`](crate::iam)
//! and what is below.

pub mod access;
pub mod access_key;
pub mod role;
pub mod role_grant;
pub mod session_token;
pub mod source;
pub mod sts;
