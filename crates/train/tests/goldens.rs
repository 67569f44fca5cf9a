//! Ten optimizer steps against PyTorch, PEFT and transformers' Trainer: full, LoRA, rsLoRA, DoRA.
//!
//! Tolerances: losses 2e-5, gradient norms 1e-4 relative, learning rate 1e-9, final weights
//! 1e-4 at most and 1e-6 on average, logits 5e-4.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_data::Sequence;
use sanbao_models::host::to_vec;
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_models::{Activations, BaseModel, Decoder, Layout, Trainable};
use sanbao_train::lora::{collect, load_adapter, save_adapter};
use sanbao_train::optimizer::{AdamW, AdamWSettings, clip_factor, gradient_norm};
use sanbao_train::schedule::Schedule;
use sanbao_train::step::{Portions, accumulate};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/goldens")
}

fn json(name: &str) -> Value {
    let text = std::fs::read_to_string(fixtures().join("training").join(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn base() -> Decoder {
    let folder = fixtures().join("models/llama_gqa_tied");
    BaseModel::open(&folder).unwrap().load(&Device::flex()).unwrap()
}

/// The rows of each step, without padding.
fn steps() -> Vec<Vec<Sequence>> {
    let batches = json("batches.json");
    let list = |value: &Value| value.as_array().unwrap().clone();
    list(&batches["steps"])
        .iter()
        .map(|step| {
            let mut rows = Vec::new();
            for micro in list(step) {
                let masks = list(&micro["attention_mask"]);
                let labels = list(&micro["labels"]);
                for ((ids, mask), labels) in list(&micro["input_ids"]).iter().zip(masks).zip(labels)
                {
                    let length = list(&mask).iter().filter(|m| m.as_i64() == Some(1)).count();
                    rows.push(Sequence {
                        ids: list(ids)[..length]
                            .iter()
                            .map(|id| id.as_u64().unwrap() as u32)
                            .collect(),
                        trained: list(&labels)[..length]
                            .iter()
                            .map(|l| l.as_i64() != Some(-100))
                            .collect(),
                    });
                }
            }
            rows
        })
        .collect()
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
}

/// Repeats a golden run and checks every step.
fn repeat(
    name: &str,
    model: &mut Decoder,
    trainable: Trainable,
    portion: usize,
    activations: Activations,
) -> AdamW {
    let golden = json(&format!("{name}.json"));
    let hyper = &golden["hyper"];
    let number = |key: &str| hyper[key].as_f64().unwrap();
    let (total, warmup) = (hyper["steps"].as_u64().unwrap(), hyper["warmup"].as_u64().unwrap());
    let mut optimizer =
        AdamW::new(AdamWSettings { weight_decay: number("wd"), ..AdamWSettings::default() });
    for (index, rows) in steps().iter().enumerate() {
        let expected = &golden["steps"][index];
        let mut portions = Portions { tokens: portion, activations };
        let mut sums =
            accumulate(model, rows, trainable, &mut portions, None, &mut |_| panic!("halved"))
                .unwrap();
        let what = |part: &str| format!("{name} step {} {part}", index + 1);
        assert_eq!(sums.trained_tokens as u64, expected["tokens"].as_u64().unwrap());
        near(sums.loss, expected["loss"].as_f64().unwrap(), 2e-5, &what("loss"));
        if index == 0 {
            first_gradients(name, &sums.grads);
        }
        let norm = gradient_norm(&sums.grads).unwrap();
        let expected_norm = expected["grad_norm"].as_f64().unwrap();
        near(norm / expected_norm, 1.0, 1e-4, &what("norm"));
        let step = index as u64 + 1;
        let lr = Schedule::Linear.learning_rate(step, total, warmup, number("lr"));
        near(lr, expected["lr"].as_f64().unwrap(), 1e-9, &what("lr"));
        let clip = clip_factor(norm, number("clip"));
        optimizer.step(model, trainable, &mut sums.grads, lr, clip);
        assert!(sums.grads.is_empty(), "a gradient without a parameter");
    }
    for (parameter, norms) in golden["optimizer_state_norms"].as_object().unwrap() {
        let moments = &optimizer.moments[&parameter
            .replace(".default", "")
            .replace("lora_magnitude_vector.weight", "lora_magnitude_vector")];
        let norm = |tensor: &burn::tensor::Tensor<1>| {
            to_vec(tensor.clone())
                .unwrap()
                .iter()
                .map(|v| f64::from(*v).powi(2))
                .sum::<f64>()
                .sqrt()
        };
        let expected = norms["exp_avg_norm"].as_f64().unwrap();
        near(norm(&moments.mean) / expected, 1.0, 1e-3, &format!("{name} {parameter} exp_avg"));
    }
    optimizer
}

fn first_gradients(name: &str, grads: &sanbao_models::Gradients) {
    let golden = json(&format!("{name}.first_step_grads.json"));
    let all = golden["grads"].as_object().unwrap();
    assert_eq!(grads.iter().count(), all.len());
    for (parameter, expected) in all {
        let key = parameter
            .replace(".default", "")
            .replace("lora_magnitude_vector.weight", "lora_magnitude_vector");
        let gradient = to_vec(grads.get(&key).unwrap_or_else(|| panic!("{key}")).clone()).unwrap();
        let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let wanted = expected["norm"].as_f64().unwrap();
        if wanted < 1e-5 {
            assert!(norm < 1e-5, "{key}: {norm}");
        } else {
            near(norm / wanted, 1.0, 1e-4, &key);
            let probe: f64 =
                gradient.iter().enumerate().map(|(i, g)| f64::from(*g) * (i as f64).cos()).sum();
            near(
                probe,
                expected["probe"].as_f64().unwrap(),
                2e-4 * wanted,
                &format!("{key} probe"),
            );
        }
    }
}

fn compare(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let apart: Vec<f64> =
        found.iter().zip(expected).map(|(a, b)| f64::from((a - b).abs())).collect();
    let worst = apart.iter().copied().fold(0.0, f64::max);
    let mean = apart.iter().sum::<f64>() / apart.len() as f64;
    assert!(worst <= 1e-4 && mean <= 1e-6, "{what}: worst {worst}, mean {mean}");
}

fn probe_logits(model: &Decoder) -> Vec<f32> {
    let bytes = std::fs::read(fixtures().join("training/final_logits.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let ids = file.tensor("probe.input_ids").unwrap();
    let rows = ids.shape()[0];
    let ids: Vec<u32> =
        ids.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as u32).collect();
    let length = ids.len() / rows;
    to_vec(model.logits(&ids, &Layout::packed(vec![length; rows]))).unwrap()
}

fn golden_logits(name: &str) -> Vec<f32> {
    let path = fixtures().join("training/final_logits.safetensors");
    let file = SafetensorsFile::open(&path).unwrap();
    let key = file
        .names()
        .into_iter()
        .find(|key| key.starts_with(name))
        .unwrap_or_else(|| panic!("{name} in {:?}", file.names()))
        .to_owned();
    file.read_f32(&key).unwrap()
}

fn close(found: &[f32], expected: &[f32], what: &str) {
    let worst = found.iter().zip(expected).fold(0.0_f32, |top, (a, b)| top.max((a - b).abs()));
    assert!(worst < 5e-4, "{what}: {worst}");
}

#[test]
fn full_fine_tuning() {
    for (portion, activations) in [(1000, Activations::Kept), (40, Activations::Recomputed)] {
        let mut model = base();
        repeat("full", &mut model, Trainable::Everything, portion, activations);
        let file = SafetensorsFile::open(&fixtures().join("training/full/final_model.safetensors"))
            .unwrap();
        for (name, (_, values)) in collect(&mut model, Trainable::Everything).unwrap() {
            compare(&values, &file.read_f32(&name).unwrap(), &name);
        }
        close(&probe_logits(&model), &golden_logits("full"), "full logits");
    }
}

fn adapter_run(name: &str) -> Decoder {
    let mut model = base();
    let folder = fixtures().join("training").join(name);
    let config = load_adapter(&mut model, &folder.join("initial_adapter")).unwrap();
    repeat(name, &mut model, Trainable::Adapters, 64, Activations::Kept);
    let file =
        SafetensorsFile::open(&folder.join("final_adapter/adapter_model.safetensors")).unwrap();
    let trained = collect(&mut model, Trainable::Adapters).unwrap();
    assert_eq!(trained.len(), file.names().len());
    for (name, (_, values)) in &trained {
        compare(values, &file.read_f32(name).unwrap(), name);
    }
    // What is written is what PEFT would write.
    let written = tempfile::tempdir().unwrap();
    save_adapter(&mut model, &config, "llama_gqa_tied", written.path()).unwrap();
    let mut again = base();
    assert_eq!(load_adapter(&mut again, written.path()).unwrap().r, config.r);
    assert_eq!(collect(&mut again, Trainable::Adapters).unwrap(), trained);
    model
}

#[test]
fn lora_and_its_merged_weights() {
    let model = adapter_run("lora");
    close(&probe_logits(&model), &golden_logits("lora"), "lora logits");
    let path = fixtures().join("training/lora/merged_model.safetensors");
    let file = SafetensorsFile::open(&path).unwrap();
    for linear in model.linears() {
        let merged = to_vec(linear.merged()).unwrap();
        compare(&merged, &file.read_f32(&format!("{}.weight", linear.name)).unwrap(), &linear.name);
    }
}

#[test]
fn rslora() {
    adapter_run("rslora");
}

#[test]
fn dora() {
    adapter_run("dora");
}

#[test]
fn switching_adapters_off_gives_the_base_model_back() {
    let mut model = base();
    let before = probe_logits(&model);
    load_adapter(&mut model, &fixtures().join("training/lora/final_adapter")).unwrap();
    assert_ne!(probe_logits(&model), before);
    model.set_adapters(false);
    assert_eq!(probe_logits(&model), before);
}
