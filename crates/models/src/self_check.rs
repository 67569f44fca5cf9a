//! Whether a device computes what the CPU computes.
//!
//! Graphics drivers differ in quality. Before a device is trusted with a person's run, a small
//! model's forward and backward pass are computed on it and on the CPU and compared.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

use crate::architectures::by_model_type;
use crate::config::Config;
use crate::decoder::{Activations, Decoder, Targets};
use crate::error::Error;
use crate::host::{from_vec, to_vec};
use crate::ops::{Gradients, Layout, Trainable};

/// Largest relative difference that passes.
pub const TOLERANCE: f64 = 1e-3;

/// Largest difference between the device's and the CPU's logits and gradients of a small
/// model, relative to the largest value of each.
///
/// # Errors
/// When the device fails outright.
pub fn self_check(device: &Device) -> Result<f64, Error> {
    let (cpu, found) = (results(&Device::flex())?, results(device)?);
    let mut worst = 0.0_f64;
    for (cpu, found) in cpu.iter().zip(&found) {
        let scale = cpu.iter().fold(0.0_f32, |top, v| top.max(v.abs()));
        let apart = cpu.iter().zip(found).fold(0.0_f32, |top, (a, b)| {
            let difference = (a - b).abs();
            if difference.is_nan() { f32::INFINITY } else { top.max(difference) }
        });
        worst = worst.max(f64::from(apart / scale.max(1e-6)));
    }
    Ok(worst)
}

/// GFLOP/s of a float32 matrix product of side `side`.
///
/// # Errors
/// When the device fails.
pub fn matmul_gflops(device: &Device, side: usize) -> Result<f64, Error> {
    let values = numbers(side * side, 1);
    let a: Tensor<2> = from_vec(values.clone(), [side, side], device);
    let b: Tensor<2> = from_vec(values, [side, side], device);
    let mut best = f64::INFINITY;
    for _ in 0..4 {
        let started = Instant::now();
        to_vec(a.clone().matmul(b.clone()).slice_dim(0, 0..1))?;
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(2.0 * (side as f64).powi(3) / best / 1e9)
}

/// Logits and every gradient of a two-layer model.
fn results(device: &Device) -> Result<Vec<Vec<f32>>, Error> {
    let config = Config::new(
        "self-check",
        serde_json::json!({
            "model_type": "llama", "vocab_size": 64, "hidden_size": 32, "intermediate_size": 64,
            "num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2,
            "max_position_embeddings": 64, "rms_norm_eps": 1e-5
        }),
    )?;
    let spec = (by_model_type("llama")?.spec)(&config)?;
    let mut seed = 0;
    let model = Decoder::build(spec, device, |_, shape| {
        seed += 1;
        Ok(numbers(shape.iter().product(), seed))
    })?;
    let layout = Layout::packed([9, 6]);
    let ids: Vec<u32> = (0..15).map(|i| i * 7 % 64).collect();
    let logits = to_vec(model.logits(&ids, &layout))?;
    let targets = Targets {
        rows: (0..8).chain(9..14).collect(),
        tokens: ids[1..9].iter().chain(&ids[10..15]).copied().collect(),
        weights: vec![1.0 / 13.0; 13],
    };
    let mut grads = Gradients::default();
    let trace = model.forward(&ids, &layout, Activations::Kept, None);
    model.backward(trace, &targets, Trainable::Everything, &mut grads)?;
    let mut all = vec![logits];
    for (_, gradient) in grads.iter() {
        all.push(to_vec(gradient.clone())?);
    }
    Ok(all)
}

/// Numbers in ±0.25, the same everywhere.
fn numbers(count: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..count)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 40) as f32 / (1u64 << 25) as f32 - 0.25
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_cpu_agrees_with_itself() {
        assert_eq!(self_check(&Device::flex()).unwrap(), 0.0);
    }
}
