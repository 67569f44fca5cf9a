//! Whether the stated certainty can be believed.

use sanbao_contract::data::Task;

use super::classes::truths_with_probabilities;
use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;

/// Bins of equal width.
const BINS: usize = 15;

/// Expected calibration error with 15 bins (i/15, (i+1)/15] over the largest probability
/// (Guo et al., arXiv 1706.04599, eq. 3).
pub struct Ece;

static ABOUT: About = About {
    name: "ece",
    label: Phrase { en: "Calibration error", zh: "校准误差" },
    explanation: Phrase {
        en: "How far the stated certainty is from how often it is right; 0 means it can be believed.",
        zh: "模型声称的把握与实际正确率的差距，0 表示把握可信。",
    },
    higher_is_better: false,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Detail)],
};

/// One bin of a calibration table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Number of the bin, from 0.
    pub bin: usize,
    /// Rows in it.
    pub rows: f64,
    /// Share of them that are right.
    pub accuracy: f64,
    /// Their mean largest probability.
    pub confidence: f64,
}

fn bins(amounts: &[f64]) -> impl Iterator<Item = Calibration> {
    amounts.chunks_exact(3).enumerate().filter(|(_, sums)| sums[0] > 0.0).map(|(bin, sums)| {
        Calibration {
            bin,
            rows: sums[0],
            accuracy: sums[1] / sums[0],
            confidence: sums[2] / sums[0],
        }
    })
}

fn ece(amounts: &[f64]) -> Option<f64> {
    let (mut gap, mut rows) = (0.0, 0.0);
    for bin in bins(amounts) {
        gap += bin.rows * (bin.accuracy - bin.confidence).abs();
        rows += bin.rows;
    }
    (rows > 0.0).then(|| gap / rows)
}

fn sums(answers: &Answers<'_>) -> Option<Sums> {
    let truths = truths_with_probabilities(answers)?;
    let mut sums = Sums::new(3 * BINS, ece);
    for (row, truth) in answers.rows.iter().zip(truths) {
        let mut best = 0;
        for (class, probability) in row.probabilities.iter().enumerate() {
            if *probability > row.probabilities[best] {
                best = class;
            }
        }
        let confidence = row.probabilities[best];
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let right = if best == truth { 1.0 } else { 0.0 };
        sums.push([(3 * bin, 1.0), (3 * bin + 1, right), (3 * bin + 2, confidence)]);
    }
    Some(sums)
}

/// The bins that hold rows, in order: the data of a reliability diagram. `None` when there are no
/// probabilities.
pub fn calibration(answers: &Answers<'_>) -> Option<Vec<Calibration>> {
    let sums = sums(answers)?;
    let mut amounts = vec![0.0; sums.width()];
    for row in 0..sums.rows() {
        for &(index, amount) in sums.contribution(row) {
            amounts[index] += amount;
        }
    }
    Some(bins(&amounts).collect())
}

impl Metric for Ece {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(sums(answers)?))
    }
}
