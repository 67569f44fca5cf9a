//! Values −1, 0 and 1 times one scale per 256: TQ1_0 and TQ2_0.

use super::half_at;

/// 48 bytes of five and 4 bytes of four base-3 digits, then the scale: value = d · (digit − 1).
pub(super) fn tq1_0(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<54>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = half_at(block, 52);
        let (first, rest) = values.split_at_mut(160);
        let (second, third) = rest.split_at_mut(80);
        base_three(d, &block[..32], first);
        base_three(d, &block[32..48], second);
        base_three(d, &block[48..52], third);
    }
}

/// Digit p of every byte, then digit p + 1 of every byte: the digit is the upper part of
/// three times what is left of the byte, seen as a fraction of 256.
fn base_three(d: f32, packed: &[u8], values: &mut [f32]) {
    let mut power = 1_u8;
    for values in values.chunks_mut(packed.len()) {
        for (value, byte) in values.iter_mut().zip(packed) {
            let digit = (u16::from(byte.wrapping_mul(power)) * 3) >> 8;
            *value = d * (i32::from(digit) - 1) as f32;
        }
        power = power.wrapping_mul(3);
    }
}

/// 64 bytes of 2-bit values, then the scale: value = d · (q − 1).
pub(super) fn tq2_0(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<66>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = half_at(block, 64);
        for (run, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let packed = &block[run / 4 * 32..][..32];
            for (value, byte) in values.iter_mut().zip(packed) {
                *value = d * (i32::from(byte >> (run % 4 * 2) & 3) - 1) as f32;
            }
        }
    }
}
