//! Fields of a JSON object that a stranger wrote. `null` is the same as nothing.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::error::ApiError;

/// A JSON object and what its fields are called in messages.
pub struct Fields {
    object: Map<String, Value>,
    within: String,
}

impl Fields {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is no JSON object.
    pub fn read(body: &[u8]) -> Result<Self, ApiError> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => Ok(Self { object, within: String::new() }),
            Ok(_) => Err(ApiError::not_json("it is something else")),
            Err(error) => Err(ApiError::not_json(&error.to_string())),
        }
    }

    /// Takes an object that stands within another: `within` is its place, like `messages[0]`.
    ///
    /// # Errors
    /// When it is no object.
    pub fn of(value: Value, within: &str) -> Result<Self, ApiError> {
        match value {
            Value::Object(object) => Ok(Self { object, within: format!("{within}.") }),
            other => Err(ApiError::wrong_type(within, "an object", &other)),
        }
    }

    /// What a field is called in messages.
    pub fn name(&self, field: &str) -> String {
        format!("{}{field}", self.within)
    }

    /// Takes a field's value out.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.object.remove(field).filter(|value| !value.is_null())
    }

    /// A text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&mut self, field: &str) -> Result<Option<String>, ApiError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ApiError::wrong_type(&self.name(field), "a string", &other)),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// When it is something else.
    pub fn flag(&mut self, field: &str) -> Result<Option<bool>, ApiError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(other) => Err(ApiError::wrong_type(&self.name(field), "a boolean", &other)),
        }
    }

    /// A number.
    ///
    /// # Errors
    /// When it is something else, or out of range.
    pub fn number(
        &mut self,
        field: &str,
        range: RangeInclusive<f64>,
    ) -> Result<Option<f64>, ApiError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let number = match value.as_f64() {
            Some(number) => number,
            None => return Err(ApiError::wrong_type(&self.name(field), "a number", &value)),
        };
        self.in_range(field, number, &range)
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is something else, or out of range.
    pub fn whole(
        &mut self,
        field: &str,
        range: RangeInclusive<i64>,
    ) -> Result<Option<i64>, ApiError> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let number = match value.as_i64() {
            Some(number) => number,
            None => return Err(ApiError::wrong_type(&self.name(field), "an integer", &value)),
        };
        self.in_range(field, number, &range)
    }

    fn in_range<T: PartialOrd + std::fmt::Display>(
        &self,
        field: &str,
        number: T,
        range: &RangeInclusive<T>,
    ) -> Result<Option<T>, ApiError> {
        if range.contains(&number) {
            return Ok(Some(number));
        }
        let expected = format!("a number from {} to {}", range.start(), range.end());
        Err(ApiError::wrong_value(&self.name(field), &expected))
    }
}
