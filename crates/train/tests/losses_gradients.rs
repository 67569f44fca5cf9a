//! Losses on random numbers: derivatives against finite differences, and no panics.
//!
//! Everything is f64 and seeded, so a failure repeats.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use sanbao_train::losses::grpo::{
    self, GrpoBatch, GrpoLossType, GrpoSettings, ImportanceSamplingLevel, ScaleRewards,
};
use sanbao_train::losses::kl::KlEstimator;
use sanbao_train::losses::ppo::{self, PpoBatch, PpoSettings};
use sanbao_train::losses::{
    Error, FDivergence, LossValue, PREFERENCE_LOSSES, PreferenceBatch, PreferenceSettings,
    TokenRows, orpo, preference_loss, reward_model, rloo,
};

const ROUNDS: u64 = 12;
const H: f64 = 1e-5;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly between two numbers.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        let share = (self.bits() >> 11) as f64 / (1_u64 << 53) as f64;
        low + (high - low) * share
    }

    fn below(&mut self, end: usize) -> usize {
        (self.bits() % end as u64) as usize
    }

    fn lengths(&mut self, rows: usize) -> Vec<usize> {
        (0..rows).map(|_| 1 + self.below(5)).collect()
    }

    fn rows(&mut self, lengths: &[usize], low: f64, high: f64) -> TokenRows {
        let values: Vec<f64> = (0..lengths.iter().sum()).map(|_| self.between(low, high)).collect();
        TokenRows::from_flat(&values, lengths).unwrap()
    }

    /// Log-probabilities near those of another model.
    fn near(&mut self, rows: &TokenRows, distance: f64) -> TokenRows {
        let lengths: Vec<usize> = rows.iter().map(<[f64]>::len).collect();
        let values: Vec<f64> =
            rows.flat().iter().map(|v| v + self.between(-distance, distance)).collect();
        TokenRows::from_flat(&values, &lengths).unwrap()
    }
}

fn moved(rows: &TokenRows, token: usize, by: f64) -> TokenRows {
    let lengths: Vec<usize> = rows.iter().map(<[f64]>::len).collect();
    let mut values = rows.flat().to_vec();
    values[token] += by;
    TokenRows::from_flat(&values, &lengths).unwrap()
}

/// Every derivative against the difference of the loss when one number moves a little.
fn expect_derivatives(
    at: &TokenRows,
    gradient: &TokenRows,
    loss: impl Fn(&TokenRows) -> f64,
    what: &str,
) {
    assert_eq!(at.tokens(), gradient.tokens(), "{what}");
    let scale = 1.0 + loss(at).abs();
    for (token, found) in gradient.flat().iter().enumerate() {
        let difference = loss(&moved(at, token, H)) - loss(&moved(at, token, -H));
        let expected = difference / (2.0 * H);
        assert!((found - expected).abs() < 1e-6 * scale, "{what} {token}: {found} {expected}");
    }
}

/// A pair batch with everything that any preference loss needs.
struct Preferences {
    policy: TokenRows,
    reference: TokenRows,
    prompts: TokenRows,
    desirable: Vec<bool>,
}

impl Preferences {
    fn random(random: &mut Random) -> Self {
        let pairs = 1 + random.below(4);
        let lengths = random.lengths(2 * pairs);
        let policy = random.rows(&lengths, -3.0, -0.01);
        let mut prompts = random.lengths(pairs);
        prompts[0] -= 1;
        Self {
            reference: random.near(&policy, 0.5),
            policy,
            prompts: random.rows(&prompts, -3.0, -0.01),
            desirable: (0..2 * pairs).map(|_| random.below(2) == 0).collect(),
        }
    }

    fn batch<'a>(&'a self, policy: &'a TokenRows, prompts: &'a TokenRows) -> PreferenceBatch<'a> {
        PreferenceBatch {
            policy,
            reference: Some(&self.reference),
            prompts: Some(prompts),
            desirable: Some(&self.desirable),
            kl: Some(0.3),
        }
    }
}

