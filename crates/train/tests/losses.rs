//! Losses on given numbers against TRL 1.16, and against formulas where TRL has none.
//!
//! Tolerance: 1e-5 absolute.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use safetensors::{Dtype, SafeTensors};
use sanbao_train::losses::grpo::{
    self, GrpoBatch, GrpoLossType, GrpoSettings, ImportanceSamplingLevel, ScaleRewards,
};
use sanbao_train::losses::kl::KlEstimator;
use sanbao_train::losses::ppo::{self, PpoBatch, PpoSettings};
use sanbao_train::losses::{
    FDivergence, LossValue, Metrics, PreferenceBatch, PreferenceSettings, TokenRows, kto, orpo,
    preference_loss, reward_model, rloo,
};
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens/losses");

fn json(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(format!("{FIXTURES}/{name}")).unwrap()).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// What a padded table holds where the mask is 1.
fn unpadded(table: &[Vec<f64>], mask: &[Vec<f64>]) -> TokenRows {
    let rows = table.iter().zip(mask).map(|(row, mask)| {
        let kept = row.iter().zip(mask).filter(|(_, mask)| **mask == 1.0);
        kept.map(|(value, _)| *value).collect()
    });
    TokenRows::new(&rows.collect::<Vec<Vec<f64>>>()).unwrap()
}

fn table(value: &Value) -> Vec<Vec<f64>> {
    value.as_array().unwrap().iter().map(numbers).collect()
}

/// The tensors of a file.
struct Tensors {
    bytes: Vec<u8>,
    mask: &'static str,
}

impl Tensors {
    fn open(name: &str, mask: &'static str) -> Self {
        Self { bytes: std::fs::read(format!("{FIXTURES}/{name}")).unwrap(), mask }
    }

    fn flat(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.bytes).unwrap();
        let tensor = file.tensor(name).unwrap();
        let data = tensor.data();
        match tensor.dtype() {
            Dtype::F32 => {
                let of = |b: &[u8]| f64::from(f32::from_le_bytes(b.try_into().unwrap()));
                data.chunks(4).map(of).collect()
            }
            Dtype::I64 => {
                data.chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64).collect()
            }
            other => panic!("{name} is {other:?}"),
        }
    }

    fn rows(&self, name: &str) -> TokenRows {
        let width = 10;
        let cut = |name| self.flat(name).chunks(width).map(<[f64]>::to_vec).collect::<Vec<_>>();
        unpadded(&cut(name), &cut(self.mask))
    }
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-5, "{what}: {found} instead of {expected}");
}

fn all_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        near(*found, *expected, &format!("{what}[{index}]"));
    }
}

fn metrics_near(found: &Metrics, golden: &Value, what: &str) {
    for (name, expected) in golden.as_object().into_iter().flatten() {
        let found = found.get(name.as_str()).unwrap_or_else(|| panic!("{what} lacks {name}"));
        near(*found, number(expected), &format!("{what} {name}"));
    }
}

/// Loss, derivatives and metrics of a case; `constant` is a part of its loss without derivatives.
fn case_near(found: &LossValue, golden: &Value, constant: f64, what: &str) {
    near(found.loss + constant, number(&golden["loss"]), what);
    let expected = numbers(&golden["grad_wrt_policy_token_logps_rowsum"]);
    all_near(&found.gradient.sums(), &expected, &format!("{what} gradient"));
    let largest = found.gradient.flat().iter().fold(0.0, |largest, slope| slope.abs().max(largest));
    near(largest, number(&golden["grad_wrt_policy_token_logps_absmax"]), &format!("{what} absmax"));
    if let Some(norm) = golden["grad_l2"].as_f64() {
        let squares: f64 = found.gradient.flat().iter().map(|slope| slope * slope).sum();
        near(squares.sqrt(), norm, &format!("{what} norm"));
    }
    if let Value::Array(_) = &golden["per_pair"] {
        all_near(&found.per_example, &numbers(&golden["per_pair"]), &format!("{what} per pair"));
    }
    metrics_near(&found.metrics, &golden["trl_metrics"], what);
}

