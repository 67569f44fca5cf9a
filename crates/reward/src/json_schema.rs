//! The part of JSON Schema (draft 2020-12, core and validation) that a form's reader needs.
//!
//! Known: `type`, `enum`, `const`, `required`, `properties`, `additionalProperties` (true or
//! false), `items`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`,
//! `maxLength`, `minItems`, `maxItems`. Words that check nothing (`title`, `description`, …) may
//! stand there. Any other word is refused: a check that is left out in silence would reward what
//! should not be. Numbers are compared as f64.

use serde_json::{Map, Value};

/// Words of a schema that check nothing.
const ANNOTATIONS: &[&str] =
    &["$schema", "$id", "$comment", "title", "description", "default", "examples"];

/// A value's type, as `type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Null,
    Boolean,
    Object,
    Array,
    Number,
    Integer,
    String,
}

impl Type {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "object" => Self::Object,
            "array" => Self::Array,
            "number" => Self::Number,
            "integer" => Self::Integer,
            "string" => Self::String,
            _ => return None,
        })
    }

    /// A number without a fraction is an integer, 1.0 as well.
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Boolean => value.is_boolean(),
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Number => value.is_number(),
            Self::Integer => value.as_f64().is_some_and(|number| number.fract() == 0.0),
            Self::String => value.is_string(),
        }
    }
}

/// One word of a schema.
#[derive(Debug, Clone, PartialEq)]
enum Check {
    Type(Vec<Type>),
    Enum(Vec<Value>),
    Required(Vec<String>),
    Properties(Vec<(String, Schema)>),
    NoOthers(Vec<String>),
    Items(Schema),
    Number(Bound, f64),
    Length(Bound, f64),
    Entries(Bound, f64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    AtLeast,
    AtMost,
    Above,
    Below,
}

impl Bound {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtLeast => value >= limit,
            Self::AtMost => value <= limit,
            Self::Above => value > limit,
            Self::Below => value < limit,
        }
    }
}

/// A schema, read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Schema {
    checks: Vec<Check>,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// Half a sentence that says what cannot be used, and where in the schema.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text)
            .map_err(|error| format!("a schema in JSON is needed, and this is none: {error}"))?;
        Self::read(&schema, "the schema")
    }

    fn read(schema: &Value, place: &str) -> Result<Self, String> {
        let Value::Object(words) = schema else {
            return Err(format!("{place} has to be an object in braces"));
        };
        let mut checks = Vec::new();
        for (word, value) in words {
            if !ANNOTATIONS.contains(&word.as_str()) {
                checks.push(check(word, value, words, place)?);
            }
        }
        Ok(Self { checks })
    }

    /// Whether a value follows the schema. A word about one type says nothing of other types.
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        self.checks.iter().all(|check| match (check, value) {
            (Check::Type(types), _) => types.iter().any(|known| known.is_of(value)),
            (Check::Enum(values), _) => values.iter().any(|known| is_equal(known, value)),
            (Check::Required(names), Value::Object(fields)) => {
                names.iter().all(|name| fields.contains_key(name))
            }
            (Check::Properties(schemas), Value::Object(fields)) => {
                let fits = |(name, schema): &(String, Self)| {
                    fields.get(name).is_none_or(|field| schema.accepts(field))
                };
                schemas.iter().all(fits)
            }
            (Check::NoOthers(names), Value::Object(fields)) => {
                fields.keys().all(|name| names.contains(name))
            }
            (Check::Items(schema), Value::Array(items)) => {
                items.iter().all(|item| schema.accepts(item))
            }
            (Check::Number(bound, limit), Value::Number(number)) => {
                number.as_f64().is_some_and(|number| bound.holds(number, *limit))
            }
            (Check::Length(bound, limit), Value::String(text)) => {
                bound.holds(text.chars().count() as f64, *limit)
            }
            (Check::Entries(bound, limit), Value::Array(items)) => {
                bound.holds(items.len() as f64, *limit)
            }
            _ => true,
        })
    }
}

/// One word of the schema at `place`, of which `words` are all.
fn check(
    word: &str,
    value: &Value,
    words: &Map<String, Value>,
    place: &str,
) -> Result<Check, String> {
    let needs = |what: &str| format!("'{word}' in {place} has to be {what}");
    let number = || value.as_f64().ok_or_else(|| needs("a number"));
    let count = || value.as_u64().map(|n| n as f64).ok_or_else(|| needs("a whole number from 0"));
    Ok(match word {
        "type" => Check::Type(types(value).ok_or_else(|| {
            needs("one or a list of null, boolean, object, array, number, integer, string")
        })?),
        "enum" => {
            let values = value.as_array().filter(|values| !values.is_empty());
            Check::Enum(values.ok_or_else(|| needs("a list with at least one value"))?.clone())
        }
        "const" => Check::Enum(vec![value.clone()]),
        "required" => {
            Check::Required(names(value).ok_or_else(|| needs("a list of names in quotes"))?)
        }
        "properties" => {
            let fields = value.as_object().ok_or_else(|| needs("an object in braces"))?;
            let read = |(name, schema): (&String, &Value)| {
                Ok((name.clone(), Schema::read(schema, &format!("the schema of '{name}'"))?))
            };
            Check::Properties(fields.iter().map(read).collect::<Result<_, String>>()?)
        }
        "additionalProperties" => match value {
            Value::Bool(false) => {
                let known = words.get("properties").and_then(Value::as_object);
                Check::NoOthers(known.into_iter().flat_map(Map::keys).cloned().collect())
            }
            Value::Bool(true) => Check::Properties(Vec::new()),
            _ => return Err(needs("true or false")),
        },
        "items" => Check::Items(Schema::read(value, &format!("'items' of {place}"))?),
        "minimum" => Check::Number(Bound::AtLeast, number()?),
        "maximum" => Check::Number(Bound::AtMost, number()?),
        "exclusiveMinimum" => Check::Number(Bound::Above, number()?),
        "exclusiveMaximum" => Check::Number(Bound::Below, number()?),
        "minLength" => Check::Length(Bound::AtLeast, count()?),
        "maxLength" => Check::Length(Bound::AtMost, count()?),
        "minItems" => Check::Entries(Bound::AtLeast, count()?),
        "maxItems" => Check::Entries(Bound::AtMost, count()?),
        _ => return Err(format!("'{word}' in {place} is not supported here; leave it out")),
    })
}

