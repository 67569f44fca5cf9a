//! What is known about a base model.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// A licence in plain words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Licence {
    /// SPDX id, or the hub's own tag (`gemma`, `llama3.2`); `None` when the model does not say.
    pub id: Option<String>,
    /// May what is made with it be sold? `None` when not known.
    pub commercial_use: Option<bool>,
    /// May the weights be passed on?
    pub redistribution: Option<bool>,
    /// What one line has to be kept in mind (naming duties, limits); empty when nothing.
    pub summary: String,
}

/// Memory in bytes for a context of `tokens` tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct MemoryNeeds {
    /// Tokens at once that the figures are for.
    #[ts(type = "number")]
    pub tokens: u64,
    /// To answer.
    #[ts(type = "number")]
    pub run: u64,
    /// To LoRA-tune (rank 16, all linear layers).
    #[ts(type = "number")]
    pub lora: u64,
    /// To tune every weight.
    #[ts(type = "number")]
    pub full: u64,
}

/// A base model at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ModelCard {
    /// Name for people.
    pub name: String,
    /// Architecture as `model_type` in `config.json`.
    pub architecture: String,
    /// Number of parameters (tied ones counted once).
    #[ts(type = "number")]
    pub parameters: u64,
    /// Longest context in tokens.
    #[ts(type = "number")]
    pub context: u64,
    /// Vocabulary size.
    #[ts(type = "number")]
    pub vocabulary: u64,
    /// Layers.
    #[ts(type = "number")]
    pub layers: u64,
    /// Width of the hidden state.
    #[ts(type = "number")]
    pub hidden: u64,
    /// Languages (BCP 47) that the model says it knows; empty when it does not say.
    pub languages: Vec<String>,
    /// How the weights are stored: `F32`, `BF16`, `Q4_1`, …; the most frequent by bytes.
    pub stored_as: String,
    /// Bytes on disk.
    #[ts(type = "number")]
    pub bytes_on_disk: u64,
    /// Whether the model brings a chat template.
    pub has_chat_template: bool,
    /// Licence.
    pub licence: Licence,
    /// Memory needed.
    pub memory: MemoryNeeds,
}

/// A device that can compute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct DeviceReport {
    /// What `--device` takes: `cpu`, `gpu:0`, `software:0`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `cpu`, `discrete`, `integrated`, `virtual`, `software`.
    pub kind: String,
    /// Driver and graphics interface, empty for the CPU.
    pub driver: String,
    /// Bytes of memory, where it can be known.
    #[ts(type = "number | null")]
    pub memory: Option<u64>,
    /// Largest relative difference from the CPU in the self-check; `None` when not yet run.
    pub self_check: Option<f64>,
    /// Whether the self-check passed; a device that failed is not used.
    pub usable: Option<bool>,
    /// Speed of a short f32 matrix product in GFLOP/s; `None` when not yet run.
    pub gflops: Option<f64>,
}
