//! One layer of a decoder: forward, and backward from what the forward kept.

use burn::tensor::Tensor;

use crate::ops::attention::{AttentionSaved, AttentionShape, attend, attend_backward};
use crate::ops::{
    Gradients, Layout, Linear, Norm, Trainable, gated, gated_backward, plain, plain_backward,
    rotate,
};
use crate::rope::RopeTable;
use crate::spec::{Activation, QkvLayout};

/// Query, key and value projections.
#[derive(Debug, Clone)]
pub enum Qkv {
    /// Three layers.
    Separate {
        /// Queries.
        q: Linear,
        /// Keys.
        k: Linear,
        /// Values.
        v: Linear,
    },
    /// One layer, in the order that the layout says.
    Fused(Linear, QkvLayout),
}

/// The feed-forward part.
#[derive(Debug, Clone)]
pub enum Mlp {
    /// `down(act(gate(x)) · up(x))`.
    Gated {
        /// Gate.
        gate: Linear,
        /// Up.
        up: Linear,
    },
    /// Gate and up in one layer, gate first.
    FusedGated(Linear),
    /// `down(act(up(x)))`.
    Plain(Linear),
}

/// A layer.
#[derive(Debug, Clone)]
pub struct Block {
    /// Before attention.
    pub input_norm: Norm,
    /// Projections into attention.
    pub qkv: Qkv,
    /// Per-head normalisation of queries and keys.
    pub qk_norm: Option<(Norm, Norm)>,
    /// Projection out of attention.
    pub out: Linear,
    /// After attention (Gemma).
    pub post_attention_norm: Option<Norm>,
    /// Before the feed-forward part.
    pub pre_mlp_norm: Norm,
    /// Projections into the feed-forward part.
    pub mlp: Mlp,
    /// Projection out of it.
    pub down: Linear,
    /// After the feed-forward part (Gemma).
    pub post_mlp_norm: Option<Norm>,
    /// Attention's settings.
    pub attention: AttentionShape,
    /// Which rotary table, if any.
    pub rope: Option<usize>,
    /// Non-linearity.
    pub activation: Activation,
    /// Whether both parts read the layer's input.
    pub parallel: bool,
}

/// What all layers of a pass share.
pub struct Pass<'a> {
    /// Where the sequences stand.
    pub layout: &'a Layout,
    /// Rotary tables, by index.
    pub ropes: &'a [RopeTable],
    /// With a seed, adapters drop inputs.
    pub dropout_seed: Option<u64>,
}

/// What a layer keeps for its backward pass, besides its input.
pub struct Saved {
    /// Queries and keys before their own norm, where there is one.
    raw_qk: Option<(Tensor<2>, Tensor<2>)>,
    q: Tensor<2>,
    k: Tensor<2>,
    v: Tensor<2>,
    attention: AttentionSaved,
    /// The attention's projected output, where a norm follows it.
    projected: Option<Tensor<2>>,
    /// The hidden state between the two parts.
    middle: Tensor<2>,
    gate: Option<Tensor<2>>,
    up: Tensor<2>,
    /// The feed-forward part's output, where a norm follows it.
    fed: Option<Tensor<2>>,
}

impl Block {
    /// Every linear layer, in the order of the forward pass.
    pub fn linears(&self) -> Vec<&Linear> {
        let mut list = match &self.qkv {
            Qkv::Separate { q, k, v } => vec![q, k, v],
            Qkv::Fused(qkv, _) => vec![qkv],
        };
        list.push(&self.out);
        match &self.mlp {
            Mlp::Gated { gate, up } => list.extend([gate, up]),
            Mlp::FusedGated(layer) | Mlp::Plain(layer) => list.push(layer),
        }
        list.push(&self.down);
        list
    }

    /// The same, to be changed.
    pub fn linears_mut(&mut self) -> Vec<&mut Linear> {
        let mut list = match &mut self.qkv {
            Qkv::Separate { q, k, v } => vec![q, k, v],
            Qkv::Fused(qkv, _) => vec![qkv],
        };
        list.push(&mut self.out);
        match &mut self.mlp {
            Mlp::Gated { gate, up } => list.extend([gate, up]),
            Mlp::FusedGated(layer) | Mlp::Plain(layer) => list.push(layer),
        }
        list.push(&mut self.down);
        list
    }

