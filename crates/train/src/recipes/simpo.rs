//! SimPO: average log-probabilities and a margin, no reference model (Meng et al. 2024, eq. 6).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static SIMPO: Recipe = Recipe {
    name: "simpo",
    title: Words {
        en: "Learn from choices without a reference (SimPO)",
        zh: "无参考模型的偏好学习（SimPO）",
    },
    summary: Words {
        en: "Quicker and smaller than DPO and not drawn to long answers; changes the model more freely.",
        zh: "比 DPO 更快更省，不偏爱长答案；对模型的改动也更自由。",
    },
    kind: RecipeKind::Preference("simpo"),
    tasks: &[Task::Preference],
    parameters: &[
        &BETA,
        &SIMPO_GAMMA,
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
        Derived::new(
            "beta",
            2.0,
            "the paper's scale for average log-probabilities",
            "论文为平均对数概率选用的尺度",
        ),
        Derived::new(
            "simpo_gamma",
            1.0,
            "half of beta, as the paper proposes",
            "beta 的一半，按论文的建议",
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
