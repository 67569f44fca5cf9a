//! Qwen 1.5, 2 and 2.5 (`Qwen2ForCausalLM`): biases on query, key and value.

use super::{Architecture, GgufStorage, head_dim, llama_like, switched_window};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::Spec;

pub static QWEN2: Architecture = Architecture {
    model_types: &["qwen2"],
    spec,
    gguf: GgufStorage { architecture: "qwen2", permuted_qk: false, norm_offset: 0.0, alias: false },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let window = switched_window(config, false)?;
    let first_sliding = config.size_opt("max_window_layers")?.unwrap_or(28);
    let layers = config.layers(|layer| layer >= first_sliding, window, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim(config)?, 10_000.0)?];
    Ok(Spec {
        qkv_bias: true,
        out_bias: false,
        mlp_bias: false,
        ..llama_like(config, &LLAMA_NAMES, layers, ropes)?
    })
}
