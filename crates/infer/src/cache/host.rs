//! The cache in main memory: one growing slice of keys and one of values per layer and
//! sequence; beginnings that sequences share are held once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use burn::tensor::Tensor;
use rayon::prelude::*;
use sanbao_models::host::{HostTensor, from_vec};
use sanbao_models::ops::attention::AttentionShape;
use sanbao_models::ops::gemm::{View, product};
use sanbao_models::ops::simd;

use super::{Branch, SequenceId};

/// Queries handled at once.
const BLOCK: usize = 64;

/// Fewer queries than this are not worth a matrix product.
const FEW: usize = 8;

/// Multiplications below this many are not worth a second thread.
const PARALLEL: usize = 1 << 17;

/// Keys and values `[tokens, kv_heads · head_dim]` of one layer.
#[derive(Default)]
struct Rows {
    k: Vec<f32>,
    v: Vec<f32>,
}

/// Consecutive tokens in every layer.
struct Stretch {
    layers: Vec<Rows>,
    tokens: usize,
}

struct Sequence {
    /// Held with other sequences, in order.
    shared: Vec<Arc<Stretch>>,
    /// What follows; during a pass its rows may be more than its tokens.
    own: Stretch,
}

/// All sequences of a cache.
pub struct HostStore {
    layers: usize,
    sequences: BTreeMap<SequenceId, Sequence>,
}

/// Cached rows that a stretch of queries may see, and their positions.
struct Span<'a> {
    k: &'a [f32],
    v: &'a [f32],
    positions: Range<usize>,
}

/// What all heads of a layer share.
struct Queries<'a> {
    q: &'a [f32],
    q_width: usize,
    kv_width: usize,
    shape: AttentionShape,
}

impl Stretch {
    fn empty(layers: usize) -> Self {
        Self { layers: (0..layers).map(|_| Rows::default()).collect(), tokens: 0 }
    }
}

impl HostStore {
    pub fn new(layers: usize) -> Self {
        Self { layers, sequences: BTreeMap::new() }
    }

    /// Adds a sequence, empty or sharing what `from` has.
    pub fn insert(&mut self, sequence: SequenceId, from: Option<SequenceId>) {
        let mut shared = Vec::new();
        if let Some(parent) = from.and_then(|from| self.sequences.get_mut(&from)) {
            if parent.own.tokens > 0 {
                let own = std::mem::replace(&mut parent.own, Stretch::empty(self.layers));
                parent.shared.push(Arc::new(own));
            }
            shared.clone_from(&parent.shared);
        }
        self.sequences.insert(sequence, Sequence { shared, own: Stretch::empty(self.layers) });
    }

    pub fn remove(&mut self, sequence: SequenceId) {
        self.sequences.remove(&sequence);
    }

    /// Takes all tokens out of a sequence.
    pub fn clear(&mut self, sequence: SequenceId) {
        if self.sequences.contains_key(&sequence) {
            self.insert(sequence, None);
        }
    }

    /// Attention of a pass's queries in one layer, whose new keys and values are added.
    pub fn attend(
        &mut self,
        layer: usize,
        [q, k, v]: [Tensor<2>; 3],
        branches: &[Branch],
        shape: AttentionShape,
    ) -> Tensor<2> {
        let (device, [tokens, q_width]) = (q.device(), q.dims());
        let kv_width = k.dims()[1];
        let (q, k, v) = (HostTensor::new(q), HostTensor::new(k), HostTensor::new(v));
        for branch in branches {
            if let Some(sequence) = self.sequences.get_mut(&branch.sequence) {
                let span = branch.rows.start * kv_width..branch.rows.end * kv_width;
                let rows = &mut sequence.own.layers[layer];
                rows.k.extend_from_slice(&k.slice()[span.clone()]);
                rows.v.extend_from_slice(&v.slice()[span]);
            }
        }

        let queries = Queries { q: q.slice(), q_width, kv_width, shape };
        let spans: Vec<Vec<Span>> =
            branches.iter().map(|branch| self.spans(layer, branch, kv_width)).collect();
        let jobs: Vec<(usize, usize)> = (0..branches.len())
            .flat_map(|branch| (0..shape.kv_heads).map(move |head| (branch, head)))
            .collect();
        let run = |(branch, head): &(usize, usize)| {
            queries.attend(&branches[*branch], &spans[*branch], *head)
        };
        let work: usize =
            branches.iter().map(|b| b.rows.len() * (b.past + b.rows.len()) * q_width).sum();
        let parts: Vec<Vec<f32>> = if work >= PARALLEL {
            jobs.par_iter().map(run).collect()
        } else {
            jobs.iter().map(run).collect()
        };

        let width = shape.group() * shape.head_dim;
        let mut output = vec![0.0; tokens * q_width];
        for ((branch, head), part) in jobs.iter().zip(parts) {
            for (row, part) in branches[*branch].rows.clone().zip(part.chunks(width)) {
                output[row * q_width + head * width..][..width].copy_from_slice(part);
            }
        }
        from_vec(output, [tokens, q_width], &device)
    }

