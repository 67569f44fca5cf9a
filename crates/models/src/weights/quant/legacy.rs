//! Blocks of 32 values with one scale: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0.

use super::half_at;

/// Scale, 16 bytes of nibbles: value = d · (q − 8).
pub(super) fn q4_0(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<18>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        let d = half_at(block, 0);
        for (at, &pair) in block[2..].iter().enumerate() {
            values[at] = d * (i32::from(pair & 15) - 8) as f32;
            values[at + 16] = d * (i32::from(pair >> 4) - 8) as f32;
        }
    }
}

/// Scale, minimum, 16 bytes of nibbles: value = d · q + m.
pub(super) fn q4_1(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<20>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        let (d, m) = (half_at(block, 0), half_at(block, 2));
        for (at, &pair) in block[4..].iter().enumerate() {
            values[at] = d * f32::from(pair & 15) + m;
            values[at + 16] = d * f32::from(pair >> 4) + m;
        }
    }
}

/// Scale, 32 fifth bits, 16 bytes of nibbles: value = d · (q − 16).
pub(super) fn q5_0(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<22>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        let d = half_at(block, 0);
        for (at, (low, high)) in five_bits(&block[2..]).enumerate() {
            values[at] = d * (i32::from(low) - 16) as f32;
            values[at + 16] = d * (i32::from(high) - 16) as f32;
        }
    }
}

/// Scale, minimum, 32 fifth bits, 16 bytes of nibbles: value = d · q + m.
pub(super) fn q5_1(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<24>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        let (d, m) = (half_at(block, 0), half_at(block, 2));
        for (at, (low, high)) in five_bits(&block[4..]).enumerate() {
            values[at] = d * f32::from(low) + m;
            values[at + 16] = d * f32::from(high) + m;
        }
    }
}

/// Values `at` and `at + 16` of a block whose fifth bits (4 bytes) stand before its nibbles.
fn five_bits(block: &[u8]) -> impl Iterator<Item = (u8, u8)> {
    let high = u32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    block[4..].iter().enumerate().map(move |(at, &pair)| {
        let low_bit = (high >> at & 1) as u8;
        let high_bit = (high >> (at + 16) & 1) as u8;
        (pair & 15 | low_bit << 4, pair >> 4 | high_bit << 4)
    })
}

/// Scale, 32 signed bytes: value = d · q.
pub(super) fn q8_0(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<34>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        let d = half_at(block, 0);
        for (value, &q) in values.iter_mut().zip(&block[2..]) {
            *value = f32::from(q.cast_signed()) * d;
        }
    }
}

/// Quantises whole blocks of 32 values to Q8_0 and appends them to `bytes`.
///
/// The same bytes as `quantize_row_q8_0_ref` of llama.cpp: d = max|x| / 127 in `f32`, each value
/// times 1/d, rounded half away from zero; d itself stored as a half. Values after the last
/// whole block are left out.
pub fn quantise_q8_0(values: &[f32], bytes: &mut Vec<u8>) {
    for block in values.as_chunks::<32>().0 {
        let largest = block.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let d = largest / 127.0;
        let inverse = if d == 0.0 { 0.0 } else { 1.0 / d };
        bytes.extend_from_slice(&half::f16::from_f32(d).to_le_bytes());
        bytes.extend(block.iter().map(|value| ((value * inverse).round() as i8).cast_unsigned()));
    }
}
