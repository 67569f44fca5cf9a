//! A whole step of KTO, of a reward model and of learning from rewards on a tiny Llama against TRL
//! (PPO: against its formulas): loss, figures, and the gradient of every parameter; with one
//! portion and with several.
//!
//! Tolerances: losses 5e-5, figures 2e-4, gradient norms and probes 5e-4 relative.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_data::Sequence;
use sanbao_models::host::{from_vec, to_vec};
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_models::{Activations, BaseModel, Decoder, ParameterMut, Trainable};
use sanbao_train::losses::grpo::{self, GrpoBatch, GrpoLossType, GrpoSettings, ScaleRewards};
use sanbao_train::losses::kl::KlEstimator;
use sanbao_train::losses::ppo::{self, PpoBatch, PpoSettings};
use sanbao_train::losses::{TokenRows, preference_loss, rloo};
use sanbao_train::preference::reference;
use sanbao_train::reward_model::RewardModel;
use sanbao_train::scored::{Found, Lowered, Reads, accumulate_scored};
use sanbao_train::step::Portions;
use sanbao_train::unpaired::{Singles, step_reference_point};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/goldens")
}

fn golden() -> Value {
    let path = fixtures().join("losses/end_to_end.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn base() -> Decoder {
    BaseModel::open(&fixtures().join("models/llama_gqa_tied"))
        .unwrap()
        .load(&Device::flex())
        .unwrap()
}

fn policy() -> Decoder {
    let mut model = base();
    let trained =
        SafetensorsFile::open(&fixtures().join("training/full/final_model.safetensors")).unwrap();
    let device = Device::flex();
    model.visit_trained(Trainable::Everything, &mut |name, parameter| {
        let values = trained.read_f32(name).unwrap();
        match parameter {
            ParameterMut::Vector(vector) => *vector = from_vec(values, vector.dims(), &device),
            ParameterMut::Matrix(matrix) => *matrix = from_vec(values, matrix.dims(), &device),
        }
    });
    model
}

fn head(name: &str) -> Vec<f32> {
    let heads = SafetensorsFile::open(&fixtures().join("losses/heads.safetensors")).unwrap();
    heads.read_f32(name).unwrap()
}

fn with_head(mut model: Decoder, name: &str) -> Decoder {
    let values = head(name);
    let width = values.len();
    model.score = Some(from_vec(values, [1, width], &Device::flex()));
    model
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The ids that a mask of ones leaves.
fn ids(ids: &Value, mask: &Value) -> Vec<u32> {
    let pairs = numbers(ids).into_iter().zip(numbers(mask));
    pairs.filter(|(_, mask)| *mask == 1.0).map(|(id, _)| id as u32).collect()
}

fn sequence(prompt: &[u32], answer: &[u32]) -> Sequence {
    let trained = [vec![false; prompt.len()], vec![true; answer.len()]].concat();
    Sequence { ids: [prompt, answer].concat(), trained }
}

/// Chosen rows first, then rejected ones, as TRL has them.
fn preference_rows(golden: &Value) -> Vec<Sequence> {
    let batch = &golden["batch"];
    (0..6)
        .map(|row| {
            let (all, mask) = (&batch["input_ids"][row], &batch["attention_mask"][row]);
            let answer = ids(all, &batch["completion_mask"][row]);
            let all = ids(all, mask);
            sequence(&all[..all.len() - answer.len()], &answer)
        })
        .collect()
}

/// Completions of two prompts, three each.
fn completions(golden: &Value) -> Vec<Sequence> {
    let batch = &golden["rl_batch"];
    (0..6)
        .map(|row| {
            let prompt = ids(&batch["prompt_ids"][row], &batch["prompt_mask"][row]);
            let answer = ids(&batch["completion_ids"][row], &batch["completion_mask"][row]);
            sequence(&prompt, &answer)
        })
        .collect()
}

fn rows_of(golden: &Value, values: &Value) -> TokenRows {
    let masks = &golden["rl_batch"]["completion_mask"];
    let rows: Vec<Vec<f64>> = (0..6)
        .map(|row| {
            let pairs = numbers(&values[row]).into_iter().zip(numbers(&masks[row]));
            pairs.filter(|(_, mask)| *mask == 1.0).map(|(value, _)| value).collect()
        })
        .collect();
    TokenRows::new(&rows).unwrap()
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
}

/// Runs a step with one portion and with several, and holds every gradient against the golden.
fn check(
    case: &Value,
    model: &Decoder,
    sequences: &[Sequence],
    reads: Reads,
    loss: &dyn Fn(&Found) -> Lowered,
) {
    for (tokens, activations) in [(1024, Activations::Kept), (24, Activations::Recomputed)] {
        let mut portions = Portions { tokens, activations };
        let (sums, _) = accumulate_scored(
            model,
            sequences,
            reads,
            &|found| Ok(loss(found)),
            Trainable::Everything,
            &mut portions,
            None,
            &mut |_| panic!("halved"),
        )
        .unwrap();
        let what = |part: &str| format!("portions of {tokens}: {part}");
        near(sums.loss, case["loss"].as_f64().unwrap(), 5e-5, &what("loss"));
        for (name, expected) in case["grads"].as_object().unwrap() {
            // The value head of the goldens has a bias, ours has none.
            let ours = match name.as_str() {
                "v_head.bias" => continue,
                "v_head.weight" => "score.weight",
                name if name.starts_with("lm.") => &name["lm.".len()..],
                name => name,
            };
            let gradient = to_vec(sums.grads.get(ours).expect(ours).clone()).unwrap();
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let wave = |(i, g): (usize, &f32)| f64::from(*g) * (i as f64).cos();
            let probe: f64 = gradient.iter().enumerate().map(wave).sum();
            let scale = expected["norm"].as_f64().unwrap();
            near(norm, scale, 5e-4 * scale, &what(name));
            near(probe, expected["probe"].as_f64().unwrap(), 2e-3 * scale.max(1.0), &what(name));
        }
    }
}

fn figures(expected: &Value, found: &std::collections::BTreeMap<&'static str, f64>) {
    for (name, value) in expected.as_object().unwrap() {
        near(found[name.as_str()], value.as_f64().unwrap(), 2e-4, name);
    }
}

#[test]
fn kto() {
    let golden = golden();
    let case = &golden["cases"]["kto"];
    let rows = preference_rows(&golden);
    let kl_rows: Vec<Sequence> = (0..6)
        .map(|row| {
            let all = &case["kl_rows"]["input_ids"][row];
            let mask: Vec<f64> = numbers(&case["kl_rows"]["completion_mask"][row]);
            let start = mask.iter().position(|mask| *mask == 1.0).unwrap();
            let end = mask.iter().rposition(|mask| *mask == 1.0).unwrap() + 1;
            let all: Vec<u32> = numbers(all).into_iter().map(|id| id as u32).collect();
            sequence(&all[..start], &all[start..end])
        })
        .collect();
    let (policy, base) = (policy(), base());
    let kl = step_reference_point(&policy, &base, &kl_rows, 64).unwrap();
    near(kl, case["trl_metrics"]["kl"].as_f64().unwrap(), 2e-4, "the reference point");

    let known = reference(&base, &rows, 64, &mut |_| ()).unwrap();
    let known: Vec<&[f32]> = known.iter().map(Vec::as_slice).collect();
    let loss = preference_loss("kto").unwrap();
    let mut settings = loss.defaults;
    settings.beta = case["beta"].as_f64().unwrap();
    settings.desirable_weight = case["desirable_weight"].as_f64().unwrap();
    settings.undesirable_weight = case["undesirable_weight"].as_f64().unwrap();
    let desirable = [true, true, true, false, false, false];
    let singles = Singles { loss, settings, desirable: &desirable, reference: &known, kl };
    check(case, &policy, &rows, Reads::LogProbabilities, &|found| {
        let lowered = singles.value(found).unwrap();
        figures(&case["trl_metrics"], &lowered.metrics);
        lowered
    });
}

/// TRL pads with the end-of-sequence token here and so reads the score one token early; the golden
/// says at which.
#[test]
fn a_reward_model() {
    let golden = golden();
    for (name, center) in [("reward_bradley_terry", 0.0), ("reward_bradley_terry_centering", 0.01)]
    {
        let case = &golden["cases"][name];
        let read = numbers(&case["token_index_used"]);
        let rows: Vec<Sequence> = preference_rows(&golden)
            .into_iter()
            .zip(&read)
            .map(|(mut row, last)| {
                row.ids.truncate(*last as usize + 1);
                row.trained.truncate(*last as usize + 1);
                row
            })
            .collect();
        // Ours stand in pairs, TRL's by side.
        let pairs: Vec<Sequence> =
            (0..3).flat_map(|at| [rows[at].clone(), rows[at + 3].clone()]).collect();
        let settings = RewardModel { center_rewards_coefficient: center };
        check(case, &with_head(base(), "score.weight"), &pairs, Reads::LastScore, &|found| {
            let expected = numbers(&case["rewards"]);
            for (at, scores) in found.scores.iter().enumerate() {
                near(scores[0], expected[at / 2 + 3 * (at % 2)], 1e-4, "a reward");
            }
            let lowered = settings.value(found, &[]).unwrap();
            figures(&case["metrics"], &lowered.metrics);
            lowered
        });
    }
}

fn lists(rows: &TokenRows) -> Vec<Vec<f64>> {
    rows.iter().map(<[f64]>::to_vec).collect()
}

#[test]
fn grpo_and_its_variants() {
    let golden = golden();
    let batch = &golden["rl_batch"];
    let sequences = completions(&golden);
    let old = rows_of(&golden, &batch["old_logps"]);
    let known = rows_of(&golden, &batch["ref_logps"]);
    for (name, loss_type) in [
        ("grpo", GrpoLossType::Grpo),
        ("dr_grpo", GrpoLossType::DrGrpo),
        ("dapo", GrpoLossType::Dapo),
    ] {
        let case = &golden["cases"][name];
        let scale: ScaleRewards = serde_json::from_value(case["scale_rewards"].clone()).unwrap();
        let compared = grpo::advantages(&numbers(&batch["rewards"]), 3, scale).unwrap();
        for (found, expected) in compared.advantages.iter().zip(numbers(&case["advantages"])) {
            near(*found, expected, 1e-5, "an advantage");
        }
        let number = |name: &str| case[name].as_f64().unwrap();
        let settings = GrpoSettings {
            loss_type,
            beta: number("beta"),
            epsilon_low: number("epsilon_low"),
            epsilon_high: number("epsilon_high"),
            max_completion_length: number("max_completion_length") as usize,
            ..GrpoSettings::default()
        };
        check(case, &policy(), &sequences, Reads::LogProbabilities, &|found| {
            let rows = TokenRows::new(&found.log_probabilities).unwrap();
            let batch = GrpoBatch {
                policy: &rows,
                old: Some(&old),
                reference: Some(&known),
                advantages: &compared.advantages,
            };
            let value = grpo::loss(&batch, &settings).unwrap();
            figures(&case["trl_metrics"], &value.metrics);
            Lowered {
                loss: value.loss,
                by_log_probability: lists(&value.gradient),
                ..Lowered::default()
            }
        });
    }
}

#[test]
fn reinforce_leave_one_out() {
    let golden = golden();
    let batch = &golden["rl_batch"];
    let case = &golden["cases"]["rloo"];
    let old = rows_of(&golden, &batch["old_logps"]);
    let known = rows_of(&golden, &batch["ref_logps"]);
    let beta = case["beta"].as_f64().unwrap();
    let rewards = numbers(&batch["rewards"]);
    let compared = rloo::advantages(&rewards, &old, Some(&known), 3, beta, false).unwrap();
    for (found, expected) in compared.advantages.iter().zip(numbers(&case["advantages"])) {
        near(*found, expected, 1e-5, "an advantage");
    }
    check(case, &policy(), &completions(&golden), Reads::LogProbabilities, &|found| {
        let rows = TokenRows::new(&found.log_probabilities).unwrap();
        let value = rloo::loss(&rows, &old, &compared.advantages, 0.2, 0.2).unwrap();
        figures(&case["trl_metrics"], &value.metrics);
        Lowered {
            loss: value.loss,
            by_log_probability: lists(&value.gradient),
            ..Lowered::default()
        }
    });
}

#[test]
fn proximal_policy_optimisation() {
    let golden = golden();
    let batch = &golden["rl_batch"];
    let bias = f64::from(head("v_head.bias")[0]);
    for (name, estimator) in [("ppo_k1", KlEstimator::K1), ("ppo_k3", KlEstimator::K3)] {
        let case = &golden["cases"][name];
        let number = |name: &str| case["hyper"][name].as_f64().unwrap();
        let old = rows_of(&golden, &batch["old_logps"]);
        let known = rows_of(&golden, &batch["ref_logps"]);
        let old_values = rows_of(&golden, &batch["old_values"]);
        let kl = estimator.estimates(&old, &known).unwrap();
        let rewards = numbers(&batch["rewards"]);
        let token_rewards = ppo::token_rewards(&rewards, &kl, number("kl")).unwrap();
        let (gamma, lam) = (number("gamma"), number("lam"));
        let (advantages, returns) =
            ppo::advantages_and_returns(&token_rewards, &old_values, gamma, lam).unwrap();
        let advantages = match case["whiten"].as_bool().unwrap() {
            true => ppo::whiten(&advantages, false).unwrap(),
            false => advantages,
        };
        let settings = PpoSettings {
            cliprange: number("clip"),
            cliprange_value: number("clipv"),
            vf_coef: number("vf"),
            entropy_coef: 0.0,
        };
        let reads = Reads::LogProbabilitiesAndValues;
        check(
            case,
            &with_head(policy(), "v_head.weight"),
            &completions(&golden),
            reads,
            &|found| {
                let values: Vec<Vec<f64>> = found
                    .scores
                    .iter()
                    .map(|row| row.iter().map(|value| value + bias).collect())
                    .collect();
                let batch = PpoBatch {
                    policy: &TokenRows::new(&found.log_probabilities).unwrap(),
                    old: &old,
                    values: &TokenRows::new(&values).unwrap(),
                    old_values: &old_values,
                    advantages: &advantages,
                    returns: &returns,
                    entropies: None,
                };
                let value = ppo::loss(&batch, &settings).unwrap();
                Lowered {
                    loss: value.loss,
                    by_log_probability: lists(&value.gradient),
                    by_score: lists(&value.value_gradient),
                    ..Lowered::default()
                }
            },
        );
    }
}