    /// Ends a pass: its tokens stay or go.
    pub fn settle(&mut self, branches: &[Branch], keep: bool, kv_width: usize) {
        for branch in branches {
            let Some(Sequence { own, .. }) = self.sequences.get_mut(&branch.sequence) else {
                continue;
            };
            if keep {
                own.tokens += branch.rows.len();
            }
            if !keep {
                for rows in &mut own.layers {
                    rows.k.truncate(own.tokens * kv_width);
                    rows.v.truncate(own.tokens * kv_width);
                }
            }
        }
    }

    /// Everything that a stretch of queries may see, by position.
    fn spans(&self, layer: usize, branch: &Branch, kv_width: usize) -> Vec<Span<'_>> {
        let Some(Sequence { shared, own }) = self.sequences.get(&branch.sequence) else {
            return Vec::new();
        };
        let mut spans = Vec::new();
        let mut start = 0;
        for stretch in shared {
            let Rows { k, v } = &stretch.layers[layer];
            spans.push(Span { k, v, positions: start..start + stretch.tokens });
            start += stretch.tokens;
        }
        let Rows { k, v } = &own.layers[layer];
        let cut = |from: usize, tokens: usize| {
            let range = from * kv_width..(from + tokens) * kv_width;
            (&k[range.clone()], &v[range])
        };
        // The stretch's own rows follow the cached ones directly unless another is in between.
        let pieces = if branch.offset == 0 {
            vec![(0, own.tokens + branch.rows.len())]
        } else {
            vec![(0, own.tokens), (own.tokens + branch.offset, branch.rows.len())]
        };
        for (from, tokens) in pieces {
            let (k, v) = cut(from, tokens);
            spans.push(Span { k, v, positions: start..start + tokens });
            start += tokens;
        }
        spans
    }
}

