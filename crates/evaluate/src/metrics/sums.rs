//! Metrics whose corpus value is a function of sums over rows.

use super::Measured;

/// For each row a short list of `(index, amount)`, and a function of the summed amounts.
///
/// Most metrics have this form: accuracy (right, rows), loss (nats, tokens), BLEU (matches and
/// totals of each order), macro-F1 (three counts of each class).
pub struct Sums {
    width: usize,
    starts: Vec<usize>,
    entries: Vec<(usize, f64)>,
    corpus: fn(&[f64]) -> Option<f64>,
    single: fn(&[f64]) -> Option<f64>,
}

impl Sums {
    /// Empty sums of `width` amounts; `corpus` turns the summed amounts into the figure.
    pub fn new(width: usize, corpus: fn(&[f64]) -> Option<f64>) -> Self {
        Self { width, starts: vec![0], entries: Vec::new(), corpus, single: corpus }
    }

    /// Uses another function for the value of one row.
    #[must_use]
    pub fn with_single(mut self, single: fn(&[f64]) -> Option<f64>) -> Self {
        self.single = single;
        self
    }

    /// Adds a row. Indices at or beyond the width are left out.
    pub fn push(&mut self, amounts: impl IntoIterator<Item = (usize, f64)>) {
        let width = self.width;
        self.entries
            .extend(amounts.into_iter().filter(|(index, amount)| *index < width && *amount != 0.0));
        self.starts.push(self.entries.len());
    }

    /// Number of amounts.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What a row adds.
    pub fn contribution(&self, row: usize) -> &[(usize, f64)] {
        &self.entries[self.starts[row]..self.starts[row + 1]]
    }

    /// The figure that summed amounts stand for.
    pub fn figure(&self, amounts: &[f64]) -> Option<f64> {
        (self.corpus)(amounts).filter(|value| value.is_finite())
    }
}

impl Measured for Sums {
    fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    fn value(&self, counts: &[u32]) -> Option<f64> {
        let mut amounts = vec![0.0; self.width];
        for (row, &count) in counts.iter().enumerate() {
            if count > 0 {
                let times = f64::from(count);
                for &(index, amount) in self.contribution(row) {
                    amounts[index] += times * amount;
                }
            }
        }
        self.figure(&amounts)
    }

    fn row(&self, index: usize) -> Option<f64> {
        let mut amounts = vec![0.0; self.width];
        for &(at, amount) in self.contribution(index) {
            amounts[at] += amount;
        }
        (self.single)(&amounts).filter(|value| value.is_finite())
    }

    fn sums(&self) -> Option<&Sums> {
        Some(self)
    }
}

/// First amount over second; `None` when nothing was counted.
pub(super) fn ratio(amounts: &[f64]) -> Option<f64> {
    match amounts {
        [part, whole] if *whole > 0.0 => Some(part / whole),
        _ => None,
    }
}

/// Sums of a mean: each row counts once.
pub(super) fn mean_of(values: impl IntoIterator<Item = f64>) -> Sums {
    let mut sums = Sums::new(2, ratio);
    for value in values {
        sums.push([(0, value), (1, 1.0)]);
    }
    sums
}
