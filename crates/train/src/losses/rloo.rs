//! REINFORCE leave-one-out (TRL's `RLOOTrainer`): the other completions of a prompt are the
//! baseline, and a whole completion is one action.

use super::clip::Clip;
use super::grpo::{ClipShares, REWARD_SPREAD_FLOOR, groups, reward_metrics};
use super::kl::KlEstimator;
use super::preference::expect;
use super::rows::{expect_count, finite, mean, standard_deviation};
use super::{Error, LossValue, Metrics, TokenRows, expect_finite};

/// What completions are worth in comparison with the others of their prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct RlooAdvantages {
    /// Of each completion.
    pub advantages: Vec<f64>,
    /// Divergence from the reference model of each completion, summed over its tokens (nats); 0
    /// without a reference model.
    pub sequence_kl: Vec<f64>,
    /// Rewards less `beta` times the divergence.
    pub rewards: Vec<f64>,
    /// Mean of these over the other completions of the prompt.
    pub baselines: Vec<f64>,
    /// `reward`, `reward_std` (before the penalty), `frac_reward_zero_std` (after it), and with a
    /// reference model `kl` (per token).
    pub metrics: Metrics,
}

/// `r_i - mean of the other r_j` of the same prompt (RLOO, arXiv 2402.14740, eq. 8), with r the
/// reward less `beta` times the sum over tokens of `old - reference` (k1). With
/// `normalize_advantages` less their mean, and divided by their standard deviation (n-1) + 1e-4.
///
/// Rows are completions, `num_generations` of each prompt one after the other; `old` and
/// `reference` are the log-probabilities (nats) of their tokens under the policy that wrote them
/// and under the reference model, which is not needed when `beta` is 0.
///
/// # Errors
/// When rows do not form groups of at least two, shapes differ, the reference model is needed and
/// absent, a number is not finite, `beta` is negative or the result is beyond f64.
pub fn advantages<T: Copy + Into<f64>>(
    rewards: &[T],
    old: &TokenRows,
    reference: Option<&TokenRows>,
    num_generations: usize,
    beta: f64,
    normalize_advantages: bool,
) -> Result<RlooAdvantages, Error> {
    expect(beta >= 0.0, "beta", beta, "at least 0")?;
    old.expect_tokens("the old policy")?;
    expect_count("the rewards", rewards.len(), old.len())?;
    let given = finite("the rewards", rewards)?;
    let kl = match reference {
        Some(reference) => Some(KlEstimator::K1.estimates(old, reference)?),
        None if beta == 0.0 => None,
        None => {
            return Err(Error::Missing { what: "the log-probabilities of the reference model" });
        }
    };
    let sequence_kl = kl.as_ref().map_or(vec![0.0; given.len()], TokenRows::sums);
    let rewards: Vec<f64> =
        given.iter().zip(&sequence_kl).map(|(reward, kl)| reward - beta * kl).collect();

    let others = num_generations as f64 - 1.0;
    let baselines: Vec<f64> = groups(&rewards, num_generations)?
        .flat_map(|group| {
            let sum: f64 = group.iter().sum();
            group.iter().map(move |reward| (sum - reward) / others)
        })
        .collect();
    let mut advantages: Vec<f64> = rewards.iter().zip(&baselines).map(|(r, b)| r - b).collect();
    if normalize_advantages {
        let center = mean(&advantages);
        let spread = standard_deviation(&advantages) + REWARD_SPREAD_FLOOR;
        advantages.iter_mut().for_each(|value| *value = (*value - center) / spread);
    }

    expect_finite(&advantages)?;
    let mut metrics = reward_metrics(&given, &rewards, num_generations)?;
    if let Some(kl) = kl {
        metrics.insert("kl", kl.mean());
    }
    Ok(RlooAdvantages { advantages, sequence_kl, rewards, baselines, metrics })
}

/// `-min(r A, clip(r) A)`, averaged over completions, where r is the probability of the whole
/// completion under the policy over that under the policy that wrote it (RLOO, arXiv 2402.14740;
/// TRL's `RLOOTrainer._compute_loss`).
///
/// Rows are completions; `policy` and `old` are the log-probabilities (nats) of their tokens.
///
/// # Errors
/// When shapes differ, a row has no tokens, a number is not finite, a clip range is negative or
/// the result is beyond f64.
pub fn loss(
    policy: &TokenRows,
    old: &TokenRows,
    advantages: &[f64],
    epsilon_low: f64,
    epsilon_high: f64,
) -> Result<LossValue, Error> {
    let clip = Clip { low: epsilon_low, high: epsilon_high, cap: None }.check()?;
    policy.expect_tokens("the policy")?;
    old.expect_shape_of(policy, "the old policy")?;
    expect_count("the advantages", advantages.len(), policy.len())?;
    let advantages = finite("the advantages", advantages)?;

    let rows = policy.len() as f64;
    let (mut per_example, mut slopes) = (Vec::new(), Vec::new());
    let mut shares = ClipShares::default();
    let log_ratios = policy.combine(old, |policy, old| policy - old).sums();
    for (log_ratio, advantage) in log_ratios.iter().zip(&advantages) {
        let term = clip.of(*log_ratio, *advantage);
        per_example.push(term.loss);
        slopes.push(term.slope / rows);
        shares.add_row(&[term]);
    }
    LossValue {
        loss: mean(&per_example),
        per_example,
        gradient: policy.spread(&slopes),
        prompt_gradient: None,
        metrics: shares.metrics(),
    }
    .checked()
}