#[test]
fn dpo_family() {
    let golden = json("dpo.json");
    let inputs = Tensors::open("preference_inputs.safetensors", "completion_mask");
    let policy = inputs.rows("policy_token_logps");
    let reference = inputs.rows("ref_token_logps");
    let batch = PreferenceBatch { reference: Some(&reference), ..PreferenceBatch::new(&policy) };
    for (name, case) in golden["losses"].as_object().unwrap() {
        let mut settings = PreferenceSettings {
            beta: number(&golden["beta"]),
            label_smoothing: case["label_smoothing"].as_f64().unwrap_or(0.0),
            ..PreferenceSettings::DEFAULT
        };
        let loss = match name.as_str() {
            "sigmoid_label_smoothing_0.1" => {
                settings.label_smoothing = 0.1;
                "sigmoid"
            }
            "robust_label_smoothing_0.1" => {
                settings.label_smoothing = 0.1;
                "robust"
            }
            "sigmoid_ld_alpha_0.5" => {
                settings.ld_alpha = Some(0.5);
                "sigmoid"
            }
            "sigmoid_forward_kl" => {
                settings.f_divergence_type = FDivergence::ForwardKl;
                "sigmoid"
            }
            "sigmoid_js_divergence" => {
                settings.f_divergence_type = FDivergence::JsDivergence;
                "sigmoid"
            }
            "ipo_paper_sum" => "ipo_sum",
            same => same,
        };
        let found = (preference_loss(loss).unwrap().compute)(&batch, &settings).unwrap();
        case_near(&found, case, 0.0, name);
        if loss != "sigmoid" || settings.ld_alpha.is_none() {
            let accuracy = number(&golden["reward_accuracy"]);
            near(found.metrics["rewards/accuracies"], accuracy, name);
        }
    }
}

#[test]
fn kto_rows() {
    let golden = json("kto.json");
    let mask = table(&golden["completion_mask"]);
    let policy = unpadded(&table(&golden["token_logps"]), &mask);
    let reference = unpadded(&table(&golden["ref_token_logps"]), &mask);
    let desirable: Vec<bool> =
        golden["desirable"].as_array().unwrap().iter().map(|d| d.as_bool().unwrap()).collect();
    let ratios: Vec<f64> =
        policy.sums().iter().zip(reference.sums()).map(|(policy, old)| policy - old).collect();
    all_near(&ratios, &numbers(&golden["logratios"]), "log-ratios");

    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let side = if name == "kl_positive" { "positive" } else { "negative" };
        let kl = kto::reference_point(
            &numbers(&golden["policy_kl_logps"]),
            &numbers(&golden[format!("ref_kl_logps_case_{side}")]),
        )
        .unwrap();
        near(kl, number(&case["kl"]), name);
        let batch = PreferenceBatch {
            reference: Some(&reference),
            desirable: Some(&desirable),
            kl: Some(kl),
            ..PreferenceBatch::new(&policy)
        };
        let settings = PreferenceSettings {
            beta: number(&case["beta"]),
            desirable_weight: number(&case["desirable_weight"]),
            undesirable_weight: number(&case["undesirable_weight"]),
            ..PreferenceSettings::DEFAULT
        };
        let found = (kto::KTO.compute)(&batch, &settings).unwrap();
        case_near(&found, case, 0.0, name);
        all_near(&found.per_example, &numbers(&case["per_row_in_input_order"]), name);
    }
}

#[test]
fn pairs_without_a_reference_model() {
    let golden = json("reference_free.json");
    let inputs = Tensors::open("preference_inputs.safetensors", "completion_mask");
    let policy = inputs.rows("policy_token_logps");
    let batch = PreferenceBatch::new(&policy);
    for name in ["simpo", "simpo_label_smoothing_0.1", "cpo_sigmoid", "cpo_hinge"] {
        let case = &golden[name];
        let loss = preference_loss(name.trim_end_matches("_label_smoothing_0.1")).unwrap();
        let simpo = &golden["simpo"];
        let settings = PreferenceSettings {
            beta: number(if case["beta"].is_null() { &simpo["beta"] } else { &case["beta"] }),
            simpo_gamma: number(&simpo["gamma"]),
            label_smoothing: if name.ends_with("0.1") { 0.1 } else { 0.0 },
            cpo_alpha: case["cpo_alpha"].as_f64().unwrap_or(0.0),
            ..PreferenceSettings::DEFAULT
        };
        let found = (loss.compute)(&batch, &settings).unwrap();
        case_near(&found, case, 0.0, name);
        if let Some(nll) = case["nll"].as_f64() {
            near(found.metrics["nll_loss"], nll, name);
        }
        if let Value::Array(_) = &case["chosen_rewards"] {
            for side in ["chosen", "rejected"] {
                let rewards = numbers(&case[format!("{side}_rewards")]);
                let mean = rewards.iter().sum::<f64>() / 4.0;
                near(found.metrics[format!("rewards/{side}").as_str()], mean, name);
            }
        }
    }
}

