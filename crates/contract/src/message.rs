//! Conversations.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One turn of a conversation, as chat templates see it.
///
/// Keys that the template may know besides role and content (`tool_calls`, `name`,
/// `reasoning_content`, …) are kept in `extra` in the order of the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Message {
    /// `system`, `user`, `assistant`, `tool`, …
    pub role: String,
    /// The text; absent for an assistant turn that only calls tools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// Every other key.
    #[serde(flatten)]
    #[ts(skip)]
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Message {
    /// A turn with a role and a text.
    pub fn new(role: &str, content: impl Into<String>) -> Self {
        Self { role: role.to_owned(), content: Some(content.into()), extra: serde_json::Map::new() }
    }

    /// The text, empty when there is none.
    pub fn text(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }
}
