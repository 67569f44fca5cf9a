//! The files of a project: the copies in the folder `data`, and what is recorded of them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};
use sanbao_contract::app::ProjectFile;
use sanbao_contract::data::{Mapping, Recognition};
use tempfile::TempDir;

use super::database::{from_json, signed, to_json, unsigned};
use super::error::{Error, Stop};
use super::names::{free_file_name, is_plain, portable_file_name};
use super::presence::Presence;
use super::trees::copy_file;
use super::{DATA, ProjectStore, RUNS, rows};
use crate::atomic::{is_leftover, sweep_leftovers, sync_folder, temporary_folder};

/// Where a file waits inside its temporary folder until it is decided that it stays. What lies
/// in a temporary folder itself is given its place by [`tidy`] when its row says so.
const WAITING: &str = "new";
const COLUMNS: &str = "name, bytes, rows, excluded, edited, recognition, mapping";

/// A file that was copied into a project and is no part of it yet: it can be read and looked at
/// before [`ProjectStore::add_file`]. Dropped, it is removed.
#[derive(Debug)]
pub struct Incoming {
    name: String,
    bytes: u64,
    folder: TempDir,
    _presence: Arc<Presence>,
}

impl Incoming {
    /// Its name, as every system takes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the copy lies for now. The last part is [`Self::name`].
    pub fn path(&self) -> PathBuf {
        self.folder.path().join(WAITING).join(&self.name)
    }
}

/// What is recorded of a file, as far as the work with its rows needs it.
pub(super) struct Known {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) rows: u64,
    pub(super) columns: Vec<String>,
}

