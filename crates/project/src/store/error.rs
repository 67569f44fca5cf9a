//! What can go wrong with projects.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use sanbao_contract::Fault;

/// What can go wrong with projects. Each sentence says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder.
    #[error(transparent)]
    File(#[from] crate::Error),
    /// No project has this id.
    #[error("There is no project '{}'; it was moved, renamed or deleted outside Sanbao.", path.display())]
    NotFound {
        /// Where its folder would be.
        path: PathBuf,
    },
    /// The bin has no project of this id.
    #[error(
        "The deleted project '{id}' is not in the bin any more; deleted projects are kept for 30 days."
    )]
    NotInBin {
        /// Id.
        id: String,
    },
    /// A project would take the place of another.
    #[error("'{}' already exists; move it away first.", path.display())]
    Exists {
        /// Where it is.
        path: PathBuf,
    },
    /// The folder is no project.
    #[error("'{}' is not a project: it has no file project.db; choose the folder that has one.", path.display())]
    NotAProject {
        /// The folder.
        path: PathBuf,
    },
    /// Made by a later version.
    #[error(
        "The project '{name}' was made by a newer version of Sanbao (format {found}, this version knows {known}); update Sanbao to open it."
    )]
    NewerVersion {
        /// Its folder.
        path: PathBuf,
        /// Name for people where it can be read, the folder's name otherwise.
        name: String,
        /// Format found.
        found: i64,
        /// Newest format known.
        known: i64,
    },
    /// The database does not hold what it should.
    #[error("The project in '{}' is damaged ({reason}); put back a copy of it, or make a new project from the files in its folder 'data'.", path.display())]
    Damaged {
        /// Its folder.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// Another process holds the database for longer than a person would wait.
    #[error("The project in '{}' is being changed by another program; try again in a moment.", path.display())]
    Busy {
        /// Its folder.
        path: PathBuf,
    },
    /// No space left.
    #[error("There is no space left on the disk of '{}'; free some and try again.", path.display())]
    DiskFull {
        /// The project's folder.
        path: PathBuf,
    },
    /// The database refused for another reason.
    #[error("The project in '{}' could not be read or changed: {reason}.", path.display())]
    Database {
        /// Its folder.
        path: PathBuf,
        /// What SQLite said.
        reason: String,
    },
    /// The project was deleted while it was open here.
    #[error("The project in '{}' was deleted; restore it to go on with it.", path.display())]
    Closed {
        /// Where its folder was.
        path: PathBuf,
    },
    /// A folder that is copied holds a link.
    #[error("'{}' is a link to another place, which a project must not hold; put a copy of what it points to in its place.", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// A name of nothing but spaces.
    #[error("A project needs a name; write at least one letter.")]
    NoName,
    /// The project has no such file.
    #[error("The project has no file '{name}'; it was removed, or has another name.")]
    NoFile {
        /// Name.
        name: String,
    },
    /// The file has no such row.
    #[error("'{file}' has no row {row}; its rows are numbered from 1 to {rows}.")]
    NoRow {
        /// Name of the file.
        file: String,
        /// Row, from 1.
        row: u64,
        /// Rows of the file.
        rows: u64,
    },
    /// A row does not have a value for each column.
    #[error(
        "Row {row} of '{file}' got {found} values for {expected} columns; give one value for each column."
    )]
    WrongColumns {
        /// Name of the file.
        file: String,
        /// Row, from 1.
        row: u64,
        /// Columns of the file.
        expected: usize,
        /// Values given.
        found: usize,
    },
    /// The project has no such run.
    #[error("The project has no run '{run}'; it was deleted.")]
    NoRun {
        /// Id.
        run: String,
    },
    /// The project has no such ballot.
    #[error("The project has no ballot {ballot}; it was deleted.")]
    NoBallot {
        /// Id.
        ballot: u64,
    },
    /// A run of this id is recorded already.
    #[error("The project already has a run '{run}'; start the run again to get a new id.")]
    RunTaken {
        /// Id.
        run: String,
    },
}

