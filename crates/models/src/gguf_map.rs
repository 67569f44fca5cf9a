//! Between GGUF's names and orders and those of Hugging Face checkpoints, both ways.
//!
//! After llama.cpp's `convert_hf_to_gguf.py` and `gguf-py/constants.py`.

use serde_json::{Map, Value, json};

use crate::architectures::Architecture;
use crate::error::Error;
use crate::names::{Parameter, Role};
use crate::rope::{Rope, RopeScaling};
use crate::spec::{QkvLayout, Spec, WeightLayout};
use crate::weights::{Gguf, WeightSource, permute_rows, unpermute_rows};

/// Name of a parameter in a GGUF file.
pub fn tensor_name(parameter: &Parameter) -> String {
    let name = match parameter.role {
        Role::Embed => "token_embd",
        Role::Positions => "position_embd",
        Role::FinalNorm => "output_norm",
        Role::Head => "output",
        Role::InputNorm => "attn_norm",
        Role::Query => "attn_q",
        Role::Key => "attn_k",
        Role::Value => "attn_v",
        Role::Qkv => "attn_qkv",
        Role::Out => "attn_output",
        Role::QueryNorm => "attn_q_norm",
        Role::KeyNorm => "attn_k_norm",
        Role::PostAttentionNorm => "post_attention_norm",
        Role::PreMlpNorm => "ffn_norm",
        Role::PostMlpNorm => "post_ffw_norm",
        Role::Gate => "ffn_gate",
        Role::Up | Role::GateUp => "ffn_up",
        Role::Down => "ffn_down",
    };
    let part = if parameter.bias { "bias" } else { "weight" };
    match parameter.layer {
        Some(layer) => format!("blk.{layer}.{name}.{part}"),
        None => format!("{name}.{part}"),
    }
}

/// Whether a role's weight is a norm.
fn is_norm(role: Role) -> bool {
    matches!(
        role,
        Role::FinalNorm
            | Role::InputNorm
            | Role::QueryNorm
            | Role::KeyNorm
            | Role::PostAttentionNorm
            | Role::PreMlpNorm
            | Role::PostMlpNorm
    )
}

/// Heads of a projection whose rows GGUF permutes.
fn permuted_heads(architecture: &Architecture, spec: &Spec, role: Role) -> Option<usize> {
    if !architecture.gguf.permuted_qk {
        return None;
    }
    match role {
        Role::Query => Some(spec.num_attention_heads),
        Role::Key => Some(spec.num_key_value_heads),
        _ => None,
    }
}

fn columns(parameter: &Parameter) -> usize {
    parameter.shape.get(1).copied().unwrap_or(1)
}

/// Shape of a parameter in a GGUF file, row-major.
pub fn stored_shape(spec: &Spec, parameter: &Parameter) -> Vec<usize> {
    let mut shape = parameter.shape.clone();
    if parameter.role.is_linear() && spec.weight_layout == WeightLayout::InOut {
        shape.reverse();
    }
    shape
}

/// From GGUF's numbers to those of a Hugging Face checkpoint.
pub fn from_gguf(
    architecture: &Architecture,
    spec: &Spec,
    parameter: &Parameter,
    mut values: Vec<f32>,
) -> Result<Vec<f32>, Error> {
    if is_norm(parameter.role) && !parameter.bias && architecture.gguf.norm_offset != 0.0 {
        values.iter_mut().for_each(|value| *value -= architecture.gguf.norm_offset);
    }
    if let Some(heads) = permuted_heads(architecture, spec, parameter.role) {
        return Ok(unpermute_rows(&values, heads, spec.head_dim, columns(parameter))?);
    }
    if parameter.role == Role::Qkv && spec.qkv == QkvLayout::PerHead {
        let row = |head: usize, part: usize| part * spec.num_attention_heads + head;
        return Ok(reorder_heads(spec, &values, |head, part| (row(head, part), head * 3 + part)));
    }
    if parameter.role.is_linear() && !parameter.bias && spec.weight_layout == WeightLayout::InOut {
        return Ok(transpose(&values, parameter.shape[1], parameter.shape[0]));
    }
    Ok(values)
}

