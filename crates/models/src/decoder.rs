//! A decoder-only language model: embeddings, layers, final norm, head.

mod build;
mod heads;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

pub use heads::{SCORE, SCORE_WITH_ADAPTERS, ScoreTargets, Targets};

use crate::block::{Block, Pass, Saved};
use crate::host::{HostTensor, from_vec, is_host};
use crate::ops::{Gradients, Layout, Linear, Norm, Trainable};
use crate::rope::RopeTable;
use crate::spec::Spec;

/// A model in memory.
#[derive(Debug, Clone)]
pub struct Decoder {
    /// What it looks like.
    pub spec: Spec,
    /// Token embeddings `[vocab, hidden]`.
    pub embed: Tensor<2>,
    /// Learnt positions `[context, hidden]`.
    pub positions: Option<Tensor<2>>,
    /// Layers.
    pub blocks: Vec<Block>,
    /// Before the head.
    pub final_norm: Norm,
    /// Output head `[vocab, hidden]`; `None` when tied to the embeddings.
    pub head: Option<Tensor<2>>,
    /// Score head `[1, hidden]` over the final norm's output: a reward model's reward, or the values
    /// of PPO (transformers' `score` of `…ForSequenceClassification` with one label).
    pub score: Option<Tensor<2>>,
}

/// A parameter to be read or replaced, by rank.
pub enum ParameterMut<'a> {
    /// Norm weights, biases, magnitudes.
    Vector(&'a mut Tensor<1>),
    /// Everything else.
    Matrix(&'a mut Tensor<2>),
}

/// Whether layers keep what the backward pass reads, or run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activations {
    /// Kept: fastest.
    Kept,
    /// Only each layer's input is kept and the layer is run again when its turn comes (Chen et
    /// al. 2016): about one block's activations instead of all.
    Recomputed,
}

/// A forward pass that a backward pass can follow.
pub struct Trace {
    ids: Vec<u32>,
    layout: Layout,
    ropes: Vec<RopeTable>,
    dropout_seed: Option<u64>,
    inputs: Vec<Tensor<2>>,
    saved: Vec<Option<Saved>>,
    last: Tensor<2>,
}

impl Decoder {
    /// The device that the weights are on.
    pub fn device(&self) -> Device {
        self.embed.device()
    }

