//! The order of query and key rows: GGUF keeps the two halves of a rotary pair side by side.

use super::Error;

/// From GGUF's order of rows to Hugging Face's, for the query and key projections of
/// architectures that llama.cpp's converter permutes (llama, mistral and their kin).
///
/// `values` is `[heads * head_dim, columns]` row-major (`columns` = 1 for a bias). Row 2 i + j of
/// a head becomes row j · head_dim / 2 + i: the inverse of `LlamaModel.permute` in llama.cpp's
/// `convert_hf_to_gguf.py`.
///
/// # Errors
/// When the number of values is not `heads * head_dim * columns`, or `head_dim` is odd.
pub fn unpermute_rows(
    values: &[f32],
    heads: usize,
    head_dim: usize,
    columns: usize,
) -> Result<Vec<f32>, Error> {
    move_rows(values, heads, head_dim, columns, |from| {
        let (pair, half) = (from / 2, from % 2);
        half * (head_dim / 2) + pair
    })
}

/// From Hugging Face's order of rows to GGUF's; the inverse of [`unpermute_rows`].
///
/// # Errors
/// As [`unpermute_rows`].
pub fn permute_rows(
    values: &[f32],
    heads: usize,
    head_dim: usize,
    columns: usize,
) -> Result<Vec<f32>, Error> {
    move_rows(values, heads, head_dim, columns, |from| {
        let (half, pair) = (from / (head_dim / 2), from % (head_dim / 2));
        pair * 2 + half
    })
}

fn move_rows(
    values: &[f32],
    heads: usize,
    head_dim: usize,
    columns: usize,
    destination: impl Fn(usize) -> usize,
) -> Result<Vec<f32>, Error> {
    let expected = super::stored::checked_values(&[heads, head_dim, columns]);
    if expected != Some(values.len()) || !head_dim.is_multiple_of(2) || values.is_empty() {
        return Err(Error::BadExport {
            tensor: "query or key rows".to_owned(),
            reason: format!(
                "{} values are not {heads} heads of {head_dim} rows of {columns}",
                values.len()
            ),
        });
    }
    let mut moved = vec![0.0; values.len()];
    let per_head = head_dim * columns;
    for (head, moved) in values.chunks_exact(per_head).zip(moved.chunks_exact_mut(per_head)) {
        for (from, row) in head.chunks_exact(columns).enumerate() {
            let to = destination(from) * columns;
            moved[to..to + columns].copy_from_slice(row);
        }
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pairs_become_halves_and_back() {
        // Two heads of four rows of one: a head's rows in GGUF are 0a 1a 0b 1b.
        let gguf = [0.0, 2.0, 1.0, 3.0, 10.0, 12.0, 11.0, 13.0];
        let hugging_face = [0.0, 1.0, 2.0, 3.0, 10.0, 11.0, 12.0, 13.0];
        assert_eq!(unpermute_rows(&gguf, 2, 4, 1).unwrap(), hugging_face);
        assert_eq!(permute_rows(&hugging_face, 2, 4, 1).unwrap(), gguf);
    }

    #[test]
    fn other_sizes_are_refused() {
        assert!(unpermute_rows(&[0.0; 7], 2, 4, 1).is_err());
        assert!(unpermute_rows(&[0.0; 6], 2, 3, 1).is_err());
        assert!(permute_rows(&[], 0, 4, 1).is_err());
        assert!(permute_rows(&[0.0; 8], usize::MAX, 4, 2).is_err());
    }
}
