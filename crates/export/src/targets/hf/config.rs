//! `config.json` in the spelling of transformers 5, from any spelling or from a GGUF file.

use std::collections::BTreeMap;

use sanbao_models::BaseModel;
use sanbao_models::rope::{Rope, RopeScaling};
use sanbao_models::spec::{Activation, NormKind, Spec};
use sanbao_models::weights::StoredType;
use serde_json::{Map, Value, json};

use crate::Error;

/// `architectures` of each family: of what writes, and of what scores.
const CLASSES: &[(&str, &str, &str)] = &[
    ("llama", "LlamaForCausalLM", "LlamaForSequenceClassification"),
    ("mistral", "MistralForCausalLM", "MistralForSequenceClassification"),
    ("qwen2", "Qwen2ForCausalLM", "Qwen2ForSequenceClassification"),
    ("qwen3", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification"),
    ("gemma2", "Gemma2ForCausalLM", "Gemma2ForSequenceClassification"),
    ("gemma3_text", "Gemma3ForCausalLM", "Gemma3TextForSequenceClassification"),
    ("phi3", "Phi3ForCausalLM", "Phi3ForSequenceClassification"),
    ("gpt2", "GPT2LMHeadModel", "GPT2ForSequenceClassification"),
    ("gpt_neox", "GPTNeoXForCausalLM", "GPTNeoXForSequenceClassification"),
    ("smollm3", "SmolLM3ForCausalLM", "SmolLM3ForSequenceClassification"),
];

/// Families that list the kind of each layer.
const LIST_LAYER_TYPES: &[&str] = &["gemma2", "gemma3_text", "qwen2", "qwen3", "smollm3"];

/// Keys that are written anew, are spelled otherwise today, describe a storage that the export
/// does not have, or ask for a stranger's code.
const LEFT_OUT: &[&str] = &[
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "rotary_pct",
    "rotary_emb_base",
    "partial_rotary_factor",
    "rope_local_base_freq",
    "sliding_window_pattern",
    "_sliding_window_pattern",
    "layer_types",
    "torch_dtype",
    "quantization_config",
    "auto_map",
    "_name_or_path",
    "_attn_implementation_autoset",
];

/// A model of the same layers that has no output head: it then stores none, as a tied one does.
pub(super) fn without_head(spec: &Spec) -> Spec {
    Spec { tie_word_embeddings: true, ..spec.clone() }
}

/// `config.json` of the exported model; of a reward model when it `scores`.
pub(super) fn config_json(
    base: &BaseModel,
    dtype: StoredType,
    scores: bool,
) -> Result<Value, Error> {
    let (spec, family) = (&base.spec, base.architecture.model_types[0]);
    let mut config: BTreeMap<String, Value> = match &base.config {
        Value::Object(values) => {
            values.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        }
        _ => BTreeMap::new(),
    };
    let partial = said_partial_rotary(&base.config);
    config.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
    let mut set = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));

    let class = CLASSES.iter().find(|(name, ..)| *name == family);
    let class = class.map(|(_, writing, scoring)| if scores { *scoring } else { *writing });
    let class = class.ok_or_else(|| Error::NotRepresentable {
        format: "a Hugging Face folder",
        reason: format!("there is no class for the architecture '{family}'"),
    })?;
    set("architectures", json!([class]));
    set("model_type", json!(family));
    set("dtype", json!(dtype_name(dtype)));
    set("vocab_size", json!(spec.vocab_size));
    set("tie_word_embeddings", json!(spec.tie_word_embeddings));
    if family == "gpt2" {
        gpt2(spec, &mut set);
    } else {
        sizes(spec, family, &mut set);
        attention(spec, family, &mut set);
        set("rope_parameters", rope_parameters(spec, family, partial));
    }
    let tokenizer = &base.tokenizer;
    for (key, id) in [
        ("bos_token_id", tokenizer.bos()),
        ("eos_token_id", tokenizer.eos()),
        ("pad_token_id", tokenizer.pad()),
    ] {
        config.entry(key.to_owned()).or_insert(json!(id));
    }
    if scores {
        score_head(&mut config);
    }
    if family.starts_with("gemma") {
        // The older key, which said `gelu` and meant the approximation.
        config.remove("hidden_act");
        config.entry("query_pre_attn_scalar".to_owned()).or_insert(json!(spec.head_dim));
    }
    Ok(Value::Object(config.into_iter().collect::<Map<_, _>>()))
}

