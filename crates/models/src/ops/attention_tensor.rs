//! Attention in burn operations, for GPUs: sequences are gathered into a padded rectangle,
//! so that one batched product serves them all.

use std::iter::repeat_n;

use burn::tensor::{Bool, Device, Int, Tensor, TensorData, activation};

use super::attention::AttentionShape;
use super::{Branch, Layout};

/// Score of what may not be seen; its exponential is exactly 0 in float32.
const HIDDEN: f32 = -1e30;

/// Where tokens stand in the rectangle `[sequences, longest]`, and back.
struct Rectangle {
    sequences: usize,
    longest: usize,
    /// For each cell, the token that fills it; padding repeats the sequence's first token.
    tokens: Tensor<1, Int>,
    /// For each token, its cell.
    cells: Tensor<1, Int>,
    /// 1 where a token stands, 0 at padding; `[sequences · longest, 1]`.
    filled: Tensor<2>,
}

impl Rectangle {
    fn new(layout: &Layout, device: &Device) -> Self {
        let longest = layout.segments.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let sequences = layout.segments.len();
        let mut tokens = Vec::with_capacity(sequences * longest);
        let mut filled = Vec::with_capacity(sequences * longest);
        let mut cells = vec![0_i32; layout.tokens()];
        for segment in &layout.segments {
            for column in 0..longest {
                let inside = column < segment.len();
                let token = segment.start + if inside { column } else { 0 };
                if inside {
                    cells[token] = tokens.len() as i32;
                }
                tokens.push(token as i32);
                filled.push(f32::from(u8::from(inside)));
            }
        }
        let count = sequences * longest;
        let ints = |values: Vec<i32>| -> Tensor<1, Int> {
            let length = values.len();
            Tensor::from_data(TensorData::new(values, [length]), device)
        };
        Self {
            sequences,
            longest,
            tokens: ints(tokens),
            cells: ints(cells),
            filled: Tensor::from_data(TensorData::new(filled, [count, 1]), device),
        }
    }

    /// `[tokens, kv_heads · group · d]` to `[sequences, kv_heads, group · longest, d]`: the
    /// queries that share a key head stand below each other.
    fn spread(&self, x: Tensor<2>, kv_heads: usize, d: usize) -> Tensor<4> {
        self.arrange(x.select(0, self.tokens.clone()), kv_heads, d)
    }

    /// The same with zeros at padding, which otherwise repeats a real token.
    fn spread_gradient(&self, x: Tensor<2>, kv_heads: usize, d: usize) -> Tensor<4> {
        let cells = x.select(0, self.tokens.clone()) * self.filled.clone();
        self.arrange(cells, kv_heads, d)
    }

    fn arrange(&self, cells: Tensor<2>, kv_heads: usize, d: usize) -> Tensor<4> {
        let group = cells.dims()[1] / (kv_heads * d);
        cells
            .reshape([self.sequences, self.longest, kv_heads, group, d])
            .permute([0, 2, 3, 1, 4])
            .reshape([self.sequences, kv_heads, group * self.longest, d])
    }

    /// The inverse of [`Self::spread`].
    fn gather(&self, x: Tensor<4>, group: usize) -> Tensor<2> {
        let [sequences, kv_heads, _, d] = x.dims();
        x.reshape([sequences, kv_heads, group, self.longest, d])
            .permute([0, 3, 1, 2, 4])
            .reshape([sequences * self.longest, kv_heads * group * d])
            .select(0, self.cells.clone())
    }

    /// True where a query may not see a key, `[sequences, 1, group · longest, longest]`; one
    /// sequence stands for all where none branches.
    fn hidden(&self, layout: &Layout, shape: AttentionShape, device: &Device) -> Tensor<4, Bool> {
        let branches: Vec<_> = layout.segments.iter().map(|one| layout.branches(one)).collect();
        let masks = match branches.iter().all(|one| one.len() == 1) {
            true => vec![self.mask(&[Branch { rows: 0..self.longest, shared: 0 }], shape)],
            false => branches.iter().map(|branches| self.mask(branches, shape)).collect(),
        };
        let shown = [masks.len(), 1, shape.group() * self.longest, self.longest];
        let repeated: Vec<bool> = masks
            .iter()
            .flat_map(|mask| repeat_n(mask, shape.group()).flatten().copied())
            .collect();
        Tensor::from_data(TensorData::new(repeated, shown), device)
    }

    /// The mask of one sequence, `[longest, longest]`; padding sees the first token.
    fn mask(&self, branches: &[Branch], shape: AttentionShape) -> Vec<bool> {
        let mut mask = vec![true; self.longest * self.longest];
        for row in mask.chunks_mut(self.longest) {
            row[0] = false;
        }
        let start = branches.first().map_or(0, |first| first.rows.start);
        for Branch { rows, shared } in branches {
            for (index, row) in (rows.start - start..rows.end - start).enumerate() {
                let first = shape.first_visible(shared + index);
                let own = rows.start - start + first.saturating_sub(*shared)..row + 1;
                let mask = &mut mask[row * self.longest..][..self.longest];
                mask[0] = true;
                mask[first.min(*shared)..*shared].fill(false);
                mask[own].fill(false);
            }
        }
        mask
    }
}

/// Scores after the cap, and the probabilities.
fn probabilities(
    q: &Tensor<4>,
    k: &Tensor<4>,
    hidden: Tensor<4, Bool>,
    shape: AttentionShape,
) -> (Tensor<4>, Tensor<4>) {
    let scores = q.clone().matmul(k.clone().swap_dims(2, 3)) * shape.scale;
    let scores = match shape.softcap {
        Some(cap) => (scores / cap).tanh() * cap,
        None => scores,
    };
    let all = scores.shape();
    let masked = scores.clone().mask_fill(hidden.expand(all), HIDDEN);
    (scores, activation::softmax(masked, 3))
}

pub fn forward(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> Tensor<2> {
    let device = q.device();
    let rectangle = Rectangle::new(layout, &device);
    let spread = |x| rectangle.spread(x, shape.kv_heads, shape.head_dim);
    let (q, k, v) = (spread(q), spread(k), spread(v));
    let (_, p) = probabilities(&q, &k, rectangle.hidden(layout, shape, &device), shape);
    rectangle.gather(p.matmul(v), shape.group())
}

pub fn backward(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    grad: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    let device = q.device();
    let rectangle = Rectangle::new(layout, &device);
    let spread = |x| rectangle.spread(x, shape.kv_heads, shape.head_dim);
    let grad = rectangle.spread_gradient(grad, shape.kv_heads, shape.head_dim);
    let (q, k, v) = (spread(q), spread(k), spread(v));
    let (scores, p) = probabilities(&q, &k, rectangle.hidden(layout, shape, &device), shape);
    let grad_v = p.clone().swap_dims(2, 3).matmul(grad.clone());
    let grad_p = grad.matmul(v.swap_dims(2, 3));
    let along = (grad_p.clone() * p.clone()).sum_dim(3);
    let mut grad_s = p * (grad_p - along);
    if let Some(cap) = shape.softcap {
        grad_s = grad_s * (-(scores / cap).square() + 1.0);
    }
    let grad_s = grad_s * shape.scale;
    let grad_q = grad_s.clone().matmul(k);
    let grad_k = grad_s.swap_dims(2, 3).matmul(q);
    (
        rectangle.gather(grad_q, shape.group()),
        rectangle.gather(grad_k, 1),
        rectangle.gather(grad_v, 1),
    )
}
