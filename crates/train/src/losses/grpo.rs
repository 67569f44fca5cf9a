//! Group-relative policy optimisation and its variants (TRL's `GRPOTrainer`).

use serde::{Deserialize, Serialize};

use super::clip::{Clip, Clipped};
use super::kl::KlEstimator;
use super::preference::expect;
use super::rows::{expect_count, finite, mean, standard_deviation};
use super::{Error, LossValue, Metrics, TokenRows, expect_finite};

/// Added to a standard deviation of rewards before dividing by it, as TRL does.
pub(super) const REWARD_SPREAD_FLOOR: f64 = 1e-4;

/// A standard deviation of rewards that counts as none, as `torch.isclose` sees it.
const NO_SPREAD: f64 = 1e-8;

/// What the advantages are divided by (TRL's `scale_rewards`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleRewards {
    /// The spread of the rewards of the same prompt.
    #[default]
    Group,
    /// The spread of all rewards.
    Batch,
    /// Nothing (Dr. GRPO, arXiv 2503.20783).
    None,
}

/// What completions are worth in comparison with the others of their prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupAdvantages {
    /// Of each completion.
    pub advantages: Vec<f64>,
    /// Mean reward of each prompt.
    pub means: Vec<f64>,
    /// Standard deviation (n-1) of the rewards of each prompt.
    pub standard_deviations: Vec<f64>,
    /// `reward`, `reward_std`, and `frac_reward_zero_std`: the share of prompts whose completions
    /// all got the same reward, from which nothing is learnt. TRL gives 0 or 1 for the whole batch
    /// when scaling by batch; here it is the share of prompts always.
    pub metrics: Metrics,
}

/// `(r - mean of the prompt) / (standard deviation + 1e-4)`, standard deviations with n-1
/// (DeepSeekMath, arXiv 2402.03300, section 4.1.2; TRL's
/// `GRPOTrainer._generate_and_score_completions`).
///
/// Takes one reward for each completion, `num_generations` of each prompt one after the other.
///
/// # Errors
/// When rewards do not form groups of at least two, one is not finite, or the result is beyond
/// f64.
pub fn advantages<T: Copy + Into<f64>>(
    rewards: &[T],
    num_generations: usize,
    scale_rewards: ScaleRewards,
) -> Result<GroupAdvantages, Error> {
    let rewards = finite("the rewards", rewards)?;
    let means: Vec<f64> = groups(&rewards, num_generations)?.map(mean).collect();
    let standard_deviations: Vec<f64> =
        groups(&rewards, num_generations)?.map(standard_deviation).collect();
    let whole = standard_deviation(&rewards);
    let advantages = rewards
        .iter()
        .enumerate()
        .map(|(row, reward)| {
            let group = row / num_generations;
            let better = reward - means[group];
            match scale_rewards {
                ScaleRewards::Group => better / (standard_deviations[group] + REWARD_SPREAD_FLOOR),
                ScaleRewards::Batch => better / (whole + REWARD_SPREAD_FLOOR),
                ScaleRewards::None => better,
            }
        })
        .collect::<Vec<f64>>();
    expect_finite(&advantages)?;
    let metrics = reward_metrics(&rewards, &rewards, num_generations)?;
    Ok(GroupAdvantages { advantages, means, standard_deviations, metrics })
}

/// The rewards of each prompt.
pub(super) fn groups(
    rewards: &[f64],
    num_generations: usize,
) -> Result<impl Iterator<Item = &[f64]>, Error> {
    let rows = rewards.len();
    if rows == 0 {
        return Err(Error::NoRows);
    }
    if num_generations < 2 || !rows.is_multiple_of(num_generations) {
        return Err(Error::NotGroups { rows, num_generations });
    }
    Ok(rewards.chunks_exact(num_generations))
}

/// Mean and spread of the rewards as given, and the share of prompts without a spread in those
/// that are compared.
pub(super) fn reward_metrics(
    given: &[f64],
    compared: &[f64],
    num_generations: usize,
) -> Result<Metrics, Error> {
    let flat: Vec<f64> = groups(compared, num_generations)?
        .map(|group| f64::from(standard_deviation(group) <= NO_SPREAD))
        .collect();
    let metrics = Metrics::from([
        ("reward", mean(given)),
        ("reward_std", standard_deviation(given)),
        ("frac_reward_zero_std", mean(&flat)),
    ]);
    expect_finite(metrics.values())?;
    Ok(metrics)
}

