//! JSON lines: one object per line.

use indexmap::IndexMap;
use sanbao_contract::Text;
use sanbao_contract::data::Origin;
use serde_json::Value;

use super::{Format, Layout, Records, Sample, UntilError};
use crate::error::{Error, Place};
use crate::input::{TextFile, TextReader};
use crate::record::Record;

/// One JSON object per line; empty lines are skipped.
pub struct Jsonl;

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn fits(&self, sample: &Sample) -> bool {
        if matches!(sample.extension.as_str(), "jsonl" | "ndjson" | "jsonlines") {
            return true;
        }
        sample.lines().next().is_some_and(|line| {
            line.trim_start().starts_with('{')
                && serde_json::from_str::<serde_json::Map<String, Value>>(line).is_ok()
        })
    }

    fn look(&self, _: &TextFile, _: &Sample) -> Result<Box<dyn Layout>, Error> {
        Ok(Box::new(Lines))
    }
}

struct Lines;

impl Layout for Lines {
    fn describe(&self) -> Text {
        Text::new("one JSON object per line", "每行一个 JSON 对象")
    }

    fn records(&self, file: &TextFile) -> Result<Records, Error> {
        Ok(Box::new(UntilError::new(LineRows { reader: file.reader()?, row: 0 })))
    }
}

struct LineRows {
    reader: TextReader,
    row: u64,
}

impl Iterator for LineRows {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_row().transpose()
    }
}

impl LineRows {
    fn next_row(&mut self) -> Result<Option<Record>, Error> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let number = self.reader.line();
            if !self.reader.read_line(self.row + 1, &mut line)? {
                return Ok(None);
            }
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            self.row += 1;
            let origin =
                Origin { file: self.reader.name().to_owned(), row: self.row, line: Some(number) };
            let fields = object(&line, &Place::from(&origin))?;
            return Ok(Some(Record::new(origin, fields)));
        }
    }
}

/// Reads one object; `start` is the place of the first byte.
pub(super) fn object(bytes: &[u8], start: &Place) -> Result<IndexMap<String, Value>, Error> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        let line = start.line.map(|line| line + (error.line() as u64).saturating_sub(1));
        let column = characters_before(bytes, error.line(), error.column());
        let within_first = error.line() <= 1;
        let column = if within_first {
            start.column.map_or(column, |first| first + column - 1)
        } else {
            column
        };
        let place = Place { line, column: Some(column), ..start.clone() };
        Error::Json {
            place,
            problem: format!(
                "this is not valid JSON ({}); correct it or remove the row",
                reason(&error)
            ),
        }
    })?;
    match value {
        Value::Object(fields) => Ok(fields.into_iter().collect()),
        other => Err(Error::Json {
            place: start.clone(),
            problem: format!(
                "the row is {} where an object with named fields is expected, such as {{\"text\": \"…\"}}",
                kind(&other)
            ),
        }),
    }
}

/// 1-based character column for a 1-based line and byte column.
fn characters_before(bytes: &[u8], line: usize, column: usize) -> u64 {
    let text = bytes.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let before = &text[..column.saturating_sub(1).min(text.len())];
    1 + before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u64
}

/// What serde_json found, without the place, which is told by ours.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// A JSON value's kind, for a sentence.
pub(crate) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
