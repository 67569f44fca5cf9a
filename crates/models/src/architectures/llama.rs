//! Llama 1 to 3.x, SmolLM, TinyLlama and others (`LlamaForCausalLM`).

use super::{Architecture, GgufStorage, head_dim, llama_like};
use crate::config::Config;
use crate::error::Error;
use crate::names::LLAMA_NAMES;
use crate::spec::Spec;

pub static LLAMA: Architecture = Architecture {
    model_types: &["llama"],
    spec,
    gguf: GgufStorage { architecture: "llama", permuted_qk: true, norm_offset: 0.0, alias: false },
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let layers = config.layers(|_| false, None, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim(config)?, 10_000.0)?];
    llama_like(config, &LLAMA_NAMES, layers, ropes)
}
