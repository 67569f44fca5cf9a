//! Exports of every architecture to every target, with the checks that must catch a bad one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod architectures;
mod goldens;
mod peers;
mod refusals;
mod reward_models;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use sanbao_models::host::from_vec;
use sanbao_models::{BaseModel, Decoder, ParameterMut, Trainable};
use sanbao_train::LoraConfig;
use sanbao_train::lora::attach;
use serde_json::{Value, json};

use crate::{CardFacts, Error, Exported, Progress, Source, Stage, export_watched, target};

/// The goldens' models that generate text.
const DECODERS: &[&str] = &[
    "gemma2",
    "gemma3",
    "gpt2",
    "gpt_neox",
    "llama3_rope_untied",
    "llama_gqa_tied",
    "mistral_sliding",
    "phi3",
    "qwen2",
    "qwen3",
    "smollm3_nope",
];

fn fixture(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens")).join(path)
}

/// A golden model with changes to its `config.json`; a `null` removes the key.
fn variant(name: &str, changes: Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(fixture("models").join(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let path = folder.path().join("config.json");
    let mut config: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    std::fs::write(path, config.to_string()).unwrap();
    folder
}

/// What a golden has that llama.cpp has no setting for, and what it is replaced by.
fn for_gguf(name: &str) -> Value {
    match name {
        "gemma2" => json!({"query_pre_attn_scalar": 16}),
        // Every sixth layer is full; with three layers, none.
        "gemma3" => {
            json!({"layer_types": ["sliding_attention", "sliding_attention", "sliding_attention"]})
        }
        // The stretch is told by its divisors, and known by the context of 8192 that Llama 3 has.
        "llama3_rope_untied" => json!({"rope_parameters": {
            "rope_type": "llama3", "rope_theta": 10_000.0, "factor": 4.0,
            "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192,
        }}),
        "mistral_sliding" => json!({"sliding_window": null}),
        // Every fourth layer goes without rotation; with three layers, none.
        "smollm3_nope" => json!({"no_rope_layers": [1, 1, 1]}),
        _ => json!({}),
    }
}

/// A base model with a trained adapter: random numbers, so that every part of it counts.
struct Trained {
    base: BaseModel,
    model: Decoder,
    lora: Option<LoraConfig>,
}

impl Trained {
    fn new(path: &Path, lora: Option<LoraConfig>) -> Self {
        let base = BaseModel::open(path).unwrap();
        let device = Device::flex();
        let mut model = base.load(&device).unwrap();
        if let Some(config) = &lora {
            attach(&mut model, config, 7).unwrap();
            let mut random = random_numbers();
            model.visit_trained(Trainable::Adapters, &mut |_, parameter| match parameter {
                ParameterMut::Matrix(tensor) => {
                    let shape = tensor.dims();
                    let values =
                        random.by_ref().take(shape[0] * shape[1]).map(|one| one * 0.3).collect();
                    *tensor = from_vec(values, shape, &device);
                }
                // Magnitudes stay near the norms that they stand for.
                ParameterMut::Vector(tensor) => *tensor = tensor.clone() * 1.2,
            });
        }
        Self { base, model, lora }
    }

    fn golden(name: &str) -> Self {
        Self::new(&fixture("models").join(name), Some(lora(false)))
    }

    /// The same as a reward model.
    fn scoring(name: &str) -> Self {
        Self::scoring_at(&fixture("models").join(name))
    }

    fn scoring_at(path: &Path) -> Self {
        let mut trained = Self::new(path, Some(lora(false)));
        let width = trained.base.spec.hidden_size;
        let head = random_numbers().take(width).collect();
        trained.model.score = Some(from_vec(head, [1, width], &trained.model.device()));
        trained
    }

    fn source(&self) -> Source<'_> {
        Source {
            base: &self.base,
            model: &self.model,
            lora: self.lora.as_ref(),
            card: CardFacts {
                name: "support helper".into(),
                base_model: "someone/tiny".into(),
                recipe: "lora".into(),
                training_rows: 90,
                held_out_rows: 10,
                ..CardFacts::default()
            },
        }
    }

    fn export(&self, name: &str, options: Value, out: &Path) -> Result<Exported, Error> {
        self.export_watched(name, options, out, &|_| ())
    }

    fn export_watched(
        &self,
        name: &str,
        options: Value,
        out: &Path,
        written: &dyn Fn(&Path),
    ) -> Result<Exported, Error> {
        let options: BTreeMap<String, Value> = serde_json::from_value(options).unwrap();
        let mut seen: Vec<Progress> = Vec::new();
        let result = export_watched(
            target(name).unwrap(),
            &self.source(),
            out,
            &options,
            &mut |at| seen.push(at),
            written,
        );
        if result.is_ok() {
            assert!(seen.iter().all(|at| at.done <= at.total));
            assert!(seen.iter().any(|at| at.stage == Stage::ReadingBack));
        }
        result
    }
}

/// The same numbers each time, evenly between −0.5 and 0.5.
fn random_numbers() -> impl Iterator<Item = f32> {
    let mut state = 1_u64;
    std::iter::repeat_with(move || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32 - 0.5
    })
}

fn lora(use_dora: bool) -> LoraConfig {
    LoraConfig { r: 4, lora_alpha: 8.0, use_dora, ..LoraConfig::default() }
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}
