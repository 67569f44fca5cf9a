//! From rewards to gradients.

use sanbao_data::Sequence;
use sanbao_models::Decoder;

use super::rollout::Rolled;
use super::{Method, Online};
use crate::Error;
use crate::losses::grpo::{self, GrpoBatch, GrpoSettings};
use crate::losses::kl::{AdaptiveKl, KlEstimator};
use crate::losses::ppo::{self, PpoBatch, PpoSettings};
use crate::losses::{Metrics, TokenRows, rloo};
use crate::scored::{Found, Lowered, Reads, find};

/// Horizon of the adaptive penalty (Ziegler et al. 2019, arXiv 1909.08593, section 2.2).
const KL_HORIZON: f64 = 10_000.0;

/// Answers ready to be learnt from: what does not change while the model moves.
pub struct Lesson<'a> {
    online: &'a Online,
    /// The answers that are learnt from.
    pub sequences: Vec<Sequence>,
    /// Log-probabilities under the model that wrote them.
    old: TokenRows,
    reference: Option<TokenRows>,
    kind: Kind,
    /// Figures of the answers, in TRL's names.
    pub metrics: Metrics,
}

enum Kind {
    /// One advantage for each answer.
    Answers(Vec<f64>),
    /// One for each token, and what the value head said and should have said.
    Tokens { advantages: TokenRows, old_values: TokenRows, returns: TokenRows },
    /// The answers are examples.
    Examples,
}

impl<'a> Lesson<'a> {
    /// Compares what answers earned with what was expected of them. `base` is the reference model,
    /// `kl_coef` is the weight of the
    /// divergence as it stands; PPO's adaptive penalty moves it.
    ///
    /// # Errors
    /// When a model fails, or a figure is no number.
    pub fn new(
        online: &'a Online,
        model: &Decoder,
        base: &Decoder,
        rolled: &[Rolled],
        portion_tokens: usize,
        kl_coef: &mut f64,
    ) -> Result<Self, Error> {
        let rewards: Vec<f64> = rolled.iter().map(|answer| answer.earned.reward).collect();
        let all: Vec<Sequence> = rolled.iter().map(|answer| answer.sequence.clone()).collect();
        if online.method == Method::BestOfN {
            return Self::of_best(online, all, &rewards);
        }
        let reads = match online.method {
            Method::Ppo { .. } => Reads::LogProbabilitiesAndValues,
            _ => Reads::LogProbabilities,
        };
        let found = find(model, &all, reads, portion_tokens)?;
        let old = TokenRows::new(&found.log_probabilities)?;
        let needs_reference =
            online.needs_reference() || matches!(online.method, Method::Ppo { .. });
        let reference = match needs_reference {
            true => {
                let known = find(base, &all, Reads::LogProbabilities, portion_tokens)?;
                Some(TokenRows::new(&known.log_probabilities)?)
            }
            false => None,
        };
        let (kind, mut metrics) = match &online.method {
            Method::Grpo { scale_rewards, .. } => {
                let compared = grpo::advantages(&rewards, online.num_generations, *scale_rewards)?;
                (Kind::Answers(compared.advantages), compared.metrics)
            }
            Method::Rloo { normalize_advantages, .. } => {
                let compared = rloo::advantages(
                    &rewards,
                    &old,
                    reference.as_ref(),
                    online.num_generations,
                    online.beta,
                    *normalize_advantages,
                )?;
                (Kind::Answers(compared.advantages), compared.metrics)
            }
            Method::Ppo { gamma, lam, kl_estimator, target_kl, .. } => {
                let reference = reference.as_ref().unwrap_or(&old);
                let kl = kl_estimator.estimates(&old, reference)?;
                let mut metrics = ppo::objective_metrics(&rewards, &kl, *kl_coef)?;
                let token_rewards = ppo::token_rewards(&rewards, &kl, *kl_coef)?;
                let old_values = TokenRows::new(&found.scores)?;
                let (advantages, returns) =
                    ppo::advantages_and_returns(&token_rewards, &old_values, *gamma, *lam)?;
                metrics.extend(reward_figures(&rewards));
                metrics.insert("objective/kl_coef", *kl_coef);
                if let Some(target) = target_kl {
                    let mut adaptive = AdaptiveKl::new(*kl_coef, *target, KL_HORIZON)?;
                    let per_answer: f64 =
                        KlEstimator::K1.estimates(&old, reference)?.sums().iter().sum::<f64>()
                            / rewards.len() as f64;
                    adaptive.update(per_answer, rewards.len())?;
                    *kl_coef = adaptive.kl_coef;
                }
                let advantages = ppo::whiten(&advantages, false)?;
                (Kind::Tokens { advantages, old_values, returns }, metrics)
            }
            Method::BestOfN => (Kind::Examples, Metrics::new()),
        };
        // The mean surprise of sampled tokens is the entropy of what they are sampled from.
        let tokens = old.tokens().max(1) as f64;
        metrics.insert("entropy", -old.flat().iter().sum::<f64>() / tokens);
        if let Some(reference) = &reference {
            let k3 = KlEstimator::K3.estimates(&old, reference)?;
            metrics.insert("kl", k3.flat().iter().sum::<f64>() / tokens);
        }
        Ok(Self { online, sequences: all, old, reference, kind, metrics })
    }

