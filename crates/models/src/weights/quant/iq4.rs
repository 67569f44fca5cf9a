//! Four bits that choose from 16 uneven levels: IQ4_NL and IQ4_XS.

use super::half_at;

/// `kvalues_iq4nl` of ggml.
const LEVELS: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0,
    89.0, 113.0,
];

/// Scale, 16 bytes of nibbles: value = d · level.
pub(super) fn iq4_nl(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<18>().0.iter().zip(values.as_chunks_mut::<32>().0) {
        levels(half_at(block, 0), &block[2..], values);
    }
}

/// d, 16 upper bits and 4 bytes of lower bits of eight 6-bit scales, 128 bytes of nibbles:
/// value = d · (scale − 32) · level, per 32 values.
pub(super) fn iq4_xs(bytes: &[u8], values: &mut [f32]) {
    for (block, values) in bytes.as_chunks::<136>().0.iter().zip(values.as_chunks_mut::<256>().0) {
        let d = half_at(block, 0);
        let upper = u16::from_le_bytes([block[2], block[3]]);
        for (group, values) in values.as_chunks_mut::<32>().0.iter_mut().enumerate() {
            let low = block[4 + group / 2] >> (group % 2 * 4) & 15;
            let high = (upper >> (group * 2) & 3) as u8;
            let scale = d * (i32::from(low | high << 4) - 32) as f32;
            levels(scale, &block[8 + group * 16..][..16], values);
        }
    }
}

fn levels(scale: f32, nibbles: &[u8], values: &mut [f32; 32]) {
    for (at, &pair) in nibbles.iter().enumerate() {
        values[at] = scale * LEVELS[usize::from(pair & 15)];
        values[at + 16] = scale * LEVELS[usize::from(pair >> 4)];
    }
}
