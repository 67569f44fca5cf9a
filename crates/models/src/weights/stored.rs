//! How a tensor is stored.

use std::fmt;

use super::quant;

/// How the values of a tensor are stored, in the spelling of safetensors and GGUF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(non_camel_case_types, missing_docs)]
pub enum StoredType {
    F64,
    F32,
    F16,
    BF16,
    F8_E4M3,
    F8_E5M2,
    BOOL,
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    U64,
    I64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Q8_K,
    IQ4_NL,
    IQ4_XS,
    TQ1_0,
    TQ2_0,
}

impl StoredType {
    /// The name in files: `F32`, `BF16`, `Q4_K`, ….
    pub fn name(self) -> &'static str {
        self.layout().name
    }

    /// Size of a block and how it is decoded.
    pub(crate) fn layout(self) -> &'static quant::Layout {
        quant::layout_of(self)
    }

    /// Bytes that `values` values take; `None` when they do not fill whole blocks or the
    /// product does not fit.
    pub fn bytes_for(self, values: usize) -> Option<usize> {
        let layout = self.layout();
        if !values.is_multiple_of(layout.block_values) {
            return None;
        }
        (values / layout.block_values).checked_mul(layout.block_bytes)
    }
}

impl fmt::Display for StoredType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What is known about a tensor without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorInfo {
    /// How it is stored.
    pub dtype: StoredType,
    /// Row-major shape, as Hugging Face and PyTorch give it: `[out, in]` for a linear layer.
    pub shape: Vec<usize>,
    /// Bytes in the file.
    pub bytes: usize,
}

impl TensorInfo {
    /// Number of values.
    pub fn values(&self) -> usize {
        self.shape.iter().product()
    }

    /// Length of the first dimension; 1 for a single number.
    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(1)
    }
}

/// The product of a shape; `None` when it does not fit.
pub(crate) fn checked_values(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
}