/// From the numbers of a Hugging Face checkpoint to GGUF's.
pub fn to_gguf(
    architecture: &Architecture,
    spec: &Spec,
    parameter: &Parameter,
    mut values: Vec<f32>,
) -> Result<Vec<f32>, Error> {
    if is_norm(parameter.role) && !parameter.bias && architecture.gguf.norm_offset != 0.0 {
        values.iter_mut().for_each(|value| *value += architecture.gguf.norm_offset);
    }
    if let Some(heads) = permuted_heads(architecture, spec, parameter.role) {
        return Ok(permute_rows(&values, heads, spec.head_dim, columns(parameter))?);
    }
    if parameter.role == Role::Qkv && spec.qkv == QkvLayout::PerHead {
        let row = |head: usize, part: usize| part * spec.num_attention_heads + head;
        return Ok(reorder_heads(spec, &values, |head, part| (head * 3 + part, row(head, part))));
    }
    if parameter.role.is_linear() && !parameter.bias && spec.weight_layout == WeightLayout::InOut {
        return Ok(transpose(&values, parameter.shape[0], parameter.shape[1]));
    }
    Ok(values)
}

/// Moves groups of `head_dim` rows: `place(head, part)` says from which group to which.
fn reorder_heads(
    spec: &Spec,
    values: &[f32],
    place: impl Fn(usize, usize) -> (usize, usize),
) -> Vec<f32> {
    let group = values.len() / (3 * spec.num_attention_heads);
    let mut out = vec![0.0; values.len()];
    for head in 0..spec.num_attention_heads {
        for part in 0..3 {
            let (from, to) = place(head, part);
            out[to * group..][..group].copy_from_slice(&values[from * group..][..group]);
        }
    }
    out
}

fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for row in 0..rows {
        for column in 0..columns {
            out[column * rows + row] = values[row * columns + column];
        }
    }
    out
}

/// Builds the `config.json` that the model had before it became a GGUF file.
///
/// # Errors
/// When a key that the architecture needs is missing or of the wrong type.
pub fn config_json(architecture: &Architecture, gguf: &Gguf) -> Result<Value, Error> {
    let prefix = gguf.architecture()?.to_owned();
    let key = |name: &str| format!("{prefix}.{name}");
    let size = |name: &str| -> Result<Option<u64>, Error> { Ok(gguf.get::<u64>(&key(name))?) };
    let number = |name: &str| -> Result<Option<f64>, Error> { Ok(gguf.get::<f64>(&key(name))?) };
    let model_type = architecture.model_types[0];
    let mut config = Map::new();
    config.insert("model_type".into(), json!(model_type));

    let gpt2 = model_type == "gpt2";
    let names = [
        ("context_length", if gpt2 { "n_positions" } else { "max_position_embeddings" }),
        ("embedding_length", if gpt2 { "n_embd" } else { "hidden_size" }),
        ("block_count", if gpt2 { "n_layer" } else { "num_hidden_layers" }),
        ("feed_forward_length", if gpt2 { "n_inner" } else { "intermediate_size" }),
        ("attention.head_count", if gpt2 { "n_head" } else { "num_attention_heads" }),
        ("attention.head_count_kv", "num_key_value_heads"),
        ("attention.key_length", "head_dim"),
        ("attention.sliding_window", "sliding_window"),
    ];
    for (from, to) in names {
        if let Some(value) = size(from)? {
            config.insert(to.into(), json!(value));
        }
    }
    let numbers = [
        ("attention.layer_norm_rms_epsilon", "rms_norm_eps"),
        (
            "attention.layer_norm_epsilon",
            if gpt2 { "layer_norm_epsilon" } else { "layer_norm_eps" },
        ),
        ("attn_logit_softcapping", "attn_logit_softcapping"),
        ("final_logit_softcapping", "final_logit_softcapping"),
        ("rope.freq_base", "rope_theta"),
    ];
    for (from, to) in numbers {
        if let Some(value) = number(from)? {
            config.insert(to.into(), json!(decimal(value)));
        }
    }
    let vocabulary = gguf.info("token_embd.weight").map(|info| info.rows() as u64);
    config.insert("vocab_size".into(), json!(vocabulary.or(size("vocab_size")?)));
    config.insert("tie_word_embeddings".into(), json!(gguf.info("output.weight").is_none()));
    for (tensor, name) in [("attn_q", "attention_bias"), ("ffn_up", "mlp_bias")] {
        if gguf.info(&format!("blk.0.{tensor}.bias")).is_some() {
            config.insert(name.into(), json!(true));
        }
    }
    if let Some(parallel) = gguf.get::<bool>(&key("use_parallel_residual"))? {
        config.insert("use_parallel_residual".into(), json!(parallel));
    }
    for part in ["bos", "eos", "padding"] {
        if let Some(id) = gguf.get::<u64>(&format!("tokenizer.ggml.{part}_token_id"))? {
            let name = if part == "padding" { "pad" } else { part };
            config.insert(format!("{name}_token_id"), json!(id));
        }
    }
    let heads = size("attention.head_count")?.unwrap_or(1).max(1);
    let head_dim = match size("attention.key_length")? {
        Some(width) => width,
        None => size("embedding_length")?.unwrap_or(0) / heads,
    };
    if let Some(rotary) = size("rope.dimension_count")?.filter(|dim| *dim != head_dim) {
        config.insert("partial_rotary_factor".into(), json!(rotary as f64 / head_dim as f64));
    }
    if let Some(scaling) =
        rope_scaling(gguf, &prefix, number("rope.freq_base")?, head_dim as usize)?
    {
        config.insert("rope_scaling".into(), scaling);
    }
    if model_type.starts_with("gemma") {
        fill_gemma(&mut config, heads, head_dim);
    }
    Ok(Value::Object(config))
}

