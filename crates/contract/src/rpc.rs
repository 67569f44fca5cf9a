//! What the window asks of Rust, and what it gets: one command, one pair of types.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A request of the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum Request {
    /// What runs here?
    About,
}

/// The reply to the request of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// What runs here.
    About {
        /// Version of Sanbao, `major.minor.patch`.
        version: String,
    },
}
