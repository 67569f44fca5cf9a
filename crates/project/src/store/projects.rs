//! All projects of a person: listed, made, copied, deleted, taken back.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, UNIX_EPOCH};

use sanbao_contract::app::{ProjectState, ProjectSummary};

use super::database::{self, DATABASE, JOURNAL, check_whole, connect, folder_name, now};
use super::error::Error;
use super::names::{is_plain, is_portable_id, new_id, shown_name};
use super::presence::{LOCK, Presence};
use super::runs::{lock_runs, stop_all};
use super::summary::summary;
use super::trees::{copy_file, copy_tree, write_folder};
use super::{DATA, ProjectStore, RUNS};
use crate::atomic::{is_leftover, sweep_leftovers};

/// How long a deleted project can be restored.
pub const KEPT_IN_BIN: Duration = Duration::from_secs(30 * 24 * 60 * 60);

const BIN: &str = ".bin";
/// What stands for a name without letters that every system takes.
const NAMELESS: &str = "project";

/// All projects of a person: the folders in one folder.
#[derive(Debug)]
pub struct Projects {
    root: PathBuf,
    open: Mutex<Opened>,
    _presence: Presence,
}

/// Projects that somebody has open, so that everybody gets the same one.
#[derive(Debug, Default)]
struct Opened {
    all: HashMap<String, Weak<ProjectStore>>,
    /// Stays open until another is opened: what it remembers makes the next request quick.
    latest: Option<Arc<ProjectStore>>,
}

impl Opened {
    fn find(&self, id: &str) -> Option<Arc<ProjectStore>> {
        self.all.get(id)?.upgrade().filter(|store| !store.is_closed())
    }

    fn forget(&mut self, id: &str) -> Option<Arc<ProjectStore>> {
        self.latest.take_if(|latest| latest.id() == id);
        self.all.remove(id)?.upgrade()
    }

    fn keep(&mut self, store: &Arc<ProjectStore>) {
        self.all.retain(|_, store| store.strong_count() > 0);
        self.all.insert(store.id().to_owned(), Arc::downgrade(store));
        self.latest = Some(Arc::clone(store));
    }
}

impl Projects {
    /// Takes up the projects of a folder, which is created when it is not there. What killed
    /// processes left is swept away, and the bin emptied of what was deleted long ago
    /// ([`KEPT_IN_BIN`]).
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the folder cannot be written to.
    pub fn at(root: &Path) -> Result<Self, Error> {
        let bin = root.join(BIN);
        fs::create_dir_all(&bin).map_err(crate::Error::io("create", &bin))?;
        let presence = Presence::enter(root, || {
            // What cannot be removed today, perhaps since a program looks at it, harms nobody.
            let _ = empty_bin(&bin, now());
            let _ = sweep_leftovers(root);
            Ok::<_, Error>(())
        })?;
        Ok(Self { root: root.to_owned(), open: Mutex::default(), _presence: presence })
    }

    /// The folder that the projects are in.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Every project, the one changed last first. A folder that cannot be opened is in the list
    /// with the reason.
    ///
    /// # Errors
    /// [`crate::Error::Io`] when the folder cannot be read.
    pub fn list(&self) -> Result<Vec<ProjectSummary>, Error> {
        let mut projects = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(crate::Error::io("read", &self.root))? {
            let entry = entry.map_err(crate::Error::io("read", &self.root))?;
            let id = entry.file_name().to_string_lossy().into_owned();
            if entry.path().is_dir() && !id.starts_with('.') {
                projects.extend(self.glance(&id));
            }
        }
        projects.sort_by(|a, b| b.changed.cmp(&a.changed).then_with(|| a.id.cmp(&b.id)));
        Ok(projects)
    }

    /// Makes an empty project. Several may have one name.
    ///
    /// # Errors
    /// [`Error::NoName`].
    pub fn create(&self, name: &str) -> Result<Arc<ProjectStore>, Error> {
        let name = shown_name(name).ok_or(Error::NoName)?;
        let id = self.free_id(&name);
        write_folder(&self.root.join(&id), |inside| {
            for name in [DATA, RUNS] {
                let folder = inside.join(name);
                fs::create_dir(&folder).map_err(crate::Error::io("create", &folder))?;
            }
            database::create(inside, &name)
        })?;
        self.open(&id)
    }

    /// Opens a project. Everybody who has it open shares it; it is closed when all have dropped
    /// it and another project was opened.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotAProject`], [`Error::NewerVersion`], [`Error::Damaged`].
    pub fn open(&self, id: &str) -> Result<Arc<ProjectStore>, Error> {
        let folder = self.folder(id)?;
        let mut opened = self.opened();
        if let Some(store) = opened.find(id) {
            if folder.join(DATABASE).is_file() {
                opened.keep(&store);
                return Ok(store);
            }
            // Somebody took the folder away: what is still open of it is nowhere any more.
            opened.forget(id);
        }
        let store = Arc::new(ProjectStore::open(&folder)?);
        opened.keep(&store);
        Ok(store)
    }

