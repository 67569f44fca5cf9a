//! Running text: paragraphs of one document or of several.
//!
//! Paragraphs are separated by blank lines; in a text without any, each line is one. A line that
//! is only `<|endoftext|>` ends a document. A paragraph keeps its line breaks; page breaks are
//! dropped. One longer than [`LONGEST`] bytes is cut at a blank, so that memory stays bounded.

use indexmap::IndexMap;
use sanbao_contract::data::Origin;
use serde_json::Value;

use super::{Format, Layout, Records, Sample, UntilError};
use crate::error::Error;
use crate::input::{TextFile, TextReader};
use crate::record::Record;

/// The column under which a paragraph stands.
const COLUMN: &str = "text";

/// The line that ends a document.
const END_OF_DOCUMENT: &str = "<|endoftext|>";

/// Longest paragraph in bytes.
const LONGEST: usize = 256 * 1024;

/// Running text; takes any file that no other format takes.
pub struct Text;

impl Format for Text {
    fn name(&self) -> &'static str {
        "text"
    }

    fn fits(&self, _: &Sample) -> bool {
        true
    }

    fn look(&self, _: &TextFile, sample: &Sample) -> Result<Box<dyn Layout>, Error> {
        Ok(Box::new(Paragraphs {
            by_blank_lines: sample.text.trim().lines().any(|line| line.trim().is_empty()),
        }))
    }
}

struct Paragraphs {
    by_blank_lines: bool,
}

impl Layout for Paragraphs {
    fn describe(&self) -> sanbao_contract::Text {
        let (en, zh) = if self.by_blank_lines {
            ("text in paragraphs", "分段的文本")
        } else {
            ("text in lines", "分行的文本")
        };
        sanbao_contract::Text::new(en, zh)
    }

    fn joiner(&self) -> Option<&'static str> {
        Some(if self.by_blank_lines { "\n\n" } else { "\n" })
    }

    fn records(&self, file: &TextFile) -> Result<Records, Error> {
        Ok(Box::new(UntilError::new(Rows {
            reader: file.reader()?,
            by_blank_lines: self.by_blank_lines,
            row: 0,
            document: 0,
            pending: String::new(),
            pending_line: 1,
            inside_line: false,
            ended: false,
        })))
    }
}

struct Rows {
    reader: TextReader,
    by_blank_lines: bool,
    row: u64,
    document: u64,
    /// The paragraph so far.
    pending: String,
    /// Line on which it starts.
    pending_line: u64,
    /// Whether only a part of the last line has been read.
    inside_line: bool,
    ended: bool,
}

impl Iterator for Rows {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_paragraph().transpose()
    }
}

impl Rows {
    fn next_paragraph(&mut self) -> Result<Option<Record>, Error> {
        loop {
            if self.pending.len() > LONGEST {
                let cut = cut_point(&self.pending, LONGEST);
                return Ok(Some(self.give(cut)));
            }
            if self.ended {
                return Ok((!self.pending.is_empty()).then(|| self.give(usize::MAX)));
            }
            let line = self.reader.line();
            let Some((piece, line_ends)) = self.read_piece()? else {
                self.ended = true;
                continue;
            };
            let continues = std::mem::replace(&mut self.inside_line, !line_ends);
            let text = if continues { piece.as_str() } else { piece.trim_start_matches('\u{C}') };
            let text = if line_ends { text.trim_end() } else { text };
            let ends_document = !continues && text.trim() == END_OF_DOCUMENT;
            if ends_document || !continues && text.is_empty() {
                let paragraph = (!self.pending.is_empty()).then(|| self.give(usize::MAX));
                self.document += u64::from(ends_document);
                if paragraph.is_some() {
                    return Ok(paragraph);
                }
                continue;
            }
            if self.pending.is_empty() {
                self.pending_line = line;
            } else if !continues {
                self.pending.push('\n');
            }
            self.pending.push_str(text);
            if line_ends && !self.by_blank_lines {
                return Ok(Some(self.give(usize::MAX)));
            }
        }
    }