impl Queries<'_> {
    /// Output `[rows, group · head_dim]` of the query heads that share a key head.
    fn attend(&self, branch: &Branch, spans: &[Span], kv_head: usize) -> Vec<f32> {
        let width = self.shape.group() * self.shape.head_dim;
        let rows = branch.rows.len();
        let mut out = vec![0.0; rows * width];
        let mut scores = Vec::new();
        if rows < FEW {
            for (row, out) in out.chunks_mut(width).enumerate() {
                let q = &self.q[(branch.rows.start + row) * self.q_width + kv_head * width..];
                self.one(out, &q[..width], branch.past + row, spans, kv_head, &mut scores);
            }
            return out;
        }
        for start in (0..rows).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(rows);
            let out = &mut out[start * width..block.end * width];
            self.block(out, branch, block, spans, kv_head, &mut scores);
        }
        out
    }

    /// One token: each key is read once for all its query heads.
    fn one(
        &self,
        out: &mut [f32],
        q: &[f32],
        position: usize,
        spans: &[Span],
        kv_head: usize,
        scores: &mut Vec<f32>,
    ) {
        let (d, shape) = (self.shape.head_dim, self.shape);
        let first = shape.first_visible(position);
        let columns = position + 1 - first;
        scores.resize(shape.group() * columns, 0.0);
        let row = |span: &Span, at: usize| {
            let start = (at - span.positions.start) * self.kv_width + kv_head * d;
            start..start + d
        };
        pulp::Arch::new().dispatch(|| {
            for span in spans {
                for at in clip(&span.positions, first, position + 1) {
                    let key = &span.k[row(span, at)];
                    for (member, query) in q.chunks(d).enumerate() {
                        let score = shape.scale * simd::dot(query, key);
                        scores[member * columns + at - first] = capped(score, shape.softcap);
                    }
                }
            }
            for scores in scores.chunks_mut(columns) {
                let (_, sum) = simd::exp_in_place(scores);
                scores.iter_mut().for_each(|p| *p /= sum);
            }
            for span in spans {
                for at in clip(&span.positions, first, position + 1) {
                    let value = &span.v[row(span, at)];
                    for (member, out) in out.chunks_mut(d).enumerate() {
                        let p = scores[member * columns + at - first];
                        out.iter_mut().zip(value).for_each(|(out, value)| *out += p * value);
                    }
                }
            }
        });
    }

    /// A block of tokens, by matrix products.
    fn block(
        &self,
        out: &mut [f32],
        branch: &Branch,
        block: Range<usize>,
        spans: &[Span],
        kv_head: usize,
        scores: &mut Vec<f32>,
    ) {
        let (d, shape) = (self.shape.head_dim, self.shape);
        let (group, rows) = (shape.group(), block.len());
        let (first, end) =
            (shape.first_visible(branch.past + block.start), branch.past + block.end);
        let columns = end - first;
        scores.resize(rows * columns, 0.0);
        let seen: Vec<(&Span, Range<usize>)> = spans
            .iter()
            .map(|span| (span, clip(&span.positions, first, end)))
            .filter(|(_, range)| !range.is_empty())
            .collect();
        let rows_of = |data, span: &Span, range: &Range<usize>| {
            let start = (range.start - span.positions.start) * self.kv_width + kv_head * d;
            cut(data, start, range.len(), d, self.kv_width)
        };
        for member in 0..group {
            let start = (branch.rows.start + block.start) * self.q_width;
            let start = start + (kv_head * group + member) * d;
            let queries = cut(self.q, start, rows, d, self.q_width);
            for (span, range) in &seen {
                let keys = rows_of(span.k, span, range).transposed();
                let target = &mut scores[range.start - first..];
                product(target, columns, false, queries, keys, shape.scale);
            }
            pulp::Arch::new().dispatch(|| {
                for (row, scores) in scores.chunks_mut(columns).enumerate() {
                    let position = branch.past + block.start + row;
                    let visible = shape.first_visible(position) - first..position + 1 - first;
                    scores[..visible.start].fill(0.0);
                    scores[visible.end..].fill(0.0);
                    let scores = &mut scores[visible];
                    scores.iter_mut().for_each(|score| *score = capped(*score, shape.softcap));
                    let (_, sum) = simd::exp_in_place(scores);
                    scores.iter_mut().for_each(|p| *p /= sum);
                }
            });
            for (index, (span, range)) in seen.iter().enumerate() {
                let p = cut(scores, range.start - first, rows, range.len(), columns);
                let values = rows_of(span.v, span, range);
                product(&mut out[member * d..], group * d, index > 0, p, values, 1.0);
            }
        }
    }
}

fn cut(data: &[f32], start: usize, rows: usize, columns: usize, stride: usize) -> View<'_> {
    View::rows(&data[start..], rows, columns, stride)
}

fn clip(range: &Range<usize>, first: usize, end: usize) -> Range<usize> {
    let start = range.start.max(first);
    start..range.end.min(end).max(start)
}

#[inline(always)]
fn capped(score: f32, softcap: Option<f32>) -> f32 {
    match softcap {
        Some(cap) => cap * simd::tanh(score / cap),
        None => score,
    }
}
