//! Super-blocks of 256 values whose inner blocks have their own small scales: the K formats.

use super::half_at;

/// 16 bytes of scale and minimum nibbles, 64 bytes of 2-bit values, d, dmin:
/// value = d · scale · q − dmin · minimum, per 16 values.
pub(super) fn q2_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<84>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let (d, d_min) = (half_at(block, 80), half_at(block, 82));
        for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let scale = d * f32::from(block[group] & 15);
            let minimum = d_min * f32::from(block[group] >> 4);
            for (value, q) in values.iter_mut().zip(two_bits(&block[16..80], group)) {
                *value = scale * f32::from(q) - minimum;
            }
        }
    }
}

/// 32 bytes of third bits, 64 bytes of 2-bit values, 12 bytes of sixteen 6-bit scales, d:
/// value = d · (scale − 32) · (q − 4 where the third bit is off), per 16 values.
pub(super) fn q3_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<110>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = half_at(block, 108);
        let scales = &block[96..108];
        for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let low = scales[group % 8] >> (group / 8 * 4) & 15;
            let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
            let scale = d * (i32::from(low | high << 4) - 32) as f32;
            // Bit j of byte l belongs to value 32 j + l.
            let third = &block[group % 2 * 16..][..16];
            for ((value, q), third) in
                values.iter_mut().zip(two_bits(&block[32..96], group)).zip(third)
            {
                let offset = if third >> (group / 2) & 1 == 1 { 0 } else { 4 };
                *value = scale * (i32::from(q) - offset) as f32;
            }
        }
    }
}

/// The 2-bit values of the `group`-th 16: four runs of 32 values share 32 bytes, two bits each.
fn two_bits(bytes: &[u8], group: usize) -> impl Iterator<Item = u8> {
    let start = group / 8 * 32 + group % 2 * 16;
    let shift = group / 2 % 4 * 2;
    bytes[start..start + 16].iter().map(move |byte| byte >> shift & 3)
}

/// d, dmin, 12 bytes of eight 6-bit scales and minimums, 128 bytes of nibbles:
/// value = d · scale · q − dmin · minimum, per 32 values.
pub(super) fn q4_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<144>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let (d, d_min) = (half_at(block, 0), half_at(block, 2));
        for (group, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (scale, minimum) = six_bit_pair(&block[4..16], group);
            let (scale, minimum) = (d * scale, d_min * minimum);
            let nibbles = &block[16 + group / 2 * 32..][..32];
            let shift = group % 2 * 4;
            for (value, pair) in values.iter_mut().zip(nibbles) {
                *value = scale * f32::from(pair >> shift & 15) - minimum;
            }
        }
    }
}

/// d, dmin, scales as in Q4_K, 32 bytes of fifth bits, 128 bytes of nibbles.
pub(super) fn q5_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<176>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let (d, d_min) = (half_at(block, 0), half_at(block, 2));
        for (group, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let (scale, minimum) = six_bit_pair(&block[4..16], group);
            let (scale, minimum) = (d * scale, d_min * minimum);
            let nibbles = &block[48 + group / 2 * 32..][..32];
            let shift = group % 2 * 4;
            for ((value, pair), fifth) in values.iter_mut().zip(nibbles).zip(&block[16..48]) {
                let q = pair >> shift & 15 | (fifth >> group & 1) << 4;
                *value = scale * f32::from(q) - minimum;
            }
        }
    }
}

/// The `group`-th of eight 6-bit scales and minimums packed in 12 bytes.
fn six_bit_pair(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, minimum) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let low = packed[group + 4];
        (low & 15 | packed[group - 4] >> 2 & 48, low >> 4 | packed[group] >> 2 & 48)
    };
    (f32::from(scale), f32::from(minimum))
}

/// 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed scales, d:
/// value = d · scale · (q − 32), per 16 values.
pub(super) fn q6_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<210>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = half_at(block, 208);
        for (group, values) in values.as_chunks_mut::<16>().0.iter_mut().enumerate() {
            let scale = d * f32::from(block[192 + group].cast_signed());
            let low = &block[group / 8 * 64 + group % 4 * 16..][..16];
            let low_shift = group / 4 % 2 * 4;
            for ((value, low), high) in
                values.iter_mut().zip(low).zip(two_bits(&block[128..192], group))
            {
                let q = low >> low_shift & 15 | high << 4;
                *value = scale * (i32::from(q) - 32) as f32;
            }
        }
    }
}

/// A 32-bit scale, 256 signed bytes, and 16 sums of 16 that only matrix products use:
/// value = d · q.
pub(super) fn q8_k(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<292>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
        for (value, &q) in values.iter_mut().zip(&block[4..260]) {
            *value = d * f32::from(q.cast_signed());
        }
    }
}