#[test]
fn orpo_pairs() {
    let golden = &json("reference_free.json")["orpo"];
    let inputs = Tensors::open("preference_inputs.safetensors", "completion_mask");
    let policy = inputs.rows("policy_token_logps");
    let settings =
        PreferenceSettings { beta: number(&golden["beta"]), ..PreferenceSettings::DEFAULT };
    let batch = PreferenceBatch::new(&policy);
    let nll = number(&golden["nll_given"]);
    let odds = orpo::odds_ratio(&batch, &settings).unwrap();
    case_near(&odds, golden, nll, "odds ratio");
    near(odds.loss, number(&golden["odds_loss_term"]), "odds term");
    let log_sigmoids: Vec<f64> = odds.per_example.iter().map(|l| -l / settings.beta).collect();
    all_near(&log_sigmoids, &numbers(&golden["log_sigmoid_log_odds"]), "log-sigmoid");
    let mean = numbers(&golden["log_odds"]).iter().sum::<f64>() / 4.0;
    near(odds.metrics["log_odds_chosen"], mean, "log-odds");

    // The golden's likelihood is a given number; prompts are chosen here so that it comes out.
    let chosen: f64 = policy.sums()[..4].iter().sum();
    let tokens = policy.iter().take(4).map(<[f64]>::len).sum::<usize>() + 4;
    let prompts = [[(-nll * tokens as f64 - chosen) / 4.0]; 4];
    let prompts = TokenRows::new(&prompts).unwrap();
    let whole = PreferenceBatch { prompts: Some(&prompts), ..batch };
    let found = (orpo::ORPO.compute)(&whole, &settings).unwrap();
    near(found.loss, number(&golden["loss"]), "orpo");
    near(found.metrics["nll_loss"], nll, "nll_loss");
    let share = -1.0 / tokens as f64;
    let likelihood: Vec<f64> = found
        .gradient
        .flat()
        .iter()
        .zip(odds.gradient.flat())
        .map(|(all, odds)| all - odds)
        .collect();
    let chosen_tokens = tokens - 4;
    all_near(&likelihood[..chosen_tokens], &vec![share; chosen_tokens], "chosen likelihood");
    assert!(likelihood[chosen_tokens..].iter().all(|slope| *slope == 0.0));
    assert_eq!(found.prompt_gradient.unwrap().flat(), [share; 4]);
}

#[test]
fn reward_models() {
    let golden = json("reward_model.json");
    let of = |name: &str| numbers(&golden[name]);
    for case in golden["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let margins = name.contains("margin").then(|| of("margin"));
        let center = case["center_rewards_coefficient"].as_f64();
        let (chosen, rejected) = (of("rewards_chosen"), of("rewards_rejected"));
        let found =
            reward_model::bradley_terry(&chosen, &rejected, margins.as_deref(), center).unwrap();
        near(found.loss, number(&case["loss"]), name);
        let gradient = [found.chosen_gradient, found.rejected_gradient].concat();
        all_near(&gradient, &numbers(&case["grad_wrt_rewards"]), name);
        metrics_near(&found.metrics, &case["metrics"], name);
        assert_eq!(found.metrics.len(), 5);
    }
}

#[test]
fn grpo_advantages() {
    let golden = json("grpo.json");
    let inputs = Tensors::open("grpo_inputs.safetensors", "completion_mask");
    for (rewards, expected, flat_share) in [
        ("rewards", &golden["advantages"], 0.0),
        ("rewards_flat_group", &golden["advantages_flat_group"], 0.5),
    ] {
        for (scale, name) in [
            (ScaleRewards::Group, "group"),
            (ScaleRewards::None, "none"),
            (ScaleRewards::Batch, "batch"),
        ] {
            let found = grpo::advantages(&inputs.flat(rewards), 4, scale).unwrap();
            all_near(&found.advantages, &numbers(&expected[name]), name);
            assert_eq!(found.metrics["frac_reward_zero_std"], flat_share);
            if rewards == "rewards" {
                all_near(&found.means, &numbers(&golden["group_mean"]), "mean");
                let expected = numbers(&golden["group_std_unbiased"]);
                all_near(&found.standard_deviations, &expected, "standard deviation");
            }
        }
    }
}