/// How the terms of tokens become one loss (TRL's `loss_type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrpoLossType {
    /// The mean over completions of their mean over tokens (DeepSeekMath, arXiv 2402.03300, eq. 3).
    Grpo,
    /// The sum over tokens by completions times `max_completion_length` (Dr. GRPO,
    /// arXiv 2503.20783).
    DrGrpo,
    /// The sum over tokens by the tokens of the whole step (DAPO, arXiv 2503.14476, eq. 8).
    #[default]
    Dapo,
    /// The sum over tokens by the tokens given.
    Bnpo,
    /// As `Dapo`, but with the ratio, at most `epsilon_high` and without a gradient, as the weight
    /// of the log-probability (CISPO, arXiv 2506.13585).
    Cispo,
}

/// What the ratio of probabilities is of (TRL's `importance_sampling_level`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportanceSamplingLevel {
    /// Each token.
    #[default]
    Token,
    /// The completion: the geometric mean over its tokens (GSPO, arXiv 2507.18071, eq. 5-7).
    Sequence,
}

/// Settings of [`loss`], in TRL's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GrpoSettings {
    /// How the terms of tokens become one loss.
    pub loss_type: GrpoLossType,
    /// What the ratio is of.
    pub importance_sampling_level: ImportanceSamplingLevel,
    /// Weight of the divergence from the reference model (k3), at least 0; at 0 no reference model
    /// is needed.
    pub beta: f64,
    /// How far a ratio may fall below 1, at least 0 and below 1.
    pub epsilon_low: f64,
    /// How far a ratio may rise above 1, at least 0. For `cispo` the greatest weight.
    pub epsilon_high: f64,
    /// Greatest ratio that counts at all, above 0 (INTELLECT-2, arXiv 2505.07291).
    pub delta: Option<f64>,
    /// Greatest number of tokens of a completion. `dr_grpo`.
    pub max_completion_length: usize,
    /// Into how many portions the step is cut of which this is one. `grpo`, `dr_grpo`, `bnpo`:
    /// the mean of the portions is the loss of the step.
    pub portions: usize,
    /// Completion tokens of the whole step, where this is a portion of it. `dapo`, `cispo`.
    pub step_tokens: Option<usize>,
}

impl Default for GrpoSettings {
    /// The defaults of TRL's `GRPOConfig`, for a step in one portion.
    fn default() -> Self {
        Self {
            loss_type: GrpoLossType::Dapo,
            importance_sampling_level: ImportanceSamplingLevel::Token,
            beta: 0.0,
            epsilon_low: 0.2,
            epsilon_high: 0.2,
            delta: None,
            max_completion_length: 256,
            portions: 1,
            step_tokens: None,
        }
    }
}

impl GrpoSettings {
    fn check(&self) -> Result<Clip, Error> {
        expect(self.beta >= 0.0, "beta", self.beta, "at least 0")?;
        for (name, value) in [
            ("max_completion_length", Some(self.max_completion_length)),
            ("portions", Some(self.portions)),
            ("step_tokens", self.step_tokens),
        ] {
            let value = value.unwrap_or(1);
            expect(value > 0, name, value as f64, "at least 1")?;
        }
        Clip { low: self.epsilon_low, high: self.epsilon_high, cap: self.delta }.check()
    }
}

/// Completions of a step, as log-probabilities (nats) of their tokens, the end token included.
#[derive(Debug, Clone, Copy)]
pub struct GrpoBatch<'a> {
    /// Under the policy.
    pub policy: &'a TokenRows,
    /// Under the policy that wrote them; `None` when that is the policy itself, so that every
    /// ratio is 1.
    pub old: Option<&'a TokenRows>,
    /// Under the reference model; needed when `beta` is above 0.
    pub reference: Option<&'a TokenRows>,
    /// One for each completion.
    pub advantages: &'a [f64],
}

