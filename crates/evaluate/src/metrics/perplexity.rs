//! Exponential of the mean loss.

use sanbao_contract::data::Task;

use super::loss::loss_sums;
use super::sums::ratio;
use super::{About, Answers, Measured, Metric, Place, Unit};
use crate::Phrase;

/// exp of the token-weighted mean loss.
pub struct Perplexity;

static ABOUT: About = About {
    name: "perplexity",
    label: Phrase { en: "Perplexity", zh: "困惑度" },
    explanation: Phrase {
        en: "Between how many equally likely tokens the model wavers at each step; lower is better.",
        zh: "模型每一步平均在多少个同样可能的词元之间犹豫，越低越好。",
    },
    higher_is_better: false,
    unit: Unit::Number,
    proportion: false,
    needs_answer: false,
    tasks: &[(Task::Prose, Place::Headline), (Task::Instruct, Place::Detail)],
};

fn perplexity(amounts: &[f64]) -> Option<f64> {
    ratio(amounts).map(f64::exp)
}

impl Metric for Perplexity {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn measure(&self, answers: &Answers<'_>) -> Option<Box<dyn Measured>> {
        Some(Box::new(loss_sums(answers, perplexity)?))
    }
}
