//! Settings of the cards, declared once: forms, command-line flags and checks read these.

use std::collections::BTreeMap;

use sanbao_contract::app::{ParameterInfo, ParameterKind};
use sanbao_evaluate::Phrase;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::Error;
use crate::cards::{CardKind, by_language};

/// Most entries of a list of texts.
const MOST_LINES: usize = 1_000;
/// Most characters of an entry of a list of texts.
const LONGEST_LINE: usize = 1_000;
/// Most characters of a value that a message repeats.
const LONGEST_SHOWN: usize = 60;

/// What values a parameter takes, and the one it has when none is given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from `low` to `high`.
    Integer {
        /// Smallest.
        low: i64,
        /// Largest.
        high: i64,
        /// Default.
        default: i64,
    },
    /// A number from `low` to `high`.
    Number {
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
        /// Default.
        default: f64,
    },
    /// Yes or no.
    Flag {
        /// Default.
        default: bool,
    },
    /// One of some.
    Choice {
        /// Which.
        choices: &'static [&'static str],
        /// Default.
        default: &'static str,
    },
    /// Free text.
    Text {
        /// Most characters.
        longest: usize,
        /// Default.
        default: &'static str,
    },
    /// A list of texts, one a line in a form. Blank ones do not count; one has to be left.
    Lines {
        /// Default.
        default: &'static [&'static str],
    },
}

/// A setting of a card.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Name.
    pub name: &'static str,
    /// Values and default.
    pub kind: Kind,
    /// One sentence of help.
    pub help: Phrase,
}

impl Parameter {
    /// The value that it has when none is given.
    pub fn default_value(&self) -> Value {
        match self.kind {
            Kind::Integer { default, .. } => default.into(),
            Kind::Number { default, .. } => default.into(),
            Kind::Flag { default } => default.into(),
            Kind::Choice { default, .. } | Kind::Text { default, .. } => default.into(),
            Kind::Lines { default } => default.into(),
        }
    }

    /// As a form shows it.
    pub fn info(&self) -> ParameterInfo {
        let kind = match self.kind {
            Kind::Integer { low, high, .. } => ParameterKind::Integer { low, high },
            Kind::Number { low, high, .. } => ParameterKind::Number { low, high },
            Kind::Flag { .. } => ParameterKind::Flag,
            Kind::Choice { choices, .. } => {
                let choices = choices.iter().map(ToString::to_string).collect();
                ParameterKind::Choice { choices }
            }
            Kind::Text { .. } => ParameterKind::Text,
            Kind::Lines { .. } => ParameterKind::Lines,
        };
        ParameterInfo { name: self.name.to_owned(), kind, help: by_language(self.help) }
    }

    /// The value as a card reads it: lists without their blank entries, the rest as given. `None`
    /// when it is of another type or outside its range.
    fn accept(&self, value: &Value) -> Option<Value> {
        let fits = match self.kind {
            Kind::Integer { low, high, .. } => {
                value.as_i64().is_some_and(|value| (low..=high).contains(&value))
            }
            Kind::Number { low, high, .. } => {
                value.as_f64().is_some_and(|value| (low..=high).contains(&value))
            }
            Kind::Flag { .. } => value.is_boolean(),
            Kind::Choice { choices, .. } => {
                value.as_str().is_some_and(|value| choices.contains(&value))
            }
            Kind::Text { longest, .. } => {
                value.as_str().is_some_and(|text| text.chars().count() <= longest)
            }
            Kind::Lines { .. } => return lines(value),
        };
        fits.then(|| value.clone())
    }

    /// What it accepts, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Integer { low, high, .. } => {
                format!("a whole number from {low} to {high} is needed")
            }
            Kind::Number { low, high, .. } => format!("a number from {low} to {high} is needed"),
            Kind::Flag { .. } => "true or false is needed".to_owned(),
            Kind::Choice { choices, .. } => format!("one of {} is needed", choices.join(", ")),
            Kind::Text { longest, .. } => {
                format!("a text of at most {longest} characters is needed")
            }
            Kind::Lines { .. } => format!(
                "a list of 1 to {MOST_LINES} texts of at most {LONGEST_LINE} characters is needed"
            ),
        }
    }
}

