//! Mistral (`MistralForCausalLM`): Llama with a sliding window.

use super::{Architecture, GgufStorage, head_dim, llama_like};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::Spec;

pub static MISTRAL: Architecture = Architecture {
    model_types: &["mistral"],
    spec,
    // llama.cpp stores Mistral under the name of Llama.
    gguf: GgufStorage { architecture: "llama", permuted_qk: true, norm_offset: 0.0, alias: true },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let window = config.size_opt("sliding_window")?;
    let layers = config.layers(|_| window.is_some(), window, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim(config)?, 10_000.0)?];
    Ok(Spec {
        qkv_bias: false,
        out_bias: false,
        mlp_bias: false,
        ..llama_like(config, &LLAMA_NAMES, layers, ropes)?
    })
}