    /// Gives a project another name. Its id and folder stay.
    ///
    /// # Errors
    /// [`Error::NoName`]; as [`Self::open`].
    pub fn rename(&self, id: &str, name: &str) -> Result<(), Error> {
        self.open(id)?.rename(name)
    }

    /// Copies a project with its files, choices and runs.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] while one of its runs is worked on; [`Error::NoName`]; as
    /// [`Self::open`].
    pub fn duplicate(&self, id: &str, name: &str) -> Result<Arc<ProjectStore>, Error> {
        let name = shown_name(name).ok_or(Error::NoName)?;
        let original = self.open(id)?;
        let _nobody_else = lock_runs(&original.runs_folder())?;
        let copy = self.free_id(&name);
        write_folder(&self.root.join(&copy), |inside| {
            original.copy_database_and_data(inside)?;
            copy_tree(&original.runs_folder(), &inside.join(RUNS), &is_passing)?;
            take_over(inside, Some(&name))
        })?;
        self.open(&copy)
    }

    /// Puts a project into the bin. Whoever has it open is told [`Error::Closed`] from then on.
    ///
    /// # Errors
    /// [`crate::Error::Locked`] while one of its runs is worked on; [`Error::NotFound`].
    pub fn delete(&self, id: &str) -> Result<(), Error> {
        let folder = self.folder(id)?;
        drop(lock_runs(&folder.join(RUNS))?);
        let store = self.opened().find(id);
        if let Some(store) = store {
            // Waits for the change that is under way; others may open projects meanwhile.
            store.close();
        }
        let mut opened = self.opened();
        if let Some(store) = opened.forget(id) {
            store.close();
        }
        let deleted = self.bin().join(format!("{id}.{}", now()));
        fs::rename(&folder, deleted).map_err(crate::Error::io("delete", &folder))?;
        Ok(())
    }

    /// Takes a project out of the bin.
    ///
    /// # Errors
    /// [`Error::NotInBin`]; [`Error::Exists`] when a folder of this name was put in its place.
    pub fn restore(&self, id: &str) -> Result<(), Error> {
        let deleted = in_bin(&self.bin())?.into_iter().filter(|(_, of, _)| of == id);
        let latest = deleted.max_by_key(|(_, _, time)| *time);
        let (from, ..) = latest.ok_or_else(|| Error::NotInBin { id: id.to_owned() })?;
        let folder = self.root.join(id);
        if folder.exists() {
            return Err(Error::Exists { path: folder });
        }
        fs::rename(&from, &folder).map_err(crate::Error::io("restore", &folder))?;
        Ok(())
    }

    /// Copies the folder of a project from elsewhere, such as another machine, into the list. It
    /// keeps its id where that is free. A folder with the project's folder in it will do, as
    /// archives leave it. Runs that were under way are taken as stopped.
    ///
    /// # Errors
    /// [`Error::NotAProject`], [`Error::NewerVersion`], [`Error::Damaged`], [`Error::Link`].
    pub fn import(&self, folder: &Path) -> Result<Arc<ProjectStore>, Error> {
        let from = with_database(folder)?;
        let from = from.canonicalize().map_err(crate::Error::io("read", &from))?;
        let root = self.root.canonicalize().map_err(crate::Error::io("read", &self.root))?;
        let id = folder_name(&from);
        if from.parent() == Some(&root) {
            return self.open(&id);
        }
        let is_kept = is_portable_id(&id) && !self.is_taken(&id);
        let id = if is_kept { id } else { self.free_id(&id) };
        write_folder(&self.root.join(&id), |inside| {
            // The database first: when it is refused, the rest need not be copied.
            copy_database(&from, inside)?;
            take_over(inside, None).map_err(|error| error.about(&from))?;
            for name in [DATA, RUNS] {
                copy_tree(&from.join(name), &inside.join(name), &|name| name == LOCK)?;
            }
            Ok(())
        })?;
        self.open(&id)
    }

    /// `None` when it is deleted at this moment.
    fn glance(&self, id: &str) -> Option<ProjectSummary> {
        let folder = self.root.join(id);
        let store = self.opened().find(id);
        let seen = match store {
            Some(store) => store.glance(),
            None => connect(&folder)
                .and_then(|connection| summary(&connection, id).map_err(Error::sql(&folder))),
        };
        match seen {
            Err(Error::Closed { .. } | Error::NotFound { .. }) => None,
            seen => Some(seen.unwrap_or_else(|error| unreadable(&folder, id, error))),
        }
    }

    fn folder(&self, id: &str) -> Result<PathBuf, Error> {
        let path = self.root.join(id);
        match is_plain(id) && path.is_dir() {
            true => Ok(path),
            false => Err(Error::NotFound { path }),
        }
    }

