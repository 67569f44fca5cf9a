//! From `f32` values to stored bytes.

use rayon::prelude::*;

use super::pending::PendingFile;
use super::quant::quantise_q8_0;
use super::stored::checked_values;
use super::{Error, StoredType};

/// Values encoded before they are written out; a multiple of every block size.
const VALUES_AT_ONCE: usize = 1 << 20;
/// Values that one task encodes.
const VALUES_PER_TASK: usize = 1 << 16;

/// Why a tensor's values could not be had.
pub type ValuesError = Box<dyn std::error::Error + Send + Sync>;

/// A tensor to be written. Its values are asked for when it is its turn, so that only one
/// tensor at a time stands in memory.
pub struct TensorToWrite<'a> {
    /// Its name in the file.
    pub name: String,
    /// How to store it: F32, F16, BF16, and in GGUF files Q8_0.
    pub dtype: StoredType,
    /// Row-major shape, as PyTorch gives it.
    pub shape: Vec<usize>,
    /// Gives the values, row-major.
    pub values: Box<dyn FnOnce() -> Result<Vec<f32>, ValuesError> + 'a>,
}

impl<'a> TensorToWrite<'a> {
    /// A tensor whose values `values` will give.
    pub fn new(
        name: impl Into<String>,
        dtype: StoredType,
        shape: Vec<usize>,
        values: impl FnOnce() -> Result<Vec<f32>, ValuesError> + 'a,
    ) -> Self {
        Self { name: name.into(), dtype, shape, values: Box::new(values) }
    }

    /// Bytes that it will take; checks that it can be written as `allowed`.
    pub(crate) fn bytes(&self, allowed: &[StoredType]) -> Result<usize, Error> {
        if !allowed.contains(&self.dtype) {
            let allowed: Vec<&str> = allowed.iter().map(|stored| stored.name()).collect();
            return Err(self.bad(format!(
                "{} is not written here; choose {}",
                self.dtype,
                allowed.join(", ")
            )));
        }
        let row = self.shape.last().copied().unwrap_or(1);
        checked_values(&self.shape)
            .filter(|_| row.is_multiple_of(self.dtype.layout().block_values))
            .and_then(|values| self.dtype.bytes_for(values))
            .ok_or_else(|| {
                self.bad(format!(
                    "rows of its shape {:?} do not fill whole {} blocks",
                    self.shape, self.dtype
                ))
            })
    }

    pub(crate) fn bad(&self, reason: String) -> Error {
        Error::BadExport { tensor: self.name.clone(), reason }
    }

    /// Asks for the values and writes them.
    pub(crate) fn write(self, file: &mut PendingFile) -> Result<(), Error> {
        let expected = checked_values(&self.shape).unwrap_or(usize::MAX);
        let Self { name, dtype, shape, values } = self;
        let values = values().map_err(|source| Error::Values { tensor: name.clone(), source })?;
        if values.len() != expected {
            let reason = format!(
                "its shape {shape:?} needs {expected} values and {} were given",
                values.len()
            );
            return Err(Error::BadExport { tensor: name, reason });
        }
        let mut parts: Vec<(Vec<u8>, bool)> = Vec::new();
        for (turn, values) in values.chunks(VALUES_AT_ONCE).enumerate() {
            values
                .par_chunks(VALUES_PER_TASK)
                .map(|values| {
                    let mut bytes = Vec::new();
                    let fits = encode(dtype, values, &mut bytes);
                    (bytes, fits)
                })
                .collect_into_vec(&mut parts);
            for (part, (bytes, fits)) in parts.iter().enumerate() {
                if !fits {
                    let start = part * VALUES_PER_TASK;
                    let end = values.len().min(start + VALUES_PER_TASK);
                    let (place, value) = first_unfit(dtype, &values[start..end]);
                    return Err(unfit(name, dtype, turn * VALUES_AT_ONCE + start + place, value));
                }
                file.write(bytes)?;
            }
        }
        Ok(())
    }
}

fn unfit(tensor: String, dtype: StoredType, index: usize, value: f32) -> Error {
    if value.is_finite() {
        return Error::DoesNotFit { tensor, value, index, stored: dtype.name() };
    }
    let reason = format!(
        "it holds {value} at index {index}, so the model is broken; go back to an earlier checkpoint"
    );
    Error::BadExport { tensor, reason }
}

/// Appends whole blocks of `values`; `false` when one of them does not fit the type.
fn encode(dtype: StoredType, values: &[f32], bytes: &mut Vec<u8>) -> bool {
    match dtype {
        StoredType::F16 => {
            bytes.extend(values.iter().flat_map(|value| half::f16::from_f32(*value).to_le_bytes()))
        }
        StoredType::BF16 => {
            bytes.extend(values.iter().flat_map(|value| half::bf16::from_f32(*value).to_le_bytes()))
        }
        StoredType::Q8_0 => quantise_q8_0(values, bytes),
        _ => bytes.extend(values.iter().flat_map(|value| value.to_le_bytes())),
    }
    let largest = largest(dtype);
    values.iter().fold(true, |fits, value| fits & (value.abs() < largest))
}

/// The magnitude from which on a value becomes infinite when it is rounded.
fn largest(dtype: StoredType) -> f32 {
    match dtype {
        StoredType::F16 => 65_520.0,
        // Halfway between the largest number and the next power of two.
        StoredType::BF16 => f32::from_bits(0x7F7F_8000),
        // The scale is a half.
        StoredType::Q8_0 => 65_520.0 * 127.0,
        _ => f32::INFINITY,
    }
}

fn first_unfit(dtype: StoredType, values: &[f32]) -> (usize, f32) {
    let largest = largest(dtype);
    values
        .iter()
        .copied()
        .enumerate()
        .find(|(_, value)| value.is_nan() || value.abs() >= largest)
        .unwrap_or((0, f32::NAN))
}
