//! From stored bytes to `f32` values.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::mapped::MappedFile;
use super::stored::TensorInfo;
use super::{Error, StoredType};

/// Values that one task decodes at once; a multiple of every block size.
const VALUES_AT_ONCE: usize = 1 << 20;

/// Reads rows `rows` of a tensor whose bytes begin at `start` in `file`.
///
/// The caller has checked that the tensor lies inside the file and that its last dimension
/// fills whole blocks. Every value is finite, or the first that is not is named.
pub(crate) fn read_rows(
    file: &MappedFile,
    name: &str,
    info: &TensorInfo,
    start: usize,
    rows: Range<usize>,
) -> Result<Vec<f32>, Error> {
    let layout = info.dtype.layout();
    let Some(decode) = layout.decode else {
        return Err(Error::TensorType {
            path: file.path().to_owned(),
            tensor: name.to_owned(),
            stored: info.dtype.name().to_owned(),
            advice: advice(info.dtype),
        });
    };
    if rows.start > rows.end || rows.end > info.rows() {
        return Err(Error::Rows {
            path: file.path().to_owned(),
            tensor: name.to_owned(),
            rows: info.rows(),
            start: rows.start,
            end: rows.end,
        });
    }
    let row_values = info.values().checked_div(info.rows()).unwrap_or(0);
    let wanted = rows.start * row_values..rows.end * row_values;
    // Only a vector's rows can begin within a block; then the blocks around them are decoded.
    let first_block = wanted.start / layout.block_values;
    let blocks = wanted.end.div_ceil(layout.block_values) - first_block;
    let begin = start + first_block * layout.block_bytes;
    let bytes = &file.bytes()[begin..begin + blocks * layout.block_bytes];

    let first_value = first_block * layout.block_values;
    let mut values = vec![0.0_f32; blocks * layout.block_values];
    let first_bad = AtomicUsize::new(usize::MAX);
    let bytes_at_once = VALUES_AT_ONCE / layout.block_values * layout.block_bytes;
    let decode_part = |(part, (from, to)): (usize, (&[u8], &mut [f32]))| {
        decode(from, to);
        // A fold without an early exit is what the compiler turns into vector instructions.
        if to.iter().fold(false, |bad, value| bad | !value.is_finite())
            && let Some(place) = to.iter().position(|value| !value.is_finite())
        {
            first_bad.fetch_min(part * VALUES_AT_ONCE + place, Ordering::Relaxed);
        }
        let offset = begin + part * bytes_at_once;
        file.release(offset..offset + from.len());
    };
    if values.len() <= VALUES_AT_ONCE {
        decode_part((0, (bytes, &mut values)));
    } else {
        bytes
            .par_chunks(bytes_at_once)
            .zip(values.par_chunks_mut(VALUES_AT_ONCE))
            .enumerate()
            .for_each(decode_part);
    }

    match first_bad.into_inner() {
        usize::MAX => {
            values.truncate(wanted.end - first_value);
            values.drain(..wanted.start - first_value);
            Ok(values)
        }
        place => Err(Error::NotFinite {
            path: file.path().to_owned(),
            tensor: name.to_owned(),
            index: first_value + place,
            value: values[place],
        }),
    }
}

fn advice(stored: StoredType) -> &'static str {
    match stored {
        StoredType::F8_E4M3 | StoredType::F8_E5M2 => "use the model's BF16 or F32 version",
        _ => {
            "it is a table or a mask, or the model was quantised in a way that is not read: use its BF16 or F32 version"
        }
    }
}