    fn free_id(&self, name: &str) -> String {
        new_id(name, NAMELESS, |id| self.is_taken(id))
    }

    /// A project in the bin keeps its id, so that it can come back.
    fn is_taken(&self, id: &str) -> bool {
        let is_in_bin = |bin: Vec<(PathBuf, String, i64)>| bin.iter().any(|(_, of, _)| of == id);
        self.root.join(id).exists() || in_bin(&self.bin()).is_ok_and(is_in_bin)
    }

    fn bin(&self) -> PathBuf {
        self.root.join(BIN)
    }

    fn opened(&self) -> MutexGuard<'_, Opened> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ProjectStore {
    /// Copies the database and the files into a folder, while nobody changes them.
    fn copy_database_and_data(&self, to: &Path) -> Result<(), Error> {
        self.with(|open| {
            let database = to.join(DATABASE);
            let path =
                database.to_str().ok_or_else(|| rusqlite::Error::InvalidPath(database.clone()))?;
            open.connection.execute("VACUUM INTO ?1", [path])?;
            Ok(copy_tree(&self.data_folder(), &to.join(DATA), &is_passing)?)
        })
    }
}

/// Whether something in a project is of use to the processes that work there alone.
fn is_passing(name: &str) -> bool {
    name == LOCK || is_leftover(name.as_ref())
}

/// Copies a database that nobody has open, with what SQLite needs to undo a change that was cut off.
fn copy_database(from: &Path, to: &Path) -> Result<(), Error> {
    for name in [DATABASE, JOURNAL] {
        let file = from.join(name);
        match fs::symlink_metadata(&file) {
            Ok(found) if found.is_symlink() => return Err(Error::Link { path: file }),
            Ok(_) => copy_file(&file, &to.join(name))?,
            Err(_) => continue,
        };
    }
    Ok(())
}

/// Makes a copy of a database a project of its own: whole, of this version, changed now, with
/// nobody at work.
fn take_over(folder: &Path, name: Option<&str>) -> Result<(), Error> {
    let mut connection = connect(folder)?;
    check_whole(&connection, folder)?;
    let mut change = || {
        let change = connection.transaction()?;
        stop_all(&change)?;
        let sql = "UPDATE project SET name = coalesce(?1, name), changed = ?2";
        change.execute(sql, (name, now()))?;
        change.commit()
    };
    change().map_err(Error::sql(folder))
}

/// The folder itself or the only folder in it, whichever has a database.
fn with_database(folder: &Path) -> Result<PathBuf, Error> {
    if folder.join(DATABASE).is_file() {
        return Ok(folder.to_owned());
    }
    let entries = fs::read_dir(folder).map_err(crate::Error::io("read", folder))?;
    let folders = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut found = folders.filter(|folder| folder.join(DATABASE).is_file());
    match (found.next(), found.next()) {
        (Some(folder), None) => Ok(folder),
        _ => Err(Error::NotAProject { path: folder.to_owned() }),
    }
}

fn unreadable(folder: &Path, id: &str, error: Error) -> ProjectSummary {
    let database = fs::metadata(folder.join(DATABASE)).or_else(|_| fs::metadata(folder));
    let changed = database.and_then(|found| found.modified()).ok();
    let changed = changed.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let name = match &error {
        Error::NewerVersion { name, .. } => name,
        _ => id,
    };
    ProjectSummary {
        id: id.to_owned(),
        name: name.to_owned(),
        base: None,
        files: Vec::new(),
        rows: 0,
        state: ProjectState::Unreadable,
        outcome: None,
        changed: changed.map_or(0, |time| time.as_millis() as u64),
        fault: Some(error.into()),
    }
}

/// What is in the bin: where, which project, and when it was deleted (milliseconds since 1970).
fn in_bin(bin: &Path) -> Result<Vec<(PathBuf, String, i64)>, Error> {
    let mut deleted = Vec::new();
    for entry in fs::read_dir(bin).map_err(crate::Error::io("read", bin))? {
        let entry = entry.map_err(crate::Error::io("read", bin))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((id, time)) = name.rsplit_once('.') else { continue };
        if let (true, Ok(time)) = (is_plain(id), time.parse()) {
            deleted.push((entry.path(), id.to_owned(), time));
        }
    }
    Ok(deleted)
}

/// Removes what was deleted long ago, as far as that can be done. `now`: milliseconds since 1970.
fn empty_bin(bin: &Path, now: i64) -> Result<(), Error> {
    let kept = i64::try_from(KEPT_IN_BIN.as_millis()).unwrap_or(i64::MAX);
    for (path, id, deleted) in in_bin(bin)? {
        if now.saturating_sub(deleted) > kept {
            // Half of a project must not be restored.
            let leaving = bin.join(format!(".{id}.{deleted}.unfinished"));
            let _ = fs::rename(&path, &leaving);
        }
    }
    Ok(sweep_leftovers(bin).map_err(crate::Error::io("clean up", bin))?)
}