/// The shortest decimal of a number that the file holds in float32.
fn decimal(value: f64) -> f64 {
    let narrow = value as f32;
    if f64::from(narrow) == value { narrow.to_string().parse().unwrap_or(value) } else { value }
}

/// What llama.cpp knows about Gemma without the file saying so.
fn fill_gemma(config: &mut Map<String, Value>, heads: u64, head_dim: u64) {
    let hidden = config.get("hidden_size").and_then(Value::as_u64).unwrap_or(0);
    let layers = config.get("num_hidden_layers").and_then(Value::as_u64).unwrap_or(0);
    // The 27 B models scale by the hidden size shared among the heads.
    let largest = matches!(layers, 46 | 62);
    let scalar = if largest { hidden / heads } else { head_dim };
    config.insert("query_pre_attn_scalar".into(), json!(scalar));
    config.insert("hidden_activation".into(), json!("gelu_pytorch_tanh"));
    if config.get("model_type") == Some(&json!("gemma3_text")) {
        config.insert("sliding_window_pattern".into(), json!(6));
        config.insert("rope_local_base_freq".into(), json!(10_000.0));
    }
}

fn rope_scaling(
    gguf: &Gguf,
    prefix: &str,
    theta: Option<f64>,
    head_dim: usize,
) -> Result<Option<Value>, Error> {
    let key = |name: &str| format!("{prefix}.rope.scaling.{name}");
    let factor = gguf.get::<f64>(&key("factor"))?;
    let original = gguf.get::<u64>(&key("original_context_length"))?;
    if gguf.info("rope_freqs.weight").is_some() {
        let factors = gguf.read_f32("rope_freqs.weight")?;
        return llama3_scaling(&factors, theta.unwrap_or(10_000.0), head_dim).map(Some);
    }
    if gguf.info("rope_factors_long.weight").is_some() {
        let list = |name: &str| -> Result<Vec<f64>, Error> {
            Ok(gguf.read_f32(name)?.into_iter().map(|f| decimal(f64::from(f))).collect())
        };
        return Ok(Some(json!({
            "rope_type": "longrope",
            "short_factor": list("rope_factors_short.weight")?,
            "long_factor": list("rope_factors_long.weight")?,
            "attention_factor": gguf.get::<f64>(&key("attn_factor"))?.map(decimal),
            "original_max_position_embeddings": original,
        })));
    }
    let kind = gguf.get::<&str>(&key("type"))?;
    match (kind, factor) {
        (Some("linear"), Some(factor)) => {
            Ok(Some(json!({"rope_type": "linear", "factor": decimal(factor)})))
        }
        (Some("yarn"), Some(factor)) => Ok(Some(json!({
            "rope_type": "yarn",
            "factor": decimal(factor),
            "original_max_position_embeddings": original,
        }))),
        _ => Ok(None),
    }
}

