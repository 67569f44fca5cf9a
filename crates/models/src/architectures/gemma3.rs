//! Gemma 3, text (`Gemma3ForCausalLM`): local and global layers with their own rotary base.

use super::gemma2::{GEMMA_NAMES, gemma};
use super::{Architecture, GgufStorage, llama_like};
use crate::config::Config;
use crate::error::Error;
use crate::rope::{Rope, RopeScaling};
use crate::spec::Spec;

pub static GEMMA3: Architecture = Architecture {
    model_types: &["gemma3_text", "gemma3"],
    spec,
    gguf: GgufStorage {
        architecture: "gemma3",
        permuted_qk: false,
        norm_offset: 1.0,
        alias: false,
    },
};

const GLOBAL: usize = 0;
const LOCAL: usize = 1;

fn spec(config: &Config) -> Result<Spec, Error> {
    config.refuse_unless("use_bidirectional_attention", &false.into())?;
    let head_dim = config.size_opt("head_dim")?.unwrap_or(256);
    let pattern = match config.size_opt("sliding_window_pattern")? {
        Some(pattern) => pattern,
        None => config.size_opt("_sliding_window_pattern")?.unwrap_or(6),
    };
    let window = Some(config.size_opt("sliding_window")?.unwrap_or(4096));
    let layers = config.layers(
        |layer| (layer + 1) % pattern != 0,
        window,
        |_, slides| Some(if slides { LOCAL } else { GLOBAL }),
    )?;
    let global = config.rope(Some("full_attention"), head_dim, 1_000_000.0)?;
    let named_local = config
        .values()
        .get("rope_parameters")
        .is_some_and(|kinds| kinds.get("sliding_attention").is_some());
    let local = if named_local {
        config.rope(Some("sliding_attention"), head_dim, 10_000.0)?
    } else {
        Rope {
            theta: config.number("rope_local_base_freq", 10_000.0)?,
            rotary_dim: head_dim / 2 * 2,
            scaling: RopeScaling::Default,
        }
    };
    let base = llama_like(config, &GEMMA_NAMES, layers, vec![global, local])?;
    Ok(Spec {
        head_dim,
        attention_scale: config.number("query_pre_attn_scalar", 256.0)?.powf(-0.5) as f32,
        attention_softcap: config.number_opt("attn_logit_softcapping")?.map(|cap| cap as f32),
        final_softcap: config.number_opt("final_logit_softcapping")?.map(|cap| cap as f32),
        qk_norm: true,
        ..gemma(config, base)?
    })
}
