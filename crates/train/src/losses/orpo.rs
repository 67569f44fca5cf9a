//! Odds-ratio preference optimisation: fine-tuning on the chosen answers, with a term that holds
//! the rejected ones down (TRL's `ORPOTrainer`).

use super::logistic::{log_sigmoid, log1mexp, sigmoid};
use super::preference::pair_metrics;
use super::rows::mean;
use super::{Error, LossValue, PreferenceBatch, PreferenceLoss, PreferenceSettings};

/// The mean negative log-likelihood of prompts and chosen answers, all tokens of the batch alike,
/// plus [`odds_ratio`].
pub static ORPO: PreferenceLoss = PreferenceLoss {
    name: "orpo",
    source: "ORPO, arXiv 2403.07691, eq. 6-7; TRL ORPOTrainer (likelihood of prompts included)",
    paired: true,
    needs_reference: false,
    needs_prompts: true,
    defaults: PreferenceSettings::DEFAULT,
    compute: orpo,
};

/// `-beta log sigmoid(log-odds of chosen - log-odds of rejected)`, averaged over pairs; the odds
/// of an answer are `p / (1 - p)` of its mean token probability `p = exp(mean log-probability)`
/// (ORPO, arXiv 2403.07691, eq. 4 and 7; TRL's `ORPOTrainer.odds_ratio_loss`).
///
/// # Errors
/// When rows are not pairs or have no tokens, a setting is outside its range, or the result is
/// beyond f64.
pub fn odds_ratio(
    batch: &PreferenceBatch<'_>,
    settings: &PreferenceSettings,
) -> Result<LossValue, Error> {
    settings.check()?;
    let pairs = batch.pairs()?;
    let beta = settings.beta;
    let lengths: Vec<f64> = batch.policy.iter().map(|row| row.len() as f64).collect();
    let logps: Vec<f64> = batch.policy.iter().map(mean).collect();
    let odds: Vec<(f64, f64)> = logps.iter().map(|logp| log_odds(*logp)).collect();

    let (mut per_example, mut ratios, mut log_sigmoids) = (Vec::new(), Vec::new(), Vec::new());
    let mut slopes = vec![0.0; 2 * pairs];
    for chosen in 0..pairs {
        let rejected = pairs + chosen;
        let ratio = odds[chosen].0 - odds[rejected].0;
        let log_sigmoid = log_sigmoid(ratio);
        let slope = -beta * sigmoid(-ratio) / pairs as f64;
        slopes[chosen] = slope * odds[chosen].1 / lengths[chosen];
        slopes[rejected] = -slope * odds[rejected].1 / lengths[rejected];
        per_example.push(-beta * log_sigmoid);
        ratios.push(ratio);
        log_sigmoids.push(log_sigmoid);
    }

    let rewards: Vec<f64> = logps.iter().map(|logp| beta * logp).collect();
    let mut metrics =
        pair_metrics(&rewards[..pairs], &rewards[pairs..], &logps[..pairs], &logps[pairs..]);
    metrics.insert("log_odds_chosen", mean(&ratios));
    metrics.insert("log_odds_ratio", mean(&log_sigmoids));
    LossValue {
        loss: mean(&per_example),
        per_example,
        gradient: batch.policy.spread(&slopes),
        prompt_gradient: None,
        metrics,
    }
    .checked()
}

/// `log(p / (1 - p))` and its derivative by `log p`.
///
/// A probability that rounds to 1 has no odds. It counts as the greatest f32 below 1, which is
/// the precision that log-probabilities come in.
fn log_odds(logp: f64) -> (f64, f64) {
    let logp = logp.min(-f64::from(f32::EPSILON) / 2.0);
    (logp - log1mexp(logp), -1.0 / logp.exp_m1())
}

fn orpo(batch: &PreferenceBatch<'_>, settings: &PreferenceSettings) -> Result<LossValue, Error> {
    let mut value = odds_ratio(batch, settings)?;
    let pairs = batch.policy.len() / 2;
    let prompts = batch.prompts(pairs)?;
    let chosen: Vec<&[f64]> = batch.policy.iter().take(pairs).collect();
    let tokens = (prompts.tokens() + chosen.iter().map(|row| row.len()).sum::<usize>()) as f64;
    let sum: f64 = prompts.iter().chain(chosen).flatten().sum();

    let slopes: Vec<f64> =
        (0..2 * pairs).map(|row| if row < pairs { -1.0 / tokens } else { 0.0 }).collect();
    let likelihood = batch.policy.spread(&slopes);
    value.gradient = value.gradient.combine(&likelihood, |odds, likelihood| odds + likelihood);
    value.prompt_gradient = Some(prompts.with_values(vec![-1.0 / tokens; prompts.tokens()]));
    value.metrics.insert("nll_loss", -sum / tokens);
    value.loss -= sum / tokens;
    value.checked()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::super::TokenRows;
    use super::*;

    #[test]
    fn certain_and_hopeless_answers_have_a_loss() {
        for (chosen, rejected) in [(0.0_f32, 0.0), (0.0, -80.0), (-80.0, 0.0), (1e-7, -1e-30)] {
            let rows = TokenRows::new(&[[chosen], [rejected]]).unwrap();
            let settings = PreferenceSettings::DEFAULT;
            let value = odds_ratio(&PreferenceBatch::new(&rows), &settings).unwrap();
            assert!(value.loss.is_finite() && value.loss >= 0.0, "{chosen} {rejected}");
            assert!(value.gradient.flat().iter().all(|slope| slope.is_finite()));
        }
    }
}
