//! Filters and tests of Jinja2 that the engine lacks or does differently.

use minijinja::value::{Kwargs, Rest, StringInput, ValueKind};
use minijinja::{Environment, State, Value};

use super::methods::padded;
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
    environment.add_filter("escape", escape);
    environment.add_filter("e", escape);
    environment.add_filter("forceescape", |value: &Value| text(value).map(|text| escaped(&text)));
    environment.add_test("sequence", is_sequence);
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

fn default(value: &Value, other: Option<Value>, lax: Option<bool>, kwargs: Kwargs) -> Result<Value> {
    let other = other.or(kwargs.get::<Option<Value>>("default_value")?);
    let lax = lax.or(kwargs.get("boolean")?).unwrap_or(false);
    kwargs.assert_all_used()?;
    if value.is_undefined() || lax && !value.is_true() {
        return Ok(other.unwrap_or_else(|| Value::from("")));
    }
    Ok(value.clone())
}

/// Jinja2's `truncate(length=255, killwords=False, end='...', leeway=5)`.
fn truncate(value: StringInput, rest: Rest<Value>) -> Result<Value> {
    let arguments = Arguments::new(rest)?;
    let length: usize = arguments.get(0, "length")?.unwrap_or(255);
    let killwords = arguments.get(1, "killwords")?.unwrap_or(false);
    let end = arguments.get(2, "end")?.unwrap_or("...");
    let leeway: usize = arguments.get(3, "leeway")?.unwrap_or(5);
    arguments.finish(4)?;
    let text = value.as_str();
    let room = length
        .checked_sub(end.chars().count())
        .ok_or_else(|| invalid(format!("truncate cannot fit \"{end}\" into {length} characters")))?;
    if text.chars().count() <= length.saturating_add(leeway) {
        return Ok(Value::from(text));
    }
    let kept: String = text.chars().take(room).collect();
    let kept = if killwords { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before) };
    Ok(Value::from(format!("{kept}{end}")))
}

/// Number of runs of letters, digits and underscores.
fn wordcount(value: StringInput) -> usize {
    value.as_str().split(|character: char| !character.is_alphanumeric() && character != '_').filter(|word| !word.is_empty()).count()
}

fn center(value: StringInput, width: Option<usize>, kwargs: Kwargs) -> Result<Value> {
    let width = width.or(kwargs.get("width")?).unwrap_or(80);
    kwargs.assert_all_used()?;
    checked_length(Some(width))?;
    Ok(Value::from(padded(value.as_str(), width, ' ', "center")))
}

fn escape(value: &Value) -> Result<Value> {
    if value.is_safe() { Ok(value.clone()) } else { text(value).map(|text| escaped(&text)) }
}

/// MarkupSafe's escapes.
fn escaped(text: &str) -> Value {
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
    Value::from_safe_string(output)
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

/// Writes a printed value (`{{ … }}`).
pub(crate) fn print(output: &mut minijinja::Output, state: &mut State, value: &Value) -> Result<()> {
    if !matches!(state.auto_escape(), minijinja::AutoEscape::None) {
        return minijinja::escape_formatter(output, state, value);
    }
    let failed = minijinja::Error::from;
    match value.as_str() {
        Some(text) => output.write_str(text).map_err(failed),
        None => output.write_str(&text(value)?).map_err(failed),
    }
}
