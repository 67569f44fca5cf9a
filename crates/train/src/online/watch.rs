//! Watching held-out prompts while the model learns from rewards.
//!
//! A reward stands for something else, and what it stands for can fall while it rises
//! (over-optimisation: Gao et al. 2022, arXiv 2210.10760). So a second measure that is not learnt
//! from is taken along: how often the model agrees with people's choices, where the data has
//! them, else how close its answers are to the data's own (ROUGE-L). When the reward has risen and that has
//! fallen, both beyond chance, twice in a row, training ends and the best point before is kept.

use sanbao_data::Sequence;
use sanbao_evaluate::metrics::Units;
use sanbao_evaluate::metrics::rouge::rouge_l;
use sanbao_models::Decoder;
use serde::{Deserialize, Serialize};

use super::rewards::Rewards;
use super::rollout::{Drawing, Prompt, Rolled, roll};
use crate::Error;
use crate::scored::{Reads, find};

/// Held-out prompts that are answered at each look.
pub const WATCHED: usize = 24;
/// One-sided 95 % of a normal distribution.
const CONVINCING: f64 = 1.645;
/// Looks in a row that have to show it.
const PATIENCE: u32 = 2;

/// What a look found, one figure for each held-out row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// After this step.
    pub step: u64,
    /// Rewards of the answers.
    pub rewards: Vec<f64>,
    /// The second measure: 1 and 0 for agreement, 0 to 100 for similarity; empty where the data
    /// has nothing to compare with.
    pub guards: Vec<f64>,
}

/// What all looks so far say.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The look with the best second measure.
    pub safest: Option<Look>,
    /// Looks in a row with a risen reward and a fallen second measure.
    pub alarms: u32,
    /// Weight of the divergence as it stands (PPO's adaptive penalty).
    pub kl_coef: Option<f64>,
}

/// What a look means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning {
    /// Nothing is wrong; how good it is: the mean reward.
    Fine(f64),
    /// The second measure has fallen while the reward rose.
    Suspicious,
    /// Again: the reward is being gamed.
    OverOptimised {
        /// By how much the reward rose since the safest look.
        reward_gain: f64,
        /// By how much the second measure fell.
        guard_loss: f64,
    },
}

impl Watch {
    /// Takes a look in.
    pub fn take(&mut self, look: Look) -> Meaning {
        let reward = mean(&look.rewards);
        let Some(safest) = &self.safest else {
            self.safest = Some(look);
            return Meaning::Fine(reward);
        };
        let gain = Change::between(&safest.rewards, &look.rewards);
        let loss = Change::between(&look.guards, &safest.guards);
        if gain.is_convincing() && loss.is_convincing() {
            self.alarms += 1;
            if self.alarms >= PATIENCE {
                return Meaning::OverOptimised { reward_gain: gain.mean, guard_loss: loss.mean };
            }
            return Meaning::Suspicious;
        }
        self.alarms = 0;
        if mean(&look.guards) >= mean(&safest.guards) {
            self.safest = Some(look);
        }
        Meaning::Fine(reward)
    }
}

fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// How figures of the same rows changed.
struct Change {
    mean: f64,
    error: f64,
}

impl Change {
    fn between(before: &[f64], after: &[f64]) -> Self {
        let differences: Vec<f64> = before.iter().zip(after).map(|(b, a)| a - b).collect();
        let count = differences.len() as f64;
        let center = mean(&differences);
        let squares: f64 = differences.iter().map(|value| (value - center).powi(2)).sum();
        Self { mean: center, error: (squares / (count - 1.0).max(1.0) / count.max(1.0)).sqrt() }
    }

    /// Risen beyond chance. Rows that all moved by the same leave no doubt.
    fn is_convincing(&self) -> bool {
        self.mean > 0.0 && self.mean >= CONVINCING * self.error
    }
}

/// The held-out rows that are watched.
pub struct Watched {
    prompts: Vec<Prompt>,
    /// `chosen, rejected, …` where the data has people's choices.
    pairs: Vec<Sequence>,
}

impl Watched {
    /// Questions of held-out rows, and their pairs of answers where the data has such.
    pub fn new(prompts: Vec<Prompt>, pairs: Vec<Sequence>) -> Self {
        Self { prompts, pairs }
    }

