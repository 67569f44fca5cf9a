//! Every number that a run depends on, resolved.

use sanbao_models::{Activations, Trainable};
use serde::{Deserialize, Serialize};

use crate::lora::LoraConfig;
use crate::online::Online;
use crate::optimizer::AdamWSettings;
use crate::preference::Preference;
use crate::reward_model::RewardModel;
use crate::schedule::Schedule;

/// What a run learns from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Learns {
    /// Examples: their tokens become likelier.
    #[default]
    Examples,
    /// Answers that were liked and answers that were not.
    Preference(Preference),
    /// The same, by a score head that becomes a reward model.
    RewardModel(RewardModel),
    /// Rewards of the model's own answers.
    Reward(Box<Online>),
}

impl Learns {
    /// Whether a reward model comes of it, which scores answers and writes none.
    pub fn is_reward_model(&self) -> bool {
        matches!(self, Self::RewardModel(_))
    }
}

/// In which order rows come (transformers' `train_sampling_strategy`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplingStrategy {
    /// Shuffled anew in every epoch.
    #[default]
    Random,
    /// As in the files.
    Sequential,
}

/// What a run does, to the last number. Two runs with equal settings on equal data and the
/// same kind of device give the same weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainSettings {
    /// Recipe name in the registry.
    pub recipe: String,
    /// The adapter; without one every weight is trained.
    pub lora: Option<LoraConfig>,
    /// What is learnt from.
    pub learns: Learns,
    /// Whether a row of the data is two sequences: what was liked, and what was not.
    pub paired: bool,
    /// The order in which rows come.
    pub train_sampling_strategy: SamplingStrategy,
    /// Passes over the training rows.
    pub num_train_epochs: u32,
    /// Optimizer steps after which the run ends, even within an epoch.
    pub max_steps: Option<u64>,
    /// Rows per optimizer step.
    pub batch_size: usize,
    /// Peak learning rate.
    pub learning_rate: f64,
    /// How it moves.
    pub lr_scheduler: Schedule,
    /// Steps of warm-up.
    pub warmup_steps: u64,
    /// AdamW.
    pub adamw: AdamWSettings,
    /// Gradients are clipped to this norm.
    pub max_grad_norm: f64,
    /// Rows are cut at this many tokens.
    pub max_length: usize,
    /// Validation after this many steps; 0 for none.
    pub eval_steps: u64,
    /// Stop after this many validations without improvement; 0 for never.
    pub early_stopping_patience: u32,
    /// A checkpoint after this many steps.
    pub save_steps: u64,
    /// Tokens computed at once; a row longer than this stands alone.
    pub micro_batch_tokens: usize,
    /// Whether layers are run again instead of kept.
    pub gradient_checkpointing: bool,
    /// Seed of the order of rows, of dropout, of fresh adapters.
    pub seed: u64,
}

impl TrainSettings {
    /// What the optimizer changes.
    pub fn trainable(&self) -> Trainable {
        match self.lora {
            Some(_) => Trainable::Adapters,
            None => Trainable::Everything,
        }
    }

    /// How activations are kept.
    pub fn activations(&self) -> Activations {
        if self.gradient_checkpointing { Activations::Recomputed } else { Activations::Kept }
    }

    /// Sequences that a row is: two answers for a pair.
    pub fn sequences_per_row(&self) -> usize {
        if self.paired { 2 } else { 1 }
    }

    /// Times that the optimizer moves in a step: several when the same answers are learnt from again.
    pub fn optimizer_steps_per_step(&self) -> u64 {
        match &self.learns {
            Learns::Reward(online) => online.num_iterations.max(1) as u64,
            _ => 1,
        }
    }

    /// Optimizer steps of one epoch.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        rows.div_ceil(self.batch_size.max(1)) as u64
    }

    /// Optimizer steps in all.
    pub fn total_steps(&self, rows: usize) -> u64 {
        let all = self.steps_per_epoch(rows) * u64::from(self.num_train_epochs);
        all.min(self.max_steps.unwrap_or(u64::MAX))
    }
}
