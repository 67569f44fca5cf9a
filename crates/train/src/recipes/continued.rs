//! Continued pre-training: running text, every token learnt (Gururangan et al. 2020).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full};

pub static CONTINUED: Recipe = Recipe {
    name: "continued",
    title: Words {
        en: "Continue pre-training on your texts", zh: "用你的文本继续预训练"
    },
    summary: Words {
        en: "For plain documents without questions and answers: the model learns your field's language, not to follow instructions.",
        zh: "适合没有问答形式的纯文本：模型学到的是你的行业语言，而不是听从指令。",
    },
    kind: RecipeKind::Examples,
    tasks: &[Task::Prose],
    parameters: full::FULL.parameters,
    derive,
};

fn derive(facts: &Facts) -> Vec<Derived> {
    let (rate, reason) = if facts.parameters < 1_000_000_000 {
        (
            1e-4,
            Words {
                en: "a tenth of a pre-training rate for models of this size",
                zh: "这种大小的模型预训练学习率的十分之一",
            },
        )
    } else {
        (
            2e-5,
            Words {
                en: "a tenth of a pre-training rate, so that little is forgotten",
                zh: "预训练学习率的十分之一，以免遗忘太多",
            },
        )
    };
    full::shared(facts, rate, reason)
}