fn preference_settings(random: &mut Random, defaults: &PreferenceSettings) -> PreferenceSettings {
    use FDivergence::{ForwardKl, JsDivergence, ReverseKl};
    PreferenceSettings {
        beta: random.between(0.05, 0.6),
        label_smoothing: random.between(0.01, 0.4),
        f_divergence_type: [ReverseKl, ForwardKl, JsDivergence][random.below(3)],
        ld_alpha: [None, Some(0.3), Some(0.0)][random.below(3)],
        discopop_tau: random.between(0.3, 0.9),
        desirable_weight: random.between(0.5, 2.0),
        undesirable_weight: random.between(0.5, 2.0),
        cpo_alpha: random.between(0.0, 1.0),
        ..*defaults
    }
}

#[test]
fn preference_losses_have_the_derivatives_they_give() {
    let mut random = Random(1);
    for loss in PREFERENCE_LOSSES {
        for round in 0..ROUNDS {
            let given = Preferences::random(&mut random);
            let settings = match round {
                0 => loss.defaults,
                _ => preference_settings(&mut random, &loss.defaults),
            };
            let value = |policy: &TokenRows, prompts: &TokenRows| -> LossValue {
                (loss.compute)(&given.batch(policy, prompts), &settings).unwrap()
            };
            let Preferences { policy, prompts, .. } = &given;
            let found = value(policy, prompts);
            let what = format!("{} round {round}", loss.name);
            let by_policy = |rows: &TokenRows| value(rows, prompts).loss;
            expect_derivatives(policy, &found.gradient, by_policy, &what);
            assert_eq!(found.prompt_gradient.is_some(), loss.needs_prompts, "{what}");
            if let Some(gradient) = &found.prompt_gradient {
                expect_derivatives(prompts, gradient, |rows| value(policy, rows).loss, &what);
            }
            let examples = if loss.paired { policy.len() / 2 } else { policy.len() };
            assert_eq!(found.per_example.len(), examples);
        }
    }
}

#[test]
fn the_registry_is_in_order() {
    let names: BTreeSet<&str> = PREFERENCE_LOSSES.iter().map(|loss| loss.name).collect();
    assert_eq!(names.len(), PREFERENCE_LOSSES.len());
    let given = Preferences::random(&mut Random(2));
    for loss in PREFERENCE_LOSSES {
        loss.defaults.check().unwrap();
        assert!(std::ptr::eq(preference_loss(loss.name).unwrap(), *loss));
        assert!(loss.source.contains("TRL"), "{}", loss.name);
        let bare = PreferenceBatch::new(&given.policy);
        let bare = if loss.paired {
            bare
        } else {
            PreferenceBatch { desirable: Some(&given.desirable), kl: Some(0.0), ..bare }
        };
        let alone = (loss.compute)(&bare, &loss.defaults);
        let needs = loss.needs_reference || loss.needs_prompts;
        assert_eq!(matches!(alone, Err(Error::Missing { .. })), needs, "{}", loss.name);
    }
    let error = preference_loss("sigmod").unwrap_err();
    assert_eq!(error.code(), "train.loss.unknown");
    assert!(error.to_string().contains("sigmod") && error.to_string().contains("sigmoid"));
}

#[test]
fn reward_models_have_the_derivatives_they_give() {
    let mut random = Random(3);
    for round in 0..ROUNDS {
        let pairs = 1 + random.below(4);
        let scores = random.rows(&[pairs, pairs], -3.0, 3.0);
        let margins: Vec<f64> = (0..pairs).map(|_| random.between(0.0, 1.0)).collect();
        let center = (round % 2 == 0).then_some(0.05);
        let margins = (round % 3 == 0).then_some(margins.as_slice());
        let value = |scores: &TokenRows| {
            let (chosen, rejected) = scores.flat().split_at(pairs);
            reward_model::bradley_terry(chosen, rejected, margins, center).unwrap()
        };
        let found = value(&scores);
        let gradient = [found.chosen_gradient, found.rejected_gradient];
        let gradient = TokenRows::new(&gradient).unwrap();
        expect_derivatives(&scores, &gradient, |scores| value(scores).loss, "reward model");
    }
}

