//! Words shared with the reference.

use sanbao_contract::data::Task;

use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit, squad};
use crate::Phrase;

/// Mean over rows of SQuAD's token F1.
pub struct TokenF1;

static ABOUT: About = About {
    name: "token_f1",
    label: Phrase { en: "Token F1", zh: "词语 F1" },
    explanation: Phrase {
        en: "How many words the answer shares with the expected one, whatever their order.",
        zh: "答案与预期共有多少词语，不计顺序。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::Headline)],
};

impl Metric for TokenF1 {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let scores = answers.rows.iter().map(|row| squad::token_f1(row.answer, row.reference));
        Some(Box::new(mean_of(scores)))
    }
}
