//! What is known about a column from the first rows.

use std::collections::HashMap;

use serde_json::Value;

use super::{better, is_conversation, rated, rating, truth};
use crate::record::Record;
use crate::template::text_of;

/// Share of values that tells what a column is meant for, a slip of the pen aside.
const NEARLY_ALL: f64 = 0.9;

/// A column of a file, summed up over the first rows.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Rows looked at.
    pub rows: usize,
    /// Rows in which it holds something.
    pub filled: usize,
    /// Different values.
    pub distinct: usize,
    /// Whether at least half of the filled ones hold a value that comes more than once.
    pub repeated: bool,
    /// Mean length in characters of the filled ones, as text.
    pub mean_length: f64,
    /// Share of values with a blank inside, or with characters of a script without blanks.
    pub wordy: f64,
    /// Whether every value is a number.
    pub numeric: bool,
    /// Whether nearly every value says yes or no; one that does not is refused with its row.
    pub boolean: bool,
    /// Whether nearly every value says which of two answers is better.
    pub verdict: bool,
    /// Whether nearly every value is a rating: a number, or a word for none.
    pub rating: bool,
    /// Whether nearly every value is a list of answers with ratings.
    pub rated: bool,
    /// Whether every value is a conversation.
    pub conversation: bool,
    /// Whether every value is a plain text, number or truth value.
    pub scalar: bool,
    /// Whether it only counts or names the rows.
    pub identifier: bool,
}

impl Column {
    /// Sums up every column of the first rows, in the order in which they come up.
    pub fn survey(records: &[Record]) -> Vec<Self> {
        let mut names: indexmap::IndexSet<&str> = indexmap::IndexSet::new();
        for record in records {
            names.extend(record.fields.keys().map(String::as_str));
        }
        names.into_iter().map(|name| Self::over(name, records)).collect()
    }

    fn over(name: &str, records: &[Record]) -> Self {
        let values: Vec<&Value> = records
            .iter()
            .filter_map(|record| record.fields.get(name))
            .filter(|value| !is_empty(value))
            .collect();
        let texts: Vec<String> = values.iter().map(|value| text_of(value)).collect();
        let filled = values.len();
        let mut times: HashMap<&str, usize> = HashMap::new();
        for text in &texts {
            *times.entry(text.trim()).or_default() += 1;
        }
        let distinct = times.len();
        let again: usize = times.values().filter(|times| **times > 1).sum();
        let all =
            |test: &dyn Fn(&Value) -> bool| filled > 0 && values.iter().all(|value| test(value));
        let nearly_all = |test: &dyn Fn(&Value) -> bool| {
            let passed = values.iter().filter(|value| test(value)).count();
            passed > 0 && passed as f64 >= NEARLY_ALL * filled as f64
        };
        let numeric = filled > 0 && texts.iter().all(|text| text.trim().parse::<f64>().is_ok());
        let wordy_count = texts.iter().filter(|text| is_wordy(text.trim())).count();
        let mean = |total: usize| total as f64 / filled.max(1) as f64;
        let wordy = mean(wordy_count);
        Self {
            name: name.to_owned(),
            rows: records.len(),
            filled,
            distinct,
            repeated: again > 0 && 2 * again >= filled,
            mean_length: mean(texts.iter().map(|text| text.trim().chars().count()).sum()),
            wordy,
            numeric,
            boolean: nearly_all(&|value| truth(value).is_some()),
            verdict: nearly_all(&|value| better(value).is_some()),
            rating: nearly_all(&|value| rating(value).is_ok())
                && values.iter().any(|value| matches!(rating(value), Ok(Some(_)))),
            rated: nearly_all(&rated),
            conversation: all(&is_conversation),
            scalar: all(&|value| !value.is_array() && !value.is_object()),
            identifier: filled > 2
                && (is_identifier_name(name)
                    || distinct == filled
                        && wordy == 0.0
                        && texts.iter().all(|text| is_identifier_like(text.trim()))),
        }
    }

    /// Whether the values look like classes: short, and few of them for the number of rows.
    pub(super) fn is_class_like(&self) -> bool {
        let few = self.distinct <= (self.filled / 4).clamp(2, 100);
        self.scalar
            && !self.identifier
            && self.filled >= 4
            && self.distinct >= 2
            && few
            && self.mean_length <= 40.0
    }

    /// Whether the values look like written text.
    pub(super) fn is_text_like(&self) -> bool {
        self.scalar && !self.identifier && !self.numeric && self.wordy >= 0.5
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn is_wordy(text: &str) -> bool {
    text.contains(char::is_whitespace) || text.chars().any(|c| c.is_alphabetic() && c > '\u{2E7F}')
}

fn is_identifier_name(name: &str) -> bool {
    let name = super::plain_name(name);
    matches!(
        name.as_str(),
        "id" | "idx"
            | "index"
            | "uuid"
            | "guid"
            | "rowid"
            | "no"
            | "number"
            | "序号"
            | "编号"
            | "行号"
            | "unnamed:0"
    ) || name.ends_with("编号")
}

/// One word that a counter or a generator of identifiers would give.
fn is_identifier_like(text: &str) -> bool {
    text.chars().any(|c| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '/'))
}
