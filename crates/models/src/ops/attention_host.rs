//! Attention on the host: blocks of queries against the keys that they may see, so that the
//! score matrix of a whole sequence never exists (after FlashAttention, Dao et al. 2022).

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::attention::{AttentionSaved, AttentionShape};
use super::gemm::{View, product};
use super::{Layout, simd};
use crate::host::{HostTensor, from_vec};

/// Queries handled at once.
const BLOCK: usize = 64;

/// The keys that a block of queries may see, and the mask inside.
struct Window {
    queries: Range<usize>,
    keys: Range<usize>,
}

fn windows(length: usize, shape: AttentionShape) -> impl Iterator<Item = Window> {
    (0..length).step_by(BLOCK).map(move |start| {
        let end = (start + BLOCK).min(length);
        Window { queries: start..end, keys: shape.first_visible(start)..end }
    })
}

/// The part of `[tokens, heads · head_dim]` that belongs to one head of one sequence.
fn head_view<'a>(
    data: &'a [f32],
    rows: Range<usize>,
    head: usize,
    head_dim: usize,
    width: usize,
) -> View<'a> {
    let count = rows.len();
    View::rows(&data[rows.start * width + head * head_dim..], count, head_dim, width)
}

/// Scores of a block: scaled, capped; what a query may not see is left as it is.
fn scores(out: &mut [f32], q: View, k: View, shape: AttentionShape) {
    product(out, k.rows, false, q, k.transposed(), shape.scale);
    if let Some(cap) = shape.softcap {
        pulp::Arch::new().dispatch(|| {
            for score in out.iter_mut() {
                *score = cap * simd::tanh(*score / cap);
            }
        });
    }
}

/// Columns of a block's row that its query may see.
fn visible(window: &Window, row: usize, shape: AttentionShape) -> Range<usize> {
    let query = window.queries.start + row;
    let first = shape.first_visible(query).max(window.keys.start) - window.keys.start;
    first..query + 1 - window.keys.start
}

fn jobs(layout: &Layout, shape: AttentionShape) -> Vec<(Range<usize>, usize)> {
    let heads = 0..shape.kv_heads;
    layout
        .segments
        .iter()
        .flat_map(|segment| heads.clone().map(move |head| (segment.clone(), head)))
        .collect()
}