/// Completions of two prompts, some of them far from the policy that wrote them.
struct Completions {
    policy: TokenRows,
    old: TokenRows,
    reference: TokenRows,
    advantages: Vec<f64>,
}

impl Completions {
    fn random(random: &mut Random) -> Self {
        let lengths = random.lengths(6);
        let policy = random.rows(&lengths, -3.0, -0.01);
        let rewards: Vec<f64> = (0..6).map(|_| random.between(-1.0, 1.0)).collect();
        Self {
            old: random.near(&policy, 0.5),
            reference: random.near(&policy, 0.5),
            policy,
            advantages: grpo::advantages(&rewards, 3, ScaleRewards::Group).unwrap().advantages,
        }
    }
}

#[test]
fn grpo_has_the_derivatives_it_gives() {
    use GrpoLossType::{Bnpo, Cispo, Dapo, DrGrpo, Grpo};
    let mut random = Random(4);
    for loss_type in [Grpo, DrGrpo, Dapo, Bnpo, Cispo] {
        for _ in 0..ROUNDS {
            let given = Completions::random(&mut random);
            let sequence = ImportanceSamplingLevel::Sequence;
            let settings = GrpoSettings {
                loss_type,
                importance_sampling_level: [ImportanceSamplingLevel::Token, sequence]
                    [random.below(2)],
                beta: [0.0, 0.3][random.below(2)],
                epsilon_high: if loss_type == Cispo { 1.2 } else { 0.28 },
                delta: [None, Some(1.4)][random.below(2)],
                portions: 1 + random.below(3),
                step_tokens: [None, Some(100)][random.below(2)],
                ..GrpoSettings::default()
            };
            let value = |policy: &TokenRows, old: &TokenRows| {
                let batch = GrpoBatch {
                    policy,
                    old: Some(old),
                    reference: Some(&given.reference),
                    advantages: &given.advantages,
                };
                grpo::loss(&batch, &settings).unwrap()
            };
            let found = value(&given.policy, &given.old);
            // CISPO's weights do not move with the policy; moving the old policy along with it
            // leaves them where they are.
            let by_policy = |policy: &TokenRows| {
                let tokens = policy.flat().iter().zip(given.policy.flat()).zip(given.old.flat());
                let along: Vec<f64> = tokens.map(|((new, was), old)| old + new - was).collect();
                let lengths: Vec<usize> = policy.iter().map(<[f64]>::len).collect();
                let along = TokenRows::from_flat(&along, &lengths).unwrap();
                value(policy, if loss_type == Cispo { &along } else { &given.old }).loss
            };
            let what = format!("{settings:?}");
            expect_derivatives(&given.policy, &found.gradient, by_policy, &what);
        }
    }
}

#[test]
fn without_an_old_policy_every_ratio_is_one() {
    let given = Completions::random(&mut Random(5));
    let batch = |old| GrpoBatch {
        policy: &given.policy,
        old,
        reference: None,
        advantages: &given.advantages,
    };
    let settings = GrpoSettings::default();
    let found = grpo::loss(&batch(None), &settings).unwrap();
    assert_eq!(found, grpo::loss(&batch(Some(&given.policy)), &settings).unwrap());
    let mut tokens = found.gradient.iter().zip(&given.advantages);
    let share = given.policy.tokens() as f64;
    assert!(tokens.all(|(row, a)| row.iter().all(|slope| (slope + a / share).abs() < 1e-12)));
}

