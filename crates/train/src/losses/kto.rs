//! Kahneman-Tversky optimisation: answers that are good or bad, not pairs (TRL's
//! `KTOTrainer._compute_loss`).

use super::logistic::{sigmoid, sigmoid_slope};
use super::rows::{expect_count, finite, mean};
use super::{
    Error, LossValue, Metrics, PreferenceBatch, PreferenceLoss, PreferenceSettings, expect_finite,
};

/// `w (1 - sigmoid(beta (log-ratio - z0)))` for a good answer and
/// `w (1 - sigmoid(beta (z0 - log-ratio)))` for a bad one, averaged over rows. No gradient goes
/// through the reference point z0, which the batch brings as `kl`.
pub static KTO: PreferenceLoss = PreferenceLoss {
    name: "kto",
    source: "KTO, arXiv 2402.01306, eq. 7-8; TRL KTOTrainer",
    paired: false,
    needs_reference: true,
    needs_prompts: false,
    defaults: PreferenceSettings::DEFAULT,
    compute: kto,
};

/// The reference point z0 (nats): the mean log-ratio of completions to prompts they do not
/// belong to, at least 0. Takes the log-probability of each such completion (summed over its
/// tokens, nats) under policy and reference model.
///
/// # Errors
/// When there are no rows, the counts differ or a value is not finite.
pub fn reference_point<T: Copy + Into<f64>>(policy: &[T], reference: &[T]) -> Result<f64, Error> {
    if policy.is_empty() {
        return Err(Error::NoRows);
    }
    let what = "the mismatched completions under the reference model";
    expect_count(what, reference.len(), policy.len())?;
    let policy = finite("the mismatched completions under the policy", policy)?;
    let reference = finite(what, reference)?;
    let kl = mean(&policy) - mean(&reference);
    expect_finite([&kl])?;
    Ok(kl.max(0.0))
}

fn kto(batch: &PreferenceBatch<'_>, settings: &PreferenceSettings) -> Result<LossValue, Error> {
    settings.check()?;
    batch.policy.expect_tokens("the policy")?;
    let rows = batch.policy.len();
    let desirable =
        batch.desirable.ok_or(Error::Missing { what: "which rows are good answers" })?;
    expect_count("which rows are good answers", desirable.len(), rows)?;
    let kl = batch.kl.ok_or(Error::Missing { what: "the reference point of KTO" })?;
    finite("the reference point of KTO", &[kl])?;

    let logps = batch.policy.sums();
    let reference = batch.reference()?.sums();
    let beta = settings.beta;
    let mut per_example = Vec::with_capacity(rows);
    let mut slopes = Vec::with_capacity(rows);
    let mut rewards = Vec::with_capacity(rows);
    for ((logp, reference), good) in logps.iter().zip(&reference).zip(desirable) {
        let ratio = logp - reference;
        let (weight, sign) = if *good {
            (settings.desirable_weight, 1.0)
        } else {
            (settings.undesirable_weight, -1.0)
        };
        let gain = sign * beta * (ratio - kl);
        per_example.push(weight * sigmoid(-gain));
        slopes.push(-weight * sign * beta * sigmoid_slope(gain) / rows as f64);
        rewards.push(beta * ratio);
    }

    LossValue {
        loss: mean(&per_example),
        per_example,
        gradient: batch.policy.spread(&slopes),
        prompt_gradient: None,
        metrics: metrics(kl, desirable, &rewards, &logps),
    }
    .checked()
}

/// A side without rows has no figures, and then there is no margin either.
fn metrics(kl: f64, desirable: &[bool], rewards: &[f64], logps: &[f64]) -> Metrics {
    let side = |values: &[f64], good: bool| -> Option<f64> {
        let rows = values.iter().zip(desirable).filter(|(_, label)| **label == good);
        let values: Vec<f64> = rows.map(|(value, _)| *value).collect();
        (!values.is_empty()).then(|| mean(&values))
    };
    let (chosen, rejected) = (side(rewards, true), side(rewards, false));
    let figures = [
        ("kl", Some(kl)),
        ("rewards/chosen", chosen),
        ("logps/chosen", side(logps, true)),
        ("rewards/rejected", rejected),
        ("logps/rejected", side(logps, false)),
        ("rewards/margins", chosen.zip(rejected).map(|(chosen, rejected)| chosen - rejected)),
    ];
    figures.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
