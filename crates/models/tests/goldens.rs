//! Every architecture against the reference stack: logits, loss, gradients, greedy tokens.
//!
//! Tolerances: logits 1e-4 (5e-4 through the operations that GPUs run), loss 1e-5, gradient
//! norm 1e-4 relative, probe 2e-4 of the norm, greedy tokens equal.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_models::host::to_vec;
use sanbao_models::weights::{SafetensorsFile, WeightSource};
use sanbao_models::{
    ARCHITECTURES, Activations, BaseModel, Decoder, Gradients, Layout, Targets, Trainable,
};
use serde_json::Value;

const DECODERS: &[&str] = &[
    "llama_gqa_tied",
    "llama3_rope_untied",
    "mistral_sliding",
    "qwen2",
    "qwen3",
    "gemma2",
    "gemma3",
    "phi3",
    "gpt2",
    "gpt_neox",
    "smollm3_nope",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/goldens/models").join(name)
}

fn golden(name: &str) -> Value {
    let text = std::fs::read_to_string(folder(name).join("golden.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn open(name: &str) -> (BaseModel, Decoder) {
    let base = BaseModel::open(&folder(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let model = base.load(&Device::flex()).unwrap();
    (base, model)
}

fn tensors(name: &str) -> SafetensorsFile {
    SafetensorsFile::open(&folder(name).join("golden.safetensors")).unwrap()
}

/// A tensor of whole numbers, with its shape.
fn whole(name: &str, tensor: &str) -> Option<(Vec<usize>, Vec<i64>)> {
    let bytes = std::fs::read(folder(name).join("golden.safetensors")).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(tensor).ok()?;
    let values = view.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap())).collect();
    Some((view.shape().to_vec(), values))
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .fold(0.0, |top, (a, b)| if (a - b).is_nan() { f32::NAN } else { top.max((a - b).abs()) })
}

#[test]
fn every_architecture_has_a_golden() {
    let covered: Vec<String> =
        DECODERS.iter().map(|name| open(name).0.architecture.model_types[0].to_owned()).collect();
    for architecture in ARCHITECTURES {
        assert!(
            covered.iter().any(|name| name == architecture.model_types[0]),
            "{}",
            architecture.model_types[0]
        );
    }
}

#[test]
fn logits_equal_the_reference() {
    for name in DECODERS {
        let (_, model) = open(name);
        let (golden, tensors) = (golden(name), tensors(name));
        for (index, prompt) in golden["prompts"].as_array().unwrap().iter().enumerate() {
            let ids = ids(&prompt["ids"]);
            let logits = to_vec(model.logits(&ids, &Layout::packed([ids.len()]))).unwrap();
            let expected = tensors.read_f32(&format!("prompt{index}.logits")).unwrap();
            let apart = worst(&logits, &expected);
            assert!(apart < 1e-4, "{name} prompt {index}: {apart}");
        }
    }
}

#[test]
fn older_spellings_of_the_configuration_give_the_same_model() {
    for name in DECODERS {
        let old = folder(name).join("config.v4style.json");
        if !old.is_file() {
            continue;
        }
        let copy = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder(name)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        std::fs::copy(&old, copy.path().join("config.json")).unwrap();
        let (new, old) = (open(name).0, BaseModel::open(copy.path()).unwrap());
        assert_eq!(new.spec, old.spec, "{name}");
    }
}

/// The batch of the golden loss, row by row without its padding.
fn batch(golden: &Value) -> (Vec<u32>, Layout, Targets) {
    let loss = &golden["loss"];
    let rows = |key: &str| loss[key].as_array().unwrap().clone();
    let (mut all, mut lengths, mut targets) = (Vec::new(), Vec::new(), Targets::default());
    for ((row, mask), labels) in
        rows("input_ids").iter().zip(rows("attention_mask")).zip(rows("labels"))
    {
        let length = mask.as_array().unwrap().iter().filter(|m| m.as_u64() == Some(1)).count();
        let labels = labels.as_array().unwrap();
        for (index, label) in labels.iter().enumerate().take(length).skip(1) {
            if let Some(label) = label.as_u64() {
                targets.rows.push((all.len() + index - 1) as u32);
                targets.tokens.push(label as u32);
            }
        }
        all.extend(&ids(row)[..length]);
        lengths.push(length);
    }
    targets.weights = vec![1.0 / targets.rows.len() as f32; targets.rows.len()];
    (all, Layout::packed(lengths), targets)
}

fn probe(gradient: &[f32]) -> f64 {
    gradient.iter().enumerate().map(|(i, g)| f64::from(*g) * (i as f64).cos()).sum()
}

#[test]
fn loss_and_every_gradient_equal_the_reference() {
    for name in DECODERS {
        let (_, model) = open(name);
        let golden = golden(name);
        let (ids, layout, targets) = batch(&golden);
        assert_eq!(targets.rows.len() as u64, golden["loss"]["predicted_tokens"].as_u64().unwrap());
        for activations in [Activations::Kept, Activations::Recomputed] {
            let mut grads = Gradients::default();
            let trace = model.forward(&ids, &layout, activations, None);
            let losses =
                model.backward(trace, &targets, Trainable::Everything, &mut grads).unwrap();
            let loss = losses.iter().map(|l| f64::from(*l)).sum::<f64>() / losses.len() as f64;
            let expected = golden["loss"]["loss"].as_f64().unwrap();
            assert!((loss - expected).abs() < 1e-5, "{name}: loss {loss} instead of {expected}");
            let all = golden["loss"]["grads"].as_object().unwrap();
            for (parameter, expected) in all {
                // The module was renamed in the reference after its checkpoints were.
                let renamed = *name == "gpt_neox" && parameter == "lm_head.weight";
                let parameter = if renamed { "embed_out.weight" } else { parameter };
                let gradient = grads
                    .get(parameter)
                    .unwrap_or_else(|| panic!("{name}: no gradient of {parameter}"));
                let gradient = to_vec(gradient.clone()).unwrap();
                let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
                let expected_norm = expected["norm"].as_f64().unwrap();
                if expected_norm < 1e-5 {
                    assert!(norm < 1e-5, "{name} {parameter}: {norm}");
                    continue;
                }
                assert!(
                    (norm / expected_norm - 1.0).abs() < 1e-4,
                    "{name} {parameter}: norm {norm} instead of {expected_norm}"
                );
                let (found, wanted) = (probe(&gradient), expected["probe"].as_f64().unwrap());
                assert!(
                    (found - wanted).abs() < 2e-4 * expected_norm,
                    "{name} {parameter}: probe {found} instead of {wanted}"
                );
            }
            assert_eq!(
                grads.iter().count(),
                all.len(),
                "{name}: gradients of what is no parameter"
            );
        }
    }
}

#[test]
fn a_packed_batch_gives_each_row_its_own_logits() {
    for name in DECODERS {
        let (_, model) = open(name);
        let tensors = tensors(name);
        for side in ["right_pad", "left_pad"] {
            let Some((shape, mask)) = whole(name, &format!("{side}.attention_mask")) else {
                continue;
            };
            let (_, all) = whole(name, &format!("{side}.input_ids")).unwrap();
            let expected = tensors.read_f32(&format!("{side}.logits")).unwrap();
            let width = shape[1];
            let (mut ids, mut lengths, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for row in 0..shape[0] {
                let cells: Vec<usize> =
                    (row * width..(row + 1) * width).filter(|cell| mask[*cell] == 1).collect();
                lengths.push(cells.len());
                ids.extend(cells.iter().map(|cell| all[*cell] as u32));
                kept.extend(cells);
            }
            let logits = to_vec(model.logits(&ids, &Layout::packed(lengths))).unwrap();
            let vocab = model.spec.vocab_size;
            let expected: Vec<f32> =
                kept.iter().flat_map(|cell| expected[cell * vocab..][..vocab].to_vec()).collect();
            let apart = worst(&logits, &expected);
            assert!(apart < 1e-4, "{name} {side}: {apart}");
        }
    }
}

#[test]
fn greedy_tokens_equal_the_reference() {
    for name in DECODERS {
        let (_, model) = open(name);
        let golden = golden(name);
        let mut text = ids(&golden["greedy"]["prompt_ids"]);
        for expected in ids(&golden["greedy"]["new_tokens"]) {
            let hidden = model.hidden(&text, &Layout::packed([text.len()]));
            let last = text.len() - 1;
            let logits = to_vec(model.logits_of(hidden.slice_dim(0, last..last + 1))).unwrap();
            let best = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap();
            assert_eq!(best as u32, expected, "{name} after {} tokens", text.len());
            text.push(expected);
        }
    }
}
