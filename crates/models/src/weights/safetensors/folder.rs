//! The weights of a Hugging Face model folder: one safetensors file, or several with an index.

use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use indexmap::{IndexMap, IndexSet};
use serde::Deserialize;

use super::SafetensorsFile;
use crate::weights::mapped::MappedFile;
use crate::weights::stored::TensorInfo;
use crate::weights::{Error, WeightSource};

pub(super) const SINGLE: &str = "model.safetensors";
pub(super) const INDEX: &str = "model.safetensors.index.json";
/// An index of a hundred thousand tensors has about 10 MB.
const LARGEST_INDEX: usize = 64 << 20;

/// The weights of a Hugging Face model folder.
#[derive(Debug)]
pub struct ModelFolder {
    folder: PathBuf,
    files: Vec<SafetensorsFile>,
    /// Which file each tensor is in, in the order of the files.
    tensors: IndexMap<String, usize>,
}

impl ModelFolder {
    /// Opens `model.safetensors` in `folder`, or the files that `model.safetensors.index.json`
    /// names; the weights are mapped, not read.
    ///
    /// # Errors
    /// When there is neither, the index names files outside the folder or tensors that its
    /// files do not hold, a file is missing, or a file is damaged (see [`SafetensorsFile`]).
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let single = folder.join(SINGLE);
        if single.is_file() {
            let file = SafetensorsFile::open(&single)?;
            let tensors = file.names().into_iter().map(|name| (name.to_owned(), 0)).collect();
            return Ok(Self { folder: folder.to_owned(), files: vec![file], tensors });
        }
        let index = folder.join(INDEX);
        if index.is_file() {
            return Self::open_sharded(folder, &index);
        }
        Err(Error::NoWeights { folder: folder.to_owned(), hint: hint(folder) })
    }

    fn open_sharded(folder: &Path, index: &Path) -> Result<Self, Error> {
        let weight_map = read_index(index)?;
        let wrong = |reason: String| Error::Index { path: index.to_owned(), reason };
        let names: IndexSet<&str> = weight_map.values().map(String::as_str).collect();
        let mut files = Vec::with_capacity(names.len());
        for name in &names {
            if !is_plain_name(name) {
                return Err(wrong(format!(
                    "it names the file {name:?}, and only .safetensors files in the same folder are opened"
                )));
            }
            let path = folder.join(name);
            if !path.is_file() {
                return Err(Error::MissingShard { shard: path, shards: names.len() });
            }
            files.push(SafetensorsFile::open(&path)?);
        }

        for (tensor, file) in &weight_map {
            let there = names
                .get_index_of(file.as_str())
                .is_some_and(|place| files[place].info(tensor).is_some());
            if !there {
                return Err(wrong(format!(
                    "it says that {file:?} holds the tensor {tensor:?}, which it does not; download the model again"
                )));
            }
        }
        let mut tensors = IndexMap::with_capacity(weight_map.len());
        for (place, (file, shard)) in files.iter().zip(&names).enumerate() {
            let mapped_here =
                |tensor: &&str| weight_map.get(*tensor).is_some_and(|file| file == shard);
            tensors.extend(
                file.names()
                    .into_iter()
                    .filter(mapped_here)
                    .map(|tensor| (tensor.to_owned(), place)),
            );
        }
        Ok(Self { folder: folder.to_owned(), files, tensors })
    }

    fn file_of(&self, name: &str) -> Result<&SafetensorsFile, Error> {
        self.tensors
            .get(name)
            .map(|place| &self.files[*place])
            .ok_or_else(|| Error::NoTensor { path: self.folder.clone(), tensor: name.to_owned() })
    }
}

impl WeightSource for ModelFolder {
    fn path(&self) -> &Path {
        &self.folder
    }

    fn file_bytes(&self) -> u64 {
        self.files.iter().map(SafetensorsFile::file_bytes).sum()
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.file_of(name).ok()?.info(name)
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Error> {
        self.file_of(name)?.read_f32(name)
    }

    fn read_rows_f32(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>, Error> {
        self.file_of(name)?.read_rows_f32(name, rows)
    }
}

#[derive(Deserialize)]
struct Index {
    weight_map: IndexMap<String, String>,
}

fn read_index(path: &Path) -> Result<IndexMap<String, String>, Error> {
    let wrong = |reason: String| Error::Index { path: path.to_owned(), reason };
    let file = MappedFile::open(path)?;
    if file.len() > LARGEST_INDEX {
        return Err(wrong(format!(
            "it has {} bytes, and at most {LARGEST_INDEX} are read",
            file.len()
        )));
    }
    let index: Index = serde_json::from_slice(file.bytes()).map_err(|error| {
        let what: String = error.to_string().chars().take(300).collect();
        wrong(format!("it is not the index of a model ({what}); download the model again"))
    })?;
    if index.weight_map.is_empty() {
        return Err(wrong("its weight_map is empty; download the model again".to_owned()));
    }
    Ok(index.weight_map)
}

/// Whether `name` is a weight file's bare name on every system: no folders, no drives.
fn is_plain_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    matches!((components.next(), components.next()), (Some(Component::Normal(_)), None))
        && !name.contains(['/', '\\', ':', '\0'])
        && name.ends_with(".safetensors")
}

/// What is in the folder instead of weights.
fn hint(folder: &Path) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else { return String::new() };
    let names: Vec<String> =
        entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let ending = |ending: &str| names.iter().find(|name| name.ends_with(ending));
    if let Some(name) = ending(".gguf") {
        return format!(", or the file {name} itself");
    }
    if names.iter().any(|name| name == "adapter_model.safetensors") {
        return " (this one holds an adapter, which needs its base model)".to_owned();
    }
    if let Some(name) = ending(".bin").or_else(|| ending(".pt")).or_else(|| ending(".pth")) {
        return format!(" ({name} is a pickle file, which can run code and is never opened)");
    }
    String::new()
}
