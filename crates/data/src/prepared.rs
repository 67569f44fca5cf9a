//! A prepared folder, opened for training and evaluation.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use sanbao_contract::data::{DataReport, Example, Part};
use sanbao_project::{Manifest, hash_file, read_json};
use serde_json::Value;

use crate::error::Error;
use crate::prepare::{LISTED, MARGINS, PrepareOptions};
use crate::store::TokenStore;

/// What [`crate::prepare()`] wrote, checked and mapped into memory.
#[derive(Debug)]
pub struct Prepared {
    folder: PathBuf,
    manifest: Manifest,
    margins: BTreeMap<String, Vec<f64>>,
    options: PrepareOptions,
    report: DataReport,
    parts: [TokenStore; 3],
}

impl Prepared {
    /// Opens a prepared folder; every file's hash is checked.
    ///
    /// # Errors
    /// [`Error::Read`] when a file is missing, [`Error::Corrupt`] when one is damaged or not of
    /// this folder, [`Error::Version`] for another version's.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let manifest_path = folder.join("manifest.json");
        let manifest =
            Manifest::read(&manifest_path).map_err(|error| unreadable(&manifest_path, error))?;
        let not_ours = || Error::Corrupt {
            path: manifest_path.clone(),
            problem: "it does not describe prepared data".into(),
        };
        let options = manifest.settings.get("options").cloned().unwrap_or(Value::Null);
        let options: PrepareOptions = serde_json::from_value(options).map_err(|_| not_ours())?;
        if manifest.stage != "prepare" {
            return Err(not_ours());
        }
        let listed = |name: &str| {
            manifest.settings.pointer(&format!("/files/{name}")).and_then(Value::as_str)
        };
        let margins = Some(&MARGINS).filter(|name| listed(name).is_some());
        for name in LISTED.iter().chain(margins) {
            let path = folder.join(name);
            let listed = listed(name).ok_or_else(not_ours)?;
            if hash_file(&path).map_err(|error| unreadable(&path, error))? != listed {
                return Err(Error::Corrupt {
                    path,
                    problem: "it is not the file that the manifest lists".into(),
                });
            }
        }
        let report_path = folder.join("report.json");
        let report = read_json(&report_path).map_err(|error| unreadable(&report_path, error))?;
        let [train, validation, test] =
            Part::ALL.map(|part| TokenStore::open(&folder.join(format!("{}.tokens", part.name()))));
        let margins = match margins {
            Some(name) => {
                let path = folder.join(name);
                read_json(&path).map_err(|error| unreadable(&path, error))?
            }
            None => BTreeMap::new(),
        };
        Ok(Self {
            folder: folder.to_owned(),
            margins,
            manifest,
            options,
            report,
            parts: [train?, validation?, test?],
        })
    }

    /// The sequences of a part.
    pub fn part(&self, part: Part) -> &TokenStore {
        &self.parts[part as usize]
    }

    /// The rows of a held-out part: the *i*-th is in the *i*-th sequence.
    ///
    /// # Errors
    /// [`Error::NoExamples`] for the training part, whose rows are only in the source;
    /// [`Error::Read`], [`Error::Corrupt`].
    pub fn examples(&self, part: Part) -> Result<Vec<Example>, Error> {
        if part == Part::Train {
            return Err(Error::NoExamples);
        }
        let path = self.folder.join(format!("{}.jsonl", part.name()));
        let text = fs::read_to_string(&path)
            .map_err(|source| Error::Read { path: path.clone(), source })?;
        text.lines()
            .enumerate()
            .map(|(at, line)| {
                serde_json::from_str(line).map_err(|error| Error::Corrupt {
                    path: path.clone(),
                    problem: format!("line {}: {error}", at + 1),
                })
            })
            .collect()
    }

    /// By how much the chosen answer of each pair is better; empty when no row says so.
    pub fn margins(&self, part: Part) -> &[f64] {
        self.margins.get(part.name()).map_or(&[], Vec::as_slice)
    }

    /// The report.
    pub fn report(&self) -> &DataReport {
        &self.report
    }

    /// The labels of the run, most frequent first; empty unless the task is classify.
    pub fn labels(&self) -> Vec<String> {
        self.report.labels.iter().map(|(label, _)| label.clone()).collect()
    }

    /// The options it was made with.
    pub fn options(&self) -> &PrepareOptions {
        &self.options
    }

    /// The manifest: inputs by hash, among them `tokenizer` ([`crate::tokenizer_hash`]).
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

fn unreadable(path: &Path, error: sanbao_project::Error) -> Error {
    match error {
        sanbao_project::Error::Io { path, source, .. } => Error::Read { path, source },
        sanbao_project::Error::NewerFormat { found, known, .. } => {
            Error::Version { path: path.to_owned(), found, expected: known }
        }
        other => Error::Corrupt { path: path.to_owned(), problem: other.to_string() },
    }
}