    /// The rest of the line, or the next [`LONGEST`] bytes or so of a longer one (then `false`).
    fn read_piece(&mut self) -> Result<Option<(String, bool)>, Error> {
        let mut piece = Vec::new();
        loop {
            let bytes = self.reader.peek()?;
            let at_end = bytes.is_empty();
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.unwrap_or(bytes.len());
            piece.extend_from_slice(&bytes[..taken]);
            self.reader.skip(taken + usize::from(end.is_some()));
            if at_end && piece.is_empty() {
                return Ok(None);
            }
            if at_end || end.is_some() || piece.len() > LONGEST {
                // The reader gives whole characters, so nothing is lost here.
                return Ok(Some((
                    String::from_utf8_lossy(&piece).into_owned(),
                    at_end || end.is_some(),
                )));
            }
        }
    }

    /// Takes the first `length` bytes of the paragraph as a row.
    fn give(&mut self, length: usize) -> Record {
        let rest = self.pending.split_off(length.min(self.pending.len()));
        let text = std::mem::replace(&mut self.pending, rest);
        self.row += 1;
        let origin = Origin {
            file: self.reader.name().to_owned(),
            row: self.row,
            line: Some(self.pending_line),
        };
        let fields = IndexMap::from([(COLUMN.to_owned(), Value::String(text))]);
        Record { origin, fields, document: Some(self.document) }
    }
}

/// A place at or before `longest` bytes to cut a text: after a blank or a full stop where there is
/// one in the last quarter, else between two characters.
fn cut_point(text: &str, longest: usize) -> usize {
    let end = text.floor_char_boundary(longest);
    let good = |c: char| c.is_whitespace() || matches!(c, '。' | '！' | '？' | '；' | '，');
    match text[..end].char_indices().rev().find(|(_, c)| good(*c)) {
        Some((at, c)) if at + c.len_utf8() > end / 4 * 3 => at + c.len_utf8(),
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use proptest::prelude::*;

    fn paragraphs(text: &str, by_blank_lines: bool) -> Vec<(String, u64, u64)> {
        let rows = Rows {
            reader: TextReader::over("t.txt", text.into()),
            by_blank_lines,
            row: 0,
            document: 0,
            pending: String::new(),
            pending_line: 1,
            inside_line: false,
            ended: false,
        };
        rows.map(|row| row.unwrap())
            .map(|row| {
                (
                    row.fields[COLUMN].as_str().unwrap().to_owned(),
                    row.origin.line.unwrap(),
                    row.document.unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn paragraphs_and_documents() {
        let text = "One\r\ntwo\n\n\n\u{C}Three \n<|endoftext|>\n\nFour";
        let expected = [("One\ntwo", 1, 0), ("Three", 5, 0), ("Four", 8, 1)]
            .map(|(text, line, document)| (text.to_owned(), line, document));
        assert_eq!(paragraphs(text, true), expected);
        assert_eq!(paragraphs("a\n b\nc", false).len(), 3);
    }

    #[test]
    fn an_endless_line_is_cut_at_blanks() {
        let text = "word ".repeat(200_000);
        let pieces = paragraphs(&text, true);
        assert!(pieces.len() >= 4 && pieces.iter().all(|(piece, ..)| piece.len() <= LONGEST));
        assert!(pieces[0].0.ends_with(' '));
        assert_eq!(
            pieces.iter().map(|(piece, ..)| piece.as_str()).collect::<String>().trim_end(),
            text.trim_end()
        );
        let chinese = "字".repeat(300_000);
        assert_eq!(
            paragraphs(&chinese, false)
                .iter()
                .map(|(piece, ..)| piece.as_str())
                .collect::<String>(),
            chinese
        );
    }

    proptest! {
        #[test]
        fn no_word_is_lost(text in "[a-c \n\r好\u{C}]{0,80}", by_blank_lines: bool) {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let read: Vec<String> = paragraphs(&text, by_blank_lines).into_iter().map(|(text, ..)| text).collect();
            prop_assert_eq!(words(&read.join("\n")), words(&text));
        }
    }
}
