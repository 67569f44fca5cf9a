//! What can go wrong with files.

use std::io;
use std::path::{Path, PathBuf};

use sanbao_contract::Fault;

/// What can go wrong with files. Each sentence says what is wrong, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused.
    #[error("Could not {action} '{}': {source}.", path.display())]
    Io {
        /// A verb: `read`, `write`, `create`, `rename`.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A JSON file does not hold what it should.
    #[error("'{}' cannot be understood (line {line}, column {column}: {reason}); it was changed by hand or belongs to another program.", path.display())]
    BadJson {
        /// Where.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What the parser found.
        reason: String,
    },
    /// Written by a later version.
    #[error("'{}' was written by a newer version of Sanbao (format {found}, this version knows {known}); update Sanbao to open it.", path.display())]
    NewerFormat {
        /// Where.
        path: PathBuf,
        /// Format found.
        found: u32,
        /// Newest format known.
        known: u32,
    },
    /// Another process works in the folder.
    #[error("'{}' is in use by another Sanbao process{}; wait until it ends, or stop it.", path.display(), owner.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Locked {
        /// The folder.
        path: PathBuf,
        /// Process id of the owner, where it can be read.
        owner: Option<u32>,
    },
    /// The folder is no run.
    #[error("'{}' is not the folder of a run: it has no {}; give the folder that a run was written to.", path.display(), crate::run_folder::MARKER)]
    NotARun {
        /// The folder.
        path: PathBuf,
    },
    /// A run would be mixed with files of something else.
    #[error("'{}' already holds other files; choose a new or empty folder for the run.", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A run is there already.
    #[error("'{}' already holds a run; resume it, or choose another folder.", path.display())]
    RunExists {
        /// The folder.
        path: PathBuf,
    },
    /// `checkpoints/best` or `checkpoints/last` names a checkpoint that is gone.
    #[error("'{}' names the checkpoint '{target}', which is missing or not the name of a checkpoint; put it back, or delete the pointer to start over.", path.display())]
    BrokenPointer {
        /// The pointer file.
        path: PathBuf,
        /// What it says.
        target: String,
    },
    /// A metric cannot be written as JSON.
    #[error("The metric '{name}' of step {step} is {value}, which is not a finite number; it was not written to '{}'.", path.display())]
    NotFinite {
        /// The metrics file.
        path: PathBuf,
        /// Field name.
        name: &'static str,
        /// Optimizer step.
        step: u64,
        /// The value.
        value: f64,
    },
    /// The machine has no home folder for this user.
    #[error(
        "No folder for application data is known for this user; set SANBAO_HOME to a folder where Sanbao may keep its files."
    )]
    NoHome,
}

impl Error {
    /// Stable code, `project.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "project.io",
            Self::BadJson { .. } => "project.bad_json",
            Self::NewerFormat { .. } => "project.newer_format",
            Self::Locked { .. } => "project.locked",
            Self::NotARun { .. } => "project.not_a_run",
            Self::NotEmpty { .. } => "project.not_empty",
            Self::RunExists { .. } => "project.run_exists",
            Self::BrokenPointer { .. } => "project.broken_pointer",
            Self::NotFinite { .. } => "project.not_finite",
            Self::NoHome => "project.no_home",
        }
    }

    /// For `map_err`: says what was being done, and to what.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// For `map_err` on reading JSON.
    pub(crate) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::BadJson {
            path,
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::BadJson { path, .. }
            | Self::NewerFormat { path, .. }
            | Self::Locked { path, .. }
            | Self::NotARun { path }
            | Self::NotEmpty { path }
            | Self::RunExists { path }
            | Self::BrokenPointer { path, .. }
            | Self::NotFinite { path, .. } => Some(path),
            Self::NoHome => None,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Fault::new(error.code(), error.to_string());
        match error.path() {
            Some(path) => fault.with("path", path.display()),
            None => fault,
        }
    }
}
