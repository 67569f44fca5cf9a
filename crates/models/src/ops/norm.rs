//! Root-mean-square and layer normalisation.

use burn::tensor::Tensor;

use super::{Gradients, Trainable, simd};
use crate::host::{HostTensor, from_vec, is_host, map_rows};
use crate::spec::NormKind;

/// A normalisation over the last dimension.
#[derive(Debug, Clone)]
pub struct Norm {
    /// Module path.
    pub name: String,
    /// Which one.
    pub kind: NormKind,
    /// `[width]`.
    pub weight: Tensor<1>,
    /// `[width]`, layer normalisation only.
    pub bias: Option<Tensor<1>>,
}

/// What each row is centred by and divided by.
struct Row {
    mean: f32,
    scale: f32,
}

#[inline(always)]
fn row_statistics(kind: NormKind, x: &[f32]) -> Row {
    let width = x.len() as f32;
    match kind {
        NormKind::Rms { eps } | NormKind::RmsPlusOne { eps } => {
            Row { mean: 0.0, scale: 1.0 / (simd::dot(x, x) / width + eps as f32).sqrt() }
        }
        NormKind::Layer { eps } => {
            let mean = simd::sum(x) / width;
            let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / width;
            Row { mean, scale: 1.0 / (variance + eps as f32).sqrt() }
        }
    }
}

impl Norm {
    /// The factor on the normalised value: `w`, or `1 + w`.
    fn factor(&self) -> Tensor<1> {
        match self.kind {
            NormKind::RmsPlusOne { .. } => self.weight.clone() + 1.0,
            _ => self.weight.clone(),
        }
    }

    /// `[rows, width]` to the same.
    pub fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let device = x.device();
        if !is_host(&device) {
            let y = self.normalised(&x).0 * self.factor().unsqueeze();
            return match &self.bias {
                Some(bias) => y + bias.clone().unsqueeze(),
                None => y,
            };
        }
        let [rows, width] = x.dims();
        let (x, factor) = (HostTensor::new(x), HostTensor::new(self.factor()));
        let bias = self.bias.clone().map(HostTensor::new);
        let (x, factor, bias) = (x.slice(), factor.slice(), bias.as_ref().map(HostTensor::slice));
        let out = map_rows(rows, width, |index, out| {
            let x = &x[index * width..][..width];
            let row = row_statistics(self.kind, x);
            for ((out, x), factor) in out.iter_mut().zip(x).zip(factor) {
                *out = (x - row.mean) * row.scale * factor;
            }
            if let Some(bias) = bias {
                out.iter_mut().zip(bias).for_each(|(out, bias)| *out += bias);
            }
        });
        from_vec(out, [rows, width], &device)
    }

    /// Gradient with respect to the input; parameter gradients are added to `grads` when every
    /// weight is trained.
    pub fn backward(
        &self,
        x: Tensor<2>,
        grad: Tensor<2>,
        trainable: Trainable,
        grads: &mut Gradients,
    ) -> Tensor<2> {
        if trainable == Trainable::Everything {
            let (normalised, _) = self.normalised(&x);
            let width = x.dims()[1];
            let sum = |t: Tensor<2>| -> Tensor<1> { t.sum_dim(0).reshape([width]) };
            grads.add(&format!("{}.weight", self.name), sum(grad.clone() * normalised));
            if self.bias.is_some() {
                grads.add(&format!("{}.bias", self.name), sum(grad.clone()));
            }
        }
        let device = x.device();
        if !is_host(&device) {
            return self.input_gradient(x, grad);
        }
        let [rows, width] = x.dims();
        let (x, grad, factor) =
            (HostTensor::new(x), HostTensor::new(grad), HostTensor::new(self.factor()));
        let (x, grad, factor) = (x.slice(), grad.slice(), factor.slice());
        let centred = matches!(self.kind, NormKind::Layer { .. });
        let out = map_rows(rows, width, |index, out| {
            let x = &x[index * width..][..width];
            let grad = &grad[index * width..][..width];
            let row = row_statistics(self.kind, x);
            for ((out, grad), factor) in out.iter_mut().zip(grad).zip(factor) {
                *out = grad * factor;
            }
            let mean = if centred { simd::sum(out) / width as f32 } else { 0.0 };
            let mut along = simd::dot(out, x);
            if centred {
                along -= row.mean * simd::sum(out);
            }
            let along = along * row.scale * row.scale / width as f32;
            for (out, x) in out.iter_mut().zip(x) {
                *out = row.scale * (*out - mean - (x - row.mean) * along);
            }
        });
        from_vec(out, [rows, width], &device)
    }

    /// `(x̂, 1 / deviation)`.
    fn normalised(&self, x: &Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let (centred, eps) = match self.kind {
            NormKind::Rms { eps } | NormKind::RmsPlusOne { eps } => (x.clone(), eps),
            NormKind::Layer { eps } => (x.clone() - x.clone().mean_dim(1), eps),
        };
        let scale = (centred.clone().square().mean_dim(1) + eps).sqrt().recip();
        (centred * scale.clone(), scale)
    }

    fn input_gradient(&self, x: Tensor<2>, grad: Tensor<2>) -> Tensor<2> {
        let (normalised, scale) = self.normalised(&x);
        let grad = grad * self.factor().unsqueeze();
        let along = (grad.clone() * normalised.clone()).mean_dim(1);
        let grad = match self.kind {
            NormKind::Layer { .. } => grad.clone() - grad.mean_dim(1),
            _ => grad,
        };
        (grad - normalised * along) * scale
    }
}
