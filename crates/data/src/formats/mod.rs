//! File formats: how rows are found in a text.
//!
//! To add one: a file here with a [`Format`] and a [`Layout`], one line in [`FORMATS`] at the
//! place where it should be asked, and a fixture for the conformance test.

mod csv;
mod dialect;
mod json;
mod json_scan;
mod jsonl;
mod rows;
mod text;

use crate::error::Error;
use crate::input::TextFile;
use crate::record::Record;

pub use csv::Csv;
pub use json::Json;
pub use jsonl::Jsonl;
pub(crate) use jsonl::kind;
pub use text::Text;

/// Bytes of decoded text that a format is recognised from.
const SAMPLE_BYTES: usize = 256 * 1024;

/// Every format, in the order in which a file is tried against them; the last takes any text.
pub static FORMATS: &[&dyn Format] = &[&Json, &Jsonl, &Csv, &Text];

/// The rows of a file, one after the other; after an error nothing more comes.
pub type Records = Box<dyn Iterator<Item = Result<Record, Error>> + Send>;

/// The start of a file.
#[derive(Debug)]
pub struct Sample {
    /// Its text, up to a quarter of a mebibyte.
    pub text: String,
    /// Whether this is the whole file.
    pub complete: bool,
    /// The file name's extension in lower case, empty without one.
    pub extension: String,
}

/// A way to keep rows in a text file.
pub trait Format: Sync {
    /// Name in the registry.
    fn name(&self) -> &'static str;

    /// Whether the start of a file looks like this format.
    fn fits(&self, sample: &Sample) -> bool;

    /// Finds out what has to be known to read the rows.
    ///
    /// # Errors
    /// When the file is not of this format after all.
    fn look(&self, file: &TextFile, sample: &Sample) -> Result<Box<dyn Layout>, Error>;
}

/// How the rows lie in one file.
pub trait Layout: Send + Sync {
    /// What was found, as part of a sentence: `comma-separated with a header`.
    fn describe(&self) -> sanbao_contract::Text;

    /// Field separator, for delimited formats.
    fn delimiter(&self) -> Option<char> {
        None
    }

    /// What stands between two paragraphs of one document, for running text.
    fn joiner(&self) -> Option<&'static str> {
        None
    }

    /// Reads the rows from the start.
    ///
    /// # Errors
    /// When the file cannot be opened; everything else comes with the row that it concerns.
    fn records(&self, file: &TextFile) -> Result<Records, Error>;
}

impl Sample {
    /// Reads the start of a file.
    ///
    /// # Errors
    /// When it cannot be read or decoded.
    pub fn of(file: &TextFile) -> Result<Self, Error> {
        let mut reader = file.reader()?;
        let mut bytes = Vec::new();
        let complete = loop {
            let piece = reader.peek()?;
            if piece.is_empty() {
                break true;
            }
            if bytes.len() + piece.len() > SAMPLE_BYTES {
                bytes.extend_from_slice(&piece[..SAMPLE_BYTES - bytes.len()]);
                break false;
            }
            bytes.extend_from_slice(piece);
            let length = piece.len();
            reader.skip(length);
        };
        // Only a character that the limit cuts in two is lost here: the reader gives valid UTF-8.
        let text = String::from_utf8_lossy(&bytes).trim_end_matches('\u{FFFD}').to_owned();
        Ok(Self { text, complete, extension: file.extension() })
    }

    /// The lines of the sample that are whole, without empty ones.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let whole =
            if self.complete { self.text.len() } else { self.text.rfind('\n').unwrap_or(0) };
        self.text[..whole].lines().filter(|line| !line.trim().is_empty())
    }
}

/// Chooses the format of a file.
pub(crate) fn choose(sample: &Sample) -> &'static dyn Format {
    FORMATS.iter().copied().find(|format| format.fits(sample)).unwrap_or(&Text)
}

/// Ends an iterator after its first error.
struct UntilError<I> {
    rows: I,
    failed: bool,
}

impl<I: Iterator<Item = Result<Record, Error>>> UntilError<I> {
    fn new(rows: I) -> Self {
        Self { rows, failed: false }
    }
}

impl<I: Iterator<Item = Result<Record, Error>>> Iterator for UntilError<I> {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let row = self.rows.next();
        self.failed = matches!(row, Some(Err(_)));
        row
    }
}
