//! Qwen 3, dense (`Qwen3ForCausalLM`): query and key heads are normalised.

use super::{Architecture, GgufStorage, llama_like, switched_window};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::Spec;

pub static QWEN3: Architecture = Architecture {
    model_types: &["qwen3"],
    spec,
    gguf: GgufStorage { architecture: "qwen3", permuted_qk: false, norm_offset: 0.0, alias: false },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let head_dim = config.size_opt("head_dim")?.unwrap_or(128);
    let window = switched_window(config, false)?;
    let first_sliding = config.size_opt("max_window_layers")?.unwrap_or(28);
    let layers = config.layers(|layer| layer >= first_sliding, window, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim, 10_000.0)?];
    Ok(Spec {
        head_dim,
        attention_scale: (head_dim as f32).powf(-0.5),
        qk_norm: true,
        mlp_bias: false,
        ..llama_like(config, &LLAMA_NAMES, layers, ropes)?
    })
}
