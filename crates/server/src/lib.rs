//! The wire of Daypass: what its binary and its tests share.

pub mod sandbox;
