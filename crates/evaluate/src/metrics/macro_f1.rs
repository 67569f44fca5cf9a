//! Mean of the classes' F1.

use sanbao_contract::data::Task;

use super::classes::{class_sums, each_class};
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Plain mean of the F1 of every class that occurs as truth or answer
/// (scikit-learn's `f1_score(average="macro")` with its default labels).
pub struct MacroF1;

static ABOUT: About = About {
    name: "macro_f1",
    label: Phrase { en: "Macro-F1", zh: "宏平均 F1" },
    explanation: Phrase {
        en: "How well each label is found, every label counting the same, so rare ones matter too.",
        zh: "逐个标签衡量识别效果，各标签权重相同，因此少见的标签同样重要。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Headline)],
};

fn macro_f1(amounts: &[f64]) -> Option<f64> {
    let scores: Vec<f64> = each_class(amounts).filter_map(|class| class.f1()).collect();
    (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64)
}

impl Metric for MacroF1 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(class_sums(answers, macro_f1)?))
    }
}
