//! SmolLM3 (`SmolLM3ForCausalLM`): every few layers go without rotary positions (NoPE).

use serde_json::Value;

use super::{Architecture, GgufStorage, head_dim, llama_like, switched_window};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::Spec;

pub static SMOLLM3: Architecture = Architecture {
    model_types: &["smollm3"],
    spec,
    gguf: GgufStorage {
        architecture: "smollm3",
        permuted_qk: true,
        norm_offset: 0.0,
        alias: false,
    },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let interval = config.size_opt("no_rope_layer_interval")?.unwrap_or(4);
    let listed = config.values().get("no_rope_layers").and_then(Value::as_array);
    // The list says where rotary positions are used (1), despite its name.
    let rotary = |layer: usize| match listed.and_then(|list| list.get(layer)) {
        Some(flag) => flag.as_u64() != Some(0),
        None => !(layer + 1).is_multiple_of(interval),
    };
    let window = switched_window(config, false)?;
    let layers = config.layers(
        |layer| window.is_some() && rotary(layer),
        window,
        |layer, _| rotary(layer).then_some(0),
    )?;
    let ropes = vec![config.rope(None, head_dim(config)?, 2_000_000.0)?];
    let tied = config.flag("tie_word_embeddings", true)?;
    Ok(Spec { tie_word_embeddings: tied, ..llama_like(config, &LLAMA_NAMES, layers, ropes)? })
}
