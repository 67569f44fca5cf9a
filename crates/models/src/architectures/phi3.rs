//! Phi-3 and Phi-3.5 mini, Phi-4 (`Phi3ForCausalLM`): fused projections.

use super::{Architecture, GgufStorage, head_dim, llama_like};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::{MlpLayout, QkvLayout, Spec};

pub static PHI3: Architecture = Architecture {
    model_types: &["phi3"],
    spec,
    gguf: GgufStorage { architecture: "phi3", permuted_qk: false, norm_offset: 0.0, alias: false },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let window = config.size_opt("sliding_window")?;
    let layers = config.layers(|_| window.is_some(), window, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim(config)?, 10_000.0)?];
    Ok(Spec {
        qkv: QkvLayout::Concatenated,
        mlp: MlpLayout::FusedGated,
        qkv_bias: false,
        out_bias: false,
        mlp_bias: false,
        ..llama_like(config, &LLAMA_NAMES, layers, ropes)?
    })
}
