//! Simple preference optimisation: mean log-probabilities as rewards, and a margin (TRL's
//! `CPOTrainer.cpo_loss` with loss_type 'simpo').

use super::cpo::without_reference;
use super::{PreferenceLoss, PreferenceSettings, pair};

/// `-log sigmoid(beta (chosen - rejected) - simpo_gamma)` of log-probabilities averaged over
/// tokens, with `label_smoothing`. A `cpo_alpha` above 0 adds the chosen answers' negative
/// log-likelihood (CPO-SimPO).
pub static SIMPO: PreferenceLoss = PreferenceLoss {
    name: "simpo",
    source: "SimPO, arXiv 2405.14734, eq. 6; TRL CPOTrainer loss_type 'simpo'",
    paired: true,
    needs_reference: false,
    needs_prompts: false,
    // The paper's least; TRL's beta 0.1 and gamma 0.5 are CPO's and would ask for 5 nats a token.
    defaults: PreferenceSettings { beta: 2.0, simpo_gamma: 1.0, ..PreferenceSettings::DEFAULT },
    compute: |batch, settings| {
        without_reference(batch, settings, true, |x| {
            pair::smoothed_sigmoid(x - settings.simpo_gamma, settings.label_smoothing)
        })
    },
};
