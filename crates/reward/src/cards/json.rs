//! Answers that a program can read.

use sanbao_evaluate::Phrase;
use serde::Deserialize;
use serde_json::Value;

use super::{CardKind, Rule};
use crate::Error;
use crate::json_schema::Schema;
use crate::settings::{Kind, Parameter, Settings};

/// 1 for a JSON value of the right kind and nothing else, 0 otherwise. With a schema (the part
/// that `json_schema` names) 1 is for what follows it, and one half for valid JSON that does not,
/// so that there is something to learn before everything is right. More than 127 levels of
/// nesting count as no JSON.
pub static JSON: CardKind = CardKind {
    name: "json",
    title: Phrase { en: "Valid JSON", zh: "有效的 JSON" },
    help: Phrase {
        en: "Rewards answers that are valid JSON; with a schema, half the score is for following it.",
        zh: "回答是有效 JSON 时给予奖励；填写模式（schema）后，符合模式占一半分数。",
    },
    parameters: &[
        Parameter {
            name: "root",
            kind: Kind::Choice { choices: &["any", "object", "array"], default: "any" },
            help: Phrase {
                en: "What the answer has to be: an object in braces, an array in brackets, or either.",
                zh: "回答应是花括号对象（object）、方括号数组（array），或两者皆可（any）。",
            },
        },
        Parameter {
            name: "allow_fences",
            kind: Kind::Flag { default: true },
            help: Phrase {
                en: "Whether the JSON may stand between lines of three backticks, as in ```json.",
                zh: "是否允许 JSON 放在三个反引号的代码块中，如 ```json。",
            },
        },
        Parameter {
            name: "schema",
            kind: Kind::Text { longest: 100_000, default: "" },
            help: Phrase {
                en: "A JSON Schema that the answer should follow; empty when any JSON will do.",
                zh: "回答应符合的 JSON Schema；留空表示任何 JSON 均可。",
            },
        },
    ],
    needs_reference: false,
    needs_judge: false,
    build,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Json {
    root: Root,
    allow_fences: bool,
    schema: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Root {
    Any,
    Object,
    Array,
}

fn build(settings: &Settings) -> Result<Rule, Error> {
    let Json { root, allow_fences, schema } = settings.read()?;
    let schema = if schema.trim().is_empty() {
        None
    } else {
        Some(Schema::parse(&schema).map_err(|reason| settings.refuse("schema", reason))?)
    };
    Ok(Rule::Answer(Box::new(move |answer| {
        let answer = if allow_fences { without_fences(answer) } else { answer };
        let Ok(value) = serde_json::from_str::<Value>(answer) else { return 0.0 };
        let is_right_kind = match root {
            Root::Any => value.is_object() || value.is_array(),
            Root::Object => value.is_object(),
            Root::Array => value.is_array(),
        };
        match &schema {
            _ if !is_right_kind => 0.0,
            Some(schema) if !schema.accepts(&value) => 0.5,
            _ => 1.0,
        }
    })))
}

/// What stands in a fence that is the whole answer; otherwise the answer as it is.
fn without_fences(answer: &str) -> &str {
    let inner = || {
        let (word, rest) = answer.trim().strip_prefix("```")?.split_once('\n')?;
        let word = word.trim();
        (word.is_empty() || word.eq_ignore_ascii_case("json")).then_some(())?;
        rest.strip_suffix("```")
    };
    inner().unwrap_or(answer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use crate::cards::testing::{refused, score};

    #[test]
    fn json_and_nothing_else() {
        for good in
            ["{}", " [1, 2]\n", "```json\n{\"a\": 1}\n```", "```\n[]```", "```JSON\r\n{}\n```"]
        {
            assert_eq!(score("json", json!({}), good), 1.0, "{good}");
        }
        for bad in [
            "",
            "1",
            "\"a\"",
            "null",
            "{a: 1}",
            "Here: {}",
            "```python\n{}\n```",
            "```json {}```",
            "{} {}",
        ] {
            assert_eq!(score("json", json!({}), bad), 0.0, "{bad}");
        }
        assert_eq!(score("json", json!({"allow_fences": false}), "```json\n{}\n```"), 0.0);
        assert_eq!(score("json", json!({"root": "object"}), "[]"), 0.0);
        assert_eq!(score("json", json!({"root": "array"}), "[]"), 1.0);
    }

    #[test]
    fn deep_nesting_is_no_json_and_no_stack_overflow() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(score("json", json!({}), &deep), 0.0);
    }

    #[test]
    fn a_schema_is_half_of_it() {
        let schema = r#"{"type": "object", "required": ["name"], "properties": {"age": {"type": "integer", "minimum": 0}}}"#;
        let settings = json!({ "schema": schema });
        assert_eq!(score("json", settings.clone(), r#"{"name": "Li", "age": 3}"#), 1.0);
        assert_eq!(score("json", settings.clone(), r#"{"name": "Li", "age": -3}"#), 0.5);
        assert_eq!(score("json", settings.clone(), "[]"), 0.5);
        assert_eq!(score("json", settings, "{"), 0.0);
        assert!(refused("json", json!({"schema": "{"})).contains("'schema' of the card 'json'"));
        assert!(refused("json", json!({"schema": "{\"$ref\": \"#/a\"}"})).contains("'$ref'"));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_as_json_is_read_as_json(value in any_json()) {
            let whole = f64::from(u8::from(value.is_array() || value.is_object()));
            prop_assert_eq!(score("json", json!({}), &value.to_string()), whole);
            let fenced = format!("```json\n{value:#}\n```");
            prop_assert_eq!(score("json", json!({}), &fenced), whole);
        }
    }
}
