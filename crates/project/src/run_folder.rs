//! The folder of one run: who reads what, where.
//!
//! ```text
//! run.json                 what makes a folder a run; written first
//! plan.json                what was going to be done
//! prepared/                examples as tokens
//! checkpoints/step-000123/ everything needed to go on from step 123
//! checkpoints/best, last   the name of a checkpoint
//! epochs/epoch-0001/       the model after each epoch
//! metrics.jsonl            one line for each step
//! verdict.json             before and after
//! report.html              the same for people
//! doctor.json              what is to be thought of a reward model
//! export/                  what the person takes away
//! manifest.json            what it was made from; written last
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manifest::check_format;
use crate::{Error, FolderLock, read_json, sweep_leftovers, write_atomic, write_json};

/// The newest run format that this version reads, and the one that it writes.
pub const RUN_FORMAT: u32 = 1;

pub(crate) const MARKER: &str = "run.json";
const FOLDERS: [&str; 4] = ["prepared", "checkpoints", "epochs", "export"];

#[derive(Serialize, Deserialize)]
struct Marker {
    format: u32,
    created: Timestamp,
}

/// A checkpoint with a name of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// The one with the lowest validation loss.
    Best,
    /// The newest.
    Last,
}

impl Pointer {
    fn name(self) -> &'static str {
        match self {
            Self::Best => "best",
            Self::Last => "last",
        }
    }
}

/// The folder of one run.
#[derive(Debug)]
pub struct RunFolder {
    root: PathBuf,
    lock: Option<FolderLock>,
}

impl RunFolder {
    /// Makes a new run in a folder that does not exist or is empty, and locks it.
    ///
    /// # Errors
    /// [`Error::RunExists`], [`Error::NotEmpty`], [`Error::Locked`], [`Error::Io`].
    pub fn create(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(Error::io("create", root))?;
        refuse_occupied(root)?;
        let lock = FolderLock::acquire(root)?;
        // Another process may have been quicker between the look and the lock.
        refuse_occupied(root)?;
        for name in FOLDERS {
            let path = root.join(name);
            fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
        }
        let path = root.join(MARKER);
        write_json(&path, &Marker { format: RUN_FORMAT, created: Timestamp::now() })
            .map_err(Error::io("write", &path))?;
        Ok(Self { root: root.to_owned(), lock: Some(lock) })
    }

    /// Opens a run to go on with it: locks it and sweeps away what a killed process left
    /// unfinished.
    ///
    /// # Errors
    /// [`Error::NotARun`], [`Error::NewerFormat`], [`Error::Locked`], [`Error::Io`].
    pub fn open(root: &Path) -> Result<Self, Error> {
        check_marker(root)?;
        let lock = FolderLock::acquire(root)?;
        sweep_leftovers(root).map_err(Error::io("clean up", root))?;
        for name in FOLDERS {
            let path = root.join(name);
            fs::create_dir_all(&path).map_err(Error::io("create", &path))?;
            sweep_leftovers(&path).map_err(Error::io("clean up", &path))?;
        }
        Ok(Self { root: root.to_owned(), lock: Some(lock) })
    }

