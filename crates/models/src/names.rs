//! Which weights a model has: their roles, names and shapes.
//!
//! Everything that walks over a model's weights (loading, GGUF, adapters, exports, counting)
//! starts from [`parameters`], so a weight is named in one place.

use crate::spec::{MlpLayout, NormKind, QkvLayout, Spec, WeightLayout};

/// What a weight is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Token embeddings `[vocab, hidden]`.
    Embed,
    /// Learnt positions `[context, hidden]`.
    Positions,
    /// Normalisation before the head.
    FinalNorm,
    /// Output head `[vocab, hidden]`.
    Head,
    /// Normalisation before attention.
    InputNorm,
    /// Query projection.
    Query,
    /// Key projection.
    Key,
    /// Value projection.
    Value,
    /// Query, key and value in one.
    Qkv,
    /// Attention's output projection.
    Out,
    /// Normalisation of each query head.
    QueryNorm,
    /// Normalisation of each key head.
    KeyNorm,
    /// Normalisation of the attention's output.
    PostAttentionNorm,
    /// Normalisation before the feed-forward part.
    PreMlpNorm,
    /// Normalisation of the feed-forward part's output.
    PostMlpNorm,
    /// Gate projection.
    Gate,
    /// Up projection.
    Up,
    /// Gate and up in one.
    GateUp,
    /// Down projection.
    Down,
}

impl Role {
    /// Whether the weight is the matrix of a linear layer that can carry an adapter.
    pub fn is_linear(self) -> bool {
        use Role::*;
        matches!(self, Query | Key | Value | Qkv | Out | Gate | Up | GateUp | Down)
    }
}

/// Module paths of a family, as its Hugging Face checkpoints name them; `block` has `{}` for
/// the layer's index. A path that the family does not have is empty.
#[derive(Debug, PartialEq, Eq)]
pub struct Names {
    /// Token embeddings.
    pub embed: &'static str,
    /// Learnt positions.
    pub positions: &'static str,
    /// Normalisation before the head.
    pub final_norm: &'static str,
    /// Output head.
    pub head: &'static str,
    /// Prefix of a layer.
    pub block: &'static str,
    /// Below the layer: normalisation before attention.
    pub input_norm: &'static str,
    /// Query projection.
    pub query: &'static str,
    /// Key projection.
    pub key: &'static str,
    /// Value projection.
    pub value: &'static str,
    /// Query, key and value in one.
    pub qkv: &'static str,
    /// Attention's output projection.
    pub out: &'static str,
    /// Normalisation of query heads.
    pub query_norm: &'static str,
    /// Normalisation of key heads.
    pub key_norm: &'static str,
    /// Normalisation of the attention's output.
    pub post_attention_norm: &'static str,
    /// Normalisation before the feed-forward part.
    pub pre_mlp_norm: &'static str,
    /// Normalisation of the feed-forward part's output.
    pub post_mlp_norm: &'static str,
    /// Gate projection.
    pub gate: &'static str,
    /// Up projection.
    pub up: &'static str,
    /// Gate and up in one.
    pub gate_up: &'static str,
    /// Down projection.
    pub down: &'static str,
}

/// The names that Llama introduced and most families kept.
pub const LLAMA_NAMES: Names = Names {
    embed: "model.embed_tokens",
    positions: "",
    final_norm: "model.norm",
    head: "lm_head",
    block: "model.layers.{}",
    input_norm: "input_layernorm",
    query: "self_attn.q_proj",
    key: "self_attn.k_proj",
    value: "self_attn.v_proj",
    qkv: "self_attn.qkv_proj",
    out: "self_attn.o_proj",
    query_norm: "self_attn.q_norm",
    key_norm: "self_attn.k_norm",
    post_attention_norm: "",
    pre_mlp_norm: "post_attention_layernorm",
    post_mlp_norm: "",
    gate: "mlp.gate_proj",
    up: "mlp.up_proj",
    gate_up: "mlp.gate_up_proj",
    down: "mlp.down_proj",
};

