//! GPT-NeoX and Pythia (`GPTNeoXForCausalLM`): parallel residual, partial rotary.

use super::{Architecture, GgufStorage, head_dim};
use crate::config::Config;
use crate::error::Error;
use crate::names::Names;
use crate::spec::{MlpLayout, NormKind, QkvLayout, Spec, WeightLayout};

pub static GPT_NEOX: Architecture = Architecture {
    model_types: &["gpt_neox"],
    spec,
    gguf: GgufStorage {
        architecture: "gptneox",
        permuted_qk: false,
        norm_offset: 0.0,
        alias: false,
    },
};

const NAMES: Names = Names {
    embed: "gpt_neox.embed_in",
    positions: "",
    final_norm: "gpt_neox.final_layer_norm",
    head: "embed_out",
    block: "gpt_neox.layers.{}",
    input_norm: "input_layernorm",
    query: "",
    key: "",
    value: "",
    qkv: "attention.query_key_value",
    out: "attention.dense",
    query_norm: "",
    key_norm: "",
    post_attention_norm: "",
    pre_mlp_norm: "post_attention_layernorm",
    post_mlp_norm: "",
    gate: "",
    up: "mlp.dense_h_to_4h",
    gate_up: "",
    down: "mlp.dense_4h_to_h",
};

fn spec(config: &Config) -> Result<Spec, Error> {
    let heads = config.size("num_attention_heads")?;
    let head_dim = head_dim(config)?;
    let mut rope = config.rope(None, head_dim, 10_000.0)?;
    let says_share = config
        .values()
        .get("rope_parameters")
        .is_some_and(|p| p.get("partial_rotary_factor").is_some())
        || config.values().get("rotary_pct").is_some();
    if !says_share {
        rope.rotary_dim = (head_dim as f64 * 0.25) as usize / 2 * 2;
    }
    let bias = config.flag("attention_bias", true)?;
    Ok(Spec {
        model_type: config.model_type()?,
        names: &NAMES,
        vocab_size: config.size("vocab_size")?,
        hidden_size: config.size("hidden_size")?,
        intermediate_size: config.size("intermediate_size")?,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim,
        max_position_embeddings: config.size("max_position_embeddings")?,
        layers: config.layers(|_| false, None, |_, _| Some(0))?,
        ropes: vec![rope],
        norm: NormKind::Layer { eps: config.number("layer_norm_eps", 1e-5)? },
        activation: config.activation("gelu")?,
        qkv: QkvLayout::PerHead,
        mlp: MlpLayout::Plain,
        weight_layout: WeightLayout::OutIn,
        qkv_bias: bias,
        out_bias: bias,
        mlp_bias: true,
        qk_norm: false,
        post_norms: false,
        parallel_residual: config.flag("use_parallel_residual", true)?,
        learned_positions: false,
        embedding_scale: None,
        attention_scale: (head_dim as f32).powf(-0.5),
        attention_softcap: None,
        final_softcap: None,
        tie_word_embeddings: config.flag("tie_word_embeddings", false)?,
    })
}
