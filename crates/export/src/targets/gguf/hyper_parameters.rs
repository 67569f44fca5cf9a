//! Sizes and settings of the model, under the keys of `gguf-py/constants.py`.

use sanbao_models::Architecture;
use sanbao_models::rope::{Rope, RopeScaling};
use sanbao_models::spec::{NormKind, Spec};
use sanbao_models::weights::{GgufWriter, MetaValue};

/// Writes every key that llama.cpp reads for the family.
pub(super) fn set(writer: &mut GgufWriter, spec: &Spec, architecture: &Architecture) {
    let family = architecture.gguf.architecture;
    let mut put = |key: &str, value: MetaValue| writer.set(&format!("{family}.{key}"), value);
    let whole = |value: usize| MetaValue::U32(u32::try_from(value).unwrap_or(u32::MAX));
    let number = |value: f64| MetaValue::F32(value as f32);

    put("vocab_size", whole(spec.vocab_size));
    put("context_length", whole(spec.max_position_embeddings));
    put("embedding_length", whole(spec.hidden_size));
    put("block_count", whole(spec.layers.len()));
    put("feed_forward_length", whole(spec.intermediate_size));
    put("attention.head_count", whole(spec.num_attention_heads));
    match spec.norm {
        NormKind::Rms { eps } | NormKind::RmsPlusOne { eps } => {
            put("attention.layer_norm_rms_epsilon", number(eps));
        }
        NormKind::Layer { eps } => put("attention.layer_norm_epsilon", number(eps)),
    }
    if !matches!(family, "gpt2" | "gptneox") {
        put("attention.head_count_kv", whole(spec.num_key_value_heads));
        put("attention.key_length", whole(spec.head_dim));
        put("attention.value_length", whole(spec.head_dim));
    }
    if family == "gptneox" {
        put("use_parallel_residual", MetaValue::Bool(spec.parallel_residual));
    }
    if matches!(family, "gemma2" | "gemma3" | "phi3")
        && let Some(window) = spec.layers.iter().find_map(|layer| layer.window)
    {
        put("attention.sliding_window", whole(window));
    }
    if let Some(cap) = spec.attention_softcap {
        put("attn_logit_softcapping", MetaValue::F32(cap));
    }
    if let Some(cap) = spec.final_softcap {
        put("final_logit_softcapping", MetaValue::F32(cap));
    }
    if let Some(rope) = spec.ropes.first() {
        positions(rope, family, &mut put);
    }
}

fn positions(rope: &Rope, family: &str, put: &mut dyn FnMut(&str, MetaValue)) {
    let mut text = |key: &str, value: &str| put(key, MetaValue::String(value.to_owned()));
    match &rope.scaling {
        RopeScaling::Linear { .. } => text("rope.scaling.type", "linear"),
        RopeScaling::Yarn { .. } => text("rope.scaling.type", "yarn"),
        // Phi-3 finds its divisors without being told; naming the kind would stretch twice.
        RopeScaling::LongRope { .. } if family != "phi3" => text("rope.scaling.type", "longrope"),
        _ => {}
    }
    let mut number = |key: &str, value: f64| put(key, MetaValue::F32(value as f32));
    number("rope.freq_base", rope.theta);
    match &rope.scaling {
        RopeScaling::Linear { factor } => number("rope.scaling.factor", *factor),
        RopeScaling::Yarn { factor, beta_fast, beta_slow, .. } => {
            number("rope.scaling.factor", *factor);
            number("rope.scaling.yarn_beta_fast", *beta_fast);
            number("rope.scaling.yarn_beta_slow", *beta_slow);
        }
        RopeScaling::LongRope { attention_factor, .. } => {
            number("rope.scaling.attn_factor", *attention_factor)
        }
        RopeScaling::Default | RopeScaling::Llama3 { .. } => {}
    }
    let original = match &rope.scaling {
        RopeScaling::Yarn { original, .. } => Some(*original as usize),
        RopeScaling::LongRope { original, .. } => Some(*original),
        _ => None,
    };
    let mut whole = |key: &str, value: usize| {
        put(key, MetaValue::U32(u32::try_from(value).unwrap_or(u32::MAX)))
    };
    whole("rope.dimension_count", rope.rotary_dim);
    if let Some(original) = original {
        whole("rope.scaling.original_context_length", original);
    }
}

/// Tensors that divide the rotary frequencies one by one: name and values.
pub(super) fn rope_factors(spec: &Spec) -> Vec<(&'static str, Vec<f32>)> {
    let Some(rope) = spec.ropes.first() else { return Vec::new() };
    let narrow = |list: &[f64]| list.iter().map(|value| *value as f32).collect();
    match &rope.scaling {
        RopeScaling::Llama3 { .. } => {
            let plain =
                Rope { scaling: RopeScaling::Default, ..rope.clone() }.inverse_frequencies(1);
            let stretched = rope.inverse_frequencies(1);
            let divisors = plain
                .iter()
                .zip(&stretched)
                .map(|(plain, stretched)| (plain / stretched) as f32)
                .collect();
            vec![("rope_freqs.weight", divisors)]
        }
        RopeScaling::LongRope { short, long, .. } => {
            vec![
                ("rope_factors_long.weight", narrow(long)),
                ("rope_factors_short.weight", narrow(short)),
            ]
        }
        _ => Vec::new(),
    }
}