impl Names {
    /// Module path of a role in a layer (`None` for what stands outside the layers).
    pub fn module(&self, role: Role, layer: Option<usize>) -> String {
        let name = match role {
            Role::Embed => self.embed,
            Role::Positions => self.positions,
            Role::FinalNorm => self.final_norm,
            Role::Head => self.head,
            Role::InputNorm => self.input_norm,
            Role::Query => self.query,
            Role::Key => self.key,
            Role::Value => self.value,
            Role::Qkv => self.qkv,
            Role::Out => self.out,
            Role::QueryNorm => self.query_norm,
            Role::KeyNorm => self.key_norm,
            Role::PostAttentionNorm => self.post_attention_norm,
            Role::PreMlpNorm => self.pre_mlp_norm,
            Role::PostMlpNorm => self.post_mlp_norm,
            Role::Gate => self.gate,
            Role::Up => self.up,
            Role::GateUp => self.gate_up,
            Role::Down => self.down,
        };
        match layer {
            Some(index) => format!("{}.{name}", self.block.replace("{}", &index.to_string())),
            None => name.to_owned(),
        }
    }
}

/// One weight of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// What it is for.
    pub role: Role,
    /// Its layer.
    pub layer: Option<usize>,
    /// Whether it is a bias.
    pub bias: bool,
    /// Its name in Hugging Face checkpoints.
    pub name: String,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
}

/// Every weight of a model, in the order of the forward pass.
pub fn parameters(spec: &Spec) -> Vec<Parameter> {
    let mut list = Vec::new();
    let mut add = |role: Role, layer: Option<usize>, shape: Vec<usize>, bias: bool| {
        let module = spec.names.module(role, layer);
        let part = if bias { "bias" } else { "weight" };
        list.push(Parameter { role, layer, bias, name: format!("{module}.{part}"), shape });
    };
    let matrix = |output: usize, input: usize| match spec.weight_layout {
        WeightLayout::OutIn => vec![output, input],
        WeightLayout::InOut => vec![input, output],
    };
    let hidden = spec.hidden_size;
    let norm_bias = matches!(spec.norm, NormKind::Layer { .. });

    add(Role::Embed, None, vec![spec.vocab_size, hidden], false);
    if spec.learned_positions {
        add(Role::Positions, None, vec![spec.max_position_embeddings, hidden], false);
    }
    for layer in (0..spec.layers.len()).map(Some) {
        let mut norm = |role: Role, width: usize| {
            add(role, layer, vec![width], false);
            if norm_bias {
                add(role, layer, vec![width], true);
            }
        };
        norm(Role::InputNorm, hidden);
        if spec.qk_norm {
            norm(Role::QueryNorm, spec.head_dim);
            norm(Role::KeyNorm, spec.head_dim);
        }
        if spec.post_norms {
            norm(Role::PostAttentionNorm, hidden);
            norm(Role::PostMlpNorm, hidden);
        }
        norm(Role::PreMlpNorm, hidden);

        let mut linear = |role: Role, output: usize, input: usize, bias: bool| {
            add(role, layer, matrix(output, input), false);
            if bias {
                add(role, layer, vec![output], true);
            }
        };
        let (q, kv) = (spec.query_width(), spec.key_width());
        match spec.qkv {
            QkvLayout::Separate => {
                linear(Role::Query, q, hidden, spec.qkv_bias);
                linear(Role::Key, kv, hidden, spec.qkv_bias);
                linear(Role::Value, kv, hidden, spec.qkv_bias);
            }
            QkvLayout::Concatenated | QkvLayout::PerHead => {
                linear(Role::Qkv, q + 2 * kv, hidden, spec.qkv_bias);
            }
        }
        linear(Role::Out, hidden, q, spec.out_bias);
        let inner = spec.intermediate_size;
        match spec.mlp {
            MlpLayout::Gated => {
                linear(Role::Gate, inner, hidden, spec.mlp_bias);
                linear(Role::Up, inner, hidden, spec.mlp_bias);
            }
            MlpLayout::FusedGated => linear(Role::GateUp, 2 * inner, hidden, spec.mlp_bias),
            MlpLayout::Plain => linear(Role::Up, inner, hidden, spec.mlp_bias),
        }
        linear(Role::Down, hidden, inner, spec.mlp_bias);
    }
    add(Role::FinalNorm, None, vec![hidden], false);
    if norm_bias {
        add(Role::FinalNorm, None, vec![hidden], true);
    }
    if !spec.tie_word_embeddings {
        add(Role::Head, None, vec![spec.vocab_size, hidden], false);
    }
    list
}