/// No completion of the goldens is clipped in these two ways.
#[test]
fn a_completion_is_clipped_once_and_cispo_bounds_its_weight() {
    let lengths = [1, 3];
    let policy = TokenRows::from_flat(&[-1.0; 4], &lengths).unwrap();
    let old = TokenRows::from_flat(&[-2.0, -1.0, -1.0, -1.0], &lengths).unwrap();
    let advantages = [1.5, -1.5];
    let batch =
        GrpoBatch { policy: &policy, old: Some(&old), reference: None, advantages: &advantages };
    let settings = GrpoSettings {
        importance_sampling_level: ImportanceSamplingLevel::Sequence,
        ..GrpoSettings::default()
    };
    let found = grpo::loss(&batch, &settings).unwrap();
    assert_eq!(found.metrics["clip_ratio/high_mean"], 0.5);
    assert_eq!(found.gradient.flat()[0], 0.0);

    let settings = GrpoSettings {
        loss_type: GrpoLossType::Cispo,
        epsilon_high: 2.0,
        ..GrpoSettings::default()
    };
    let found = grpo::loss(&batch, &settings).unwrap();
    assert_eq!(found.metrics["cispo_clip_ratio"], 0.25);
    assert_eq!(found.gradient.flat(), [-2.0 * 1.5 / 4.0, 1.5 / 4.0, 1.5 / 4.0, 1.5 / 4.0]);
    assert_eq!(found.per_example, [2.0 * 1.5, -1.5]);
}

#[test]
fn rloo_has_the_derivatives_it_gives() {
    let mut random = Random(6);
    for _ in 0..ROUNDS {
        let given = Completions::random(&mut random);
        let value = |policy: &TokenRows| {
            rloo::loss(policy, &given.old, &given.advantages, 0.3, 0.4).unwrap()
        };
        let found = value(&given.policy);
        expect_derivatives(&given.policy, &found.gradient, |policy| value(policy).loss, "rloo");
    }
}

#[test]
fn ppo_has_the_derivatives_it_gives() {
    let mut random = Random(7);
    for _ in 0..ROUNDS {
        let given = Completions::random(&mut random);
        let lengths: Vec<usize> = given.policy.iter().map(<[f64]>::len).collect();
        let old_values = random.rows(&lengths, -1.0, 1.0);
        let values = random.near(&old_values, 0.5);
        let entropies = random.rows(&lengths, 0.1, 2.0);
        let kl = KlEstimator::K3.estimates(&given.old, &given.reference).unwrap();
        let rewards = ppo::token_rewards(&given.advantages, &kl, 0.05).unwrap();
        let (advantages, returns) =
            ppo::advantages_and_returns(&rewards, &old_values, 0.99, 0.95).unwrap();
        let advantages = ppo::whiten(&advantages, false).unwrap();
        let settings = PpoSettings { entropy_coef: 0.01, ..PpoSettings::default() };
        let value = |policy: &TokenRows, values: &TokenRows, entropies: &TokenRows| {
            let batch = PpoBatch {
                policy,
                old: &given.old,
                values,
                old_values: &old_values,
                advantages: &advantages,
                returns: &returns,
                entropies: Some(entropies),
            };
            ppo::loss(&batch, &settings).unwrap()
        };
        let policy = &given.policy;
        let found = value(policy, &values, &entropies);
        let by_policy = |rows: &TokenRows| value(rows, &values, &entropies).loss;
        expect_derivatives(policy, &found.gradient, by_policy, "policy");
        let by_values = |rows: &TokenRows| value(policy, rows, &entropies).loss;
        expect_derivatives(&values, &found.value_gradient, by_values, "values");
        let by_entropies = |rows: &TokenRows| value(policy, &values, rows).loss;
        let slopes = vec![found.entropy_slope; entropies.tokens()];
        let slopes = TokenRows::from_flat(&slopes, &lengths).unwrap();
        expect_derivatives(&entropies, &slopes, by_entropies, "entropies");
    }
}