impl ProjectStore {
    /// Copies a file into the project, to be looked at and then added. What is looked at is the
    /// copy, so what is shown, trained from and kept is the same whatever happens to the original.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when it cannot be read or copied.
    pub fn copy_in(&self, path: &Path) -> Result<Incoming, Error> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.bring_in(&name, |copy| copy_file(path, copy))
    }

    /// As [`Self::copy_in`], for what is in no file: something pasted, a sample.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when it cannot be written.
    pub fn write_in(&self, name: &str, content: &[u8]) -> Result<Incoming, Error> {
        self.bring_in(name, |copy| {
            let written = fs::File::create_new(copy).and_then(|mut file| {
                file.write_all(content)?;
                file.sync_all()
            });
            written.map_err(crate::Error::io("write", copy))?;
            Ok(content.len() as u64)
        })
    }

    /// Makes a file part of the project: its copy gets a name that is free in the folder `data`,
    /// its rows can be paged through. Either all of it happens or, also when the process is killed,
    /// nothing. Rows may be as many as the disk takes; they are written as they come.
    ///
    /// Each row has a value for each of the recognition's columns. `rows` must not ask anything of
    /// the project: it would wait for itself.
    ///
    /// # Errors
    /// The first error that `rows` gives; [`Error::WrongColumns`].
    pub fn add_file<E: From<Error>>(
        &self,
        incoming: Incoming,
        recognition: &Recognition,
        rows: impl IntoIterator<Item = Result<Vec<String>, E>>,
    ) -> Result<ProjectFile, E> {
        let data = self.data_folder();
        self.with(|open| {
            let name = open.change(|change| {
                let name = free_file_name(&incoming.name, taken_names(files(change)?, &data)?);
                change.execute(
                    "INSERT INTO file (name, bytes, recognition) VALUES (?1, ?2, ?3)",
                    (&name, signed(incoming.bytes), to_json(recognition)?),
                )?;
                let file = Known {
                    id: change.last_insert_rowid(),
                    name: name.clone(),
                    rows: 0,
                    columns: recognition.columns.clone(),
                };
                rows::insert(change, &file, rows)?;
                let decided = incoming.folder.path().join(&name);
                fs::rename(incoming.path(), decided).map_err(crate::Error::io("rename", &data))?;
                sync_folder(incoming.folder.path()).map_err(crate::Error::io("write", &data))?;
                Ok::<_, Stop<E>>(name)
            })?;
            // From here on the file is part of the project. Should the process be killed now,
            // `tidy` does what is left.
            let folder = incoming.folder.keep();
            settle(&folder, &data, std::slice::from_ref(&name))?;
            let sql = format!("SELECT {COLUMNS} FROM file WHERE name = ?1");
            Ok(open.connection.query_row(&sql, [name], read)?)
        })
    }

    /// The project's files in the order they were added.
    ///
    /// # Errors
    /// Those of [`ProjectStore`].
    pub fn files(&self) -> Result<Vec<ProjectFile>, Error> {
        self.with(|open| Ok(files(&open.connection)?))
    }

    /// Where a file lies, as it was given. Changed and excluded rows do not show in it.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn file_path(&self, file: &str) -> Result<PathBuf, Error> {
        let known = self.with(|open| known(&open.connection, file))?;
        Ok(self.data_folder().join(known.name))
    }

    /// Takes a file out of the project, with its rows, and removes its copy.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn remove_file(&self, file: &str) -> Result<(), Error> {
        let data = self.data_folder();
        self.with(|open| {
            open.matches = None;
            let file = known(&open.connection, file)?;
            let leaving = new_folder(&data, &file.name)?;
            let result = open.change(|change| {
                change.execute("DELETE FROM file WHERE id = ?1", [file.id])?;
                let copy = data.join(&file.name);
                // The person may have removed the copy by hand.
                if copy.exists() {
                    let aside = leaving.path().join(&file.name);
                    fs::rename(&copy, aside).map_err(crate::Error::io("remove", &copy))?;
                }
                Ok::<_, Stop<Error>>(())
            });
            if result.is_err() {
                // Back to its place; where that fails, `tidy` does it.
                let _ = settle(&leaving.keep(), &data, &[file.name]);
            }
            result
        })
    }

    /// Says what the columns of a file are for; as recognised when `None`.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn set_mapping(&self, file: &str, mapping: Option<&Mapping>) -> Result<(), Error> {
        self.change(|change| {
            let file = known(change, file)?;
            let mapping = mapping.map(to_json).transpose()?;
            change.execute("UPDATE file SET mapping = ?2 WHERE id = ?1", (file.id, mapping))?;
            Ok(())
        })
    }

    /// What the columns of a file are for: what the person said, or else what was recognised.
    ///
    /// # Errors
    /// [`Error::NoFile`].
    pub fn mapping(&self, file: &str) -> Result<Mapping, Error> {
        self.with(|open| {
            let sql = format!("SELECT {COLUMNS} FROM file WHERE name = ?1");
            let found = open.connection.query_row(&sql, [file], read).optional()?;
            let found = found.ok_or_else(|| Error::NoFile { name: file.to_owned() })?;
            Ok(found.mapping.unwrap_or(found.recognition.mapping))
        })
    }

    fn bring_in(
        &self,
        name: &str,
        write: impl FnOnce(&Path) -> Result<u64, Error>,
    ) -> Result<Incoming, Error> {
        // Copying may take minutes, in which others may have their turn.
        let presence = self.with(|open| Ok::<_, Stop<Error>>(Arc::clone(&open.presence)))?;
        let name = portable_file_name(name);
        let folder = new_folder(&self.data_folder(), &name)?;
        let waiting = folder.path().join(WAITING);
        fs::create_dir(&waiting).map_err(crate::Error::io("create", &waiting))?;
        let bytes = write(&waiting.join(&name))?;
        Ok(Incoming { name, bytes, folder, _presence: presence })
    }
}

/// Every file in the order they were added.
pub(super) fn files(connection: &Connection) -> rusqlite::Result<Vec<ProjectFile>> {
    let sql = format!("SELECT {COLUMNS} FROM file ORDER BY id");
    connection.prepare_cached(&sql)?.query_map([], read)?.collect()
}

