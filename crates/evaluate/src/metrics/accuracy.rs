//! Share of right labels.

use sanbao_contract::data::Task;

use super::classes::class_numbers;
use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Share of rows whose label is right.
pub struct Accuracy;

static ABOUT: About = About {
    name: "accuracy",
    label: Phrase { en: "Accuracy", zh: "准确率" },
    explanation: Phrase {
        en: "How often the answer was the right label, or the preferred one.",
        zh: "答对标签（或选中更受偏好的答案）的比例。",
    },
    higher_is_better: true,
    unit: Unit::Share,
    proportion: true,
    needs_answer: true,
    tasks: &[(Task::Classify, Place::Headline), (Task::Preference, Place::Headline)],
};

impl Metric for Accuracy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let classes = class_numbers(answers)?;
        let right = classes.iter().map(|(truth, answer)| f64::from(u8::from(truth == answer)));
        Some(Box::new(mean_of(right)))
    }
}
