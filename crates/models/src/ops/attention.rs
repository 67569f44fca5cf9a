//! Causal attention over sequences that stand one after the other.
//!
//! A token attends to its own sequence only (block-diagonal), to itself and what is before it
//! (causal), at most `window` tokens back. Grouped queries share keys and values without
//! copies of them.

use burn::tensor::Tensor;

use super::{Layout, attention_host, attention_tensor};
use crate::host::is_host;

/// The fixed settings of a layer's attention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AttentionShape {
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Factor on query·key.
    pub scale: f32,
    /// `cap · tanh(score / cap)`.
    pub softcap: Option<f32>,
    /// A token sees itself and `window − 1` before it.
    pub window: Option<usize>,
}

impl AttentionShape {
    /// Query heads for each key head.
    pub fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// First token that the token at `index` of its sequence may see.
    pub fn first_visible(&self, index: usize) -> usize {
        self.window.map_or(0, |window| (index + 1).saturating_sub(window))
    }
}

/// What the backward pass reads besides queries, keys and values.
#[derive(Debug, Clone)]
pub struct AttentionSaved {
    /// The output, `[tokens, heads · head_dim]`.
    pub output: Tensor<2>,
    /// Log of the sum of exponentiated scores, `[tokens, heads]`; empty off the host, where
    /// the backward pass forms the probabilities again from scratch.
    pub log_sums: Vec<f32>,
}

/// Queries `[tokens, heads · head_dim]`, keys and values `[tokens, kv_heads · head_dim]`.
pub fn attend(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> AttentionSaved {
    if is_host(&q.device()) {
        attention_host::forward(q, k, v, layout, shape)
    } else {
        let output = attention_tensor::forward(q, k, v, layout, shape);
        AttentionSaved { output, log_sums: Vec::new() }
    }
}

/// Gradients with respect to queries, keys and values.
pub fn attend_backward(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    saved: AttentionSaved,
    grad: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    if is_host(&q.device()) {
        attention_host::backward(q, k, v, saved, grad, layout, shape)
    } else {
        attention_tensor::backward(q, k, v, grad, layout, shape)
    }
}
