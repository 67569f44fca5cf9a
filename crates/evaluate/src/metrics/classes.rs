//! Counts of each class, shared by the metrics of classification.

use std::collections::HashMap;

use super::{Answers, Sums};

/// Class numbers of reference and answer of each row; `None` when a text is not a label.
pub(super) fn class_numbers(answers: &Answers<'_>) -> Option<Vec<(usize, usize)>> {
    let numbers: HashMap<&str, usize> =
        answers.labels.iter().enumerate().map(|(number, label)| (label.as_str(), number)).collect();
    answers
        .rows
        .iter()
        .map(|row| Some((*numbers.get(row.reference)?, *numbers.get(row.answer)?)))
        .collect()
}

/// Class number of the reference of each row; `None` when there are no probabilities for it.
pub(super) fn truths_with_probabilities(answers: &Answers<'_>) -> Option<Vec<usize>> {
    let classes = answers.labels.len();
    if classes < 2 || answers.rows.iter().any(|row| row.probabilities.len() != classes) {
        return None;
    }
    answers
        .rows
        .iter()
        .map(|row| answers.labels.iter().position(|label| label == row.reference))
        .collect()
}

/// Counts of one class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counts {
    /// Rows of the class that were answered so.
    pub right: f64,
    /// Rows answered so.
    pub answered: f64,
    /// Rows of the class.
    pub truth: f64,
}

impl Counts {
    /// 2·right / (answered + truth); 0 for a class that was confused throughout; `None` for a
    /// class that occurs neither as truth nor as answer (scikit-learn leaves it out as well).
    pub(super) fn f1(&self) -> Option<f64> {
        let total = self.answered + self.truth;
        (total > 0.0).then(|| 2.0 * self.right / total)
    }
}

/// Sums whose amounts are three counts of each class: right, answered, truth.
pub(super) fn class_sums(answers: &Answers<'_>, corpus: fn(&[f64]) -> Option<f64>) -> Option<Sums> {
    let mut sums = Sums::new(3 * answers.labels.len(), corpus);
    for (truth, answer) in class_numbers(answers)? {
        let right = if truth == answer { 1.0 } else { 0.0 };
        sums.push([(3 * truth, right), (3 * answer + 1, 1.0), (3 * truth + 2, 1.0)]);
    }
    Some(sums)
}

/// The counts of each class behind summed amounts.
pub(super) fn each_class(amounts: &[f64]) -> impl Iterator<Item = Counts> {
    amounts.chunks_exact(3).map(|chunk| Counts {
        right: chunk[0],
        answered: chunk[1],
        truth: chunk[2],
    })
}