pub fn forward(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> AttentionSaved {
    let (device, [tokens, q_width]) = (q.device(), q.dims());
    let kv_width = k.dims()[1];
    let (q, k, v) = (HostTensor::new(q), HostTensor::new(k), HostTensor::new(v));
    let (q, k, v) = (q.slice(), k.slice(), v.slice());
    let (d, group) = (shape.head_dim, shape.group());

    let run = |(segment, kv_head): &(Range<usize>, usize)| {
        let length = segment.len();
        let mut out = vec![0.0; length * group * d];
        let mut sums = vec![0.0; length * group];
        let mut block = vec![0.0; BLOCK.min(length) * length];
        for member in 0..group {
            let head = kv_head * group + member;
            for window in windows(length, shape) {
                let (rows, columns) = (window.queries.len(), window.keys.len());
                let absolute =
                    |range: &Range<usize>| segment.start + range.start..segment.start + range.end;
                let queries = head_view(q, absolute(&window.queries), head, d, q_width);
                let keys = head_view(k, absolute(&window.keys), *kv_head, d, kv_width);
                let values = head_view(v, absolute(&window.keys), *kv_head, d, kv_width);
                let block = &mut block[..rows * columns];
                scores(block, queries, keys, shape);
                pulp::Arch::new().dispatch(|| {
                    for (row, scores) in block.chunks_mut(columns).enumerate() {
                        let seen = visible(&window, row, shape);
                        scores[..seen.start].fill(0.0);
                        scores[seen.end..].fill(0.0);
                        let scores = &mut scores[seen];
                        let (top, sum) = simd::exp_in_place(scores);
                        scores.iter_mut().for_each(|p| *p /= sum);
                        sums[(window.queries.start + row) * group + member] = top + sum.ln();
                    }
                });
                let target = &mut out[window.queries.start * group * d + member * d..];
                let block = View::rows(block, rows, columns, columns);
                product(target, group * d, false, block, values, 1.0);
            }
        }
        (out, sums)
    };
    let jobs = jobs(layout, shape);
    let parts: Vec<_> = jobs.par_iter().map(run).collect();

    let mut output = vec![0.0; tokens * q_width];
    let mut log_sums = vec![0.0; tokens * shape.heads];
    for ((segment, kv_head), (out, sums)) in jobs.iter().zip(parts) {
        let (first, width) = (kv_head * group, group * d);
        for (row, token) in segment.clone().enumerate() {
            output[token * q_width + first * d..][..width]
                .copy_from_slice(&out[row * width..][..width]);
            log_sums[token * shape.heads + first..][..group]
                .copy_from_slice(&sums[row * group..][..group]);
        }
    }
    AttentionSaved { output: from_vec(output, [tokens, q_width], &device), log_sums }
}

/// With `P` the probabilities and `O = PV`: `dV = PᵀdO`, `dS = P ∘ (dO Vᵀ − rowsum(dO ∘ O))`,
/// `dQ = scale · dS K`, `dK = scale · dSᵀ Q` (FlashAttention, appendix B).
pub fn backward(
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    saved: AttentionSaved,
    grad: Tensor<2>,
    layout: &Layout,
    shape: AttentionShape,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    let (device, [tokens, q_width]) = (q.device(), q.dims());
    let kv_width = k.dims()[1];
    let (q, k, v) = (HostTensor::new(q), HostTensor::new(k), HostTensor::new(v));
    let (output, grad) = (HostTensor::new(saved.output), HostTensor::new(grad));
    let (q, k, v, output, grad) = (q.slice(), k.slice(), v.slice(), output.slice(), grad.slice());
    let log_sums = &saved.log_sums;
    let (d, group) = (shape.head_dim, shape.group());

    let run = |(segment, kv_head): &(Range<usize>, usize)| {
        let length = segment.len();
        let mut grad_q = vec![0.0; length * group * d];
        let mut grad_k = vec![0.0; length * d];
        let mut grad_v = vec![0.0; length * d];
        let mut probabilities = vec![0.0; BLOCK.min(length) * length];
        let mut slopes = probabilities.clone();
        for member in 0..group {
            let head = kv_head * group + member;
            for window in windows(length, shape) {
                let (rows, columns) = (window.queries.len(), window.keys.len());
                let absolute =
                    |range: &Range<usize>| segment.start + range.start..segment.start + range.end;
                let queries = head_view(q, absolute(&window.queries), head, d, q_width);
                let keys = head_view(k, absolute(&window.keys), *kv_head, d, kv_width);
                let values = head_view(v, absolute(&window.keys), *kv_head, d, kv_width);
                let grads = head_view(grad, absolute(&window.queries), head, d, q_width);
                let p = &mut probabilities[..rows * columns];
                let s = &mut slopes[..rows * columns];
                scores(p, queries, keys, shape);
                product(s, columns, false, grads, values.transposed(), 1.0);
                pulp::Arch::new().dispatch(|| {
                    for row in 0..rows {
                        let token = segment.start + window.queries.start + row;
                        let span = token * q_width + head * d..token * q_width + (head + 1) * d;
                        let along = simd::dot(&grad[span.clone()], &output[span]);
                        let log_sum = log_sums[token * shape.heads + head];
                        let seen = visible(&window, row, shape);
                        let p = &mut p[row * columns..][..columns];
                        let s = &mut s[row * columns..][..columns];
                        for (p, s) in p[seen.clone()].iter_mut().zip(&mut s[seen.clone()]) {
                            let bend = match shape.softcap {
                                Some(cap) => 1.0 - (*p / cap) * (*p / cap),
                                None => 1.0,
                            };
                            *p = simd::exp(*p - log_sum);
                            *s = *p * (*s - along) * bend;
                        }
                        for hidden in [0..seen.start, seen.end..columns] {
                            p[hidden.clone()].fill(0.0);
                            s[hidden].fill(0.0);
                        }
                    }
                });
                let p = View::rows(p, rows, columns, columns);
                let s = View::rows(s, rows, columns, columns);
                let q_target = &mut grad_q[window.queries.start * group * d + member * d..];
                product(q_target, group * d, false, s, keys, shape.scale);
                let key_span = window.keys.start * d;
                product(&mut grad_k[key_span..], d, true, s.transposed(), queries, shape.scale);
                product(&mut grad_v[key_span..], d, true, p.transposed(), grads, 1.0);
            }
        }
        (grad_q, grad_k, grad_v)
    };
    let jobs = jobs(layout, shape);
    let parts: Vec<_> = jobs.par_iter().map(run).collect();

    let mut grad_q = vec![0.0; tokens * q_width];
    let mut grad_k = vec![0.0; tokens * kv_width];
    let mut grad_v = vec![0.0; tokens * kv_width];
    for ((segment, kv_head), (part_q, part_k, part_v)) in jobs.iter().zip(parts) {
        let width = group * d;
        for (row, token) in segment.clone().enumerate() {
            grad_q[token * q_width + kv_head * width..][..width]
                .copy_from_slice(&part_q[row * width..][..width]);
            let at = token * kv_width + kv_head * d;
            grad_k[at..at + d].copy_from_slice(&part_k[row * d..][..d]);
            grad_v[at..at + d].copy_from_slice(&part_v[row * d..][..d]);
        }
    }
    (
        from_vec(grad_q, [tokens, q_width], &device),
        from_vec(grad_k, [tokens, kv_width], &device),
        from_vec(grad_v, [tokens, kv_width], &device),
    )
}
