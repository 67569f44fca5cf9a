//! The rows of a file: shown in pages, searched, changed, left out.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Transaction, params};
use sanbao_contract::app::{Filter, Row, RowPage};

use super::database::{from_json, signed, to_json, unsigned};
use super::error::{Error, Stop};
use super::files::{Known, known};
use super::search::Needle;
use super::{Open, ProjectStore};

/// Most rows that a page has.
pub const MOST_ROWS: u64 = 500;

/// Rows that [`KeptRows`] takes at once.
const PORTION: i64 = 1000;
const COLUMNS: &str = "number, coalesce(edit, original), excluded, edit IS NOT NULL";

/// What a search found, kept so that the next page of it needs no search.
#[derive(Debug)]
pub(super) struct Matches {
    file: i64,
    search: String,
    filter: Filter,
    /// Changes when another connection has changed the database.
    version: i64,
    numbers: Vec<i64>,
}

impl ProjectStore {
    /// A page of a file's rows, in the order of the file: those that pass the filter and have the
    /// text in one of their values, upper and lower case alike. At most [`MOST_ROWS`].
    ///
    /// The first page of a search looks at every row; the others, and pages without a search, take
    /// no longer at the end of a file than at its start.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn page(
        &self,
        file: &str,
        offset: u64,
        limit: u64,
        search: &str,
        filter: Filter,
    ) -> Result<RowPage, Error> {
        let limit = limit.min(MOST_ROWS);
        self.with(|open| {
            let file = known(&open.connection, file)?;
            if filter == Filter::All && search.is_empty() {
                let rows = rows_from(&open.connection, file.id, signed(offset), signed(limit))?;
                return Ok(RowPage { columns: file.columns, rows, total: file.rows });
            }
            let matches = matches(open, &file, search, filter)?;
            let total = matches.len() as u64;
            let start = offset.min(total) as usize;
            let end = offset.saturating_add(limit).min(total) as usize;
            let page = matches[start..end].to_vec();
            let rows = rows_of(&open.connection, file.id, &page)?;
            Ok(RowPage { columns: file.columns, rows, total })
        })
    }

    /// Changes the values of a row; as in the file when `None`, or when they are the same.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::NoRow`], [`Error::WrongColumns`].
    pub fn edit_row(&self, file: &str, row: u64, values: Option<&[String]>) -> Result<(), Error> {
        self.change_rows(|change| {
            let file = known(change, file)?;
            let sql = "SELECT original, edit IS NOT NULL FROM row WHERE file = ?1 AND number = ?2";
            let found: Option<(String, i64)> = change
                .query_row(sql, (file.id, signed(row)), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let (original, was_edited) = found.ok_or_else(|| no_row(&file, row))?;
            let edit = match values {
                Some(values) => Some(checked(&file, row, values)?).filter(|edit| *edit != original),
                None => None,
            };
            let more = i64::from(edit.is_some()) - was_edited;
            change.execute(
                "UPDATE row SET edit = ?3 WHERE file = ?1 AND number = ?2",
                params![file.id, signed(row), edit],
            )?;
            change
                .execute("UPDATE file SET edited = edited + ?2 WHERE id = ?1", (file.id, more))?;
            Ok(())
        })
    }

    /// Leaves rows out, or takes them in again: all of them or, when one is not there, none.
    /// Returns how many it made a difference to.
    ///
    /// # Errors
    /// [`Error::NoFile`], [`Error::NoRow`].
    pub fn exclude_rows(&self, file: &str, rows: &[u64], excluded: bool) -> Result<u64, Error> {
        self.change_rows(|change| {
            let file = known(change, file)?;
            if let Some(&row) = rows.iter().find(|row| !(1..=file.rows).contains(row)) {
                return Err(no_row(&file, row).into());
            }
            let mut update = change.prepare_cached(
                "UPDATE row SET excluded = ?3 WHERE file = ?1 AND number = ?2 AND excluded <> ?3",
            )?;
            let mut changed = 0;
            for &row in rows {
                changed += update.execute((file.id, signed(row), excluded))? as i64;
            }
            let more = if excluded { changed } else { -changed };
            change.execute(
                "UPDATE file SET excluded = excluded + ?2 WHERE id = ?1",
                (file.id, more),
            )?;
            Ok(changed.unsigned_abs())
        })
    }

    /// Whether the rows to learn from differ from what the file has: some were changed or left out.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn has_changed_rows(&self, file: &str) -> Result<bool, Error> {
        self.with(|open| {
            let file = known(&open.connection, file)?;
            let sql = "SELECT excluded > 0 OR edited > 0 FROM file WHERE id = ?1";
            Ok(open.connection.query_row(sql, [file.id], |row| row.get(0))?)
        })
    }

    /// The rows of a file that are not left out, with the person's changes, in the order of the
    /// file: what an edited copy of it would have.
    ///
    /// They are read a portion at a time: others may have their turn in between, and what they
    /// change further on is seen.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn kept_rows(&self, file: &str) -> Result<KeptRows<'_>, Error> {
        let known = self.with(|open| known(&open.connection, file))?;
        Ok(KeptRows { store: self, file: known.id, last: 0, portion: Vec::new().into_iter() })
    }

    /// As [`Self::change`]; what the last search found is forgotten.
    fn change_rows<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop<Error>>,
    ) -> Result<T, Error> {
        self.with(|open| {
            open.matches = None;
            open.change(work)
        })
    }
}