    /// Every normalisation, to be changed.
    pub fn norms_mut(&mut self) -> Vec<&mut Norm> {
        let mut list = vec![&mut self.input_norm, &mut self.pre_mlp_norm];
        if let Some((q, k)) = &mut self.qk_norm {
            list.extend([q, k]);
        }
        list.extend(&mut self.post_attention_norm);
        list.extend(&mut self.post_mlp_norm);
        list
    }

    /// Queries, keys and values, rotated; and queries and keys before their norm.
    #[allow(clippy::type_complexity)]
    pub fn project(
        &self,
        x: &Tensor<2>,
        pass: &Pass,
    ) -> ([Tensor<2>; 3], Option<(Tensor<2>, Tensor<2>)>) {
        let input = self.input_norm.forward(x.clone());
        let [mut q, mut k, v] = match &self.qkv {
            Qkv::Separate { q, k, v } => {
                [q, k, v].map(|layer| layer.forward(&input, pass.dropout_seed))
            }
            Qkv::Fused(layer, order) => {
                self.split(layer.forward(&input, pass.dropout_seed), *order)
            }
        };
        let mut raw = None;
        if let Some((q_norm, k_norm)) = &self.qk_norm {
            raw = Some((q.clone(), k.clone()));
            q = per_head(q, self.attention.head_dim, |heads| q_norm.forward(heads));
            k = per_head(k, self.attention.head_dim, |heads| k_norm.forward(heads));
        }
        if let Some(table) = self.rope.map(|index| &pass.ropes[index]) {
            q = rotate(q, self.attention.head_dim, table, false);
            k = rotate(k, self.attention.head_dim, table, false);
        }
        ([q, k, v], raw)
    }

    /// Everything after attention: `[tokens, heads · head_dim]` to the layer's output.
    pub fn finish(&self, x: Tensor<2>, attended: &Tensor<2>, seed: Option<u64>) -> Tensor<2> {
        let (middle, _) = self.middle(x.clone(), attended, seed);
        let source = if self.parallel { x } else { middle.clone() };
        let (up, gate) = self.feed(&source, seed);
        let inner = self.activate(&gate, &up);
        let fed = self.down.forward(&inner, seed);
        middle + normed(&self.post_mlp_norm, fed)
    }

    /// Forward without keeping anything.
    pub fn forward(&self, x: Tensor<2>, pass: &Pass) -> Tensor<2> {
        let ([q, k, v], _) = self.project(&x, pass);
        let attended = attend(q, k, v, pass.layout, self.attention);
        self.finish(x, &attended.output, pass.dropout_seed)
    }

    /// Forward, keeping what [`Self::backward`] reads.
    pub fn forward_saving(&self, x: Tensor<2>, pass: &Pass) -> (Tensor<2>, Saved) {
        let seed = pass.dropout_seed;
        let ([q, k, v], raw_qk) = self.project(&x, pass);
        let attention = attend(q.clone(), k.clone(), v.clone(), pass.layout, self.attention);
        let (middle, projected) = self.middle(x.clone(), &attention.output, seed);
        let source = if self.parallel { x } else { middle.clone() };
        let (up, gate) = self.feed(&source, seed);
        let fed = self.down.forward(&self.activate(&gate, &up), seed);
        let output = middle.clone() + normed(&self.post_mlp_norm, fed.clone());
        let saved = Saved {
            raw_qk,
            q,
            k,
            v,
            attention,
            projected: self.post_attention_norm.is_some().then_some(projected),
            middle,
            gate,
            up,
            fed: self.post_mlp_norm.is_some().then_some(fed),
        };
        (output, saved)
    }

