//! The models from the hub that are on this machine, and those that are on their way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sanbao_project::FolderLock;
use serde::{Deserialize, Serialize};

use crate::fetch::part_of;
use crate::name::{ModelId, hub_folder};
use crate::{Error, RemoteFile, Repository};

/// What was fetched into a folder, for the next time; it says which files fit it.
pub(crate) const RECORD: &str = "download.json";
/// A record has about 100 bytes for each file.
const LARGEST_RECORD: u64 = 8 << 20;

/// A model from the hub that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstalledModel {
    /// Its name, `owner/name`.
    pub id: String,
    /// The folder, or the GGUF file in it, that is opened.
    pub path: PathBuf,
}

/// A model that was begun to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BegunDownload {
    /// Its name, `owner/name`.
    pub id: String,
    /// Bytes that are there.
    pub bytes: u64,
    /// Bytes in all.
    pub total: u64,
}

/// The models from the hub in the folder of the models ([`crate::models_dir`]), by name. All of
/// them are whole.
pub fn installed(models_dir: &Path) -> Vec<InstalledModel> {
    let mut found: Vec<InstalledModel> = folders(models_dir)
        .filter_map(|(name, folder)| {
            let id = ModelId::of_folder(&name)?.as_str().to_owned();
            Some(InstalledModel { id, path: to_open(folder) })
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The models whose fetching was begun and not ended, by name.
pub fn begun(models_dir: &Path) -> Vec<BegunDownload> {
    let mut found: Vec<BegunDownload> = folders(models_dir)
        .filter_map(|(name, folder)| {
            let id = ModelId::of_incomplete_folder(&name)?;
            let is_whole = id.folder(models_dir).is_dir();
            let record = Record::read(&folder).filter(|_| !is_whole)?;
            let bytes = record.files.iter().map(|file| size_there(&folder, &file.path)).sum();
            Some(BegunDownload { id: id.as_str().to_owned(), bytes, total: record.bytes() })
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// Removes a model from the hub, whole or begun. Returns whether there was anything.
///
/// # Errors
/// [`Error::BadName`]; [`Error::Project`] (`project.locked`) while it is being fetched;
/// [`Error::Io`] when the system refuses, as it may while the model is open.
pub fn remove(models_dir: &Path, id: &str) -> Result<bool, Error> {
    let id = ModelId::parse(id)?;
    let (whole, begun) = (id.folder(models_dir), id.incomplete_folder(models_dir));
    let was_begun = begun.is_dir();
    if was_begun {
        let lock = FolderLock::acquire(&begun)?;
        // Without it what is left, should the system stop here, is not taken for a part.
        remove_if_there(&begun.join(RECORD))?;
        drop(lock);
        fs::remove_dir_all(&begun).map_err(Error::io("remove", &begun))?;
    }
    let was_whole = whole.is_dir();
    if was_whole {
        // From here on it is not taken for a whole one.
        fs::rename(&whole, &begun).map_err(Error::io("remove", &whole))?;
        fs::remove_dir_all(&begun).map_err(Error::io("remove", &begun))?;
    }
    Ok(was_begun || was_whole)
}

/// What is opened of a whole model.
pub(crate) fn to_open(folder: PathBuf) -> PathBuf {
    if folder.join("config.json").is_file() {
        return folder;
    }
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let is_gguf = |path: &PathBuf| path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf"));
    entries.map(|entry| entry.path()).find(is_gguf).unwrap_or(folder)
}

/// Bytes that are there of a file, whole or in part.
pub(crate) fn size_there(folder: &Path, file: &str) -> u64 {
    let whole = folder.join(file);
    let size = |path: &Path| fs::metadata(path).map(|it| it.len()).ok();
    size(&whole).or_else(|| size(&part_of(&whole))).unwrap_or_default()
}

/// What a folder holds or will hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    id: String,
    revision: String,
    files: Vec<RecordedFile>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedFile {
    path: String,
    size: u64,
    digest: String,
}

impl RecordedFile {
    fn of(file: &RemoteFile) -> Self {
        Self { path: file.path.clone(), size: file.size, digest: file.digest.to_string() }
    }
}

impl Record {
    pub(crate) fn of(repository: &Repository) -> Self {
        Self {
            id: repository.id.clone(),
            revision: repository.revision.clone(),
            files: repository.files.iter().map(RecordedFile::of).collect(),
        }
    }

    /// `None` when there is none that can be understood.
    pub(crate) fn read(folder: &Path) -> Option<Self> {
        let path = folder.join(RECORD);
        if fs::metadata(&path).ok()?.len() > LARGEST_RECORD {
            return None;
        }
        serde_json::from_slice(&fs::read(&path).ok()?).ok()
    }

    /// Whether the file of that time is the same as this one.
    pub(crate) fn holds(&self, file: &RemoteFile) -> bool {
        self.files.contains(&RecordedFile::of(file))
    }

    fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }
}

fn folders(models_dir: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(hub_folder(models_dir)).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let path = entry.path();
        path.is_dir().then_some((entry.file_name().into_string().ok()?, path))
    })
}

pub(crate) fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}
