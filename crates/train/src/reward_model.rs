//! Training a reward model: a score head says how good an answer is (Christiano et al. 2017; Ouyang
//! et al. 2022; TRL's `RewardTrainer`).

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sanbao_data::Sequence;
use sanbao_models::Decoder;
use sanbao_models::host::from_vec;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::losses::Metrics;
use crate::losses::reward_model::bradley_terry;
use crate::scored::{Found, Lowered, Reads, find};

/// How a reward model is trained.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RewardModel {
    /// Weight of the mean of `(chosen + rejected)²`, which keeps scores around 0; 0 for none.
    pub center_rewards_coefficient: f64,
}

/// Standard deviation of a fresh score head: transformers' `initializer_range`.
const INITIAL_SPREAD: f64 = 0.02;

/// Puts a fresh score head on a model, normally distributed (transformers'
/// `…ForSequenceClassification`).
pub fn attach_score(model: &mut Decoder, seed: u64) {
    let width = model.embed.dims()[1];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(u64::MAX);
    let mut uniform = || (f64::from(random.next_u32()) + 0.5) / 2f64.powi(32);
    // Box-Muller.
    let mut normal = || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let values = (0..width).map(|_| (INITIAL_SPREAD * normal()) as f32).collect();
    model.score = Some(from_vec(values, [1, width], &model.device()));
}

/// Puts a score head on a model that says 0 of everything: where PPO's values begin.
pub fn attach_zero_score(model: &mut Decoder) {
    let width = model.embed.dims()[1];
    model.score = Some(from_vec(vec![0.0; width], [1, width], &model.device()));
}

impl RewardModel {
    /// The loss of the scores of `chosen, rejected, chosen, rejected, …`; `margins` has one number a
    /// pair, or none.
    ///
    /// # Errors
    /// When the scores are no pairs, or the loss is no number.
    pub fn value(&self, found: &Found, margins: &[f64]) -> Result<Lowered, Error> {
        let side = |from: usize| -> Vec<f64> {
            found.scores.iter().skip(from).step_by(2).flatten().copied().collect()
        };
        let (chosen, rejected) = (side(0), side(1));
        let center = Some(self.center_rewards_coefficient);
        let margins = Some(margins).filter(|margins| !margins.is_empty());
        let loss = bradley_terry(&chosen, &rejected, margins, center)?;
        let slopes = loss.chosen_gradient.iter().zip(&loss.rejected_gradient);
        Ok(Lowered {
            loss: loss.loss,
            by_log_probability: Vec::new(),
            by_score: slopes
                .flat_map(|(chosen, rejected)| [vec![*chosen], vec![*rejected]])
                .collect(),
            metrics: loss.metrics,
        })
    }

    /// Mean loss and figures over pairs with their margins, without gradients; `None` without pairs.
    ///
    /// # Errors
    /// When the device does not deliver, or the loss is no number.
    pub fn measure(
        &self,
        model: &Decoder,
        sequences: &[Sequence],
        margins: &[f64],
        portion_tokens: usize,
    ) -> Result<Option<(f64, Metrics)>, Error> {
        if sequences.is_empty() {
            return Ok(None);
        }
        let found = find(model, sequences, Reads::LastScore, portion_tokens)?;
        let value = self.value(&found, margins)?;
        Ok(Some((value.loss, value.metrics)))
    }
}

/// What a reward model says of each sequence.
///
/// # Errors
/// When the model has no score head, or the device does not deliver.
pub fn scores(
    model: &Decoder,
    sequences: &[Sequence],
    portion_tokens: usize,
) -> Result<Vec<f64>, Error> {
    let found = find(model, sequences, Reads::LastScore, portion_tokens)?;
    Ok(found.scores.into_iter().flatten().collect())
}
