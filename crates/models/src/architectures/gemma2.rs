//! Gemma 2 (`Gemma2ForCausalLM`): soft caps, four norms a layer, every other layer sliding.

use super::{Architecture, GgufStorage, gemma_activation, llama_like};
use crate::config::Config;
use crate::error::Error;
use crate::names::{LLAMA_NAMES, Names};
use crate::spec::{NormKind, Spec};

pub static GEMMA2: Architecture = Architecture {
    model_types: &["gemma2"],
    spec,
    gguf: GgufStorage {
        architecture: "gemma2",
        permuted_qk: false,
        norm_offset: 1.0,
        alias: false,
    },
};

/// Gemma's names: what Llama calls the norm after attention really stands after it here.
pub(super) const GEMMA_NAMES: Names = Names {
    post_attention_norm: "post_attention_layernorm",
    pre_mlp_norm: "pre_feedforward_layernorm",
    post_mlp_norm: "post_feedforward_layernorm",
    ..LLAMA_NAMES
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let head_dim = config.size_opt("head_dim")?.unwrap_or(256);
    let window = Some(config.size_opt("sliding_window")?.unwrap_or(4096));
    let layers = config.layers(|layer| layer % 2 == 0, window, |_, _| Some(0))?;
    let ropes = vec![config.rope(None, head_dim, 10_000.0)?];
    let base = llama_like(config, &GEMMA_NAMES, layers, ropes)?;
    Ok(Spec {
        head_dim,
        attention_scale: config.number("query_pre_attn_scalar", 256.0)?.powf(-0.5) as f32,
        attention_softcap: config.number_opt("attn_logit_softcapping")?.map(|cap| cap as f32),
        final_softcap: config.number_opt("final_logit_softcapping")?.map(|cap| cap as f32),
        ..gemma(config, base)?
    })
}

/// What all Gemma models share.
pub(super) fn gemma(config: &Config, base: Spec) -> Result<Spec, Error> {
    Ok(Spec {
        norm: NormKind::RmsPlusOne { eps: config.number("rms_norm_eps", 1e-6)? },
        activation: gemma_activation(config)?,
        post_norms: true,
        embedding_scale: Some((base.hidden_size as f32).sqrt()),
        tie_word_embeddings: config.flag("tie_word_embeddings", true)?,
        ..base
    })
}