    /// Opens a run to look at, also while another process works on it. Changes nothing.
    ///
    /// # Errors
    /// [`Error::NotARun`], [`Error::NewerFormat`], [`Error::Io`].
    pub fn look(root: &Path) -> Result<Self, Error> {
        check_marker(root)?;
        Ok(Self { root: root.to_owned(), lock: None })
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether this holds the lock: true after [`Self::create`] and [`Self::open`].
    pub fn is_locked(&self) -> bool {
        self.lock.is_some()
    }

    /// What the run was made from; there only when the run is done.
    pub fn manifest_path(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// What was going to be done.
    pub fn plan_path(&self) -> PathBuf {
        self.root.join("plan.json")
    }

    /// Examples as tokens.
    pub fn prepared(&self) -> PathBuf {
        self.root.join("prepared")
    }

    /// Where the checkpoints are.
    pub fn checkpoints(&self) -> PathBuf {
        self.root.join("checkpoints")
    }

    /// The checkpoint after an optimizer step (from 1; 0 is the untuned model). Write it with
    /// [`crate::write_folder_atomic`].
    pub fn checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(checkpoint_name(step))
    }

    /// Where the models after each epoch are.
    pub fn epochs(&self) -> PathBuf {
        self.root.join("epochs")
    }

    /// The model after an epoch (from 1).
    pub fn epoch(&self, epoch: u64) -> PathBuf {
        self.epochs().join(format!("epoch-{epoch:04}"))
    }

    /// One line for each step; see [`crate::MetricsLog`].
    pub fn metrics_path(&self) -> PathBuf {
        self.root.join("metrics.jsonl")
    }

    /// Before and after.
    pub fn verdict_path(&self) -> PathBuf {
        self.root.join("verdict.json")
    }

    /// Before and after, for people.
    pub fn report_path(&self) -> PathBuf {
        self.root.join("report.html")
    }

    /// What is to be thought of a reward model.
    pub fn doctor_path(&self) -> PathBuf {
        self.root.join("doctor.json")
    }

    /// What the person takes away.
    pub fn export(&self) -> PathBuf {
        self.root.join("export")
    }

    /// Steps of the checkpoints that are there, ascending.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn checkpoint_steps(&self) -> Result<Vec<u64>, Error> {
        let folder = self.checkpoints();
        let mut steps = Vec::new();
        for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))? {
            let entry = entry.map_err(Error::io("read", &folder))?;
            if let Some(step) = entry.file_name().to_str().and_then(checkpoint_step) {
                steps.push(step);
            }
        }
        steps.sort_unstable();
        Ok(steps)
    }

    /// Makes `best` or `last` name the checkpoint of `step`, which must be there.
    ///
    /// # Errors
    /// [`Error::BrokenPointer`] when there is no such checkpoint; [`Error::Io`].
    pub fn point(&self, pointer: Pointer, step: u64) -> Result<(), Error> {
        let path = self.checkpoints().join(pointer.name());
        if !self.checkpoint(step).is_dir() {
            return Err(Error::BrokenPointer { path, target: checkpoint_name(step) });
        }
        let line = checkpoint_name(step) + "\n";
        write_atomic(&path, |file| std::io::Write::write_all(file, line.as_bytes()))
            .map_err(Error::io("write", &path))
    }

    /// The step that `best` or `last` names; `None` before it was first set.
    ///
    /// # Errors
    /// [`Error::BrokenPointer`] when what it names is not there; [`Error::Io`].
    pub fn pointed(&self, pointer: Pointer) -> Result<Option<u64>, Error> {
        let path = self.checkpoints().join(pointer.name());
        let text = match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(Error::io("read", &path))?,
        };
        let target = String::from_utf8_lossy(&text).trim().to_owned();
        match checkpoint_step(&target) {
            Some(step) if self.checkpoint(step).is_dir() => Ok(Some(step)),
            _ => Err(Error::BrokenPointer { path, target }),
        }
    }

    /// Removes every checkpoint but the ones that `best` and `last` name. Returns the steps of
    /// those removed.
    ///
    /// # Errors
    /// [`Error::BrokenPointer`], before anything is removed; [`Error::Io`].
    pub fn prune_checkpoints(&self) -> Result<Vec<u64>, Error> {
        let keep = [self.pointed(Pointer::Best)?, self.pointed(Pointer::Last)?];
        let mut removed = Vec::new();
        for step in self.checkpoint_steps()? {
            if !keep.contains(&Some(step)) {
                let path = self.checkpoint(step);
                fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
                removed.push(step);
            }
        }
        Ok(removed)
    }
}

fn checkpoint_name(step: u64) -> String {
    format!("step-{step:06}")
}

/// The step of a checkpoint's name; `None` for any other name, also one that is not written
/// as [`checkpoint_name`] would.
fn checkpoint_step(name: &str) -> Option<u64> {
    let step = name.strip_prefix("step-")?.parse().ok()?;
    (checkpoint_name(step) == name).then_some(step)
}

fn check_marker(root: &Path) -> Result<(), Error> {
    let path = root.join(MARKER);
    if !path.is_file() {
        return Err(Error::NotARun { path: root.to_owned() });
    }
    let value: Value = read_json(&path)?;
    check_format(&path, &value, RUN_FORMAT)?;
    serde_json::from_value::<Marker>(value).map_err(Error::json(&path)).map(|_| ())
}

