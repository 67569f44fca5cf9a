//! Conversations as templates see them.

use minijinja::Value;
use sanbao_contract::Message;
use serde_json::{Map, Value as Json};

/// One message with all its keys.
pub(crate) type Turn = Map<String, Json>;

/// Names under which a message's reasoning is passed, the standard one first.
const REASONING: [&str; 3] = ["reasoning_content", "thinking", "reasoning"];

/// A message as a map, in the order role, content, everything else.
pub(crate) fn turn(message: &Message) -> Turn {
    let mut turn = Map::new();
    turn.insert("role".to_owned(), Json::String(message.role.clone()));
    if let Some(content) = &message.content {
        turn.insert("content".to_owned(), Json::String(content.clone()));
    }
    for (key, value) in &message.extra {
        turn.insert(key.clone(), value.clone());
    }
    turn
}

/// What transformers does to a message before it renders (`apply_chat_template`,
/// `_alias_reasoning_fields`): keys whose value is null are dropped, and reasoning is passed under
/// the names that templates read.
pub(crate) fn prepared(turn: Turn) -> Turn {
    let turn: Turn = turn.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let Some(reasoning) = REASONING.iter().find_map(|name| turn.get(*name)).cloned() else {
        return turn;
    };
    let mut aliased = Map::new();
    aliased.insert("thinking".to_owned(), reasoning.clone());
    aliased.extend(turn);
    aliased.insert("reasoning_content".to_owned(), reasoning);
    aliased
}

/// The role of a message, empty when it has none.
pub(crate) fn role(turn: &Turn) -> &str {
    turn.get("role").and_then(Json::as_str).unwrap_or_default()
}

/// JSON as a value of the template engine, order of keys kept.
pub(crate) fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::from(number),
            (None, Some(number)) => Value::from(number),
            (None, None) => Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Json::Object(fields) => fields_value(fields),
    }
}

pub(crate) fn fields_value(fields: &Map<String, Json>) -> Value {
    Value::from_pairs(fields.iter().map(|(key, item)| (key.as_str(), value(item))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    fn prepare(json: Json) -> String {
        serde_json::to_string(&prepared(json.as_object().unwrap().clone())).unwrap()
    }

    #[test]
    fn nulls_are_dropped_at_the_top_only() {
        assert_eq!(
            prepare(json!({"role": "tool", "content": null, "args": {"a": null}})),
            r#"{"role":"tool","args":{"a":null}}"#
        );
    }

    #[test]
    fn reasoning_gets_the_names_that_templates_read() {
        assert_eq!(
            prepare(json!({"role": "assistant", "reasoning": "r"})),
            r#"{"thinking":"r","role":"assistant","reasoning":"r","reasoning_content":"r"}"#
        );
        assert_eq!(
            prepare(json!({"role": "assistant", "thinking": "t", "reasoning_content": "r"})),
            r#"{"thinking":"t","role":"assistant","reasoning_content":"r"}"#
        );
    }
}
