//! What is kept of people and pools, and the decisions about it that need nothing but the records themselves. It uses
//! [`ground`](crate::ground).

pub mod audit_event;
pub mod audit_question;
pub mod device_authorization;
pub mod identity;
pub mod identity_record;
pub mod limits;
pub mod linking;
pub mod scope;
pub mod sign_in_session;
pub mod signing_algorithm;
pub mod trail_head;
pub mod trail_line;
