//! Could the difference be chance? Exchange the two models' results row by row and see.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::metrics::{Measured, Sums};

/// Up to this many rows every way of exchanging is tried; beyond, as many as asked for are drawn.
const EXACT_ROWS: usize = 12;

/// Two-sided p value of the paired randomisation test (Noreen 1989; sacreBLEU's `--paired-ar`):
/// the share of exchanges, the one observed included, whose corpus difference is at least as large.
///
/// With fewer than six rows no p value below 0.05 exists, so a handful of rows never convinces.
/// `None` when the two do not speak about the same rows or have no value.
pub fn paired_randomization(first: &Sums, second: &Sums, draws: usize, seed: u64) -> Option<f64> {
    let rows = first.rows();
    if rows != second.rows() || first.width() != second.width() || rows == 0 {
        return None;
    }
    let (first_value, second_value) = (first.whole()?, second.whole()?);
    let observed = (first_value - second_value).abs();
    // Differences that are equal on paper may differ in the last bits.
    let threshold = observed - 1e-10 * (first_value.abs() + second_value.abs());
    let mut exchange = Exchange::new(first, second);
    let mut extreme = 0_usize;
    if rows <= EXACT_ROWS {
        let ways = 1_usize << rows;
        for pattern in 0..ways {
            let gap = exchange.gap(|row| pattern >> row & 1 == 1);
            extreme += usize::from(gap.is_none_or(|gap| gap >= threshold));
        }
        return Some(extreme as f64 / ways as f64);
    }
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    let mut bits = vec![0_u64; rows.div_ceil(64)];
    for _ in 0..draws {
        bits.fill_with(|| generator.next_u64());
        let gap = exchange.gap(|row| bits[row / 64] >> (row % 64) & 1 == 1);
        extreme += usize::from(gap.is_none_or(|gap| gap >= threshold));
    }
    Some((extreme + 1) as f64 / (draws + 1) as f64)
}

/// Two sets of sums with rows exchanged between them.
struct Exchange<'a> {
    first: &'a Sums,
    second: &'a Sums,
    here: Vec<f64>,
    there: Vec<f64>,
}

impl<'a> Exchange<'a> {
    fn new(first: &'a Sums, second: &'a Sums) -> Self {
        let zeros = vec![0.0; first.width()];
        Self { first, second, here: zeros.clone(), there: zeros }
    }

    /// Absolute difference of the figures with some rows exchanged; `None` where one is undefined.
    fn gap(&mut self, exchanged: impl Fn(usize) -> bool) -> Option<f64> {
        self.here.fill(0.0);
        self.there.fill(0.0);
        for row in 0..self.first.rows() {
            let (to_here, to_there) =
                if exchanged(row) { (self.second, self.first) } else { (self.first, self.second) };
            for &(index, amount) in to_here.contribution(row) {
                self.here[index] += amount;
            }
            for &(index, amount) in to_there.contribution(row) {
                self.there[index] += amount;
            }
        }
        Some((self.first.figure(&self.here)? - self.second.figure(&self.there)?).abs())
    }
}
