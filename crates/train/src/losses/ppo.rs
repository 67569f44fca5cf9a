//! Proximal policy optimisation with a value head (TRL's `PPOTrainer`).
//!
//! In order: [`KlEstimator::estimates`](super::kl::KlEstimator::estimates) of policy and reference
//! model, [`token_rewards`], [`advantages_and_returns`], [`whiten`], and for every pass over the
//! completions [`loss`]. Sums and means are over the tokens of completions, the end token
//! included; the score of a completion is the reward of its last token. (TRL puts the score one
//! place later where a completion is shorter than the longest, and lets the value loss see that
//! place.)

use serde::{Deserialize, Serialize};

use super::clip::Clip;
use super::preference::expect;
use super::rows::{expect_count, finite, mean};
use super::{Error, Metrics, TokenRows, expect_finite};

/// Rewards of tokens: `-kl_coef` times their divergence from the reference model, plus the score
/// of the completion at its last token (Ziegler et al. 2019, arXiv 1909.08593, eq. 2).
///
/// `scores` has one number for each completion; `kl` one (nats) for each of its tokens.
///
/// # Errors
/// When counts differ, a row has no tokens, a score is not finite, `kl_coef` is negative or a
/// reward is beyond f64.
pub fn token_rewards<T: Copy + Into<f64>>(
    scores: &[T],
    kl: &TokenRows,
    kl_coef: f64,
) -> Result<TokenRows, Error> {
    expect(kl_coef >= 0.0, "kl_coef", kl_coef, "at least 0")?;
    kl.expect_tokens("the divergence")?;
    expect_count("the scores", scores.len(), kl.len())?;
    let scores = finite("the scores", scores)?;
    let mut rewards = Vec::with_capacity(kl.tokens());
    for (row, score) in kl.iter().zip(scores) {
        rewards.extend(row.iter().map(|kl| -kl_coef * kl));
        if let Some(last) = rewards.last_mut() {
            *last += score;
        }
    }
    expect_finite(&rewards)?;
    Ok(kl.with_values(rewards))
}

/// Figures of the completions of a step before it learns from them, in TRL's names:
/// `objective/kl` and `objective/non_score_reward` (sums over tokens), `objective/scores` and
/// `objective/rlhf_reward`, each a mean over completions. Takes what [`token_rewards`] takes.
///
/// # Errors
/// As [`token_rewards`].
pub fn objective_metrics<T: Copy + Into<f64>>(
    scores: &[T],
    kl: &TokenRows,
    kl_coef: f64,
) -> Result<Metrics, Error> {
    let rewards = token_rewards(scores, kl, kl_coef)?;
    let (kl, total) = (mean(&kl.sums()), mean(&rewards.sums()));
    Ok(Metrics::from([
        ("objective/kl", kl),
        ("objective/non_score_reward", -kl_coef * kl),
        ("objective/scores", total + kl_coef * kl),
        ("objective/rlhf_reward", total),
    ]))
}

/// How much better each token turned out than the value head thought, and what the value head
/// should have thought: generalised advantage estimation (arXiv 1506.02438, eq. 16) with
/// `delta_t = r_t + gamma V_{t+1} - V_t` and V = 0 after the last token.
///
/// Takes rewards and values of the same shape; gives advantages and returns
/// (advantages + values).
///
/// # Errors
/// When the shapes differ, a row has no tokens, `gamma` or `lam` is not from 0 to 1, or the
/// result is beyond f64.
pub fn advantages_and_returns(
    rewards: &TokenRows,
    values: &TokenRows,
    gamma: f64,
    lam: f64,
) -> Result<(TokenRows, TokenRows), Error> {
    for (name, value) in [("gamma", gamma), ("lam", lam)] {
        expect((0.0..=1.0).contains(&value), name, value, "from 0 to 1")?;
    }
    rewards.expect_tokens("the rewards")?;
    values.expect_shape_of(rewards, "the values")?;
    let mut advantages = Vec::with_capacity(rewards.tokens());
    for (rewards, values) in rewards.iter().zip(values.iter()) {
        let (mut advantage, mut next) = (0.0, 0.0);
        let start = advantages.len();
        for (reward, value) in rewards.iter().zip(values).rev() {
            advantage = reward + gamma * next - value + gamma * lam * advantage;
            advantages.push(advantage);
            next = *value;
        }
        advantages[start..].reverse();
    }
    let advantages = rewards.with_values(advantages);
    let returns = advantages.combine(values, |advantage, value| advantage + value);
    expect_finite(returns.flat())?;
    Ok((advantages, returns))
}

