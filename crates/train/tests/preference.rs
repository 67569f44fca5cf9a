//! A whole step of preference tuning on a tiny Llama against TRL: losses, figures, the gradient of
//! every parameter; with one portion and with several.
//!
//! Tolerances: losses 5e-5 (2e-4 for those above 10), gradient norms and probes 5e-4 relative.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_data::Sequence;
use sanbao_models::host::{from_vec, to_vec};
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_models::{Activations, BaseModel, Decoder, ParameterMut, Trainable};
use sanbao_train::losses::{PreferenceSettings, preference_loss};
use sanbao_train::preference::{
    Pairs, accumulate_pairs, measure_pairs, read_reference, reference, write_reference,
};
use sanbao_train::step::Portions;
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

/// The base model with the weights of a finished run.
fn policy() -> Decoder {
    let mut model = base();
    let path = fixtures().join("training/full/final_model.safetensors");
    let trained = SafetensorsFile::open(&path).unwrap();
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

/// `chosen, rejected, chosen, rejected, …`
fn sequences(golden: &Value) -> Vec<Sequence> {
    let ids = |value: &Value| -> Vec<u32> {
        value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
    };
    let pairs = golden["pairs_token_ids"].as_array().unwrap();
    let sequence = |pair: &Value, answer: &str| {
        let (prompt, answer) = (ids(&pair["prompt"]), ids(&pair[answer]));
        let trained = [vec![false; prompt.len()], vec![true; answer.len()]].concat();
        Sequence { ids: [prompt, answer].concat(), trained }
    };
    pairs.iter().flat_map(|pair| [sequence(pair, "chosen"), sequence(pair, "rejected")]).collect()
}

fn near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} instead of {expected}");
}

fn check(case: &str, loss: &str, change: impl Fn(&mut PreferenceSettings)) {
    let golden = golden();
    let expected = &golden["cases"][case];
    let sequences = sequences(&golden);
    let loss = preference_loss(loss).unwrap();
    let mut settings = loss.defaults;
    settings.beta = expected["beta"].as_f64().unwrap();
    change(&mut settings);
    let known = reference(&base(), &sequences, 64, &mut |_| ()).unwrap();
    let known: Vec<&[f32]> = known.iter().map(Vec::as_slice).collect();
    let pairs = Pairs { loss, settings, sequences: &sequences, reference: &known };
    let model = policy();
    for (tokens, activations) in [(1024, Activations::Kept), (24, Activations::Recomputed)] {
        let mut portions = Portions { tokens, activations };
        let (sums, figures) = accumulate_pairs(
            &model,
            &pairs,
            Trainable::Everything,
            &mut portions,
            None,
            &mut |_| panic!("halved"),
        )
        .unwrap();
        let what = |part: &str| format!("{case}, portions of {tokens}: {part}");
        let value = expected["loss"].as_f64().unwrap();
        near(sums.loss, value, if value > 10.0 { 2e-4 } else { 5e-5 }, &what("loss"));
        if let Some(trl) = expected["trl_metrics"].as_object() {
            for (name, value) in trl {
                near(figures[name.as_str()], value.as_f64().unwrap(), 2e-4, &what(name));
            }
        }
        for (name, expected) in expected["grads"].as_object().unwrap() {
            let gradient = to_vec(sums.grads.get(name).unwrap().clone()).unwrap();
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let wave = |(i, g): (usize, &f32)| f64::from(*g) * (i as f64).cos();
            let probe: f64 = gradient.iter().enumerate().map(wave).sum();
            let scale = expected["norm"].as_f64().unwrap();
            near(norm, scale, 5e-4 * scale, &what(name));
            near(probe, expected["probe"].as_f64().unwrap(), 2e-3 * scale.max(1.0), &what(name));
        }
    }
    let (measured, _) = measure_pairs(&model, &pairs, 8, 64).unwrap().unwrap();
    let value = expected["loss"].as_f64().unwrap();
    near(measured, value, if value > 10.0 { 2e-4 } else { 5e-5 }, "measured without gradients");
}

#[test]
fn dpo() {
    check("dpo_sigmoid", "sigmoid", |_| ());
}

#[test]
fn ipo() {
    check("dpo_ipo", "ipo", |_| ());
}

#[test]
fn hinge() {
    check("dpo_hinge", "hinge", |_| ());
}

#[test]
fn dpo_with_label_smoothing() {
    check("cdpo_sigmoid_label_smoothing_0.1", "sigmoid", |settings| settings.label_smoothing = 0.1);
}

#[test]
fn orpo() {
    check("orpo", "orpo", |_| ());
}

#[test]
fn simpo() {
    check("simpo", "simpo", |_| ());
}

#[test]
fn cpo() {
    check("cpo", "cpo_sigmoid", |_| ());
}

#[test]
fn a_reference_is_read_as_it_was_written() {
    let sequences = sequences(&golden());
    let known = reference(&base(), &sequences, 64, &mut |_| ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reference/train.f32");
    assert_eq!(read_reference(&path, &sequences).unwrap(), None);
    write_reference(&path, &known).unwrap();
    assert_eq!(read_reference(&path, &sequences).unwrap(), Some(known));
    assert!(read_reference(&path, &sequences[1..]).is_err());
}
