//! Contrastive preference optimisation: pairs without a reference model (TRL's
//! `CPOTrainer.cpo_loss`).

use super::pair::{self, Curve};
use super::preference::pair_metrics;
use super::rows::mean;
use super::{Error, LossValue, PreferenceBatch, PreferenceLoss, PreferenceSettings};

/// What TRL's `CPOConfig` has.
const DEFAULT: PreferenceSettings =
    PreferenceSettings { cpo_alpha: 1.0, ..PreferenceSettings::DEFAULT };

/// `-log sigmoid(beta (chosen - rejected))` of summed log-probabilities, with `label_smoothing`,
/// plus `cpo_alpha` times the mean negative log-likelihood of the chosen answers' tokens.
pub static CPO_SIGMOID: PreferenceLoss = PreferenceLoss {
    name: "cpo_sigmoid",
    source: "CPO, arXiv 2401.08417, eq. 3 and 5; TRL CPOTrainer loss_type 'sigmoid'",
    paired: true,
    needs_reference: false,
    needs_prompts: false,
    defaults: DEFAULT,
    compute: |batch, settings| {
        without_reference(batch, settings, false, |x| {
            pair::smoothed_sigmoid(x, settings.label_smoothing)
        })
    },
};

/// `max(0, 1 - beta (chosen - rejected))` instead of the logistic loss.
pub static CPO_HINGE: PreferenceLoss = PreferenceLoss {
    name: "cpo_hinge",
    source: "SLiC-HF, arXiv 2305.10425, eq. 1, with CPO's likelihood; TRL CPOTrainer loss_type 'hinge'",
    paired: true,
    needs_reference: false,
    needs_prompts: false,
    defaults: DEFAULT,
    compute: |batch, settings| without_reference(batch, settings, false, pair::hinge),
};

/// A loss of `beta` times the difference of a pair's log-probabilities, summed or averaged over
/// tokens, plus `cpo_alpha` times the chosen answers' negative log-likelihood.
pub(super) fn without_reference(
    batch: &PreferenceBatch<'_>,
    settings: &PreferenceSettings,
    per_token: bool,
    curve: impl Fn(f64) -> Curve,
) -> Result<LossValue, Error> {
    settings.check()?;
    let pairs = batch.pairs()?;
    let rows: Vec<&[f64]> = batch.policy.iter().collect();
    let divisor = |row: usize| if per_token { rows[row].len() as f64 } else { 1.0 };
    let logps: Vec<f64> =
        (0..rows.len()).map(|row| rows[row].iter().sum::<f64>() / divisor(row)).collect();
    let (chosen, rejected) = logps.split_at(pairs);

    let mut per_example = Vec::with_capacity(pairs);
    let mut slopes = vec![0.0; rows.len()];
    for index in 0..pairs {
        let Curve { loss, slope } = curve(settings.beta * (chosen[index] - rejected[index]));
        per_example.push(loss);
        let slope = settings.beta * slope / pairs as f64;
        slopes[index] = slope / divisor(index);
        slopes[pairs + index] = -slope / divisor(pairs + index);
    }

    let tokens: usize = rows[..pairs].iter().map(|row| row.len()).sum();
    let nll = -rows[..pairs].iter().map(|row| row.iter().sum::<f64>()).sum::<f64>() / tokens as f64;
    for slope in &mut slopes[..pairs] {
        *slope -= settings.cpo_alpha / tokens as f64;
    }

    let scaled =
        |logps: &[f64]| -> Vec<f64> { logps.iter().map(|logp| settings.beta * logp).collect() };
    let mut metrics = pair_metrics(&scaled(chosen), &scaled(rejected), chosen, rejected);
    metrics.insert("nll_loss", nll);
    LossValue {
        loss: mean(&per_example) + settings.cpo_alpha * nll,
        per_example,
        gradient: batch.policy.spread(&slopes),
        prompt_gradient: None,
        metrics,
    }
    .checked()
}