/// Finds a file by its name.
///
/// # Errors
/// [`Error::NoFile`], also for a name that would lead out of the folder `data`.
pub(super) fn known(connection: &Connection, name: &str) -> Result<Known, Stop<Error>> {
    let sql = "SELECT id, name, rows, recognition FROM file WHERE name = ?1";
    let known = connection.prepare_cached(sql)?.query_row([name], |row| {
        let recognition: String = row.get(3)?;
        let recognition: Recognition = from_json(&recognition)?;
        let columns = recognition.columns;
        Ok(Known { id: row.get(0)?, name: row.get(1)?, rows: unsigned(row, 2)?, columns })
    });
    let known = known.optional()?.filter(|known| is_plain(&known.name));
    known.ok_or_else(|| Stop::from(Error::NoFile { name: name.to_owned() }))
}

/// Ends what a killed process left half done: files that were added get their place, files that
/// were not removed get it back, and whatever else is temporary goes.
pub(super) fn tidy(connection: &Connection, folder: &Path) -> Result<(), Error> {
    let (data, runs) = (folder.join(DATA), folder.join(RUNS));
    for folder in [&data, &runs] {
        fs::create_dir_all(folder).map_err(crate::Error::io("create", folder))?;
    }
    let names: Vec<String> =
        files(connection).map_err(Error::sql(folder))?.into_iter().map(|file| file.name).collect();
    for entry in fs::read_dir(&data).map_err(crate::Error::io("read", &data))? {
        let entry = entry.map_err(crate::Error::io("read", &data))?;
        if is_leftover(&entry.file_name()) && entry.path().is_dir() {
            settle(&entry.path(), &data, &names)?;
        }
    }
    // The rest of a deleted run harms nobody; it is swept another time.
    let _ = sweep_leftovers(&runs);
    Ok(())
}

/// Moves the files of a temporary folder that are part of the project to their place, and removes
/// the rest with the folder.
fn settle(temporary: &Path, data: &Path, names: &[String]) -> Result<(), Error> {
    for name in names.iter().filter(|name| is_plain(name)) {
        let (from, to) = (temporary.join(name), data.join(name));
        if from.is_file() && !to.exists() {
            fs::rename(&from, &to).map_err(crate::Error::io("rename", &from))?;
        }
    }
    sync_folder(data).map_err(crate::Error::io("write", data))?;
    // What cannot be removed now is removed when the project is next opened.
    let _ = fs::remove_dir_all(temporary);
    Ok(())
}

fn new_folder(data: &Path, name: &str) -> Result<TempDir, Error> {
    Ok(temporary_folder(data, name).map_err(crate::Error::io("create", data))?)
}

/// Whether a name is taken, by a file of the project or by anything that lies in the folder. Names
/// that differ in case alone are one name on Windows and macOS.
fn taken_names(files: Vec<ProjectFile>, data: &Path) -> Result<impl Fn(&str) -> bool, Error> {
    let mut taken: Vec<_> = files.into_iter().map(|file| file.name.to_lowercase()).collect();
    for entry in fs::read_dir(data).map_err(crate::Error::io("read", data))? {
        let entry = entry.map_err(crate::Error::io("read", data))?;
        taken.push(entry.file_name().to_string_lossy().to_lowercase());
    }
    Ok(move |name: &str| taken.contains(&name.to_lowercase()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<ProjectFile> {
    let recognition: String = row.get(5)?;
    let mapping: Option<String> = row.get(6)?;
    Ok(ProjectFile {
        name: row.get(0)?,
        bytes: unsigned(row, 1)?,
        rows: unsigned(row, 2)?,
        excluded: unsigned(row, 3)?,
        edited: unsigned(row, 4)?,
        recognition: from_json(&recognition)?,
        mapping: mapping.map(|mapping| from_json(&mapping)).transpose()?,
    })
}