impl Error {
    /// Stable code, `project.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::File(error) => error.code(),
            Self::NotFound { .. } => "project.not_found",
            Self::NotInBin { .. } => "project.not_in_bin",
            Self::Exists { .. } => "project.exists",
            Self::NotAProject { .. } => "project.not_a_project",
            Self::NewerVersion { .. } => "project.newer_version",
            Self::Damaged { .. } => "project.damaged",
            Self::Busy { .. } => "project.busy",
            Self::DiskFull { .. } => "project.disk_full",
            Self::Database { .. } => "project.database",
            Self::Closed { .. } => "project.closed",
            Self::Link { .. } => "project.link",
            Self::NoName => "project.no_name",
            Self::NoFile { .. } => "project.no_file",
            Self::NoRow { .. } => "project.no_row",
            Self::WrongColumns { .. } => "project.wrong_columns",
            Self::NoRun { .. } => "project.no_run",
            Self::NoBallot { .. } => "project.no_ballot",
            Self::RunTaken { .. } => "project.run_taken",
        }
    }

    /// The same, of a copy that the person has not seen and that is gone: told of the original.
    pub(super) fn about(mut self, original: &Path) -> Self {
        if let Self::Damaged { path, .. }
        | Self::NewerVersion { path, .. }
        | Self::Busy { path }
        | Self::Database { path, .. } = &mut self
        {
            original.clone_into(path);
        }
        self
    }

    /// For `map_err` on what SQLite says about the project in `folder`.
    pub(super) fn sql(folder: &Path) -> impl FnOnce(rusqlite::Error) -> Self {
        let path = folder.to_owned();
        move |error| match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, reason: error.to_string() }
            }
            None if matches!(error, rusqlite::Error::InvalidPath(_)) => {
                Self::Database { path, reason: error.to_string() }
            }
            // A query that does not fit the tables, or a value that is not what was written.
            None | Some(ErrorCode::Unknown) => Self::Damaged { path, reason: error.to_string() },
            Some(_) => Self::Database { path, reason: error.to_string() },
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let (code, message) = (error.code(), error.to_string());
        let fault = Self::new(code, message);
        match error {
            Error::File(error) => error.into(),
            Error::NotFound { path }
            | Error::Exists { path }
            | Error::NotAProject { path }
            | Error::Busy { path }
            | Error::DiskFull { path }
            | Error::Closed { path }
            | Error::Link { path } => fault.with("path", path.display()),
            Error::Damaged { path, reason } | Error::Database { path, reason } => {
                fault.with("path", path.display()).with("reason", reason)
            }
            Error::NewerVersion { path, name, found, known } => fault
                .with("path", path.display())
                .with("name", name)
                .with("found", found)
                .with("known", known),
            Error::NotInBin { id } => fault.with("id", id),
            Error::NoName => fault,
            Error::NoFile { name } => fault.with("file", name),
            Error::NoRow { file, row, rows } => {
                fault.with("file", file).with("row", row).with("rows", rows)
            }
            Error::WrongColumns { file, row, expected, found } => fault
                .with("file", file)
                .with("row", row)
                .with("expected", expected)
                .with("found", found),
            Error::NoBallot { ballot } => fault.with("ballot", ballot),
            Error::NoRun { run } | Error::RunTaken { run } => fault.with("run", run),
        }
    }
}

/// What ends a piece of work on an open database: SQLite, or a sentence of ours or of the caller.
/// Who started the work knows the folder that SQLite's words need.
pub(super) enum Stop<E> {
    Sql(rusqlite::Error),
    Told(E),
}

impl<E: From<Error>> Stop<E> {
    pub(super) fn tell(self, folder: &Path) -> E {
        match self {
            Self::Sql(error) => Error::sql(folder)(error).into(),
            Self::Told(error) => error,
        }
    }
}

impl<E> From<rusqlite::Error> for Stop<E> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl<E: From<Error>> From<Error> for Stop<E> {
    fn from(error: Error) -> Self {
        Self::Told(error.into())
    }
}

impl<E: From<Error>> From<crate::Error> for Stop<E> {
    fn from(error: crate::Error) -> Self {
        Self::Told(Error::File(error).into())
    }
}
