//! Why a model could not be exported.

use std::path::{Path, PathBuf};

use sanbao_contract::Fault;

/// Why a model could not be exported. Whichever it is, nothing is left at the destination.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A target that is not known.
    #[error("there is no export target '{found}'; there are {known}")]
    UnknownTarget {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// An option that the target does not have.
    #[error("the export target '{target}' has no option '{name}'; it has {known}")]
    UnknownOption {
        /// The target.
        target: &'static str,
        /// What was given.
        name: String,
        /// What there is.
        known: String,
    },
    /// An adapter was asked for and the run trained none.
    #[error(
        "this run changed the model's own weights, so there is no adapter to export; export the whole model instead, as hf, gguf or ollama"
    )]
    NoAdapter,
    /// The destination holds something already.
    #[error("'{}' is not an empty folder; choose a new or empty folder for the export", path.display())]
    Occupied {
        /// The destination.
        path: PathBuf,
    },
    /// The format has no way of saying something about this model.
    #[error("this model cannot be written as {format}: {reason}")]
    NotRepresentable {
        /// The format.
        format: &'static str,
        /// What it cannot say, and what to choose instead.
        reason: String,
    },
    /// What was written reads back as another model.
    #[error(
        "the export was read back and is not the model that was trained: {what}; nothing was kept"
    )]
    Changed {
        /// What is different.
        what: String,
    },
    /// What was written gives other numbers.
    #[error(
        "the export was read back and its logits differ from the trained model's by {measure} {difference:.3e} over {tokens} tokens, where at most {tolerance:.3e} was expected; nothing was kept. Export once more, and as f32 if it happens again"
    )]
    Mismatch {
        /// Which difference, as words before the number.
        measure: &'static str,
        /// The difference.
        difference: f64,
        /// What is allowed.
        tolerance: f64,
        /// Tokens compared.
        tokens: usize,
    },
    /// A file could not be written.
    #[error("'{}' cannot be written: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// Weights could not be written or read back.
    #[error(transparent)]
    Weights(#[from] sanbao_models::weights::Error),
    /// The model.
    #[error(transparent)]
    Model(#[from] sanbao_models::Error),
    /// The tokenizer or the chat template.
    #[error(transparent)]
    Text(#[from] sanbao_text::Error),
    /// The adapter, or an option outside its range.
    #[error(transparent)]
    Train(#[from] sanbao_train::Error),
}

impl Error {
    /// About a file.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        |source| Self::Io { path, source }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTarget { .. } => "export.unknown_target",
            Self::UnknownOption { .. } => "export.unknown_option",
            Self::NoAdapter => "export.no_adapter",
            Self::Occupied { .. } => "export.occupied",
            Self::NotRepresentable { .. } => "export.not_representable",
            Self::Changed { .. } => "export.changed",
            Self::Mismatch { .. } => "export.mismatch",
            Self::Io { .. } => "export.io",
            Self::Weights(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Text(error) => error.code(),
            Self::Train(error) => error.code(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let fault = Fault::new(error.code(), error.to_string());
        match error {
            Error::UnknownTarget { found, known } => {
                fault.with("found", found).with("known", known)
            }
            Error::UnknownOption { target, name, known } => {
                fault.with("target", target).with("name", name).with("known", known)
            }
            Error::Occupied { path } | Error::Io { path, .. } => fault.with("path", path.display()),
            Error::NotRepresentable { format, reason } => {
                fault.with("format", format).with("reason", reason)
            }
            Error::Changed { what } => fault.with("what", what),
            Error::Mismatch { difference, tolerance, tokens, .. } => fault
                .with("difference", difference)
                .with("tolerance", tolerance)
                .with("tokens", tokens),
            Error::Weights(error) => error.into(),
            Error::Text(error) => error.into(),
            Error::Train(error) => error.into(),
            Error::Model(error) => error.into(),
            Error::NoAdapter => fault,
        }
    }
}
