//! GPT-2 (`GPT2LMHeadModel`): learnt positions, matrices stored `[in, out]`.

use super::{Architecture, GgufStorage};
use crate::config::Config;
use crate::error::Error;
use crate::names::Names;
use crate::spec::{MlpLayout, NormKind, QkvLayout, Spec, WeightLayout};

pub static GPT2: Architecture = Architecture {
    model_types: &["gpt2"],
    spec,
    gguf: GgufStorage { architecture: "gpt2", permuted_qk: false, norm_offset: 0.0, alias: false },
};

const NAMES: Names = Names {
    embed: "transformer.wte",
    positions: "transformer.wpe",
    final_norm: "transformer.ln_f",
    head: "lm_head",
    block: "transformer.h.{}",
    input_norm: "ln_1",
    query: "",
    key: "",
    value: "",
    qkv: "attn.c_attn",
    out: "attn.c_proj",
    query_norm: "",
    key_norm: "",
    post_attention_norm: "",
    pre_mlp_norm: "ln_2",
    post_mlp_norm: "",
    gate: "",
    up: "mlp.c_fc",
    gate_up: "",
    down: "mlp.c_proj",
};

fn spec(config: &Config) -> Result<Spec, Error> {
    config.refuse_unless("scale_attn_by_inverse_layer_idx", &false.into())?;
    config.refuse_unless("add_cross_attention", &false.into())?;
    let hidden_size = config.size_any(&["n_embd", "hidden_size"])?;
    let heads = config.size_any(&["n_head", "num_attention_heads"])?;
    if !hidden_size.is_multiple_of(heads) {
        return Err(config.problem(format!(
            "a hidden size of {hidden_size} cannot be shared among {heads} heads"
        )));
    }
    let head_dim = hidden_size / heads;
    let scaled = config.flag("scale_attn_weights", true)?;
    Ok(Spec {
        model_type: config.model_type()?,
        names: &NAMES,
        vocab_size: config.size("vocab_size")?,
        hidden_size,
        intermediate_size: config.size_opt("n_inner")?.unwrap_or(4 * hidden_size),
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim,
        max_position_embeddings: config.size_any(&["n_positions", "max_position_embeddings"])?,
        layers: config.layers(|_| false, None, |_, _| None)?,
        ropes: Vec::new(),
        norm: NormKind::Layer { eps: config.number("layer_norm_epsilon", 1e-5)? },
        activation: config.activation("gelu_new")?,
        qkv: QkvLayout::Concatenated,
        mlp: MlpLayout::Plain,
        weight_layout: WeightLayout::InOut,
        qkv_bias: true,
        out_bias: true,
        mlp_bias: true,
        qk_norm: false,
        post_norms: false,
        parallel_residual: false,
        learned_positions: true,
        embedding_scale: None,
        attention_scale: if scaled { (head_dim as f32).powf(-0.5) } else { 1.0 },
        attention_softcap: None,
        final_softcap: None,
        tie_word_embeddings: config.flag("tie_word_embeddings", true)?,
    })
}
