//! Values of tokens, row by row.

use super::Error;

/// Values of the tokens of some rows, without padding: log-probabilities (nats), values of a
/// value head, rewards, advantages or gradients.
///
/// Rows may differ in length. Values are kept in f64, so that sums over long completions do not
/// lose what the differences between two models consist of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TokenRows {
    values: Vec<f64>,
    /// Where each row ends in `values`.
    ends: Vec<usize>,
}

impl TokenRows {
    /// Takes rows of f32 or f64.
    ///
    /// # Errors
    /// When a value is NaN or infinite.
    pub fn new<T, R>(rows: &[R]) -> Result<Self, Error>
    where
        T: Copy + Into<f64>,
        R: AsRef<[T]>,
    {
        let mut values = Vec::new();
        let mut ends = Vec::with_capacity(rows.len());
        for row in rows {
            values.extend(row.as_ref().iter().map(|value| (*value).into()));
            ends.push(values.len());
        }
        Self { values, ends }.with_finite_values()
    }

    /// Takes all values one after the other, with the length of each row.
    ///
    /// # Errors
    /// When the lengths do not add up to the values, or a value is NaN or infinite.
    pub fn from_flat<T>(values: &[T], lengths: &[usize]) -> Result<Self, Error>
    where
        T: Copy + Into<f64>,
    {
        let expected = lengths.iter().fold(0, |sum: usize, length| sum.saturating_add(*length));
        if expected != values.len() {
            return Err(Error::Total { found: values.len(), expected });
        }
        let ends = lengths
            .iter()
            .scan(0, |end, length| {
                *end += length;
                Some(*end)
            })
            .collect();
        let values = values.iter().map(|value| (*value).into()).collect();
        Self { values, ends }.with_finite_values()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many tokens there are in all rows together.
    pub fn tokens(&self) -> usize {
        self.values.len()
    }

    /// The rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[f64]> + Clone {
        self.ends.iter().enumerate().map(|(row, end)| {
            let start = if row == 0 { 0 } else { self.ends[row - 1] };
            &self.values[start..*end]
        })
    }

    /// All values, one row after the other: what a backward pass takes.
    pub fn flat(&self) -> &[f64] {
        &self.values
    }

    /// Sum of each row: the log-probability of a completion when the values are those of its
    /// tokens.
    pub fn sums(&self) -> Vec<f64> {
        self.iter().map(|row| row.iter().sum()).collect()
    }

    /// Mean of all values; NaN when there are none.
    pub(super) fn mean(&self) -> f64 {
        self.values.iter().sum::<f64>() / self.tokens() as f64
    }

    /// Rows of the same lengths with other values.
    pub(super) fn with_values(&self, values: Vec<f64>) -> Self {
        debug_assert_eq!(values.len(), self.values.len());
        Self { values, ends: self.ends.clone() }
    }

    /// Rows of the same lengths, every token with the number of its row.
    pub(super) fn spread(&self, of_rows: &[f64]) -> Self {
        debug_assert_eq!(of_rows.len(), self.len());
        let rows = self.iter().zip(of_rows);
        self.with_values(rows.flat_map(|(row, value)| row.iter().map(|_| *value)).collect())
    }

    /// Rows of the same lengths from the values of two, token by token.
    pub(super) fn combine(&self, other: &Self, with: impl Fn(f64, f64) -> f64) -> Self {
        self.with_values(self.values.iter().zip(&other.values).map(|(a, b)| with(*a, *b)).collect())
    }

    /// Refuses to be without rows, or to have a row without tokens.
    pub(super) fn expect_tokens(&self, what: &'static str) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::NoRows);
        }
        match self.iter().position(<[f64]>::is_empty) {
            Some(row) => Err(Error::EmptyRow { what, row: row + 1 }),
            None => Ok(()),
        }
    }

    /// Refuses rows of other lengths than the policy's.
    pub(super) fn expect_shape_of(&self, policy: &Self, what: &'static str) -> Result<(), Error> {
        expect_count(what, self.len(), policy.len())?;
        for (row, (found, expected)) in self.iter().zip(policy.iter()).enumerate() {
            let (found, expected) = (found.len(), expected.len());
            if found != expected {
                return Err(Error::Length { what, row: row + 1, found, expected });
            }
        }
        Ok(())
    }

    fn with_finite_values(self) -> Result<Self, Error> {
        for (row, values) in self.iter().enumerate() {
            if let Some(token) = values.iter().position(|value| !value.is_finite()) {
                let value = values[token];
                return Err(Error::TokenNotFinite { row: row + 1, token: token + 1, value });
            }
        }
        Ok(self)
    }
}

/// Refuses too many or too few numbers.
pub(super) fn expect_count(what: &'static str, found: usize, expected: usize) -> Result<(), Error> {
    if found == expected { Ok(()) } else { Err(Error::Count { what, found, expected }) }
}

/// One number for each row as f64, refused when one is NaN or infinite.
pub(super) fn finite<T: Copy + Into<f64>>(
    what: &'static str,
    values: &[T],
) -> Result<Vec<f64>, Error> {
    let values: Vec<f64> = values.iter().map(|value| (*value).into()).collect();
    match values.iter().position(|value| !value.is_finite()) {
        Some(row) => Err(Error::NotFinite { what, row: row + 1, value: values[row] }),
        None => Ok(values),
    }
}

/// Mean; NaN when there are no values.
pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Standard deviation with n-1, as TRL divides by; NaN for fewer than two values.
pub(super) fn standard_deviation(values: &[f64]) -> f64 {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() as f64 - 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn rows_of_both_forms_are_equal() {
        let rows = TokenRows::new(&[vec![1.0_f32, 2.0], vec![], vec![3.0]]).unwrap();
        assert_eq!(rows, TokenRows::from_flat(&[1.0_f64, 2.0, 3.0], &[2, 0, 1]).unwrap());
        assert_eq!(rows.iter().collect::<Vec<_>>(), [&[1.0, 2.0][..], &[], &[3.0]]);
        assert_eq!(rows.spread(&[5.0, 6.0, 7.0]).flat(), [5.0, 5.0, 7.0]);
        assert_eq!(rows.expect_tokens("x").unwrap_err(), Error::EmptyRow { what: "x", row: 2 });
    }

    #[test]
    fn what_is_not_a_number_is_named() {
        let error = TokenRows::new(&[vec![0.0_f32], vec![0.0, f32::NAN]]).unwrap_err();
        assert!(matches!(error, Error::TokenNotFinite { row: 2, token: 2, .. }), "{error}");
        let error = TokenRows::from_flat(&[0.0, f64::NEG_INFINITY], &[0, 1, 1]).unwrap_err();
        assert!(matches!(error, Error::TokenNotFinite { row: 3, token: 1, .. }), "{error}");
        let error = TokenRows::from_flat(&[0.0_f32], &[usize::MAX, 2]).unwrap_err();
        assert!(matches!(error, Error::Total { found: 1, .. }), "{error}");
    }
}
