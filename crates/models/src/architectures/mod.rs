//! The architectures that are built in: one file each, one line here.

mod gemma2;
mod gemma3;
mod gpt2;
mod gpt_neox;
mod llama;
mod mistral;
mod phi3;
mod qwen2;
mod qwen3;
mod smollm3;

use crate::config::Config;
use crate::error::Error;
use crate::spec::{Activation, LayerSpec, MlpLayout, NormKind, QkvLayout, Spec, WeightLayout};

/// A family of decoders: how its configuration reads and how GGUF files store it.
pub struct Architecture {
    /// `model_type` values that it answers to, the canonical one first.
    pub model_types: &'static [&'static str],
    /// Understands a configuration.
    pub spec: fn(&Config) -> Result<Spec, Error>,
    /// How GGUF files store it.
    pub gguf: GgufStorage,
}

/// How GGUF files store a family, after llama.cpp's `convert_hf_to_gguf.py`.
pub struct GgufStorage {
    /// `general.architecture`.
    pub architecture: &'static str,
    /// Whether rows of query and key are permuted pairwise (families whose llama.cpp graph
    /// rotates neighbours instead of halves).
    pub permuted_qk: bool,
    /// What is added to every norm weight.
    pub norm_offset: f32,
    /// Whether the file's name is shared with an older family that comes first in the list.
    pub alias: bool,
}

/// Every architecture, in the order they are listed to people.
pub static ARCHITECTURES: &[&Architecture] = &[
    &llama::LLAMA,
    &mistral::MISTRAL,
    &qwen2::QWEN2,
    &qwen3::QWEN3,
    &gemma2::GEMMA2,
    &gemma3::GEMMA3,
    &phi3::PHI3,
    &gpt2::GPT2,
    &gpt_neox::GPT_NEOX,
    &smollm3::SMOLLM3,
];

fn unknown(found: &str) -> Error {
    let supported: Vec<&str> = ARCHITECTURES.iter().map(|a| a.model_types[0]).collect();
    Error::UnknownArchitecture { found: found.to_owned(), supported: supported.join(", ") }
}

/// Finds the architecture of a `config.json`.
pub fn by_model_type(model_type: &str) -> Result<&'static Architecture, Error> {
    ARCHITECTURES
        .iter()
        .find(|a| a.model_types.contains(&model_type))
        .copied()
        .ok_or_else(|| unknown(model_type))
}

/// Finds the architecture of a GGUF file by its `general.architecture`.
pub fn by_gguf_name(name: &str) -> Result<&'static Architecture, Error> {
    ARCHITECTURES
        .iter()
        .find(|a| a.gguf.architecture == name && !a.gguf.alias)
        .copied()
        .ok_or_else(|| unknown(name))
}

/// What Llama-like families have in common; each family changes what differs.
fn llama_like(
    config: &Config,
    names: &'static crate::names::Names,
    layers: Vec<LayerSpec>,
    ropes: Vec<crate::rope::Rope>,
) -> Result<Spec, Error> {
    let hidden_size = config.size("hidden_size")?;
    let num_attention_heads = config.size("num_attention_heads")?;
    let num_key_value_heads =
        config.size_opt("num_key_value_heads")?.unwrap_or(num_attention_heads);
    if !num_attention_heads.is_multiple_of(num_key_value_heads) {
        return Err(config.problem(format!(
            "{num_attention_heads} attention heads cannot share {num_key_value_heads} key-value heads"
        )));
    }
    let head_dim = head_dim(config)?;
    Ok(Spec {
        model_type: config.model_type()?,
        names,
        vocab_size: config.size("vocab_size")?,
        hidden_size,
        intermediate_size: config.size("intermediate_size")?,
        num_attention_heads,
        num_key_value_heads,
        head_dim,
        max_position_embeddings: config.size("max_position_embeddings")?,
        layers,
        ropes,
        norm: NormKind::Rms { eps: config.number("rms_norm_eps", 1e-6)? },
        activation: config.activation("silu")?,
        qkv: QkvLayout::Separate,
        mlp: MlpLayout::Gated,
        weight_layout: WeightLayout::OutIn,
        qkv_bias: config.flag("attention_bias", false)?,
        out_bias: config.flag("attention_bias", false)?,
        mlp_bias: config.flag("mlp_bias", false)?,
        qk_norm: false,
        post_norms: false,
        parallel_residual: false,
        learned_positions: false,
        embedding_scale: None,
        attention_scale: (head_dim as f32).powf(-0.5),
        attention_softcap: None,
        final_softcap: None,
        tie_word_embeddings: config.flag("tie_word_embeddings", false)?,
    })
}

/// `head_dim`, or the hidden size shared among the heads.
fn head_dim(config: &Config) -> Result<usize, Error> {
    if let Some(head_dim) = config.size_opt("head_dim")? {
        return Ok(head_dim);
    }
    let hidden = config.size("hidden_size")?;
    let heads = config.size("num_attention_heads")?;
    if !hidden.is_multiple_of(heads) {
        return Err(config
            .problem(format!("a hidden size of {hidden} cannot be shared among {heads} heads")));
    }
    Ok(hidden / heads)
}

/// The window of families that have `sliding_window` with an on/off switch.
fn switched_window(config: &Config, default_on: bool) -> Result<Option<usize>, Error> {
    if config.flag("use_sliding_window", default_on)? {
        config.size_opt("sliding_window")
    } else {
        Ok(None)
    }
}

/// The tanh-approximated GELU, whatever the file calls it: Gemma's early files say `gelu`
/// and mean the approximation.
fn gemma_activation(config: &Config) -> Result<Activation, Error> {
    match config.activation("gelu_pytorch_tanh")? {
        Activation::Gelu => Ok(Activation::GeluTanh),
        other => Ok(other),
    }
}
