//! KTO: single answers that were liked or not (Ethayarajh et al. 2024, eq. 7-8; TRL's `KTOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static KTO: Recipe = Recipe {
    name: "kto",
    title: Words {
        en: "Learn from thumbs up and down (KTO)", zh: "从点赞与点踩中学习（KTO）"
    },
    summary: Words {
        en: "For single answers that were liked or not, from some hundred on; the two kinds need not be equally many.",
        zh: "适合单个被赞或被踩的答案，数百条起；两类不必一样多。",
    },
    kind: RecipeKind::Preference("kto"),
    tasks: &[Task::Unpaired, Task::Preference],
    parameters: &[
        &BETA,
        &DESIRABLE_WEIGHT,
        &UNDESIRABLE_WEIGHT,
        &R,
        &LORA_ALPHA,
        &LORA_DROPOUT,
        &USE_RSLORA,
        &USE_DORA,
        &TARGET_MODULES,
        &EPOCHS,
        &BATCH_SIZE,
        &LEARNING_RATE,
        &LR_SCHEDULER,
        &WARMUP_RATIO,
        &WEIGHT_DECAY,
        &MAX_GRAD_NORM,
        &MAX_LENGTH,
        &EVALS_PER_EPOCH,
        &PATIENCE,
        &TRAIN_SAMPLING_STRATEGY,
        &SEED,
    ],
    derive,
};

fn derive(facts: &Facts) -> Vec<Derived> {
    let mut list = vec![
        Derived::new(
            "beta",
            0.1,
            "the usual hold on what the model was before",
            "把模型约束在原样附近的常用力度",
        ),
        Derived::new(
            "desirable_weight",
            1.0,
            "answers that were liked count once",
            "被喜欢的答案按 1 倍计入",
        ),
        Derived::new(
            "undesirable_weight",
            1.0,
            "answers that were not liked count once",
            "不被喜欢的答案按 1 倍计入",
        ),
    ];
    list.extend(lora::adapter(facts));
    let (rate, reason) = full::preference_rate(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}
