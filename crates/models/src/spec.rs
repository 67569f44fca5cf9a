//! What a decoder looks like, once a `config.json` in any spelling has been understood.
//!
//! One [`Spec`] describes every architecture that this crate runs; an architecture is a
//! function from its configuration to a `Spec` plus the names of its weights. The forward and
//! the backward pass, adapters, caches and exports read the `Spec` and nothing else.

use crate::names::{Names, parameters};
use crate::rope::Rope;

/// How the hidden state is normalised.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NormKind {
    /// `x / sqrt(mean(x²) + eps) · w` (Zhang & Sennrich 2019).
    Rms {
        /// Added to the mean square.
        eps: f64,
    },
    /// The same with `(1 + w)` in place of `w`, as Gemma stores it.
    RmsPlusOne {
        /// Added to the mean square.
        eps: f64,
    },
    /// `(x − mean) / sqrt(var + eps) · w + b` (Ba et al. 2016).
    Layer {
        /// Added to the variance.
        eps: f64,
    },
}

/// The non-linearity of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · Φ(x)` with the error function.
    Gelu,
    /// The tanh approximation of GELU (`gelu_new`, `gelu_pytorch_tanh`).
    GeluTanh,
}

/// How query, key and value projections are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QkvLayout {
    /// Three matrices.
    Separate,
    /// One matrix whose output is `[q, k, v]`.
    Concatenated,
    /// One matrix whose output is, head by head, `[q, k, v]` of that head.
    PerHead,
}

/// How the feed-forward part is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MlpLayout {
    /// `down(act(gate(x)) · up(x))`.
    Gated,
    /// The same, with gate and up in one matrix, gate first.
    FusedGated,
    /// `down(act(up(x)))`.
    Plain,
}

/// How a projection's matrix is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightLayout {
    /// `[out, in]`, as `torch.nn.Linear`.
    OutIn,
    /// `[in, out]`, as GPT-2's `Conv1D`.
    InOut,
}

/// What differs from layer to layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerSpec {
    /// A token sees itself and at most `window − 1` tokens before it.
    pub window: Option<usize>,
    /// Index into [`Spec::ropes`]; `None` for a layer without rotary positions.
    pub rope: Option<usize>,
}

/// Everything that the forward and the backward pass need to know about a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// `model_type` of `config.json`.
    pub model_type: String,
    /// What the weights are called.
    pub names: &'static Names,
    /// Rows of the embedding matrix.
    pub vocab_size: usize,
    /// Width of the hidden state.
    pub hidden_size: usize,
    /// Width inside the feed-forward part.
    pub intermediate_size: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads.
    pub num_key_value_heads: usize,
    /// Width of one head.
    pub head_dim: usize,
    /// Longest context in tokens.
    pub max_position_embeddings: usize,
    /// One entry per layer.
    pub layers: Vec<LayerSpec>,
    /// Rotary embeddings that layers refer to.
    pub ropes: Vec<Rope>,
    /// Normalisation of the hidden state.
    pub norm: NormKind,
    /// Non-linearity.
    pub activation: Activation,
    /// Storage of query, key, value.
    pub qkv: QkvLayout,
    /// Storage of the feed-forward part.
    pub mlp: MlpLayout,
    /// Storage of projection matrices.
    pub weight_layout: WeightLayout,
    /// Whether query, key and value projections have a bias.
    pub qkv_bias: bool,
    /// Whether the attention's output projection has a bias.
    pub out_bias: bool,
    /// Whether the feed-forward projections have a bias.
    pub mlp_bias: bool,
    /// Whether queries and keys are normalised head by head.
    pub qk_norm: bool,
    /// Whether the outputs of attention and feed-forward are normalised too (Gemma).
    pub post_norms: bool,
    /// Whether attention and feed-forward both read the layer's input (GPT-NeoX).
    pub parallel_residual: bool,
    /// Whether positions are learnt vectors added to the embeddings (GPT-2).
    pub learned_positions: bool,
    /// Factor on the embeddings (Gemma: `sqrt(hidden)`).
    pub embedding_scale: Option<f32>,
    /// Factor on query·key.
    pub attention_scale: f32,
    /// `cap · tanh(score / cap)` on attention scores.
    pub attention_softcap: Option<f32>,
    /// The same on the final logits.
    pub final_softcap: Option<f32>,
    /// Whether the output head is the embedding matrix.
    pub tie_word_embeddings: bool,
}

impl Spec {
    /// Width of all query heads together.
    pub fn query_width(&self) -> usize {
        self.num_attention_heads * self.head_dim
    }

    /// Width of all key heads together.
    pub fn key_width(&self) -> usize {
        self.num_key_value_heads * self.head_dim
    }

    /// Parameters of the model, tied ones counted once.
    pub fn parameters(&self) -> u64 {
        let count = |shape: &[usize]| shape.iter().map(|n| *n as u64).product::<u64>();
        parameters(self).iter().map(|parameter| count(&parameter.shape)).sum()
    }
}
