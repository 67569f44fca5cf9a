//! Reading the reference numbers.
#![allow(dead_code)]

use serde_json::Value;

/// A file of `tests/fixtures/goldens/metrics`.
pub fn golden(name: &str) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens/metrics");
    let text = std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The list of numbers that a value is.
pub fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// Fails when two numbers differ by more than the tolerance.
#[track_caller]
pub fn assert_close(got: f64, want: &Value, tolerance: f64, what: &str) {
    let want = want.as_f64().unwrap_or_else(|| panic!("{what}: no number in the golden"));
    assert!((got - want).abs() <= tolerance, "{what}: {got} instead of {want}");
}