    /// Whether there is nothing to watch.
    pub fn is_empty(&self) -> bool {
        self.prompts.is_empty()
    }

    /// Name of the second measure.
    pub fn guard(&self) -> &'static str {
        if self.pairs.is_empty() { "similarity" } else { "agreement" }
    }

    /// Answers the prompts as the model would sample them, always with the same seed, and measures.
    ///
    /// # Errors
    /// When the model fails, or a reward cannot be given.
    pub fn look(
        &self,
        model: &Decoder,
        tokenizer: &sanbao_text::Tokenizer,
        rewards: &Rewards<'_>,
        drawing: Drawing,
        portion_tokens: usize,
        step: u64,
    ) -> Result<(Look, Vec<(Prompt, Rolled)>), Error> {
        let prompts: Vec<&Prompt> = self.prompts.iter().collect();
        let drawing = Drawing { answers: 1, ..drawing };
        let rolled = roll(model, tokenizer, &prompts, rewards, drawing)?;
        let guards = if self.pairs.is_empty() {
            let close = |(prompt, answer): (&Prompt, &Rolled)| {
                // Of precision and recall, so that neither a long nor a short answer wins by its length.
                100.0
                    * rouge_l(
                        &answer.text,
                        &prompt.reference,
                        Units::for_reference(&prompt.reference),
                    )
                    .f1
            };
            let known = self.prompts.iter().zip(&rolled);
            known.filter(|(prompt, _)| !prompt.reference.is_empty()).map(close).collect()
        } else {
            self.agreement(model, portion_tokens)?
        };
        let of = rolled.iter().map(|answer| answer.earned.reward).collect();
        let shown = self.prompts.iter().cloned().zip(rolled).collect();
        Ok((Look { step, rewards: of, guards }, shown))
    }

    /// For each pair whether the model finds the preferred answer the likelier one, by the mean
    /// over its tokens.
    fn agreement(&self, model: &Decoder, portion_tokens: usize) -> Result<Vec<f64>, Error> {
        let found = find(model, &self.pairs, Reads::LogProbabilities, portion_tokens)?;
        let pairs = found.log_probabilities.chunks_exact(2);
        Ok(pairs.map(|pair| f64::from(mean(&pair[0]) > mean(&pair[1]))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(step: u64, rewards: &[f64], guards: &[f64]) -> Look {
        Look { step, rewards: rewards.to_vec(), guards: guards.to_vec() }
    }

    #[test]
    fn a_reward_that_rises_alone_is_fine() {
        let mut watch = Watch::default();
        watch.take(look(0, &[0.1, 0.2, 0.1, 0.2], &[50.0, 40.0, 45.0, 60.0]));
        for step in 1..5 {
            let rise = step as f64 / 10.0;
            let rewards = [0.1 + rise, 0.2 + rise, 0.15 + rise, 0.2 + rise];
            let meaning = watch.take(look(step, &rewards, &[51.0, 39.5, 46.0, 59.0]));
            assert!(matches!(meaning, Meaning::Fine(_)), "{meaning:?}");
        }
    }

    #[test]
    fn a_reward_that_is_gamed_rings_the_second_time() {
        let mut watch = Watch::default();
        watch.take(look(0, &[0.1, 0.2, 0.1, 0.2], &[50.0, 40.0, 45.0, 60.0]));
        let gamed = |step| look(step, &[0.8, 0.9, 0.7, 0.9], &[20.0, 14.0, 18.0, 22.0]);
        assert_eq!(watch.take(gamed(1)), Meaning::Suspicious);
        let Meaning::OverOptimised { reward_gain, guard_loss } = watch.take(gamed(2)) else {
            panic!("no alarm");
        };
        assert!((reward_gain - 0.675).abs() < 1e-12 && (guard_loss - 30.25).abs() < 1e-12);
        assert_eq!(watch.safest.map(|safest| safest.step), Some(0));
    }

    #[test]
    fn noise_rings_nothing() {
        let mut watch = Watch::default();
        watch.take(look(0, &[0.1, 0.9, 0.4, 0.2], &[50.0, 40.0, 45.0, 60.0]));
        for step in 1..6 {
            let meaning = watch.take(look(step, &[0.3, 0.8, 0.6, 0.1], &[30.0, 55.0, 41.0, 62.0]));
            assert!(matches!(meaning, Meaning::Fine(_)));
        }
    }
}
