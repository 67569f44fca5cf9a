//! Conversations in the spellings that data sets use.

use sanbao_contract::Message;
use serde_json::{Map, Value};

use super::Filled;

/// Roles by the names that they are given; the first is the standard one.
const ROLES: &[(&str, &[&str])] = &[
    ("system", &["system", "developer", "系统"]),
    ("user", &["user", "human", "prompter", "customer", "用户", "客户"]),
    (
        "assistant",
        &[
            "assistant",
            "gpt",
            "bot",
            "chatgpt",
            "model",
            "ai",
            "agent",
            "function_call",
            "助手",
            "客服",
        ],
    ),
    ("tool", &["tool", "function", "function_response", "observation", "工具"]),
];

/// Keys of the role and of the text, in the spellings of OpenAI and ShareGPT.
const ROLE_KEYS: [&str; 3] = ["role", "from", "speaker"];
const TEXT_KEYS: [&str; 3] = ["content", "value", "text"];

/// Whether a value is a list of turns (or JSON text of one).
pub(super) fn is_conversation(value: &Value) -> bool {
    match value {
        Value::Array(turns) => {
            !turns.is_empty()
                && turns
                    .iter()
                    .all(|turn| turn.as_object().is_some_and(|turn| role_key(turn).is_some()))
        }
        Value::String(text) => parse(text).is_some_and(|turns| is_conversation(&turns)),
        _ => false,
    }
}

fn parse(text: &str) -> Option<Value> {
    text.trim_start().starts_with('[').then(|| serde_json::from_str(text).ok()).flatten()
}

fn role_key(turn: &Map<String, Value>) -> Option<&'static str> {
    ROLE_KEYS.into_iter().find(|key| turn.get(*key).is_some_and(Value::is_string))
}

/// Reads a conversation: a list of turns with `role`/`content` (OpenAI) or `from`/`value`
/// (ShareGPT), or JSON text of one. Roles are given their standard names, a content that is a list
/// of text parts is joined, every other key is kept, nulls are dropped.
///
/// # Errors
/// A clause naming the turn that cannot be read.
pub(super) fn conversation(value: &Value) -> Result<Vec<Message>, String> {
    let parsed;
    let turns = match value {
        Value::Array(turns) => turns,
        Value::String(text) => {
            parsed = parse(text);
            match &parsed {
                Some(Value::Array(turns)) => turns,
                _ => return Err("holds a text where a list of turns is expected".into()),
            }
        }
        other => {
            return Err(format!(
                "holds {} where a list of turns is expected",
                crate::formats::kind(other)
            ));
        }
    };
    turns
        .iter()
        .enumerate()
        .map(|(at, turn)| {
            message(turn)
                .map_err(|problem| format!("is a conversation whose turn {} {problem}", at + 1))
        })
        .collect()
}

/// The turns of a field: the conversation that it holds (alone or as `messages` of an object, as
/// OpenAI has it), or one turn of `role` with its text.
///
/// # Errors
/// As [`conversation`], with the field's name.
pub(super) fn turns(fields: &Filled, field: &str, role: &str) -> Result<Vec<Message>, String> {
    let value = fields.value(field);
    if let Some(messages) = value.and_then(|value| value.get("messages")) {
        return conversation(messages)
            .map_err(|problem| format!("`messages` of `{field}` {problem}"));
    }
    match value {
        Some(value)
            if is_conversation(value)
                || value.as_array().is_some_and(|items| items.iter().any(Value::is_object)) =>
        {
            conversation(value).map_err(|problem| format!("`{field}` {problem}"))
        }
        Some(_) => Ok(vec![Message::new(role, fields.text(field))]),
        None => Ok(Vec::new()),
    }
}

fn message(turn: &Value) -> Result<Message, String> {
    let turn = turn.as_object().ok_or_else(|| {
        format!("is {} instead of an object with role and content", crate::formats::kind(turn))
    })?;
    let role_key = role_key(turn).ok_or("has no `role`; write system, user, assistant or tool")?;
    let given =
        turn.get(role_key).and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    let (role, _) =
        ROLES.iter().find(|(_, names)| names.contains(&given.as_str())).ok_or_else(|| {
            format!("has the unknown role `{given}`; use system, user, assistant or tool")
        })?;
    let text_key = TEXT_KEYS.into_iter().find(|key| turn.contains_key(*key));
    let content = text_key.and_then(|key| turn.get(key)).map(content).transpose()?.flatten();
    let extra: Map<String, Value> = turn
        .iter()
        .filter(|(key, value)| {
            key.as_str() != role_key && Some(key.as_str()) != text_key && !value.is_null()
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if content.is_none() && !extra.contains_key("tool_calls") {
        return Err("has no content".into());
    }
    Ok(Message { role: (*role).to_owned(), content, extra })
}

/// The text of a turn; `None` for null.
fn content(value: &Value) -> Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(_) | Value::Bool(_) => Ok(Some(value.to_string())),
        Value::Array(parts) => parts.iter().map(part).collect::<Result<String, String>>().map(Some),
        Value::Object(_) => Err("has an object as its content; use a text".into()),
    }
}

fn part(part: &Value) -> Result<String, String> {
    match (part, part.get("text")) {
        (Value::String(text), _) | (Value::Object(_), Some(Value::String(text))) => {
            Ok(text.clone())
        }
        _ => {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or("unknown");
            Err(format!("holds a part of the type `{kind}`; only text can be learnt from"))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_give_the_same() {
        let openai = json!([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"type": "text", "text": "Hel"}, "lo"]}]);
        let sharegpt = json!([{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello", "weight": null}]);
        let expected = vec![Message::new("user", "Hi"), Message::new("assistant", "Hello")];
        assert_eq!(conversation(&openai).unwrap(), expected);
        assert_eq!(conversation(&sharegpt).unwrap(), expected);
        assert_eq!(conversation(&json!(sharegpt.to_string())).unwrap(), expected);
        assert!(is_conversation(&openai) && is_conversation(&json!(sharegpt.to_string())));
        assert!(
            !is_conversation(&json!([]))
                && !is_conversation(&json!("[1]"))
                && !is_conversation(&json!([{"a": 1}]))
        );
    }

    #[test]
    fn tool_calls_need_no_content() {
        let turns = json!([{"role": "assistant", "content": null, "tool_calls": [{"id": 1}]}]);
        let messages = conversation(&turns).unwrap();
        assert_eq!(
            (messages[0].content.clone(), messages[0].extra.contains_key("tool_calls")),
            (None, true)
        );
    }

    #[test]
    fn bad_turns_are_named() {
        let problem = |turns: Value| conversation(&turns).unwrap_err();
        assert_eq!(
            problem(json!([{"role": "wizard", "content": ""}])),
            "is a conversation whose turn 1 has the unknown role `wizard`; use system, user, assistant or tool"
        );
        assert_eq!(
            problem(json!([{"role": "user", "content": "a"}, 3])),
            "is a conversation whose turn 2 is a number instead of an object with role and content"
        );
        assert!(
            problem(json!([{"role": "user", "content": [{"type": "image_url"}]}]))
                .contains("`image_url`")
        );
        assert!(problem(json!([{"role": "user"}])).contains("no content"));
        assert!(problem(json!({"a": 1})).contains("an object"));
    }
}
