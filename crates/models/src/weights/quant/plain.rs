//! Numbers stored one by one.

/// 64-bit floats, rounded to the nearest `f32`.
pub(super) fn f64(bytes: &[u8], values: &mut [f32]) {
    for (stored, value) in bytes.as_chunks().0.iter().zip(values) {
        *value = f64::from_le_bytes(*stored) as f32;
    }
}

/// 32-bit floats.
pub(super) fn f32(bytes: &[u8], values: &mut [f32]) {
    for (stored, value) in bytes.as_chunks().0.iter().zip(values) {
        *value = f32::from_le_bytes(*stored);
    }
}

/// IEEE 16-bit floats.
pub(super) fn f16(bytes: &[u8], values: &mut [f32]) {
    use half::slice::HalfFloatSliceExt;
    // The conversion of a whole slice uses the processor's instruction for it.
    let mut aligned = [half::f16::ZERO; 256];
    for (stored, values) in bytes.chunks(512).zip(values.chunks_mut(256)) {
        let aligned = &mut aligned[..values.len()];
        for (half, stored) in aligned.iter_mut().zip(stored.as_chunks().0) {
            *half = half::f16::from_le_bytes(*stored);
        }
        aligned.convert_to_f32_slice(values);
    }
}

/// The upper halves of 32-bit floats.
pub(super) fn bf16(bytes: &[u8], values: &mut [f32]) {
    for (stored, value) in bytes.as_chunks().0.iter().zip(values) {
        *value = f32::from_bits(u32::from(u16::from_le_bytes(*stored)) << 16);
    }
}
