//! What can be wrong with a file of weights.

use std::path::PathBuf;

use sanbao_contract::Fault;

/// Why weights could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system refused to write.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A folder without weights that can be read.
    #[error(
        "{} holds no model.safetensors and no model.safetensors.index.json; choose the folder that holds the weights{hint}",
        folder.display()
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
        /// What was found instead, as the end of the sentence; may be empty.
        hint: String,
    },
    /// A file breaks the rules of its format.
    #[error("{} is damaged or not what it says it is: {reason} (byte {offset}); download it again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong there.
        reason: String,
    },
    /// A file is sound but of a kind that is not read.
    #[error("{} cannot be read: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What kind it is and what to use instead.
        reason: String,
    },
    /// A tensor's declaration breaks the rules of its format.
    #[error("{}: tensor \"{tensor}\" {reason}; the file is damaged, download it again", path.display())]
    BadTensor {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// What is wrong with it, as the end of a sentence.
        reason: String,
    },
    /// A tensor is stored in a way that is not read as numbers.
    #[error("{}: tensor \"{tensor}\" is stored as {stored}, which is not read as weights; {advice}", path.display())]
    TensorType {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// How it is stored.
        stored: String,
        /// What to use instead.
        advice: &'static str,
    },
    /// The index of a sharded model breaks the rules.
    #[error("{}: {reason}", path.display())]
    Index {
        /// The index file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A shard that the index names is not there.
    #[error("{} is missing: the model has {shards} weight files and all of them are needed; download it again", shard.display())]
    MissingShard {
        /// The file that is not there.
        shard: PathBuf,
        /// How many files there should be.
        shards: usize,
    },
    /// A tensor that is needed is not in the model.
    #[error("{} has no tensor \"{tensor}\"", path.display())]
    NoTensor {
        /// The file or folder.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// More rows were asked for than there are.
    #[error("{}: tensor \"{tensor}\" has {rows} rows, so rows {start} to {end} cannot be read", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// How many rows there are.
        rows: usize,
        /// First row asked for.
        start: usize,
        /// Row after the last one asked for.
        end: usize,
    },
    /// A weight is not a number or infinite.
    #[error("{}: tensor \"{tensor}\" holds {value} at index {index}; such weights cannot be used, get the model again or choose another file", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Row-major index of the first such weight.
        index: usize,
        /// `NaN`, `inf` or `-inf`.
        value: f32,
    },
    /// A GGUF file does not say something that is needed.
    #[error("{} does not say \"{key}\", which is needed to use the model", path.display())]
    NoMetadata {
        /// The file.
        path: PathBuf,
        /// The metadata key.
        key: String,
    },
    /// A GGUF file says something in an unexpected way.
    #[error("{}: \"{key}\" should be {expected} but is {found}", path.display())]
    MetadataType {
        /// The file.
        path: PathBuf,
        /// The metadata key.
        key: String,
        /// What was expected.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A weight does not fit the number format that was asked for.
    #[error(
        "tensor \"{tensor}\" holds {value:?} at index {index}, which does not fit {stored}; write the model as F32"
    )]
    DoesNotFit {
        /// The tensor.
        tensor: String,
        /// The weight.
        value: f32,
        /// Its row-major index.
        index: usize,
        /// The number format.
        stored: &'static str,
    },
    /// What was handed over to be written contradicts itself.
    #[error("tensor \"{tensor}\" cannot be written: {reason}")]
    BadExport {
        /// The tensor.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// The values of a tensor could not be had while it was being written.
    #[error("tensor \"{tensor}\" cannot be written: {source}")]
    Values {
        /// The tensor.
        tensor: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// Stable code, `models.reason`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "models.cannot_read",
            Self::Write { .. } => "models.cannot_write",
            Self::NoWeights { .. } => "models.no_weights",
            Self::Damaged { .. } | Self::BadTensor { .. } => "models.damaged_file",
            Self::Unsupported { .. } => "models.unsupported_file",
            Self::TensorType { .. } => "models.unsupported_tensor_type",
            Self::Index { .. } => "models.bad_index",
            Self::MissingShard { .. } => "models.missing_shard",
            Self::NoTensor { .. } => "models.missing_tensor",
            Self::Rows { .. } => "models.rows_out_of_range",
            Self::NotFinite { .. } => "models.weights_not_finite",
            Self::NoMetadata { .. } => "models.missing_metadata",
            Self::MetadataType { .. } => "models.bad_metadata",
            Self::DoesNotFit { .. } => "models.weight_does_not_fit",
            Self::BadExport { .. } | Self::Values { .. } => "models.cannot_export_tensor",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Self::new(error.code(), error.to_string());
        match &error {
            Error::Read { path, .. }
            | Error::Write { path, .. }
            | Error::Damaged { path, .. }
            | Error::Unsupported { path, .. }
            | Error::Index { path, .. } => fault.with("path", path.display()),
            Error::NoWeights { folder, .. } => fault.with("path", folder.display()),
            Error::MissingShard { shard, .. } => fault.with("path", shard.display()),
            Error::BadTensor { path, tensor, .. }
            | Error::TensorType { path, tensor, .. }
            | Error::NoTensor { path, tensor }
            | Error::Rows { path, tensor, .. } => {
                fault.with("path", path.display()).with("tensor", tensor)
            }
            Error::NotFinite { path, tensor, index, .. } => {
                fault.with("path", path.display()).with("tensor", tensor).with("index", index)
            }
            Error::NoMetadata { path, key } | Error::MetadataType { path, key, .. } => {
                fault.with("path", path.display()).with("key", key)
            }
            Error::DoesNotFit { tensor, index, .. } => {
                fault.with("tensor", tensor).with("index", index)
            }
            Error::BadExport { tensor, .. } | Error::Values { tensor, .. } => {
                fault.with("tensor", tensor)
            }
        }
    }
}
