//! Methods of Python's texts, lists and dictionaries.
//!
//! What the engine's own compatibility module does as Python does is left to it.

use minijinja::value::{Kwargs, Tuple, ValueKind, from_args};
use minijinja::{Error, State, Value};

use super::{checked_length, invalid, is_space};

type Result<T> = std::result::Result<T, Error>;

/// Calls `method` of `value`.
pub(crate) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    arguments: &[Value],
) -> Result<Value> {
    let own = match value.kind() {
        ValueKind::String => text_method(value.as_str().unwrap_or_default(), method, arguments),
        ValueKind::Map => map_method(value, method, arguments),
        ValueKind::Seq | ValueKind::Iterable => list_method(value, method, arguments),
        _ => Ok(None),
    };
    match own? {
        Some(result) => Ok(result),
        None => {
            minijinja_contrib::pycompat::unknown_method_callback(state, value, method, arguments)
        }
    }
}

fn text_method(text: &str, method: &str, arguments: &[Value]) -> Result<Option<Value>> {
    Ok(Some(match method {
        "strip" | "lstrip" | "rstrip" => strip(text, method, arguments)?,
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(arguments)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "split" => split(text, arguments, false)?,
        "rsplit" => split(text, arguments, true)?,
        "splitlines" => {
            let (keep, kwargs): (Option<bool>, Kwargs) = from_args(arguments)?;
            let keep = keep.or(kwargs.get("keepends")?).unwrap_or(false);
            kwargs.assert_all_used()?;
            Value::from(lines(text, keep).into_iter().map(Value::from).collect::<Vec<_>>())
        }
        "partition" | "rpartition" => partition(text, method == "rpartition", arguments)?,
        "startswith" | "endswith" => begins_or_ends(text, method == "startswith", arguments)?,
        "find" | "rfind" | "index" | "rindex" => find(text, method, arguments)?,
        "count" => {
            let (part, start, end): (&str, Option<i64>, Option<i64>) = from_args(arguments)?;
            let (slice, _) = sliced(text, start, end);
            let count = if part.is_empty() {
                slice.chars().count() + 1
            } else {
                slice.matches(part).count()
            };
            Value::from(count)
        }
        "replace" => replace(text, arguments)?,
        "join" => join(text, arguments)?,
        "title" => Value::from(title(text)),
        "swapcase" => {
            let () = from_args(arguments)?;
            Value::from(text.chars().map(swapped).collect::<String>())
        }
        "isspace" => {
            let () = from_args(arguments)?;
            Value::from(!text.is_empty() && text.chars().all(is_space))
        }
        "ljust" | "rjust" | "center" => justify(text, method, arguments)?,
        "zfill" => {
            let (width,): (usize,) = from_args(arguments)?;
            checked_length(Some(width))?;
            let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
            let zeros = width.saturating_sub(text.chars().count());
            Value::from(format!("{sign}{}{digits}", "0".repeat(zeros)))
        }
        "format" => {
            // The engine makes no check on the widths that a format asks for.
            let longest =
                text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0);
            if longest > 4 {
                return Err(invalid("a width in str.format is too large"));
            }
            return Ok(None);
        }
        _ => return Ok(None),
    }))
}

fn strip(text: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let (characters,): (Option<&str>,) = from_args(arguments)?;
    let drop = |character: char| match characters {
        Some(characters) => characters.contains(character),
        None => is_space(character),
    };
    Ok(Value::from(match method {
        "lstrip" => text.trim_start_matches(drop),
        "rstrip" => text.trim_end_matches(drop),
        _ => text.trim_matches(drop),
    }))
}

