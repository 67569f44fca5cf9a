//! What is recorded of runs. Everything else about a run lies in its folder.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};
use sanbao_contract::app::{RunState, RunSummary};

use super::database::{from_json, from_word, signed, to_json, to_word, unsigned};
use super::error::Error;
use super::names::{is_plain, new_id};
use super::{ProjectStore, Stop};
use crate::FolderLock;
use crate::run_folder::MARKER;

const COLUMNS: &str = "id, created, recipe, dial, device, base, state, step, steps, best_loss, \
                       outcome, fault";

impl ProjectStore {
    /// An id for a new run, which no run and no folder has. Nothing is recorded yet.
    pub fn new_run_id(&self, recipe: &str) -> String {
        new_id(recipe, "run", |id| self.runs_folder().join(id).exists())
    }

    /// The folder of a run, whether or not it is there.
    ///
    /// # Errors
    /// [`Error::NoRun`] for an id that would lead out of the project.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf, Error> {
        match is_plain(run) {
            true => Ok(self.runs_folder().join(run)),
            false => Err(Error::NoRun { run: run.to_owned() }),
        }
    }

    /// Records a new run. `epochs` is not recorded: it follows from the folder.
    ///
    /// # Errors
    /// [`Error::RunTaken`]; [`Error::NoRun`] for an id that would lead out of the project.
    pub fn add_run(&self, run: &RunSummary) -> Result<(), Error> {
        self.run_folder(&run.id)?;
        self.change(|change| {
            let sql = format!(
                "INSERT INTO run ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
                 ON CONFLICT DO NOTHING"
            );
            match write(change, &sql, run)? {
                0 => Err(Error::RunTaken { run: run.id.clone() })?,
                _ => Ok(()),
            }
        })
    }

    /// Records how a run goes. Each call waits for the disk: once a second is enough.
    ///
    /// # Errors
    /// [`Error::NoRun`] when it was deleted.
    pub fn update_run(&self, run: &RunSummary) -> Result<(), Error> {
        self.change(|change| {
            let sql = "UPDATE run SET created = ?2, recipe = ?3, dial = ?4, device = ?5,
                       base = ?6, state = ?7, step = ?8, steps = ?9, best_loss = ?10,
                       outcome = ?11, fault = ?12 WHERE id = ?1";
            match write(change, sql, run)? {
                0 => Err(Error::NoRun { run: run.id.clone() })?,
                _ => Ok(()),
            }
        })
    }

    /// A run, without its epochs.
    ///
    /// # Errors
    /// [`Error::NoRun`].
    pub fn run(&self, run: &str) -> Result<RunSummary, Error> {
        self.with(|open| {
            let sql = format!("SELECT {COLUMNS} FROM run WHERE id = ?1");
            let found = open.connection.query_row(&sql, [run], read).optional()?;
            Ok(found.ok_or_else(|| Error::NoRun { run: run.to_owned() })?)
        })
    }

    /// Every run without its epochs, the latest first.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn runs(&self) -> Result<Vec<RunSummary>, Error> {
        self.with(|open| Ok(runs(&open.connection)?))
    }

    /// Records as stopped every run that is recorded as waiting, training or being judged, but is
    /// not active: its process was killed, or the project was moved. Returns their ids. To be
    /// called before the first run of a program's life.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn settle_runs(&self, is_active: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
        let runs = self.runs()?;
        let left = runs.into_iter().filter(|run| is_under_way(run.state) && !is_active(&run.id));
        let left: Vec<String> = left.map(|run| run.id).collect();
        if !left.is_empty() {
            self.change(|change| {
                for run in &left {
                    stop(change, run)?;
                }
                Ok::<_, Stop<Error>>(())
            })?;
        }
        Ok(left)
    }

    /// Removes a run with its folder.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`crate::Error::Locked`] while a process works on it.
    pub fn delete_run(&self, run: &str) -> Result<(), Error> {
        let folder = self.run_folder(run)?;
        drop(lock_run(&folder)?);
        // A folder under this name is swept by whoever opens the project next.
        let leaving = self.runs_folder().join(format!(".{run}.unfinished"));
        let is_recorded = self.change(|change| {
            let recorded = change.execute("DELETE FROM run WHERE id = ?1", [run])?;
            if folder.exists() {
                fs::rename(&folder, &leaving).map_err(crate::Error::io("delete", &folder))?;
            }
            Ok::<_, Stop<Error>>(recorded > 0)
        })?;
        if leaving.exists() {
            fs::remove_dir_all(&leaving).map_err(crate::Error::io("delete", &leaving))?;
        } else if !is_recorded {
            return Err(Error::NoRun { run: run.to_owned() });
        }
        Ok(())
    }
}

