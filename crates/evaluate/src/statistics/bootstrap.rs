//! Resampling of rows (Efron 1979, doi:10.1214/aos/1176344552), percentile intervals.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Draws how often each row counts in a resample of the same size.
pub struct Resampler {
    generator: ChaCha8Rng,
    counts: Vec<u32>,
}

impl Resampler {
    /// A stream of resamples of `rows` rows.
    pub fn new(rows: usize, seed: u64) -> Self {
        Self { generator: ChaCha8Rng::seed_from_u64(seed), counts: vec![0; rows] }
    }

    /// The next resample: entry `i` says how often row `i` was drawn.
    pub fn draw(&mut self) -> &[u32] {
        self.counts.fill(0);
        let rows = self.counts.len();
        for _ in 0..rows {
            let index = below(&mut self.generator, rows);
            self.counts[index] += 1;
        }
        &self.counts
    }
}

/// A number below `bound`, each equally likely up to 2⁻⁶⁴·bound (Lemire, arXiv 1805.10941, without
/// the rejection step).
fn below(generator: &mut impl Rng, bound: usize) -> usize {
    ((u128::from(generator.next_u64()) * bound as u128) >> 64) as usize
}

/// The middle 95 % of a sample, ends interpolated linearly between neighbours. Sorts the sample.
/// `None` for an empty one.
pub fn percentile_interval(sample: &mut [f64]) -> Option<(f64, f64)> {
    sample.sort_by(f64::total_cmp);
    Some((quantile(sample, 0.025)?, quantile(sample, 0.975)?))
}

fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let position = share * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    Some(low + (high - low) * position.fract())
}

/// What a paired bootstrap of a mean difference found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedBootstrap {
    /// Mean of first minus second on the rows themselves.
    pub observed: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
    /// Standard deviation over resamples.
    pub standard_error: f64,
    /// Share of resamples where the difference is 0 or less.
    pub fraction_not_above_zero: f64,
}

/// Bootstrap of mean(first − second) over pairs; `None` when the lengths differ or are 0, or when
/// no resample is asked for.
pub fn paired_bootstrap(
    first: &[f64],
    second: &[f64],
    resamples: usize,
    seed: u64,
) -> Option<PairedBootstrap> {
    if first.len() != second.len() || first.is_empty() || resamples == 0 {
        return None;
    }
    let rows = first.len() as f64;
    let gaps: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    let mut resampler = Resampler::new(gaps.len(), seed);
    let mut means: Vec<f64> = (0..resamples)
        .map(|_| {
            let counts = resampler.draw();
            counts.iter().zip(&gaps).map(|(count, gap)| f64::from(*count) * gap).sum::<f64>() / rows
        })
        .collect();
    let count = means.len() as f64;
    let centre = means.iter().sum::<f64>() / count;
    let variance = means.iter().map(|mean| (mean - centre).powi(2)).sum::<f64>() / count;
    // Sums that cancel may leave a rounding residue on either side of zero.
    let residue = 1e-12 * gaps.iter().map(|gap| gap.abs()).sum::<f64>();
    let not_above = means.iter().filter(|mean| **mean <= residue).count() as f64;
    let (low, high) = percentile_interval(&mut means)?;
    Some(PairedBootstrap {
        observed: gaps.iter().sum::<f64>() / rows,
        low,
        high,
        standard_error: variance.sqrt(),
        fraction_not_above_zero: not_above / count,
    })
}