/// One score instead of words.
fn score_head(config: &mut BTreeMap<String, Value>) {
    config.insert("tie_word_embeddings".to_owned(), json!(true));
    config.insert("id2label".to_owned(), json!({"0": "LABEL_0"}));
    config.insert("label2id".to_owned(), json!({"LABEL_0": 0}));
    // transformers takes the score of the last token that is not this one: were it the token that
    // ends an answer, it would be the score of the token before.
    if config.get("pad_token_id") == config.get("eos_token_id") {
        config.insert("pad_token_id".to_owned(), Value::Null);
    }
}

fn dtype_name(dtype: StoredType) -> &'static str {
    match dtype {
        StoredType::F16 => "float16",
        StoredType::BF16 => "bfloat16",
        _ => "float32",
    }
}

fn activation(activation: Activation) -> &'static str {
    match activation {
        Activation::Silu => "silu",
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_pytorch_tanh",
    }
}

fn gpt2(spec: &Spec, set: &mut dyn FnMut(&str, Value)) {
    set("n_embd", json!(spec.hidden_size));
    set("n_head", json!(spec.num_attention_heads));
    set("n_layer", json!(spec.layers.len()));
    set("n_positions", json!(spec.max_position_embeddings));
    set("n_inner", json!(spec.intermediate_size));
    let name = if spec.activation == Activation::GeluTanh {
        "gelu_new"
    } else {
        activation(spec.activation)
    };
    set("activation_function", json!(name));
    set("layer_norm_epsilon", json!(eps(spec)));
}

fn eps(spec: &Spec) -> f64 {
    match spec.norm {
        NormKind::Rms { eps } | NormKind::RmsPlusOne { eps } | NormKind::Layer { eps } => eps,
    }
}

fn sizes(spec: &Spec, family: &str, set: &mut dyn FnMut(&str, Value)) {
    set("hidden_size", json!(spec.hidden_size));
    set("intermediate_size", json!(spec.intermediate_size));
    set("num_hidden_layers", json!(spec.layers.len()));
    set("num_attention_heads", json!(spec.num_attention_heads));
    set("max_position_embeddings", json!(spec.max_position_embeddings));
    let eps_key = if family == "gpt_neox" { "layer_norm_eps" } else { "rms_norm_eps" };
    set(eps_key, json!(eps(spec)));
    let act_key = if family.starts_with("gemma") { "hidden_activation" } else { "hidden_act" };
    set(act_key, json!(activation(spec.activation)));
    if family == "gpt_neox" {
        set("use_parallel_residual", json!(spec.parallel_residual));
        set("attention_bias", json!(spec.qkv_bias));
    } else {
        set("num_key_value_heads", json!(spec.num_key_value_heads));
        set("head_dim", json!(spec.head_dim));
    }
    if matches!(family, "llama" | "qwen3" | "smollm3" | "gemma2" | "gemma3_text") {
        set("attention_bias", json!(spec.qkv_bias));
    }
    if matches!(family, "llama" | "smollm3") {
        set("mlp_bias", json!(spec.mlp_bias));
    }
}