    /// Every linear layer that can carry an adapter.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.blocks.iter().flat_map(Block::linears)
    }

    /// The same, to be changed.
    pub fn linears_mut(&mut self) -> impl Iterator<Item = &mut Linear> {
        self.blocks.iter_mut().flat_map(Block::linears_mut)
    }

    /// Turns all adapters on or off: off, the model is its own base model.
    pub fn set_adapters(&mut self, on: bool) {
        self.linears_mut().for_each(|linear| linear.adapter_on = on);
    }

    /// Visits what is trained, by the names that gradients have.
    pub fn visit_trained(
        &mut self,
        trainable: Trainable,
        visit: &mut dyn FnMut(&str, ParameterMut),
    ) {
        if trainable == Trainable::Adapters {
            for linear in self.linears_mut() {
                let names = ["lora_A", "lora_B", "lora_magnitude_vector"]
                    .map(|part| linear.adapter_parameter(part));
                if let Some(adapter) = &mut linear.adapter {
                    visit(&names[0], ParameterMut::Matrix(&mut adapter.a));
                    visit(&names[1], ParameterMut::Matrix(&mut adapter.b));
                    if let Some(magnitude) = &mut adapter.magnitude {
                        visit(&names[2], ParameterMut::Vector(magnitude));
                    }
                }
            }
            if let Some(score) = &mut self.score {
                visit(SCORE_WITH_ADAPTERS, ParameterMut::Matrix(score));
            }
            return;
        }
        let names = self.spec.names;
        let weight = |module: &str| format!("{module}.weight");
        visit(&weight(names.embed), ParameterMut::Matrix(&mut self.embed));
        if let Some(positions) = &mut self.positions {
            visit(&weight(names.positions), ParameterMut::Matrix(positions));
        }
        for block in &mut self.blocks {
            for norm in block.norms_mut() {
                visit_norm(norm, visit);
            }
            for linear in block.linears_mut() {
                visit(&weight(&linear.name), ParameterMut::Matrix(&mut linear.weight));
                if let Some(bias) = &mut linear.bias {
                    visit(&format!("{}.bias", linear.name), ParameterMut::Vector(bias));
                }
            }
        }
        visit_norm(&mut self.final_norm, visit);
        if let Some(head) = &mut self.head {
            visit(&weight(names.head), ParameterMut::Matrix(head));
        }
        if let Some(score) = &mut self.score {
            visit(SCORE, ParameterMut::Matrix(score));
        }
    }

    /// Rotary tables for a batch's positions.
    pub fn rope_tables(&self, positions: &[u32]) -> Vec<RopeTable> {
        self.spec.ropes.iter().map(|rope| rope.table(positions)).collect()
    }

    /// Embeddings of tokens, `[tokens, hidden]`.
    pub fn embed_tokens(&self, ids: &[u32], positions: &[u32]) -> Tensor<2> {
        let mut x = select_rows(&self.embed, ids);
        if let Some(scale) = self.spec.embedding_scale {
            x = x * scale;
        }
        match &self.positions {
            Some(table) => x + select_rows(table, positions),
            None => x,
        }
    }

    /// Hidden states after the last layer, before the final norm, `[tokens, hidden]`.
    pub fn hidden(&self, ids: &[u32], layout: &Layout) -> Tensor<2> {
        let ropes = self.rope_tables(&layout.positions);
        let pass = Pass { layout, ropes: &ropes, dropout_seed: None };
        let x = self.embed_tokens(ids, &layout.positions);
        self.blocks.iter().fold(x, |x, block| block.forward(x, &pass))
    }

    /// Forward pass that [`Self::backward`] can follow.
    pub fn forward(
        &self,
        ids: &[u32],
        layout: &Layout,
        activations: Activations,
        dropout_seed: Option<u64>,
    ) -> Trace {
        let ropes = self.rope_tables(&layout.positions);
        let pass = Pass { layout, ropes: &ropes, dropout_seed };
        let mut x = self.embed_tokens(ids, &layout.positions);
        let (mut inputs, mut saved) = (Vec::new(), Vec::new());
        for block in &self.blocks {
            inputs.push(x.clone());
            x = match activations {
                Activations::Kept => {
                    let (output, kept) = block.forward_saving(x, &pass);
                    saved.push(Some(kept));
                    output
                }
                Activations::Recomputed => {
                    saved.push(None);
                    block.forward(x, &pass)
                }
            };
        }
        Trace {
            ids: ids.to_vec(),
            layout: layout.clone(),
            ropes,
            dropout_seed,
            inputs,
            saved,
            last: x,
        }
    }

    /// Takes the gradient of the last layer's output back to the embeddings.
    fn backward_from(
        &self,
        trace: Trace,
        mut grad: Tensor<2>,
        trainable: Trainable,
        grads: &mut Gradients,
    ) {
        let Trace { ids, layout, ropes, dropout_seed, inputs, saved, .. } = trace;
        let pass = Pass { layout: &layout, ropes: &ropes, dropout_seed };
        for ((block, x), saved) in self.blocks.iter().zip(inputs).zip(saved).rev() {
            let saved = match saved {
                Some(saved) => saved,
                None => block.forward_saving(x.clone(), &pass).1,
            };
            grad = block.backward(x, saved, grad, &pass, trainable, grads);
        }
        if trainable == Trainable::Everything {
            self.embedding_gradient(grad, &ids, &layout, grads);
        }
    }

    fn embedding_gradient(
        &self,
        grad: Tensor<2>,
        ids: &[u32],
        layout: &Layout,
        grads: &mut Gradients,
    ) {
        let names = self.spec.names;
        if let Some(positions) = &self.positions {
            let rows = positions.dims()[0];
            let gradient = scatter_rows(grad.clone(), &layout.positions, rows);
            grads.add(&format!("{}.weight", names.positions), gradient);
        }
        let grad = match self.spec.embedding_scale {
            Some(scale) => grad * scale,
            None => grad,
        };
        let gradient = scatter_rows(grad, ids, self.spec.vocab_size);
        grads.add(&format!("{}.weight", names.embed), gradient);
    }
}

fn visit_norm(norm: &mut Norm, visit: &mut dyn FnMut(&str, ParameterMut)) {
    visit(&format!("{}.weight", norm.name), ParameterMut::Vector(&mut norm.weight));
    if let Some(bias) = &mut norm.bias {
        visit(&format!("{}.bias", norm.name), ParameterMut::Vector(bias));
    }
}

fn indices(rows: &[u32], device: &Device) -> Tensor<1, Int> {
    let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    let count = rows.len();
    Tensor::from_data(TensorData::new(rows, [count]), device)
}

/// Rows of a matrix, in the order asked for.
pub(crate) fn select_rows(matrix: &Tensor<2>, rows: &[u32]) -> Tensor<2> {
    let (device, [_, width]) = (matrix.device(), matrix.dims());
    if !is_host(&device) {
        return matrix.clone().select(0, indices(rows, &device));
    }
    let source = HostTensor::new(matrix.clone());
    let source = source.slice();
    let mut out = Vec::with_capacity(rows.len() * width);
    for row in rows {
        out.extend_from_slice(&source[*row as usize * width..][..width]);
    }
    from_vec(out, [rows.len(), width], &device)
}

/// Adds each row of `values` to the given row of a zero matrix `[count, width]`.
fn scatter_rows(values: Tensor<2>, rows: &[u32], count: usize) -> Tensor<2> {
    let (device, [_, width]) = (values.device(), values.dims());
    if !is_host(&device) {
        let zeros = Tensor::zeros([count, width], &device);
        return zeros.select_assign(0, indices(rows, &device), values, IndexingUpdateOp::Add);
    }
    let values = HostTensor::new(values);
    let mut out = vec![0.0; count * width];
    for (row, values) in rows.iter().zip(values.slice().chunks(width)) {
        let target = &mut out[*row as usize * width..][..width];
        target.iter_mut().zip(values).for_each(|(out, value)| *out += value);
    }
    from_vec(out, [count, width], &device)
}
