//! Squared error of the probabilities.

use sanbao_contract::data::Task;

use super::classes::truths_with_probabilities;
use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Mean over rows of the squared distance between probabilities and the one-hot truth
/// (Brier 1950, the multi-class form, from 0 to 2).
pub struct Brier;

static ABOUT: About = About {
    name: "brier",
    label: Phrase { en: "Brier score", zh: "布里尔分数" },
    explanation: Phrase {
        en: "How far the probabilities are from the truth; 0 is perfect.",
        zh: "概率与真值的差距，0 为完美。",
    },
    higher_is_better: false,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Detail)],
};

impl Metric for Brier {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let truths = truths_with_probabilities(answers)?;
        let distances = answers.rows.iter().zip(truths).map(|(row, truth)| {
            let squared = |(class, probability): (usize, &f64)| {
                let target = if class == truth { 1.0 } else { 0.0 };
                (probability - target).powi(2)
            };
            row.probabilities.iter().enumerate().map(squared).sum::<f64>()
        });
        Some(Box::new(mean_of(distances)))
    }
}
