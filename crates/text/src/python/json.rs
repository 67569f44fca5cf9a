//! `json.dumps`, as the `tojson` filter of transformers calls it.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{State, Value};

use super::write::float;
use super::{Arguments, checked_length, invalid};
use crate::chat::limits::VALUE_DEPTH;

type Result<T> = std::result::Result<T, minijinja::Error>;

/// Widest indent for one level.
const WIDEST: usize = 64;

/// The filter `tojson(value, ensure_ascii=False, indent=None, separators=None, sort_keys=False)`.
pub(crate) fn tojson(state: &State, value: &Value, rest: Rest<ValueOrKwargs>) -> Result<Value> {
    let arguments = Arguments::new(rest)?;
    let ensure_ascii: Option<bool> = arguments.get(0, "ensure_ascii")?;
    let indent = match arguments.get::<Value>(1, "indent")? {
        None => None,
        Some(value) if value.is_none() => None,
        Some(value) => Some(match (value.as_str(), value.as_i64()) {
            (Some(text), _) => text.to_owned(),
            (None, Some(width)) => " ".repeat(usize::try_from(width).unwrap_or(0).min(WIDEST)),
            (None, None) => {
                return Err(invalid("the indent of tojson is neither a number nor a text"));
            }
        }),
    };
    let separators: Option<Value> = arguments.get(2, "separators")?;
    let sort_keys: Option<bool> = arguments.get(3, "sort_keys")?;
    arguments.finish(4)?;
    let (between, colon) = match separators {
        Some(pair) if !pair.is_none() => {
            (pair.get_item_by_index(0)?.to_string(), pair.get_item_by_index(1)?.to_string())
        }
        _ if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        _ => (", ".to_owned(), ": ".to_owned()),
    };
    let mut writer = Writer {
        state,
        output: String::new(),
        ensure_ascii: ensure_ascii.unwrap_or(false),
        sort_keys: sort_keys.unwrap_or(false),
        indent,
        between,
        colon,
        depth: 0,
    };
    writer.value(value)?;
    Ok(Value::from(writer.output))
}

struct Writer<'a, 's, 'e> {
    state: &'a State<'s, 'e>,
    output: String,
    ensure_ascii: bool,
    sort_keys: bool,
    indent: Option<String>,
    between: String,
    colon: String,
    depth: usize,
}

impl Writer<'_, '_, '_> {
    fn value(&mut self, value: &Value) -> Result<()> {
        self.state.consume_fuel(1)?;
        checked_length(Some(self.output.len()))?;
        match value.kind() {
            ValueKind::None => self.output.push_str("null"),
            ValueKind::Bool => self.output.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value)?,
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items = self.collected(value)?;
                self.container('[', ']', items, |writer, item| writer.value(&item))?;
            }
            ValueKind::Map => {
                let mut keys = self.collected(value)?;
                if self.sort_keys {
                    keys.sort();
                }
                let entries = keys
                    .into_iter()
                    .map(|key| value.get_item(&key).map(|item| (key, item)))
                    .collect::<Result<Vec<_>>>()?;
                self.container('{', '}', entries, |writer, (key, item)| {
                    writer.key(&key)?;
                    let colon = writer.colon.clone();
                    writer.output.push_str(&colon);
                    writer.value(&item)
                })?;
            }
            kind => {
                return Err(invalid(format!("a value of kind {kind} cannot be written as JSON")));
            }
        }
        Ok(())
    }

    fn collected(&self, value: &Value) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        for item in value.try_iter()?.checked() {
            self.state.consume_fuel(1)?;
            items.push(item?);
        }
        Ok(items)
    }

    fn container<T>(
        &mut self,
        open: char,
        close: char,
        items: Vec<T>,
        mut write: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        self.depth += 1;
        if self.depth > VALUE_DEPTH {
            return Err(invalid("a value is nested too deeply for JSON"));
        }
        self.output.push(open);
        let empty = items.is_empty();
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                let between = self.between.clone();
                self.output.push_str(&between);
            }
            self.line(self.depth);
            write(self, item)?;
        }
        self.depth -= 1;
        if !empty {
            self.line(self.depth);
        }
        self.output.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.output.push('\n');
            self.output.push_str(&indent.repeat(depth));
        }
    }

    fn number(&mut self, value: &Value) -> Result<()> {
        if value.is_integer() {
            self.output.push_str(&value.to_string());
            return Ok(());
        }
        let number = f64::try_from(value.clone())?;
        self.output.push_str(&match number {
            _ if number.is_nan() => "NaN".to_owned(),
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            _ => float(number),
        });
        Ok(())
    }

    fn key(&mut self, key: &Value) -> Result<()> {
        match key.kind() {
            ValueKind::String => self.string(key.as_str().unwrap_or_default()),
            ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                self.output.push('"');
                self.value(key)?;
                self.output.push('"');
            }
            kind => return Err(invalid(format!("a value of kind {kind} cannot be a key in JSON"))),
        }
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.output.push('"');
        for character in text.chars() {
            match character {
                '"' => self.output.push_str("\\\""),
                '\\' => self.output.push_str("\\\\"),
                '\n' => self.output.push_str("\\n"),
                '\r' => self.output.push_str("\\r"),
                '\t' => self.output.push_str("\\t"),
                '\u{8}' => self.output.push_str("\\b"),
                '\u{c}' => self.output.push_str("\\f"),
                '\0'..='\u{1f}' => self.unit(u32::from(character)),
                '\u{7f}'.. if self.ensure_ascii && !character.is_ascii() => {
                    let mut units = [0; 2];
                    for unit in character.encode_utf16(&mut units) {
                        self.unit(u32::from(*unit));
                    }
                }
                _ => self.output.push(character),
            }
        }
        self.output.push('"');
    }

    fn unit(&mut self, unit: u32) {
        self.output.push_str(&format!("\\u{unit:04x}"));
    }
}
