//! What can go wrong while a model answers.

use sanbao_contract::Fault;

/// Why a model could not answer or score.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sampling setting outside its range.
    #[error("the setting {name} is {value}, but must be {rule}")]
    Setting {
        /// Field of [`crate::Sampling`].
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        rule: &'static str,
    },
    /// Nothing to continue from.
    #[error("text number {index} has no tokens; a model needs at least one to begin with")]
    Empty {
        /// Which of the given sequences, counted from 0.
        index: usize,
    },
    /// A token that the model has no embedding for.
    #[error(
        "text number {index} holds the token {token}, but the model knows only {vocabulary} tokens; the tokenizer belongs to another model"
    )]
    UnknownToken {
        /// Which of the given sequences, counted from 0.
        index: usize,
        /// The token.
        token: u32,
        /// Tokens that the model knows.
        vocabulary: usize,
    },
    /// More tokens than the model's context holds.
    #[error(
        "text number {index} has {tokens} tokens, but the model's context holds {limit}; shorten it"
    )]
    TooLong {
        /// Which of the given sequences, counted from 0.
        index: usize,
        /// Its length.
        tokens: usize,
        /// The model's context.
        limit: usize,
    },
    /// No labels to choose from.
    #[error("there is no label to score; give at least one")]
    NoLabels,
    /// A mask that does not belong to its sequence.
    #[error(
        "text number {index} has {tokens} tokens but {marks} marks of what is trained; both must be equal"
    )]
    Marks {
        /// Which of the given sequences, counted from 0.
        index: usize,
        /// Its length.
        tokens: usize,
        /// Length of its mask.
        marks: usize,
    },
    /// NaN or infinity where a probability was needed.
    #[error(
        "the model computed numbers that are not finite; its weights are damaged or training diverged, so use an earlier checkpoint"
    )]
    NotFinite,
    /// A setting that left nothing to choose from.
    #[error("no_repeat_ngram_size forbids every token that could come next; set it to 0 or higher")]
    NoTokenLeft,
    /// A sequence that was removed from the cache, or belongs to another one.
    #[error("the sequence {0} is not in the cache; it was removed or belongs to another cache")]
    UnknownSequence(u64),
    /// The model or its device.
    #[error(transparent)]
    Models(#[from] sanbao_models::Error),
    /// The tokenizer or the chat template.
    #[error(transparent)]
    Text(#[from] sanbao_text::Error),
}

impl Error {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "infer.bad_setting",
            Self::Empty { .. } => "infer.empty",
            Self::UnknownToken { .. } => "infer.unknown_token",
            Self::TooLong { .. } => "infer.too_long",
            Self::NoLabels => "infer.no_labels",
            Self::Marks { .. } => "infer.marks",
            Self::NotFinite => "infer.not_finite",
            Self::NoTokenLeft => "infer.no_token_left",
            Self::UnknownSequence(_) => "infer.unknown_sequence",
            Self::Models(error) => error.code(),
            Self::Text(error) => error.code(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::new(error.code(), error.to_string())
    }
}
