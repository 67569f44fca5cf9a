//! From hidden states to numbers about tokens.

use std::ops::Range;

use burn::tensor::Tensor;
use rayon::prelude::*;
use sanbao_models::Decoder;
use sanbao_models::host::to_vec;
use sanbao_models::ops::simd;

use crate::error::Error;

/// Rows of logits that exist at once.
const CHUNK: usize = 64;

/// Logits of hidden states, a chunk of rows at a time: calls `each` with the rows' range and
/// their logits, `[rows, vocabulary]` row-major.
pub fn in_chunks(
    model: &Decoder,
    hidden: &Tensor<2>,
    mut each: impl FnMut(Range<usize>, &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    let rows = hidden.dims()[0];
    for start in (0..rows).step_by(CHUNK) {
        let range = start..(start + CHUNK).min(rows);
        let logits = model.logits_of(hidden.clone().slice_dim(0, range.clone()));
        each(range, &to_vec(logits)?)?;
    }
    Ok(())
}

/// For each row of `hidden`, the log-probabilities of the tokens asked for.
pub fn log_probabilities(
    model: &Decoder,
    hidden: &Tensor<2>,
    tokens: &[Vec<u32>],
) -> Result<Vec<Vec<f64>>, Error> {
    let mut found = Vec::with_capacity(tokens.len());
    in_chunks(model, hidden, |rows, logits| {
        let vocabulary = logits.len() / rows.len();
        let part: Vec<Vec<f64>> = logits
            .par_chunks(vocabulary)
            .zip(&tokens[rows])
            .map(|(logits, tokens)| {
                let log_sum = log_sum(logits);
                let of = |token: &u32| f64::from(logits[*token as usize]) - log_sum;
                tokens.iter().map(of).collect()
            })
            .collect();
        if part.iter().flatten().any(|value| !value.is_finite()) {
            return Err(Error::NotFinite);
        }
        found.extend(part);
        Ok(())
    })?;
    Ok(found)
}

/// Log of the sum of exponentiated logits; the sum is formed in float64.
fn log_sum(logits: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(|| {
        let top = simd::max(logits);
        let mut sum = 0.0_f64;
        for logits in logits.chunks(1024) {
            let mut part = [0.0_f32; 1024];
            for (part, logit) in part.iter_mut().zip(logits) {
                *part = simd::exp(logit - top);
            }
            sum += f64::from(simd::sum(&part[..logits.len()]));
        }
        f64::from(top) + sum.ln()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_is_the_textbook_one() {
        let logits: Vec<f32> = (0..3000).map(|i| (i as f32 * 0.37).sin() * 9.0).collect();
        let expected: f64 = logits.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
        assert!((log_sum(&logits) - expected).abs() < 1e-6);
    }
}
