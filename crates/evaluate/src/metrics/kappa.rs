//! Agreement beyond chance.

use sanbao_contract::data::Task;

use super::classes::{class_sums, each_class};
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Cohen's kappa, unweighted (Cohen 1960, doi:10.1177/001316446002000104).
pub struct Kappa;

static ABOUT: About = About {
    name: "kappa",
    label: Phrase { en: "Cohen's kappa", zh: "科恩 Kappa 系数" },
    explanation: Phrase {
        en: "Agreement of answers and truth beyond what chance alone would give.",
        zh: "扣除偶然一致之后，答案与真值的一致程度。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::OnRequest)],
};

fn kappa(amounts: &[f64]) -> Option<f64> {
    let (mut rows, mut right, mut chance) = (0.0, 0.0, 0.0);
    for class in each_class(amounts) {
        rows += class.truth;
        right += class.right;
        chance += class.answered * class.truth;
    }
    if rows == 0.0 {
        return None;
    }
    let (observed, expected) = (right / rows, chance / (rows * rows));
    // Truth and answers all of one class: kappa is 0/0 there, so it says nothing.
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}

impl Metric for Kappa {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(class_sums(answers, kappa)?))
    }
}