#[test]
fn whitening_leaves_no_mean_and_unit_spread() {
    let rows = Random(8).rows(&[3, 5, 2], -4.0, 9.0);
    let white = ppo::whiten(&rows, false).unwrap();
    let mean = |rows: &TokenRows| rows.flat().iter().sum::<f64>() / 10.0;
    let squares: f64 = white.flat().iter().map(|value| value * value).sum();
    assert!(mean(&white).abs() < 1e-12 && (squares / 9.0 - 1.0).abs() < 1e-6);
    assert!((mean(&ppo::whiten(&rows, true).unwrap()) - mean(&rows)).abs() < 1e-12);
}

#[test]
fn settings_outside_their_range_are_named() {
    let default = PreferenceSettings::DEFAULT;
    let given = Preferences::random(&mut Random(9));
    for settings in [
        PreferenceSettings { beta: 0.0, ..default },
        PreferenceSettings { beta: f64::INFINITY, ..default },
        PreferenceSettings { label_smoothing: 0.5, ..default },
        PreferenceSettings { ld_alpha: Some(1.5), ..default },
        PreferenceSettings { discopop_tau: -1.0, ..default },
        PreferenceSettings { desirable_weight: f64::NAN, ..default },
        PreferenceSettings { simpo_gamma: f64::NAN, ..default },
    ] {
        for loss in PREFERENCE_LOSSES {
            let batch = given.batch(&given.policy, &given.prompts);
            let error = (loss.compute)(&batch, &settings).unwrap_err();
            assert_eq!(error.code(), "train.loss.bad_setting", "{} {settings:?}", loss.name);
        }
    }
    let exo = preference_loss("exo_pair").unwrap();
    let batch = given.batch(&given.policy, &given.prompts);
    assert!(matches!((exo.compute)(&batch, &default), Err(Error::BadSetting { .. })));
}

/// Whatever numbers come, what is given back is finite, or an error.
#[test]
fn extremes_give_numbers_or_errors() {
    let mut random = Random(10);
    for _ in 0..200 {
        let magnitude = 10_f64.powf(random.between(0.0, 307.9));
        let lengths = random.lengths(6);
        let [policy, old, other, values] =
            [0; 4].map(|_| random.rows(&lengths, -magnitude, magnitude));
        let labels = [true, false, true, true, false, false];
        let batch = PreferenceBatch {
            policy: &policy,
            reference: Some(&old),
            prompts: None,
            desirable: Some(&labels),
            kl: Some(0.0),
        };
        let finite = |found: Result<LossValue, Error>| {
            if let Ok(found) = found {
                assert!(found.loss.is_finite());
                assert!(found.gradient.flat().iter().all(|slope| slope.is_finite()));
                assert!(found.metrics.values().all(|figure| figure.is_finite()));
            }
        };
        for loss in PREFERENCE_LOSSES {
            finite((loss.compute)(&batch, &loss.defaults));
        }
        finite(orpo::odds_ratio(&batch, &PreferenceSettings::DEFAULT));
        let rewards = values.sums();
        let rloo = rloo::advantages(&rewards, &policy, Some(&old), 3, 0.1, true);
        let Ok(found) = grpo::advantages(&rewards, 3, ScaleRewards::Batch) else { continue };
        assert!(rloo.iter().flat_map(|found| &found.advantages).all(|value| value.is_finite()));
        finite(rloo::loss(&policy, &old, &found.advantages, 0.2, 0.2));
        let advantages = &found.advantages;
        let batch =
            GrpoBatch { policy: &policy, old: Some(&old), reference: Some(&other), advantages };
        finite(grpo::loss(&batch, &GrpoSettings { beta: 0.1, ..GrpoSettings::default() }));
        let Ok((advantages, returns)) = ppo::advantages_and_returns(&other, &values, 1.0, 0.9)
        else {
            continue;
        };
        let batch = PpoBatch {
            policy: &policy,
            old: &old,
            values: &values,
            old_values: &other,
            advantages: &advantages,
            returns: &returns,
            entropies: None,
        };
        if let Ok(found) = ppo::loss(&batch, &PpoSettings::default()) {
            assert!(found.loss.is_finite());
            assert!(found.value_gradient.flat().iter().all(|slope| slope.is_finite()));
        }
    }
}