fn attention(spec: &Spec, family: &str, set: &mut dyn FnMut(&str, Value)) {
    let window = spec.layers.iter().find_map(|layer| layer.window);
    if LIST_LAYER_TYPES.contains(&family) || mixed(spec) {
        let kinds: Vec<&str> = spec
            .layers
            .iter()
            .map(
                |layer| if layer.window.is_some() { "sliding_attention" } else { "full_attention" },
            )
            .collect();
        set("layer_types", json!(kinds));
    }
    match family {
        "qwen2" | "qwen3" | "smollm3" => {
            set("use_sliding_window", json!(window.is_some()));
            set("sliding_window", json!(window));
        }
        "gemma2" | "gemma3_text" => {
            if let Some(window) = window {
                set("sliding_window", json!(window));
            }
            set("attn_logit_softcapping", json!(spec.attention_softcap));
            set("final_logit_softcapping", json!(spec.final_softcap));
        }
        "mistral" | "phi3" => set("sliding_window", json!(window)),
        _ => {}
    }
    if family == "smollm3" {
        let rotary: Vec<u8> =
            spec.layers.iter().map(|layer| u8::from(layer.rope.is_some())).collect();
        set("no_rope_layers", json!(rotary));
    }
    if let ("phi3", Some(RopeScaling::LongRope { original, .. })) =
        (family, spec.ropes.first().map(|rope| &rope.scaling))
    {
        set("original_max_position_embeddings", json!(original));
    }
}

/// Whether some layers slide and others do not.
fn mixed(spec: &Spec) -> bool {
    let sliding = spec.layers.iter().filter(|layer| layer.window.is_some()).count();
    sliding > 0 && sliding < spec.layers.len()
}

/// The share of each head that the base's file says is rotated.
fn said_partial_rotary(config: &Value) -> Option<f64> {
    let nested = config.get("rope_parameters").and_then(|block| block.get("partial_rotary_factor"));
    nested
        .or_else(|| config.get("partial_rotary_factor"))
        .or_else(|| config.get("rotary_pct"))
        .and_then(Value::as_f64)
}

fn rope_parameters(spec: &Spec, family: &str, partial: Option<f64>) -> Value {
    let block = |index: usize| {
        spec.ropes.get(index).map_or(Value::Null, |rope| rope_json(rope, spec.head_dim, partial))
    };
    if family == "gemma3_text" {
        return json!({ "full_attention": block(0), "sliding_attention": block(1) });
    }
    block(0)
}

/// One rotary embedding, as `modeling_rope_utils.py` of transformers 5 reads it.
fn rope_json(rope: &Rope, head_dim: usize, partial: Option<f64>) -> Value {
    let mut block = match &rope.scaling {
        RopeScaling::Default => json!({ "rope_type": "default" }),
        RopeScaling::Linear { factor } => json!({ "rope_type": "linear", "factor": factor }),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original } => json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": low_freq_factor,
            "high_freq_factor": high_freq_factor,
            "original_max_position_embeddings": *original as u64,
        }),
        RopeScaling::Yarn {
            factor,
            beta_fast,
            beta_slow,
            original,
            attention_factor,
            truncate,
        } => json!({
            "rope_type": "yarn",
            "factor": factor,
            "beta_fast": beta_fast,
            "beta_slow": beta_slow,
            "original_max_position_embeddings": *original as u64,
            "attention_factor": attention_factor,
            "truncate": truncate,
        }),
        RopeScaling::LongRope { short, long, original, attention_factor } => json!({
            "rope_type": "longrope",
            "short_factor": short,
            "long_factor": long,
            "original_max_position_embeddings": original,
            "attention_factor": attention_factor,
        }),
    };
    block["rope_theta"] = json!(rope.theta);
    let share = rope.rotary_dim as f64 / head_dim as f64;
    if rope.rotary_dim != head_dim {
        block["partial_rotary_factor"] = json!(partial.unwrap_or(share));
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_architecture_has_a_class() {
        for architecture in sanbao_models::ARCHITECTURES {
            let family = architecture.model_types[0];
            assert!(CLASSES.iter().any(|(name, ..)| *name == family), "{family}");
        }
    }
}
