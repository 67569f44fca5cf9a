//! safetensors files and folders of them.
//!
//! Format: `README.md` of huggingface/safetensors. Eight bytes give the length of a JSON header
//! that maps names to type, shape and place; the tensors' bytes follow without gaps.

mod folder;
mod header;
mod write;

use std::ops::Range;
use std::path::Path;

use indexmap::IndexMap;

pub use self::folder::ModelFolder;
use self::header::Header;
pub use self::write::{write_safetensors, write_sharded_safetensors};
use super::mapped::MappedFile;
use super::stored::TensorInfo;
use super::{Error, WeightSource, decode};

/// An opened safetensors file.
#[derive(Debug)]
pub struct SafetensorsFile {
    file: MappedFile,
    header: Header,
}

impl SafetensorsFile {
    /// Opens and checks the file at `path`; the weights are mapped, not read.
    ///
    /// # Errors
    /// When the file is cut off or its header is not what the format asks for: too long, not
    /// JSON, a name twice, an unknown type, a shape that does not match its bytes, tensors
    /// that overlap, leave gaps or lie outside the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::parse(MappedFile::open(path)?)
    }

    /// The same from bytes in memory; `path` is only used in messages.
    ///
    /// # Errors
    /// As [`SafetensorsFile::open`].
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, Error> {
        Self::parse(MappedFile::held(path, bytes))
    }

    fn parse(file: MappedFile) -> Result<Self, Error> {
        let header = Header::parse(file.bytes(), file.path())?;
        Ok(Self { file, header })
    }

    /// The free-form texts of the header (`format`, …).
    pub fn metadata(&self) -> &IndexMap<String, String> {
        &self.header.metadata
    }

    fn placed(&self, name: &str) -> Result<&header::Placed, Error> {
        self.header.tensors.get(name).ok_or_else(|| Error::NoTensor {
            path: self.file.path().to_owned(),
            tensor: name.to_owned(),
        })
    }
}

impl WeightSource for SafetensorsFile {
    fn path(&self) -> &Path {
        self.file.path()
    }

    fn file_bytes(&self) -> u64 {
        self.file.len() as u64
    }

    fn names(&self) -> Vec<&str> {
        self.header.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<TensorInfo> {
        self.header.tensors.get(name).map(|placed| placed.info.clone())
    }

    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Error> {
        let placed = self.placed(name)?;
        decode::read_rows(&self.file, name, &placed.info, placed.start, 0..placed.info.rows())
    }

    fn read_rows_f32(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>, Error> {
        let placed = self.placed(name)?;
        decode::read_rows(&self.file, name, &placed.info, placed.start, rows)
    }
}

#[cfg(test)]
mod tests;
