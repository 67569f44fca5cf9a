//! AdamW and gradient clipping.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor};
use rayon::prelude::*;
use sanbao_models::host::{HostTensor, from_vec, is_host, to_vec};
use sanbao_models::{Decoder, Gradients, ParameterMut, Trainable};
use serde::{Deserialize, Serialize};

use crate::Error;

/// AdamW's settings (Loshchilov & Hutter 2019), in the names of `torch.optim.AdamW`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdamWSettings {
    /// Decay of the mean gradient.
    pub beta1: f64,
    /// Decay of the mean squared gradient.
    pub beta2: f64,
    /// Added to the root of the mean square.
    pub eps: f64,
    /// Decoupled weight decay; applied to every parameter but norms and biases.
    pub weight_decay: f64,
}

impl Default for AdamWSettings {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

/// Running means of a parameter's gradient and squared gradient, flat.
#[derive(Debug, Clone)]
pub struct Moments {
    /// `exp_avg`.
    pub mean: Tensor<1>,
    /// `exp_avg_sq`.
    pub square: Tensor<1>,
}

/// The optimizer and its state.
#[derive(Debug, Clone)]
pub struct AdamW {
    /// Settings.
    pub settings: AdamWSettings,
    /// State by parameter name.
    pub moments: BTreeMap<String, Moments>,
    /// Steps taken.
    pub steps: u64,
}

/// The factors of one step, in the precision that the reference computes them in.
#[derive(Clone, Copy)]
struct Factors {
    clip: f32,
    beta1: f32,
    beta2: f32,
    keep: f32,
    step_size: f32,
    root_correction: f32,
    eps: f32,
}

impl AdamW {
    /// An optimizer that has not stepped yet.
    pub fn new(settings: AdamWSettings) -> Self {
        Self { settings, moments: BTreeMap::new(), steps: 0 }
    }

    /// One step on everything that has a gradient. Gradients are multiplied by `clip` first.
    pub fn step(
        &mut self,
        model: &mut Decoder,
        trainable: Trainable,
        grads: &mut Gradients,
        learning_rate: f64,
        clip: f64,
    ) {
        self.steps += 1;
        let AdamWSettings { beta1, beta2, eps, weight_decay } = self.settings;
        let steps = self.steps as i32;
        let correction1 = 1.0 - beta1.powi(steps);
        let correction2 = 1.0 - beta2.powi(steps);
        let factors = |decays: bool| Factors {
            clip: clip as f32,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            keep: if decays { (1.0 - learning_rate * weight_decay) as f32 } else { 1.0 },
            step_size: (learning_rate / correction1) as f32,
            root_correction: correction2.sqrt() as f32,
            eps: eps as f32,
        };
        let moments = &mut self.moments;
        model.visit_trained(trainable, &mut |name, parameter| {
            let Some(gradient) = grads.take(name) else { return };
            match parameter {
                ParameterMut::Vector(tensor) => {
                    // Norms and biases are vectors; so are DoRA's magnitudes, which do decay.
                    let factors = factors(trainable == Trainable::Adapters);
                    *tensor = update(tensor.clone(), gradient, moments, name, factors);
                }
                ParameterMut::Matrix(tensor) => {
                    let shape = tensor.dims();
                    let flat = tensor.clone().reshape([shape[0] * shape[1]]);
                    *tensor = update(flat, gradient, moments, name, factors(true)).reshape(shape);
                }
            }
        });
    }
}

fn update(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    moments: &mut BTreeMap<String, Moments>,
    name: &str,
    factors: Factors,
) -> Tensor<1> {
    let device = parameter.device();
    let Moments { mean, square } = moments.remove(name).unwrap_or_else(|| {
        let zeros = Tensor::zeros(parameter.dims(), &device);
        Moments { mean: zeros.clone(), square: zeros }
    });
    let (parameter, state) = if is_host(&device) {
        update_host(parameter, gradient, mean, square, factors, &device)
    } else {
        update_tensor(parameter, gradient, mean, square, factors)
    };
    moments.insert(name.to_owned(), state);
    parameter
}

fn update_tensor(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    mean: Tensor<1>,
    square: Tensor<1>,
    f: Factors,
) -> (Tensor<1>, Moments) {
    let gradient = gradient * f.clip;
    let mean = mean * f.beta1 + gradient.clone() * (1.0 - f.beta1);
    let square = square * f.beta2 + gradient.square() * (1.0 - f.beta2);
    let root = square.clone().sqrt() / f.root_correction + f.eps;
    let parameter = parameter * f.keep - mean.clone() / root * f.step_size;
    (parameter, Moments { mean, square })
}

/// The same in one pass over memory.
fn update_host(
    parameter: Tensor<1>,
    gradient: Tensor<1>,
    mean: Tensor<1>,
    square: Tensor<1>,
    f: Factors,
    device: &Device,
) -> (Tensor<1>, Moments) {
    let count = parameter.dims()[0];
    let [p, g, m, v] = [parameter, gradient, mean, square].map(HostTensor::new);
    let (p, g, m, v) = (p.slice(), g.slice(), m.slice(), v.slice());
    let mut new_p = vec![0.0; count];
    let mut new_m = vec![0.0; count];
    let mut new_v = vec![0.0; count];
    const PART: usize = 1 << 14;
    new_p
        .par_chunks_mut(PART)
        .zip(new_m.par_chunks_mut(PART))
        .zip(new_v.par_chunks_mut(PART))
        .enumerate()
        .for_each(|(part, ((new_p, new_m), new_v))| {
            let start = part * PART;
            for i in 0..new_p.len() {
                let at = start + i;
                let gradient = g[at] * f.clip;
                let mean = m[at] * f.beta1 + gradient * (1.0 - f.beta1);
                let square = v[at] * f.beta2 + gradient * gradient * (1.0 - f.beta2);
                let root = square.sqrt() / f.root_correction + f.eps;
                new_p[i] = p[at] * f.keep - mean / root * f.step_size;
                new_m[i] = mean;
                new_v[i] = square;
            }
        });
    let tensor = |values| from_vec(values, [count], device);
    (tensor(new_p), Moments { mean: tensor(new_m), square: tensor(new_v) })
}

/// L2 norm of all gradients together, as `torch.nn.utils.clip_grad_norm_` measures it.
///
/// # Errors
/// When the device does not deliver.
pub fn gradient_norm(grads: &Gradients) -> Result<f64, Error> {
    let squares: Vec<Tensor<1>> =
        grads.iter().map(|(_, gradient)| gradient.clone().square().sum()).collect();
    if squares.is_empty() {
        return Ok(0.0);
    }
    let squares = to_vec(Tensor::cat(squares, 0))?;
    Ok(squares.into_iter().map(f64::from).sum::<f64>().sqrt())
}

/// Factor that brings a norm down to `max_norm`; 1 when it is below.
pub fn clip_factor(norm: f64, max_norm: f64) -> f64 {
    (max_norm / (norm + 1e-6)).min(1.0)
}