/// The clipped objective of each token, plus `beta` times its divergence from the reference model
/// (DeepSeekMath, arXiv 2402.03300, eq. 3-4; TRL's `GRPOTrainer._compute_loss`).
///
/// Metrics: `kl` when `beta` is above 0, and `clip_ratio/*`, or `cispo_clip_ratio`.
///
/// # Errors
/// When shapes differ, a row has no tokens, the reference model is needed and absent, a number is
/// not finite, a setting is outside its range or the result is beyond f64.
pub fn loss(batch: &GrpoBatch<'_>, settings: &GrpoSettings) -> Result<LossValue, Error> {
    let clip = settings.check()?;
    let policy = batch.policy;
    policy.expect_tokens("the policy")?;
    let old = batch.old.unwrap_or(policy);
    old.expect_shape_of(policy, "the old policy")?;
    // At 0 the reference model has no part in it; its place is taken so that there is one loop.
    let reference = if settings.beta == 0.0 {
        policy
    } else {
        let what = "the log-probabilities of the reference model";
        batch.reference.ok_or(Error::Missing { what })?
    };
    let kl = KlEstimator::K3.estimates(policy, reference)?;
    expect_count("the advantages", batch.advantages.len(), policy.len())?;
    let advantages = finite("the advantages", batch.advantages)?;

    let log_ratios = policy.combine(old, |policy, old| policy - old);
    let rows = policy.iter().zip(reference.iter()).zip(log_ratios.iter()).zip(kl.iter());
    let (mut per_example, mut gradient) = (Vec::new(), Vec::new());
    let mut total = 0.0;
    let mut shares = ClipShares::default();
    for ((((policy_row, reference_row), log_ratios), kl), advantage) in rows.zip(&advantages) {
        let weight = settings.token_weight(policy_row.len(), policy);
        let whole = mean(log_ratios);
        let terms: Vec<Clipped> = log_ratios
            .iter()
            .zip(policy_row)
            .map(|(token, logp)| {
                let log_ratio = match settings.importance_sampling_level {
                    ImportanceSamplingLevel::Token => *token,
                    ImportanceSamplingLevel::Sequence => whole,
                };
                match settings.loss_type {
                    GrpoLossType::Cispo => cispo(log_ratio, *advantage, *logp, clip),
                    _ => clip.of(log_ratio, *advantage),
                }
            })
            .collect();
        let penalised = terms.iter().zip(kl).map(|(term, kl)| term.loss + settings.beta * kl);
        let sum: f64 = penalised.sum();
        total += weight * sum;
        per_example.push(sum / policy_row.len() as f64);
        for ((term, logp), reference) in terms.iter().zip(policy_row).zip(reference_row) {
            let penalty = settings.beta * KlEstimator::K3.slope(*logp, *reference);
            gradient.push(weight * (term.slope + penalty));
        }
        match settings.importance_sampling_level {
            ImportanceSamplingLevel::Token => shares.add_row(&terms),
            ImportanceSamplingLevel::Sequence => shares.add_row(&terms[..1]),
        }
    }

    let mut metrics = if settings.loss_type == GrpoLossType::Cispo {
        Metrics::from([("cispo_clip_ratio", shares.high())])
    } else {
        shares.metrics()
    };
    if settings.beta != 0.0 {
        metrics.insert("kl", kl.mean());
    }
    LossValue {
        loss: total,
        per_example,
        gradient: policy.with_values(gradient),
        prompt_gradient: None,
        metrics,
    }
    .checked()
}

impl GrpoSettings {
    /// What a token of a completion of `length` tokens counts.
    fn token_weight(&self, length: usize, policy: &TokenRows) -> f64 {
        let (rows, portions) = (policy.len() as f64, self.portions as f64);
        let tokens = policy.tokens();
        1.0 / match self.loss_type {
            GrpoLossType::Grpo => rows * length as f64 * portions,
            GrpoLossType::DrGrpo => rows * self.max_completion_length as f64 * portions,
            GrpoLossType::Bnpo => tokens as f64 * portions,
            GrpoLossType::Dapo | GrpoLossType::Cispo => self.step_tokens.unwrap_or(tokens) as f64,
        }
    }
}

/// The ratio is a weight here and has no derivative.
fn cispo(log_ratio: f64, advantage: f64, logp: f64, clip: Clip) -> Clipped {
    let ratio = log_ratio.exp();
    let weight = ratio.min(clip.high);
    Clipped {
        loss: -weight * advantage * logp,
        slope: -weight * advantage,
        ratio,
        is_low: false,
        is_high: ratio > clip.high && advantage > 0.0,
    }
}

/// Which shares of tokens (or completions) were clipped.
#[derive(Debug, Default)]
pub(super) struct ClipShares {
    /// Of each completion: share below, share above, terms.
    rows: Vec<(f64, f64, f64)>,
}

impl ClipShares {
    pub(super) fn add_row(&mut self, terms: &[Clipped]) {
        let count = terms.len() as f64;
        let share =
            |is: fn(&Clipped) -> bool| terms.iter().filter(|t| is(t)).count() as f64 / count;
        self.rows.push((share(|term| term.is_low), share(|term| term.is_high), count));
    }

    /// Share of all terms that were clipped above.
    fn high(&self) -> f64 {
        self.share(|(_, high, _)| *high)
    }

    fn share(&self, of: fn(&(f64, f64, f64)) -> f64) -> f64 {
        let terms: f64 = self.rows.iter().map(|row| row.2).sum();
        self.rows.iter().map(|row| of(row) * row.2).sum::<f64>() / terms
    }

    /// In TRL's names.
    pub(super) fn metrics(&self) -> Metrics {
        let low = self.share(|(low, ..)| *low);
        Metrics::from([
            ("clip_ratio/low_mean", low),
            ("clip_ratio/high_mean", self.high()),
            ("clip_ratio/region_mean", low + self.high()),
            ("clip_ratio/low_min", self.rows.iter().map(|row| row.0).fold(f64::INFINITY, f64::min)),
            ("clip_ratio/high_max", self.rows.iter().map(|row| row.1).fold(0.0, f64::max)),
        ])
    }
}
