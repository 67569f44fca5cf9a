//! Handing a trained model to the world: targets, one file or folder each, one line in
//! [`TARGETS`].
//!
//! An export is written under a temporary name and read back with the product's own reader; its
//! logits are compared with the trained model's. Only when they agree does it get its name, so
//! what stands at the destination is whole and answers as the model did. Adapters are merged one
//! matrix at a time and the read-back holds one layer at a time: neither needs a second model in
//! memory.

mod card;
mod difference;
mod error;
mod job;
mod options;
mod parity;
mod reread;
mod source;
mod targets;
mod tokenizer_files;

use std::collections::BTreeMap;
use std::path::Path;

use sanbao_project::write_folder_atomic;
use serde_json::Value;

pub use error::Error;
use job::{Job, Meter};
pub use job::{Progress, Stage};
use options::Options;
pub use parity::Parity;
use source::MergedWeights;
pub use source::{CardFacts, Source};
pub use targets::{TARGETS, Target, target};

/// A finished export.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Files, relative to the destination, in order of names.
    pub files: Vec<String>,
    /// Bytes of all files together.
    pub bytes: u64,
    /// How close the export is to the trained model.
    pub parity: Parity,
    /// What a person should know, plain sentences.
    pub notes: Vec<String>,
}

/// Exports a trained model into the new folder `out_dir`.
///
/// `options` are values of the target's own [`Target::options`]; what is left out takes its
/// default. `progress` is called after every tensor.
///
/// # Errors
/// When an option is wrong, `out_dir` holds something, the format cannot hold this model, the
/// disk refuses, or the export does not read back as the trained model. Nothing is left then.
pub fn export(
    target: &Target,
    source: &Source,
    out_dir: &Path,
    options: &BTreeMap<String, Value>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Exported, Error> {
    export_watched(target, source, out_dir, options, progress, &|_| ())
}

/// As [`export`]; `written` sees the folder between writing and reading back.
fn export_watched(
    target: &Target,
    source: &Source,
    out_dir: &Path,
    options: &BTreeMap<String, Value>,
    progress: &mut dyn FnMut(Progress),
    written: &dyn Fn(&Path),
) -> Result<Exported, Error> {
    let options = Options::resolve(target, options)?;
    let occupied = || Error::Occupied { path: out_dir.to_path_buf() };
    if out_dir.exists() && !is_empty_folder(out_dir) {
        return Err(occupied());
    }
    if let Some(parent) = out_dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
    }
    if source.scores() && !target.holds_scores() {
        let fitting: Vec<&str> = TARGETS
            .iter()
            .filter(|target| target.holds_scores())
            .map(|target| target.name)
            .collect();
        return Err(Error::NotRepresentable {
            format: target.title.en,
            reason: format!(
                "a reward model gives scores and writes no texts; choose {}",
                fitting.join(" or ")
            ),
        });
    }
    let job = Job {
        source,
        options,
        weights: MergedWeights::new(source.model),
        meter: Meter::new(source.model.spec.parameters(), progress),
    };
    let mut exported = None;
    write_folder_atomic::<Failure>(out_dir, |folder| {
        exported = Some(fill(&job, target, folder, written)?);
        Ok(())
    })
    .map_err(|failure| match failure {
        Failure::Export(error) => error,
        Failure::Folder(source) => Error::Io { path: out_dir.to_path_buf(), source },
    })?;
    exported.ok_or_else(occupied)
}

/// Writes, reads back, compares, and describes an export in `folder`.
fn fill(
    job: &Job,
    target: &Target,
    folder: &Path,
    written: &dyn Fn(&Path),
) -> Result<Exported, Error> {
    job.meter.begin(Stage::Writing);
    let made = (target.write)(job, folder)?;
    written(folder);
    job.meter.begin(Stage::ReadingBack);
    let parity = parity::check(job, &made)?;
    card::write(target, job, &made, &parity, folder)?;
    let (files, bytes) = list(folder)?;
    Ok(Exported { files, bytes, parity, notes: made.notes })
}

/// What can fail inside the folder, and around it.
enum Failure {
    Export(Error),
    Folder(std::io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Export(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(source: std::io::Error) -> Self {
        Self::Folder(source)
    }
}

fn is_empty_folder(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// Names and total size of the files of a flat folder.
fn list(folder: &Path) -> Result<(Vec<String>, u64), Error> {
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let entry = entry.map_err(Error::io(folder))?;
        files.push(entry.file_name().to_string_lossy().into_owned());
        bytes += entry.metadata().map_err(Error::io(&entry.path()))?.len();
    }
    files.sort_unstable();
    Ok((files, bytes))
}

#[cfg(test)]
mod tests;
