//! Metrics before and after on the same rows, with intervals.

use sanbao_contract::verdict::{Comparison, Estimate};

use crate::metrics::{About, Answers, Measured, Metric};
use crate::statistics::{
    Resampler, SIGNIFICANCE, mcnemar, paired_randomization, percentile_interval, wilson,
};

/// Resamples for a number of rows: 10,000 where that is quick, never fewer than 1,000.
fn resamples(rows: usize) -> usize {
    (8_000_000 / rows.max(1)).clamp(1_000, 10_000)
}

struct Pair {
    about: &'static About,
    before: Box<dyn Measured>,
    after: Box<dyn Measured>,
    values: (f64, f64),
    /// Before, after and difference in each resample where both are defined.
    draws: [Vec<f64>; 3],
}

/// Compares two models on the same rows, one [`Comparison`] for each metric that has a value on
/// both sides. All metrics see the same resamples.
///
/// Intervals are 95 % percentile intervals of a paired bootstrap over rows, for ratios such as the
/// loss of the ratio of sums; before and after of a proportion have Wilson's interval. An interval
/// that leaves out its own figure (bootstraps of biased figures such as the calibration error may)
/// is widened to hold it, and the interval of a difference that the test does not tell from chance
/// is widened to hold 0: few rows that all agree would otherwise look certain. p values are McNemar's exact one for proportions, otherwise of a paired
/// randomisation, or from the bootstrap for metrics that are no function of sums.
///
/// `before` and `after` must hold the same rows in the same order.
pub fn compare(
    metrics: &[&'static dyn Metric],
    before: &Answers<'_>,
    after: &Answers<'_>,
    seed: u64,
) -> Vec<Comparison> {
    let rows = before.rows.len();
    if rows == 0 || after.rows.len() != rows {
        return Vec::new();
    }
    let pair = |metric: &&'static dyn Metric| {
        let (before, after) = (metric.measure(before)?, metric.measure(after)?);
        let values = (before.whole()?, after.whole()?);
        let draws = [Vec::new(), Vec::new(), Vec::new()];
        Some(Pair { about: metric.about(), before, after, values, draws })
    };
    let mut pairs: Vec<Pair> = metrics.iter().filter_map(pair).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    let draws = resamples(rows);
    let mut resampler = Resampler::new(rows, seed);
    for _ in 0..draws {
        let counts = resampler.draw();
        for pair in &mut pairs {
            if let (Some(before), Some(after)) =
                (pair.before.value(counts), pair.after.value(counts))
            {
                pair.draws[0].push(before);
                pair.draws[1].push(after);
                pair.draws[2].push(after - before);
            }
        }
    }
    // A metric that most resamples leave undefined has no interval worth showing.
    pairs.retain(|pair| 2 * pair.draws[2].len() >= draws);
    pairs.into_iter().filter_map(|pair| pair.comparison(rows, draws, seed)).collect()
}

impl Pair {
    fn comparison(mut self, rows: usize, draws: usize, seed: u64) -> Option<Comparison> {
        let (value_before, value_after) = self.values;
        let (test, p_value) = self.test(draws, seed);
        let mut difference = estimate(value_after - value_before, &mut self.draws[2])?;
        if p_value >= SIGNIFICANCE {
            difference.low = difference.low.min(0.0);
            difference.high = difference.high.max(0.0);
        }
        let (before, after) = if self.about.proportion {
            (proportion(value_before, rows), proportion(value_after, rows))
        } else {
            let before = estimate(value_before, &mut self.draws[0])?;
            (before, estimate(value_after, &mut self.draws[1])?)
        };
        Some(Comparison {
            metric: self.about.name.to_owned(),
            higher_is_better: self.about.higher_is_better,
            before,
            after,
            difference,
            p_value: Some(p_value),
            test: test.to_owned(),
            rows: rows as u64,
        })
    }

    fn test(&self, draws: usize, seed: u64) -> (&'static str, f64) {
        if self.about.proportion {
            let right = |side: &dyn Measured, row| side.row(row).is_some_and(|value| value > 0.5);
            let rows = 0..self.before.rows();
            let pairs = rows.map(|row| (right(&*self.before, row), right(&*self.after, row)));
            return ("mcnemar", mcnemar(pairs).exact_p);
        }
        let sums = self.before.sums().zip(self.after.sums());
        let p = sums.and_then(|(before, after)| paired_randomization(before, after, draws, seed));
        match p {
            Some(p) => ("paired_randomization", p),
            None => ("paired_bootstrap", self.bootstrap_p()),
        }
    }

    /// Twice the share of resamples on the rarer side of zero, one extra resample counted on it.
    fn bootstrap_p(&self) -> f64 {
        let gaps = &self.draws[2];
        let not_above = gaps.iter().filter(|gap| **gap <= 0.0).count();
        let not_below = gaps.iter().filter(|gap| **gap >= 0.0).count();
        let rarer = not_above.min(not_below) + 1;
        (2.0 * rarer as f64 / (gaps.len() + 1) as f64).min(1.0)
    }
}

fn estimate(value: f64, draws: &mut [f64]) -> Option<Estimate> {
    let (low, high) = percentile_interval(draws)?;
    Some(Estimate { value, low: low.min(value), high: high.max(value) })
}

fn proportion(value: f64, rows: usize) -> Estimate {
    let (low, high) = wilson((value * rows as f64).round() as u64, rows as u64);
    Estimate { value, low, high }
}
