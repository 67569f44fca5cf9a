//! What an artefact was made from; written last, so that an artefact with a manifest is whole.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, write_json};

/// The newest manifest format that this version reads, and the one that it writes.
pub const MANIFEST_FORMAT: u32 = 1;

/// What an artefact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format of this file.
    pub format: u32,
    /// Which stage made the artefact: `prepare`, `train`, `evaluate`, `export`.
    pub stage: String,
    /// When.
    pub created: Timestamp,
    /// Hash (64 hexadecimal digits) of each input, by a name that says what it is:
    /// `data`, `model`, `prepared`.
    pub inputs: BTreeMap<String, String>,
    /// The settings that the stage ran with.
    pub settings: Value,
    /// Seed of every random choice.
    pub seed: u64,
    /// Version of each program that had a part in it.
    pub versions: BTreeMap<String, String>,
}

impl Manifest {
    /// A manifest of now and of this version, without inputs.
    pub fn new(stage: &str, settings: Value, seed: u64) -> Self {
        let versions = [("sanbao".to_owned(), env!("CARGO_PKG_VERSION").to_owned())];
        Self {
            format: MANIFEST_FORMAT,
            stage: stage.to_owned(),
            created: Timestamp::now(),
            inputs: BTreeMap::new(),
            settings,
            seed,
            versions: versions.into(),
        }
    }

    /// Adds an input.
    #[must_use]
    pub fn with_input(mut self, name: &str, hash: impl Into<String>) -> Self {
        self.inputs.insert(name.to_owned(), hash.into());
        self
    }

    /// Adds the version of a program that had a part in it.
    #[must_use]
    pub fn with_version(mut self, program: &str, version: impl Into<String>) -> Self {
        self.versions.insert(program.to_owned(), version.into());
        self
    }

    /// Names of the inputs that differ from `inputs`, are missing there, or are new there.
    /// Empty when the artefact could be made again from exactly these inputs.
    pub fn changed_inputs<'a>(&'a self, inputs: &'a BTreeMap<String, String>) -> Vec<&'a str> {
        let mut changed: Vec<&str> = self
            .inputs
            .iter()
            .filter(|(name, hash)| inputs.get(*name) != Some(hash))
            .map(|(name, _)| name.as_str())
            .chain(
                inputs.keys().filter(|name| !self.inputs.contains_key(*name)).map(String::as_str),
            )
            .collect();
        changed.sort_unstable();
        changed
    }

    /// Writes the manifest atomically. Call it when everything else is on the disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        write_json(path, self).map_err(Error::io("write", path))
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::BadJson`]; [`Error::NewerFormat`] for one of a later version.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let value: Value = read_json(path)?;
        check_format(path, &value, MANIFEST_FORMAT)?;
        serde_json::from_value(value).map_err(Error::json(path))
    }
}

/// Reads a JSON file.
///
/// # Errors
/// [`Error::Io`], [`Error::BadJson`] with the line and column.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(Error::json(path))
}

/// Looks at `format` before anything else, since a later format may differ in all the rest.
pub(crate) fn check_format(path: &Path, value: &Value, known: u32) -> Result<(), Error> {
    let found = value.get("format").and_then(Value::as_u64);
    match found.map(|format| u32::try_from(format).unwrap_or(u32::MAX)) {
        Some(found) if found > known => {
            Err(Error::NewerFormat { path: path.to_owned(), found, known })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use serde_json::json;

    use super::*;

    fn example() -> Manifest {
        Manifest::new("train", json!({"recipe": "lora", "learning_rate": 2e-4}), 42)
            .with_input("data", "aa")
            .with_input("model", "bb")
            .with_version("burn", "0.22.1")
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        let manifest = example();
        manifest.write(&path).unwrap();
        assert_eq!(Manifest::read(&path).unwrap(), manifest);
        assert_eq!(manifest.versions["sanbao"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn changed_inputs_are_named() {
        let inputs = |list: &[(&str, &str)]| {
            list.iter().map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned())).collect()
        };
        let manifest = example();
        assert!(manifest.changed_inputs(&inputs(&[("data", "aa"), ("model", "bb")])).is_empty());
        assert_eq!(
            manifest.changed_inputs(&inputs(&[("data", "cc"), ("extra", "dd")])),
            ["data", "extra", "model"]
        );
    }

    #[test]
    fn a_manifest_of_the_future_and_a_broken_one_are_refused_with_one_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.json");
        fs::write(&path, r#"{"format": 2, "everything": "else"}"#).unwrap();
        assert_eq!(Manifest::read(&path).unwrap_err().code(), "project.newer_format");
        fs::write(&path, "{\n  \"format\": 1,").unwrap();
        let error = Manifest::read(&path).unwrap_err();
        assert_eq!(error.code(), "project.bad_json");
        assert!(error.to_string().contains("line 2"), "{error}");
        fs::write(&path, r#"{"format": 1}"#).unwrap();
        let error = Manifest::read(&path).unwrap_err();
        assert!(error.to_string().contains("stage"), "{error}");
    }
}
