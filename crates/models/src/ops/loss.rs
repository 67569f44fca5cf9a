//! The output head and the negative log-likelihood of tokens, in chunks, so that the logits of
//! a whole batch (tokens × vocabulary) never exist.

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData, activation};
use rayon::prelude::*;

use super::{Gradients, few_rows, simd};
use crate::error::Error;
use crate::host::{HostTensor, from_vec, is_host, map_rows, to_vec};

/// Rows of logits that exist at once.
const CHUNK: usize = 256;

/// The output head as the loss needs it.
#[derive(Clone)]
pub struct TokenLoss<'a> {
    /// `[vocab, hidden]`.
    pub head: &'a Tensor<2>,
    /// `cap · tanh(logit / cap)`.
    pub softcap: Option<f32>,
    /// Name under which the head's gradient is added, when it is trained.
    pub trained_as: Option<&'a str>,
}

impl TokenLoss<'_> {
    /// Logits `[rows, vocab]` of hidden states `[rows, hidden]`.
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        let logits = few_rows::product(&hidden, self.head)
            .unwrap_or_else(|| hidden.matmul(self.head.clone().transpose()));
        match self.softcap {
            Some(cap) => (logits / cap).tanh() * cap,
            None => logits,
        }
    }
}

/// Negative log-likelihood (nats) of `targets[i]` given hidden state `i`; `hidden` is
/// `[targets, hidden]`, after the final norm.
///
/// # Errors
/// When the device does not deliver.
pub fn token_losses(
    loss: &TokenLoss,
    hidden: Tensor<2>,
    targets: &[u32],
) -> Result<Vec<f32>, Error> {
    let mut losses = Vec::with_capacity(targets.len());
    for (start, targets) in chunks(targets) {
        let logits = loss.logits(hidden.clone().slice_dim(0, start..start + targets.len()));
        losses.extend(chunk_losses(&logits, targets)?.into_iter().map(|(loss, _)| loss));
    }
    Ok(losses)
}

/// The same, and the gradient of `Σ weights[i] · loss[i]` with respect to `hidden`. The head's
/// own gradient goes to `grads` when it is trained.
///
/// # Errors
/// When the device does not deliver.
pub fn token_losses_with_gradient(
    loss: &TokenLoss,
    hidden: Tensor<2>,
    targets: &[u32],
    weights: &[f32],
    grads: &mut Gradients,
) -> Result<(Vec<f32>, Tensor<2>), Error> {
    let device = hidden.device();
    let mut losses = Vec::with_capacity(targets.len());
    let mut parts = Vec::new();
    for (start, targets) in chunks(targets) {
        let part = hidden.clone().slice_dim(0, start..start + targets.len());
        let weights = &weights[start..start + targets.len()];
        let logits = loss.logits(part.clone());
        let found = chunk_losses(&logits, targets)?;
        let grad = if is_host(&device) {
            host_gradient(loss, logits, targets, weights, &found)
        } else {
            tensor_gradient(loss, logits, targets, weights, &device)
        };
        losses.extend(found.into_iter().map(|(loss, _)| loss));
        if let Some(name) = loss.trained_as {
            grads.add(name, grad.clone().transpose().matmul(part));
        }
        parts.push(grad.matmul(loss.head.clone()));
    }
    let grad = if parts.is_empty() { hidden.zeros_like() } else { Tensor::cat(parts, 0) };
    Ok((losses, grad))
}

fn chunks(targets: &[u32]) -> impl Iterator<Item = (usize, &[u32])> {
    targets.chunks(CHUNK).enumerate().map(|(index, chunk)| (index * CHUNK, chunk))
}

/// `(loss, log of the sum of exponentiated logits)` of each row.
fn chunk_losses(logits: &Tensor<2>, targets: &[u32]) -> Result<Vec<(f32, f32)>, Error> {
    let [rows, vocab] = logits.dims();
    if is_host(&logits.device()) {
        let logits = HostTensor::new(logits.clone());
        let logits = logits.slice();
        let arch = pulp::Arch::new();
        return Ok((0..rows)
            .into_par_iter()
            .map(|row| {
                let values = &logits[row * vocab..][..vocab];
                let log_sum = arch.dispatch(|| {
                    let top = simd::max(values);
                    let mut sum = 0.0_f64;
                    for values in values.chunks(1024) {
                        let mut part = [0.0_f32; 1024];
                        for (part, value) in part.iter_mut().zip(values) {
                            *part = simd::exp(value - top);
                        }
                        sum += f64::from(simd::sum(&part[..values.len()]));
                    }
                    top + sum.ln() as f32
                });
                (log_sum - values[targets[row] as usize], log_sum)
            })
            .collect());
    }
    let log_probabilities = activation::log_softmax(logits.clone(), 1);
    let picked = log_probabilities.gather(1, target_column(targets, &logits.device()));
    Ok(to_vec(picked)?.into_iter().map(|value| (-value, 0.0)).collect())
}

fn target_column(targets: &[u32], device: &Device) -> Tensor<2, Int> {
    let targets: Vec<i32> = targets.iter().map(|target| *target as i32).collect();
    let rows = targets.len();
    Tensor::from_data(TensorData::new(targets, [rows, 1]), device)
}

/// `weight · (softmax − one-hot)`, bent by the soft cap.
fn host_gradient(
    loss: &TokenLoss,
    logits: Tensor<2>,
    targets: &[u32],
    weights: &[f32],
    found: &[(f32, f32)],
) -> Tensor<2> {
    let (device, [rows, vocab]) = (logits.device(), logits.dims());
    let logits = HostTensor::new(logits);
    let logits = logits.slice();
    let grad = map_rows(rows, vocab, |row, out| {
        let values = &logits[row * vocab..][..vocab];
        let (weight, log_sum) = (weights[row], found[row].1);
        for (out, value) in out.iter_mut().zip(values) {
            *out = weight * simd::exp(value - log_sum);
        }
        out[targets[row] as usize] -= weight;
        if let Some(cap) = loss.softcap {
            for (out, value) in out.iter_mut().zip(values) {
                *out *= 1.0 - (value / cap) * (value / cap);
            }
        }
    });
    from_vec(grad, [rows, vocab], &device)
}

fn tensor_gradient(
    loss: &TokenLoss,
    logits: Tensor<2>,
    targets: &[u32],
    weights: &[f32],
    device: &Device,
) -> Tensor<2> {
    let rows = targets.len();
    let weights: Tensor<2> = from_vec(weights.to_vec(), [rows, 1], device);
    let softmax = activation::softmax(logits.clone(), 1) * weights.clone();
    let grad = softmax.scatter(1, target_column(targets, device), -weights, IndexingUpdateOp::Add);
    match loss.softcap {
        Some(cap) => grad * (-(logits / cap).square() + 1.0),
        None => grad,
    }
}