/// A lock file alone, or what a `create` that was killed made before the marker, is no hindrance.
fn refuse_occupied(root: &Path) -> Result<(), Error> {
    if root.join(MARKER).exists() {
        return Err(Error::RunExists { path: root.to_owned() });
    }
    for entry in fs::read_dir(root).map_err(Error::io("read", root))? {
        let entry = entry.map_err(Error::io("read", root))?;
        let name = entry.file_name();
        let ours = name == ".lock"
            || crate::atomic::is_leftover(&name)
            || (FOLDERS.iter().any(|folder| name == *folder) && is_empty(&entry.path()));
        if !ours {
            return Err(Error::NotEmpty { path: root.to_owned() });
        }
    }
    Ok(())
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn new_run() -> (tempfile::TempDir, RunFolder) {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::create(&folder.path().join("deep").join("run")).unwrap();
        (folder, run)
    }

    #[test]
    fn a_run_is_made_once_and_worked_on_by_one() {
        let (_folder, run) = new_run();
        let root = run.root().to_owned();
        assert_eq!(RunFolder::create(&root).unwrap_err().code(), "project.run_exists");
        assert_eq!(RunFolder::open(&root).unwrap_err().code(), "project.locked");
        assert!(!RunFolder::look(&root).unwrap().is_locked());
        drop(run);
        assert!(RunFolder::open(&root).unwrap().is_locked());
    }

    #[test]
    fn folders_of_something_else_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.docx"), "years of work").unwrap();
        assert_eq!(RunFolder::create(folder.path()).unwrap_err().code(), "project.not_empty");
        assert_eq!(RunFolder::open(folder.path()).unwrap_err().code(), "project.not_a_run");
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(names.len(), 1);
    }

    #[test]
    fn a_creation_that_was_killed_can_be_repeated() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".lock"), "1\n").unwrap();
        fs::create_dir(folder.path().join("prepared")).unwrap();
        RunFolder::create(folder.path()).unwrap();
    }

    #[test]
    fn opening_sweeps_what_a_killed_process_left() {
        let (_folder, run) = new_run();
        let root = run.root().to_owned();
        let leftover = run.checkpoints().join(".step-000002.abc.unfinished");
        fs::create_dir(&leftover).unwrap();
        drop(run);
        RunFolder::look(&root).unwrap();
        assert!(leftover.exists());
        let run = RunFolder::open(&root).unwrap();
        assert!(!leftover.exists());
        assert!(run.checkpoint_steps().unwrap().is_empty());
    }

    #[test]
    fn pointers_name_checkpoints_that_are_there_and_pruning_keeps_those() {
        let (_folder, run) = new_run();
        assert_eq!(run.pointed(Pointer::Last).unwrap(), None);
        assert_eq!(run.point(Pointer::Last, 1).unwrap_err().code(), "project.broken_pointer");
        for step in [10, 2, 1_000_000] {
            crate::write_folder_atomic::<std::io::Error>(&run.checkpoint(step), |inside| {
                fs::write(inside.join("weights"), "w")
            })
            .unwrap();
        }
        assert_eq!(run.checkpoint_steps().unwrap(), [2, 10, 1_000_000]);
        run.point(Pointer::Best, 2).unwrap();
        run.point(Pointer::Last, 1_000_000).unwrap();
        assert_eq!(run.prune_checkpoints().unwrap(), [10]);
        assert_eq!(run.pointed(Pointer::Best).unwrap(), Some(2));
        assert_eq!(run.pointed(Pointer::Last).unwrap(), Some(1_000_000));

        fs::remove_dir_all(run.checkpoint(2)).unwrap();
        let error = run.pointed(Pointer::Best).unwrap_err();
        assert_eq!(error.code(), "project.broken_pointer");
        assert!(error.to_string().contains("step-000002"), "{error}");
        assert!(run.prune_checkpoints().is_err());
        assert_eq!(run.checkpoint_steps().unwrap(), [1_000_000]);
    }

    #[test]
    fn a_pointer_cannot_lead_out_of_the_run() {
        let (_folder, run) = new_run();
        for text in ["../../elsewhere", "step-1", "step-+00001", "", "step-000001/../.."] {
            fs::write(run.checkpoints().join("last"), text).unwrap();
            let error = run.pointed(Pointer::Last).unwrap_err();
            assert_eq!(error.code(), "project.broken_pointer", "{text}");
        }
    }

    #[test]
    fn a_run_of_the_future_is_refused() {
        let (_folder, run) = new_run();
        fs::write(run.root().join(MARKER), r#"{"format": 7}"#).unwrap();
        assert_eq!(RunFolder::look(run.root()).unwrap_err().code(), "project.newer_format");
    }
}
