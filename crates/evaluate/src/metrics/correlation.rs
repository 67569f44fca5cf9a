//! Correlations and errors of numbers: for answers that are scores or ratings.

use sanbao_contract::data::Task;
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// A correlation with its two-sided p value under the null of no association.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// From -1 to 1.
    pub value: f64,
    /// Two-sided p value.
    pub p_value: f64,
}

/// Pearson's r; `None` with fewer than two pairs or when one side is constant.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let n = x.len() as f64;
    if x.len() != y.len() || x.len() < 2 {
        return None;
    }
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut both, mut spread_x, mut spread_y) = (0.0, 0.0, 0.0);
    for (a, b) in x.iter().zip(y) {
        both += (a - mean_x) * (b - mean_y);
        spread_x += (a - mean_x).powi(2);
        spread_y += (b - mean_y).powi(2);
    }
    let spread = spread_x.sqrt() * spread_y.sqrt();
    (spread > 0.0 && spread.is_finite()).then(|| (both / spread).clamp(-1.0, 1.0))
}

/// Spearman's rho: Pearson's r of the ranks, ties sharing their mean rank.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    pearson(&ranks(x), &ranks(y))
}

/// Kendall's tau-b (Kendall 1945), ties taken into account; by Knight's method (1966,
/// doi:10.1080/01621459.1966.10480879) in n·log n. `None` when one side is constant.
pub fn kendall(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || x.len() < 2 {
        return None;
    }
    let counts = PairCounts::of(x, y);
    let spread = (counts.pairs - counts.tied_x).sqrt() * (counts.pairs - counts.tied_y).sqrt();
    (spread > 0.0).then(|| (counts.difference / spread).clamp(-1.0, 1.0))
}

/// p value of a Pearson or Spearman correlation of `n` pairs: Student's t with n - 2 degrees of
/// freedom. `None` with fewer than three pairs.
pub fn t_test(correlation: f64, n: usize) -> Option<f64> {
    let freedom = n.checked_sub(2).filter(|freedom| *freedom > 0)? as f64;
    // P(|t| >= t0) = I_{v / (v + t0²)}(v/2, 1/2), and v / (v + t0²) = 1 - r².
    let x = (1.0 - correlation * correlation).clamp(0.0, 1.0);
    Some(if x == 0.0 { 0.0 } else { beta_reg(freedom / 2.0, 0.5, x) })
}

/// Kendall's tau-b with the p value of the normal approximation, variance corrected for ties
/// (Kendall, Rank Correlation Methods, 4th ed., eq. 4.4).
pub fn kendall_test(x: &[f64], y: &[f64]) -> Option<Correlation> {
    let value = kendall(x, y)?;
    let n = x.len() as f64;
    let (ties_x, ties_y) = (tie_sizes(x), tie_sizes(y));
    let sum = |ties: &[f64], f: fn(f64) -> f64| ties.iter().map(|t| f(*t)).sum::<f64>();
    let pairs: fn(f64) -> f64 = |t| t * (t - 1.0);
    let triples: fn(f64) -> f64 = |t| t * (t - 1.0) * (t - 2.0);
    let weights: fn(f64) -> f64 = |t| t * (t - 1.0) * (2.0 * t + 5.0);
    let mut variance = (weights(n) - sum(&ties_x, weights) - sum(&ties_y, weights)) / 18.0;
    variance += sum(&ties_x, pairs) * sum(&ties_y, pairs) / (2.0 * pairs(n));
    if n > 2.0 {
        variance += sum(&ties_x, triples) * sum(&ties_y, triples) / (9.0 * triples(n));
    }
    if variance <= 0.0 {
        return None;
    }
    let z = PairCounts::of(x, y).difference / variance.sqrt();
    Some(Correlation { value, p_value: erfc(z.abs() / std::f64::consts::SQRT_2) })
}

/// Mean squared error; `None` when there is nothing to compare.
pub fn mean_squared_error(truth: &[f64], answer: &[f64]) -> Option<f64> {
    mean(truth, answer, |a, b| (a - b).powi(2))
}

/// Mean absolute error; `None` when there is nothing to compare.
pub fn mean_absolute_error(truth: &[f64], answer: &[f64]) -> Option<f64> {
    mean(truth, answer, |a, b| (a - b).abs())
}

/// Share of the truth's variance that the answers explain; below 0 when the mean would do better.
/// `None` when the truth is constant.
pub fn r_squared(truth: &[f64], answer: &[f64]) -> Option<f64> {
    let error = mean_squared_error(truth, answer)?;
    let centre = truth.iter().sum::<f64>() / truth.len() as f64;
    let variance =
        truth.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / truth.len() as f64;
    (variance > 0.0).then(|| 1.0 - error / variance)
}

fn mean(x: &[f64], y: &[f64], term: fn(f64, f64) -> f64) -> Option<f64> {
    (x.len() == y.len() && !x.is_empty())
        .then(|| x.iter().zip(y).map(|(a, b)| term(*a, *b)).sum::<f64>() / x.len() as f64)
}

/// Ranks from 1, ties sharing their mean.
fn ranks(values: &[f64]) -> Vec<f64> {
    let order = order_by(values);
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        for index in tied {
            ranks[*index] = rank;
        }
        before += tied.len();
    }
    ranks
}

fn order_by(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| compare(values[*a], values[*b]));
    order
}

/// Sizes of the groups of equal values.
fn tie_sizes(values: &[f64]) -> Vec<f64> {
    let order = order_by(values);
    order.chunk_by(|a, b| values[*a] == values[*b]).map(|tied| tied.len() as f64).collect()
}