    /// Gradient with respect to the layer's input `x`.
    pub fn backward(
        &self,
        x: Tensor<2>,
        saved: Saved,
        grad: Tensor<2>,
        pass: &Pass,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Tensor<2> {
        let seed = pass.dropout_seed;

        let grad_fed = match (&self.post_mlp_norm, saved.fed) {
            (Some(norm), Some(fed)) => norm.backward(fed, grad.clone(), trainable, grads),
            _ => grad.clone(),
        };
        let source = if self.parallel { x.clone() } else { saved.middle };
        let inner = self.activate(&saved.gate, &saved.up);
        let grad_inner = self.down.backward(&inner, grad_fed, trainable, seed, grads);
        let input = self.pre_mlp_norm.forward(source.clone());
        let grad_input =
            self.feed_backward(&input, saved.gate, saved.up, grad_inner, trainable, seed, grads);
        let grad_source = self.pre_mlp_norm.backward(source, grad_input, trainable, grads);
        let (grad_x, grad_middle) = if self.parallel {
            (grad_source + grad.clone(), grad)
        } else {
            let through = grad + grad_source;
            (through.clone(), through)
        };

        let grad_projected = match (&self.post_attention_norm, saved.projected) {
            (Some(norm), Some(projected)) => {
                norm.backward(projected, grad_middle, trainable, grads)
            }
            _ => grad_middle,
        };
        let attended = saved.attention.output.clone();
        let grad_attended = self.out.backward(&attended, grad_projected, trainable, seed, grads);
        let (mut grad_q, mut grad_k, grad_v) = attend_backward(
            saved.q,
            saved.k,
            saved.v,
            saved.attention,
            grad_attended,
            pass.layout,
            self.attention,
        );
        let head_dim = self.attention.head_dim;
        if let Some(table) = self.rope.map(|index| &pass.ropes[index]) {
            grad_q = rotate(grad_q, head_dim, table, true);
            grad_k = rotate(grad_k, head_dim, table, true);
        }
        if let (Some((q_norm, k_norm)), Some((raw_q, raw_k))) = (&self.qk_norm, saved.raw_qk) {
            grad_q = per_head_backward(q_norm, raw_q, grad_q, head_dim, trainable, grads);
            grad_k = per_head_backward(k_norm, raw_k, grad_k, head_dim, trainable, grads);
        }
        let input = self.input_norm.forward(x.clone());
        let grad_input = match &self.qkv {
            Qkv::Separate { q, k, v } => {
                q.backward(&input, grad_q, trainable, seed, grads)
                    + k.backward(&input, grad_k, trainable, seed, grads)
                    + v.backward(&input, grad_v, trainable, seed, grads)
            }
            Qkv::Fused(layer, order) => {
                let grad = self.join(grad_q, grad_k, grad_v, *order);
                layer.backward(&input, grad, trainable, seed, grads)
            }
        };
        grad_x + self.input_norm.backward(x, grad_input, trainable, grads)
    }

    /// The hidden state after attention, and the projected attention before its norm.
    fn middle(
        &self,
        x: Tensor<2>,
        attended: &Tensor<2>,
        seed: Option<u64>,
    ) -> (Tensor<2>, Tensor<2>) {
        let projected = self.out.forward(attended, seed);
        (x + normed(&self.post_attention_norm, projected.clone()), projected)
    }

    /// `up`, and `gate` where there is one.
    fn feed(&self, source: &Tensor<2>, seed: Option<u64>) -> (Tensor<2>, Option<Tensor<2>>) {
        let input = self.pre_mlp_norm.forward(source.clone());
        match &self.mlp {
            Mlp::Gated { gate, up } => {
                let (gate, up) = (gate.forward(&input, seed), up.forward(&input, seed));
                (up, Some(gate))
            }
            Mlp::FusedGated(layer) => {
                let both = layer.forward(&input, seed);
                let inner = both.dims()[1] / 2;
                let gate = both.clone().slice_dim(1, 0..inner);
                (both.slice_dim(1, inner..2 * inner), Some(gate))
            }
            Mlp::Plain(up) => (up.forward(&input, seed), None),
        }
    }

    fn activate(&self, gate: &Option<Tensor<2>>, up: &Tensor<2>) -> Tensor<2> {
        match gate {
            Some(gate) => gated(self.activation, gate.clone(), up.clone()),
            None => plain(self.activation, up.clone()),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn feed_backward(
        &self,
        input: &Tensor<2>,
        gate: Option<Tensor<2>>,
        up: Tensor<2>,
        grad: Tensor<2>,
        trainable: Trainable,
        seed: Option<u64>,
        grads: &mut Gradients,
    ) -> Tensor<2> {
        let Some(gate) = gate else {
            let grad_up = plain_backward(self.activation, up, grad);
            return match &self.mlp {
                Mlp::Gated { up: layer, .. } | Mlp::FusedGated(layer) | Mlp::Plain(layer) => {
                    layer.backward(input, grad_up, trainable, seed, grads)
                }
            };
        };
        let (grad_gate, grad_up) = gated_backward(self.activation, gate, up, grad);
        match &self.mlp {
            Mlp::Gated { gate, up } => {
                gate.backward(input, grad_gate, trainable, seed, grads)
                    + up.backward(input, grad_up, trainable, seed, grads)
            }
            Mlp::FusedGated(layer) | Mlp::Plain(layer) => {
                let grad = Tensor::cat(vec![grad_gate, grad_up], 1);
                layer.backward(input, grad, trainable, seed, grads)
            }
        }
    }

    /// Takes a fused projection's output apart.
    fn split(&self, fused: Tensor<2>, order: QkvLayout) -> [Tensor<2>; 3] {
        let AttentionShape { heads, kv_heads, head_dim, .. } = self.attention;
        let (q, kv) = (heads * head_dim, kv_heads * head_dim);
        match order {
            QkvLayout::PerHead => {
                let tokens = fused.dims()[0];
                let fused = fused.reshape([tokens, heads, 3, head_dim]);
                [0, 1, 2]
                    .map(|part| fused.clone().slice_dim(2, part..part + 1).reshape([tokens, q]))
            }
            QkvLayout::Separate | QkvLayout::Concatenated => [
                fused.clone().slice_dim(1, 0..q),
                fused.clone().slice_dim(1, q..q + kv),
                fused.slice_dim(1, q + kv..q + 2 * kv),
            ],
        }
    }

    /// Puts gradients back into the order of a fused projection.
    fn join(&self, q: Tensor<2>, k: Tensor<2>, v: Tensor<2>, order: QkvLayout) -> Tensor<2> {
        let AttentionShape { heads, head_dim, .. } = self.attention;
        match order {
            QkvLayout::PerHead => {
                let tokens = q.dims()[0];
                let parts = [q, k, v].map(|part| part.reshape([tokens, heads, 1, head_dim]));
                Tensor::cat(parts.to_vec(), 2).reshape([tokens, 3 * heads * head_dim])
            }
            QkvLayout::Separate | QkvLayout::Concatenated => Tensor::cat(vec![q, k, v], 1),
        }
    }
}

fn normed(norm: &Option<Norm>, x: Tensor<2>) -> Tensor<2> {
    match norm {
        Some(norm) => norm.forward(x),
        None => x,
    }
}

/// Applies a function of `[tokens · heads, head_dim]` to `[tokens, heads · head_dim]`.
fn per_head(
    x: Tensor<2>,
    head_dim: usize,
    apply: impl FnOnce(Tensor<2>) -> Tensor<2>,
) -> Tensor<2> {
    let [tokens, width] = x.dims();
    apply(x.reshape([tokens * width / head_dim, head_dim])).reshape([tokens, width])
}

fn per_head_backward(
    norm: &Norm,
    x: Tensor<2>,
    grad: Tensor<2>,
    head_dim: usize,
    trainable: Trainable,
    grads: &mut Gradients,
) -> Tensor<2> {
    let [tokens, width] = x.dims();
    let rows = [tokens * width / head_dim, head_dim];
    norm.backward(x.reshape(rows), grad.reshape(rows), trainable, grads).reshape([tokens, width])
}
