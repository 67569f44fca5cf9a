//! Learning from rewards of the model's own answers: PPO, RLOO, GRPO, best of n.
//!
//! A step answers some prompts with the model as it is ([`rollout`]), rewards the answers
//! ([`rewards`]), and moves the model towards what earned more than expected ([`learn`]). The
//! reference model is the same model with its adapters off. While it learns, answers to held-out
//! prompts are watched by a second eye ([`watch`]).

pub mod learn;
mod mission;
pub mod rewards;
pub mod rollout;
pub mod watch;

pub(crate) use mission::{Mission, Moving};
use sanbao_contract::reward::Reward;
use serde::{Deserialize, Serialize};

use crate::losses::grpo::{GrpoLossType, ScaleRewards};
use crate::losses::kl::KlEstimator;
use crate::losses::ppo::PpoSettings;

/// How rewards are learnt from; names as in TRL's `GRPOConfig`, `RLOOConfig` and `PPOConfig`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Online {
    /// What is done with the rewards.
    pub method: Method,
    /// What answers are rewarded for.
    pub reward: Reward,
    /// Answers for each prompt.
    pub num_generations: usize,
    /// Longest answer in tokens.
    pub max_completion_length: usize,
    /// Optimizer steps on the same answers.
    pub num_iterations: usize,
    /// Weight of the divergence from the reference model (PPO: `kl_coef`).
    pub beta: f64,
}

/// What is done with rewards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "method")]
pub enum Method {
    /// Group-relative policy optimisation.
    Grpo {
        /// How the terms of tokens become one loss.
        loss_type: GrpoLossType,
        /// What advantages are divided by.
        scale_rewards: ScaleRewards,
        /// How far a ratio may fall below and rise above 1.
        epsilon: f64,
    },
    /// REINFORCE leave-one-out.
    Rloo {
        /// Whether advantages are whitened.
        normalize_advantages: bool,
        /// How far a ratio may move from 1.
        epsilon: f64,
    },
    /// Proximal policy optimisation with a value head.
    Ppo {
        /// Of the loss.
        settings: PpoSettings,
        /// Discount of later rewards.
        gamma: f64,
        /// Bias against variance in the advantages.
        lam: f64,
        /// How the divergence is estimated.
        kl_estimator: KlEstimator,
        /// Divergence (nats per answer) that the penalty's weight is steered towards; fixed weight
        /// when `None`.
        target_kl: Option<f64>,
    },
    /// The best answer of each prompt is learnt as an example (best-of-n distillation; RAFT, Dong
    /// et al. 2023, arXiv 2304.06767).
    BestOfN,
}

impl Online {
    /// Whether a reference model has a part in it.
    pub fn needs_reference(&self) -> bool {
        self.beta > 0.0 && self.method != Method::BestOfN
    }
}
