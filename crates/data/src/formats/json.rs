//! One JSON document with rows in it: a list of objects, `{"data": [..]}`, or columns of values.
//!
//! The document is walked as a stream; only one row is held at a time. Columns
//! (`{"text": [..], "label": [..]}`, pandas' `{"text": {"0": ..}}`) are read by one reader each.

use indexmap::IndexMap;
use sanbao_contract::Text;
use sanbao_contract::data::Origin;
use serde_json::Value;

use super::json_scan::{Kind, Scanner};
use super::jsonl::{object, reason};
use super::{Format, Layout, Records, Sample, UntilError};
use crate::error::{Error, Place};
use crate::input::TextFile;
use crate::record::Record;

/// A JSON document.
pub struct Json;

/// Keys under which lists of rows are usual; one of these is taken even when others hold lists too.
const ROW_KEYS: &[&str] =
    &["data", "rows", "examples", "records", "items", "instances", "samples", "dataset", "数据"];

/// Keys of a single conversation: its list of turns is not a list of rows.
const TURN_KEYS: &[&str] = &["messages", "conversations", "conversation"];

/// Most columns of a document made of columns, each of which is read by a reader of its own.
const MAX_COLUMNS: usize = 256;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn fits(&self, sample: &Sample) -> bool {
        let text = sample.text.trim_start();
        match sample.extension.as_str() {
            "csv" | "tsv" | "tab" | "psv" => false,
            "json" if text.starts_with('[') => true,
            _ if text.strip_prefix('[').is_some_and(|rest| rest.trim_start().starts_with('{')) => {
                true
            }
            "jsonl" | "ndjson" | "jsonlines" => false,
            "json" => !has_second_object(sample),
            _ => false,
        }
    }

    fn look(&self, file: &TextFile, _: &Sample) -> Result<Box<dyn Layout>, Error> {
        let mut scanner = Scanner::new(file.reader()?);
        match scanner.peek()? {
            Some(b'[') => Ok(Box::new(Document::Rows { key: None })),
            Some(b'{') => Ok(Box::new(arrange(&mut scanner)?)),
            _ => Err(scanner.error(
                "a JSON file starts with a list `[` or an object `{`; this one does not".into(),
            )),
        }
    }
}

/// Whether the text is JSON lines under the name of JSON: a whole object in its first line and
/// something after it.
fn has_second_object(sample: &Sample) -> bool {
    let mut lines = sample.lines();
    let whole = lines
        .next()
        .is_some_and(|line| serde_json::from_str::<serde_json::Map<String, Value>>(line).is_ok());
    whole && lines.next().is_some()
}

enum Document {
    /// A list of objects, at the top or under a key.
    Rows { key: Option<String> },
    /// Several lists (or objects with numbered keys) of the same length.
    Columns { keys: Vec<(String, Kind)> },
}

/// A key of the top-level object and what it holds.
struct Entry {
    key: String,
    kind: Kind,
    count: u64,
    /// Kind of the first value inside.
    first: Option<Kind>,
}

impl Entry {
    fn is_rows(&self) -> bool {
        self.kind == Kind::Array
            && self.first == Some(Kind::Object)
            && !TURN_KEYS.contains(&self.key.as_str())
    }
}

