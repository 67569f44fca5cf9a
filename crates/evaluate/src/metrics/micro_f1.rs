//! F1 over all decisions together.

use sanbao_contract::data::Task;

use super::classes::{Counts, class_sums, each_class};
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// F1 of the summed counts of all classes (scikit-learn's `f1_score(average="micro")`).
pub struct MicroF1;

// With one label per row this equals accuracy, so showing both would say the same thing twice.
static ABOUT: About = About {
    name: "micro_f1",
    label: Phrase { en: "Micro-F1", zh: "微平均 F1" },
    explanation: Phrase {
        en: "How well labels are found overall; with one label per row the same as accuracy.",
        zh: "整体的标签识别效果；每行只有一个标签时等于准确率。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::OnRequest)],
};

fn micro_f1(amounts: &[f64]) -> Option<f64> {
    let mut all = Counts { right: 0.0, answered: 0.0, truth: 0.0 };
    for class in each_class(amounts) {
        all.right += class.right;
        all.answered += class.answered;
        all.truth += class.truth;
    }
    all.f1()
}

impl Metric for MicroF1 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(class_sums(answers, micro_f1)?))
    }
}