fn grpo_settings(case: &Value) -> GrpoSettings {
    let name = |key: &str| case.get(key).cloned().filter(|value| !value.is_null());
    let loss_type: GrpoLossType = serde_json::from_value(case["loss_type"].clone()).unwrap();
    GrpoSettings {
        loss_type,
        importance_sampling_level: name("importance_sampling_level")
            .map_or(ImportanceSamplingLevel::Token, |level| serde_json::from_value(level).unwrap()),
        beta: number(&case["beta"]),
        epsilon_high: number(&case["epsilon_high"]),
        delta: case["delta"].as_f64(),
        max_completion_length: 10,
        ..GrpoSettings::default()
    }
}

#[test]
fn grpo_losses() {
    let golden = json("grpo.json");
    let inputs = Tensors::open("grpo_inputs.safetensors", "completion_mask");
    let [policy, old, reference] =
        ["policy_logps", "old_logps", "ref_logps"].map(|name| inputs.rows(name));
    let kl = KlEstimator::K3.estimates(&policy, &reference).unwrap();
    let lengths = policy.iter().map(<[f64]>::len);
    let expected: Vec<f64> = table(&golden["per_token_kl_k3"])
        .iter()
        .zip(lengths)
        .flat_map(|(row, length)| row[..length].to_vec())
        .collect();
    all_near(kl.flat(), &expected, "kl");

    for case in golden["cases"].as_array().unwrap() {
        let settings = grpo_settings(case);
        let scale: ScaleRewards = serde_json::from_value(
            case.get("scale_rewards").cloned().unwrap_or(Value::from("group")),
        )
        .unwrap();
        let advantages = grpo::advantages(&inputs.flat("rewards"), 4, scale).unwrap().advantages;
        let on_policy = case.get("old_logps").is_some();
        let batch = GrpoBatch {
            policy: &policy,
            old: (!on_policy).then_some(&old),
            reference: (settings.beta != 0.0).then_some(&reference),
            advantages: &advantages,
        };
        let found = grpo::loss(&batch, &settings).unwrap();
        case_near(&found, case, 0.0, &format!("{settings:?} {scale:?}"));
        let names = case["trl_metrics"].as_object().unwrap();
        assert_eq!(found.metrics.len(), names.len(), "{settings:?}");
    }
}

#[test]
fn grpo_in_portions() {
    let golden = json("grpo.json");
    let inputs = Tensors::open("grpo_inputs.safetensors", "completion_mask");
    let halves = |name: &str| -> [TokenRows; 2] {
        let rows: Vec<Vec<f64>> = inputs.rows(name).iter().map(<[f64]>::to_vec).collect();
        [TokenRows::new(&rows[..4]).unwrap(), TokenRows::new(&rows[4..]).unwrap()]
    };
    let (policy, old) = (halves("policy_logps"), halves("old_logps"));
    let advantages =
        grpo::advantages(&inputs.flat("rewards"), 4, ScaleRewards::Group).unwrap().advantages;
    for (name, case) in golden["accumulation"]["sums"].as_object().unwrap() {
        let settings = GrpoSettings {
            loss_type: serde_json::from_value(Value::from(name.as_str())).unwrap(),
            max_completion_length: 10,
            portions: 2,
            step_tokens: Some(inputs.rows("policy_logps").tokens()),
            ..GrpoSettings::default()
        };
        let expected = numbers(&case["micro"]);
        for half in 0..2 {
            let batch = GrpoBatch {
                policy: &policy[half],
                old: Some(&old[half]),
                reference: None,
                advantages: &advantages[4 * half..4 * half + 4],
            };
            let found = grpo::loss(&batch, &settings).unwrap();
            near(found.loss, expected[half], &format!("{name} {half}"));
        }
    }
}

