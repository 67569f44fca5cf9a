//! A linear layer, and the low-rank adapter that it may carry.

use burn::tensor::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Gradients, Trainable, few_rows};
use crate::host::from_vec;
use crate::spec::WeightLayout;

/// A low-rank update of a linear layer (LoRA, Hu et al. 2021): `y += scale · B(A(x))`.
#[derive(Debug, Clone)]
pub struct Adapter {
    /// `lora_A.weight`, `[r, in]`.
    pub a: Tensor<2>,
    /// `lora_B.weight`, `[out, r]`.
    pub b: Tensor<2>,
    /// `alpha / r`, or `alpha / sqrt(r)` for rsLoRA (Kalajdzievski 2023).
    pub scale: f32,
    /// Probability that an input of the update is dropped while training.
    pub dropout: f64,
    /// `lora_magnitude_vector`, `[out]`, for DoRA (Liu et al. 2024).
    pub magnitude: Option<Tensor<1>>,
}

/// `y = x Wᵀ + bias`, plus an adapter.
#[derive(Debug, Clone)]
pub struct Linear {
    /// Module path, as adapters and exports name it.
    pub name: String,
    /// `[out, in]` or `[in, out]`, as the checkpoint stores it.
    pub weight: Tensor<2>,
    /// Which of the two.
    pub layout: WeightLayout,
    /// `[out]`.
    pub bias: Option<Tensor<1>>,
    /// The update, if the layer has one.
    pub adapter: Option<Adapter>,
    /// Whether the update counts: off, the layer is the base model's.
    pub adapter_on: bool,
}

impl Linear {
    /// The weight as `[out, in]`, a view.
    pub fn matrix(&self) -> Tensor<2> {
        match self.layout {
            WeightLayout::OutIn => self.weight.clone(),
            WeightLayout::InOut => self.weight.clone().transpose(),
        }
    }

    fn active(&self) -> Option<&Adapter> {
        self.adapter.as_ref().filter(|_| self.adapter_on)
    }