/// Every run, the latest first.
pub(super) fn runs(connection: &Connection) -> rusqlite::Result<Vec<RunSummary>> {
    let sql = format!("SELECT {COLUMNS} FROM run ORDER BY created DESC, rowid DESC");
    connection.prepare_cached(&sql)?.query_map([], read)?.collect()
}

/// Records as stopped every run that is not at an end.
pub(super) fn stop_all(connection: &Connection) -> rusqlite::Result<()> {
    let under_way = runs(connection)?.into_iter().filter(|run| is_under_way(run.state));
    under_way.into_iter().try_for_each(|run| stop(connection, &run.id))
}

/// Whether somebody should be working on a run in this state.
pub(super) fn is_under_way(state: RunState) -> bool {
    matches!(state, RunState::Waiting | RunState::Training | RunState::Judging)
}

/// Makes sure that nobody works on a project's runs while this is held.
///
/// # Errors
/// [`crate::Error::Locked`] when somebody does.
pub(super) fn lock_runs(runs: &Path) -> Result<Vec<FolderLock>, Error> {
    let mut locks = Vec::new();
    if !runs.is_dir() {
        return Ok(locks);
    }
    for entry in fs::read_dir(runs).map_err(crate::Error::io("read", runs))? {
        let entry = entry.map_err(crate::Error::io("read", runs))?;
        locks.extend(lock_run(&entry.path())?);
    }
    Ok(locks)
}

/// `None` where there is no run.
fn lock_run(folder: &Path) -> Result<Option<FolderLock>, Error> {
    match folder.join(MARKER).is_file() {
        true => Ok(Some(FolderLock::acquire(folder)?)),
        false => Ok(None),
    }
}

fn stop(connection: &Connection, run: &str) -> rusqlite::Result<()> {
    let stopped = to_word(&RunState::Stopped)?;
    connection.execute("UPDATE run SET state = ?2 WHERE id = ?1", (run, stopped)).map(|_| ())
}

fn write(connection: &Connection, sql: &str, run: &RunSummary) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(params![
        run.id,
        signed(run.created),
        run.recipe,
        to_word(&run.dial)?,
        run.device,
        run.base,
        to_word(&run.state)?,
        signed(run.step),
        signed(run.steps),
        run.best_loss,
        run.outcome.as_ref().map(to_word).transpose()?,
        run.fault.as_ref().map(to_json).transpose()?,
    ])
}

fn read(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let word = |column: usize| row.get::<_, String>(column);
    let outcome: Option<String> = row.get(10)?;
    let fault: Option<String> = row.get(11)?;
    Ok(RunSummary {
        id: row.get(0)?,
        created: unsigned(row, 1)?,
        recipe: row.get(2)?,
        dial: from_word(&word(3)?)?,
        device: row.get(4)?,
        base: row.get(5)?,
        state: from_word(&word(6)?)?,
        step: unsigned(row, 7)?,
        steps: unsigned(row, 8)?,
        best_loss: row.get(9)?,
        epochs: Vec::new(),
        outcome: outcome.map(|word| from_word(&word)).transpose()?,
        fault: fault.map(|fault| from_json(&fault)).transpose()?,
    })
}
