//! What a chat template may use. Templates come from strangers.

use std::time::Duration;

use serde_json::Value;

/// Longest template source in bytes; the longest known are about 30 KB. It also bounds how deeply
/// an expression can nest: each byte opens at most one level.
pub(crate) const SOURCE: usize = 256 << 10;

/// Longest that compiling a template, or rendering one conversation with its spans, may take.
/// Both take well under a millisecond; the limit is for work that uses no fuel.
pub(crate) const TIME: Duration = Duration::from_secs(10);

/// How deeply macros and recursive loops may call each other.
pub(crate) const RECURSION: usize = 100;

/// Longest text that one value may give.
pub(crate) const VALUE_TEXT: usize = 32 << 20;

/// Longest text of one list or dictionary that is printed as Python would.
pub(crate) const PRINTED: usize = 2 << 20;

/// How deeply values may nest where they are written as JSON or as Python would print them.
pub(crate) const VALUE_DEPTH: usize = 200;

/// Fuel for a small conversation: one unit pays for one instruction or 64 bytes.
const FUEL: u64 = 1_000_000;
/// More would let a template nest values more deeply than the stack bears.
const MOST_FUEL: u64 = 3_000_000;
const FUEL_PER_VALUE: u64 = 60;
/// Bytes of the conversation that one more unit of fuel is given for.
const BYTES_PER_FUEL: u64 = 8;

/// Fuel for a conversation of some size.
pub(crate) fn fuel(size: Size) -> u64 {
    let more =
        size.values.saturating_mul(FUEL_PER_VALUE).saturating_add(size.bytes / BYTES_PER_FUEL);
    FUEL.saturating_add(more.saturating_sub(FUEL / 2)).clamp(FUEL, MOST_FUEL)
}

/// How much data a template is given.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Size {
    values: u64,
    bytes: u64,
}

impl Size {
    pub(crate) fn add(&mut self, value: &Value) {
        self.values += 1;
        match value {
            Value::String(text) => self.bytes += text.len() as u64,
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(fields) => {
                for (key, item) in fields {
                    self.bytes += key.len() as u64;
                    self.add(item);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
