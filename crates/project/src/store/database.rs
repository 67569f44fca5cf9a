//! The file `project.db`: opening, bringing up to date, words and JSON in columns.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags, Row, TransactionBehavior};
use rusqlite_migration::{M, Migrations};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::Error;

/// What makes a folder a project.
pub(super) const DATABASE: &str = "project.db";
/// What SQLite writes beside it during a change.
pub(super) const JOURNAL: &str = "project.db-journal";

/// Marks the file as a project for programs that look at files: "SANB".
const APPLICATION: i32 = 0x5341_4e42;
/// How long a change of another process is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// How the tables came to be, step by step. A step that was released is never changed: a later
/// layout is one more step, and a fixture of the layout before it in `tests/store`.
const STEPS: &[M<'static>] = &[
    M::up(include_str!("v1.sql")).foreign_key_check(),
    M::up(include_str!("v2.sql")).foreign_key_check(),
];
const MIGRATIONS: Migrations<'static> = Migrations::from_slice(STEPS);
/// The newest layout known, and the one that is written.
const LAYOUT: i64 = STEPS.len() as i64;

/// Makes the database of a new project.
pub(super) fn create(folder: &Path, name: &str) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let make = || {
        let mut connection = Connection::open_with_flags(folder.join(DATABASE), flags)?;
        // Taken up only by a database without tables: what is removed leaves the file, too.
        connection.pragma_update(None, "auto_vacuum", "FULL")?;
        connection.pragma_update(None, "application_id", APPLICATION)?;
        prepare(&connection)?;
        migrate(&mut connection)?;
        connection.execute(
            "INSERT INTO project (only_row, name, created, changed) VALUES (1, ?1, ?2, ?2)",
            (name, now()),
        )
    };
    make().map(|_| ()).map_err(Error::sql(folder))
}

/// Opens the database of a project, and brings one of an older version up to date.
///
/// The file is opened by SQLite alone, never read in another way: closing any other handle on it
/// would end the locks of every connection of this process.
pub(super) fn connect(folder: &Path) -> Result<Connection, Error> {
    let path = folder.join(DATABASE);
    if !folder.is_dir() {
        return Err(Error::NotFound { path: folder.to_owned() });
    }
    if !path.is_file() {
        return Err(Error::NotAProject { path: folder.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(Error::sql(folder))?;
    connection.busy_timeout(PATIENCE).map_err(Error::sql(folder))?;
    refuse_others(&connection, folder)?;
    prepare(&connection).map_err(Error::sql(folder))?;
    migrate(&mut connection).map_err(Error::sql(folder))?;
    Ok(connection)
}

/// Reads every page and index once.
pub(super) fn check_whole(connection: &Connection, folder: &Path) -> Result<(), Error> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(Error::sql(folder))?;
    if found == "ok" {
        return Ok(());
    }
    Err(Error::Damaged { path: folder.to_owned(), reason: found })
}

/// Refuses what a newer version or another program wrote, before anything is changed in it.
fn refuse_others(connection: &Connection, folder: &Path) -> Result<(), Error> {
    let number = |pragma: &str| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))
            .map_err(Error::sql(folder))
    };
    let found = number("user_version")?;
    if found > LAYOUT {
        let name = connection.query_row("SELECT name FROM project", [], |row| row.get(0));
        let name = name.unwrap_or_else(|_| folder_name(folder));
        let path = folder.to_owned();
        return Err(Error::NewerVersion { path, name, found, known: LAYOUT });
    }
    if found < 1 || number("application_id")? != i64::from(APPLICATION) {
        let reason = "its project.db was not made by Sanbao".to_owned();
        return Err(Error::Damaged { path: folder.to_owned(), reason });
    }
    Ok(())
}

/// A project may come from a stranger: nothing in it is run, and damage is looked for.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    use DbConfig::{
        SQLITE_DBCONFIG_DEFENSIVE as DEFENSIVE, SQLITE_DBCONFIG_ENABLE_TRIGGER as TRIGGERS,
        SQLITE_DBCONFIG_ENABLE_VIEW as VIEWS, SQLITE_DBCONFIG_TRUSTED_SCHEMA as TRUSTED,
    };
    for (option, is_on) in [(DEFENSIVE, true), (TRIGGERS, false), (VIEWS, false), (TRUSTED, false)]
    {
        connection.set_db_config(option, is_on)?;
    }
    // No write-ahead log: the folder is whole at every moment when nobody changes it. Files are
    // moved after a change that names them: it must have reached the disk by then (EXTRA).
    connection.execute_batch(
        "PRAGMA journal_mode = DELETE;
         PRAGMA synchronous = EXTRA;
         PRAGMA foreign_keys = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA secure_delete = FAST;
         PRAGMA cache_size = -16000;",
    )
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.set_transaction_behavior(TransactionBehavior::Immediate);
    MIGRATIONS.to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => err,
        error => rusqlite::Error::ToSqlConversionFailure(Box::new(error)),
    })
}

/// The last part of a path.
pub(super) fn folder_name(folder: &Path) -> String {
    folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

/// Milliseconds since 1970 (UTC).
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// SQLite's numbers have a sign; nothing that is counted here reaches it.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that is not below nothing. Anything else is damage.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, number))
}

/// A value as JSON text.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> rusqlite::Result<String> {
    serde_json::to_string(value)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// What [`to_json`] wrote. Anything else is damage.
pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// The word that an enum without fields has in JSON, without quotes.
pub(super) fn to_word<T: Serialize>(value: &T) -> rusqlite::Result<String> {
    Ok(to_json(value)?.trim_matches('"').to_owned())
}

/// What [`to_word`] wrote. Anything else is damage.
pub(super) fn from_word<T: DeserializeOwned>(word: &str) -> rusqlite::Result<T> {
    serde_json::from_value(word.into())
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::fs;

    use super::*;

    #[test]
    fn the_steps_can_be_taken() {
        MIGRATIONS.validate().unwrap();
    }

    #[test]
    fn a_new_database_is_whole_and_keeps_its_options() {
        let folder = tempfile::tempdir().unwrap();
        create(folder.path(), "电影").unwrap();
        let connection = connect(folder.path()).unwrap();
        check_whole(&connection, folder.path()).unwrap();
        let pragma = |name: &str| {
            connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).unwrap()
        };
        assert_eq!(pragma("auto_vacuum"), 1);
        assert_eq!(pragma("foreign_keys"), 1);
        assert_eq!(pragma("user_version"), LAYOUT);
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn what_is_no_project_of_ours_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(DATABASE);
        let code = || connect(folder.path()).unwrap_err().code();
        assert_eq!(connect(&folder.path().join("gone")).unwrap_err().code(), "project.not_found");
        assert_eq!(code(), "project.not_a_project");
        for content in ["", "no database, but long enough that SQLite would read its head"] {
            fs::write(&path, content).unwrap();
            assert_eq!(code(), "project.damaged");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        fs::remove_file(&path).unwrap();
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE recipes (name); PRAGMA user_version = 1").unwrap();
        assert_eq!(code(), "project.damaged");
    }

    #[test]
    fn words_are_those_of_json() {
        use sanbao_contract::app::RunState;
        assert_eq!(to_word(&RunState::Judged).unwrap(), "judged");
        assert_eq!(from_word::<RunState>("judged").unwrap(), RunState::Judged);
        assert!(from_word::<RunState>("dancing").is_err());
    }
}
