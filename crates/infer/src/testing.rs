//! The small reference models, for tests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use safetensors::SafeTensors;
use sanbao_models::host::to_vec;
use sanbao_models::{BaseModel, Decoder};
use sanbao_text::Tokenizer;
use serde_json::Value;

/// Every decoder among the reference models.
pub const DECODERS: [&str; 11] = [
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

pub fn fixture(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/goldens")).join(path)
}

pub fn json(path: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(fixture(path)).unwrap()).unwrap()
}

pub fn load(name: &str) -> (Decoder, Tokenizer) {
    let base = BaseModel::open(&fixture(&format!("models/{name}"))).unwrap();
    (base.load(&Device::flex()).unwrap(), base.tokenizer)
}

/// A model and what the reference says about it.
pub struct Reference {
    pub name: &'static str,
    pub model: Decoder,
    pub tokenizer: Tokenizer,
    pub golden: Value,
    tensors: Vec<u8>,
}

impl Reference {
    pub fn load(name: &'static str) -> Self {
        let (model, tokenizer) = load(name);
        let golden = json(&format!("models/{name}/golden.json"));
        let tensors = std::fs::read(fixture(&format!("models/{name}/golden.safetensors"))).unwrap();
        Self { name, model, tokenizer, golden, tensors }
    }

    pub fn all() -> impl Iterator<Item = Self> {
        DECODERS.into_iter().map(Self::load)
    }

    /// Tokens of one of the two prompts.
    pub fn prompt(&self, index: usize) -> Vec<u32> {
        ids(&self.golden["prompts"][index]["ids"])
    }

    /// Logits of one of the two prompts, row-major.
    pub fn logits(&self, prompt: usize) -> Vec<f32> {
        let tensors = SafeTensors::deserialize(&self.tensors).unwrap();
        let tensor = tensors.tensor(&format!("prompt{prompt}.logits")).unwrap();
        let bytes = tensor.data().chunks_exact(4);
        bytes.map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
    }
}

pub fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|id| id.as_u64().unwrap() as u32).collect()
}

pub fn logits_of(model: &Decoder, hidden: Tensor<2>) -> Vec<f32> {
    to_vec(model.logits_of(hidden)).unwrap()
}

/// Largest difference; all numbers must be there and finite.
pub fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    assert!(a.iter().chain(b).all(|x| x.is_finite()));
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