/// `(a - mean) / sqrt(variance + 1e-8)` over all tokens, the variance with n-1; with `keep_mean`
/// the mean is added again, as for rewards ("The N implementation details of RLHF with PPO"; TRL's
/// `masked_whiten`).
///
/// # Errors
/// When there are fewer than two tokens, or the result is beyond f64.
pub fn whiten(values: &TokenRows, keep_mean: bool) -> Result<TokenRows, Error> {
    let tokens = values.tokens();
    if tokens < 2 {
        return Err(Error::NoSpread { tokens });
    }
    let center = values.mean();
    let squares: f64 = values.flat().iter().map(|value| (value - center).powi(2)).sum();
    let spread = (squares / (tokens as f64 - 1.0) + 1e-8).sqrt();
    let shift = if keep_mean { center } else { 0.0 };
    let whitened: Vec<f64> =
        values.flat().iter().map(|value| (value - center) / spread + shift).collect();
    expect_finite(&whitened)?;
    Ok(values.with_values(whitened))
}

/// Settings of [`loss`], in TRL's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PpoSettings {
    /// How far a token's probability may move, as a share of what it was; at least 0, below 1.
    pub cliprange: f64,
    /// How far a value may move from what it was, at least 0.
    pub cliprange_value: f64,
    /// Weight of the value head's loss, at least 0.
    pub vf_coef: f64,
    /// Weight of the entropy that is added to the objective, at least 0. Not in TRL; 0 there.
    pub entropy_coef: f64,
}

impl Default for PpoSettings {
    /// The defaults of TRL's `PPOConfig`.
    fn default() -> Self {
        Self { cliprange: 0.2, cliprange_value: 0.2, vf_coef: 0.1, entropy_coef: 0.0 }
    }
}

/// Completions of a step, all in the same shape: one number for each of their tokens.
#[derive(Debug, Clone, Copy)]
pub struct PpoBatch<'a> {
    /// Log-probabilities under the policy (nats).
    pub policy: &'a TokenRows,
    /// The same under the policy that wrote the completions.
    pub old: &'a TokenRows,
    /// The value head's estimates, at the position before the token.
    pub values: &'a TokenRows,
    /// The same when the completions were written.
    pub old_values: &'a TokenRows,
    /// Advantages, whitened or not.
    pub advantages: &'a TokenRows,
    /// What the value head is to learn.
    pub returns: &'a TokenRows,
    /// Entropy of the policy's distribution that the token was drawn from (nats); needed when
    /// `entropy_coef` is above 0.
    pub entropies: Option<&'a TokenRows>,
}

/// The loss of a pass of PPO.
#[derive(Debug, Clone, PartialEq)]
pub struct PpoLoss {
    /// `policy + vf_coef * value - entropy_coef * entropy`.
    pub loss: f64,
    /// Derivative by the policy's log-probabilities.
    pub gradient: TokenRows,
    /// Derivative by the values.
    pub value_gradient: TokenRows,
    /// Derivative by each entropy, the same for every token.
    pub entropy_slope: f64,
    /// `loss/policy_avg`, `loss/value_avg`, `policy/clipfrac_avg`, `val/clipfrac_avg`,
    /// `policy/approxkl_avg` (half the squared log-ratio), `policy/approxkl_k3`, `val/ratio`, and
    /// `policy/entropy_avg` where entropies are given.
    pub metrics: Metrics,
}

/// The clipped policy objective (PPO, arXiv 1707.06347, eq. 7 and 9), half the squared error of
/// values that are clipped likewise, and the entropy, each a mean over all tokens.
///
/// # Errors
/// When shapes differ, a row has no tokens, entropies are needed and absent, a setting is outside
/// its range or the result is beyond f64.
pub fn loss(batch: &PpoBatch<'_>, settings: &PpoSettings) -> Result<PpoLoss, Error> {
    settings.check()?;
    batch.check()?;
    let policy = policy_term(batch, settings.cliprange);
    let value = value_term(batch, settings.cliprange_value);

    let mut metrics = policy.metrics;
    metrics.extend(value.metrics);
    let mut loss = policy.loss + settings.vf_coef * value.loss;
    let mut entropy_slope = 0.0;
    if let Some(entropies) = batch.entropies {
        loss -= settings.entropy_coef * entropies.mean();
        entropy_slope = -settings.entropy_coef / entropies.tokens() as f64;
        metrics.insert("policy/entropy_avg", entropies.mean());
    } else if settings.entropy_coef != 0.0 {
        return Err(Error::Missing { what: "the entropies of the policy" });
    }

    let scaled: Vec<f64> = value.gradient.iter().map(|slope| settings.vf_coef * slope).collect();
    let gradient = batch.policy.with_values(policy.gradient);
    let value_gradient = batch.policy.with_values(scaled);
    let gradients = gradient.flat().iter().chain(value_gradient.flat());
    expect_finite(gradients.chain(metrics.values()).chain([&loss]))?;
    Ok(PpoLoss { loss, gradient, value_gradient, entropy_slope, metrics })
}

