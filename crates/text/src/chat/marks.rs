//! Characters that nothing uses, to mark places in a rendered text.

use std::collections::HashSet;

use serde_json::Value;

use super::messages::Turn;

/// Supplementary private-use area A: no meaning, no case, no whitespace, and no tokenizer or
/// template is known to use it.
const AREA: std::ops::RangeInclusive<u32> = 0xf_0000..=0xf_fffd;

/// `count` private-use characters that occur in none of the given texts and messages; `None` when
/// there are not as many.
pub(crate) fn unused(count: usize, texts: &[&str], turns: &[Turn]) -> Option<Vec<char>> {
    let mut used = HashSet::new();
    texts.iter().for_each(|text| collect(text, &mut used));
    turns.iter().flat_map(Turn::values).for_each(|value| collect_value(value, &mut used));
    let free: Vec<char> = AREA
        .filter_map(char::from_u32)
        .filter(|character| !used.contains(character))
        .take(count)
        .collect();
    (free.len() == count).then_some(free)
}

fn collect(text: &str, used: &mut HashSet<char>) {
    used.extend(text.chars().filter(|&character| AREA.contains(&u32::from(character))));
}

fn collect_value(value: &Value, used: &mut HashSet<char>) {
    match value {
        Value::String(text) => collect(text, used),
        Value::Array(items) => items.iter().for_each(|item| collect_value(item, used)),
        Value::Object(fields) => fields.iter().for_each(|(key, item)| {
            collect(key, used);
            collect_value(item, used);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
