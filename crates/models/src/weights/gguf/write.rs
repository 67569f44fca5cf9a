//! Writing GGUF files, version 3.

use std::path::Path;

use indexmap::IndexMap;

use super::metadata::append_text;
use super::{ALIGNMENT_KEY, DEFAULT_ALIGNMENT, MAGIC, MOST_DIMENSIONS, MetaValue};
use crate::weights::encode::TensorToWrite;
use crate::weights::pending::PendingFile;
use crate::weights::{Error, StoredType};

const VERSION: u32 = 3;
/// What can be written.
const WRITTEN: &[StoredType] =
    &[StoredType::F32, StoredType::F16, StoredType::BF16, StoredType::Q8_0];

/// A GGUF file to be written: its metadata and its tensors, in the order they are added.
#[derive(Default)]
pub struct GgufWriter<'a> {
    metadata: IndexMap<String, MetaValue>,
    tensors: Vec<TensorToWrite<'a>>,
}

impl<'a> GgufWriter<'a> {
    /// A file for `architecture` (`llama`, `qwen2`, …).
    pub fn new(architecture: &str) -> Self {
        let mut writer = Self::default();
        writer.set("general.architecture", MetaValue::String(architecture.to_owned()));
        writer
    }

    /// Sets the metadata entry `key`; a later value replaces an earlier one in its place.
    pub fn set(&mut self, key: &str, value: MetaValue) {
        self.metadata.insert(key.to_owned(), value);
    }

    /// Adds a tensor; its shape is row-major, as everywhere outside GGUF files.
    pub fn add(&mut self, tensor: TensorToWrite<'a>) {
        self.tensors.push(tensor);
    }

    /// Writes the file: under a temporary name first, one tensor at a time.
    ///
    /// # Errors
    /// When a tensor's type, shape or values cannot be written, two tensors have one name, or
    /// the disk refuses. Nothing is left behind then.
    pub fn write(self, path: &Path) -> Result<(), Error> {
        let (header, sizes) = self.header()?;
        let mut file = PendingFile::create(path)?;
        file.write(&header)?;
        for (tensor, bytes) in self.tensors.into_iter().zip(sizes) {
            tensor.write(&mut file)?;
            file.write(&padding(bytes))?;
        }
        file.finish()
    }

    /// Everything before the tensors' bytes, and each tensor's size.
    fn header(&self) -> Result<(Vec<u8>, Vec<usize>), Error> {
        let mut header = MAGIC.to_vec();
        header.extend_from_slice(&VERSION.to_le_bytes());
        header.extend_from_slice(&(self.tensors.len() as u64).to_le_bytes());
        // The alignment is the format's own default, so an entry that says otherwise is left out.
        let written = self.metadata.iter().filter(|(key, _)| *key != ALIGNMENT_KEY);
        header.extend_from_slice(&(written.clone().count() as u64).to_le_bytes());
        for (key, value) in written {
            append_text(key, &mut header);
            header.extend_from_slice(&value.type_id().to_le_bytes());
            value.append(&mut header);
        }

        let mut sizes = Vec::with_capacity(self.tensors.len());
        let mut names = std::collections::HashSet::new();
        let mut start = 0_usize;
        for tensor in &self.tensors {
            if !names.insert(tensor.name.as_str()) {
                return Err(tensor.bad("another tensor has the same name".to_owned()));
            }
            let bytes = check(tensor)?;
            append_text(&tensor.name, &mut header);
            header.extend_from_slice(&(tensor.shape.len() as u32).to_le_bytes());
            for side in tensor.shape.iter().rev() {
                header.extend_from_slice(&(*side as u64).to_le_bytes());
            }
            let id = tensor.dtype.layout().ggml_id.unwrap_or_default();
            header.extend_from_slice(&id.to_le_bytes());
            header.extend_from_slice(&(start as u64).to_le_bytes());
            start += bytes + padding(bytes).len();
            sizes.push(bytes);
        }
        let length = header.len();
        header.extend(padding(length));
        Ok((header, sizes))
    }
}

fn check(tensor: &TensorToWrite<'_>) -> Result<usize, Error> {
    let dimensions = tensor.shape.len();
    if dimensions == 0 || dimensions > MOST_DIMENSIONS || tensor.shape.contains(&0) {
        return Err(tensor.bad(format!("GGUF cannot hold the shape {:?}", tensor.shape)));
    }
    tensor.bytes(WRITTEN)
}

/// The zeros that fill `length` bytes up to the next aligned place.
fn padding(length: usize) -> Vec<u8> {
    vec![0; length.next_multiple_of(DEFAULT_ALIGNMENT) - length]
}
