//! Filters and tests of Jinja2 that the engine lacks or does differently.

use minijinja::value::{Kwargs, Rest, StringInput, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Output, State, Value};

use super::methods::{lines, padded};
use super::write::text;
use super::{Arguments, checked_length, invalid, is_space, json, modulo};
use crate::chat::syntax::MODULO;

type Result<T> = std::result::Result<T, minijinja::Error>;

/// Adds them all.
pub(crate) fn add(environment: &mut Environment) {
    environment.add_filter("tojson", json::tojson);
    environment.add_filter(MODULO, modulo::modulo);
    environment.add_filter("string", string);
    environment.add_filter("trim", trim);
    environment.add_filter("default", default);
    environment.add_filter("d", default);
    environment.add_filter("truncate", truncate);
    environment.add_filter("wordcount", wordcount);
    environment.add_filter("center", center);
    environment.add_filter("indent", indent);
    environment.add_filter("int", int);
    environment.add_filter("float", float);
    environment.add_filter("sort", sort);
    environment.add_filter("dictsort", dictsort);
    environment.add_filter("escape", escape);
    environment.add_filter("e", escape);
    environment.add_filter("forceescape", |value: &Value| {
        text(value).map(|text| Value::from_safe_string(escaped(&text)))
    });
    environment.add_test("sequence", is_sequence);
    environment.add_test("iterable", is_iterable);
}

fn string(value: &Value) -> Result<Value> {
    if value.kind() == ValueKind::String { Ok(value.clone()) } else { text(value).map(Value::from) }
}

fn trim(value: &Value, characters: Option<&str>, kwargs: Kwargs) -> Result<Value> {
    let characters = characters.or(kwargs.get("chars")?);
    kwargs.assert_all_used()?;
    let text = text(value)?;
    Ok(Value::from(match characters {
        Some(characters) => text.trim_matches(|character| characters.contains(character)),
        None => text.trim_matches(is_space),
    }))
}

fn default(
    value: &Value,
    other: Option<Value>,
    lax: Option<bool>,
    kwargs: Kwargs,
) -> Result<Value> {
    let other = other.or(kwargs.get::<Option<Value>>("default_value")?);
    let lax = lax.or(kwargs.get("boolean")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    if value.is_undefined() || lax && !value.is_true() {
        return Ok(other.unwrap_or_else(|| Value::from("")));
    }
    Ok(value.clone())
}

/// Jinja2's `truncate(length=255, killwords=False, end='...', leeway=5)`.
fn truncate(value: StringInput, rest: Rest<ValueOrKwargs>) -> Result<Value> {
    let arguments = Arguments::new(rest)?;
    let length: usize = arguments.get(0, "length")?.unwrap_or(255);
    let killwords = arguments.get(1, "killwords")?.unwrap_or(false);
    let end = arguments.get(2, "end")?.unwrap_or("...");
    let leeway: usize = arguments.get(3, "leeway")?.unwrap_or(5);
    arguments.finish(4)?;
    let text = value.as_str();
    let room = length.checked_sub(end.chars().count()).ok_or_else(|| {
        invalid(format!("truncate cannot fit \"{end}\" into {length} characters"))
    })?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let kept: String = text.chars().take(room).collect();
    let kept = if killwords {
        kept.as_str()
    } else {
        kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before)
    };
    Ok(Value::from(format!("{kept}{end}")))
}

/// Number of runs of letters, digits and underscores.
fn wordcount(value: StringInput) -> usize {
    value
        .as_str()
        .split(|character: char| !character.is_alphanumeric() && character != '_')
        .filter(|word| !word.is_empty())
        .count()
}

fn center(value: StringInput, width: Option<usize>, kwargs: Kwargs) -> Result<Value> {
    let width = width.or(kwargs.get("width")?).unwrap_or(80);
    kwargs.assert_all_used()?;
    checked_length(Some(width))?;
    Ok(Value::from(padded(value.as_str(), width, ' ', "center")))
}