    /// `[tokens, in]` to `[tokens, out]`. With a `dropout_seed`, the adapter's dropout is on;
    /// the same seed gives the same mask.
    pub fn forward(&self, x: &Tensor<2>, dropout_seed: Option<u64>) -> Tensor<2> {
        let transposed = self.matrix().transpose();
        let few = match self.layout {
            WeightLayout::OutIn => few_rows::product(x, &self.weight),
            WeightLayout::InOut => None,
        };
        let product = few.unwrap_or_else(|| x.clone().matmul(transposed.clone()));
        let y = match self.active() {
            None => product,
            Some(adapter) => {
                let mask = self.dropout_mask(adapter, x, dropout_seed);
                let dropped = apply(x, &mask);
                let low = dropped.clone().matmul(adapter.a.clone().transpose()) * adapter.scale;
                let update = low.matmul(adapter.b.clone().transpose());
                match &adapter.magnitude {
                    None => product + update,
                    Some(magnitude) => {
                        let factor = self.magnitude_factor(adapter, magnitude).unsqueeze::<2>();
                        let direction = match mask {
                            None => product.clone(),
                            Some(_) => dropped.matmul(transposed),
                        };
                        product + direction * (factor.clone() - 1.0) + update * factor
                    }
                }
            }
        };
        match &self.bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        }
    }

    /// Gradient with respect to `x`; gradients of what is trained are added to `grads`.
    pub fn backward(
        &self,
        x: &Tensor<2>,
        grad: Tensor<2>,
        trainable: Trainable,
        dropout_seed: Option<u64>,
        grads: &mut Gradients,
    ) -> Tensor<2> {
        if trainable == Trainable::Everything {
            let [_, out] = grad.dims();
            let weight = match self.layout {
                WeightLayout::OutIn => grad.clone().transpose().matmul(x.clone()),
                WeightLayout::InOut => x.clone().transpose().matmul(grad.clone()),
            };
            grads.add(&format!("{}.weight", self.name), weight);
            if self.bias.is_some() {
                let bias: Tensor<1> = grad.clone().sum_dim(0).reshape([out]);
                grads.add(&format!("{}.bias", self.name), bias);
            }
        }
        let Some(adapter) = self.active() else {
            return grad.matmul(self.matrix());
        };

        let mask = self.dropout_mask(adapter, x, dropout_seed);
        let dropped = apply(x, &mask);
        let low = dropped.clone().matmul(adapter.a.clone().transpose()) * adapter.scale;
        let (grad_update, grad_base, grad_direction) = match &adapter.magnitude {
            None => (grad.clone(), grad, None),
            Some(magnitude) => {
                let factor = self.magnitude_factor(adapter, magnitude);
                let [out] = factor.dims();
                let direction = dropped.clone().matmul(self.matrix().transpose());
                let update = low.clone().matmul(adapter.b.clone().transpose());
                let along: Tensor<1> =
                    (grad.clone() * (direction + update)).sum_dim(0).reshape([out]);
                // The weight norm is a constant here (Liu et al. 2024, section 4.3).
                let norm = magnitude.clone() / factor.clone();
                grads.add(&self.adapter_parameter("lora_magnitude_vector"), along / norm);
                let factor = factor.unsqueeze::<2>();
                let scaled = grad.clone() * factor.clone();
                match mask {
                    None => (scaled.clone(), scaled, None),
                    Some(_) => (scaled, grad.clone(), Some(grad * (factor - 1.0))),
                }
            }
        };
        let grad_low = grad_update.clone().matmul(adapter.b.clone()) * adapter.scale;
        grads.add(&self.adapter_parameter("lora_B"), grad_update.transpose().matmul(low));
        grads.add(&self.adapter_parameter("lora_A"), grad_low.clone().transpose().matmul(dropped));
        let mut grad_dropped = grad_low.matmul(adapter.a.clone());
        if let Some(direction) = grad_direction {
            grad_dropped = grad_dropped + direction.matmul(self.matrix());
        }
        grad_base.matmul(self.matrix()) + apply(&grad_dropped, &mask)
    }

    /// Name of an adapter's parameter in the vocabulary of PEFT.
    pub fn adapter_parameter(&self, part: &str) -> String {
        match part {
            "lora_magnitude_vector" => format!("base_model.model.{}.{part}", self.name),
            _ => format!("base_model.model.{}.{part}.weight", self.name),
        }
    }

    /// The weight with the update merged in, in the layer's own layout.
    pub fn merged(&self) -> Tensor<2> {
        let Some(adapter) = self.active() else {
            return self.weight.clone();
        };
        let update = adapter.b.clone().matmul(adapter.a.clone()) * adapter.scale;
        let sum = self.matrix() + update;
        let merged = match &adapter.magnitude {
            None => sum,
            Some(magnitude) => {
                sum * self.magnitude_factor(adapter, magnitude).unsqueeze_dim::<2>(1)
            }
        };
        match self.layout {
            WeightLayout::OutIn => merged,
            WeightLayout::InOut => merged.transpose(),
        }
    }

    /// L2 norm of each row of `W + scale · BA`, `[out]` (what DoRA divides by).
    pub fn updated_row_norms(&self, adapter: &Adapter) -> Tensor<1> {
        let update = adapter.b.clone().matmul(adapter.a.clone()) * adapter.scale;
        let [out, _] = update.dims();
        (self.matrix() + update).square().sum_dim(1).sqrt().reshape([out])
    }

    fn magnitude_factor(&self, adapter: &Adapter, magnitude: &Tensor<1>) -> Tensor<1> {
        magnitude.clone() / self.updated_row_norms(adapter)
    }

    fn dropout_mask(
        &self,
        adapter: &Adapter,
        x: &Tensor<2>,
        seed: Option<u64>,
    ) -> Option<Tensor<2>> {
        let seed = seed.filter(|_| adapter.dropout > 0.0)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ fnv1a(&self.name));
        let threshold = (adapter.dropout * f64::from(u32::MAX)) as u32;
        let kept = (1.0 / (1.0 - adapter.dropout)) as f32;
        let shape = x.dims();
        let mask = (0..shape[0] * shape[1])
            .map(|_| if random.next_u32() < threshold { 0.0 } else { kept })
            .collect();
        Some(from_vec(mask, shape, &x.device()))
    }
}

fn apply(x: &Tensor<2>, mask: &Option<Tensor<2>>) -> Tensor<2> {
    match mask {
        Some(mask) => x.clone() * mask.clone(),
        None => x.clone(),
    }
}

/// FNV-1a, to give each layer a mask of its own.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
