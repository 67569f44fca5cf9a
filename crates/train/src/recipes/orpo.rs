//! ORPO: likelihood of the chosen answers and an odds ratio, no reference model (Hong et al. 2024,
//! eq. 6; TRL's `ORPOTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static ORPO: Recipe = Recipe {
    name: "orpo",
    title: Words {
        en: "Learn answers and choices at once (ORPO)",
        zh: "同时学习答案与选择（ORPO）",
    },
    summary: Words {
        en: "For a base model that does not know the task yet: learns the chosen answers as examples and to prefer them, in one run.",
        zh: "适合尚不会此任务的基础模型：一次训练中既把被选答案当范例学习，又学会偏好它们。",
    },
    kind: RecipeKind::Preference("orpo"),
    tasks: &[Task::Preference],
    parameters: &[
        &BETA,
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
    let mut list = vec![Derived::new(
        "beta",
        0.1,
        "the usual weight of the choice beside the example",
        "选择相对于范例的常用权重",
    )];
    list.extend(lora::adapter_or_every_weight(facts));
    let (rate, reason) = full::preference_rate(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}
