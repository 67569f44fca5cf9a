//! What can go wrong between a person's file and the tokens made from it.

use std::fmt;
use std::path::PathBuf;

use sanbao_contract::Fault;
use sanbao_contract::data::Origin;

/// A place in a person's file, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// File name without its folder.
    pub file: String,
    /// 1-based number among the file's data rows.
    pub row: Option<u64>,
    /// 1-based line.
    pub line: Option<u64>,
    /// 1-based column, in characters.
    pub column: Option<u64>,
}

impl Place {
    /// The file as a whole.
    pub fn file(name: &str) -> Self {
        Self { file: name.to_owned(), ..Self::default() }
    }

    /// A character of a line.
    pub fn line(name: &str, line: u64, column: u64) -> Self {
        Self { file: name.to_owned(), row: None, line: Some(line), column: Some(column) }
    }

    /// The same place with the data row that it belongs to.
    #[must_use]
    pub fn in_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }
}

impl From<&Origin> for Place {
    fn from(origin: &Origin) -> Self {
        Self { file: origin.file.clone(), row: Some(origin.row), line: origin.line, column: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file)?;
        let mut separator = ", ";
        for (what, value) in [("row", self.row), ("line", self.line), ("column", self.column)] {
            if let Some(value) = value {
                write!(out, "{separator}{what} {value}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// An error of this crate; each displays as one plain sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened or read.
    #[error("Cannot read `{}`: {source}; check the path and the permissions.", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("Cannot write `{}`: {source}; check the free space and the permissions.", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file holds something else than text.
    #[error("{file} is {kind}, not a text file; {advice}.")]
    NotText {
        /// The file.
        file: String,
        /// What it is.
        kind: String,
        /// What to do.
        advice: String,
    },
    /// Bytes that the encoding does not have.
    #[error(
        "{place}: the bytes here are not valid {encoding} (byte {offset} of the file); save the file as UTF-8 and try again."
    )]
    Encoding {
        /// Where.
        place: Place,
        /// WHATWG name of the encoding that the file seems to have.
        encoding: String,
        /// 0-based offset in the file.
        offset: u64,
    },
    /// A NUL character in the text.
    #[error(
        "{place}: there is a NUL character here, which no text file should hold; remove it and try again."
    )]
    Nul {
        /// Where.
        place: Place,
    },
    /// Nothing to learn from.
    #[error("{file} has no rows; it needs at least one row of data.")]
    NoRows {
        /// The file.
        file: String,
    },
    /// One row larger than what is held in memory at once.
    #[error(
        "{place}: the row that starts here is longer than {limit_mib} MiB; an unclosed quote may have swallowed the rows after it, otherwise split the row."
    )]
    RowTooLong {
        /// Where the row starts.
        place: Place,
        /// The limit in MiB.
        limit_mib: usize,
    },
    /// More or fewer fields than the header has.
    #[error("{place}: this row has {} where {expected} are expected; put quotes around a field that contains `{delimiter}`, or add what is missing.", count(*found, "field"))]
    Ragged {
        /// Where the row starts.
        place: Place,
        /// Fields of the row.
        found: usize,
        /// Fields of the first row.
        expected: usize,
        /// Field separator.
        delimiter: char,
    },
    /// A quote that is never closed, or one in the middle of a quoted field.
    #[error("{place}: {problem}.")]
    Quote {
        /// Where the quote stands.
        place: Place,
        /// What is wrong with it, with the remedy.
        problem: &'static str,
    },
    /// Text that is not JSON, or JSON that is not a row.
    #[error("{place}: {problem}.")]
    Json {
        /// Where.
        place: Place,
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// No shape fits the columns.
    #[error(
        "Cannot tell what the columns of {file} are for ({}); name them with a mapping such as prompt='{{{{question}}}}' completion='{{{{reply}}}}'.",
        list(columns)
    )]
    Unrecognised {
        /// The file.
        file: String,
        /// Its columns.
        columns: Vec<String>,
    },
    /// Pairs of answers of which one side is missing.
    #[error(
        "{file} has the column `{column}` but none for the other answers of its pairs; add a column `{missing}`{}.",
        otherwise(missing, column)
    )]
    MissingAnswer {
        /// The file.
        file: String,
        /// The column there is.
        column: String,
        /// The standard name of the one that is missing.
        missing: &'static str,
    },
    /// Two answers a row, and nothing that says which is better.
    #[error(
        "{file} has two answers in each row (`{first}` and `{second}`) but no column that says which is better; add a column `winner` with a, b or tie, or `rating_a` and `rating_b` with numbers."
    )]
    MissingWinner {
        /// The file.
        file: String,
        /// The column with the first answers.
        first: String,
        /// The column with the second answers.
        second: String,
    },
    /// A mapping that is not `field=template`.
    #[error(
        "`{assignment}` is not a mapping; write field=template, for example prompt='{{{{title}}}}: {{{{text}}}}'."
    )]
    MappingSyntax {
        /// What was given.
        assignment: String,
    },
    /// A template that cannot be read.
    #[error("The template `{template}` {problem}; write a column as {{{{name}}}}.")]
    Template {
        /// The template.
        template: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A template names a column that the file lacks.
    #[error("There is no column `{column}`; the columns are {}.", list(known))]
    UnknownColumn {
        /// The name that was not found.
        column: String,
        /// The columns there are.
        known: Vec<String>,
    },
    /// A mapping fills a field that the shape lacks.
    #[error("{} has no field `{field}`; its fields are {}.", shape.as_deref().unwrap_or("A row"), list(known))]
    UnknownField {
        /// The name that was not found.
        field: String,
        /// The shape, when it is known; else the fields are those of every shape.
        shape: Option<String>,
        /// The fields there are.
        known: Vec<String>,
    },
    /// A mapping fills fields that no shape has together.
    #[error(
        "No shape has all of the fields {}; fill those of one shape, for example prompt and completion.",
        list(fields)
    )]
    MixedFields {
        /// The fields.
        fields: Vec<String>,
    },
    /// A mapping leaves a field of the shape empty.
    #[error(
        "The mapping does not say what `{field}` of {shape} is; add {field}='{{{{column}}}}' with one of the columns {}.",
        list(columns)
    )]
    MissingField {
        /// The field.
        field: String,
        /// The shape.
        shape: String,
        /// The columns there are.
        columns: Vec<String>,
    },
    /// A mapping gives one field twice.
    #[error("The mapping gives `{field}` twice; keep one of them.")]
    RepeatedField {
        /// The field.
        field: String,
    },
    /// A value that the shape cannot use.
    #[error("{place}: {problem}.")]
    Value {
        /// The row.
        place: Place,
        /// What is wrong, with the field and the remedy.
        problem: String,
    },
    /// The rows cannot be used for the task asked for.
    #[error("{place}: {problem}.")]
    Task {
        /// A row.
        place: Place,
        /// Which shape and task do not go together, with the remedy.
        problem: String,
    },
    /// Files that teach different things.
    #[error(
        "{first} and {second} are for different tasks ({first_task} and {second_task}); train on one kind at a time, or choose one task for both."
    )]
    MixedTasks {
        /// One file.
        first: String,
        /// Its task.
        first_task: String,
        /// Another file.
        second: String,
        /// Its task.
        second_task: String,
    },
    /// An option out of its range.
    #[error("{problem}.")]
    Options {
        /// What is wrong, with the remedy.
        problem: String,
    },
    /// More than what is counted in 32 bits.
    #[error(
        "{file} takes the data above {limit} rows, which is more than one run can use; take a part of it."
    )]
    TooManyRows {
        /// The file in which the limit was reached.
        file: String,
        /// The limit.
        limit: u64,
    },
    /// A label column that is no label column.
    #[error(
        "{place}: `label` has more than {limit} different values, so it is not a class; map it to another shape, such as prompt_completion."
    )]
    TooManyLabels {
        /// The row in which the limit was reached.
        place: Place,
        /// The limit.
        limit: usize,
    },
    /// The pre-flight found something that makes training pointless.
    #[error("{message}")]
    Refused {
        /// Code of the finding.
        code: &'static str,
        /// Message of the finding.
        message: String,
    },
    /// A file changed while it was read.
    #[error("{file} changed while it was being read; leave it alone and start again.")]
    Changed {
        /// The file.
        file: String,
    },
    /// The tokenizer or the chat template refused a row.
    #[error("{place}: {source}")]
    Tokenize {
        /// The row.
        place: Place,
        /// What it said.
        source: Box<sanbao_text::Error>,
    },
    /// A sequence that does not fit the pack.
    #[error(
        "Sequence {index} has {length} tokens where at most {capacity} fit; prepare the data with a smaller maximum length."
    )]
    SequenceTooLong {
        /// Which sequence.
        index: usize,
        /// Its tokens.
        length: usize,
        /// Tokens that fit.
        capacity: usize,
    },
    /// A prepared file that is damaged.
    #[error("`{}` is damaged ({problem}); prepare the data again.", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What does not agree.
        problem: String,
    },
    /// A prepared folder of another version.
    #[error("`{}` was written by another version of the program (layout {found}, this one reads {expected}); prepare the data again.", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u32,
        /// The layout that this version reads.
        expected: u32,
    },
    /// Rows of a part that is not kept as rows.
    #[error("The rows of the training part are not kept as text; read them from the source file.")]
    NoExamples,
}

