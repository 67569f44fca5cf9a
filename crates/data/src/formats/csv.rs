//! Delimited tables: CSV, TSV, and those with semicolons or bars.

use indexmap::IndexMap;
use sanbao_contract::Text;
use sanbao_contract::data::Origin;
use serde_json::Value;

use super::dialect::{detect, header};
use super::rows::{Dialect, Quoting, RowReader};
use super::{Format, Layout, Records, Sample, UntilError};
use crate::error::{Error, Place};
use crate::input::TextFile;
use crate::record::Record;

/// CSV and its relatives; separator, quoting and header are found by looking.
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn fits(&self, sample: &Sample) -> bool {
        if matches!(sample.extension.as_str(), "csv" | "tsv" | "tab" | "psv") {
            return true;
        }
        // Prose has commas too: under another name a table has to show itself clearly.
        let fit = detect(sample);
        let wide = fit.rows.first().is_some_and(|row| row.fields.len() > 1);
        let sure = fit.dialect.delimiter == Some(b'\t') || header(&fit.rows).0;
        wide && sure && fit.rows.len() >= 3 && fit.agreement >= 0.95
    }

    fn look(&self, file: &TextFile, sample: &Sample) -> Result<Box<dyn Layout>, Error> {
        let fit = detect(sample);
        let (has_header, header_reason) = header(&fit.rows);
        let first =
            fit.rows.first().ok_or_else(|| Error::NoRows { file: file.name().to_owned() })?;
        let columns =
            column_names(has_header.then_some(first.fields.as_slice()), first.fields.len());
        Ok(Box::new(Table { dialect: fit.dialect, has_header, header_reason, columns }))
    }
}

/// Names for every column: those of the header, made unique; `column_1` … where there is none.
fn column_names(header: Option<&[String]>, count: usize) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(count);
    for at in 0..count {
        let given = header
            .and_then(|header| header.get(at))
            .map(|name| name.trim())
            .filter(|name| !name.is_empty());
        let base = given.map_or_else(|| format!("column_{}", at + 1), str::to_owned);
        let mut name = base.clone();
        let mut copy = 2;
        while names.contains(&name) {
            name = format!("{base}_{copy}");
            copy += 1;
        }
        names.push(name);
    }
    names
}

struct Table {
    dialect: Dialect,
    has_header: bool,
    header_reason: Text,
    columns: Vec<String>,
}

impl Layout for Table {
    fn describe(&self) -> Text {
        let (separated, separated_zh) = match self.dialect.delimiter {
            Some(b',') => ("comma-separated", "逗号分隔"),
            Some(b'\t') => ("tab-separated", "制表符分隔"),
            Some(b';') => ("semicolon-separated", "分号分隔"),
            Some(b'|') => ("bar-separated", "竖线分隔"),
            _ => ("one column", "只有一列"),
        };
        let (quoting, quoting_zh) = match self.dialect.quoting {
            Quoting::Doubled => ("", ""),
            Quoting::Backslash => (", quotes escaped with a backslash", "，引号用反斜杠转义"),
            Quoting::None => (", quotes without meaning", "，引号没有特殊含义"),
        };
        let (header, header_zh) = if self.has_header {
            ("with a header", "有表头")
        } else {
            ("without a header", "没有表头")
        };
        let why = &self.header_reason;
        Text::new(
            format!("{separated}{quoting}, {header} ({})", why.en),
            format!("{separated_zh}{quoting_zh}，{header_zh}（{}）", why.zh),
        )
    }

    fn delimiter(&self) -> Option<char> {
        self.dialect.delimiter.map(char::from)
    }

    fn records(&self, file: &TextFile) -> Result<Records, Error> {
        // Row 0 is the header: rows are counted among the data.
        let first_row = u64::from(!self.has_header);
        let mut rows = RowReader::new(file.reader()?, self.dialect, first_row);
        if self.has_header {
            rows.next_row()?;
        }
        Ok(Box::new(UntilError::new(TableRows {
            rows,
            columns: self.columns.clone(),
            dialect: self.dialect,
        })))
    }
}

struct TableRows {
    rows: RowReader,
    columns: Vec<String>,
    dialect: Dialect,
}

impl Iterator for TableRows {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = match self.rows.next_row() {
            Ok(row) => row?,
            Err(error) => return Some(Err(error)),
        };
        let origin = Origin {
            file: self.rows.name().to_owned(),
            row: self.rows.last_row(),
            line: Some(row.line),
        };
        if row.fields.len() != self.columns.len() {
            let delimiter = char::from(self.dialect.delimiter.unwrap_or(b','));
            return Some(Err(Error::Ragged {
                place: Place::from(&origin),
                found: row.fields.len(),
                expected: self.columns.len(),
                delimiter,
            }));
        }
        let fields: IndexMap<String, Value> =
            self.columns.iter().cloned().zip(row.fields.into_iter().map(Value::String)).collect();
        Some(Ok(Record::new(origin, fields)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_and_unique() {
        let header = ["text", "", "text", "text_2"].map(str::to_owned);
        assert_eq!(column_names(Some(&header), 4), ["text", "column_2", "text_2", "text_2_2"]);
        assert_eq!(column_names(None, 2), ["column_1", "column_2"]);
    }
}