    /// The best answer of each prompt.
    fn of_best(online: &'a Online, all: Vec<Sequence>, rewards: &[f64]) -> Result<Self, Error> {
        let compared = grpo::advantages(rewards, online.num_generations, grpo::ScaleRewards::None)?;
        let each = online.num_generations;
        let best = rewards.chunks(each).enumerate().map(|(prompt, group)| {
            let best = group.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            prompt * each + best.map_or(0, |(at, _)| at)
        });
        let sequences: Vec<Sequence> = best.map(|at| all[at].clone()).collect();
        let old = TokenRows::default();
        let metrics = compared.metrics;
        Ok(Self { online, sequences, old, reference: None, kind: Kind::Examples, metrics })
    }

    /// What the loss reads.
    pub fn reads(&self) -> Reads {
        match self.kind {
            Kind::Tokens { .. } => Reads::LogProbabilitiesAndValues,
            _ => Reads::LogProbabilities,
        }
    }

    /// The loss of the model as it stands.
    ///
    /// # Errors
    /// When a figure is no number.
    pub fn value(&self, found: &Found) -> Result<Lowered, Error> {
        let policy = TokenRows::new(&found.log_probabilities)?;
        let lists = |rows: &TokenRows| rows.iter().map(<[f64]>::to_vec).collect();
        match (&self.kind, &self.online.method) {
            (Kind::Answers(advantages), Method::Grpo { loss_type, epsilon, .. }) => {
                let batch = GrpoBatch {
                    policy: &policy,
                    old: Some(&self.old),
                    reference: self.reference.as_ref(),
                    advantages,
                };
                let settings = GrpoSettings {
                    loss_type: *loss_type,
                    beta: self.online.beta,
                    epsilon_low: *epsilon,
                    epsilon_high: *epsilon,
                    max_completion_length: self.online.max_completion_length,
                    ..GrpoSettings::default()
                };
                let value = grpo::loss(&batch, &settings)?;
                Ok(Lowered {
                    loss: value.loss,
                    by_log_probability: lists(&value.gradient),
                    by_score: Vec::new(),
                    metrics: value.metrics,
                })
            }
            (Kind::Answers(advantages), Method::Rloo { epsilon, .. }) => {
                let value = rloo::loss(&policy, &self.old, advantages, *epsilon, *epsilon)?;
                Ok(Lowered {
                    loss: value.loss,
                    by_log_probability: lists(&value.gradient),
                    by_score: Vec::new(),
                    metrics: value.metrics,
                })
            }
            (Kind::Tokens { advantages, old_values, returns }, Method::Ppo { settings, .. }) => {
                self.ppo(&policy, found, [advantages, old_values, returns], settings)
            }
            _ => Ok(mean_likelihood(&policy)),
        }
    }

    fn ppo(
        &self,
        policy: &TokenRows,
        found: &Found,
        [advantages, old_values, returns]: [&TokenRows; 3],
        settings: &PpoSettings,
    ) -> Result<Lowered, Error> {
        let values = TokenRows::new(&found.scores)?;
        let batch = PpoBatch {
            policy,
            old: &self.old,
            values: &values,
            old_values,
            advantages,
            returns,
            entropies: None,
        };
        let value = ppo::loss(&batch, settings)?;
        Ok(Lowered {
            loss: value.loss,
            by_log_probability: value.gradient.iter().map(<[f64]>::to_vec).collect(),
            by_score: value.value_gradient.iter().map(<[f64]>::to_vec).collect(),
            metrics: value.metrics,
        })
    }
}

/// Negative log-likelihood, a mean over all tokens.
fn mean_likelihood(policy: &TokenRows) -> Lowered {
    let tokens = policy.tokens().max(1) as f64;
    Lowered {
        loss: -policy.flat().iter().sum::<f64>() / tokens,
        by_log_probability: policy.iter().map(|row| vec![-1.0 / tokens; row.len()]).collect(),
        ..Lowered::default()
    }
}

fn reward_figures(rewards: &[f64]) -> Metrics {
    let count = rewards.len().max(1) as f64;
    let mean = rewards.iter().sum::<f64>() / count;
    let squares: f64 = rewards.iter().map(|reward| (reward - mean).powi(2)).sum();
    Metrics::from([("reward", mean), ("reward_std", (squares / (count - 1.0).max(1.0)).sqrt())])
}
