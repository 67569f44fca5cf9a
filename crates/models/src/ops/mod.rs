//! The operations of a decoder, each with its forward and its backward pass.
//!
//! Gradients are written out by hand instead of recorded: a block then keeps exactly the
//! tensors that its backward pass reads, nothing is kept for frozen weights, and a block can
//! be run again from its input when memory is short. Every formula is held against the
//! reference stack's gradients in `tests/`.
//!
//! Tensors are `[tokens, width]`, float32, without a batch dimension: sequences stand one
//! after the other and [`Layout`] says where each begins.

mod activation;
pub mod attention;
mod attention_host;
mod attention_tensor;
mod few_rows;
pub mod gemm;
mod linear;
mod loss;
mod norm;
mod rotate;
pub mod simd;

use std::collections::BTreeMap;
use std::ops::Range;

use burn::tensor::Tensor;

pub use activation::{gated, gated_backward, plain, plain_backward};
pub use linear::{Adapter, Linear};
pub use loss::{TokenLoss, token_losses, token_losses_with_gradient};
pub use norm::Norm;
pub use rotate::rotate;

/// Which weights a backward pass computes gradients for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trainable {
    /// Adapters only.
    Adapters,
    /// Every weight of the model.
    Everything,
}

/// Where the sequences of a batch stand, and the position of each token in its own.
///
/// Sequences that begin with the same tokens can stand in one segment, so that these are computed
/// once: the first in full, of each other one the rest. A rest begins where the position jumps back
/// to the number of tokens that it shares; it sees these and itself, but no other rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Segments, one after the other, covering all tokens.
    pub segments: Vec<Range<usize>>,
    /// Position of each token in its sequence.
    pub positions: Vec<u32>,
}

/// Tokens of a segment that follow each other in their sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Branch {
    /// Where they stand in the batch.
    pub rows: Range<usize>,
    /// How many of the segment's first tokens stand before them in their sequence.
    pub shared: usize,
}

impl Layout {
    /// Sequences of the given lengths, positions from 0.
    pub fn packed(lengths: impl IntoIterator<Item = usize>) -> Self {
        let mut layout = Self { segments: Vec::new(), positions: Vec::new() };
        for length in lengths {
            let start = layout.positions.len();
            layout.segments.push(start..start + length);
            layout.positions.extend(0..length as u32);
        }
        layout
    }

    /// Tokens in all.
    pub fn tokens(&self) -> usize {
        self.positions.len()
    }

    /// What a segment consists of: one branch, or the first sequence and the rests of others.
    pub(crate) fn branches(&self, segment: &Range<usize>) -> Vec<Branch> {
        let mut branches = vec![Branch { rows: segment.start..segment.end, shared: 0 }];
        for row in segment.start + 1..segment.end {
            if self.positions[row] != self.positions[row - 1] + 1 {
                if let Some(before) = branches.last_mut() {
                    before.rows.end = row;
                }
                let shared = (self.positions[row] - self.positions[segment.start]) as usize;
                branches.push(Branch { rows: row..segment.end, shared });
            }
        }
        branches
    }
}

/// Gradients of parameters by name, each as a flat vector in the parameter's storage order.
#[derive(Debug, Default)]
pub struct Gradients {
    flat: BTreeMap<String, Tensor<1>>,
}

impl Gradients {
    /// Adds to what is there.
    pub fn add<const D: usize>(&mut self, name: &str, gradient: Tensor<D>) {
        let numbers = gradient.shape().num_elements();
        let gradient: Tensor<1> = gradient.reshape([numbers]);
        match self.flat.remove(name) {
            Some(sum) => self.flat.insert(name.to_owned(), sum + gradient),
            None => self.flat.insert(name.to_owned(), gradient),
        };
    }

    /// The gradient of a parameter.
    pub fn get(&self, name: &str) -> Option<&Tensor<1>> {
        self.flat.get(name)
    }

    /// Takes a gradient out.
    pub fn take(&mut self, name: &str) -> Option<Tensor<1>> {
        self.flat.remove(name)
    }

    /// Every gradient in the order of names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Tensor<1>)> {
        self.flat.iter().map(|(name, gradient)| (name.as_str(), gradient))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.flat.is_empty()
    }
}
