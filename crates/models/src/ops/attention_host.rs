//! Attention on the host: blocks of queries against the keys that they may see, so that the
//! score matrix of a whole sequence never exists (after FlashAttention, Dao et al. 2022).

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::attention::{AttentionSaved, AttentionShape};
use super::gemm::{View, product};
use super::{Branch, Layout, simd};
use crate::host::{HostTensor, from_vec};

/// Queries handled at once.
const BLOCK: usize = 64;

/// A block of queries of one branch, and the keys that it may see: those of the shared beginning,
/// then those of the branch. All ranges are rows of the batch.
struct Window {
    queries: Range<usize>,
    /// Position of the first query.
    position: usize,
    keys: [Range<usize>; 2],
    /// Position of the first key; the others follow each other.
    first_key: usize,
}

impl Window {
    /// Keys in all.
    fn columns(&self) -> usize {
        self.keys.iter().map(ExactSizeIterator::len).sum()
    }

    /// The keys, each part with the column at which it begins.
    fn parts(&self) -> impl Iterator<Item = (usize, &Range<usize>)> {
        let columns = [0, self.keys[0].len()];
        columns.into_iter().zip(&self.keys).filter(|(_, keys)| !keys.is_empty())
    }
}

fn windows(
    segment: &Range<usize>,
    branches: &[Branch],
    shape: AttentionShape,
) -> impl Iterator<Item = Window> {
    branches.iter().flat_map(move |Branch { rows, shared }| {
        rows.clone().step_by(BLOCK).map(move |start| {
            let end = (start + BLOCK).min(rows.end);
            let position = shared + start - rows.start;
            let first_key = shape.first_visible(position);
            let beginning = segment.start + first_key.min(*shared)..segment.start + shared;
            let own = rows.start + first_key.saturating_sub(*shared)..end;
            Window { queries: start..end, position, keys: [beginning, own], first_key }
        })
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

/// Products of a block's rows with all keys (or values) of its window.
fn against<'a>(
    out: &mut [f32],
    window: &Window,
    rows: View,
    of: impl Fn(Range<usize>) -> View<'a>,
    factor: f32,
) {
    for (column, keys) in window.parts() {
        let keys = of(keys.clone()).transposed();
        product(&mut out[column..], window.columns(), false, rows, keys, factor);
    }
}

/// Scores of a block: scaled, capped; what a query may not see is left as it is.
fn scores<'a>(
    out: &mut [f32],
    window: &Window,
    q: View,
    k: impl Fn(Range<usize>) -> View<'a>,
    shape: AttentionShape,
) {
    against(out, window, q, k, shape.scale);
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
    let query = window.position + row;
    let first = shape.first_visible(query).max(window.first_key) - window.first_key;
    first..query + 1 - window.first_key
}

/// One head of one segment.
struct Job {
    segment: Range<usize>,
    branches: Arc<[Branch]>,
    kv_head: usize,
}

fn jobs(layout: &Layout, shape: AttentionShape) -> Vec<Job> {
    let of = |segment: &Range<usize>| {
        let (segment, branches) = (segment.clone(), Arc::from(layout.branches(segment)));
        let job = move |kv_head| Job {
            segment: segment.clone(),
            branches: Arc::clone(&branches),
            kv_head,
        };
        (0..shape.kv_heads).map(job)
    };
    layout.segments.iter().flat_map(of).collect()
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

    let run = |Job { segment, branches, kv_head }: &Job| {
        let length = segment.len();
        let mut out = vec![0.0; length * group * d];
        let mut sums = vec![0.0; length * group];
        let mut block = vec![0.0; BLOCK.min(length) * length];
        for member in 0..group {
            let head = kv_head * group + member;
            for window in windows(segment, branches, shape) {
                let (rows, columns) = (window.queries.len(), window.columns());
                let first_row = window.queries.start - segment.start;
                let queries = head_view(q, window.queries.clone(), head, d, q_width);
                let keys = |rows| head_view(k, rows, *kv_head, d, kv_width);
                let block = &mut block[..rows * columns];
                scores(block, &window, queries, keys, shape);
                pulp::Arch::new().dispatch(|| {
                    for (row, scores) in block.chunks_mut(columns).enumerate() {
                        let seen = visible(&window, row, shape);
                        scores[..seen.start].fill(0.0);
                        scores[seen.end..].fill(0.0);
                        let scores = &mut scores[seen];
                        let (top, sum) = simd::exp_in_place(scores);
                        scores.iter_mut().for_each(|p| *p /= sum);
                        sums[(first_row + row) * group + member] = top + sum.ln();
                    }
                });
                let target = &mut out[first_row * group * d + member * d..];
                for (column, keys) in window.parts() {
                    let block = View::rows(&block[column..], rows, keys.len(), columns);
                    let values = head_view(v, keys.clone(), *kv_head, d, kv_width);
                    // The target starts as zeros, so that each part can be added.
                    product(target, group * d, true, block, values, 1.0);
                }
            }
        }
        (out, sums)
    };
    let jobs = jobs(layout, shape);
    let parts: Vec<_> = jobs.par_iter().map(run).collect();

    let mut output = vec![0.0; tokens * q_width];
    let mut log_sums = vec![0.0; tokens * shape.heads];
    for (Job { segment, kv_head, .. }, (out, sums)) in jobs.iter().zip(parts) {
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

    let run = |Job { segment, branches, kv_head }: &Job| {
        let length = segment.len();
        let mut grad_q = vec![0.0; length * group * d];
        let mut grad_k = vec![0.0; length * d];
        let mut grad_v = vec![0.0; length * d];
        let mut probabilities = vec![0.0; BLOCK.min(length) * length];
        let mut slopes = probabilities.clone();
        for member in 0..group {
            let head = kv_head * group + member;
            for window in windows(segment, branches, shape) {
                let (rows, columns) = (window.queries.len(), window.columns());
                let queries = head_view(q, window.queries.clone(), head, d, q_width);
                let keys = |rows| head_view(k, rows, *kv_head, d, kv_width);
                let values = |rows| head_view(v, rows, *kv_head, d, kv_width);
                let grads = head_view(grad, window.queries.clone(), head, d, q_width);
                let p = &mut probabilities[..rows * columns];
                let s = &mut slopes[..rows * columns];
                scores(p, &window, queries, keys, shape);
                against(s, &window, grads, values, 1.0);
                pulp::Arch::new().dispatch(|| {
                    for row in 0..rows {
                        let token = window.queries.start + row;
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
                let first_row = window.queries.start - segment.start;
                for (column, part) in window.parts() {
                    let p = View::rows(&p[column..], rows, part.len(), columns);
                    let s = View::rows(&s[column..], rows, part.len(), columns);
                    let q_target = &mut grad_q[first_row * group * d + member * d..];
                    product(q_target, group * d, true, s, keys(part.clone()), shape.scale);
                    let span = (part.start - segment.start) * d;
                    product(&mut grad_k[span..], d, true, s.transposed(), queries, shape.scale);
                    product(&mut grad_v[span..], d, true, p.transposed(), grads, 1.0);
                }
            }
        }
        (grad_q, grad_k, grad_v)
    };
    let jobs = jobs(layout, shape);
    let parts: Vec<_> = jobs.par_iter().map(run).collect();

    let mut grad_q = vec![0.0; tokens * q_width];
    let mut grad_k = vec![0.0; tokens * kv_width];
    let mut grad_v = vec![0.0; tokens * kv_width];
    for (Job { segment, kv_head, .. }, (part_q, part_k, part_v)) in jobs.iter().zip(parts) {
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
