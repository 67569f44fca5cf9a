//! Mean loss of the reference answers.

use sanbao_contract::data::Task;

use super::sums::ratio;
use super::{About, Answers, Measured, Metric, Place, Sums, Unit};
use crate::Phrase;

/// Mean negative log-likelihood per token of the references, in nats, every token counting the
/// same: the sum of all rows' losses over the sum of their tokens.
pub struct Loss;

static ABOUT: About = About {
    name: "loss",
    label: Phrase { en: "Loss", zh: "损失" },
    explanation: Phrase {
        en: "How unexpected the right answers are to the model, per token; 0 means it predicted every one.",
        zh: "正确答案对模型来说有多意外（按词元平均），0 表示完全预测到。",
    },
    higher_is_better: false,
    unit: Unit::Number,
    proportion: false,
    needs_answer: false,
    tasks: &[
        (Task::Instruct, Place::Headline),
        (Task::Prose, Place::Detail),
        (Task::Classify, Place::Detail),
    ],
};

/// Sums of loss and tokens; `figure` makes the value of both.
pub(super) fn loss_sums(answers: &Answers<'_>, figure: fn(&[f64]) -> Option<f64>) -> Option<Sums> {
    let mut sums = Sums::new(2, figure);
    for row in &answers.rows {
        sums.push([(0, row.loss_sum), (1, row.loss_tokens as f64)]);
    }
    answers.rows.iter().any(|row| row.loss_tokens > 0).then_some(sums)
}

impl Metric for Loss {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(loss_sums(answers, ratio)?))
    }
}
