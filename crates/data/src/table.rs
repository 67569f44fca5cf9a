//! A file of rows, understood: format, encoding, columns, proposed mapping.

use std::path::Path;

use sanbao_contract::Text;
use sanbao_contract::data::{Mapping, Recognition};

use crate::error::Error;
use crate::formats::{Layout, Records, Sample, choose};
use crate::input::TextFile;
use crate::mapping::check_columns;
use crate::record::Record;
use crate::shapes::{Column, Lack, lack, recognise};

/// Most rows that columns are judged by.
const SAMPLE_ROWS: usize = 1000;

/// Most bytes of the file that they are taken from, except that [`FEWEST_ROWS`] are always taken.
const SAMPLE_BYTES: u64 = 8 * 1024 * 1024;

/// Rows that are taken however long they are.
const FEWEST_ROWS: usize = 20;

/// A person's file, ready to be read row by row.
pub struct Table {
    file: TextFile,
    format: &'static str,
    layout: Box<dyn Layout>,
    columns: Vec<String>,
    survey: Vec<Column>,
    sample: Vec<Record>,
}

impl Table {
    /// Finds out how the rows lie in a file. The file is read once from end to end (hash and
    /// encoding), and its first rows are looked at; memory is bounded by the longest row.
    ///
    /// # Errors
    /// A file that cannot be read, is no text, or has no rows; the first bad row of the sample.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = TextFile::open(path)?;
        let sample = Sample::of(&file)?;
        if sample.text.trim().is_empty() {
            return Err(Error::NoRows { file: file.name().to_owned() });
        }
        let format = choose(&sample);
        let layout = format.look(&file, &sample)?;
        let rows = first_rows(&file, layout.as_ref())?;
        if rows.is_empty() {
            return Err(Error::NoRows { file: file.name().to_owned() });
        }
        let survey = Column::survey(&rows);
        let columns = survey.iter().map(|column| column.name.clone()).collect();
        Ok(Self { file, format: format.name(), layout, columns, survey, sample: rows })
    }

    /// The file.
    pub fn file(&self) -> &TextFile {
        &self.file
    }

    /// Name of the format in the registry.
    pub fn format(&self) -> &'static str {
        self.format
    }

    /// Names of the columns, in the order of the file.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The first rows.
    pub fn sample(&self) -> &[Record] {
        &self.sample
    }

    /// Reads every row, from the first.
    ///
    /// # Errors
    /// When the file cannot be opened; what is wrong with a row comes with it.
    pub fn records(&self) -> Result<Records, Error> {
        self.layout.records(&self.file)
    }

    /// What stands between two paragraphs of one document.
    pub(crate) fn joiner(&self) -> &'static str {
        self.layout.joiner().unwrap_or("\n\n")
    }

    /// What the file is: with the mapping given, or the one proposed by names and content.
    ///
    /// # Errors
    /// [`Error::Unrecognised`] when no shape fits and none is given, [`Error::MissingAnswer`] and
    /// [`Error::MissingWinner`] for preferences with half their columns; a column of the mapping
    /// that the file lacks.
    pub fn recognition(&self, mapping: Option<&Mapping>) -> Result<Recognition, Error> {
        let (mapping, clause) = match mapping {
            Some(mapping) => {
                check_columns(mapping, &self.columns)?;
                (mapping.clone(), Text::new("the mapping was given", "列的用途由你设定"))
            }
            None => {
                let file = self.file.name().to_owned();
                match lack(&self.survey) {
                    Some(Lack::Answer { column, missing }) => {
                        return Err(Error::MissingAnswer { file, column, missing });
                    }
                    Some(Lack::Winner { first, second }) => {
                        return Err(Error::MissingWinner { file, first, second });
                    }
                    None => {}
                }
                let columns = self.columns.clone();
                recognise(&self.survey).ok_or(Error::Unrecognised { file, columns })?
            }
        };
        let encoding = self.file.encoding();
        let (mark, mark_zh) =
            if self.file.has_mark() { (" with BOM", "，带 BOM") } else { ("", "") };
        let layout = self.layout.describe();
        let reason = Text::new(
            format!("{encoding}{mark}, {}: {}.", layout.en, clause.en),
            format!("{encoding} 编码{mark_zh}，{}：{}。", layout.zh, clause.zh),
        );
        Ok(Recognition {
            format: self.format.to_owned(),
            encoding: encoding.to_owned(),
            delimiter: self.layout.delimiter(),
            columns: self.columns.clone(),
            mapping,
            reason,
        })
    }
}

fn first_rows(file: &TextFile, layout: &dyn Layout) -> Result<Vec<Record>, Error> {
    let before = file.bytes_read();
    let mut rows = Vec::new();
    for row in layout.records(file)? {
        rows.push(row?);
        if rows.len() == SAMPLE_ROWS
            || rows.len() >= FEWEST_ROWS && file.bytes_read() - before > SAMPLE_BYTES
        {
            break;
        }
    }
    Ok(rows)
}

/// What a file is, from its content alone.
///
/// # Errors
/// As [`Table::open`] and [`Table::recognition`].
pub fn recognise_file(path: &Path) -> Result<Recognition, Error> {
    Table::open(path)?.recognition(None)
}
