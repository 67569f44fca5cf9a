//! Plans, hyper-parameters and the metrics of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Text;

/// The one dial.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Dial {
    /// See in minutes whether it works at all.
    Quick,
    /// The usual choice.
    #[default]
    Balanced,
    /// Take the time that it needs.
    Thorough,
}

/// One hyper-parameter of a plan, with the reason for its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Setting {
    /// Standard name (`learning_rate`, `lora_alpha`, …).
    pub name: String,
    /// The value.
    #[ts(type = "unknown")]
    pub value: serde_json::Value,
    /// Whether the person chose it.
    pub chosen: bool,
    /// Why this value, one sentence.
    pub reason: Text,
}

/// What a training run would do, shown before it starts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct Plan {
    /// Recipe name in the registry: `lora`, `full`, `continued`.
    pub recipe: String,
    /// Base model's name.
    pub model: String,
    /// Device id.
    pub device: String,
    /// Parameters that will change.
    #[ts(type = "number")]
    pub trainable_parameters: u64,
    /// All parameters.
    #[ts(type = "number")]
    pub parameters: u64,
    /// Rows learnt from per epoch.
    #[ts(type = "number")]
    pub rows: u64,
    /// Tokens per epoch.
    #[ts(type = "number")]
    pub tokens: u64,
    /// Tokens that carry loss per epoch.
    #[ts(type = "number")]
    pub trained_tokens: u64,
    /// Optimizer steps in all.
    #[ts(type = "number")]
    pub steps: u64,
    /// Rows cut at the maximum length.
    #[ts(type = "number")]
    pub truncated_rows: u64,
    /// Bytes needed, estimated.
    #[ts(type = "number")]
    pub memory_needed: u64,
    /// Bytes there, where it can be known.
    #[ts(type = "number | null")]
    pub memory_there: Option<u64>,
    /// Whether activations are recomputed block by block to save memory.
    pub recompute: bool,
    /// Expected seconds, from a short measured probe.
    pub seconds: Option<f64>,
    /// Every hyper-parameter.
    pub settings: Vec<Setting>,
    /// What to keep in mind, plain sentences.
    pub warnings: Vec<Text>,
}

/// One line of `metrics.jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, TS)]
pub struct StepMetrics {
    /// Optimizer step, from 1.
    #[ts(type = "number")]
    pub step: u64,
    /// Steps in all.
    #[ts(type = "number")]
    pub steps: u64,
    /// Epochs done, with fraction.
    pub epoch: f64,
    /// Mean loss over the step's trained tokens (nats).
    pub loss: f64,
    /// Learning rate used.
    pub learning_rate: f64,
    /// Gradient L2 norm before clipping.
    pub grad_norm: f64,
    /// Tokens with loss in the step.
    #[ts(type = "number")]
    pub trained_tokens: u64,
    /// All tokens of the step.
    #[ts(type = "number")]
    pub tokens: u64,
    /// Tokens per second, all tokens.
    pub tokens_per_second: f64,
    /// Resident memory of the process, bytes.
    #[ts(type = "number")]
    pub memory: u64,
    /// Seconds left.
    pub eta_seconds: f64,
    /// Figures of the recipe by TRL's names (`rewards/accuracies`, …), those of the validation rows
    /// with `eval_` before them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    /// Mean validation loss, when this step ended with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// What else happened at this step: sample answers, an early end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[ts(skip)]
    pub events: Vec<RunEvent>,
}

/// What happens during a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum RunEvent {
    /// Training goes on from a checkpoint.
    Resumed {
        /// Steps done before.
        #[ts(type = "number")]
        step: u64,
    },
    /// The base model's opinion of the rows is being computed, once.
    Reference {
        /// Sequences done.
        #[ts(type = "number")]
        done: u64,
        /// Of.
        #[ts(type = "number")]
        total: u64,
    },
    /// An optimizer step is done.
    Step(StepMetrics),
    /// The model was measured on the validation rows.
    Validation {
        /// After this step.
        #[ts(type = "number")]
        step: u64,
        /// Mean loss (nats per token).
        loss: f64,
        /// Whether it is the lowest so far.
        best: bool,
    },
    /// A checkpoint is complete.
    Checkpoint {
        /// After this step.
        #[ts(type = "number")]
        step: u64,
    },
    /// An epoch's snapshot is complete.
    Epoch {
        /// From 1.
        #[ts(type = "number")]
        epoch: u64,
    },
    /// What the model answers now to a question it does not learn from.
    Sample {
        /// After this step.
        #[ts(type = "number")]
        step: u64,
        /// The question.
        prompt: String,
        /// The answer.
        answer: String,
        /// Its reward, where the run learns from one.
        reward: Option<f64>,
        /// Score of each part of the reward before its weight.
        parts: Vec<f64>,
    },
    /// The reward rises while what it stands for falls: training ended, and the best point before
    /// that is kept (over-optimisation, Gao et al. 2022, arXiv 2210.10760).
    OverOptimised {
        /// Where training ended.
        #[ts(type = "number")]
        step: u64,
        /// The step that is kept.
        #[ts(type = "number")]
        best_step: u64,
        /// What fell: `similarity` to the data's own answers, or `agreement` with people's choices.
        guard: String,
        /// By how much the reward rose between the two.
        reward_gain: f64,
        /// By how much the guard fell.
        guard_loss: f64,
    },
    /// Memory ran out and portions were halved; nothing is lost.
    MemoryHalved {
        /// Tokens computed at once from now on.
        #[ts(type = "number")]
        micro_batch_tokens: u64,
    },
    /// Validation stopped improving.
    EarlyStop {
        /// Where training ended.
        #[ts(type = "number")]
        step: u64,
        /// The step that is kept.
        #[ts(type = "number")]
        best_step: u64,
    },
}
