//! Mean of the classes' F1, weighted by their size.

use sanbao_contract::data::Task;

use super::classes::{class_sums, each_class};
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Mean of the F1 of every class, weighted by its number of rows
/// (scikit-learn's `f1_score(average="weighted")`).
pub struct WeightedF1;

static ABOUT: About = About {
    name: "weighted_f1",
    label: Phrase { en: "Weighted F1", zh: "加权 F1" },
    explanation: Phrase {
        en: "How well each label is found, frequent labels counting more.",
        zh: "逐个标签衡量识别效果，常见标签权重更大。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Detail)],
};

fn weighted_f1(amounts: &[f64]) -> Option<f64> {
    let (mut sum, mut rows) = (0.0, 0.0);
    for class in each_class(amounts) {
        sum += class.truth * class.f1().unwrap_or(0.0);
        rows += class.truth;
    }
    (rows > 0.0).then(|| sum / rows)
}

impl Metric for WeightedF1 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(class_sums(answers, weighted_f1)?))
    }
}
