//! Walking over JSON without holding it: where values begin and end, not what they hold.

use crate::error::{Error, Place};
use crate::input::{MAX_ROW_BYTES, TextReader, too_long};

/// What a value is, by its first character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    Other,
}

/// Finds the ends of values in a stream; what lies between is checked by whoever parses it.
pub(super) struct Scanner {
    reader: TextReader,
}

enum Step {
    Inside,
    /// The byte belongs to the value and is its last.
    Last,
    /// The byte is the first after the value.
    After,
}

impl Scanner {
    pub(super) fn new(reader: TextReader) -> Self {
        Self { reader }
    }

    pub(super) fn name(&self) -> &str {
        self.reader.name()
    }

    pub(super) fn place(&self) -> Place {
        self.reader.place()
    }

    /// The next byte that is no white space, left unread.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let bytes = self.reader.peek()?;
            if bytes.is_empty() {
                return Ok(None);
            }
            let blank = bytes.iter().position(|byte| !byte.is_ascii_whitespace());
            let first = blank.map(|at| bytes[at]);
            let skipped = blank.unwrap_or(bytes.len());
            self.reader.skip(skipped);
            if first.is_some() {
                return Ok(first);
            }
        }
    }

    /// Reads one character that has to come next.
    pub(super) fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.peek()? == Some(byte) {
            self.reader.skip(1);
            return Ok(());
        }
        Err(self.error(format!(
            "`{}` is missing here, so this is not valid JSON; the file may have been cut off",
            char::from(byte)
        )))
    }

    /// After an element: `true` when another follows, `false` when the list or object ends.
    pub(super) fn more(&mut self, close: u8) -> Result<bool, Error> {
        if self.peek()? == Some(b',') {
            self.reader.skip(1);
            return Ok(true);
        }
        self.expect(close)?;
        Ok(false)
    }

    /// Reads `[` or `{`; `true` when something is inside, else the closing bracket is read too.
    pub(super) fn open(&mut self, open: u8, close: u8) -> Result<bool, Error> {
        self.expect(open)?;
        if self.peek()? == Some(close) {
            self.reader.skip(1);
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads a key and its colon.
    pub(super) fn key(&mut self) -> Result<String, Error> {
        if self.peek()? != Some(b'"') {
            return Err(self.error(
                "a name in double quotes is missing here, so this is not valid JSON".into(),
            ));
        }
        let place = self.place();
        let mut bytes = Vec::new();
        self.value(0, Some(&mut bytes))?;
        let key = serde_json::from_slice(&bytes).map_err(|error| Error::Json {
            place,
            problem: format!("this name is not valid JSON ({})", super::jsonl::reason(&error)),
        })?;
        self.expect(b':')?;
        Ok(key)
    }

    /// Passes one value, keeping its bytes where asked for (then at most [`MAX_ROW_BYTES`]).
    pub(super) fn value(&mut self, row: u64, keep: Option<&mut Vec<u8>>) -> Result<Kind, Error> {
        let Some(first) = self.peek()? else {
            return Err(self.error(
                "the file ends where a value is expected; it may have been cut off".into(),
            ));
        };
        let mut walk = Walk::default();
        match first {
            b'{' | b'[' | b'"' => self.pass(row, keep, |byte| walk.step(byte))?,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.pass(row, keep, |byte| match byte {
                b',' | b']' | b'}' | b':' => Step::After,
                blank if blank.is_ascii_whitespace() => Step::After,
                _ => Step::Inside,
            })?,
            _ => {
                return Err(self.error("a value is missing here, so this is not valid JSON".into()));
            }
        }
        Ok(match first {
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            _ => Kind::Other,
        })
    }

    fn pass(
        &mut self,
        row: u64,
        mut keep: Option<&mut Vec<u8>>,
        mut step: impl FnMut(u8) -> Step,
    ) -> Result<(), Error> {
        let start = self.place();
        let mut open = true;
        while open {
            let bytes = self.reader.peek()?;
            if bytes.is_empty() {
                return Err(Error::Json {
                    place: start.in_row(row),
                    problem:
                        "the file ends inside the value that starts here; it may have been cut off"
                            .into(),
                });
            }
            let mut taken = bytes.len();
            for (at, byte) in bytes.iter().enumerate() {
                match step(*byte) {
                    Step::Inside => continue,
                    Step::Last => taken = at + 1,
                    Step::After => taken = at,
                }
                open = false;
                break;
            }
            if let Some(kept) = keep.as_deref_mut() {
                kept.extend_from_slice(&bytes[..taken]);
                if kept.len() > MAX_ROW_BYTES {
                    return Err(too_long(start, row));
                }
            }
            self.reader.skip(taken);
        }
        Ok(())
    }

    pub(super) fn error(&self, problem: String) -> Error {
        Error::Json { place: self.place(), problem }
    }
}

/// Where in a value the next byte stands.
#[derive(Default)]
struct Walk {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Walk {
    fn step(&mut self, byte: u8) -> Step {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => return Step::Inside,
            }
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => return Step::Inside,
            }
        }
        if self.depth == 0 && !self.in_string { Step::Last } else { Step::Inside }
    }
}