/// A list of texts without the blank ones.
fn lines(value: &Value) -> Option<Value> {
    let mut kept = Vec::new();
    for line in value.as_array()? {
        let line = line.as_str()?;
        if line.chars().count() > LONGEST_LINE {
            return None;
        }
        if !line.trim().is_empty() {
            kept.push(Value::from(line.trim()));
        }
    }
    (1..=MOST_LINES).contains(&kept.len()).then(|| Value::from(kept))
}

/// Values of all settings of a card: what was given, checked, and defaults for the rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    card: &'static str,
    values: Map<String, Value>,
}

impl Settings {
    /// Checks what was given against what the card declares.
    ///
    /// # Errors
    /// A setting that the card does not have, or a value that it does not take.
    pub fn resolve(card: &CardKind, given: &BTreeMap<String, Value>) -> Result<Self, Error> {
        let known = |name: &str| card.parameters.iter().any(|parameter| parameter.name == name);
        if let Some(name) = given.keys().find(|name| !known(name)) {
            let known: Vec<&str> = card.parameters.iter().map(|parameter| parameter.name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Error::UnknownSetting { card: card.name, name: name.clone(), known });
        }
        let mut values = Map::new();
        for parameter in card.parameters {
            let value = match given.get(parameter.name) {
                None => parameter.default_value(),
                Some(value) => parameter.accept(value).ok_or_else(|| Error::BadSetting {
                    card: card.name,
                    name: parameter.name,
                    value: shown(value),
                    expected: parameter.expected(),
                })?,
            };
            values.insert(parameter.name.to_owned(), value);
        }
        Ok(Self { card: card.name, values })
    }

    /// The settings as a card's own type, whose fields are named as the settings are.
    ///
    /// # Errors
    /// When the type and the card's declaration are not about the same settings.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_value(Value::Object(self.values.clone()))
            .map_err(|error| self.damaged(&error.to_string()))
    }

    /// The error of a card that is wrong in itself, which no setting can mend.
    pub(crate) fn damaged(&self, reason: &str) -> Error {
        Error::Damaged { card: self.card, reason: reason.to_owned() }
    }

    /// The error of a value that is of the right type and still cannot be used. `expected` ends a
    /// sentence: "… is …, but `expected`."
    pub(crate) fn refuse(&self, name: &'static str, expected: impl Into<String>) -> Error {
        let value = shown(self.values.get(name).unwrap_or(&Value::Null));
        Error::BadSetting { card: self.card, name, value, expected: expected.into() }
    }
}

/// A value as a message repeats it, shortened.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST_SHOWN) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn parameter(kind: Kind) -> Parameter {
        Parameter { name: "x", kind, help: Phrase { en: "", zh: "" } }
    }

    #[test]
    fn lists_lose_what_is_blank_and_keep_the_rest() {
        let list = parameter(Kind::Lines { default: &["a"] });
        assert_eq!(list.accept(&json!([" a ", "", "\t", "b c"])), Some(json!(["a", "b c"])));
        for bad in [json!([]), json!([" "]), json!("a"), json!([1]), json!(["a".repeat(1_001)])] {
            assert_eq!(list.accept(&bad), None, "{bad}");
        }
        assert_eq!(list.accept(&json!(vec!["a"; 1_001])), None);
    }

    #[test]
    fn ranges_are_held() {
        let whole = parameter(Kind::Integer { low: 1, high: 3, default: 2 });
        assert_eq!(whole.accept(&json!(3)), Some(json!(3)));
        for bad in [json!(0), json!(4), json!(1.5), json!("2"), Value::Null] {
            assert_eq!(whole.accept(&bad), None, "{bad}");
        }
        let text = parameter(Kind::Text { longest: 2, default: "" });
        assert_eq!(text.accept(&json!("你好")), Some(json!("你好")));
        assert_eq!(text.accept(&json!("abc")), None);
    }

    #[test]
    fn long_values_are_shortened_between_characters() {
        let long = shown(&json!("好".repeat(500)));
        assert_eq!(long.chars().count(), LONGEST_SHOWN + 1);
        assert!(long.ends_with('…'));
    }
}
