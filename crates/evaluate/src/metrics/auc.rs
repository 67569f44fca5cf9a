//! How well the probabilities rank.

use sanbao_contract::data::Task;

use super::classes::truths_with_probabilities;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Area under the ROC curve, ties counting half. With two labels that of the second one; with
/// more the mean over labels, each against the rest, of those that have rows on both sides.
pub struct Auc;

static ABOUT: About = About {
    name: "auc",
    label: Phrase { en: "ROC AUC", zh: "ROC 曲线下面积" },
    explanation: Phrase {
        en: "How often a row of a label is given a higher probability of it than a row of another; 0.5 is guessing.",
        zh: "属于某标签的行得到更高概率的比例，0.5 等于随机猜测。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Detail)],
};

/// Rows sorted by the probability of one label.
struct Ranking {
    /// Row, probability, whether the row is of the label; by rising probability.
    sorted: Vec<(usize, f64, bool)>,
}

impl Ranking {
    /// Mann–Whitney statistic over pairs: `None` when one side is empty.
    fn area(&self, counts: &[u32]) -> Option<f64> {
        let (mut inside_all, mut outside_all, mut area) = (0.0, 0.0, 0.0);
        for tied in self.sorted.chunk_by(|left, right| left.1 == right.1) {
            let (mut inside, mut outside) = (0.0, 0.0);
            for (row, _, is_label) in tied {
                let count = f64::from(counts[*row]);
                if *is_label { inside += count } else { outside += count }
            }
            area += inside * (outside_all + 0.5 * outside);
            inside_all += inside;
            outside_all += outside;
        }
        (inside_all > 0.0 && outside_all > 0.0).then(|| area / (inside_all * outside_all))
    }
}

struct Rankings {
    rows: usize,
    labels: Vec<Ranking>,
}

impl Measured for Rankings {
    fn rows(&self) -> usize {
        self.rows
    }

    fn value(&self, counts: &[u32]) -> Option<f64> {
        let areas: Vec<f64> = self.labels.iter().filter_map(|label| label.area(counts)).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    fn row(&self, _index: usize) -> Option<f64> {
        None
    }
}

impl Metric for Auc {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let truths = truths_with_probabilities(answers)?;
        let classes = if answers.labels.len() == 2 { 1..2 } else { 0..answers.labels.len() };
        let labels = classes
            .map(|class| {
                let row_of = |(row, truth): (usize, &usize)| {
                    (row, answers.rows[row].probabilities[class], *truth == class)
                };
                let mut sorted: Vec<_> = truths.iter().enumerate().map(row_of).collect();
                sorted.sort_by(|left, right| left.1.total_cmp(&right.1));
                Ranking { sorted }
            })
            .collect();
        Some(Box::new(Rankings { rows: truths.len(), labels }))
    }
}