/// What else to do about pairs without their `missing` side: good answers can be learnt alone.
fn otherwise(missing: &str, column: &str) -> String {
    match missing {
        "rejected" => format!(", or rename `{column}` to `completion` to learn its answers alone"),
        _ => String::new(),
    }
}

/// `1 row`, `3 rows`.
pub(crate) fn count(number: impl TryInto<u64>, what: &str) -> String {
    match number.try_into() {
        Ok(1) => format!("1 {what}"),
        Ok(number) => format!("{number} {what}s"),
        Err(_) => format!("many {what}s"),
    }
}

fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text =
        names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    if names.is_empty() { "none".to_owned() } else { text }
}

impl Error {
    /// Stable code, `data.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "data.read",
            Self::Write { .. } => "data.write",
            Self::NotText { .. } => "data.not_text",
            Self::Encoding { .. } => "data.encoding",
            Self::Nul { .. } => "data.nul",
            Self::NoRows { .. } => "data.no_rows",
            Self::RowTooLong { .. } => "data.row_too_long",
            Self::Ragged { .. } => "data.ragged_row",
            Self::Quote { .. } => "data.quote",
            Self::Json { .. } => "data.json",
            Self::Unrecognised { .. } => "data.unrecognised",
            Self::MissingAnswer { missing: "chosen", .. } => "data.missing_chosen",
            Self::MissingAnswer { .. } => "data.missing_rejected",
            Self::MissingWinner { .. } => "data.missing_winner",
            Self::MappingSyntax { .. } => "data.mapping_syntax",
            Self::Template { .. } => "data.template",
            Self::UnknownColumn { .. } => "data.unknown_column",
            Self::UnknownField { .. } => "data.unknown_field",
            Self::MixedFields { .. } => "data.mixed_fields",
            Self::MissingField { .. } => "data.missing_field",
            Self::RepeatedField { .. } => "data.repeated_field",
            Self::Value { .. } => "data.value",
            Self::Task { .. } => "data.task",
            Self::MixedTasks { .. } => "data.mixed_tasks",
            Self::Options { .. } => "data.options",
            Self::TooManyRows { .. } => "data.too_many_rows",
            Self::TooManyLabels { .. } => "data.too_many_labels",
            Self::Refused { code, .. } => code,
            Self::Changed { .. } => "data.changed",
            Self::Tokenize { .. } => "data.tokenize",
            Self::SequenceTooLong { .. } => "data.sequence_too_long",
            Self::Corrupt { .. } => "data.corrupt",
            Self::Version { .. } => "data.version",
            Self::NoExamples => "data.no_examples",
        }
    }

    /// Where in a person's file, for errors about one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Encoding { place, .. }
            | Self::Nul { place }
            | Self::RowTooLong { place, .. }
            | Self::Ragged { place, .. }
            | Self::Quote { place, .. }
            | Self::Json { place, .. }
            | Self::Value { place, .. }
            | Self::Task { place, .. }
            | Self::TooManyLabels { place, .. }
            | Self::Tokenize { place, .. } => Some(place),
            _ => None,
        }
    }

    pub(crate) fn value(origin: &Origin, problem: impl Into<String>) -> Self {
        Self::Value { place: origin.into(), problem: problem.into() }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let mut fault = Self::new(error.code(), error.to_string());
        if let Some(place) = error.place() {
            fault = fault.with("file", &place.file);
            for (name, value) in
                [("row", place.row), ("line", place.line), ("column", place.column)]
            {
                if let Some(value) = value {
                    fault = fault.with(name, value);
                }
            }
        }
        match &error {
            Error::Read { path, .. } | Error::Write { path, .. } => {
                fault = fault.with("path", path.display())
            }
            Error::UnknownColumn { column, .. } => fault = fault.with("column", column),
            Error::UnknownField { field, .. } | Error::MissingField { field, .. } => {
                fault = fault.with("field", field)
            }
            Error::MissingAnswer { file, column, .. } => {
                fault = fault.with("file", file).with("column", column)
            }
            Error::MissingWinner { file, first, second } => {
                fault = fault.with("file", file).with("first", first).with("second", second)
            }
            Error::NoRows { file } | Error::Unrecognised { file, .. } | Error::Changed { file } => {
                fault = fault.with("file", file)
            }
            _ => {}
        }
        fault
    }
}
