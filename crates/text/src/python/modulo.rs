//! The `%` operator: printf formatting of texts, the remainder of numbers.

use minijinja::value::ValueKind;
use minijinja::{State, Value};

use super::invalid;
use super::write::text;

type Result<T> = std::result::Result<T, minijinja::Error>;

/// `left % right` as Python computes it.
pub(crate) fn modulo(state: &mut State, left: &Value, right: Value) -> Result<Value> {
    match left.kind() {
        ValueKind::String => format(state, left, right),
        ValueKind::Number | ValueKind::Bool => remainder(left, &right),
        kind => Err(invalid(format!("the operator % does not work on a value of kind {kind}"))),
    }
}

fn format(state: &mut State, format: &Value, right: Value) -> Result<Value> {
    let mut arguments = vec![format.clone()];
    if right.is_tuple() {
        for item in right.try_iter()?.checked() {
            arguments.push(item?);
        }
    } else {
        arguments.push(right);
    }
    // `%s` writes a value as `str` does; everything that is no text or number is turned into
    // text here, since the engine writes floats inside containers differently.
    for argument in arguments.iter_mut().skip(1) {
        let keep = matches!(
            argument.kind(),
            ValueKind::String | ValueKind::Number | ValueKind::Bool | ValueKind::Map
        );
        if !keep {
            *argument = Value::from(text(argument)?);
        }
    }
    state.apply_filter("format", &arguments)
}

/// The remainder with the sign of the divisor.
fn remainder(left: &Value, right: &Value) -> Result<Value> {
    if !matches!(right.kind(), ValueKind::Number | ValueKind::Bool) {
        return Err(invalid(format!(
            "the operator % does not work on a number and a value of kind {}",
            right.kind()
        )));
    }
    let zero = || invalid("the operator % was given 0 on its right");
    if let (Ok(left), Ok(right)) = (whole(left), whole(right)) {
        let remainder = left.checked_rem(right).ok_or_else(zero)?;
        let turned = remainder != 0 && (remainder < 0) != (right < 0);
        return Ok(Value::from(if turned { remainder + right } else { remainder }));
    }
    let (left, right) = (f64::try_from(left.clone())?, f64::try_from(right.clone())?);
    if right == 0.0 {
        return Err(zero());
    }
    let remainder = left % right;
    let turned = remainder != 0.0 && (remainder < 0.0) != (right < 0.0);
    Ok(Value::from(if turned { remainder + right } else { remainder.abs().copysign(right) }))
}

fn whole(value: &Value) -> Result<i128> {
    if value.kind() == ValueKind::Number && !value.is_integer() {
        return Err(invalid("not a whole number"));
    }
    i128::try_from(value.clone())
}
