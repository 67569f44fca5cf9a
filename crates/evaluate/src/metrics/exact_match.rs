//! Share of answers that are the reference to the word.

use sanbao_contract::data::Task;

use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit, squad};
use crate::Phrase;

/// Share of rows whose answer equals the reference after SQuAD's normalisation.
pub struct ExactMatch;

static ABOUT: About = About {
    name: "exact_match",
    label: Phrase { en: "Exact match", zh: "完全一致" },
    explanation: Phrase {
        en: "How often the answer says exactly the expected words, punctuation and case aside.",
        zh: "答案与预期逐字一致的比例（忽略标点和大小写）。",
    },
    higher_is_better: true,
    unit: Unit::Share,
    proportion: true,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::Headline)],
};

impl Metric for ExactMatch {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let equal = answers.rows.iter().map(|row| squad::exact_match(row.answer, row.reference));
        Some(Box::new(mean_of(equal)))
    }
}