#[test]
fn rloo_cases() {
    let golden = json("rloo.json");
    let inputs = Tensors::open("grpo_inputs.safetensors", "completion_mask");
    let [policy, old, reference] =
        ["policy_logps", "old_logps", "ref_logps"].map(|name| inputs.rows(name));
    for case in golden["cases"].as_array().unwrap() {
        let what = format!("beta {} normalised {}", case["beta"], case["normalize_advantages"]);
        let found = rloo::advantages(
            &inputs.flat("rewards"),
            &old,
            Some(&reference),
            4,
            number(&case["beta"]),
            case["normalize_advantages"].as_bool().unwrap(),
        )
        .unwrap();
        all_near(&found.sequence_kl, &numbers(&case["sequence_kl"]), &what);
        all_near(&found.rewards, &numbers(&case["rewards_after_kl"]), &what);
        all_near(&found.baselines, &numbers(&case["baselines"]), &what);
        all_near(&found.advantages, &numbers(&case["advantages"]), &what);
        let loss = rloo::loss(&policy, &old, &found.advantages, 0.2, 0.2).unwrap();
        case_near(&loss, case, 0.0, &what);
        assert_eq!(loss.metrics.len(), 5);
    }
}

#[test]
fn ppo_cases() {
    let golden = json("ppo.json");
    let hyper = |name: &str| number(&golden["hyper"][name]);
    let inputs = Tensors::open("ppo_inputs.safetensors", "response_mask");
    let [policy, old, reference] =
        ["new_logps", "old_logps", "ref_logps"].map(|name| inputs.rows(name));
    let [values, old_values] = ["new_values", "old_values"].map(|name| inputs.rows(name));
    let mask: Vec<Vec<f64>> =
        inputs.flat("response_mask").chunks(10).map(<[f64]>::to_vec).collect();
    for case in golden["cases"].as_array().unwrap() {
        let same = |found: &TokenRows, key: &str| {
            let expected = unpadded(&table(&case[key]), &mask);
            all_near(found.flat(), expected.flat(), &format!("{} {key}", case["kl_estimator"]));
        };
        let estimator: KlEstimator = serde_json::from_value(case["kl_estimator"].clone()).unwrap();
        let kl = estimator.estimates(&old, &reference).unwrap();
        same(&kl, "kl");
        let scores = inputs.flat("scores");
        let rewards = ppo::token_rewards(&scores, &kl, hyper("kl")).unwrap();
        same(&rewards, "token_rewards");
        let figures = ppo::objective_metrics(&scores, &kl, hyper("kl")).unwrap();
        near(figures["objective/scores"], scores.iter().sum::<f64>() / 8.0, "scores");
        near(figures["objective/rlhf_reward"], rewards.sums().iter().sum::<f64>() / 8.0, "reward");
        let (raw, returns) =
            ppo::advantages_and_returns(&rewards, &old_values, hyper("gamma"), hyper("lam"))
                .unwrap();
        same(&raw, "advantages_raw");
        same(&returns, "returns");
        let whitened = case["whiten_advantages"].as_bool().unwrap();
        let advantages = if whitened { ppo::whiten(&raw, false).unwrap() } else { raw };
        same(&advantages, "advantages_used");

        let batch = PpoBatch {
            policy: &policy,
            old: &old,
            values: &values,
            old_values: &old_values,
            advantages: &advantages,
            returns: &returns,
            entropies: None,
        };
        let settings = PpoSettings {
            cliprange: hyper("clip"),
            cliprange_value: hyper("clipv"),
            vf_coef: hyper("vf"),
            entropy_coef: 0.0,
        };
        let found = ppo::loss(&batch, &settings).unwrap();
        near(found.loss, number(&case["loss"]), "loss");
        same(&found.gradient, "grad_wrt_new_logps");
        same(&found.value_gradient, "grad_wrt_new_values");
        for (name, key) in [
            ("loss/policy_avg", "pg_loss"),
            ("loss/value_avg", "vf_loss"),
            ("policy/clipfrac_avg", "pg_clipfrac"),
            ("val/clipfrac_avg", "vf_clipfrac"),
            ("policy/approxkl_avg", "approx_kl_half_sq"),
            ("policy/approxkl_k3", "approx_kl_k3"),
        ] {
            near(found.metrics[name], number(&case[key]), name);
        }
        let ratios = unpadded(&table(&case["ratio"]), &mask);
        let mean = ratios.flat().iter().sum::<f64>() / ratios.tokens() as f64;
        near(found.metrics["val/ratio"], mean, "val/ratio");
    }
}
