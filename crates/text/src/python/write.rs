//! Values as Python writes them: `str(value)` and `repr(value)`.

use std::fmt::Write;

use minijinja::value::{ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value};

use super::invalid;
use crate::chat::limits::{PRINTED, VALUE_DEPTH};

type Result<T> = std::result::Result<T, Error>;

/// `str(value)`; an undefined value is empty, as Jinja2 prints it.
pub(crate) fn text(value: &Value) -> Result<String> {
    let mut output = String::new();
    write_text(value, &mut output)?;
    Ok(output)
}

fn write_text(value: &Value, output: &mut String) -> Result<()> {
    match value.as_str() {
        Some(text) => {
            output.push_str(text);
            Ok(())
        }
        None if value.is_undefined() => Ok(()),
        None => write_repr(value, output, 0),
    }
}

fn write_repr(value: &Value, output: &mut String, depth: usize) -> Result<()> {
    if depth > VALUE_DEPTH {
        return Err(invalid("a value is nested too deeply to be written"));
    }
    if output.len() > PRINTED {
        return Err(Error::new(ErrorKind::OutOfFuel, "a list is too long to be written"));
    }
    match value.kind() {
        ValueKind::Undefined => output.push_str("Undefined"),
        ValueKind::Number if !value.is_integer() => match f64::try_from(value.clone()) {
            Ok(number) => output.push_str(&float(number)),
            Err(_) => push(output, value)?,
        },
        ValueKind::String => write_string(value.as_str().unwrap_or_default(), output),
        ValueKind::Seq | ValueKind::Iterable => {
            let (open, close) = if value.is_tuple() { ('(', ')') } else { ('[', ']') };
            output.push(open);
            let mut count = 0;
            for item in value.try_iter()?.checked() {
                if count > 0 {
                    output.push_str(", ");
                }
                write_repr(&item?, output, depth + 1)?;
                count += 1;
            }
            if value.is_tuple() && count == 1 {
                output.push(',');
            }
            output.push(close);
        }
        ValueKind::Map if is_plain_map(value) => {
            output.push('{');
            for (position, key) in value.try_iter()?.checked().enumerate() {
                let key = key?;
                if position > 0 {
                    output.push_str(", ");
                }
                write_repr(&key, output, depth + 1)?;
                output.push_str(": ");
                write_repr(&value.get_item(&key)?, output, depth + 1)?;
            }
            output.push('}');
        }
        _ => push(output, value)?,
    }
    Ok(())
}

fn is_plain_map(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.repr() == ObjectRepr::Map)
}

fn push(output: &mut String, value: &Value) -> Result<()> {
    write!(output, "{value}").map_err(|_| invalid("a value cannot be written"))
}

/// `repr` of a float: the shortest digits that read back, an exponent outside of 1e-4 … 1e16.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = number.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) =
            exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}

/// `repr` of a text.
fn write_string(text: &str, output: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    output.push(quote);
    for character in text.chars() {
        match character {
            '\\' => output.push_str("\\\\"),
            '\n' => output.push_str("\\n"),
            '\r' => output.push_str("\\r"),
            '\t' => output.push_str("\\t"),
            _ if character == quote => {
                output.push('\\');
                output.push(character);
            }
            _ if is_printable(character) => output.push(character),
            _ => output.push_str(&match u32::from(character) {
                code @ 0..=0xff => format!("\\x{code:02x}"),
                code @ 0x100..=0xffff => format!("\\u{code:04x}"),
                code => format!("\\U{code:08x}"),
            }),
        }
    }
    output.push(quote);
}

/// `str.isprintable` for one character, without the unassigned code points: no control, format,
/// surrogate or private-use character and no separator but the space.
fn is_printable(character: char) -> bool {
    !(character.is_control()
        || character.is_whitespace() && character != ' '
        || matches!(character,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0001}'
            | '\u{e0020}'..='\u{e007f}' | '\u{f0000}'..='\u{10ffff}'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn floats_as_python_writes_them() {
        for (number, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (3.5, "3.5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (2.5e300, "2.5e+300"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(float(number), expected);
        }
    }

    #[test]
    fn containers_as_python_writes_them() {
        let value = Value::from_pairs([
            ("a", Value::from(vec![Value::from(1), Value::from("it's"), Value::from(())])),
            ("b", Value::from("\"'\n\u{7}é\u{200b}")),
            ("c", Value::from(true)),
        ]);
        assert_eq!(
            text(&value).unwrap(),
            r#"{'a': [1, "it's", None], 'b': '"\'\n\x07é\u200b', 'c': True}"#
        );
    }

    #[test]
    fn deep_values_are_refused() {
        let mut value = Value::from(Vec::<Value>::new());
        for _ in 0..1000 {
            value = Value::from(vec![value]);
        }
        assert!(text(&value).is_err());
    }
}
