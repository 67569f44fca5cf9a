//! A reward model: says how good an answer is (Ouyang et al. 2022, eq. 1; TRL's `RewardTrainer`).

use sanbao_contract::data::Task;

use super::parameters::*;
use super::{Derived, Facts, Recipe, RecipeKind, full, lora};

pub static REWARD_MODEL: Recipe = Recipe {
    name: "reward_model",
    title: Words { en: "Reward model", zh: "奖励模型" },
    summary: Words {
        en: "Learns from choices to give answers a score, as the people would who chose; other recipes can then learn from its scores.",
        zh: "从选择中学会像人一样给答案打分；之后其他方案可以用它的分数来学习。",
    },
    kind: RecipeKind::RewardModel,
    tasks: &[Task::Preference],
    parameters: &[
        &CENTER_REWARDS,
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
        "center_rewards_coefficient",
        0.01,
        "scores stay around 0, so that they can be read and mixed with rules",
        "让分数保持在 0 附近，便于阅读，也便于与规则一起使用",
    )];
    list.extend(lora::adapter_or_every_weight(facts));
    let (rate, reason) = full::preference_rate(facts);
    list.extend(full::shared(facts, rate, reason));
    list
}
