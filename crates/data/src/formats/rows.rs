//! Delimited rows: the parser.

use crate::error::{Error, Place};
use crate::input::{MAX_ROW_BYTES, TextReader, too_long};

/// What a quote means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    /// `"` encloses a field, `""` inside is a quote (RFC 4180).
    Doubled,
    /// `"` encloses a field, `\"` inside is a quote.
    Backslash,
    /// A quote is a character like any other.
    None,
}

/// How fields and rows are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// `None`: a row is one field.
    pub(crate) delimiter: Option<u8>,
    pub(crate) quoting: Quoting,
}

/// One row: its fields and the 1-based line that it starts on.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) fields: Vec<String>,
    pub(crate) line: u64,
}

/// Reads delimited rows; blank lines are no rows. A row ends with `\n`, `\r\n` or `\r`.
pub(crate) struct RowReader {
    reader: TextReader,
    dialect: Dialect,
    /// Number of the row that is read next, for errors.
    row: u64,
    /// Whether some field was enclosed in quotes (also with [`Quoting::None`]).
    enclosed: bool,
}

enum End {
    Field,
    Row,
    File,
}

impl RowReader {
    pub(crate) fn new(reader: TextReader, dialect: Dialect, first_row: u64) -> Self {
        Self { reader, dialect, row: first_row, enclosed: false }
    }

    pub(crate) fn name(&self) -> &str {
        self.reader.name()
    }

    /// Whether some field so far was enclosed in quotes.
    pub(crate) fn has_enclosed(&self) -> bool {
        self.enclosed
    }

    /// Number of the row that was read last.
    pub(crate) fn last_row(&self) -> u64 {
        self.row.saturating_sub(1)
    }

    /// The next row, `None` at the end of the file.
    pub(crate) fn next_row(&mut self) -> Result<Option<Row>, Error> {
        loop {
            if self.reader.peek()?.is_empty() {
                return Ok(None);
            }
            let start = self.reader.place();
            let row = self.read_row(&start)?;
            if row.fields.iter().all(String::is_empty) && row.fields.len() == 1 {
                continue;
            }
            self.row += 1;
            return Ok(Some(row));
        }
    }

    fn read_row(&mut self, start: &Place) -> Result<Row, Error> {
        let mut row = Row { fields: Vec::new(), line: start.line.unwrap_or(1) };
        let mut length = 0;
        loop {
            let mut field = Vec::new();
            let end = self.read_field(&mut field, start, length)?;
            length += field.len();
            let text = String::from_utf8(field).map_err(|error| Error::Encoding {
                place: start.clone().in_row(self.row),
                encoding: "UTF-8".into(),
                offset: error.utf8_error().valid_up_to() as u64,
            })?;
            row.fields.push(text);
            if !matches!(end, End::Field) {
                return Ok(row);
            }
        }
    }

    fn read_field(
        &mut self,
        field: &mut Vec<u8>,
        start: &Place,
        before: usize,
    ) -> Result<End, Error> {
        loop {
            let bytes = self.reader.peek()?;
            let Some(&first) = bytes.first() else {
                self.note_enclosed(field);
                return Ok(End::File);
            };
            if first == b'"'
                && self.dialect.quoting != Quoting::None
                && field.iter().all(|byte| *byte == b' ')
            {
                field.clear();
                return self.read_quoted(field, start, before);
            }
            let special = |byte: &u8| {
                matches!(*byte, b'\n' | b'\r' | b'"') || Some(*byte) == self.dialect.delimiter
            };
            match bytes.iter().position(special) {
                Some(0) if first == b'"' => {
                    field.push(b'"');
                    self.reader.skip(1);
                }
                Some(0) => {
                    self.note_enclosed(field);
                    return self.read_end();
                }
                other => {
                    let plain = other.unwrap_or(bytes.len());
                    field.extend_from_slice(&bytes[..plain]);
                    self.reader.skip(plain);
                }
            }
            if before + field.len() > MAX_ROW_BYTES {
                return Err(too_long(start.clone(), self.row));
            }
        }
    }

    fn note_enclosed(&mut self, field: &[u8]) {
        self.enclosed |= field.len() >= 2 && field.starts_with(b"\"") && field.ends_with(b"\"");
    }

