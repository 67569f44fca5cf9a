//! Fetching a whole model.

use std::fs;
use std::path::{Path, PathBuf};

use sanbao_project::{FolderLock, write_json};

use crate::client::{Client, Patience, check_endpoint};
use crate::fetch::{Fetched, part_of};
use crate::installed::{RECORD, Record, remove_if_there, size_there, to_open};
use crate::name::ModelId;
use crate::{Error, Fetcher, Progress, Repository, disk};

/// What is left free: a full disk stops more than a download.
const SPARE: u64 = 256 << 20;
/// The name of a folder's lock.
const LOCK: &str = ".lock";

/// Fetches all files of a model into `hub/OWNER--NAME` in the folder of the models.
///
/// The folder has that name only when everything is there and every hash is right; until then
/// it is called `OWNER--NAME.incomplete`. What is in it is used by the next download of the
/// model, also after a crash, as far as the model's files are still the same.
#[derive(Debug)]
pub struct Download {
    id: ModelId,
    models_dir: PathBuf,
    endpoint: String,
    repository: Repository,
    client: Client,
    patience: Patience,
    free: fn(&Path) -> Option<u64>,
}

/// How a download ended that did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The model is there: the folder, or the GGUF file in it, that is opened.
    Complete(PathBuf),
    /// It was to stop. What is there is kept for the next time.
    Paused,
}

impl Download {
    /// Prepares to fetch what [`crate::repository`] found, from the same endpoint. The access
    /// token is sent to the endpoint and to no other server, such as those that the endpoint
    /// redirects to; it is not written anywhere.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::BadEndpoint`], [`Error::BadToken`],
    /// [`Error::TokenInTheClear`].
    pub fn new(
        models_dir: &Path,
        endpoint: &str,
        token: Option<&str>,
        repository: Repository,
    ) -> Result<Self, Error> {
        let patience = Patience::LONG;
        let id = ModelId::parse(&repository.id)?;
        let endpoint = check_endpoint(endpoint)?;
        let client = Client::of_hub(&endpoint, id.as_str(), token, patience)?;
        let models_dir = models_dir.to_owned();
        let free = disk::free_bytes;
        Ok(Self { id, models_dir, endpoint, repository, client, patience, free })
    }

    /// Fetches what is missing, until `stop` says so: it is asked before every read, so that it
    /// takes effect at once unless the server is silent (then after 30 seconds at most).
    /// `progress` is told the bytes of all files together, often.
    ///
    /// # Errors
    /// [`Error::NoSpace`] before anything is fetched; [`Error::Gated`], [`Error::BadToken`],
    /// [`Error::NoModel`]; [`Error::Network`] when the connection breaks again and again;
    /// [`Error::WrongContent`] when a file is not the one that it should be;
    /// [`Error::NotFound`], [`Error::BadAnswer`]; [`Error::Project`] (`project.locked`) when it
    /// is being fetched already; [`Error::Io`]. After an error, too, what is there is kept.
    pub fn run(
        &self,
        stop: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Outcome, Error> {
        let whole = self.id.folder(&self.models_dir);
        if whole.is_dir() {
            return Ok(Outcome::Complete(to_open(whole)));
        }
        let begun = self.id.incomplete_folder(&self.models_dir);
        fs::create_dir_all(&begun).map_err(Error::io("create", &begun))?;
        let lock = FolderLock::acquire(&begun)?;
        if whole.is_dir() {
            // Another process has just ended.
            return Ok(Outcome::Complete(to_open(whole)));
        }
        self.tidy(&begun)?;
        let there: u64 =
            self.repository.files.iter().map(|file| size_there(&begun, &file.path)).sum();
        let total = self.repository.bytes();
        self.check_space(&begun, total.saturating_sub(there))?;
        let record = begun.join(RECORD);
        write_json(&record, &Record::of(&self.repository)).map_err(Error::io("write", &record))?;
        progress(Progress::Fetched { bytes: there, total });
        if self.fetch(&begun, total, stop, progress)? == Fetched::Stopped {
            return Ok(Outcome::Paused);
        }
        name_finally(&begun, &whole, lock)?;
        Ok(Outcome::Complete(to_open(whole)))
    }

    /// Leaves only what is right or may become right: files that were checked, and parts of
    /// files that are still the same.
    fn tidy(&self, begun: &Path) -> Result<(), Error> {
        let record = Record::read(begun);
        let mut keep = vec![PathBuf::from(LOCK), PathBuf::from(RECORD)];
        let same = |file: &&crate::RemoteFile| record.as_ref().is_some_and(|it| it.holds(file));
        for file in self.repository.files.iter().filter(same) {
            let path = begun.join(&file.path);
            if fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() == file.size) {
                keep.push(PathBuf::from(&file.path));
            } else {
                keep.push(part_of(Path::new(&file.path)));
            }
        }
        for entry in fs::read_dir(begun).map_err(Error::io("read", begun))? {
            let entry = entry.map_err(Error::io("read", begun))?;
            if keep.iter().any(|name| *name == entry.file_name()) {
                continue;
            }
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed =
                if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(Error::io("remove", &path))?;
        }
        Ok(())
    }

    fn check_space(&self, begun: &Path, missing: u64) -> Result<(), Error> {
        let needed = missing.saturating_add(SPARE);
        match (self.free)(begun) {
            Some(free) if missing > 0 && free < needed => {
                Err(Error::NoSpace { path: self.models_dir.clone(), needed, free })
            }
            _ => Ok(()),
        }
    }

    fn fetch(
        &self,
        begun: &Path,
        total: u64,
        stop: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fetched, Error> {
        let fetcher = Fetcher::with(self.client.clone(), self.patience);
        let mut done = 0u64;
        for file in &self.repository.files {
            let to = begun.join(&file.path);
            if !to.is_file() {
                let mut told = |step| match step {
                    Progress::Fetched { bytes, .. } => {
                        // A server that sends too much is told off afterwards.
                        let bytes = done + bytes.min(file.size);
                        progress(Progress::Fetched { bytes, total });
                    }
                    other => progress(other),
                };
                let url = self.url(&file.path);
                let expected = file.expected();
                if fetcher.fetch_until(&url, &to, expected, stop, &mut told)? == Fetched::Stopped {
                    return Ok(Fetched::Stopped);
                }
            }
            done += file.size;
        }
        Ok(Fetched::Whole)
    }

    fn url(&self, file: &str) -> String {
        let (id, revision) = (self.id.as_str(), &self.repository.revision);
        format!("{}/{id}/resolve/{revision}/{}", self.endpoint, percent_encoded(file))
    }
}

/// Gives the folder its final name.
fn name_finally(begun: &Path, whole: &Path, lock: FolderLock) -> Result<(), Error> {
    sync_folder(begun)?;
    // A folder with an open file in it cannot be renamed everywhere.
    drop(lock);
    remove_if_there(&begun.join(LOCK))?;
    match fs::rename(begun, whole) {
        // Another process was as quick.
        Err(_) if whole.is_dir() && !begun.is_dir() => Ok(()),
        renamed => renamed.map_err(Error::io("write", whole)),
    }?;
    whole.parent().map_or(Ok(()), sync_folder)
}

/// So that a name outlives a loss of power; Windows has no such call.
fn sync_folder(folder: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        let synced = fs::File::open(folder).and_then(|it| it.sync_all());
        synced.map_err(Error::io("write", folder))?;
    }
    Ok(())
}

/// A file's name as a part of an address.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests;
