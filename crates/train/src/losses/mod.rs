//! Losses of preference tuning and of reinforcement learning from rewards.
//!
//! Gradients are not recorded. A recipe computes the log-probability of every completion token
//! in the forward pass; a loss gives its value and its derivative by each of these
//! log-probabilities; the backward pass of the model takes it from there (a target's weight is
//! the negative derivative, since the model's own token loss is the negative log-probability).
//!
//! All of it is computed in f64 from f32 or f64 ([`TokenRows`]). Settings and metrics have the
//! names of TRL, the reference implementation; the numbers are held against TRL 1.16.
//!
//! Most losses are a mean over pairs or rows, so portions of a step add up when each is weighted
//! by its share of them. Not so what is a mean over tokens (`sft`, the log-likelihood in `orpo`,
//! `cpo_*` and `simpo`, PPO) or over the whole batch (whitening, KTO's reference point): there a
//! step's rows are given at once, or the means differ from the whole step's as TRL's do under
//! gradient accumulation. [`grpo`] takes what is to be divided by as a setting.

mod clip;
pub mod cpo;
pub mod dpo;
mod error;
pub mod grpo;
pub mod kl;
pub mod kto;
mod logistic;
pub mod orpo;
mod pair;
pub mod ppo;
mod preference;
pub mod reward_model;
pub mod rloo;
mod rows;
pub mod simpo;

use std::collections::BTreeMap;

pub use error::Error;
pub use preference::{FDivergence, PreferenceBatch, PreferenceSettings};
pub use rows::TokenRows;

/// Figures of a step by TRL's names (`rewards/chosen`, `clip_ratio/low_mean`, ...).
pub type Metrics = BTreeMap<&'static str, f64>;

/// A loss of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct LossValue {
    /// The loss.
    pub loss: f64,
    /// Loss of each pair or row (GRPO: mean over its tokens) before the mean over them, weights of
    /// rows included, terms over all tokens of the batch not.
    pub per_example: Vec<f64>,
    /// Derivative of the loss by each of the policy's token log-probabilities, in the shape of
    /// the policy's rows.
    pub gradient: TokenRows,
    /// Derivative by the log-probabilities of the prompts' tokens, for a loss that has a term
    /// over them (`orpo`).
    pub prompt_gradient: Option<TokenRows>,
    /// Figures for the log.
    pub metrics: Metrics,
}

impl LossValue {
    /// Refuses figures that are beyond f64.
    fn checked(self) -> Result<Self, Error> {
        let figures = self.per_example.iter().chain(self.gradient.flat());
        expect_finite(figures.chain(self.metrics.values()).chain([&self.loss]))?;
        Ok(self)
    }
}

/// Refuses results that are beyond f64.
fn expect_finite<'a>(results: impl IntoIterator<Item = &'a f64>) -> Result<(), Error> {
    match results.into_iter().find(|value| !value.is_finite()) {
        Some(value) => Err(Error::Overflow { value: *value }),
        None => Ok(()),
    }
}

/// A loss of preference tuning.
#[derive(Debug)]
pub struct PreferenceLoss {
    /// Name: TRL's `loss_type` or trainer, where it has one.
    pub name: &'static str,
    /// Paper and equation, and the reference implementation.
    pub source: &'static str,
    /// Whether rows are pairs: chosen rows first, then as many rejected ones. Otherwise each row
    /// is desirable or not.
    pub paired: bool,
    /// Whether it compares with a reference model.
    pub needs_reference: bool,
    /// Whether it also learns from the prompts of the chosen rows.
    pub needs_prompts: bool,
    /// Settings that the reference implementation or the paper proposes.
    pub defaults: PreferenceSettings,
    /// The loss.
    ///
    /// # Errors
    /// When rows, what belongs to them and settings do not fit together, or the result is beyond
    /// f64.
    pub compute: fn(&PreferenceBatch<'_>, &PreferenceSettings) -> Result<LossValue, Error>,
}

/// Every preference loss.
pub static PREFERENCE_LOSSES: &[&PreferenceLoss] = &[
    &dpo::SIGMOID,
    &dpo::ROBUST,
    &dpo::IPO,
    &dpo::IPO_SUM,
    &dpo::HINGE,
    &dpo::SIGMOID_NORM,
    &dpo::EXO_PAIR,
    &dpo::NCA_PAIR,
    &dpo::BCO_PAIR,
    &dpo::SPPO_HARD,
    &dpo::APO_ZERO,
    &dpo::APO_DOWN,
    &dpo::DISCOPOP,
    &dpo::SFT,
    &kto::KTO,
    &orpo::ORPO,
    &simpo::SIMPO,
    &cpo::CPO_SIGMOID,
    &cpo::CPO_HINGE,
];

/// The preference loss of a name.
///
/// # Errors
/// When there is none of that name.
pub fn preference_loss(name: &str) -> Result<&'static PreferenceLoss, Error> {
    PREFERENCE_LOSSES.iter().find(|loss| loss.name == name).copied().ok_or_else(|| {
        let known: Vec<&str> = PREFERENCE_LOSSES.iter().map(|loss| loss.name).collect();
        Error::UnknownLoss { found: name.to_owned(), known: known.join(", ") }
    })
}
