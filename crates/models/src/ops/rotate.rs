//! Applying rotary positions.

use burn::tensor::Tensor;

use crate::host::{HostTensor, from_vec, is_host, map_rows};
use crate::rope::RopeTable;

/// Rotates the leading dimensions of every head of `x` `[tokens, heads · head_dim]` by each
/// token's angles, pairing dimension `i` with `i + half` (Hugging Face's `rotate_half`).
///
/// `inverse` turns the other way, which is the gradient.
pub fn rotate(x: Tensor<2>, head_dim: usize, table: &RopeTable, inverse: bool) -> Tensor<2> {
    let (device, [tokens, width]) = (x.device(), x.dims());
    let half = table.half;
    let sign = if inverse { -1.0 } else { 1.0 };
    if is_host(&device) {
        let x = HostTensor::new(x);
        let x = x.slice();
        let out = map_rows(tokens, width, |token, out| {
            let cos = &table.cos[token * half..][..half];
            let sin = &table.sin[token * half..][..half];
            let x = &x[token * width..][..width];
            out.copy_from_slice(x);
            for (out, x) in out.chunks_mut(head_dim).zip(x.chunks(head_dim)) {
                let (first, second) = out[..2 * half].split_at_mut(half);
                for i in 0..half {
                    first[i] = x[i] * cos[i] - sign * x[half + i] * sin[i];
                    second[i] = x[half + i] * cos[i] + sign * x[i] * sin[i];
                }
            }
        });
        return from_vec(out, [tokens, width], &device);
    }
    let heads = width / head_dim;
    let cos: Tensor<3> = from_vec(table.cos.clone(), [tokens, 1, half], &device);
    let sin: Tensor<3> = from_vec(table.sin.clone(), [tokens, 1, half], &device) * sign;
    let x = x.reshape([tokens, heads, head_dim]);
    let first = x.clone().slice_dim(2, 0..half);
    let second = x.clone().slice_dim(2, half..2 * half);
    let mut parts = vec![
        first.clone() * cos.clone() - second.clone() * sin.clone(),
        second * cos + first * sin,
    ];
    if 2 * half < head_dim {
        parts.push(x.slice_dim(2, 2 * half..head_dim));
    }
    Tensor::cat(parts, 2).reshape([tokens, width])
}
