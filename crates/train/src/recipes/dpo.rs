//! DPO and its kin: pairs of answers, held to the base model (Rafailov et al. 2023, eq. 7; TRL's
//! `DPOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static DPO: Recipe = Recipe {
    name: "dpo",
    title: Words { en: "Learn from choices (DPO)", zh: "从选择中学习（DPO）" },
    summary: Words {
        en: "The usual choice for pairs of a better and a worse answer, from about a hundred pairs on: moves towards what was liked, held back by what the model was before.",
        zh: "成对的较好与较差答案的通常选择，约一百对起：向被喜欢的答案靠拢，同时受原模型约束。",
    },
    kind: RecipeKind::Preference("sigmoid"),
    tasks: &[Task::Preference],
    parameters: &[
        &LOSS_TYPE,
        &BETA,
        &LABEL_SMOOTHING,
        &USE_PEFT,
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
        Derived::new("loss_type", "sigmoid", "DPO as it was published", "DPO 论文中的原始形式"),
        Derived::new(
            "beta",
            0.1,
            "the usual hold on what the model was before",
            "把模型约束在原样附近的常用力度",
        ),
        Derived::new(
            "label_smoothing",
            0.0,
            "votes are taken to be meant as they were given",
            "假定所有选择都没有标反",
        ),
    ];
    list.extend(lora::adapter_or_every_weight(facts));
    let (rate, reason) = full::preference_rate(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}