fn split(text: &str, arguments: &[Value], from_right: bool) -> Result<Value> {
    let (separator, most, kwargs): (Option<&str>, Option<i64>, Kwargs) = from_args(arguments)?;
    let separator = separator.or(kwargs.get("sep")?);
    let most = most.or(kwargs.get("maxsplit")?).unwrap_or(-1);
    kwargs.assert_all_used()?;
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut parts: Vec<&str> = match separator {
        Some("") => return Err(invalid("split was given an empty separator")),
        Some(separator) if from_right => text.rsplitn(most.saturating_add(1), separator).collect(),
        Some(separator) => text.splitn(most.saturating_add(1), separator).collect(),
        None => words(text, most, from_right),
    };
    if from_right {
        parts.reverse();
    }
    Ok(Value::from(parts.into_iter().map(Value::from).collect::<Vec<_>>()))
}

/// Words between whitespace, at most `most` cuts; from the right they come last first.
fn words(text: &str, most: usize, from_right: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = if from_right {
        text.trim_end_matches(is_space)
    } else {
        text.trim_start_matches(is_space)
    };
    while !rest.is_empty() {
        let cut = if from_right { rest.rfind(is_space) } else { rest.find(is_space) };
        let Some(cut) = cut.filter(|_| words.len() < most) else {
            words.push(rest);
            break;
        };
        if from_right {
            let word = rest[cut..].trim_start_matches(is_space);
            words.push(word);
            rest = rest[..rest.len() - word.len()].trim_end_matches(is_space);
        } else {
            words.push(&rest[..cut]);
            rest = rest[cut..].trim_start_matches(is_space);
        }
    }
    words
}

/// `str.splitlines`.
pub(crate) fn lines(text: &str, keep: bool) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(is_end).unwrap_or(rest.len());
        let end = match rest[start..].chars().next() {
            Some('\r') if rest[start..].starts_with("\r\n") => start + 2,
            Some(character) => start + character.len_utf8(),
            None => start,
        };
        lines.push(&rest[..if keep { end } else { start }]);
        rest = &rest[end..];
    }
    lines
}

fn partition(text: &str, from_right: bool, arguments: &[Value]) -> Result<Value> {
    let (separator,): (&str,) = from_args(arguments)?;
    if separator.is_empty() {
        return Err(invalid("partition was given an empty separator"));
    }
    let cut = if from_right { text.rsplit_once(separator) } else { text.split_once(separator) };
    let parts = match cut {
        Some((before, after)) => [before, separator, after],
        None if from_right => ["", "", text],
        None => [text, "", ""],
    };
    Ok(Value::from(Tuple::from(parts.map(Value::from))))
}

fn begins_or_ends(text: &str, begins: bool, arguments: &[Value]) -> Result<Value> {
    let (parts, start, end): (&Value, Option<i64>, Option<i64>) = from_args(arguments)?;
    let (slice, _) = sliced(text, start, end);
    let fits = |part: &Value| {
        let part = part
            .as_str()
            .ok_or_else(|| invalid("startswith and endswith take a text or a tuple of texts"))?;
        Ok::<_, Error>(if begins { slice.starts_with(part) } else { slice.ends_with(part) })
    };
    if parts.kind() == ValueKind::Seq {
        for part in parts.try_iter()?.checked() {
            if fits(&part?)? {
                return Ok(Value::from(true));
            }
        }
        return Ok(Value::from(false));
    }
    fits(parts).map(Value::from)
}

fn find(text: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let (part, start, end): (&str, Option<i64>, Option<i64>) = from_args(arguments)?;
    let (slice, offset) = sliced(text, start, end);
    let found = if method.starts_with('r') { slice.rfind(part) } else { slice.find(part) };
    match found {
        Some(at) => Ok(Value::from(offset + slice[..at].chars().count())),
        None if method.ends_with("find") => Ok(Value::from(-1)),
        None => Err(invalid("substring not found")),
    }
}

/// `text[start:end]` and the number of characters before it.
fn sliced(text: &str, start: Option<i64>, end: Option<i64>) -> (&str, usize) {
    let count = text.chars().count();
    let place = |position: Option<i64>, default: usize| match position {
        None => default,
        Some(position) if position < 0 => {
            count.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX))
        }
        Some(position) => usize::try_from(position).unwrap_or(usize::MAX).min(count),
    };
    let (start, end) = (place(start, 0), place(end, count));
    let byte =
        |character: usize| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
    (text.get(byte(start)..byte(end.max(start))).unwrap_or_default(), start)
}

