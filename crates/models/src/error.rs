//! What can be wrong with a base model.

use sanbao_contract::Fault;

/// Why a model could not be opened, loaded or used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither a folder with `config.json` nor a GGUF file.
    #[error(
        "{path} is neither a Hugging Face model folder (with a config.json) nor a .gguf file; choose the folder or the file itself"
    )]
    NotAModel {
        /// What was given.
        path: String,
    },
    /// A reward model or classifier.
    #[error(
        "{path} is a reward model or a classifier, which judges texts and writes none; choose the model that it was made from"
    )]
    WritesNothing {
        /// The folder.
        path: String,
    },
    /// A file of the model could not be read.
    #[error("{path} cannot be read: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// `config.json` is not what it should be.
    #[error("{path}: {problem}")]
    Config {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An architecture that is not built in.
    #[error(
        "the architecture '{found}' is not supported; supported are {supported}. Choose a model of one of these families"
    )]
    UnknownArchitecture {
        /// Its name.
        found: String,
        /// Names that would have worked.
        supported: String,
    },
    /// A setting of a known architecture that would change its results and is not built in.
    #[error("{path}: {setting} = {value} is not supported for '{architecture}'")]
    UnsupportedSetting {
        /// The file.
        path: String,
        /// The architecture.
        architecture: String,
        /// Key in `config.json`.
        setting: String,
        /// Its value.
        value: String,
    },
    /// A weight is missing.
    #[error("{path}: the tensor '{name}' is missing; the download may be incomplete")]
    MissingTensor {
        /// Folder or file.
        path: String,
        /// The tensor.
        name: String,
    },
    /// A weight has another shape than the configuration says.
    #[error(
        "{path}: the tensor '{name}' has shape {found:?}, the configuration asks for {expected:?}"
    )]
    WrongShape {
        /// Folder or file.
        path: String,
        /// The tensor.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape that the configuration implies.
        expected: Vec<usize>,
    },
    /// The weights could not be read.
    #[error(transparent)]
    Weights(#[from] crate::weights::Error),
    /// The tokenizer or the chat template could not be read.
    #[error(transparent)]
    Text(#[from] sanbao_text::Error),
    /// A device that is not there or failed its self-check.
    #[error("{0}")]
    Device(String),
    /// An adapter does not fit the model.
    #[error("{0}")]
    Adapter(String),
    /// A score was asked of a model without a score head.
    #[error("this model gives no scores: it is not a reward model")]
    NoScoreHead,
}

impl Error {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAModel { .. } => "models.not_a_model",
            Self::WritesNothing { .. } => "models.writes_nothing",
            Self::Io { .. } => "models.unreadable",
            Self::Config { .. } => "models.bad_config",
            Self::UnknownArchitecture { .. } => "models.unknown_architecture",
            Self::UnsupportedSetting { .. } => "models.unsupported_setting",
            Self::MissingTensor { .. } => "models.missing_tensor",
            Self::WrongShape { .. } => "models.wrong_shape",
            Self::Weights(error) => error.code(),
            Self::Text(error) => error.code(),
            Self::Device(_) => "models.device",
            Self::Adapter(_) => "models.adapter",
            Self::NoScoreHead => "models.no_score_head",
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::new(error.code(), error.to_string())
    }
}