impl PpoSettings {
    fn check(&self) -> Result<(), Error> {
        let range = "at least 0 and below 1";
        expect((0.0..1.0).contains(&self.cliprange), "cliprange", self.cliprange, range)?;
        for (name, value) in [
            ("cliprange_value", self.cliprange_value),
            ("vf_coef", self.vf_coef),
            ("entropy_coef", self.entropy_coef),
        ] {
            expect(value >= 0.0, name, value, "at least 0")?;
        }
        Ok(())
    }
}

impl PpoBatch<'_> {
    fn check(&self) -> Result<(), Error> {
        self.policy.expect_tokens("the policy")?;
        for (what, rows) in [
            ("the old policy", self.old),
            ("the values", self.values),
            ("the old values", self.old_values),
            ("the advantages", self.advantages),
            ("the returns", self.returns),
        ] {
            rows.expect_shape_of(self.policy, what)?;
        }
        match self.entropies {
            Some(entropies) => entropies.expect_shape_of(self.policy, "the entropies"),
            None => Ok(()),
        }
    }
}

/// A part of the loss.
struct Part {
    loss: f64,
    gradient: Vec<f64>,
    metrics: Metrics,
}

fn policy_term(batch: &PpoBatch<'_>, cliprange: f64) -> Part {
    let clip = Clip { low: cliprange, high: cliprange, cap: None };
    let tokens = batch.policy.tokens() as f64;
    let mut gradient = Vec::with_capacity(batch.policy.tokens());
    let (mut loss, mut ratio, mut clipped, mut half_squares, mut k3) = (0.0, 0.0, 0.0, 0.0, 0.0);
    let rows = batch.policy.flat().iter().zip(batch.old.flat()).zip(batch.advantages.flat());
    for ((policy, old), advantage) in rows {
        let log_ratio = policy - old;
        let term = clip.of(log_ratio, *advantage);
        loss += term.loss / tokens;
        gradient.push(term.slope / tokens);
        ratio += term.ratio / tokens;
        clipped += f64::from(term.is_low || term.is_high) / tokens;
        half_squares += 0.5 * log_ratio * log_ratio / tokens;
        k3 += (log_ratio.exp_m1() - log_ratio) / tokens;
    }
    let metrics = Metrics::from([
        ("loss/policy_avg", loss),
        ("policy/clipfrac_avg", clipped),
        ("policy/approxkl_avg", half_squares),
        ("policy/approxkl_k3", k3),
        ("val/ratio", ratio),
    ]);
    Part { loss, gradient, metrics }
}

fn value_term(batch: &PpoBatch<'_>, cliprange: f64) -> Part {
    let tokens = batch.policy.tokens() as f64;
    let mut gradient = Vec::with_capacity(batch.policy.tokens());
    let (mut loss, mut clipped) = (0.0, 0.0);
    let rows = batch.values.flat().iter().zip(batch.old_values.flat()).zip(batch.returns.flat());
    for ((value, old), target) in rows {
        let error = value - target;
        let bounded = value.clamp(old - cliprange, old + cliprange) - target;
        // The worse of the two counts; the bounded one does not move with the value.
        let is_clipped = bounded * bounded > error * error;
        let (taken, slope) = if is_clipped { (bounded, 0.0) } else { (error, error) };
        loss += 0.5 * taken * taken / tokens;
        gradient.push(slope / tokens);
        clipped += f64::from(is_clipped) / tokens;
    }
    let metrics = Metrics::from([("loss/value_avg", loss), ("val/clipfrac_avg", clipped)]);
    Part { loss, gradient, metrics }
}