/// GGUF keeps Llama 3's stretch as one divisor per frequency; the family's settings are found
/// again by trying them. Divisors that none of them gives are kept as they are.
fn llama3_scaling(divisors: &[f32], theta: f64, head_dim: usize) -> Result<Value, Error> {
    let rope = |scaling| Rope { theta, rotary_dim: head_dim, scaling };
    let plain = rope(RopeScaling::Default).inverse_frequencies(1);
    if divisors.len() != plain.len() || !divisors.iter().all(|d| d.is_finite() && *d > 0.0) {
        return Err(Error::Config {
            path: "rope_freqs.weight".into(),
            problem: format!("{} positive numbers are needed", plain.len()),
        });
    }
    let factor = f64::from(divisors.iter().copied().fold(1.0_f32, f32::max));
    let (low_freq_factor, high_freq_factor) = (1.0, 4.0);
    for original in [8192.0, 2048.0, 4096.0, 16_384.0, 32_768.0, 65_536.0, 131_072.0] {
        let scaling = RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original };
        let scaled = rope(scaling).inverse_frequencies(1);
        let mut pairs = divisors.iter().zip(plain.iter().zip(&scaled));
        if pairs.all(|(d, (plain, scaled))| (plain / f64::from(*d) / scaled - 1.0).abs() < 1e-3) {
            return Ok(json!({
                "rope_type": "llama3",
                "factor": decimal(factor),
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": original as u64,
            }));
        }
    }
    let divisors: Vec<f64> = divisors.iter().map(|d| decimal(f64::from(*d))).collect();
    Ok(json!({
        "rope_type": "longrope",
        "short_factor": divisors,
        "long_factor": divisors,
        "attention_factor": 1.0,
        "original_max_position_embeddings": 8192,
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn divisors(original: f64) -> Vec<f32> {
        let rope = |scaling| Rope { theta: 500_000.0, rotary_dim: 64, scaling };
        let scaling = RopeScaling::Llama3 {
            factor: 32.0,
            low_freq_factor: 1.0,
            high_freq_factor: 4.0,
            original,
        };
        let scaled = rope(scaling).inverse_frequencies(1);
        let plain = rope(RopeScaling::Default).inverse_frequencies(1);
        plain.iter().zip(&scaled).map(|(plain, scaled)| (plain / scaled) as f32).collect()
    }

    #[test]
    fn a_stretch_is_found_again_whatever_its_context() {
        for original in [8192, 4096, 131_072] {
            let found = llama3_scaling(&divisors(f64::from(original)), 500_000.0, 64).unwrap();
            assert_eq!(found["rope_type"], "llama3");
            assert_eq!(found["original_max_position_embeddings"], original);
            assert_eq!(found["factor"], 32.0);
        }
    }

    #[test]
    fn an_unknown_stretch_keeps_its_divisors_and_a_bad_one_is_refused() {
        let own: Vec<f32> = (0..32).map(|i| 1.0 + i as f32 / 8.0).collect();
        let found = llama3_scaling(&own, 500_000.0, 64).unwrap();
        assert_eq!(found["rope_type"], "longrope");
        assert_eq!(found["short_factor"][31], 4.875);
        for bad in [vec![1.0; 5], vec![0.0; 32], vec![f32::NAN; 32]] {
            assert!(llama3_scaling(&bad, 500_000.0, 64).is_err());
        }
    }
}