/// Jinja2's `indent(width=4, first=False, blank=False)`; the width may be a text.
fn indent(value: StringInput, rest: Rest<ValueOrKwargs>) -> Result<Value> {
    let arguments = Arguments::new(rest)?;
    let width: Option<Value> = arguments.get(0, "width")?;
    let first = arguments.get(1, "first")?.unwrap_or(false);
    let blank = arguments.get(2, "blank")?.unwrap_or(false);
    arguments.finish(3)?;
    let indent = match &width {
        None => "    ".to_owned(),
        Some(width) => match width.as_str() {
            Some(text) => text.to_owned(),
            None => {
                let width = usize::try_from(width.clone())?;
                checked_length(Some(width))?;
                " ".repeat(width)
            }
        },
    };
    let text = format!("{}\n", value.as_str());
    let lines = lines(&text, false);
    checked_length(
        lines.len().checked_mul(indent.len()).and_then(|more| more.checked_add(text.len())),
    )?;
    let mut output = String::with_capacity(text.len());
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            output.push('\n');
        }
        if if number == 0 { first } else { blank || !line.is_empty() } {
            output.push_str(&indent);
        }
        output.push_str(line);
    }
    Ok(Value::from(output))
}

/// What cannot be converted becomes the default, 0 when none is given.
fn int(
    state: &State,
    value: &Value,
    default: Option<Value>,
    base: Option<u32>,
    kwargs: Kwargs,
) -> Result<Value> {
    let default = default.or(kwargs.get("default")?).unwrap_or_else(|| Value::from(0));
    minijinja::filters::int(state, value, Some(default), base, kwargs)
}

fn float(state: &State, value: &Value, default: Option<Value>, kwargs: Kwargs) -> Result<Value> {
    let default = default.or(kwargs.get("default")?).unwrap_or_else(|| Value::from(0.0));
    minijinja::filters::float(state, value, Some(default), kwargs)
}

/// Jinja2's `sort(reverse=False, case_sensitive=False, attribute=None)`.
fn sort(state: &State, value: Value, rest: Rest<ValueOrKwargs>) -> Result<Value> {
    let named = Arguments::new(rest)?.named(&["reverse", "case_sensitive", "attribute"])?;
    minijinja::filters::sort(state, value, named)
}

/// Jinja2's `dictsort(case_sensitive=False, by='key', reverse=False)`.
fn dictsort(value: &Value, rest: Rest<ValueOrKwargs>) -> Result<Value> {
    let named = Arguments::new(rest)?.named(&["case_sensitive", "by", "reverse"])?;
    minijinja::filters::dictsort(value, named)
}

fn escape(value: &Value) -> Result<Value> {
    if value.is_safe() {
        Ok(value.clone())
    } else {
        text(value).map(|text| Value::from_safe_string(escaped(&text)))
    }
}

/// MarkupSafe's escapes.
fn escaped(text: &str) -> String {
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => output.push_str("&amp;"),
            '<' => output.push_str("&lt;"),
            '>' => output.push_str("&gt;"),
            '\'' => output.push_str("&#39;"),
            '"' => output.push_str("&#34;"),
            _ => output.push(character),
        }
    }
    output
}

/// Whether a value has a length and can be indexed, as Jinja2 tests it: texts and dictionaries
/// are sequences as well.
fn is_sequence(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Seq | ValueKind::String | ValueKind::Map | ValueKind::Undefined => true,
        ValueKind::Iterable => value.len().is_some(),
        _ => false,
    }
}

/// Whether Python's `iter` takes a value; a text is taken, nothing is not.
fn is_iterable(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Seq
            | ValueKind::Iterable
            | ValueKind::String
            | ValueKind::Map
            | ValueKind::Undefined
    )
}

/// Writes a printed value (`{{ … }}`).
pub(crate) fn print(output: &mut Output, state: &mut State, value: &Value) -> Result<()> {
    let plain = matches!(state.auto_escape(), AutoEscape::None) || value.is_safe();
    let written = match value.as_str() {
        Some(text) if plain => output.write_str(text),
        Some(text) => output.write_str(&escaped(text)),
        None if plain => output.write_str(&text(value)?),
        None => output.write_str(&escaped(&text(value)?)),
    };
    written.map_err(minijinja::Error::from)
}
