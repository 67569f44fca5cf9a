//! The block formats of weights, as llama.cpp's `ggml-quants.c` and gguf-py's `quants.py`
//! define them.
//!
//! All arithmetic is plain `f32` in the order of gguf-py (scale times integer, then plus or
//! minus the minimum, never fused), so the values are equal bit for bit. Unless said
//! otherwise, a nibble's low half holds the earlier value.

mod iq4;
mod k;
mod legacy;
mod plain;
mod ternary;

use super::StoredType;

pub use legacy::quantise_q8_0;

/// Decodes whole blocks: `bytes` holds n blocks, the slice of values n times the block's values.
pub(crate) type Decode = fn(&[u8], &mut [f32]);

/// One way of storing values.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The type.
    pub stored: StoredType,
    /// Name in files.
    pub name: &'static str,
    /// Number of the type in GGUF files; `None` where GGUF does not have it.
    pub ggml_id: Option<u32>,
    /// Values in a block.
    pub block_values: usize,
    /// Bytes in a block.
    pub block_bytes: usize,
    /// How it is decoded; `None` for types that are no weights.
    pub decode: Option<Decode>,
}

macro_rules! layouts {
    ($($stored:ident, $id:expr, $values:expr, $bytes:expr, $decode:expr;)*) => {
        /// Every way of storing values that is known.
        pub(crate) static LAYOUTS: &[Layout] = &[$(Layout {
            stored: StoredType::$stored,
            name: stringify!($stored),
            ggml_id: $id,
            block_values: $values,
            block_bytes: $bytes,
            decode: $decode,
        }),*];

        /// The layout of a type.
        pub(crate) fn layout_of(stored: StoredType) -> &'static Layout {
            // Both come from one list, in the same order.
            const ORDER: &[StoredType] = &[$(StoredType::$stored),*];
            const _: () = {
                let mut place = 0;
                while place < ORDER.len() {
                    assert!(ORDER[place] as usize == place, "the list below must follow the order of StoredType");
                    place += 1;
                }
            };
            &LAYOUTS[stored as usize]
        }
    };
}

layouts! {
    F64, Some(28), 1, 8, Some(plain::f64);
    F32, Some(0), 1, 4, Some(plain::f32);
    F16, Some(1), 1, 2, Some(plain::f16);
    BF16, Some(30), 1, 2, Some(plain::bf16);
    F8_E4M3, None, 1, 1, None;
    F8_E5M2, None, 1, 1, None;
    BOOL, None, 1, 1, None;
    U8, None, 1, 1, None;
    I8, Some(24), 1, 1, None;
    U16, None, 1, 2, None;
    I16, Some(25), 1, 2, None;
    U32, None, 1, 4, None;
    I32, Some(26), 1, 4, None;
    U64, None, 1, 8, None;
    I64, Some(27), 1, 8, None;
    Q4_0, Some(2), 32, 18, Some(legacy::q4_0);
    Q4_1, Some(3), 32, 20, Some(legacy::q4_1);
    Q5_0, Some(6), 32, 22, Some(legacy::q5_0);
    Q5_1, Some(7), 32, 24, Some(legacy::q5_1);
    Q8_0, Some(8), 32, 34, Some(legacy::q8_0);
    Q2_K, Some(10), 256, 84, Some(k::q2_k);
    Q3_K, Some(11), 256, 110, Some(k::q3_k);
    Q4_K, Some(12), 256, 144, Some(k::q4_k);
    Q5_K, Some(13), 256, 176, Some(k::q5_k);
    Q6_K, Some(14), 256, 210, Some(k::q6_k);
    Q8_K, Some(15), 256, 292, Some(k::q8_k);
    IQ4_NL, Some(20), 32, 18, Some(iq4::iq4_nl);
    IQ4_XS, Some(23), 256, 136, Some(iq4::iq4_xs);
    TQ1_0, Some(34), 256, 54, Some(ternary::tq1_0);
    TQ2_0, Some(35), 256, 66, Some(ternary::tq2_0);
}

/// Types that GGUF files may hold and that are not read, for a sentence that names them.
static UNREAD_GGML: &[(u32, &str)] = &[
    (9, "Q8_1"),
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (29, "IQ1_M"),
    (39, "MXFP4"),
    (40, "NVFP4"),
    (41, "Q1_0"),
];

/// The layout of GGUF's type `id`, or the name to refuse it by.
pub(crate) fn from_ggml(id: u32) -> Result<&'static Layout, String> {
    LAYOUTS.iter().find(|layout| layout.ggml_id == Some(id)).ok_or_else(|| {
        match UNREAD_GGML.iter().find(|(unread, _)| *unread == id) {
            Some((_, name)) => (*name).to_owned(),
            None => format!("GGUF type number {id}"),
        }
    })
}

/// The layout of safetensors' type `name`.
pub(crate) fn from_safetensors(name: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.block_values == 1 && layout.name == name)
}

/// The half-precision number at byte `at` of a block.
fn half_at(block: &[u8], at: usize) -> f32 {
    half::f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

#[cfg(test)]
mod tests;
