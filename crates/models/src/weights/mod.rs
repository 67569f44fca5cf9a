//! Weights on disk: Hugging Face folders (safetensors) and GGUF files.
//!
//! Files come from strangers. Every size is checked against the file before anything is
//! allocated, so opening a file takes at most a small multiple of its size in memory, and what
//! is wrong is said with the name of the tensor or the offset.

mod decode;
mod encode;
mod error;
mod gguf;
mod mapped;
mod pending;
mod permute;
mod quant;
mod safetensors;
mod stored;

use std::ops::Range;
use std::path::Path;

pub use encode::{TensorToWrite, ValuesError};
pub use error::Error;
pub use gguf::{FromMeta, Gguf, GgufWriter, MetaArray, MetaValue};
pub use permute::{permute_rows, unpermute_rows};
pub use quant::quantise_q8_0;
pub use safetensors::{ModelFolder, SafetensorsFile, write_safetensors, write_sharded_safetensors};
pub use stored::{StoredType, TensorInfo};

/// Where weights come from. Names are as the file has them.
pub trait WeightSource: Send + Sync {
    /// The file or folder, for messages.
    fn path(&self) -> &Path;

    /// Bytes of its weight files together.
    fn file_bytes(&self) -> u64;

    /// All tensors, in file order.
    fn names(&self) -> Vec<&str>;

    /// What is known about a tensor; `None` when there is none of this name.
    fn info(&self, name: &str) -> Option<TensorInfo>;

    /// All values of a tensor, row-major in its shape.
    ///
    /// # Errors
    /// When there is no such tensor, its type is not one of weights, or a value is NaN or
    /// infinite (named with its index).
    fn read_f32(&self, name: &str) -> Result<Vec<f32>, Error>;

    /// The values of `rows` (indices of the first dimension) of a tensor, row-major.
    ///
    /// # Errors
    /// As [`WeightSource::read_f32`], and when there are not that many rows.
    fn read_rows_f32(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>, Error>;
}