/// The rows of a file that are not left out; see [`ProjectStore::kept_rows`].
#[derive(Debug)]
pub struct KeptRows<'a> {
    store: &'a ProjectStore,
    file: i64,
    /// Number of the last row that was read.
    last: i64,
    portion: std::vec::IntoIter<Row>,
}

impl KeptRows<'_> {
    fn next_portion(&self) -> Result<Vec<Row>, Error> {
        let sql = format!(
            "SELECT {COLUMNS} FROM row WHERE file = ?1 AND number > ?2 AND excluded = 0
             ORDER BY number LIMIT ?3"
        );
        self.store.with(|open| {
            let mut query = open.connection.prepare_cached(&sql)?;
            let rows = query.query_map((self.file, self.last, PORTION), read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}

impl Iterator for KeptRows<'_> {
    type Item = Result<Row, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.portion.len() == 0 {
            match self.next_portion() {
                Ok(portion) => self.portion = portion.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
        let row = self.portion.next()?;
        self.last = signed(row.row);
        Some(Ok(row))
    }
}

/// Writes the rows of a new file as they come, and how many they are.
pub(super) fn insert<E: From<Error>>(
    change: &Transaction<'_>,
    file: &Known,
    rows: impl IntoIterator<Item = Result<Vec<String>, E>>,
) -> Result<(), Stop<E>> {
    let mut insert =
        change.prepare_cached("INSERT INTO row (file, number, original) VALUES (?1, ?2, ?3)")?;
    let mut number = 0;
    for row in rows {
        let values = row.map_err(Stop::Told)?;
        number += 1;
        insert.execute((file.id, signed(number), checked(file, number, &values)?))?;
    }
    change.execute("UPDATE file SET rows = ?2 WHERE id = ?1", (file.id, signed(number)))?;
    Ok(())
}

/// Numbers of the rows that pass the filter and have the text.
fn matches<'a>(
    open: &'a mut Open,
    file: &Known,
    search: &str,
    filter: Filter,
) -> Result<&'a [i64], Stop<Error>> {
    let Open { connection, matches, .. } = open;
    let version = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
    let is_current = |last: &Matches| {
        last.file == file.id
            && last.search == search
            && last.filter == filter
            && last.version == version
    };
    if !matches.as_ref().is_some_and(is_current) {
        let numbers = find(connection, file.id, search, filter)?;
        let search = search.to_owned();
        *matches = Some(Matches { file: file.id, search, filter, version, numbers });
    }
    Ok(matches.as_ref().map(|matches| matches.numbers.as_slice()).unwrap_or_default())
}

fn find(
    connection: &Connection,
    file: i64,
    search: &str,
    filter: Filter,
) -> rusqlite::Result<Vec<i64>> {
    let condition = match filter {
        Filter::All => "",
        Filter::Excluded => "AND excluded = 1",
        Filter::Edited => "AND edit IS NOT NULL",
    };
    // Without a search the index alone answers.
    let values = if search.is_empty() { "" } else { ", coalesce(edit, original)" };
    let sql = format!("SELECT number{values} FROM row WHERE file = ?1 {condition} ORDER BY number");
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query([file])?;
    let needle = Needle::new(search)?;
    let mut numbers = Vec::new();
    while let Some(row) = rows.next()? {
        if search.is_empty() || needle.is_in(row.get_ref(1)?.as_str()?)? {
            numbers.push(row.get(0)?);
        }
    }
    Ok(numbers)
}

fn rows_from(
    connection: &Connection,
    file: i64,
    after: i64,
    limit: i64,
) -> rusqlite::Result<Vec<Row>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM row WHERE file = ?1 AND number > ?2 ORDER BY number LIMIT ?3"
    );
    connection.prepare_cached(&sql)?.query_map((file, after, limit), read)?.collect()
}

fn rows_of(connection: &Connection, file: i64, numbers: &[i64]) -> rusqlite::Result<Vec<Row>> {
    let sql = format!("SELECT {COLUMNS} FROM row WHERE file = ?1 AND number = ?2");
    let mut query = connection.prepare_cached(&sql)?;
    numbers.iter().map(|number| query.query_row((file, number), read)).collect()
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        row: unsigned(row, 0)?,
        values: from_json(row.get_ref(1)?.as_str()?)?,
        excluded: row.get(2)?,
        edited: row.get(3)?,
    })
}

/// A row as it is written, when it has a value for each column.
fn checked<E: From<Error>>(file: &Known, row: u64, values: &[String]) -> Result<String, Stop<E>> {
    if values.len() == file.columns.len() {
        return Ok(to_json(values)?);
    }
    let (expected, found) = (file.columns.len(), values.len());
    Err(Error::WrongColumns { file: file.name.clone(), row, expected, found }.into())
}

fn no_row(file: &Known, row: u64) -> Error {
    Error::NoRow { file: file.name.clone(), row, rows: file.rows }
}
