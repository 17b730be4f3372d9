//! What handlers are given.

use std::sync::Arc;

use axum::extract::State;

use crate::installation::{App, Embedded};

pub type SharedApp = State<Arc<App>>;
pub type SharedEmbedded = State<Arc<Embedded>>;
