//! What answers earned.

use sanbao_contract::data::Task;

use super::sums::mean_of;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// Mean reward of the answers, where they were rewarded.
pub struct Reward;

static ABOUT: About = About {
    name: "reward",
    label: Phrase { en: "Reward", zh: "奖励" },
    explanation: Phrase {
        en: "What the answers earn by the rules, or the reward model, that training aimed at.",
        zh: "按照训练所追求的规则或奖励模型，答案得到的分数。",
    },
    higher_is_better: true,
    unit: Unit::Number,
    proportion: false,
    needs_answer: true,
    tasks: &[(Task::Instruct, Place::Headline), (Task::PromptOnly, Place::Headline)],
};

impl Metric for Reward {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        let rewards: Option<Vec<f64>> = answers.rows.iter().map(|row| row.reward).collect();
        Some(Box::new(mean_of(rewards?)))
    }
}
