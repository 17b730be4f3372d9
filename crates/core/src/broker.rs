//! The developer backend: logins come in, and the identity pool that they lead to, our own or Amazon's, gives out
//! identities, tokens and credentials. It uses [`pool`](crate::pool) and what is below.

pub mod actors;
pub mod developer_pool;
pub mod device_login;
pub mod embedded_pool;
pub mod exchange;
pub mod hosted_login;
pub mod id_tokens;
pub mod login_code;
pub mod login_tags;
pub mod redirect_uris;
mod session_end;
pub mod sessions;