/// Pairs of pairs: all, tied in one side, and agreeing minus disagreeing.
struct PairCounts {
    pairs: f64,
    tied_x: f64,
    tied_y: f64,
    difference: f64,
}

impl PairCounts {
    fn of(x: &[f64], y: &[f64]) -> Self {
        let within = |sizes: &[f64]| sizes.iter().map(|t| t * (t - 1.0) / 2.0).sum::<f64>();
        let mut order: Vec<usize> = (0..x.len()).collect();
        order.sort_by(|a, b| compare(x[*a], x[*b]).then(compare(y[*a], y[*b])));
        let tied_both: f64 = order
            .chunk_by(|a, b| x[*a] == x[*b] && y[*a] == y[*b])
            .map(|tied| tied.len() as f64 * (tied.len() as f64 - 1.0) / 2.0)
            .sum();
        let mut sorted: Vec<f64> = order.iter().map(|index| y[*index]).collect();
        let swaps = sort_counting_swaps(&mut sorted) as f64;
        let n = x.len() as f64;
        let pairs = n * (n - 1.0) / 2.0;
        let (tied_x, tied_y) = (within(&tie_sizes(x)), within(&tie_sizes(y)));
        // Among the pairs tied in neither, the swapped ones disagree and the rest agree.
        let difference = pairs - tied_x - tied_y + tied_both - 2.0 * swaps;
        Self { pairs, tied_x, tied_y, difference }
    }
}

/// Equal values (0 and -0 among them) compare equal, as they must for ties.
fn compare(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.total_cmp(&b))
}

/// Merge sort that counts the exchanges of neighbours that it stands for.
fn sort_counting_swaps(values: &mut [f64]) -> u64 {
    if values.len() < 2 {
        return 0;
    }
    let (left, right) = values.split_at_mut(values.len() / 2);
    let mut swaps = sort_counting_swaps(left) + sort_counting_swaps(right);
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let take_right = j < right.len() && (i == left.len() || right[j] < left[i]);
        if take_right {
            swaps += (left.len() - i) as u64;
            merged.push(right[j]);
            j += 1;
        } else {
            merged.push(left[i]);
            i += 1;
        }
    }
    values.copy_from_slice(&merged);
    swaps
}

/// A number that a text is, white space aside.
fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|value| value.is_finite())
}

/// A correlation of answers and references that are numbers.
pub struct CorrelationMetric {
    about: &'static About,
    correlation: fn(&[f64], &[f64]) -> Option<f64>,
}

struct Pairs {
    truth: Vec<f64>,
    answer: Vec<f64>,
    correlation: fn(&[f64], &[f64]) -> Option<f64>,
}

impl Measured for Pairs {
    fn rows(&self) -> usize {
        self.truth.len()
    }

    fn value(&self, counts: &[u32]) -> Option<f64> {
        let repeated = |values: &[f64]| -> Vec<f64> {
            let rows = values.iter().zip(counts);
            rows.flat_map(|(value, count)| std::iter::repeat_n(*value, *count as usize)).collect()
        };
        (self.correlation)(&repeated(&self.truth), &repeated(&self.answer))
    }

    fn row(&self, _index: usize) -> Option<f64> {
        None
    }
}

impl Metric for CorrelationMetric {
    fn about(&self) -> &'static About {
        self.about
    }

    /// `None` unless every reference and every answer is a number and the references take at
    /// least three values (two are a matter of classification).
    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let truth: Vec<f64> =
            answers.rows.iter().map(|row| number(row.reference)).collect::<Option<_>>()?;
        let answer = answers.rows.iter().map(|row| number(row.answer)).collect::<Option<_>>()?;
        if tie_sizes(&truth).len() < 3 {
            return None;
        }
        Some(Box::new(Pairs { truth, answer, correlation: self.correlation }))
    }
}

/// Pearson's r.
pub static PEARSON: CorrelationMetric = CorrelationMetric {
    about: &About {
        name: "pearson",
        label: Phrase { en: "Pearson correlation", zh: "皮尔逊相关系数" },
        explanation: Phrase {
            en: "How well answered numbers follow the true ones along a straight line, −1 to 1.",
            zh: "回答的数值与真实数值的线性相关程度，从 −1 到 1。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Classify, Place::OnRequest), (Task::Instruct, Place::OnRequest)],
    },
    correlation: pearson,
};

/// Spearman's rho.
pub static SPEARMAN: CorrelationMetric = CorrelationMetric {
    about: &About {
        name: "spearman",
        label: Phrase { en: "Spearman correlation", zh: "斯皮尔曼相关系数" },
        explanation: Phrase {
            en: "How well answered numbers keep the order of the true ones, −1 to 1.",
            zh: "回答的数值与真实数值的排序一致程度，从 −1 到 1。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Classify, Place::Detail), (Task::Instruct, Place::Detail)],
    },
    correlation: spearman,
};

/// Kendall's tau-b.
pub static KENDALL: CorrelationMetric = CorrelationMetric {
    about: &About {
        name: "kendall",
        label: Phrase { en: "Kendall's tau-b", zh: "肯德尔 tau-b" },
        explanation: Phrase {
            en: "How many pairs of rows the answers put in the true order, ties aside, −1 to 1.",
            zh: "答案将多少对行排成正确顺序（不计并列），从 −1 到 1。",
        },
        higher_is_better: true,
        unit: Unit::Number,
        proportion: false,
        needs_answer: true,
        tasks: &[(Task::Classify, Place::OnRequest), (Task::Instruct, Place::OnRequest)],
    },
    correlation: kendall,
};
