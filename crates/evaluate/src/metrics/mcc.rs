//! Matthews' correlation of truth and answer.

use sanbao_contract::data::Task;

use super::classes::{class_sums, each_class};
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Matthews correlation coefficient for any number of classes (Gorodkin's R_K,
/// doi:10.1016/j.compbiolchem.2004.09.006), 0 when truth or answers are all one class.
pub struct Mcc;

static ABOUT: About = About {
    name: "mcc",
    label: Phrase { en: "Matthews correlation", zh: "马修斯相关系数" },
    explanation: Phrase {
        en: "Agreement of answers and truth from −1 to 1, where 0 is no better than guessing.",
        zh: "答案与真值的一致程度，从 −1 到 1，0 等于随机猜测。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Detail)],
};

fn mcc(amounts: &[f64]) -> Option<f64> {
    let (mut rows, mut right, mut both, mut answered, mut truth) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for class in each_class(amounts) {
        rows += class.truth;
        right += class.right;
        both += class.answered * class.truth;
        answered += class.answered * class.answered;
        truth += class.truth * class.truth;
    }
    if rows == 0.0 {
        return None;
    }
    let spread = (rows * rows - answered) * (rows * rows - truth);
    if spread <= 0.0 {
        return Some(0.0);
    }
    Some(((right * rows - both) / spread.sqrt()).clamp(-1.0, 1.0))
}

impl Metric for Mcc {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(class_sums(answers, mcc)?))
    }
}
