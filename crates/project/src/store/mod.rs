//! A person's projects: each is one folder that can be zipped and moved to another machine.
//!
//! ```text
//! <id>/project.db      its name and choices, the rows of its files, its runs, its ballots
//! <id>/data/           its files, as they were given
//! <id>/runs/<run>/     a folder for each run, see [`crate::RunFolder`]
//! .bin/<id>.<time>/    a deleted project, kept for 30 days
//! ```
//!
//! What others may rely on: every change is on the disk when its function returns, and is there
//! wholly or not at all, also after the process was killed. When nobody has a project open, its
//! folder has all of it.

mod database;
mod error;
mod feedback;
mod files;
mod names;
mod presence;
mod projects;
mod rows;
mod runs;
mod search;
mod settings;
mod summary;
mod trees;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use sanbao_contract::app::ProjectSummary;

use database::{connect, folder_name, now};
use error::Stop;
use presence::Presence;
use rows::Matches;

pub use error::Error;
pub use feedback::{FeedbackCount, NewBallot, read_ballots};
pub use files::Incoming;
pub use projects::{KEPT_IN_BIN, Projects};
pub use rows::{KeptRows, MOST_ROWS};
pub use settings::Base;

/// Folder of the files, as they were given.
const DATA: &str = "data";
/// Folder of the runs.
const RUNS: &str = "runs";

/// An open project. It may be used by several threads, which take turns.
///
/// What is asked of a project while a file is read into it waits for that; only
/// [`Projects::list`] does not.
///
/// Besides the errors that are named with each function, any of them may return
/// [`Error::Closed`], [`Error::Busy`], [`Error::DiskFull`], [`Error::Damaged`] and
/// [`Error::Database`].
#[derive(Debug)]
pub struct ProjectStore {
    id: String,
    folder: PathBuf,
    /// `None` when the project was deleted.
    open: Mutex<Option<Open>>,
    /// What it last looked like, for a list that does not wait.
    glance: Mutex<ProjectSummary>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// The last search.
    matches: Option<Matches>,
    presence: Arc<Presence>,
}

impl ProjectStore {
    /// Opens the project of a folder, and ends what a killed process left half done.
    fn open(folder: &Path) -> Result<Self, Error> {
        let id = folder_name(folder);
        let connection = connect(folder)?;
        let presence = Presence::enter(folder, || files::tidy(&connection, folder))?;
        let glance = summary::summary(&connection, &id).map_err(Error::sql(folder))?;
        let open = Open { connection, matches: None, presence: Arc::new(presence) };
        Ok(Self {
            id,
            folder: folder.to_owned(),
            open: Mutex::new(Some(open)),
            glance: Mutex::new(glance),
        })
    }

    /// Id: the name of its folder. It stays, whatever the project is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its files are, as they were given.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    /// Where its runs are.
    pub fn runs_folder(&self) -> PathBuf {
        self.folder.join(RUNS)
    }

    /// Works on the open database, when it is its turn.
    fn with<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&mut Open) -> Result<T, Stop<E>>,
    ) -> Result<T, E> {
        match self.turn().as_mut() {
            Some(open) => work(open).map_err(|stop| stop.tell(&self.folder)),
            None => Err(Error::Closed { path: self.folder.clone() }.into()),
        }
    }

    /// Reads several things that belong together: nobody changes one in between.
    fn look<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop<Error>>,
    ) -> Result<T, Error> {
        self.with(|open| {
            let behaviour = TransactionBehavior::Deferred;
            let transaction = open.connection.transaction_with_behavior(behaviour)?;
            work(&transaction)
        })
    }

    /// Changes the project: all that `work` does or, when it fails, nothing.
    fn change<T, E: From<Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop<E>>,
    ) -> Result<T, E> {
        self.with(|open| open.change(work))
    }

    fn turn(&self) -> MutexGuard<'_, Option<Open>> {
        // A panic in the middle of a change has undone it: the transaction was dropped.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the project looks like, or looked like before the change that is under way.
    fn glance(&self) -> Result<ProjectSummary, Error> {
        let is_busy = matches!(self.open.try_lock(), Err(TryLockError::WouldBlock));
        if !is_busy {
            self.summary()?;
        }
        Ok(self.glance.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Lets go of every file, after the change that is under way.
    fn close(&self) {
        *self.turn() = None;
    }

    fn is_closed(&self) -> bool {
        matches!(self.open.try_lock().as_deref(), Ok(None))
    }
}

impl Open {
    fn change<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Stop<E>>,
    ) -> Result<T, Stop<E>> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = work(&transaction)?;
        transaction.execute("UPDATE project SET changed = ?1", [now()])?;
        transaction.commit()?;
        Ok(result)
    }
}
