//! What can go wrong before and while training.

use std::path::Path;

use sanbao_contract::Fault;
use sanbao_contract::data::Task;

/// Why a run cannot be planned, started or continued.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No layer has the names that were asked for.
    #[error(
        "no layer of this model is called {asked}; it has {known}. Choose among these, or all-linear"
    )]
    NoTargets {
        /// What was asked for.
        asked: String,
        /// What there is.
        known: String,
    },
    /// An adapter folder that is not one, or does not fit.
    #[error("{path} {problem}")]
    BadAdapter {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of the run cannot be read or written.
    #[error("{path} cannot be used: {source}")]
    Io {
        /// The file.
        path: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// A checkpoint that does not belong to this run or is damaged.
    #[error("the checkpoint {path} {problem}")]
    BadCheckpoint {
        /// Its folder.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// A hyper-parameter that is not known.
    #[error("'{name}' is not a setting of the recipe '{recipe}'; it has {known}")]
    UnknownSetting {
        /// What was given.
        name: String,
        /// Recipe.
        recipe: String,
        /// What there is.
        known: String,
    },
    /// A hyper-parameter outside its range.
    #[error("'{name}' is {value}, but {expected}")]
    BadSetting {
        /// Its name.
        name: String,
        /// What was given.
        value: String,
        /// What would be accepted.
        expected: String,
    },
    /// A recipe that is not known.
    #[error("there is no recipe '{found}'; there are {known}")]
    UnknownRecipe {
        /// What was asked for.
        found: String,
        /// What there is.
        known: String,
    },
    /// A recipe that does not fit the data.
    #[error(
        "the recipe '{recipe}' learns from {}, and these rows are {}: add the columns that are missing, or choose the recipe '{fitting}'",
        rows_of(*wanted),
        rows_of(*found)
    )]
    RecipeDoesNotFit {
        /// The recipe.
        recipe: String,
        /// What it learns from.
        wanted: Task,
        /// What the rows are.
        found: Task,
        /// A recipe that learns from them.
        fitting: String,
    },
    /// Nothing would be learnt.
    #[error("this run would teach nothing: {reason}")]
    NothingToLearn {
        /// Why, and what to do.
        reason: String,
    },
    /// The loss stopped being a number.
    #[error(
        "the loss became {loss} at step {step}: the learning rate {learning_rate} is probably too high. Try a tenth of it; the checkpoint before is kept"
    )]
    Diverged {
        /// The step.
        step: u64,
        /// What the loss became.
        loss: f64,
        /// The learning rate of that step.
        learning_rate: f64,
    },
    /// Not even the smallest portion fits.
    #[error(
        "the memory of {device} is not enough for a portion of {tokens} tokens: choose a smaller base model, a smaller max_length, or another device"
    )]
    OutOfMemory {
        /// The device.
        device: String,
        /// Tokens of the smallest portion tried.
        tokens: usize,
    },
    /// A recipe that learns from rewards was not told what for.
    #[error("the recipe '{recipe}' learns from rewards: say what answers are rewarded for")]
    NoReward {
        /// The recipe.
        recipe: String,
    },
    /// A reward that includes a reward model came without one.
    #[error(
        "the reward model of this reward is missing: choose a finished run of the recipe reward_model"
    )]
    NoRewardModel,
    /// Every answer of the first step was empty.
    #[error(
        "the model gives no answer to these questions: they fill its context of {context} tokens. Choose shorter questions or a model with a longer context"
    )]
    NoAnswers {
        /// Longest context of the model.
        context: usize,
    },
    /// A reward.
    #[error(transparent)]
    Reward(#[from] sanbao_reward::Error),
    /// Writing answers.
    #[error(transparent)]
    Infer(#[from] sanbao_infer::Error),
    /// The tokenizer.
    #[error(transparent)]
    Text(#[from] sanbao_text::Error),
    /// A loss.
    #[error(transparent)]
    Loss(#[from] crate::losses::Error),
    /// The model.
    #[error(transparent)]
    Model(#[from] sanbao_models::Error),
    /// The data.
    #[error(transparent)]
    Data(#[from] sanbao_data::Error),
    /// The run's folder.
    #[error(transparent)]
    Project(#[from] sanbao_project::Error),
}

impl Error {
    /// About a file.
    pub fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io { path: path.display().to_string(), source }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTargets { .. } => "train.no_targets",
            Self::BadAdapter { .. } => "train.bad_adapter",
            Self::Io { .. } => "train.io",
            Self::BadCheckpoint { .. } => "train.bad_checkpoint",
            Self::UnknownSetting { .. } => "train.unknown_setting",
            Self::BadSetting { .. } => "train.bad_setting",
            Self::UnknownRecipe { .. } => "train.unknown_recipe",
            Self::RecipeDoesNotFit { .. } => "train.recipe_does_not_fit",
            Self::NothingToLearn { .. } => "train.nothing_to_learn",
            Self::Diverged { .. } => "train.diverged",
            Self::OutOfMemory { .. } => "train.out_of_memory",
            Self::NoReward { .. } => "train.no_reward",
            Self::NoRewardModel => "train.no_reward_model",
            Self::NoAnswers { .. } => "train.no_answers",
            Self::Reward(error) => error.code(),
            Self::Infer(error) => error.code(),
            Self::Text(error) => error.code(),
            Self::Loss(error) => error.code(),
            Self::Model(error) => error.code(),
            Self::Data(error) => error.code(),
            Self::Project(error) => error.code(),
        }
    }
}

/// What the rows of a task are, with their standard columns.
fn rows_of(task: Task) -> &'static str {
    match task {
        Task::Classify => "texts with labels (`text`, `label`)",
        Task::Instruct => "prompts with answers (`prompt`, `completion`)",
        Task::PromptOnly => "prompts without answers (`prompt`)",
        Task::Prose => "running text (`text`)",
        Task::Preference => "pairs of answers (`prompt`, `chosen`, `rejected`)",
        Task::Unpaired => "answers that were liked or not (`prompt`, `completion`, `label`)",
    }
}

impl From<std::io::Error> for Error {
    fn from(source: std::io::Error) -> Self {
        Self::Io { path: "a file of the run".into(), source }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Data(error) => error.into(),
            other => Fault::new(other.code(), other.to_string()),
        }
    }
}
