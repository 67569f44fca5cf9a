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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use burn::tensor::Device;

    use super::*;
    use crate::host::{from_vec, to_vec};

    /// Numbers between -1 and 1 that look random.
    fn numbers(rows: usize, width: usize, seed: u32) -> Tensor<2> {
        let mut state = seed;
        let values = (0..rows * width).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        });
        from_vec(values.collect(), [rows, width], &Device::flex())
    }

    fn shapes() -> impl Iterator<Item = AttentionShape> {
        [None, Some(5), Some(70)].into_iter().flat_map(|window| {
            [None, Some(0.7)].map(|softcap| AttentionShape {
                heads: 4,
                kv_heads: 2,
                head_dim: 8,
                scale: 0.6,
                softcap,
                window,
            })
        })
    }

    /// A sequence of its own, then one of 80 tokens with two rests that share 70 of them.
    fn branched() -> Layout {
        let positions = (0..9).chain(0..80).chain(70..75).chain(70..143).collect();
        Layout { segments: vec![0..9, 9..167], positions }
    }

    /// The same sequences, each in full, and for each of their rows the one above that it equals.
    fn apart() -> (Layout, Vec<usize>) {
        let beginning = || 9..79;
        let rows = (0..89).chain(beginning().chain(89..94)).chain(beginning().chain(94..167));
        (Layout::packed([9, 80, 75, 143]), rows.collect())
    }

    fn near(one: &[f32], other: &[f32], what: &str) {
        assert_eq!(one.len(), other.len(), "{what}");
        for (at, (one, other)) in one.iter().zip(other).enumerate() {
            assert!((one - other).abs() < 3e-5, "{what} at {at}: {one} is not {other}");
        }
    }

    fn rows_of(values: &[f32], width: usize, rows: &[usize]) -> Vec<f32> {
        rows.iter().flat_map(|row| &values[row * width..][..width]).copied().collect()
    }

    fn summed(values: &[f32], width: usize, rows: &[usize], count: usize) -> Vec<f32> {
        let mut sums = vec![0.0; count * width];
        for (row, values) in rows.iter().zip(values.chunks(width)) {
            for (sum, value) in sums[row * width..][..width].iter_mut().zip(values) {
                *sum += value;
            }
        }
        sums
    }

    /// Output and gradients of sequences that stand in one segment are those of the same sequences
    /// apart, where what they share gets the sum of their gradients.
    #[test]
    fn a_shared_beginning_is_as_good_as_many() {
        let layout = branched();
        let (apart, rows) = apart();
        for shape in shapes() {
            let (q_width, kv_width) = (32, 16);
            let inputs = [(q_width, 1), (kv_width, 2), (kv_width, 3)]
                .map(|(width, seed)| (width, numbers(layout.tokens(), width, seed)));
            let [q, k, v] = inputs.clone().map(|(_, x)| x);
            let [q_apart, k_apart, v_apart] = inputs.map(|(width, x)| {
                let values = rows_of(&to_vec(x).unwrap(), width, &rows);
                from_vec(values, [rows.len(), width], &Device::flex())
            });
            let one = attend(q.clone(), k.clone(), v.clone(), &layout, shape);
            let other = attend(q_apart.clone(), k_apart.clone(), v_apart.clone(), &apart, shape);
            let output = rows_of(&to_vec(one.output.clone()).unwrap(), q_width, &rows);
            near(&output, &to_vec(other.output.clone()).unwrap(), "output");

            let grad_apart = numbers(rows.len(), q_width, 4);
            let grad =
                summed(&to_vec(grad_apart.clone()).unwrap(), q_width, &rows, layout.tokens());
            let grad = from_vec(grad, [layout.tokens(), q_width], &Device::flex());
            let one = attend_backward(q, k, v, one, grad, &layout, shape);
            let other =
                attend_backward(q_apart, k_apart, v_apart, other, grad_apart, &apart, shape);
            for (what, width, one, other) in [
                ("queries", q_width, one.0, other.0),
                ("keys", kv_width, one.1, other.1),
                ("values", kv_width, one.2, other.2),
            ] {
                let other = summed(&to_vec(other).unwrap(), width, &rows, layout.tokens());
                near(&to_vec(one).unwrap(), &other, what);
            }
        }
    }

    /// What GPUs compute is what the host computes.
    #[test]
    fn both_ways_agree() {
        for layout in [branched(), Layout::packed([70, 3, 129])] {
            for shape in shapes() {
                let of = |width, seed| numbers(layout.tokens(), width, seed);
                let (q, k, v, grad) = (of(32, 1), of(16, 2), of(16, 3), of(32, 4));
                let host = attention_host::forward(q.clone(), k.clone(), v.clone(), &layout, shape);
                let tensor =
                    attention_tensor::forward(q.clone(), k.clone(), v.clone(), &layout, shape);
                near(&to_vec(host.output.clone()).unwrap(), &to_vec(tensor).unwrap(), "output");
                let tensor = attention_tensor::backward(
                    q.clone(),
                    k.clone(),
                    v.clone(),
                    grad.clone(),
                    &layout,
                    shape,
                );
                let host = attention_host::backward(q, k, v, host, grad, &layout, shape);
                for (what, host, tensor) in [
                    ("queries", host.0, tensor.0),
                    ("keys", host.1, tensor.1),
                    ("values", host.2, tensor.2),
                ] {
                    near(&to_vec(host).unwrap(), &to_vec(tensor).unwrap(), what);
                }
            }
        }
    }
}