fn replace(text: &str, arguments: &[Value]) -> Result<Value> {
    let (old, new, count, kwargs): (&str, &str, Option<i64>, Kwargs) = from_args(arguments)?;
    let count = count.or(kwargs.get("count")?).unwrap_or(-1);
    kwargs.assert_all_used()?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let matches = text.matches(old).take(count).count();
    checked_length(matches.checked_mul(new.len()).and_then(|more| more.checked_add(text.len())))?;
    Ok(Value::from(text.replacen(old, new, count)))
}

fn join(separator: &str, arguments: &[Value]) -> Result<Value> {
    let (items,): (&Value,) = from_args(arguments)?;
    let mut output = String::new();
    for (position, item) in items.try_iter()?.checked().enumerate() {
        let item = item?;
        let item = item.as_str().ok_or_else(|| invalid("join takes a list of texts"))?;
        if position > 0 {
            output.push_str(separator);
        }
        output.push_str(item);
        checked_length(Some(output.len()))?;
    }
    Ok(Value::from(output))
}

/// `str.title`: a letter after anything but a letter is upper case.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        let cased = character.is_lowercase() || character.is_uppercase();
        if inside {
            output.extend(character.to_lowercase());
        } else {
            output.extend(character.to_uppercase());
        }
        inside = cased;
    }
    output
}

fn swapped(character: char) -> String {
    if character.is_uppercase() {
        character.to_lowercase().collect()
    } else {
        character.to_uppercase().collect()
    }
}

fn justify(text: &str, method: &str, arguments: &[Value]) -> Result<Value> {
    let (width, fill): (i64, Option<char>) = from_args(arguments)?;
    let width = usize::try_from(width).unwrap_or(0);
    checked_length(Some(width))?;
    Ok(Value::from(padded(text, width, fill.unwrap_or(' '), method)))
}

/// Fills up to `width` characters; `center` puts the odd one where CPython does.
pub(crate) fn padded(text: &str, width: usize, fill: char, method: &str) -> String {
    let missing = width.saturating_sub(text.chars().count());
    let left = match method {
        "ljust" => 0,
        "rjust" => missing,
        _ => missing / 2 + (missing & width & 1),
    };
    let fill = |count: usize| String::from(fill).repeat(count);
    format!("{}{text}{}", fill(left), fill(missing - left))
}

fn map_method(value: &Value, method: &str, arguments: &[Value]) -> Result<Option<Value>> {
    match method {
        "copy" => {
            let () = from_args(arguments)?;
            Ok(Some(value.clone()))
        }
        "update" | "pop" | "popitem" | "clear" | "setdefault" => {
            Err(invalid(format!("a template may not change a dictionary with {method}")))
        }
        _ => Ok(None),
    }
}

fn list_method(value: &Value, method: &str, arguments: &[Value]) -> Result<Option<Value>> {
    match method {
        "index" => {
            let (wanted,): (&Value,) = from_args(arguments)?;
            for (position, item) in value.try_iter()?.checked().enumerate() {
                if item? == *wanted {
                    return Ok(Some(Value::from(position)));
                }
            }
            Err(invalid("the value is not in the list"))
        }
        "count" => {
            let (wanted,): (&Value,) = from_args(arguments)?;
            let mut count = 0;
            for item in value.try_iter()?.checked() {
                count += usize::from(item? == *wanted);
            }
            Ok(Some(Value::from(count)))
        }
        "copy" => {
            let () = from_args(arguments)?;
            Ok(Some(value.clone()))
        }
        "append" | "extend" | "insert" | "pop" | "remove" | "clear" | "sort" | "reverse" => {
            Err(invalid(format!("a template may not change a list with {method}")))
        }
        _ => Ok(None),
    }
}
