//! Errors as they cross a boundary.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An error with a stable code, ready to be shown by a command line or translated by a window.
///
/// `code` is `room.reason` (for example `data.no_rows`); it never changes once released.
/// `message` is one plain English sentence: what is wrong, where, what to do.
/// `params` are the values that the sentence was built from, for a translation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Stable code, `room.reason`.
    pub code: String,
    /// One plain English sentence.
    pub message: String,
    /// What the sentence was built from.
    pub params: BTreeMap<String, String>,
}

impl Fault {
    /// A fault without parameters.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), params: BTreeMap::new() }
    }

    /// Adds one parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }
}
