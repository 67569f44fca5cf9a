//! The non-linearity of the feed-forward part, alone or as a gate.

use burn::tensor::{Tensor, activation};

use super::simd;
use crate::host::{HostTensor, from_vec, is_host, map_rows};
use crate::spec::Activation;

const SQRT_2_OVER_PI: f32 = 0.797_884_6;
const GELU_CUBIC: f32 = 0.044_715;

/// `(act(x), act'(x))`.
#[inline(always)]
fn value_and_slope(kind: Activation, x: f32) -> (f32, f32) {
    match kind {
        Activation::Silu => {
            let s = simd::sigmoid(x);
            (x * s, s * (1.0 + x * (1.0 - s)))
        }
        Activation::GeluTanh | Activation::Gelu => {
            let t = simd::tanh(SQRT_2_OVER_PI * (x + GELU_CUBIC * x * x * x));
            let inner = SQRT_2_OVER_PI * (1.0 + 3.0 * GELU_CUBIC * x * x);
            (0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner)
        }
    }
}

/// The error function has no vector form here, so the exact GELU takes burn's operations.
fn on_host(kind: Activation, x: &Tensor<2>) -> bool {
    kind != Activation::Gelu && is_host(&x.device())
}

fn value(kind: Activation, x: Tensor<2>) -> Tensor<2> {
    match kind {
        Activation::Silu => activation::silu(x),
        Activation::Gelu => activation::gelu(x),
        Activation::GeluTanh => activation::gelu_approximate(x),
    }
}

fn slope(kind: Activation, x: Tensor<2>) -> Tensor<2> {
    match kind {
        Activation::Silu => {
            let s = activation::sigmoid(x.clone());
            s.clone() * (x * (-s + 1.0) + 1.0)
        }
        Activation::Gelu => {
            let normal = (x.clone().square() * -0.5).exp() * std::f64::consts::FRAC_2_SQRT_PI
                / (2.0 * std::f64::consts::SQRT_2);
            let cumulative = ((x.clone() * std::f64::consts::FRAC_1_SQRT_2).erf() + 1.0) * 0.5;
            cumulative + x * normal
        }
        Activation::GeluTanh => {
            let cube = x.clone().square() * x.clone() * GELU_CUBIC;
            let t = ((x.clone() + cube) * SQRT_2_OVER_PI).tanh();
            let inner = (x.clone().square() * (3.0 * GELU_CUBIC) + 1.0) * SQRT_2_OVER_PI;
            (t.clone() + 1.0) * 0.5 + x * 0.5 * (-t.square() + 1.0) * inner
        }
    }
}

/// `act(gate) · up`, both `[tokens, inner]`.
pub fn gated(kind: Activation, gate: Tensor<2>, up: Tensor<2>) -> Tensor<2> {
    if !on_host(kind, &gate) {
        return value(kind, gate) * up;
    }
    let (device, [rows, width]) = (gate.device(), gate.dims());
    let (gate, up) = (HostTensor::new(gate), HostTensor::new(up));
    let (gate, up) = (gate.slice(), up.slice());
    let out = map_rows(rows, width, |index, out| {
        let span = index * width..(index + 1) * width;
        for ((out, gate), up) in out.iter_mut().zip(&gate[span.clone()]).zip(&up[span]) {
            *out = value_and_slope(kind, *gate).0 * up;
        }
    });
    from_vec(out, [rows, width], &device)
}

/// Gradients of [`gated`] with respect to gate and up.
pub fn gated_backward(
    kind: Activation,
    gate: Tensor<2>,
    up: Tensor<2>,
    grad: Tensor<2>,
) -> (Tensor<2>, Tensor<2>) {
    if !on_host(kind, &gate) {
        let grad_gate = grad.clone() * up * slope(kind, gate.clone());
        return (grad_gate, grad * value(kind, gate));
    }
    let (device, [rows, width]) = (gate.device(), gate.dims());
    let (gate, up, grad) = (HostTensor::new(gate), HostTensor::new(up), HostTensor::new(grad));
    let (gate, up, grad) = (gate.slice(), up.slice(), grad.slice());
    let grad_gate = map_rows(rows, width, |index, out| {
        let span = index * width..(index + 1) * width;
        let sources = gate[span.clone()].iter().zip(&up[span.clone()]).zip(&grad[span]);
        for (out, ((gate, up), grad)) in out.iter_mut().zip(sources) {
            *out = grad * up * value_and_slope(kind, *gate).1;
        }
    });
    let grad_up = map_rows(rows, width, |index, out| {
        let span = index * width..(index + 1) * width;
        for ((out, gate), grad) in out.iter_mut().zip(&gate[span.clone()]).zip(&grad[span]) {
            *out = grad * value_and_slope(kind, *gate).0;
        }
    });
    let shape = [rows, width];
    (from_vec(grad_gate, shape, &device), from_vec(grad_up, shape, &device))
}

/// `act(x)`.
pub fn plain(kind: Activation, x: Tensor<2>) -> Tensor<2> {
    value(kind, x)
}

/// Gradient of [`plain`].
pub fn plain_backward(kind: Activation, x: Tensor<2>, grad: Tensor<2>) -> Tensor<2> {
    grad * slope(kind, x)
}