    /// Reads a field from its opening quote on.
    fn read_quoted(
        &mut self,
        field: &mut Vec<u8>,
        start: &Place,
        before: usize,
    ) -> Result<End, Error> {
        let opening = self.reader.place().in_row(self.row);
        self.enclosed = true;
        self.reader.skip(1);
        loop {
            let bytes = self.reader.peek()?;
            let Some(&first) = bytes.first() else {
                return Err(Error::Quote {
                    place: opening,
                    problem: "the quote opened here is never closed; close it, or double it if it belongs to the text",
                });
            };
            if first == b'\\' && self.dialect.quoting == Quoting::Backslash {
                self.reader.skip(1);
                match self.reader.peek_byte()? {
                    Some(next @ (b'"' | b'\\')) => {
                        field.push(next);
                        self.reader.skip(1);
                    }
                    _ => field.push(b'\\'),
                }
            } else if first == b'"' {
                let closing = self.reader.place().in_row(self.row);
                self.reader.skip(1);
                match self.reader.peek_byte()? {
                    Some(b'"') => {
                        field.push(b'"');
                        self.reader.skip(1);
                    }
                    _ => return self.read_end_after_quote(closing),
                }
            } else {
                let special = |byte: &u8| {
                    *byte == b'"' || (*byte == b'\\' && self.dialect.quoting == Quoting::Backslash)
                };
                let plain = bytes.iter().position(special).unwrap_or(bytes.len());
                field.extend_from_slice(&bytes[..plain]);
                self.reader.skip(plain);
            }
            if before + field.len() > MAX_ROW_BYTES {
                return Err(too_long(start.clone(), self.row));
            }
        }
    }

    fn read_end_after_quote(&mut self, closing: Place) -> Result<End, Error> {
        while self.reader.peek_byte()? == Some(b' ') {
            self.reader.skip(1);
        }
        match self.reader.peek_byte()? {
            None => Ok(End::File),
            Some(byte) if matches!(byte, b'\n' | b'\r') || Some(byte) == self.dialect.delimiter => {
                self.read_end()
            }
            Some(_) => Err(Error::Quote {
                place: closing,
                problem: "text follows the quote that closes a field here; double a quote that belongs to the text (\"\"), or put a separator after it",
            }),
        }
    }

    /// Reads a separator or the end of a row.
    fn read_end(&mut self) -> Result<End, Error> {
        let byte = self.reader.peek_byte()?;
        self.reader.skip(1);
        if byte == self.dialect.delimiter {
            return Ok(End::Field);
        }
        if byte == Some(b'\r') && self.reader.peek_byte()? == Some(b'\n') {
            self.reader.skip(1);
        }
        Ok(End::Row)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::dialect::DELIMITERS;
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str, delimiter: u8, quoting: Quoting) -> Result<Vec<Vec<String>>, Error> {
        let mut reader = RowReader::new(
            TextReader::over("t.csv", text.into()),
            Dialect { delimiter: Some(delimiter), quoting },
            1,
        );
        let mut all = Vec::new();
        while let Some(row) = reader.next_row()? {
            all.push(row.fields);
        }
        Ok(all)
    }

    #[test]
    fn quoted_fields_hold_separators_quotes_and_lines() {
        let text = "a,b\r\n\"x, \"\"y\"\"\",\"line 1\nline 2\"\r\rlast,\"\"\n\n \"spaced\" ,end";
        let expected =
            [["a", "b"], ["x, \"y\"", "line 1\nline 2"], ["last", ""], ["spaced", "end"]];
        assert_eq!(rows(text, b',', Quoting::Doubled).unwrap(), expected);
        assert_eq!(
            rows("a;\"b \\\"c\\\" \\d\"", b';', Quoting::Backslash).unwrap(),
            [["a", "b \"c\" \\d"]]
        );
    }

    #[test]
    fn bad_quotes_are_placed() {
        let error = rows("a,b\nc,\"d\ne,f\n", b',', Quoting::Doubled).unwrap_err();
        assert_eq!(
            error.to_string(),
            "t.csv, row 2, line 2, column 3: the quote opened here is never closed; close it, or double it if it belongs to the text."
        );
        let error = rows("a,b\nc,\"d\" e\n", b',', Quoting::Doubled).unwrap_err();
        assert!(
            matches!(&error, Error::Quote { place, .. } if (place.line, place.column) == (Some(2), Some(5))),
            "{error}"
        );
    }

    proptest! {
        #[test]
        fn what_the_csv_crate_writes_is_read_back(table in prop::collection::vec(prop::collection::vec("[^\u{0}]{0,12}", 3), 1..12), delimiter in prop::sample::select(DELIMITERS.to_vec())) {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter).quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(rows(&text, delimiter, Quoting::Doubled).unwrap(), table);
        }

        #[test]
        fn any_text_is_survived(text in "[a\",;\\\\\r\n\t|é好 ]{0,60}") {
            for quoting in [Quoting::Doubled, Quoting::Backslash, Quoting::None] {
                let _ = rows(&text, b',', quoting);
            }
        }
    }
}