fn types(value: &Value) -> Option<Vec<Type>> {
    match value {
        Value::String(name) => Some(vec![Type::parse(name)?]),
        Value::Array(names) if !names.is_empty() => {
            names.iter().map(|name| Type::parse(name.as_str()?)).collect()
        }
        _ => None,
    }
}

fn names(value: &Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Equality as JSON Schema has it: 1 and 1.0 are the same number.
fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_equal(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same = |(name, value): (&String, &Value)| {
                right.get(name).is_some_and(|other| is_equal(value, other))
            };
            left.len() == right.len() && left.iter().all(same)
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn accepts(schema: Value, value: Value) -> bool {
        Schema::parse(&schema.to_string()).unwrap().accepts(&value)
    }

    /// Schema, a value that follows it, a value that does not: after the examples of
    /// json-schema.org's test suite (draft 2020-12).
    #[test]
    fn every_word_tells_apart() {
        let cases = [
            (json!({"type": "integer"}), json!(1.0), json!(1.1)),
            (json!({"type": ["string", "null"]}), json!(null), json!(1)),
            (json!({"type": "number"}), json!(1), json!("1")),
            (json!({"enum": [1, "two", [3]]}), json!([3.0]), json!(2)),
            (json!({"const": {"a": 0}}), json!({"a": 0.0}), json!({"a": false})),
            (json!({"required": ["foo"]}), json!({"foo": 1}), json!({"bar": 1})),
            (json!({"required": ["foo"]}), json!(12), json!({})),
            (json!({"properties": {"a": {"type": "string"}}}), json!({"b": 1}), json!({"a": 1})),
            (
                json!({"properties": {"a": {}}, "additionalProperties": false}),
                json!({"a": 1}),
                json!({"a": 1, "b": 2}),
            ),
            (json!({"additionalProperties": false}), json!({}), json!({"a": 1})),
            (json!({"items": {"type": "integer"}}), json!([1, 2]), json!([1, "x"])),
            (json!({"minimum": 1.1}), json!(1.1), json!(0.6)),
            (json!({"maximum": 3}), json!("x"), json!(3.5)),
            (json!({"exclusiveMinimum": 1.1}), json!(1.2), json!(1.1)),
            (json!({"exclusiveMaximum": 3}), json!(2.2), json!(3.0)),
            (json!({"minLength": 2}), json!("好吗"), json!("好")),
            (json!({"maxLength": 2}), json!("💩💩"), json!("foo")),
            (json!({"minItems": 1}), json!([1]), json!([])),
            (json!({"maxItems": 1}), json!({"a": 1, "b": 2}), json!([1, 2])),
        ];
        for (schema, good, bad) in cases {
            assert!(accepts(schema.clone(), good.clone()), "{schema} {good}");
            assert!(!accepts(schema.clone(), bad.clone()), "{schema} {bad}");
        }
        assert!(accepts(
            json!({"title": "anything", "additionalProperties": true}),
            json!({"a": 1})
        ));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        let refused = |schema: &str| Schema::parse(schema).unwrap_err();
        assert!(refused("{").contains("JSON"));
        assert!(refused("true").contains("the schema has to be an object"));
        assert!(
            refused(r#"{"pattern": "a"}"#).contains("'pattern' in the schema is not supported")
        );
        let inner = r#"{"properties": {"age": {"minimum": "1"}}}"#;
        assert!(refused(inner).contains("'minimum' in the schema of 'age' has to be a number"));
        for bad in [
            r#"{"type": "float"}"#,
            r#"{"type": []}"#,
            r#"{"enum": []}"#,
            r#"{"required": [1]}"#,
            r#"{"items": [{}]}"#,
            r#"{"minLength": -1}"#,
            r#"{"additionalProperties": {}}"#,
        ] {
            assert!(refused(bad).contains(" has to be "), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_fail_otherwise_than_in_words(text in "\\PC{0,60}") {
            if let Err(reason) = Schema::parse(&text) {
                prop_assert!(!reason.is_empty());
            }
        }

        #[test]
        fn bounds_are_what_they_say(value in -50_i64..50, low in -50_i64..50, high in -50_i64..50) {
            let schema = json!({"minimum": low, "exclusiveMaximum": high});
            prop_assert_eq!(accepts(schema, json!(value)), (low..high).contains(&value));
        }
    }
}