/// Finds the rows in a document whose top is an object.
fn arrange(scanner: &mut Scanner) -> Result<Document, Error> {
    let entries = entries(scanner)?;
    let rows: Vec<&Entry> = entries.iter().filter(|entry| entry.is_rows()).collect();
    if let Some(named) = ROW_KEYS.iter().find_map(|key| rows.iter().find(|entry| entry.key == *key))
    {
        return Ok(Document::Rows { key: Some(named.key.clone()) });
    }
    let columns: Vec<&Entry> =
        entries.iter().filter(|entry| entry.kind != Kind::Other && entry.count > 0).collect();
    let same_length = columns.windows(2).all(|pair| pair[0].count == pair[1].count);
    let all_rows = columns.iter().all(|entry| {
        entry.is_rows()
            || TURN_KEYS.contains(&entry.key.as_str()) && entry.first == Some(Kind::Object)
    });
    if !columns.is_empty() && same_length && !all_rows {
        if columns.len() > MAX_COLUMNS {
            return Err(scanner.error(format!(
                "the file is made of more than {MAX_COLUMNS} columns; save it as a list of objects"
            )));
        }
        return Ok(Document::Columns {
            keys: columns.iter().map(|entry| (entry.key.clone(), entry.kind)).collect(),
        });
    }
    match rows.as_slice() {
        [only] => Ok(Document::Rows { key: Some(only.key.clone()) }),
        [] => Err(Error::Json {
            place: Place::file(scanner.name()),
            problem: "no list of rows was found; write [{…}, {…}], {\"data\": [{…}, {…}]}, or lists of the same length as columns".into(),
        }),
        several => Err(Error::Json {
            place: Place::file(scanner.name()),
            problem: format!(
                "there are several lists of rows ({}); save each in a file of its own",
                several.iter().map(|entry| format!("`{}`", entry.key)).collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}

fn entries(scanner: &mut Scanner) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut more = scanner.open(b'{', b'}')?;
    while more {
        let key = scanner.key()?;
        let mut entry = Entry { key, kind: Kind::Other, count: 0, first: None };
        match scanner.peek()? {
            Some(b'[') => {
                entry.kind = Kind::Array;
                count(scanner, &mut entry, b'[', b']')?;
            }
            Some(b'{') => {
                entry.kind = Kind::Object;
                count(scanner, &mut entry, b'{', b'}')?;
            }
            _ => {
                scanner.value(0, None)?;
            }
        }
        entries.push(entry);
        more = scanner.more(b'}')?;
    }
    expect_end(scanner)?;
    Ok(entries)
}

fn count(scanner: &mut Scanner, entry: &mut Entry, open: u8, close: u8) -> Result<(), Error> {
    let mut more = scanner.open(open, close)?;
    while more {
        if open == b'{' {
            scanner.key()?;
        }
        let kind = scanner.value(0, None)?;
        entry.first.get_or_insert(kind);
        entry.count += 1;
        more = scanner.more(close)?;
    }
    Ok(())
}

fn expect_end(scanner: &mut Scanner) -> Result<(), Error> {
    match scanner.peek()? {
        None => Ok(()),
        Some(_) => Err(scanner.error("something follows the end of the JSON document here; with one object per line, name the file .jsonl".into())),
    }
}

impl Layout for Document {
    fn describe(&self) -> Text {
        match self {
            Self::Rows { key: None } => Text::new("a JSON list of objects", "JSON 对象列表"),
            Self::Rows { key: Some(key) } => Text::new(
                format!("a JSON list of objects under `{key}`"),
                format!("“{key}”下的 JSON 对象列表"),
            ),
            Self::Columns { .. } => Text::new("JSON columns", "按列存放的 JSON"),
        }
    }

    fn records(&self, file: &TextFile) -> Result<Records, Error> {
        match self {
            Self::Rows { key } => {
                let mut scanner = Scanner::new(file.reader()?);
                if let Some(key) = key {
                    seek(&mut scanner, key)?;
                }
                let more = scanner.open(b'[', b']')?;
                Ok(Box::new(UntilError::new(Rows { scanner, nested: key.is_some(), row: 0, more })))
            }
            Self::Columns { keys } => {
                let columns = keys
                    .iter()
                    .map(|(key, kind)| Column::open(file, key, *kind))
                    .collect::<Result<Vec<_>, _>>()?;
                Ok(Box::new(UntilError::new(Columns {
                    file: file.name().to_owned(),
                    columns,
                    row: 0,
                })))
            }
        }
    }
}

/// Passes to the value of a key of the top-level object.
fn seek(scanner: &mut Scanner, wanted: &str) -> Result<(), Error> {
    let mut more = scanner.open(b'{', b'}')?;
    while more {
        if scanner.key()? == wanted {
            return Ok(());
        }
        scanner.value(0, None)?;
        more = scanner.more(b'}')?;
    }
    Err(Error::Changed { file: scanner.name().to_owned() })
}

struct Rows {
    scanner: Scanner,
    nested: bool,
    row: u64,
    more: bool,
}

impl Iterator for Rows {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.more.then(|| self.next_row())
    }
}

impl Rows {
    fn next_row(&mut self) -> Result<Record, Error> {
        self.row += 1;
        self.scanner.peek()?;
        let place = self.scanner.place().in_row(self.row);
        let mut bytes = Vec::new();
        self.scanner.value(self.row, Some(&mut bytes))?;
        let fields = object(&bytes, &place)?;
        self.more = self.scanner.more(b']')?;
        if !self.more && !self.nested {
            expect_end(&mut self.scanner)?;
        }
        Ok(Record::new(Origin { file: place.file, row: self.row, line: place.line }, fields))
    }
}

struct Column {
    name: String,
    scanner: Scanner,
    kind: Kind,
    more: bool,
}

impl Column {
    fn open(file: &TextFile, name: &str, kind: Kind) -> Result<Self, Error> {
        let mut scanner = Scanner::new(file.reader()?);
        seek(&mut scanner, name)?;
        let more = if kind == Kind::Array {
            scanner.open(b'[', b']')?
        } else {
            scanner.open(b'{', b'}')?
        };
        Ok(Self { name: name.to_owned(), scanner, kind, more })
    }

    fn next(&mut self, row: u64) -> Result<Value, Error> {
        if self.kind == Kind::Object {
            self.scanner.key()?;
        }
        self.scanner.peek()?;
        let place = self.scanner.place().in_row(row);
        let mut bytes = Vec::new();
        self.scanner.value(row, Some(&mut bytes))?;
        self.more = self.scanner.more(if self.kind == Kind::Array { b']' } else { b'}' })?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Json {
            place,
            problem: format!("this is not valid JSON ({}); correct it", reason(&error)),
        })
    }
}

struct Columns {
    file: String,
    columns: Vec<Column>,
    row: u64,
}

impl Iterator for Columns {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.columns.iter().any(|column| column.more) {
            return None;
        }
        self.row += 1;
        let origin = Origin { file: self.file.clone(), row: self.row, line: None };
        if self.columns.iter().any(|column| !column.more) {
            return Some(Err(Error::Changed { file: self.file.clone() }));
        }
        let row = self.row;
        let fields: Result<IndexMap<String, Value>, Error> = self
            .columns
            .iter_mut()
            .map(|column| Ok((column.name.clone(), column.next(row)?)))
            .collect();
        Some(fields.map(|fields| Record::new(origin, fields)))
    }
}
