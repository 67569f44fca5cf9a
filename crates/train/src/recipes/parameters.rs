//! Hyper-parameters, declared once.

use sanbao_contract::train::Setting;
use serde_json::Value;

use crate::Error;

mod declared;

pub(super) use declared::*;

/// A text in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// English.
    pub en: &'static str,
    /// 简体中文.
    pub zh: &'static str,
}

/// The values of a recipe's settings, by name.
pub struct Values<'a>(pub(super) &'a [Setting]);

impl Values<'_> {
    /// A value.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|setting| setting.name == name).map(|setting| &setting.value)
    }

    /// A number, or what stands in for one that the recipe does not have.
    pub fn number(&self, name: &str, absent: f64) -> f64 {
        self.get(name).and_then(Value::as_f64).unwrap_or(absent)
    }

    /// A whole number, or what stands in for it.
    pub fn whole(&self, name: &str, absent: u64) -> u64 {
        self.get(name).and_then(Value::as_u64).unwrap_or(absent)
    }

    /// Whether a flag is there and set.
    pub fn flag(&self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A text; empty when the recipe has none of that name.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// One of some names, as a type that is named so.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn named<T: serde::de::DeserializeOwned>(&self, parameter: &Parameter) -> Result<T, Error> {
        let value = self.get(parameter.name).cloned().unwrap_or_default();
        serde_json::from_value(value.clone()).map_err(|_| Error::BadSetting {
            name: parameter.name.to_owned(),
            value: value.to_string(),
            expected: parameter.expected(),
        })
    }
}

/// What values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A whole number from the first to the second.
    Integer(i64, i64),
    /// A number from the first to the second.
    Number(f64, f64),
    /// Yes or no.
    Flag,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Names separated by commas.
    Names,
}

/// A hyper-parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Standard name (transformers, PEFT).
    pub name: &'static str,
    /// Values.
    pub kind: Kind,
    /// One sentence of help.
    pub help: Words,
}

impl Parameter {
    /// Whether a value is acceptable.
    ///
    /// # Errors
    /// Names the parameter, the value and what would be accepted.
    pub fn check(&self, value: &Value) -> Result<(), Error> {
        let fits = match self.kind {
            Kind::Integer(low, high) => value.as_i64().is_some_and(|v| (low..=high).contains(&v)),
            Kind::Number(low, high) => value.as_f64().is_some_and(|v| (low..=high).contains(&v)),
            Kind::Flag => value.is_boolean(),
            Kind::Choice(names) => value.as_str().is_some_and(|v| names.contains(&v)),
            Kind::Names => value.as_str().is_some_and(|v| !v.trim().is_empty()),
        };
        if fits {
            return Ok(());
        }
        Err(Error::BadSetting {
            name: self.name.to_owned(),
            value: value.to_string(),
            expected: self.expected(),
        })
    }

    /// What it accepts, in words.
    pub fn expected(&self) -> String {
        match self.kind {
            Kind::Integer(low, high) => format!("a whole number from {low} to {high} is needed"),
            Kind::Number(low, high) => format!("a number from {low} to {high} is needed"),
            Kind::Flag => "true or false is needed".to_owned(),
            Kind::Choice(names) => format!("one of {} is needed", names.join(", ")),
            Kind::Names => "names separated by commas are needed".to_owned(),
        }
    }

    /// Reads a value as it is typed on a command line.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn parse(&self, text: &str) -> Result<Value, Error> {
        let value = match self.kind {
            Kind::Choice(_) | Kind::Names => Value::from(text),
            _ => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)),
        };
        self.check(&value).map(|()| value)
    }
}
